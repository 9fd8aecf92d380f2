"""A workspace that was built with a names catalogue."""

import pytest

from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.entities.lookup import NAMES_FILE
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import NoTextError
from relvm_kg.pipeline.build import BuildSettings, build_workspace
from relvm_kg.pipeline.find import find_entity
from relvm_kg.pipeline.graph import make_statement
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Silent
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage
from relvm_kg.workspace import Workspace
from relvm_kg_graph.queries import NAMED_QUERIES

GENE, DISEASE, CHEMICAL = EntityType
ROWS = [
    NameRow("MESH:D000690", DISEASE, "Amyotrophic Lateral Sclerosis", synonyms=("ALS",), xrefs=("DOID:332",), depth=4),
    NameRow("NCBIGene:6506", GENE, "SLC1A2", "solute carrier family 1 member 2", synonyms=("EAAT2",)),
    NameRow("NCBIGene:6647", GENE, "SOD1", previous=("OLDSOD",), xrefs=("HGNC:11179",), merged=("HGNC:1",)),
]  # fmt: skip
TEXT = "SOD1 causes ALS."


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("names")
    mentions = (
        Mention(0, 4, "SOD1", GENE, (EntityId("NCBIGene", "6647"),)),
        Mention(12, 15, "ALS", DISEASE, (EntityId("MESH", "D000690"),)),
    )
    document = Document("101", None, (Passage("title", 0, TEXT),), mentions)
    (folder / "a.jsonl").write_text(document_to_json(document) + "\n", encoding="utf-8")
    write_names(folder / "given.parquet", ROWS, [])
    build_workspace(
        folder / "w",
        [str(folder / "a.jsonl")],
        [],
        names=folder / "given.parquet",
        settings=BuildSettings(),
        progress=Silent(),
    )
    return Workspace.open(folder / "w")


def test_a_generation_keeps_the_names_catalogue_and_takes_its_names(workspace: Workspace) -> None:
    assert (workspace.corpus_dir / NAMES_FILE).is_file()
    catalogue = Session(workspace).catalogue
    assert catalogue.names == ("Amyotrophic Lateral Sclerosis", "SOD1")


def test_a_session_grounds_and_notes_what_the_person_should_know(workspace: Workspace) -> None:
    session = Session(workspace)
    assert [session.ground(text) for text in ("SOD1", "oldsod", "HGNC:1", "ALS", "oldsod")] == [1, 1, 1, 0, 1]
    assert session.notes == [
        "oldsod is now called SOD1 (NCBIGene:6647)",
        "HGNC:1 was replaced by SOD1 (NCBIGene:6647)",
    ]
    with pytest.raises(
        NoTextError, match=r"^SLC1A2 \(NCBIGene:6506, solute carrier .*\) is known, but no text or relation"
    ):
        session.ground("EAAT2")


def test_find_shows_entities_here_and_elsewhere(workspace: Workspace) -> None:
    here = find_entity(workspace, "OLDSOD")
    assert here.entity is not None
    assert (here.entity.id, here.entity.in_workspace, here.entity.xrefs) == ("NCBIGene:6647", True, ("HGNC:11179",))
    assert here.note == "OLDSOD is now called SOD1 (NCBIGene:6647)"
    assert [(c.kind, c.n_mentions) for c in here.candidates] == [("previous", 0)]
    absent = find_entity(workspace, "eaat2")
    assert absent.entity is not None
    assert (absent.entity.name, absent.entity.in_workspace, absent.entity.n_documents) == ("SLC1A2", False, 0)
    assert absent.reason is not None
    assert absent.reason.startswith("SLC1A2 (NCBIGene:6506")
    assert [(c.entity.id, c.text, c.kind) for c in absent.candidates] == [("NCBIGene:6506", "EAAT2", "alias")]
    near = find_entity(workspace, "EAAT22")
    assert (near.entity, near.nearest_absent) == (None, ("EAAT2 (NCBIGene:6506)",))
    other = find_entity(workspace, "DOID:332")
    assert other.entity is not None
    assert (other.entity.id, other.entity.depth) == ("MESH:D000690", 4)


def test_named_queries_ground_by_the_same_names(workspace: Workspace) -> None:
    name = next(query.name for query in NAMED_QUERIES.values() if "disease" in query.defaults)
    made = make_statement(None, name, {"disease": "DOID:332"}, workspace)
    assert made.parameters["disease"] == "MESH:D000690"
