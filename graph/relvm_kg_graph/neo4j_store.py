"""The store for those who outgrow one machine: a graph in Neo4j, written in batches that can be resumed.

A node `GraphSchema` says which version of the schema the database holds and whether its base (entities, known
relations, co-mentions) is whole; a `PredictionRun` says so of its predictions. Both are marked last, so nothing
half-written looks whole.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from relvm_kg.errors import StoreError
from relvm_kg.progress import Progress
from relvm_kg_graph import neo4j_statements as statements
from relvm_kg_graph.bolt import BoltConnection, Neo4jSettings
from relvm_kg_graph.cypher import Statement, check_reading
from relvm_kg_graph.reads import edges_between, neighbours
from relvm_kg_graph.schema import (
    CATEGORY_LABELS,
    EDGE_SCHEMAS,
    ENTITY_SCHEMA,
    PREDICTION_BATCH_SCHEMA,
    SCHEMA_NAME,
    SCHEMA_VERSION,
    EdgeType,
    PredictionRun,
    conform,
)
from relvm_kg_graph.selection import check_selection, ends, ends_of
from relvm_kg_graph.store import (
    DEFAULT_TIMEOUT,
    EVERYTHING,
    SILENT,
    BaseGraph,
    Edge,
    GraphCounts,
    PredictionWriter,
    QueryResult,
    Selection,
    StoredRun,
)
from relvm_kg_graph.tables import check_parts, resumable

ROWS_PER_TRANSACTION = 10_000
_ROWS_READ = 20_000


class Neo4jStore:
    """A `GraphStore` in one database of a Neo4j 5 server. One writer at a time."""

    name = "neo4j"

    def __init__(self, settings: Neo4jSettings) -> None:
        self._bolt = BoltConnection(settings)
        self._warnings: tuple[str, ...] = ()
        try:
            self._check_state()
        except StoreError:
            self._bolt.close()
            raise

    def _check_state(self) -> bool:
        """Whether the base is whole; refuses a database of another schema version, notes what is half-written."""
        rows = self._bolt.rows(statements.READ_STATE, name=SCHEMA_NAME)
        if rows and rows[0]["version"] != SCHEMA_VERSION:
            raise StoreError(
                f"the database must hold schema version {SCHEMA_VERSION}, holds {rows[0]['version']}; "
                "use another database, or empty this one and push again"
            )
        halves = [f"prediction run {run!r} is not whole: push it again or roll it back" for run in self._hidden()]
        if rows and not rows[0]["whole"]:
            halves.insert(0, "entities, known relations and co-mentions are not whole: push the graph again")
        self._warnings = tuple(halves)
        return bool(rows and rows[0]["whole"])

    def write_base(self, base: BaseGraph, progress: Progress = SILENT) -> GraphCounts:
        """See `GraphStore.write_base`. Entities that predictions still name stay."""
        self._bolt.schema_change((*statements.CONSTRAINTS, *statements.INDEXES))
        self._bolt.write((statements.BEGIN_BASE, {"name": SCHEMA_NAME, "version": SCHEMA_VERSION}))
        before = {row["id"] for row in self._bolt.rows(statements.ENTITY_IDS)}
        written = self._write_entities(base.entities, progress)
        for edge_type, batches in ((EdgeType.ASSOCIATED, base.known), (EdgeType.CO_MENTIONED, base.comentions)):
            while self._count(statements.delete_edges(edge_type), batch=ROWS_PER_TRANSACTION):
                pass
            self._write_edges(edge_type, batches, progress)
        for ids in _chunks(sorted(before - written), ROWS_PER_TRANSACTION):
            self._bolt.write((statements.DELETE_ENTITIES, {"ids": ids}))
        values = {"name": SCHEMA_NAME, "corpus_hash": base.corpus_hash, "simulated": base.simulated}
        self._bolt.write((statements.FINISH_BASE, values))
        self._check_state()
        return self.counts()

    def _write_entities(self, batches: Iterable[pa.RecordBatch], progress: Progress) -> set[str]:
        written: set[str] = set()
        place = ENTITY_SCHEMA.names.index("category")
        with progress.task("neo4j: entities", None, "rows") as task:
            for batch in batches:
                by_label: dict[str, list[list[Any]]] = {}
                for row in _rows(conform(batch, ENTITY_SCHEMA)):
                    by_label.setdefault(CATEGORY_LABELS[row[place]], []).append(row)
                for label, rows in sorted(by_label.items()):
                    for chunk in _chunks(rows, ROWS_PER_TRANSACTION):
                        self._bolt.write((statements.write_entities(label), {"rows": chunk}))
                        written.update(row[0] for row in chunk)
                        task.advance(len(chunk))
        return written

    def _write_edges(self, edge_type: EdgeType, batches: Iterable[pa.RecordBatch], progress: Progress) -> None:
        with progress.task(f"neo4j: {edge_type.value}", None, "rows") as task:
            for batch in batches:
                for chunk in _chunks(
                    sorted(_rows(conform(batch, EDGE_SCHEMAS[edge_type])), key=_ends), ROWS_PER_TRANSACTION
                ):
                    n = self._count(statements.add_edges(edge_type), rows=chunk)
                    _check_all_written(n, chunk)
                    task.advance(n)

    def _count(self, text: str, **parameters: Any) -> int:
        return int(self._bolt.write((text, parameters))[0]["n"])

    def prediction_writer(self, run: PredictionRun) -> PredictionWriter:
        """See `GraphStore.prediction_writer`."""
        if not self._check_state():
            raise StoreError("predictions need a whole graph in the database; push the graph first")
        return _RunWriter(self._bolt, run)

    def runs(self) -> list[StoredRun]:
        """See `GraphStore.runs`."""
        return [_stored(row["run"]) for row in self._bolt.rows(statements.READ_RUNS)]

    def _hidden(self) -> list[str]:
        return [stored.run.run_id for stored in self.runs() if not stored.complete]

    def rollback(self, run_id: str) -> int:
        """See `GraphStore.rollback`. Interrupted, the run is left as one that is not whole; roll it back again."""
        names = [stored.run.run_id for stored in self.runs()]
        if run_id not in names:
            raise StoreError(f"there is no prediction run {run_id!r}; there are: {', '.join(names) or 'none'}")
        self._bolt.write((statements.HIDE_RUN, {"run_id": run_id}))
        removed = 0
        while n := self._count(statements.DELETE_RUN_EDGES, run_id=run_id, batch=ROWS_PER_TRANSACTION):
            removed += n
        self._bolt.write((statements.DELETE_RUN, {"run_id": run_id}))
        self._check_state()
        return removed

    def counts(self) -> GraphCounts:
        """See `GraphStore.counts`."""
        texts = (statements.COUNT_ENTITIES, *(statements.count_edges(t) for t in list(EdgeType)[:2]))
        entities, known, comentions = (int(self._bolt.rows(text)[0]["n"]) for text in texts)
        whole = [stored.n_predictions for stored in self.runs() if stored.complete]
        return GraphCounts(entities, known, comentions, sum(whole), len(whole))

    def edges(self, subject: str, object: str) -> list[Edge]:
        """See `GraphStore.edges`."""
        return edges_between(self, subject, object, self._hidden())

    def neighbours(self, id: str, edge_types: Iterable[EdgeType] = tuple(EdgeType), limit: int = 100) -> list[Edge]:
        """See `GraphStore.neighbours`."""
        return neighbours(self, id, edge_types, limit, self._hidden())

    def query(self, statement: Statement, *, limit: int | None = None, timeout: float = DEFAULT_TIMEOUT) -> QueryResult:
        """See `GraphStore.query`. What was half-written when the store was opened is told in the warnings."""
        result = self._bolt.query(check_reading(statement), limit, timeout)
        return QueryResult(result.columns, result.rows, result.truncated, self._warnings + result.warnings)

    def read_entities(self, selection: Selection = EVERYTHING) -> Iterator[pa.RecordBatch]:
        """See `GraphStore.read_entities`."""
        check_selection(selection)
        ids = None if selection.around is None else sorted(ends_of(self, selection))
        text = statements.read_entities(narrowed=ids is not None)
        yield from _batches(self._bolt.stream(text, ids=ids), ENTITY_SCHEMA)

    def read_edges(self, edge_type: EdgeType, selection: Selection = EVERYTHING) -> Iterator[pa.RecordBatch]:
        """See `GraphStore.read_edges`."""
        check_selection(selection)
        if edge_type in selection.edge_types:
            yield from self._read_edges(edge_type, selection, self._inside(selection))

    def _read_edges(
        self, edge_type: EdgeType, selection: Selection, inside: Iterable[str] | None
    ) -> Iterator[pa.RecordBatch]:
        score = selection.min_score
        parameters = {
            "inside": None if inside is None else sorted(inside),
            "relations": None if selection.relations is None else list(selection.relations),
            "min_score": None if score is None else pa.scalar(score, pa.float32()).as_py(),
            "runs": self._wanted_runs(selection) if edge_type is EdgeType.PREDICTED else None,
        }
        rows = self._bolt.stream(statements.read_edges(edge_type, selection), **parameters)
        yield from _batches(rows, EDGE_SCHEMAS[edge_type])

    def _wanted_runs(self, selection: Selection) -> list[str]:
        whole = [stored.run.run_id for stored in self.runs() if stored.complete]
        wanted = whole if selection.runs is None else list(selection.runs)
        if missing := [run for run in wanted if run not in whole]:
            names = ", ".join(whole) or "none"
            raise StoreError(f"there is no whole prediction run {missing[0]!r}; there are: {names}")
        return wanted

    def _inside(self, selection: Selection) -> set[str] | None:
        if selection.around is None:
            return None
        reached = set(selection.around)
        for _ in range(selection.hops - 1):
            steps = (self._read_edges(edge_type, selection, reached) for edge_type in selection.edge_types)
            reached = reached.union(*(ends(batches) for batches in steps))
        return reached

    def close(self) -> None:
        """See `GraphStore.close`."""
        self._bolt.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _RunWriter:
    """See `PredictionWriter`: the run's node lists the finished parts, and names the one under way."""

    def __init__(self, bolt: BoltConnection, run: PredictionRun) -> None:
        self._bolt = bolt
        node = bolt.write((statements.BEGIN_RUN, {"properties": run.properties()}))[0]["run"]
        self._run = resumable(_stored(node), run)
        self._finished = set(node["finished_parts"])
        self._interrupted: int | None = node.get("open_part")

    def finished_parts(self) -> frozenset[int]:
        """See `PredictionWriter.finished_parts`."""
        return frozenset(self._finished)

    def write_part(self, index: int, batch: pa.RecordBatch | pa.Table) -> None:
        """See `PredictionWriter.write_part`. What an interrupted try left of the part is written over."""
        if index in self._finished:
            return
        again = self._interrupted == index
        part = {"run_id": self._run.run_id, "part": index}
        self._bolt.write((statements.OPEN_PART, part))
        self._interrupted = index
        text, constants = statements.add_predictions(again=again), self._run.constants()
        batches = batch.to_batches() if isinstance(batch, pa.Table) else [batch]
        rows = sorted((row for b in batches for row in _rows(conform(b, PREDICTION_BATCH_SCHEMA))), key=_ends)
        for chunk in _chunks(rows, ROWS_PER_TRANSACTION):
            answer = self._bolt.write((text, {"rows": chunk, "run": constants}))
            _check_all_written(answer[0]["n"], chunk)
        self._bolt.write((statements.CLOSE_PART, part))
        self._interrupted = None
        self._finished.add(index)

    def finish(self, n_parts: int) -> StoredRun:
        """See `PredictionWriter.finish`."""
        check_parts(self.finished_parts(), n_parts, self._run.run_id)
        n = self._bolt.rows(statements.COUNT_RUN, run_id=self._run.run_id)[0]["n"]
        node = self._bolt.write((statements.FINISH_RUN, {"run_id": self._run.run_id, "n": n}))[0]["run"]
        return _stored(node)


def _stored(node: Mapping[str, Any]) -> StoredRun:
    return StoredRun(PredictionRun.from_properties(node), node["n_predictions"], node["complete"])


def _check_all_written(n: int, rows: list[list[Any]]) -> None:
    if n != len(rows):
        ids = f"{rows[0][0]} ... {rows[-1][0]}"
        raise StoreError(
            f"{len(rows) - n} of {len(rows)} edges ({ids}) name entities that the database lacks; push the graph again"
        )


def _rows(batch: pa.RecordBatch) -> list[list[Any]]:
    columns = [column.to_pylist() for column in batch.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _ends(row: list[Any]) -> tuple[str, str]:
    return row[0], row[1]


def _chunks(rows: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _batches(records: Iterable[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    waiting: list[dict[str, Any]] = []
    for record in records:
        waiting.append(dict(record))
        if len(waiting) == _ROWS_READ:
            yield pa.RecordBatch.from_pylist(waiting, schema=schema)
            waiting = []
    if waiting:
        yield pa.RecordBatch.from_pylist(waiting, schema=schema)
