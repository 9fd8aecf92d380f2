"""The graph as Parquet tables in a folder, the embedded store's source of truth.

    graph.json                              written last: the tables below with their rows and bytes
    nodes.parquet known.parquet comentions.parquet
    predictions/<run_id>/run.json           what the run is; `complete` once all its parts are there
    predictions/<run_id>/part-00000.parquet ...

Every file is written under a temporary name and renamed; whoever writes holds the workspace's lock.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.errors import StoreError
from relvm_kg.progress import Progress
from relvm_kg.workspace import atomic_path, read_json, remove, remove_leftovers, write_json
from relvm_kg_graph.schema import (
    COMENTION_SCHEMA,
    EDGE_SCHEMAS,
    ENTITY_SCHEMA,
    KNOWN_SCHEMA,
    PREDICTED_SCHEMA,
    SCHEMA_VERSION,
    EdgeType,
    PredictionRun,
    complete_predictions,
    conform,
    with_missing_columns,
)
from relvm_kg_graph.store import BaseGraph, GraphCounts, StoredRun

_SCHEMAS = {"nodes": ENTITY_SCHEMA, "known": KNOWN_SCHEMA, "comentions": COMENTION_SCHEMA}
_EDGE_TABLES = {EdgeType.ASSOCIATED: "known", EdgeType.CO_MENTIONED: "comentions"}
ROWS_PER_GROUP = 100_000


def write_parquet(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches to one file, rows gathered into groups; returns the rows."""
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        waiting: list[pa.RecordBatch] = []
        n_waiting = 0
        for batch in batches:
            waiting.append(conform(batch, schema))
            n_waiting += batch.num_rows
            if n_waiting >= ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_batches(waiting, schema), row_group_size=ROWS_PER_GROUP)
                rows, waiting, n_waiting = rows + n_waiting, [], 0
        if n_waiting:
            writer.write_table(pa.Table.from_batches(waiting, schema), row_group_size=ROWS_PER_GROUP)
    return rows + n_waiting


class GraphFolder:
    """The tables of one graph."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def manifest_path(self) -> Path:
        """`graph.json`."""
        return self.path / "graph.json"

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What `graph.json` says.

        Raises:
            StoreError: if there is no whole graph, or its schema is of another version.
        """
        if not self.manifest_path.is_file():
            raise StoreError(f"{self.path} holds no whole graph; run: relvm-kg build")
        values: Mapping[str, Any] = read_json(self.manifest_path)
        if values.get("schema_version") != SCHEMA_VERSION:
            raise StoreError(
                f"{self.manifest_path} must have schema_version {SCHEMA_VERSION}, was: {values.get('schema_version')}; "
                "build the graph again"
            )
        return values

    def write_base(self, base: BaseGraph, progress: Progress) -> GraphCounts:
        """Replace the three base tables; until `graph.json` is back there is no graph to read."""
        self.path.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.path)
        sources = {"nodes": base.entities, "known": base.known, "comentions": base.comentions}
        tables: dict[str, dict[str, int]] = {}
        staged = self.path / ".staged.part"
        staged.mkdir()
        for name, batches in sources.items():
            file = staged / f"{name}.parquet"
            with progress.task(f"graph: {name}", None, "rows") as task:
                rows = write_parquet(file, _SCHEMAS[name], batches)
                task.advance(rows)
            tables[name] = {"rows": rows, "bytes": file.stat().st_size}
        remove(self.manifest_path)
        for name in sources:
            (staged / f"{name}.parquet").replace(self.path / f"{name}.parquet")
        staged.rmdir()
        write_json(
            self.manifest_path,
            {
                "schema_version": SCHEMA_VERSION,
                "corpus_hash": base.corpus_hash,
                "simulated": base.simulated,
                "tables": tables,
            },
        )
        return self.counts()

    def counts(self) -> GraphCounts:
        """Rows of the tables, and of whole runs."""
        tables = self.manifest["tables"]
        whole = [run for run in self.runs() if run.complete]
        rows = [int(tables[name]["rows"]) for name in _SCHEMAS]
        return GraphCounts(rows[0], rows[1], rows[2], sum(run.n_predictions for run in whole), len(whole))

    def run_dir(self, run_id: str) -> Path:
        """The folder of one run's parts."""
        return self.path / "predictions" / run_id

    def runs(self) -> list[StoredRun]:
        """All runs, newest first."""
        found = []
        for file in self.path.glob("predictions/*/run.json"):
            if not file.parent.name.startswith("."):
                found.append(read_run(file))
        return sorted(found, key=lambda stored: (stored.run.created_at, stored.run.run_id), reverse=True)

    def rollback(self, run_id: str) -> int:
        """Remove a run: its folder is renamed away first, so that it vanishes at once."""
        folder = self.run_dir(run_id)
        if not (folder / "run.json").is_file():
            names = ", ".join(stored.run.run_id for stored in self.runs()) or "none"
            raise StoreError(f"there is no prediction run {run_id!r}; there are: {names}")
        remove_leftovers(folder.parent)
        rows = _count_rows(folder)
        gone = folder.with_name(f".{run_id}.part")
        folder.replace(gone)
        remove(gone)
        return rows

    def files(self, edge_type: EdgeType, runs: Iterable[str] | None = None) -> list[Path]:
        """The files that hold edges of a type; of predictions, those of whole runs, or of the runs named.

        Raises:
            StoreError: if a named run is not there as a whole.
        """
        if edge_type in _EDGE_TABLES:
            self.manifest  # noqa: B018  without it the tables may not belong together
            return [self.path / f"{_EDGE_TABLES[edge_type]}.parquet"]
        whole = [stored.run.run_id for stored in self.runs() if stored.complete]
        wanted = whole if runs is None else list(runs)
        if missing := [run for run in wanted if run not in whole]:
            raise StoreError(
                f"there is no whole prediction run {missing[0]!r}; there are: {', '.join(whole) or 'none'}"
            )
        return [part for run in wanted for part in sorted(self.run_dir(run).glob("part-*.parquet"))]

    def entities(self) -> Iterator[pa.RecordBatch]:
        """All entities."""
        self.manifest  # noqa: B018
        for batch in read_parquet([self.path / "nodes.parquet"]):
            yield with_missing_columns(batch, ENTITY_SCHEMA)

    def edges(self, edge_type: EdgeType, runs: Iterable[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All edges of a type; of predictions, those of whole runs, or of the runs named.

        Raises:
            StoreError: if a named run is not there as a whole.
        """
        for batch in read_parquet(self.files(edge_type, runs)):
            yield with_missing_columns(batch, EDGE_SCHEMAS[edge_type])

    def state(self) -> list[tuple[str, int, int]]:
        """Name, size and time of change of each file that queries depend on."""
        named = [self.manifest_path, *(self.path / f"{name}.parquet" for name in _SCHEMAS)]
        named += [self.run_dir(s.run.run_id) / "run.json" for s in self.runs() if s.complete]
        stats = [(str(file.relative_to(self.path)), file.stat()) for file in sorted(named)]
        return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


def read_parquet(files: Iterable[Path]) -> Iterator[pa.RecordBatch]:
    """The rows of files, a batch at a time."""
    for file in files:
        with pq.ParquetFile(file) as reader:
            yield from reader.iter_batches(batch_size=ROWS_PER_GROUP // 2)


def _count_rows(folder: Path) -> int:
    return sum(int(pq.read_metadata(part).num_rows) for part in folder.glob("part-*.parquet"))


def _row_keys(files: Iterable[Path]) -> list[npt.NDArray[np.int64]]:
    """A number for each row of some files, the same where ends and label are the same."""
    names = ["subject", "relation", "object"]
    tables = [pq.read_table(file, columns=names, read_dictionary=names) for file in files]
    whole = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    keys = np.zeros(whole.num_rows, dtype=np.int64)
    for name in names:
        column = whole[name].combine_chunks()
        keys = keys * len(column.dictionary) + np.asarray(column.indices)
    return np.split(keys, np.cumsum([table.num_rows for table in tables])[:-1])


def read_run(file: Path) -> StoredRun:
    """What a `run.json` says."""
    values = read_json(file)
    return StoredRun(PredictionRun.from_properties(values), values["n_predictions"], values["complete"])


class PartsWriter:
    """Writes a run's parts as files; see `PredictionWriter`."""

    def __init__(self, folder: Path, run: PredictionRun) -> None:
        self._folder = folder
        self._manifest = folder / "run.json"
        self._run = run
        if self._manifest.is_file():
            self._run = resumable(read_run(self._manifest), run)
        else:
            self._write_manifest(0, complete=False)

    def finished_parts(self) -> frozenset[int]:
        """See `PredictionWriter.finished_parts`."""
        return frozenset(int(part.stem.removeprefix("part-")) for part in self._folder.glob("part-*.parquet"))

    def write_part(self, index: int, batch: pa.RecordBatch | pa.Table) -> None:
        """See `PredictionWriter.write_part`."""
        target = self._folder / f"part-{index:05d}.parquet"
        if target.exists():
            return
        batches = batch.to_batches() if isinstance(batch, pa.Table) else [batch]
        with atomic_path(target) as temporary:
            write_parquet(temporary, PREDICTED_SCHEMA, (complete_predictions(b, self._run) for b in batches))

    def drop_repeated(self) -> None:
        """Leave out rows whose ends and label stand in an earlier part; memory holds a number for each row."""
        files = sorted(self._folder.glob("part-*.parquet"))
        if not files:
            return
        keys = _row_keys(files)
        kept = np.zeros(sum(map(len, keys)), dtype=np.bool_)
        kept[np.unique(np.concatenate(keys), return_index=True)[1]] = True
        for file, mask in zip(files, np.split(kept, np.cumsum([len(k) for k in keys])[:-1]), strict=True):
            if not mask.all():
                table = pq.read_table(file).filter(pa.array(mask))
                with atomic_path(file) as temporary:
                    write_parquet(temporary, PREDICTED_SCHEMA, table.to_batches())

    def finish(self, n_parts: int) -> StoredRun:
        """See `PredictionWriter.finish`."""
        check_parts(self.finished_parts(), n_parts, self._run.run_id)
        remove_leftovers(self._folder)
        rows = _count_rows(self._folder)
        self._write_manifest(rows, complete=True)
        return StoredRun(self._run, rows, complete=True)

    def _write_manifest(self, rows: int, *, complete: bool) -> None:
        write_json(self._manifest, {**self._run.properties(), "n_predictions": rows, "complete": complete})


def resumable(stored: StoredRun, run: PredictionRun) -> PredictionRun:
    """The run to go on with: the stored one, which keeps its time of creation.

    Raises:
        StoreError: if it is whole, or was begun with other settings.
    """
    if stored.complete:
        raise StoreError(f"prediction run {run.run_id!r} is whole already; take another id, or roll it back first")
    before, now = stored.run.properties(), run.properties()
    changed = [name for name in before if name != "created_at" and before[name] != now[name]]
    if changed:
        raise StoreError(
            f"prediction run {run.run_id!r} was begun with another {', '.join(changed)}; "
            "take another id, or roll it back first"
        )
    return stored.run


def check_parts(finished: frozenset[int], n_parts: int, run_id: str) -> None:
    """Raise a StoreError unless exactly the parts 0 to `n_parts` - 1 are written."""
    wanted = frozenset(range(n_parts))
    if finished != wanted:
        missing, extra = sorted(wanted - finished)[:5], sorted(finished - wanted)[:5]
        raise StoreError(
            f"prediction run {run_id!r} must have the parts 0 to {n_parts - 1}; missing: {missing}, too many: {extra}"
        )
