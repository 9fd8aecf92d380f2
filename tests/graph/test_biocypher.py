"""What BioCypher is given is the graph, and BioCypher itself takes it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from relvm_kg_graph.biocypher import edges, nodes, schema_config
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.networks import read_tables
from relvm_kg_graph.schema import EDGE_SCHEMAS, ENTITY_SCHEMA, EdgeType
from relvm_kg_graph.store import Selection


@pytest.fixture
def graph(embedded_store: EmbeddedStore, world: Any) -> EmbeddedStore:
    """The graph of `fill`."""
    world.fill(embedded_store)
    return embedded_store


def test_tuples_hold_every_entity_and_edge_with_all_properties(graph: EmbeddedStore) -> None:
    tables = read_tables(graph)
    found = [{"id": id, **properties} for id, _, properties in nodes(graph)]
    assert found == tables.entities.to_pylist()
    assert {label for _, label, _ in nodes(graph)} == {"gene", "disease", "chemical"}
    given = list(edges(graph))
    assert len({id for id, *_ in given}) == len(given) == 14
    for edge_type in EdgeType:
        rows = [{"subject": s, "object": o, **p} for _, s, o, label, p in given if label == edge_type.value.lower()]
        assert rows == tables.edges[edge_type].to_pylist()


def test_a_selection_has_its_edges_and_the_entities_that_they_join(graph: EmbeddedStore) -> None:
    selection = Selection(edge_types=(EdgeType.PREDICTED,), runs=("run-1",), min_score=0.8)
    assert [(source, target, label) for _, source, target, label, _ in edges(graph, selection)] == [
        ("MESH:D1", "NCBIGene:1", "predicted")
    ]
    assert {id for id, *_ in nodes(graph, selection)} == {"MESH:D1", "NCBIGene:1"}


def test_the_schema_configuration_names_every_property() -> None:
    text = schema_config()
    assert [line for line in text.splitlines() if line and not line.startswith(" ")] == [
        "gene:",
        "disease:",
        "chemical entity:",
        "known association:",
        "co mention association:",
        "predicted association:",
    ]
    for schema, first in ((ENTITY_SCHEMA, 1), *((schema, 2) for schema in EDGE_SCHEMAS.values())):
        assert all(f"\n    {name}: " in text for name in schema.names[first:])


@pytest.mark.slow
def test_biocypher_writes_every_row(graph: EmbeddedStore, tmp_path: Path) -> None:
    python = os.environ.get("RELVM_KG_BIOCYPHER_PYTHON")
    if python is None:
        pytest.skip("RELVM_KG_BIOCYPHER_PYTHON names no Python that has the biocypher package and pyarrow")
    (tmp_path / "schema_config.yaml").write_text(schema_config())
    (tmp_path / "nodes.jsonl").write_text("".join(f"{json.dumps(node)}\n" for node in nodes(graph)))
    (tmp_path / "edges.jsonl").write_text("".join(f"{json.dumps(edge)}\n" for edge in edges(graph)))
    command = [python, str(Path(__file__).with_name("biocypher_write.py")), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = {file.name.partition("-")[0]: pq.read_table(file) for file in (tmp_path / "out").glob("*.parquet")}
    assert {name: table.num_rows for name, table in written.items()} == {
        "Gene": 3,
        "Disease": 2,
        "ChemicalEntity": 3,
        "KnownAssociation": 4,
        "CoMentionAssociation": 3,
        "PredictedAssociation": 7,
    }
    scores = sorted(row["score"] for row in written["PredictedAssociation"].to_pylist())
    assert scores == [0.125, 0.25, 0.5, 0.625, 0.75, 0.875, 0.9375]
