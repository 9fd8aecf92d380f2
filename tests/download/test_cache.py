"""The cache: what is here, what was placed by hand, numbered series, one writer at a time, and the registry itself."""

import gzip
import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from relvm_kg.download import cache
from relvm_kg.download.cache import FetchOptions, data_files, data_folder, data_path, fetch, fetch_selection
from relvm_kg.download.manifest import Manifest
from relvm_kg.download.places import ENVIRONMENT_VARIABLE, cache_root
from relvm_kg.download.records import DataSet, Member, RemoteFile, Selection, Series, parse_selection
from relvm_kg.download.registry import REGISTRY
from relvm_kg.errors import DownloadError, InvalidInputError
from relvm_kg.progress import Silent

OneFile = Callable[..., Selection]
MakeSet = Callable[..., DataSet]
PACKED = gzip.compress(b"<PubmedArticleSet/>")


@pytest.fixture
def series(server: Any, make_set: MakeSet) -> DataSet:
    """`baseline`: five numbered files of two years in a folder of the server."""
    names = ["pubmed25n0001.xml.gz", *(f"pubmed26n{i:04}.xml.gz" for i in range(1, 5))]
    links = "".join(f'<a href="{name}">{name}</a> <a href="{name}.md5">md5</a>\n' for name in names)
    server.put("/baseline/", f'<a href="../">up</a><a href="../../etc/pubmed26n0009.xml">x</a>{links}'.encode())
    for name in names:
        server.put(f"/baseline/{name}", PACKED)
        server.put(f"/baseline/{name}.md5", f"MD5({name})= {hashlib.md5(PACKED).hexdigest()}".encode())
    pattern = r"pubmed(?P<year>\d\d)n(?P<number>\d{4})\.xml\.gz"
    made = Series(url=f"{server.url}/baseline/", pattern=pattern, size=1000, md5_suffix=".md5")
    return make_set(name="baseline", series=made)


def asked(server: Any) -> list[str]:
    return [request.path.rpartition("/")[2] for request in server.requests if not request.path.endswith(".md5")]


def select(text: str, data_set: DataSet) -> Selection:
    return parse_selection(text, {data_set.name: data_set})


def test_files_of_a_series_are_chosen_by_number_and_of_the_latest_year(
    server: Any, series: DataSet, options: FetchOptions
) -> None:
    folder = fetch_selection(select("baseline:1,3-4", series), Silent(), options)
    found = sorted(path.name for path in folder.glob("*.gz"))
    assert found == ["pubmed26n0001.xml.gz", "pubmed26n0003.xml.gz", "pubmed26n0004.xml.gz"]
    assert {entry.checked for entry in Manifest.read(folder, "baseline").entries.values()} == {"md5"}


def test_a_series_grows_by_what_is_missing_and_asks_nothing_when_nothing_is(
    server: Any, series: DataSet, options: FetchOptions
) -> None:
    fetch_selection(select("baseline:1-2", series), Silent(), options)
    fetch_selection(select("baseline:2", series), Silent(), options)
    assert asked(server) == ["", "pubmed26n0001.xml.gz", "pubmed26n0002.xml.gz"]
    fetch_selection(select("baseline:all", series), Silent(), options)
    assert asked(server)[3:] == ["", "pubmed26n0003.xml.gz", "pubmed26n0004.xml.gz"]
    fetch_selection(select("baseline:all", series), Silent(), options)
    assert len(asked(server)) == 6


def test_numbers_that_a_series_does_not_have_are_refused(server: Any, series: DataSet, options: FetchOptions) -> None:
    with pytest.raises(InvalidInputError, match="baseline has the numbers 1 to 4, none of them was asked for"):
        fetch_selection(select("baseline:7-9", series), Silent(), options)


def test_files_of_a_series_that_were_placed_by_hand_are_taken_in_without_a_network(
    server: Any, series: DataSet, options: FetchOptions
) -> None:
    folder = data_folder("baseline", options.cache)
    folder.mkdir(parents=True)
    (folder / "pubmed26n0002.xml.gz").write_bytes(PACKED)
    offline = FetchOptions(cache=options.cache, offline=True)
    fetch_selection(select("baseline:2", series), Silent(), offline)
    assert server.requests == []
    assert Manifest.read(folder, "baseline").entries["pubmed26n0002.xml.gz"].checked == "gzip"
    with pytest.raises(
        DownloadError, match=r"not asked, since --offline was given(.|\n)*relvm-kg data get baseline:3-3"
    ):
        fetch_selection(select("baseline:3", series), Silent(), offline)


def test_a_dated_series_takes_all_files_of_the_latest_year(
    server: Any, make_set: MakeSet, options: FetchOptions
) -> None:
    for name in ("desc2025.gz", "supp2025.gz", "desc2026.gz", "supp2026.gz"):
        server.put(f"/mesh/{name}", PACKED)
    server.put("/mesh/", b'<A HREF="/mesh/desc2025.gz"><A HREF="desc2026.gz"><A HREF="/mesh/supp2026.gz">')
    made = Series(url=f"{server.url}/mesh/", pattern=r"(?:desc|supp)(?P<year>\d{4})\.gz", size=1000)
    selection = Selection(make_set(name="mesh", series=made))
    folder = fetch_selection(selection, Silent(), options)
    assert sorted(path.name for path in folder.glob("*.gz")) == ["desc2026.gz", "supp2026.gz"]
    fetch_selection(selection, Silent(), options)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "text", ["baseline:", "baseline:x", "baseline:3-1", "baseline:-1", "baseline:1;2", "baseline:1-"]
)
def test_numbers_must_be_numbers(series: DataSet, text: str) -> None:
    with pytest.raises(InvalidInputError, match="numbers must be as in baseline:1-3,7 or baseline:all"):
        select(text, series)


def test_an_unknown_set_names_those_there_are() -> None:
    with pytest.raises(
        InvalidInputError, match="there is no data set 'pubmed'; there are: medline-sample, names, hpo,"
    ):
        fetch("pubmed")
    with pytest.raises(InvalidInputError, match="hgnc takes no numbers"):
        data_path("hgnc:1")
    with pytest.raises(InvalidInputError, match="medline-baseline must be given numbers: medline-baseline:1-3"):
        fetch("medline-baseline")


def test_a_file_that_was_placed_by_hand_is_checked_and_unpacked(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    data = gzip.compress(b"text")
    member = Member(pattern=r"one\.txt", name="one.txt")
    selection = one_file(name="one.txt.gz", members=(member,), sha256=hashlib.sha256(data).hexdigest())
    folder = data_folder("sample", options.cache)
    with pytest.raises(DownloadError) as caught:
        fetch_selection(selection, Silent(), FetchOptions(cache=options.cache, offline=True))
    placed = re.search(r"^  (/\S+)  from", str(caught.value), re.MULTILINE)
    assert placed is not None
    Path(placed[1]).write_bytes(data)
    fetch_selection(selection, Silent(), FetchOptions(cache=options.cache, offline=True))
    assert (folder / "one.txt").read_bytes() == b"text"
    assert server.requests == []
    assert Manifest.read(folder, "sample").entries["one.txt.gz"].source.endswith("(placed by hand)")


def test_a_wrong_file_that_was_placed_by_hand_is_set_aside(one_file: OneFile, options: FetchOptions) -> None:
    folder = data_folder("sample", options.cache)
    folder.mkdir(parents=True)
    (folder / "data.bin").write_bytes(b"something else")
    with pytest.raises(DownloadError, match="must have the SHA-256"):
        fetch_selection(one_file(sha256="0" * 64), Silent(), options)
    assert (folder / "data.bin.rejected").is_file()


def test_of_many_unreachable_files_three_are_tried_and_all_are_listed(
    server: Any, make_set: MakeSet, options: FetchOptions
) -> None:
    files = tuple(RemoteFile(name=f"{i}.txt", url=f"{server.url}/{i}.txt") for i in range(6))
    with pytest.raises(DownloadError) as caught:
        fetch_selection(Selection(make_set(files=files)), Silent(), options)
    assert len(server.requests) == 3
    assert "and 3 more files were not tried" in str(caught.value)
    assert str(caught.value).count("  from http") == 6


def test_what_was_had_before_a_failure_is_kept(server: Any, make_set: MakeSet, options: FetchOptions) -> None:
    files = tuple(RemoteFile(name=name, url=f"{server.url}/{name}") for name in ("a.txt", "b.txt"))
    server.put("/a.txt", b"a")
    selection = Selection(make_set(files=files))
    with pytest.raises(DownloadError):
        fetch_selection(selection, Silent(), options)
    server.put("/b.txt", b"b")
    fetch_selection(selection, Silent(), options)
    assert asked(server) == ["a.txt", "b.txt", "b.txt"]


def test_two_that_fetch_at_the_same_time_fetch_once(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", bytes(100_000), pace=0.01)
    selection = one_file()
    threads = [threading.Thread(target=fetch_selection, args=(selection, Silent(), options)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 1


def test_the_cache_is_that_of_the_option_else_of_the_environment_else_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "environment"))
    assert data_folder("hgnc", tmp_path / "named") == tmp_path / "named" / "data" / "hgnc"
    assert data_folder("hgnc") == tmp_path / "environment" / "data" / "hgnc"
    monkeypatch.delenv(ENVIRONMENT_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert cache_root().name.startswith("relvm-kg")


def test_a_set_that_is_here_has_a_path_files_and_a_status_until_it_is_removed(
    server: Any, one_file: OneFile, options: FetchOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/data.bin", b"12345")
    selection = one_file()
    monkeypatch.setitem(REGISTRY, "sample", selection.data_set)
    assert data_path("sample", options.cache) is None
    assert data_files("sample", options.cache) == ()
    folder = fetch("sample", options=options)
    assert data_path("sample", options.cache) == folder
    assert data_files("sample", options.cache) == (folder / "data.bin",)
    found = cache.status("sample", options.cache)
    assert (found.is_here, found.n_files, found.n_bytes) == (True, 1, 5)
    assert cache.remove_data("sample", options.cache) > 5
    assert data_path("sample", options.cache) is None
    assert cache.remove_data("sample", options.cache) == 0


def test_a_damaged_manifest_says_how_to_mend_it(one_file: OneFile, options: FetchOptions) -> None:
    folder = data_folder("sample", options.cache)
    folder.mkdir(parents=True)
    for text in ("{", "[]", "{}", '{"format_version": 1, "files": {"a": {"x": 1}}, "selections": {}}'):
        (folder / "manifest.json").write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInputError, match=r"manifest\.json must be"):
            fetch_selection(one_file(), Silent(), options)


@pytest.mark.parametrize("data_set", REGISTRY.values(), ids=lambda data_set: data_set.name)
def test_every_set_of_the_registry_says_what_it_is_and_where_it_comes_from(data_set: DataSet) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", data_set.name)
    assert (data_set.series is None) == bool(data_set.files)
    for url in (data_set.home, data_set.licence_url, *(file.url for file in data_set.files if file.package is None)):
        assert urlsplit(url).scheme == "https", url
    names = [file.name for file in data_set.files]
    assert len(set(names)) == len(names)
    assert all(file.sha256 for file in data_set.files if file.package is not None)
    members = [m for source in (*data_set.files, data_set.series) if source is not None for m in source.members]
    assert all(re.compile(member.pattern) and not member.name.startswith(("/", "..")) for member in members)
    assert data_set.what
    assert data_set.licence
    assert data_set.size > 0
    assert data_set.next.startswith("relvm-kg ")
    assert data_set.next.format(path="folder") != data_set.next


def test_looking_what_is_here_does_not_load_the_networks_library() -> None:
    program = "import sys, relvm_kg.download.places; print('requests' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert answer.stdout.strip() == "False"
