"""From a corpus generation's tables to the graph of a workspace."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relvm_kg.errors import WorkspaceError
from relvm_kg.workspace import Workspace
from relvm_kg_graph.build import write_graph
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import GraphCounts


def corpus(folder: Path, *, simulated: bool = False, simulated_row: bool = False) -> Workspace:
    """A workspace whose corpus holds three entities, two relations and one co-mention."""
    workspace = Workspace.create(folder)
    generation = folder / "corpus" / "one"
    generation.mkdir(parents=True)
    entities = {
        "id": ["MESH:C1", "MESH:D1", "NCBIGene:1"],
        "type": ["CHEMICAL", "DISEASE", "GENE"],
        "name": ["riluzole", "ALS", "SLC1A2"],
        "synonyms": pa.array([[], ["Lou Gehrig"], None], pa.list_(pa.string())),
        "n_documents": pa.array([1, 2, 3], pa.int32()),
        "n_sentences": pa.array([1, 2, 3], pa.int32()),
        "n_training_sentences": pa.array([1, 2, 3], pa.int32()),
        "n_training_contexts": pa.array([1, 2, 3], pa.int32()),
        "document_share": pa.array([0.25, 0.5, 0.75], pa.float32()),
        "depth": pa.array([None, 4, None], pa.int16()),
    }
    relations = {
        "head": pa.array([1, 0], pa.int32()),
        "relation": ["DISEASE-GENE", "CHEMICAL-DISEASE"],
        "tail": pa.array([2, 1], pa.int32()),
        "predicates": [["marker", "causes", "marker"], []],
        "pmids": [["123", "PMID:45"], []],
        "sources": [["CTD"], ["b", "a"]],
        "co_mentioned": [True, False],
        "simulated": [simulated_row, False],
    }
    comentions = {
        "first": pa.array([1], pa.int32()),
        "second": pa.array([2], pa.int32()),
        "n_sentences": pa.array([4], pa.int32()),
        "n_documents": pa.array([2], pa.int32()),
        "npmi": pa.array([0.5], pa.float32()),
        "first_year": pa.array([None], pa.int16()),
    }
    for name, table in (("entities", entities), ("relations", relations), ("comentions", comentions)):
        pq.write_table(pa.table(table), generation / f"{name}.parquet")
    workspace.update_manifest(generation="one", corpus_hash="hash-1", simulated=simulated)
    return workspace


def test_the_graph_holds_entities_relations_and_comentions_of_the_corpus(tmp_path: Path) -> None:
    workspace = corpus(tmp_path / "w")
    assert write_graph(workspace) == GraphCounts(3, 2, 1, 0, 0)
    with EmbeddedStore(workspace.graph_dir) as store:
        entities = pa.Table.from_batches(store.read_entities()).to_pylist()
        known, comention = store.edges("NCBIGene:1", "MESH:D1")
        [other] = store.edges("MESH:C1", "MESH:D1")
    assert entities[1] == {
        "id": "MESH:D1",
        "name": "ALS",
        "category": "biolink:Disease",
        "synonyms": ["Lou Gehrig"],
        "n_documents": 2,
        "document_share": 0.5,
        "depth": 4,
        "simulated": False,
    }
    assert (entities[0]["depth"], entities[2]["document_share"]) == (None, 0.75)
    assert (entities[0]["category"], entities[2]["category"]) == ("biolink:ChemicalEntity", "biolink:Gene")
    assert entities[2]["synonyms"] == []
    assert (known.subject, known.type, known.object) == ("MESH:D1", EdgeType.ASSOCIATED, "NCBIGene:1")
    assert known.properties == {
        "relation": "DISEASE-GENE",
        "predicate": "causes|marker",
        "primary_knowledge_source": "CTD",
        "publications": ["PMID:123", "PMID:45"],
        "simulated": False,
    }
    assert (other.subject, other.object) == ("MESH:C1", "MESH:D1")
    assert (other.properties["predicate"], other.properties["primary_knowledge_source"]) == ("", "a|b")
    assert comention.properties == {"n_documents": 2, "n_sentences": 4, "npmi": 0.5, "simulated": False}


def test_a_simulated_corpus_makes_every_node_and_edge_simulated(tmp_path: Path) -> None:
    workspace = corpus(tmp_path / "w", simulated=True)
    write_graph(workspace)
    with EmbeddedStore(workspace.graph_dir) as store:
        batches = [*store.read_entities(), *(b for t in EdgeType for b in store.read_edges(t))]
    values = [value for batch in batches for value in batch.column("simulated").to_pylist()]
    assert values == [True] * 6


def test_a_simulated_relation_stays_one_in_a_real_corpus(tmp_path: Path) -> None:
    workspace = corpus(tmp_path / "w", simulated_row=True)
    write_graph(workspace)
    with EmbeddedStore(workspace.graph_dir) as store:
        rows = [row for batch in store.read_edges(EdgeType.ASSOCIATED) for row in batch.to_pylist()]
    assert [row["simulated"] for row in rows] == [True, False]


def test_a_workspace_without_a_corpus_or_a_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="holds no corpus yet"):
        write_graph(Workspace.create(tmp_path / "empty"))
    workspace = corpus(tmp_path / "w")
    (workspace.corpus_dir / "comentions.parquet").unlink()
    with pytest.raises(WorkspaceError, match=r"must hold .*comentions\.parquet"):
        write_graph(workspace)


def test_a_corpus_of_an_earlier_version_makes_a_graph_without_depth(tmp_path: Path) -> None:
    workspace = corpus(tmp_path / "w")
    file = workspace.corpus_dir / "entities.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["document_share", "depth"]), file)
    write_graph(workspace)
    with EmbeddedStore(workspace.graph_dir) as store:
        (entities,) = store.read_entities()
    assert entities["depth"].null_count == entities["document_share"].null_count == 3
