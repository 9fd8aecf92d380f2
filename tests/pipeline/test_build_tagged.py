"""`build` with our own tagger: raw text becomes a corpus, and the types that a file annotates are left to it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.build import BuildAccount, BuildSettings, build_workspace
from relvm_kg.progress import Silent
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage
from relvm_kg.workspace import Workspace

ROWS = [
    NameRow("MESH:D000690", EntityType.DISEASE, "Amyotrophic Lateral Sclerosis"),
    NameRow("MESH:D019782", EntityType.CHEMICAL, "Riluzole"),
    NameRow("NCBIGene:6506", EntityType.GENE, "SLC1A2", synonyms=("EAAT2", "GLT-1")),
    NameRow("NCBIGene:6647", EntityType.GENE, "SOD1"),
]
TEXT = "Riluzole acts on SLC1A2 in amyotrophic lateral sclerosis. SOD1 causes amyotrophic lateral sclerosis."


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache-home"))


@pytest.fixture
def names(tmp_path: Path) -> Path:
    write_names(tmp_path / "names.parquet", ROWS, [])
    return tmp_path / "names.parquet"


def raw(tmp_path: Path) -> Path:
    path = tmp_path / "raw.jsonl"
    path.write_text(f'{{"pmid": "1", "title": "A paper", "abstract": "{TEXT}"}}\n', "utf-8")
    return path


def annotated(tmp_path: Path) -> Path:
    """A mouse gene where the text says SLC1A2; SOD1 was passed by."""
    start = TEXT.index("SLC1A2")
    mention = Mention(start, start + 6, "SLC1A2", EntityType.GENE, (EntityId("NCBIGene", "20511"),))
    path = tmp_path / "annotated.jsonl"
    path.write_text(document_to_json(Document("2", None, (Passage("abstract", 0, TEXT),), (mention,))) + "\n", "utf-8")
    return path


def build(tmp_path: Path, files: list[Path], names: Path | None, **settings: Any) -> BuildAccount:
    return build_workspace(
        tmp_path / "w",
        [str(file) for file in files],
        [],
        names=names,
        settings=BuildSettings(**{"tag": True, "min_count": 1, "jobs": 1, **settings}),
        progress=Silent(),
    )


def mentioned(tmp_path: Path) -> dict[str, Counter[str]]:
    """How often each document mentions which entity."""
    folder = Workspace.open(tmp_path / "w").corpus_dir
    ids = Catalogue.load(folder).ids
    documents = pq.read_table(folder / "sentences.parquet")["doc_id"].to_pylist()
    found: dict[str, Counter[str]] = {}
    for mention in pq.read_table(folder / "mentions.parquet").to_pylist():
        found.setdefault(documents[mention["sentence_row"]], Counter())[str(ids[mention["entity"]])] += 1
    return found


def test_raw_text_is_tagged_and_annotated_types_are_left_to_their_file(tmp_path: Path, names: Path) -> None:
    account = build(tmp_path, [raw(tmp_path), annotated(tmp_path)], names)
    assert mentioned(tmp_path) == {
        "1": Counter({"MESH:D000690": 2, "MESH:D019782": 1, "NCBIGene:6506": 1, "NCBIGene:6647": 1}),
        "2": Counter({"MESH:D000690": 2, "MESH:D019782": 1, "NCBIGene:6506": 1}),
    }
    assert account.tagged_mentions == {"GENE": 2, "DISEASE": 4, "CHEMICAL": 2}
    assert account.orthologs is not None
    assert account.orthologs["folded_mentions"] == 1
    assert account.contexts_by_label == {
        "DISEASE-GENE": 3,
        "GENE-GENE": 0,
        "CHEMICAL-GENE": 2,
        "CHEMICAL-DISEASE": 2,
        "other": 0,
    }
    assert account.contexts_by_source == {"annotated.jsonl": 3, "raw.jsonl": 4}


def test_the_names_stay_for_later_builds_and_a_tagged_corpus_is_another(tmp_path: Path, names: Path) -> None:
    tagged = build(tmp_path, [raw(tmp_path)], names)
    names.unlink()
    assert build(tmp_path, [], None).rebuilt is False
    untagged = build(tmp_path, [], None, tag=False)
    assert untagged.corpus_hash != tagged.corpus_hash
    assert (untagged.mentions, untagged.tagged_mentions) == (0, {})
    assert build(tmp_path, [annotated(tmp_path)], None).documents == 2


def test_other_names_tag_anew(tmp_path: Path, names: Path) -> None:
    first = build(tmp_path, [raw(tmp_path)], names)
    write_names(names, ROWS[:2], [])
    second = build(tmp_path, [raw(tmp_path)], names)
    assert first.corpus_hash != second.corpus_hash
    assert second.tagged_mentions == {"DISEASE": 2, "CHEMICAL": 1}


def test_a_tagger_without_names_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="make one with `relvm-kg data get names`"):
        build(tmp_path, [raw(tmp_path)], None)
    (tmp_path / "names.tsv").write_text("id\tname\tsynonyms\nNCBIGene:6647\tSOD1\t\n", "utf-8")
    with pytest.raises(InvalidInputError, match="are another table"):
        build(tmp_path, [raw(tmp_path)], tmp_path / "names.tsv")


def test_a_type_model_is_for_the_tagger(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"it needs build\.tag"):
        BuildSettings(type_model=tmp_path)
    with pytest.raises(InvalidInputError, match=r"build\.jobs must be at least 1"):
        BuildSettings(jobs=0)
