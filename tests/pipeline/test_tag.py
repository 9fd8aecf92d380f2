"""`tag`: files in, tagged files out, each once."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from relvm_kg.corpus.jsonl import read_jsonl
from relvm_kg.corpus.lines import read_lines
from relvm_kg.corpus.pubtator import read_pubtator
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.tag import TaggedFormat, TagRequest, tag_files
from relvm_kg.progress import Silent
from relvm_kg.tagging.tagger import Tagger
from relvm_kg.types import Document, EntityType

ABSTRACTS: list[dict[str, object]] = [
    {
        "pmid": "1",
        "year": 2001,
        "title": "SLC1A2 in amyotrophic lateral sclerosis.",
        "abstract": "Riluzole helps. It is safe.",
    },
    {"pmid": "2", "title": "Riluzole", "abstract": ""},
]
PUBTATOR = "3|t|SLC1A2 and riluzole.\n3|a|Text.\n3\t0\t6\tSLC1A2\tGene\t20511\n\n"


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    rows = [
        NameRow("MESH:D000690", EntityType.DISEASE, "Amyotrophic Lateral Sclerosis", tree_numbers=("C10.228",)),
        NameRow("MESH:D019782", EntityType.CHEMICAL, "Riluzole", tree_numbers=("D02.886",)),
        NameRow("NCBIGene:6506", EntityType.GENE, "SLC1A2"),
    ]
    path = tmp_path_factory.mktemp("names") / "names.parquet"
    write_names(path, rows, [])
    return Tagger.load(path)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "abstracts.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in ABSTRACTS) + "{broken\n", encoding="utf-8")
    return path


def _read(path: Path) -> list[Document]:
    return list(read_jsonl(read_lines(path, ReadLog(path.name)), ReadLog(path.name)))


def _found(documents: list[Document]) -> Iterator[tuple[str, str, str]]:
    for document in documents:
        yield from ((document.doc_id, m.text, str(m.ids[0]) if m.ids else "") for m in document.mentions)


def test_mentions_are_tagged_and_linked_and_what_cannot_be_read_is_told(
    tagger: Tagger, raw: Path, tmp_path: Path
) -> None:
    report = tag_files([str(raw)], TagRequest(out=tmp_path / "out", tagger=tagger), Silent())
    (file,) = report.files
    assert (file.documents, sum(file.rejected.values())) == (2, 1)
    assert file.tagged_mentions == {"GENE": 1, "DISEASE": 1, "CHEMICAL": 2}
    documents = _read(tmp_path / "out" / file.tagged)
    assert list(_found(documents)) == [
        ("1", "SLC1A2", "NCBIGene:6506"),
        ("1", "amyotrophic lateral sclerosis", "MESH:D000690"),
        ("1", "Riluzole", "MESH:D019782"),
        ("2", "Riluzole", "MESH:D019782"),
    ]
    assert all(m.tagged for d in documents for m in d.mentions)
    rejected = (tmp_path / "out" / "abstracts.rejected.jsonl").read_text(encoding="utf-8")
    assert json.loads(rejected)["line"] == 3


def test_a_second_call_does_nothing_and_a_changed_file_is_tagged_again(
    tagger: Tagger, raw: Path, tmp_path: Path
) -> None:
    request = TagRequest(out=tmp_path / "out", tagger=tagger)
    first = tag_files([str(raw)], request, Silent())
    stamp = (tmp_path / "out" / first.files[0].tagged).stat().st_mtime_ns
    second = tag_files([str(raw)], request, Silent())
    assert second.done_before == (str(raw),)
    assert (tmp_path / "out" / first.files[0].tagged).stat().st_mtime_ns == stamp
    assert second.files == first.files
    raw.write_text(json.dumps(ABSTRACTS[0]) + "\n", encoding="utf-8")
    third = tag_files([str(raw)], request, Silent())
    assert third.done_before == ()
    assert third.files[0].documents == 1


def test_the_annotations_of_a_file_are_kept_and_only_other_types_are_added(tagger: Tagger, tmp_path: Path) -> None:
    source = tmp_path / "gold.PubTator.gz"
    source.write_bytes(gzip.compress(PUBTATOR.encode()))
    tag_files([str(source)], TagRequest(out=tmp_path / "out", tagger=tagger), Silent())
    (document,) = _read(tmp_path / "out" / "gold.jsonl.gz")
    assert [(m.text, str(m.ids[0]), m.tagged) for m in document.mentions] == [
        ("SLC1A2", "NCBIGene:20511", False),
        ("riluzole", "MESH:D019782", True),
    ]


def test_pubtator_and_json_lines_hold_the_same_mentions(tagger: Tagger, raw: Path, tmp_path: Path) -> None:
    for tagged_format in TaggedFormat:
        tag_files([str(raw)], TagRequest(out=tmp_path / "out", tagger=tagger, tagged_format=tagged_format), Silent())
    path = tmp_path / "out" / "abstracts.pubtator.gz"
    log = ReadLog(path.name)
    pubtator = list(read_pubtator(read_lines(path, log), log))
    assert list(_found(pubtator)) == list(_found(_read(tmp_path / "out" / "abstracts.jsonl.gz")))
    assert not log.rejected


def test_one_process_and_two_write_the_same_bytes(tagger: Tagger, tmp_path: Path) -> None:
    source = tmp_path / "many.jsonl"
    lines = [json.dumps({**ABSTRACTS[0], "pmid": str(number)}) + "\n" for number in range(1, 600)]
    source.write_text("".join(lines), encoding="utf-8")
    for jobs in (1, 2):
        tag_files([str(source)], TagRequest(out=tmp_path / str(jobs), tagger=tagger, jobs=jobs), Silent())
    one, two = ((tmp_path / str(jobs) / "many.jsonl.gz").read_bytes() for jobs in (1, 2))
    assert one == two


def test_only_the_types_asked_for_are_tagged(tagger: Tagger, raw: Path, tmp_path: Path) -> None:
    request = TagRequest(out=tmp_path / "out", tagger=tagger, types=(EntityType.GENE,))
    assert tag_files([str(raw)], request, Silent()).files[0].mentions == {"GENE": 1}


def test_files_whose_results_would_share_a_name_are_told_apart_or_refused(
    tagger: Tagger, raw: Path, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jsonl").write_text(json.dumps(ABSTRACTS[0]) + "\n", encoding="utf-8")
    request = TagRequest(out=tmp_path / "out", tagger=tagger)
    report = tag_files([str(tmp_path / "a"), str(tmp_path / "b")], request, Silent())
    assert [file.tagged for file in report.files] == ["a-x.jsonl.jsonl.gz", "b-x.jsonl.jsonl.gz"]
    (tmp_path / "c" / "a").mkdir(parents=True)
    (tmp_path / "c" / "a" / "x.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="must have names of their own"):
        tag_files([str(tmp_path / "a"), str(tmp_path / "c" / "a")], request, Silent())


def test_a_named_file_of_no_known_format_is_refused(tagger: Tagger, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="must be a text file of a known format"):
        tag_files([str(path)], TagRequest(out=tmp_path / "out", tagger=tagger), Silent())
