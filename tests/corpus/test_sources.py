"""Files on disk: packing, encodings, folders and globs."""

import gzip
import lzma
import random
from pathlib import Path

import pytest

from relvm_kg.corpus import lines as line_module
from relvm_kg.corpus.lines import read_lines
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.sources import TextFormat, expand, read_documents, sniff_text_format
from relvm_kg.errors import InvalidInputError

PUBTATOR = "1|t|ALS\n1|a|More\n1\t0\t3\tALS\tDisease\tD000690\n"


def read(path: Path) -> tuple[list[tuple[int, str]], list[Rejected]]:
    rejected: list[Rejected] = []
    return list(read_lines(path, ReadLog(path.name, rejected.append))), rejected


def test_plain_and_gzip_files_read_alike_whatever_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_text("x\r\ny\n", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(gzip.compress(b"x\r\ny\n") + gzip.compress(b"z"))
    assert read(tmp_path / "a.gz")[0] == [(1, "x"), (2, "y")]
    assert read(tmp_path / "b.txt")[0] == [(1, "x"), (2, "y"), (3, "z")]


def test_xz_files_read_whatever_their_names_streams_and_padding(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(lzma.compress(b"x\r\ny") + bytes(8) + lzma.compress(b"y\n") + lzma.compress(b""))
    assert read(tmp_path / "a.txt")[0] == [(1, "x"), (2, "yy")]
    long = "".join(random.Random(0).choices("abc\n", k=1_000_000))
    (tmp_path / "b").write_bytes(lzma.compress(long.encode()) + bytes(4))
    assert "\n".join(line for _, line in read(tmp_path / "b")[0]) == long.rstrip("\n")


@pytest.mark.parametrize("damage", ["cut", "flipped", "rubbish behind", "nothing but a beginning"])
def test_a_damaged_xz_file_is_an_error_that_says_what_to_do(tmp_path: Path, damage: str) -> None:
    packed = lzma.compress(PUBTATOR.encode() * 1000)
    (tmp_path / "a.xz").write_bytes(
        {
            "cut": packed[: len(packed) // 2],
            "flipped": packed[:40] + bytes(9) + packed[49:],
            "rubbish behind": packed + b"rubbish, and more of it",
            "nothing but a beginning": packed[:6],
        }[damage]
    )
    with pytest.raises(InvalidInputError, match=r"a\.xz must be a whole xz file: .*; fetch it again"):
        read(tmp_path / "a.xz")


def test_an_xz_file_that_asks_for_too_much_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"x\n", filters=filters))
    assert read(tmp_path / "a.xz")[0] == [(1, "x")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_module, "XZ_MEMORY", 1 << 19)
        with pytest.raises(InvalidInputError, match=r"a\.xz must be a whole xz file: Memory usage limit exceeded"):
            read(tmp_path / "a.xz")


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf1|t|x")
    assert read(tmp_path / "a")[0] == [(1, "1|t|x")]


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a\u2028b\x85c\x0bd\n", encoding="utf-8")
    assert read(tmp_path / "a")[0] == [(1, "a\u2028b\x85c\x0bd")]


def test_a_line_that_is_not_utf8_is_set_aside_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"good\n\xff\xfebad\ngood again\n")
    found, rejected = read(tmp_path / "a")
    assert found == [(1, "good"), (3, "good again")]
    assert rejected == [Rejected("a", 2, "line is not UTF-8", "\ufffd\ufffdbad")]


def test_an_overlong_line_is_set_aside_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "MAX_LINE", 10)
    (tmp_path / "a").write_text("short\n" + "x" * 35 + "\njust fits\nlast", encoding="utf-8")
    found, rejected = read(tmp_path / "a")
    assert found == [(1, "short"), (3, "just fits"), (4, "last")]
    assert [(r.line, r.reason) for r in rejected] == [(2, "line longer than 10 bytes")]


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_gzip_file_is_an_error_that_says_what_to_do(tmp_path: Path, damage: str) -> None:
    packed = gzip.compress(PUBTATOR.encode() * 1000)
    bad = packed[: len(packed) // 2] if damage == "cut" else packed[:40] + bytes(9) + packed[49:]
    (tmp_path / "a.gz").write_bytes(bad)
    with pytest.raises(InvalidInputError, match=r"a\.gz must be a whole gzip file: .*; fetch it again"):
        read(tmp_path / "a.gz")


def test_a_file_without_documents_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("", encoding="utf-8")
    rejected: list[Rejected] = []
    assert list(read_documents(tmp_path / "a.jsonl", TextFormat.JSONL, ReadLog("a", rejected.append))) == []
    assert rejected == [Rejected("a", 0, "the file holds no document", "")]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a", "\n\n" + PUBTATOR, TextFormat.PUBTATOR),
        ("a", "rubbish\n" + PUBTATOR, TextFormat.PUBTATOR),
        ("a.txt", '\n {"id": "1"}', TextFormat.JSONL),
        ("a.txt", '{"pmid": "1", "title": "ALS"}', TextFormat.RAW_JSONL),
        ("a.jsonl", '\n{"doc_id": "1", "body": ["ALS"]}', TextFormat.RAW_JSONL),
        ("a.jsonl", '{"id": "1", "title": "ALS", "passages": []}', TextFormat.JSONL),
        ("a.PubTator.txt", "rubbish", TextFormat.PUBTATOR),
        ("a.jsonl.gz", "", TextFormat.JSONL),
        ("a.txt", "rubbish", None),
        ("a.txt", "", None),
    ],
)
def test_the_format_is_told_by_content_then_by_name(
    tmp_path: Path, name: str, content: str, expected: TextFormat | None
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert sniff_text_format(tmp_path / name) is expected


def test_files_folders_and_globs_expand_each_file_once(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "deep/c.txt", ".hidden/d.txt", ".e", "README.md", "LICENSE", "notes.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    folder = str(tmp_path)
    assert [f.path.name for f in expand([folder])] == ["a.txt", "b.txt", "c.txt"]
    assert [f.path.name for f in expand([f"{folder}/*.txt"])] == ["a.txt", "b.txt"]
    assert [f.path.name for f in expand([f"{folder}/**/c*"])] == ["c.txt"]
    found = expand([f"{folder}/b.txt", folder, f"{folder}/deep/../a.txt"])
    assert [(f.path.name, f.named) for f in found] == [("b.txt", True), ("a.txt", False), ("c.txt", False)]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].txt").write_text("x", encoding="utf-8")
    assert [f.path.name for f in expand([str(tmp_path / "a[1].txt")])] == ["a[1].txt"]


@pytest.mark.parametrize("pattern", ["missing.txt", "empty", "*.nothing"])
def test_a_name_that_leads_nowhere_is_an_error(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="must name a file, a folder with files or a matching glob"):
        expand([str(tmp_path / pattern)])


def test_a_folder_of_mixed_formats_and_packings_reads_file_by_file(tmp_path: Path) -> None:
    record = "<PubmedArticle><MedlineCitation><PMID>2</PMID><Article><ArticleTitle>T</ArticleTitle></Article>"
    files = {
        "a.txt": (PUBTATOR.encode(), TextFormat.PUBTATOR),
        "b.jsonl.xz": (lzma.compress(b'{"pmid": "2", "title": "ALS"}'), TextFormat.RAW_JSONL),
        "c.jsonl": (b'{"id": "3", "passages": []}', TextFormat.JSONL),
        "d": (
            gzip.compress(f"<PubmedArticleSet>{record}</MedlineCitation></PubmedArticle>".encode()),
            TextFormat.MEDLINE,
        ),
        "e.xml": (
            b"<?xml version='1.0'?>\n<collection><document><id>5</id></document></collection>",
            TextFormat.BIOC_XML,
        ),
        "f.json": (b'{"documents": [{"id": "6", "passages": []}]}', TextFormat.BIOC_JSON),
        "README.md": (b"Not data.", None),
        "notes.dat": (b"Not data either.", None),
    }
    for name, (content, _) in files.items():
        (tmp_path / name).write_bytes(content)
    found = {source.path.name: sniff_text_format(source.path) for source in expand([str(tmp_path)])}
    assert found == {name: text_format for name, (_, text_format) in files.items() if name != "README.md"}
    for name, text_format in found.items():
        if text_format is not None:
            assert len(list(read_documents(tmp_path / name, text_format, ReadLog(name)))) == 1


def test_json_lines_are_known_behind_damaged_ones(tmp_path: Path) -> None:
    good = '{"id": "3", "passages": [{"section": "title", "offset": 0, "text": "ALS"}]}'
    for damage in ('"id": "2"}', "{broken", "rubbish", "{}"):
        (tmp_path / "a").write_text(f"{damage}\n{good}\n", encoding="utf-8")
        assert sniff_text_format(tmp_path / "a") is TextFormat.JSONL
