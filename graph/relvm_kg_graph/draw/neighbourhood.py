"""The part of a graph around one entity that a picture can show: the best pairs, step by step, with all their edges."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from relvm_kg.errors import UnknownEntityError
from relvm_kg_graph.schema import CATEGORY_LABELS, EDGE_SCHEMAS, EdgeType, PredictionRun
from relvm_kg_graph.selection import filtered
from relvm_kg_graph.store import Edge, GraphStore, Selection

DEFAULT_LIMIT = 40
"""Pairs that a step adds unless told otherwise."""
EDGE_ORDER = (EdgeType.ASSOCIATED, EdgeType.PREDICTED, EdgeType.CO_MENTIONED)
Pair = tuple[str, str]
"""Ids of two entities, the smaller first."""


class Node(NamedTuple):
    """An entity of a neighbourhood."""

    id: str
    type: str
    """`Gene`, `Disease` or `Chemical`."""
    step: int
    """0 for the centre, 1 for its neighbours, and so on."""
    parent: str | None
    """The entity that led to it; None for the centre."""
    properties: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name, or its id where it has none."""
        return str(self.properties.get("name") or self.id)


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """What a picture shows."""

    nodes: tuple[Node, ...]
    """The centre first, then step by step."""
    edges: tuple[Edge, ...]
    """Every selected edge of the chosen pairs."""
    n_pairs: int
    n_pairs_left_out: int
    """Pairs that the limit left out."""
    run: PredictionRun | None
    """The run of the predictions; None where there are none to show."""

    @property
    def centre(self) -> Node:
        """The entity that it is about."""
        return self.nodes[0]

    @property
    def simulated(self) -> bool:
        """Whether any entity or edge is simulated."""
        properties = [one.properties for one in self.nodes] + [one.properties for one in self.edges]
        return any(one.get("simulated") for one in properties)


def neighbourhood(store: GraphStore, centre: str, selection: Selection, limit: int = DEFAULT_LIMIT) -> Neighbourhood:
    """Walk from one entity along a selection's edges.

    Each step adds at most `limit` pairs. Known relations (most publications first), predictions (highest score first)
    and co-mentions (most documents first) take turns, and so do the entities that a step starts from.

    Args:
        store: Where to look.
        centre: Id of the entity.
        selection: Which edges count, and how many steps; its `around` is not looked at.
        limit: Pairs a step.

    Raises:
        UnknownEntityError: if the graph has no such entity.
        StoreError: if there is no graph, or no such run.
    """
    ids = pa.chunked_array([batch.column("id") for batch in store.read_entities()], pa.string()).combine_chunks()
    if not pc.is_in(pa.scalar(centre), ids).as_py():
        raise UnknownEntityError(f"the graph has no entity {centre}")
    walk = _Walk(store, selection, ids, centre)
    for _ in range(selection.hops):
        walk.step(limit)
    runs = {stored.run.run_id: stored.run for stored in store.runs()}
    found = [runs[run_id] for edge in walk.edges if (run_id := edge.properties.get("run_id")) in runs]
    return Neighbourhood(
        nodes=tuple(_nodes(store, walk.parents)),
        edges=tuple(walk.edges),
        n_pairs=len(walk.pairs),
        n_pairs_left_out=len(walk.met - walk.pairs),
        run=found[0] if found else None,
    )


class _Walk:
    """Pairs, edges and entities found so far."""

    def __init__(self, store: GraphStore, selection: Selection, ids: pa.Array, centre: str) -> None:
        self._store, self._selection = store, selection
        self._entities = pc.field("subject").isin(ids) & pc.field("object").isin(ids)
        self._frontier = [centre]
        self.parents: dict[str, str | None] = {centre: None}
        self.pairs: set[Pair] = set()
        self.edges: list[Edge] = []
        self.met: set[Pair] = set()
        """Pairs that a step could have taken; a later step may meet again what an earlier one left out."""

    def step(self, limit: int) -> None:
        """Go one step further."""
        if not self._frontier:
            return
        tables = {edge_type: self._table(edge_type) for edge_type in EDGE_ORDER}
        places = self._places(tables)
        chosen = sorted(places, key=lambda pair: (places[pair], pair))[:limit]
        self.met.update(places)
        self.pairs.update(chosen)
        started, self._frontier = set(self._frontier), []
        for first, second in chosen:
            for parent, child in ((first, second), (second, first)):
                if parent in started and child not in self.parents:
                    self.parents[child] = parent
                    self._frontier.append(child)
        self.edges += _edges_of(tables, set(chosen))

    def _table(self, edge_type: EdgeType) -> pa.Table:
        """Edges of one type that touch the frontier, the best first; an edge from an entity to itself is no pair."""
        around = replace(self._selection, around=tuple(self._frontier), hops=1)
        condition = self._entities & (pc.field("subject") != pc.field("object"))
        batches = filtered(self._store.read_edges(edge_type, around), condition)
        table = pa.Table.from_batches(batches, EDGE_SCHEMAS[edge_type])
        return table.take(pc.sort_indices(_worth(edge_type, table)))

    def _places(self, tables: Mapping[EdgeType, pa.Table]) -> dict[Pair, tuple[int, int]]:
        """For each pair not taken yet, its best place among those of one entity and type, and the type's place."""
        places: dict[Pair, tuple[int, int]] = {}
        started = set(self._frontier)
        for turn, table in enumerate(tables.values()):
            met: Counter[str] = Counter()
            for pair, subject, object in _pairs(table):
                if pair not in self.pairs:
                    parent = subject if subject in started else object
                    places[pair] = min(places.get(pair, (met[parent], turn)), (met[parent], turn))
                    met[parent] += 1
        return places


def _worth(edge_type: EdgeType, table: pa.Table) -> pa.Array:
    """What sorts edges of a type, ascending."""
    if edge_type is EdgeType.PREDICTED:
        return pc.negate(table["score"])
    if edge_type is EdgeType.CO_MENTIONED:
        return pc.negate(table["n_documents"])
    return pc.negate(pc.list_value_length(table["publications"]))


def _pairs(table: pa.Table) -> Iterator[tuple[Pair, str, str]]:
    for subject, object in zip(table["subject"].to_pylist(), table["object"].to_pylist(), strict=True):
        yield (min(subject, object), max(subject, object)), subject, object


def _edges_of(tables: Mapping[EdgeType, pa.Table], pairs: set[Pair]) -> Iterator[Edge]:
    for edge_type, table in tables.items():
        rows = [place for place, (pair, _, _) in enumerate(_pairs(table)) if pair in pairs]
        for row in table.take(pa.array(rows, pa.int64())).to_pylist():
            subject, object = row.pop("subject"), row.pop("object")
            yield Edge(subject, edge_type, object, _present(row))


def _present(row: Mapping[str, Any]) -> dict[str, Any]:
    """Properties that have a value; no picture can show a number that is not finite."""
    return {k: v for k, v in row.items() if v is not None and not (isinstance(v, float) and not isfinite(v))}


def _nodes(store: GraphStore, parents: Mapping[str, str | None]) -> Iterable[Node]:
    wanted = pc.field("id").isin(pa.array(list(parents), pa.string()))
    rows = {row["id"]: row for batch in filtered(store.read_entities(), wanted) for row in batch.to_pylist()}
    steps: dict[str, int] = {}
    for id, parent in parents.items():
        steps[id] = 0 if parent is None else steps[parent] + 1
        row = _present(rows[id])
        yield Node(id, CATEGORY_LABELS[row["category"]], steps[id], parent, row)
