"""The embedded store: Parquet tables are the truth, a Cypher engine answers queries from a cache made of them."""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from relvm_kg.errors import StoreError
from relvm_kg.progress import Progress
from relvm_kg.workspace import atomic_path, remove
from relvm_kg_graph.cypher import Statement, check_reading
from relvm_kg_graph.engine import ENGINE_VERSION, CypherEngine, KgliteEngine
from relvm_kg_graph.reads import edges_between, neighbours
from relvm_kg_graph.schema import EDGE_SCHEMAS, ENTITY_SCHEMA, EdgeType, PredictionRun
from relvm_kg_graph.selection import check_selection, edge_filter, ends, ends_of, filtered
from relvm_kg_graph.store import (
    DEFAULT_TIMEOUT,
    EVERYTHING,
    SILENT,
    BaseGraph,
    Edge,
    GraphCounts,
    QueryResult,
    Selection,
    StoredRun,
)
from relvm_kg_graph.tables import GraphFolder, PartsWriter


class EmbeddedStore:
    """A `GraphStore` in one folder (`graph/` of a workspace). Opening is cheap; the first query loads the engine.

    Readers need no lock and see what is whole at each call; whoever writes holds the workspace's lock.
    """

    name = "embedded"

    def __init__(self, folder: Path) -> None:
        self._folder = GraphFolder(folder)
        self._engine: CypherEngine | None = None
        self._engine_key = ""

    def write_base(self, base: BaseGraph, progress: Progress = SILENT) -> GraphCounts:
        """See `GraphStore.write_base`."""
        return self._folder.write_base(base, progress)

    def prediction_writer(self, run: PredictionRun) -> PartsWriter:
        """See `GraphStore.prediction_writer`."""
        self._folder.manifest  # noqa: B018  predictions need a graph
        return PartsWriter(self._folder.run_dir(run.run_id), run)

    def runs(self) -> list[StoredRun]:
        """See `GraphStore.runs`."""
        return self._folder.runs()

    def rollback(self, run_id: str) -> int:
        """See `GraphStore.rollback`."""
        return self._folder.rollback(run_id)

    def counts(self) -> GraphCounts:
        """See `GraphStore.counts`."""
        return self._folder.counts()

    def edges(self, subject: str, object: str) -> list[Edge]:
        """See `GraphStore.edges`."""
        return edges_between(self, subject, object)

    def neighbours(self, id: str, edge_types: Iterable[EdgeType] = tuple(EdgeType), limit: int = 100) -> list[Edge]:
        """See `GraphStore.neighbours`."""
        return neighbours(self, id, edge_types, limit)

    def query(self, statement: Statement, *, limit: int | None = None, timeout: float = DEFAULT_TIMEOUT) -> QueryResult:
        """See `GraphStore.query`."""
        return self.engine().run(check_reading(statement), limit, timeout)

    def read_entities(self, selection: Selection = EVERYTHING) -> Iterator[pa.RecordBatch]:
        """See `GraphStore.read_entities`."""
        check_selection(selection)
        if selection.around is None:
            yield from self._folder.entities()
            return
        wanted = pa.array(sorted(ends_of(self, selection)), pa.string())
        yield from filtered(self._folder.entities(), pc.field("id").isin(wanted))

    def read_edges(self, edge_type: EdgeType, selection: Selection = EVERYTHING) -> Iterator[pa.RecordBatch]:
        """See `GraphStore.read_edges`."""
        check_selection(selection)
        if edge_type in selection.edge_types:
            condition = edge_filter(edge_type, selection, self._inside(selection))
            yield from filtered(self._folder.edges(edge_type, selection.runs), condition)

    def _inside(self, selection: Selection) -> pa.Array | None:
        """The ids of which an edge must touch one: those at most `hops` - 1 steps away from the selection's centre."""
        if selection.around is None:
            return None
        reached = pa.array(sorted(set(selection.around)), pa.string())
        for _ in range(selection.hops - 1):
            found = set(reached.to_pylist())
            for edge_type in selection.edge_types:
                batches = self._folder.edges(edge_type, selection.runs)
                found |= ends(filtered(batches, edge_filter(edge_type, selection, reached)))
            reached = pa.array(sorted(found), pa.string())
        return reached

    def engine(self) -> CypherEngine:
        """The engine over what is whole now; loaded from its cache, or made and cached.

        Raises:
            StoreError: if there is no graph.
        """
        self._folder.manifest  # noqa: B018  a clear error where there is no graph
        key = hashlib.sha256(json.dumps([ENGINE_VERSION, self._folder.state()]).encode()).hexdigest()[:20]
        if self._engine is None or key != self._engine_key:
            self._engine = None
            self._engine = self._cached(self._folder.path / "cache" / f"{key}.kgl")
            self._engine_key = key
        return self._engine

    def _cached(self, file: Path) -> CypherEngine:
        if file.is_file():
            with contextlib.suppress(StoreError):
                return KgliteEngine.load(file)
        engine = self._build()
        with contextlib.suppress(OSError):  # a folder that cannot be written still answers queries
            with atomic_path(file) as temporary:
                engine.save(temporary)
            for other in file.parent.glob("*.kgl"):
                if other != file:
                    remove(other)
        return engine

    def _build(self) -> CypherEngine:
        entities = pa.Table.from_batches(self._folder.entities(), ENTITY_SCHEMA)
        whole = [s for s in self.runs() if s.complete]
        runs = [{**s.run.properties(), "n_predictions": s.n_predictions, "complete": True} for s in whole]
        return KgliteEngine.build(entities, runs, self._edge_tables(entities["id"]))

    def _edge_tables(self, ids: pa.ChunkedArray) -> Iterator[tuple[EdgeType, pa.Table]]:
        """Tables of edges whose ends are entities: an older run may name some that a newer corpus has no more."""
        known_ids = ids.combine_chunks()
        both = pc.field("subject").isin(known_ids) & pc.field("object").isin(known_ids)
        for edge_type, schema in EDGE_SCHEMAS.items():
            batches = filtered(self._folder.edges(edge_type), both)
            yield edge_type, pa.Table.from_batches(batches, schema)

    def close(self) -> None:
        """See `GraphStore.close`."""
        self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
