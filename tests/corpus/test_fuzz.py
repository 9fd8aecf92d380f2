"""Damaged files of every format: no reader crashes or hangs, and every record is yielded or rejected.

Each test makes a file of known records, damages a stretch of it, packs it or not, and reads it. A few examples run
every time; `RELVM_KG_FUZZ_SECONDS=300 pytest -s tests/corpus/test_fuzz.py` goes on for so many seconds of processor
time with each reader.
"""

import gzip
import json
import lzma
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relvm_kg.corpus import xml_records
from relvm_kg.corpus.annotation import joined_text
from relvm_kg.corpus.jsonl import document_to_json, trusted_document
from relvm_kg.corpus.pubtator import TEXT_LINE
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.sentences import split_text
from relvm_kg.corpus.sources import TextFormat, read_documents, sniff_text_format
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document

SECONDS = float(os.environ.get("RELVM_KG_FUZZ_SECONDS", "0"))
MAX_SECONDS_AN_EXAMPLE = 10
PIECES = st.sampled_from(
    [
        "SOD1",
        " in ",
        "ALS. ",
        "The ",
        "β-",
        "é",
        "😀",
        "\u2028",
        "&",
        "<",
        ">",
        "|t|",
        "\\ud800",
        '"',
        "'",
        "vs. ",
        "e.g. ",
        "(",
        "]]>",
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)
TOKENS = [
    *(b"<!-- --> <![CDATA[ ]]> <PubmedArticle> </PubmedArticle> <document> </document> </PubmedArticleSet>".split()),
    *(b'&x; <? < > " \\ { } [ ] , </collection> null 1e999 1|t|'.split()),
    *(b"\n", b"\r\n", b"\t", b"\0", b"1\t", b"\xff\xfe", b"\x1f\x8b", b"<!DOCTYPE a [<!ENTITY b 'c'>]>"),
]
JUNK = st.one_of(
    st.just(b""),
    st.binary(max_size=12),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(TOKENS),
)


class Made(NamedTuple):
    """A file of known records: its bytes, and where each record lies in them."""

    head: bytes
    records: tuple[bytes, ...]
    between: bytes
    tail: bytes

    @property
    def raw(self) -> bytes:
        return self.head + self.between.join(self.records) + self.tail

    def spans(self) -> list[tuple[int, int]]:
        found, place = [], len(self.head)
        for record in self.records:
            found.append((place, place + len(record)))
            place += len(record) + len(self.between)
        return found


class Reading(NamedTuple):
    """What reading a file gave; `error` is the refusal of the whole file."""

    documents: list[Document]
    rejected: list[Rejected]
    log: ReadLog
    error: str

    @property
    def ids(self) -> set[str]:
        return {document.doc_id for document in self.documents}


def medline(texts: list[str]) -> Made:
    def record(pmid: int, text: str) -> bytes:
        body = escape(text)
        return (
            f'<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">{pmid}</PMID><Article>\n'
            f"<ArticleTitle>T{body}</ArticleTitle><Abstract><AbstractText Label='X'>{body}</AbstractText></Abstract>"
            f"</Article></MedlineCitation><PubmedData/></PubmedArticle>"
        ).encode()

    head = b'<?xml version="1.0" encoding="utf-8"?>\n<PubmedArticleSet>\n'
    records = tuple(record(number, text) for number, text in enumerate(texts, start=101))
    return Made(head, records, b"\n", b"\n</PubmedArticleSet>\n")


def bioc_xml(texts: list[str]) -> Made:
    def record(number: int, text: str) -> bytes:
        return (
            f"<document><id>{number}</id><passage><infon key='type'>title</infon><offset>0</offset>"
            f"<text>SOD1 {escape(text)}</text><annotation id='1'><infon key='type'>Gene</infon>"
            f"<infon key='identifier'>6647</infon><location offset='0' length='4'/><text>SOD1</text></annotation>"
            f"</passage></document>"
        ).encode()

    head = b"<?xml version='1.0'?><collection><source>x</source><date/><key>k</key>"
    return Made(head, tuple(record(n, t) for n, t in enumerate(texts, start=101)), b"", b"</collection>")


def bioc_record(number: int, text: str) -> bytes:
    place = [{"offset": 0, "length": 4}]
    gene = {"id": "1", "infons": {"type": "Gene", "identifier": "6647"}, "text": "SOD1", "locations": place}
    passage = {"infons": {"type": "title"}, "offset": 0, "text": f"SOD1 {text}", "annotations": [gene]}
    return json.dumps({"id": str(number), "infons": {}, "passages": [passage], "relations": []}).encode()


def bioc_json(texts: list[str]) -> Made:
    records = tuple(bioc_record(number, text) for number, text in enumerate(texts, start=101))
    return Made(b'{"source": "x", "documents": [', records, b", ", b"]}")


def bioc_lines(texts: list[str]) -> Made:
    return Made(b"", tuple(bioc_record(n, t) for n, t in enumerate(texts, start=101)), b"\n", b"\n")


def jsonl(texts: list[str]) -> Made:
    def record(number: int, text: str) -> bytes:
        mention = {"start": 0, "end": 4, "text": "SOD1", "type": "GENE", "ids": ["NCBIGene:6647"]}
        passages = [{"section": "title", "offset": 0, "text": f"SOD1 {text}"}]
        return json.dumps({"id": str(number), "passages": passages, "mentions": [mention]}).encode()

    return Made(b"", tuple(record(n, t) for n, t in enumerate(texts, start=101)), b"\n", b"\n")


def raw_jsonl(texts: list[str]) -> Made:
    def record(number: int, text: str) -> bytes:
        return json.dumps({"pmid": number, "title": f"T{text}", "abstract": text, "year": 2001}).encode()

    return Made(b"", tuple(record(n, t) for n, t in enumerate(texts, start=101)), b"\n", b"\n")


def pubtator(texts: list[str]) -> Made:
    def record(number: int, text: str) -> bytes:
        return f"{number}|t|SOD1 {text}\n{number}|a|{text}\n{number}\t0\t4\tSOD1\tGene\t6647\n".encode()

    return Made(b"", tuple(record(n, t) for n, t in enumerate(texts, start=101)), b"\n", b"\n")


FORMATS: dict[TextFormat, list[Callable[[list[str]], Made]]] = {
    TextFormat.MEDLINE: [medline],
    TextFormat.BIOC_XML: [bioc_xml],
    TextFormat.BIOC_JSON: [bioc_json, bioc_lines],
    TextFormat.JSONL: [jsonl],
    TextFormat.RAW_JSONL: [raw_jsonl],
    TextFormat.PUBTATOR: [pubtator],
}


def read(path: Path, text_format: TextFormat) -> Reading:
    """Read a file as a format, and check what must hold of anything that a reader gives."""
    rejected: list[Rejected] = []
    log = ReadLog(path.name, rejected.append)
    documents: list[Document] = []
    started, error = time.process_time(), ""
    try:
        documents.extend(read_documents(path, text_format, log))
    except InvalidInputError as refusal:
        error = str(refusal)
    assert time.process_time() - started < MAX_SECONDS_AN_EXAMPLE
    for document in documents:
        line = document_to_json(document)
        line.encode()
        assert trusted_document(line) == document
        text = joined_text(document.passages)
        assert all(text[m.start : m.end] == m.text for m in document.mentions)
        for passage in document.passages:
            split_text(passage.text)
    for record in rejected:
        record.to_json().encode()
    return Reading(documents, rejected, log, error)


def go_on(check: Callable[[], None]) -> None:
    """Run a property once, or again and again for as long as the environment says."""
    end = time.process_time() + SECONDS
    check()
    while time.process_time() < end:
        check()


property_test = settings(
    max_examples=500 if SECONDS else 25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.timeout(600 + 20 * SECONDS)
@pytest.mark.parametrize(("text_format", "make"), [(f, make) for f, makers in FORMATS.items() for make in makers])
def test_damage_loses_no_record(
    text_format: TextFormat, make: Callable[[list[str]], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_examples = n_documents = n_rejected = 0

    @property_test
    @given(st.lists(TEXTS, min_size=1, max_size=5), JUNK, st.data())
    def check(texts: list[str], junk: bytes, data: st.DataObject) -> None:
        nonlocal n_examples, n_documents, n_rejected
        monkeypatch.setattr(xml_records, "_CHUNK", data.draw(st.sampled_from([100, 333, 1 << 17])))
        made = make(texts)
        whole = read(write(tmp_path, made.raw, "plain"), text_format)
        assert (whole.ids, whole.rejected) == ({str(n) for n in range(101, 101 + len(texts))}, [])
        start = data.draw(st.integers(0, len(made.raw)))
        end = min(len(made.raw), start + data.draw(st.sampled_from([0, 0, 1, 2, 5, 20, 100, 10_000])))
        damaged = made.raw[:start] + junk + made.raw[end:]
        path = write(tmp_path, damaged, data.draw(st.sampled_from(["plain", "gzip", "xz"])))
        found = read(path, text_format)
        account(text_format, made, (start, end), damaged, whole, found)
        read_as_sniffed(path)
        n_examples += 1
        n_documents += len(found.documents)
        n_rejected += len(found.rejected)

    go_on(check)
    print(f"\n{make.__name__}: {n_examples} files, {n_documents} documents, {n_rejected} rejected")


def write(folder: Path, raw: bytes, packing: str) -> Path:
    path = folder / "a"
    if packing == "gzip":
        raw = gzip.compress(raw)
    elif packing == "xz":
        raw = lzma.compress(raw)
    path.write_bytes(raw)
    return path


def read_as_sniffed(path: Path) -> None:
    """Read a file as what it looks like; one that begins like an archive may be refused."""
    sniffed = None
    with suppress(InvalidInputError):
        sniffed = sniff_text_format(path)
    if sniffed is not None:
        read(path, sniffed)


def account(
    text_format: TextFormat, made: Made, damage: tuple[int, int], damaged: bytes, whole: Reading, found: Reading
) -> None:
    """Every record that the damage did not touch is found as it is in the whole file; what it touched is rejected."""
    if found.error:
        looks_packed = damaged.startswith((b"\x1f\x8b", b"\xfd7zXZ"))
        assert ("must be a whole" in found.error and looks_packed) or "must be UTF-8" in found.error
        return
    originals = {document.doc_id: document._replace(revision=None) for document in whole.documents}
    given = [document._replace(revision=None) for document in found.documents]
    spans = made.spans()
    for number, (start, end) in enumerate(spans, start=101):
        before, after = end < damage[0], start > damage[1]
        if before or (after and keeps_reading(text_format, made)):
            assert originals[str(number)] in given, f"record {number} is lost"
    if text_format in (TextFormat.JSONL, TextFormat.RAW_JSONL) or (
        any(record in damaged.split(b"\n") for record in made.records)
        and made.between == b"\n"
        and text_format is TextFormat.BIOC_JSON
    ):
        n_lines = sum(bool(line.decode("utf-8", "replace").strip()) for line in damaged.split(b"\n"))
        assert len(found.documents) + len({r.line for r in found.rejected if r.line}) >= n_lines
        assert len(found.documents) <= n_lines
    if text_format in (TextFormat.MEDLINE, TextFormat.BIOC_XML):
        name = rb"PubmedArticle" if text_format is TextFormat.MEDLINE else rb"document"
        n_starts = len(re.findall(rb"<%s(?=[\s/>])" % name, damaged))
        if not re.search(rb"<!--|<!\[CDATA\[", damaged):
            assert len(found.documents) + len(found.rejected) >= n_starts
    if text_format is TextFormat.PUBTATOR:
        account_lines(damaged, found)


def keeps_reading(text_format: TextFormat, made: Made) -> bool:
    """Whether a reader goes on after damage: not inside one JSON text."""
    return text_format is not TextFormat.BIOC_JSON or made.between == b"\n"


def account_lines(damaged: bytes, found: Reading) -> None:
    lines = []
    for raw in damaged.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        try:
            lines.append(raw.decode().rstrip("\r\n"))
        except UnicodeDecodeError:
            continue
    texts = [line for line in lines if line.strip() and TEXT_LINE.fullmatch(line)]
    assert sum(len(document.passages) for document in found.documents) == len(texts)
    others = [line for line in lines if line.strip() and not TEXT_LINE.fullmatch(line)]
    n_told = sum(len(d.mentions) + len(d.relations) for d in found.documents) + len(found.rejected)
    assert n_told + sum(found.log.counts.values()) >= len(others)


@pytest.mark.timeout(600 + 20 * SECONDS)
@pytest.mark.parametrize("text_format", TextFormat)
def test_no_bytes_whatever_break_a_reader(text_format: TextFormat, tmp_path: Path) -> None:
    n_examples = 0

    @property_test
    @given(
        st.lists(st.one_of(JUNK, TEXTS.map(str.encode), st.binary(max_size=30)), max_size=30).map(b"".join),
        st.booleans(),
    )
    def check(raw: bytes, fix: bool) -> None:
        nonlocal n_examples
        path = tmp_path / "a"
        path.write_bytes(FORMATS[text_format][0]([]).head + raw if fix else raw)
        n_examples += 1
        found = read(path, text_format)
        assert found.documents or found.rejected or found.error
        read_as_sniffed(path)

    go_on(check)
    print(f"\n{text_format}: {n_examples} files")


@pytest.mark.timeout(600 + 20 * SECONDS)
@pytest.mark.parametrize("packing", ["gzip", "xz"])
def test_no_damage_to_an_archive_breaks_reading(packing: str, tmp_path: Path) -> None:
    n_examples = n_refused = 0

    @property_test
    @given(st.lists(TEXTS, min_size=1, max_size=5), st.binary(max_size=12), st.data())
    def check(texts: list[str], junk: bytes, data: st.DataObject) -> None:
        nonlocal n_examples, n_refused
        path = write(tmp_path, raw_jsonl(texts).raw, packing)
        packed = path.read_bytes()
        start = data.draw(st.integers(0, len(packed)))
        end = min(len(packed), start + data.draw(st.sampled_from([0, 1, 5, 10_000])))
        path.write_bytes(packed[:start] + junk + packed[end:])
        found = read(path, TextFormat.RAW_JSONL)
        assert found.error or found.rejected or len(found.documents) == len(texts)
        n_examples += 1
        n_refused += bool(found.error)

    go_on(check)
    print(f"\n{packing}: {n_examples} files, {n_refused} refused")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def replaced(record: Any, path: list[int], value: Any) -> Any:
    """A JSON value with the part that a path leads to replaced."""
    if not path or not isinstance(record, dict | list) or not record:
        return value
    if isinstance(record, dict):
        key = list(record)[path[0] % len(record)]
        return {**record, key: replaced(record[key], path[1:], value)}
    index = path[0] % len(record)
    return [*record[:index], replaced(record[index], path[1:], value), *record[index + 1 :]]


@pytest.mark.timeout(600 + 20 * SECONDS)
@pytest.mark.parametrize("make", [jsonl, raw_jsonl, bioc_lines, bioc_json])
def test_no_value_in_any_place_of_a_record_breaks_a_reader(make: Callable[[list[str]], Made], tmp_path: Path) -> None:
    text_format = next(f for f, makers in FORMATS.items() if make in makers)
    n_examples = 0

    @property_test
    @given(st.lists(st.integers(0, 9), max_size=8), JSON)
    def check(path: list[int], value: Any) -> None:
        nonlocal n_examples
        made = make(["a", "b", "c"])
        second = json.dumps(replaced(json.loads(made.records[1]), path, value)).encode()
        text = made._replace(records=(made.records[0], second, made.records[2])).raw
        found = read(write(tmp_path, text, "plain"), text_format)
        assert {"101", "103"} <= found.ids or "Infinity" in str(second) or "NaN" in str(second)
        assert len(found.documents) == len(made.records) or found.rejected
        n_examples += 1

    go_on(check)
    print(f"\n{make.__name__}: {n_examples} files")
