"""The graph, or a part of it, as a `networkx.MultiDiGraph`, and back; NetworkX enters here only."""

from collections.abc import Iterable
from typing import Any

import networkx as nx
import pyarrow as pa

from relvm_kg_graph.schema import CATEGORY_LABELS, EDGE_SCHEMAS, ENTITY_SCHEMA, EdgeType
from relvm_kg_graph.store import EVERYTHING, GraphStore, GraphTables, Selection


def read_tables(store: GraphStore, selection: Selection = EVERYTHING) -> GraphTables:
    """A part of a graph in memory, from any store."""
    entities = pa.Table.from_batches(store.read_entities(selection), ENTITY_SCHEMA)
    edges = {t: pa.Table.from_batches(store.read_edges(t, selection), s) for t, s in EDGE_SCHEMAS.items()}
    return GraphTables(entities, edges)


def to_networkx(store: GraphStore, selection: Selection = EVERYTHING) -> Any:
    """A part of a graph as a `networkx.MultiDiGraph` with every property.

    Nodes are keyed by their CURIE and have a `label`; edges are keyed by type, and predictions by type, relation and
    run. Properties without a value are left out.
    """
    return tables_to_networkx(read_tables(store, selection))


def tables_to_networkx(tables: GraphTables) -> Any:
    """See `to_networkx`."""
    graph = nx.MultiDiGraph()
    for row in tables.entities.to_pylist():
        graph.add_node(row["id"], label=CATEGORY_LABELS[row["category"]], **_values(row, ("id",)))
    for edge_type, table in tables.edges.items():
        for batch in table.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                values = _values(row, ("subject", "object"))
                graph.add_edge(row["subject"], row["object"], key=_key(edge_type, row), type=edge_type.value, **values)
    return graph


def from_networkx(graph: Any) -> GraphTables:
    """The tables of a graph that `to_networkx` made: nothing is lost on the way."""
    nodes = [{**dict.fromkeys(ENTITY_SCHEMA.names), "id": id, **values} for id, values in graph.nodes(data=True)]
    rows: dict[EdgeType, list[dict[str, Any]]] = {edge_type: [] for edge_type in EdgeType}
    for subject, object, values in graph.edges(data=True):
        rows[EdgeType(values["type"])].append({"subject": subject, "object": object, **values})
    edges = {edge_type: _table(rows[edge_type], schema) for edge_type, schema in EDGE_SCHEMAS.items()}
    return GraphTables(_table(nodes, ENTITY_SCHEMA), edges)


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema)


def _values(row: dict[str, Any], without: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None and name not in without}


def _key(edge_type: EdgeType, row: dict[str, Any]) -> str:
    parts = [edge_type.value]
    parts += [row[name] for name in ("relation", "run_id") if row.get(name)]
    return "|".join(parts)
