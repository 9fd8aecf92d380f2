"""Archives from somebody else: what is wanted comes out, what could harm does not."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relvm_kg.download.cache import FetchOptions, data_folder, fetch_selection
from relvm_kg.download.manifest import Manifest
from relvm_kg.download.records import Member, Selection
from relvm_kg.download.unpack import Limits, unpack
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Silent

TEXT = Member(pattern=r"(?:.*/)?(\w+\.txt)", name=r"\1")
LIMITS = Limits(total=10**7)
OneFile = Callable[..., Selection]
Content = Sequence[tuple[str, bytes]]


def make_zip(path: Path, content: Content, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as packed:
        for name, data in content:
            packed.writestr(name, data)
    return path


def make_tar(path: Path, content: Content) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in content:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


MAKERS = {"a.zip": make_zip, "a.tar.gz": make_tar}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Content], Path]:
    """A zip or a tar.gz of this content."""
    return lambda content: MAKERS[request.param](tmp_path / request.param, content)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_only_wanted_members_are_taken_under_their_new_names(make: Callable[[Content], Path], out: Path) -> None:
    archive = make([("top/deep/one.txt", b"1"), ("two.txt", b"2"), ("top/three.py", b"import this")])
    assert unpack(archive, [TEXT], out, LIMITS) == ("one.txt", "two.txt")
    assert {path.name: path.read_bytes() for path in out.rglob("*")} == {"one.txt": b"1", "two.txt": b"2"}


def test_folders_in_names_are_made(make: Callable[[Content], Path], out: Path) -> None:
    member = Member(pattern=r"GAD/(\d+)/(train|test)\.tsv", name=r"\1/\2.tsv")
    archive = make([("GAD/1/train.tsv", b"a"), ("GAD/10/test.tsv", b"b"), ("euadr/1/train.tsv", b"c")])
    assert unpack(archive, [member], out, LIMITS) == ("1/train.tsv", "10/test.tsv")
    assert (out / "10" / "test.tsv").read_bytes() == b"b"


def test_a_name_in_gz_compresses_on_the_way(make: Callable[[Content], Path], out: Path) -> None:
    archive = make([("a.xml", b"<collection/>")])
    assert unpack(archive, [Member(pattern=r"(\w+\.xml)", name=r"\1.gz")], out, LIMITS) == ("a.xml.gz",)
    assert gzip.decompress((out / "a.xml.gz").read_bytes()) == b"<collection/>"


def test_a_gzip_of_one_file_is_taken_out(tmp_path: Path, out: Path) -> None:
    archive = tmp_path / "one.txt.gz"
    archive.write_bytes(gzip.compress(b"text"))
    assert unpack(archive, [TEXT], out, LIMITS) == ("one.txt",)
    assert (out / "one.txt").read_bytes() == b"text"


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.txt",
        "a/../../escaped.txt",
        "/tmp/escaped.txt",
        "..\\escaped.txt",
        "C:/escaped.txt",
        "a/..",
        "C:e.txt",
    ],
)
@pytest.mark.parametrize("wanted", [True, False])
def test_a_path_that_leads_out_refuses_the_whole_archive(
    make: Callable[[Content], Path], out: Path, name: str, wanted: bool
) -> None:
    member = Member(pattern=r".*(escaped|\.\.|e\.txt).*" if wanted else r"fine\.txt", name="fine.txt")
    archive = make([("fine.txt", b"1"), (name, b"2")])
    with pytest.raises(InvalidInputError, match="must hold paths below its own folder"):
        unpack(archive, [member], out, LIMITS)
    assert not list(out.parent.glob("escaped*"))
    assert not Path("/tmp/escaped.txt").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_devices_and_folders_are_not_taken_for_files(tmp_path: Path, out: Path, kind: bytes) -> None:
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("one.txt")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(InvalidInputError, match=r"must hold plain files, 'one\.txt' is none"):
        unpack(archive, [TEXT], out, LIMITS)
    assert not list(out.iterdir())


def test_a_link_in_a_zip_is_not_taken_for_a_file(tmp_path: Path, out: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        info = zipfile.ZipInfo("one.txt")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/etc/passwd")
    with pytest.raises(InvalidInputError, match="must hold plain files"):
        unpack(archive, [TEXT], out, LIMITS)


def test_a_bomb_is_stopped_by_its_ratio(make: Callable[[Content], Path], out: Path) -> None:
    archive = make([("one.txt", bytes(30_000_000))])
    limits = Limits(total=10**10, free=1_000_000, ratio=100)
    with pytest.raises(InvalidInputError, match="must unpack to at most"):
        unpack(archive, [TEXT], out, limits)
    assert sum(path.stat().st_size for path in out.rglob("*")) < 10_000_000


def test_a_bomb_that_lies_beside_what_is_wanted_is_not_read_through(tmp_path: Path, out: Path) -> None:
    archive = make_tar(tmp_path / "a.tar.gz", [("bomb.bin", bytes(30_000_000)), ("one.txt", b"1")])
    with pytest.raises(InvalidInputError, match="must unpack to at most"):
        unpack(archive, [TEXT], out, Limits(total=10**10, free=1_000_000, ratio=100))


def test_a_header_that_lies_about_a_size_gains_nothing(tmp_path: Path, out: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", [("one.txt", bytes(3_000_000))])
    data = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(mark) + offset
        data[start : start + 4] = (10).to_bytes(4, "little")
    archive.write_bytes(data)
    with pytest.raises(InvalidInputError):
        unpack(archive, [TEXT], out, LIMITS)
    assert sum(path.stat().st_size for path in out.rglob("*")) < 100


def test_too_many_members_are_refused(make: Callable[[Content], Path], out: Path) -> None:
    archive = make([(f"{i}.txt", b"") for i in range(20)])
    with pytest.raises(InvalidInputError, match="must hold at most 10 members"):
        unpack(archive, [TEXT], out, Limits(total=10**7, members=10))


def test_two_members_may_not_have_one_name(make: Callable[[Content], Path], out: Path) -> None:
    archive = make([("a/one.txt", b"1"), ("b/one.txt", b"2")])
    with pytest.raises(InvalidInputError, match="must hold each file once"):
        unpack(archive, [TEXT], out, LIMITS)


def test_a_wanted_member_that_is_missing_is_named(make: Callable[[Content], Path], out: Path) -> None:
    archive = make([("one.txt", b"1")])
    with pytest.raises(InvalidInputError, match=r"must hold a file like two\\\.txt"):
        unpack(archive, [TEXT, Member(pattern=r"two\.txt", name="two.txt")], out, LIMITS)


def test_what_is_no_archive_is_refused(tmp_path: Path, out: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"<html>")
    with pytest.raises(InvalidInputError, match=r"must be a zip, tar\.gz or gz"):
        unpack(archive, [TEXT], out, LIMITS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(MAKERS)), place=st.floats(0, 1), value=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_archive_gives_an_error_of_ours_or_what_it_holds(
    tmp_path_factory: pytest.TempPathFactory, kind: str, place: float, value: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "out").mkdir()
    archive = MAKERS[kind](folder / kind, [("one.txt", b"text " * 500), ("two.txt", bytes(range(256)))])
    data = bytearray(archive.read_bytes())
    at = int(place * (len(data) - 1))
    data = data[:at] if cut else data[:at] + bytes([value]) + data[at + 1 :]
    archive.write_bytes(data)
    try:
        names = unpack(archive, [TEXT], folder / "out", LIMITS)
    except InvalidInputError:
        return
    assert all((folder / "out" / name).is_file() for name in names)


def test_a_fetched_archive_leaves_its_files_and_goes(
    server: Any, one_file: OneFile, options: FetchOptions, tmp_path: Path
) -> None:
    server.put("/a.zip", make_zip(tmp_path / "made.zip", [("x/one.txt", b"1"), ("x/code.py", b"")]).read_bytes())
    folder = fetch_selection(one_file(name="a.zip", members=(TEXT,)), Silent(), options)
    assert sorted(path.name for path in folder.iterdir()) == ["LICENCE.txt", "manifest.json", "one.txt"]
    assert Manifest.read(folder, "sample").entries["a.zip"].outputs == {"one.txt": 1}
    fetch_selection(one_file(name="a.zip", members=(TEXT,)), Silent(), options)
    assert len(server.requests) == 1


def test_more_wanted_of_an_archive_by_a_later_version_fetches_it_again(
    server: Any, one_file: OneFile, options: FetchOptions, tmp_path: Path
) -> None:
    server.put("/a.zip", make_zip(tmp_path / "made.zip", [("one.txt", b"1"), ("two.md", b"2")]).read_bytes())
    fetch_selection(one_file(name="a.zip", members=(TEXT,)), Silent(), options)
    more = one_file(name="a.zip", members=(TEXT, Member(pattern=r"two\.md", name="two.md")))
    folder = fetch_selection(more, Silent(), options)
    assert (folder / "two.md").read_bytes() == b"2"
    assert len(server.requests) == 2


def test_a_malicious_archive_is_set_aside_and_leaves_nothing(
    server: Any, one_file: OneFile, options: FetchOptions, tmp_path: Path
) -> None:
    content = [("one.txt", b"1"), ("../../escaped.txt", b"2")]
    server.put("/a.tar.gz", make_tar(tmp_path / "made.tar.gz", content).read_bytes())
    selection = one_file(name="a.tar.gz", members=(TEXT,))
    with pytest.raises(InvalidInputError, match="it is not used, and kept as"):
        fetch_selection(selection, Silent(), options)
    folder = data_folder("sample", options.cache)
    assert sorted(path.name for path in folder.iterdir()) == ["LICENCE.txt", "a.tar.gz.rejected"]
    assert not list(tmp_path.rglob("escaped.txt"))
