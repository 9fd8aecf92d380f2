"""Reads that every store answers by the same statements."""

from collections.abc import Iterable
from typing import Protocol

from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.queries import EDGES_BETWEEN, NEIGHBOURS
from relvm_kg_graph.schema import EDGE_SCHEMAS, EdgeType
from relvm_kg_graph.store import Edge, QueryResult


class _Queryable(Protocol):
    def query(self, statement: Statement, *, limit: int | None = None) -> QueryResult: ...


def edges_between(store: _Queryable, first: str, second: str, hidden_runs: Iterable[str] = ()) -> list[Edge]:
    """All edges between two entities, either way; `hidden_runs` are those that are not whole."""
    parameters = {"first": first, "second": second, "hidden_runs": list(hidden_runs)}
    return _edges(store.query(Statement(EDGES_BETWEEN, parameters)))


def neighbours(
    store: _Queryable, id: str, edge_types: Iterable[EdgeType], limit: int, hidden_runs: Iterable[str] = ()
) -> list[Edge]:
    """Edges of one entity, the best predictions first."""
    parameters = {"id": id, "types": [t.value for t in edge_types], "hidden_runs": list(hidden_runs)}
    return _edges(store.query(Statement(NEIGHBOURS, parameters), limit=limit))


def _edges(result: QueryResult) -> list[Edge]:
    found = []
    for row in result.records():
        edge_type = EdgeType(row["type"])
        names = EDGE_SCHEMAS[edge_type].names[2:]
        properties = {name: row["edge"][name] for name in names if row["edge"].get(name) is not None}
        found.append(Edge(row["subject"], edge_type, row["object"], properties))
    return found
