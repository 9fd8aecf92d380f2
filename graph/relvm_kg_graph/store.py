"""`GraphStore`, what every store can do, and the records that cross it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import pyarrow as pa

from relvm_kg.progress import Progress, Silent
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.schema import EdgeType, PredictionRun

DEFAULT_TIMEOUT = 60.0
"""Seconds that a query may take unless told otherwise."""
SILENT = Silent()


@dataclass(frozen=True, kw_only=True)
class BaseGraph:
    """What is known without a model: iterators of batches of `ENTITY_SCHEMA`, `KNOWN_SCHEMA` and `COMENTION_SCHEMA`."""

    entities: Iterable[pa.RecordBatch]
    known: Iterable[pa.RecordBatch] = ()
    comentions: Iterable[pa.RecordBatch] = ()
    corpus_hash: str = ""
    simulated: bool = False


class GraphCounts(NamedTuple):
    """Rows of each kind; predictions of whole runs only."""

    entities: int
    known: int
    comentions: int
    predictions: int
    runs: int


class StoredRun(NamedTuple):
    """A prediction run in a store. A run that is not whole can be resumed or rolled back."""

    run: PredictionRun
    n_predictions: int
    complete: bool


class Edge(NamedTuple):
    """One edge with all its properties (those without a value are left out)."""

    subject: str
    type: EdgeType
    object: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class QueryResult:
    """The answer to a statement: column names and rows of plain values.

    A node is a dict of its properties and `_labels`; a relationship of its properties and `_type`, `_start`, `_end`
    (the ids of its ends); a path a dict of `_nodes` and `_relationships`.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool = False
    """Whether `limit` cut rows off."""
    warnings: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """The rows as dicts."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which part of a graph: everything, unless a field narrows it; all fields must hold at once."""

    edge_types: tuple[EdgeType, ...] = tuple(EdgeType)
    runs: tuple[str, ...] | None = None
    """Prediction runs; None takes every whole run."""
    relations: tuple[str, ...] | None = None
    """Relation labels; co-mentions have none and are not narrowed by it."""
    min_score: float | None = None
    """Lowest score of a prediction."""
    novel_only: bool = False
    """Leave out predictions that are known, follow from what is known, or have too general an end."""
    around: tuple[str, ...] | None = None
    """Only edges within `hops` steps of one of these entities."""
    hops: int = 1


EVERYTHING = Selection()


class GraphTables(NamedTuple):
    """A part of a graph in memory: its entities, and its edges by type, in the columns of the schema."""

    entities: pa.Table
    edges: Mapping[EdgeType, pa.Table]


class PredictionWriter(Protocol):
    """Writes one run part by part; a part is there as a whole or not at all, and an interrupted run goes on."""

    def finished_parts(self) -> frozenset[int]:
        """Numbers of the parts that are written."""

    def write_part(self, index: int, batch: pa.RecordBatch | pa.Table) -> None:
        """Write one part, rows as `PREDICTION_BATCH_SCHEMA`; a part written before is left as it is."""

    def finish(self, n_parts: int) -> StoredRun:
        """Mark the run whole: from now on it is seen.

        Raises:
            StoreError: if a part of 0 to `n_parts` - 1 is missing, or there are others.
        """


class GraphStore(Protocol):
    """A graph of entities, known relations, co-mentions and predictions."""

    @property
    def name(self) -> str:
        """`embedded` or `neo4j`."""

    def write_base(self, base: BaseGraph, progress: Progress = SILENT) -> GraphCounts:
        """Replace entities, known relations and co-mentions; predictions stay."""

    def prediction_writer(self, run: PredictionRun) -> PredictionWriter:
        """Begin a run, or go on with one of the same id.

        Raises:
            StoreError: if the run is whole already, or was begun with other settings.
        """

    def runs(self) -> list[StoredRun]:
        """All runs, newest first, those that are not whole too."""

    def rollback(self, run_id: str) -> int:
        """Remove a run as a whole; returns how many predictions went.

        Raises:
            StoreError: if there is no such run.
        """

    def counts(self) -> GraphCounts:
        """How much there is."""

    def edges(self, subject: str, object: str) -> list[Edge]:
        """All edges between two entities, in either direction."""

    def neighbours(self, id: str, edge_types: Iterable[EdgeType] = tuple(EdgeType), limit: int = 100) -> list[Edge]:
        """Edges of one entity, in either direction: the best predictions first, then by type and the other end's id."""

    def query(self, statement: Statement, *, limit: int | None = None, timeout: float = DEFAULT_TIMEOUT) -> QueryResult:
        """Run a reading statement; `limit` cuts the rows, `timeout` is in seconds.

        Raises:
            QueryRefusedError: if the statement does more than read.
            StoreError: if it is not valid or takes too long.
        """

    def read_entities(self, selection: Selection = EVERYTHING) -> Iterator[pa.RecordBatch]:
        """Entities of a selection, as `ENTITY_SCHEMA`: all of them, or with `around` the ends of its edges."""

    def read_edges(self, edge_type: EdgeType, selection: Selection = EVERYTHING) -> Iterator[pa.RecordBatch]:
        """Edges of one type of a selection, as the type's schema; nothing if the selection leaves the type out."""

    def close(self) -> None:
        """Let go of files and connections."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def write_predictions(store: GraphStore, run: PredictionRun, batches: Iterable[pa.RecordBatch]) -> StoredRun:
    """Write a whole run, one part for each batch; called again with the same batches, it goes on where it stopped."""
    writer = store.prediction_writer(run)
    n_parts = 0
    for batch in batches:
        writer.write_part(n_parts, batch)
        n_parts += 1
    return writer.finish(n_parts)
