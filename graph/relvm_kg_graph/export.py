"""Export of a graph, or a part of it, to the formats of other tools: streamed, atomic, with a manifest.

An export is a folder. It is written under a temporary name and renamed when it is whole; `manifest.json` tells its
counts, hashes, selection and command, and whether any of it is simulated or calibrated.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Progress
from relvm_kg.workspace import Workspace, atomic_path, file_sha256, read_json, remove, write_json
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.export_tables import CsvExport, Neo4jAdminExport, ParquetExport, import_command
from relvm_kg_graph.export_text import GraphmlExport, KgxJsonlExport, KgxTsvExport, NtriplesExport
from relvm_kg_graph.schema import SCHEMA_VERSION, EdgeType, now_text
from relvm_kg_graph.selection import check_selection, ends, filtered
from relvm_kg_graph.store import EVERYTHING, SILENT, GraphStore, Selection, StoredRun

GRAPHML_LIMIT = 200_000
MANIFEST = "manifest.json"


class ExportFormat(StrEnum):
    """What an export is written as."""

    PARQUET = "parquet"
    CSV = "csv"
    KGX_JSONL = "kgx-jsonl"
    KGX_TSV = "kgx-tsv"
    NEO4J_ADMIN = "neo4j-admin"
    GRAPHML = "graphml"
    NTRIPLES = "ntriples"


class GraphWriter(Protocol):
    """Writes entities and edges in one format."""

    @property
    def n_changed(self) -> int:
        """Values with characters that the format cannot hold, for which spaces stand."""

    def add_entities(self, batch: pa.RecordBatch) -> None:
        """Write entities, as `ENTITY_SCHEMA`."""

    def add_edges(self, edge_type: EdgeType, batch: pa.RecordBatch) -> None:
        """Write edges of one type, as its schema."""

    def close(self) -> None:
        """Finish the files."""


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What was exported: `rows` counts edges, `files` are all files but the manifest."""

    folder: Path
    rows: int
    n_entities: int
    seconds: float
    files: tuple[Path, ...]
    simulated: bool
    n_changed: int
    """Values with characters that the format cannot hold, for which spaces stand."""

    @property
    def rows_per_second(self) -> float:
        """Edges a second, hashing included."""
        return self.rows / max(self.seconds, 1e-9)


def export_graph(
    source: Workspace | GraphStore,
    target: Path,
    format: ExportFormat,
    selection: Selection = EVERYTHING,
    command: str = "",
    progress: Progress = SILENT,
) -> ExportReport:
    """Write a part of a graph to the folder `target`; an export that is there is replaced when the new one is whole.

    Entities are all of them, or those that the selected edges join. `command` goes into the manifest as it is.

    Raises:
        InvalidInputError: if `target` holds anything but an export, or the graph is too large for GraphML.
        StoreError: if there is no graph, or no such run.
    """
    if isinstance(source, Workspace):
        with EmbeddedStore(source.graph_dir) as store:
            return export_graph(store, target, format, selection, command, progress)
    check_selection(selection)
    _check_target(target)
    if format is ExportFormat.GRAPHML:
        _check_size(source, selection)
    started = time.perf_counter()
    with atomic_path(target) as folder:
        folder.mkdir()
        account = _write(source, folder, format, selection, progress)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        names = tuple(path.relative_to(folder) for path in files)
        manifest = _manifest(account, format, selection, command)
        manifest["files"] = [
            {"name": str(name), "bytes": path.stat().st_size, "sha256": file_sha256(path)}
            for name, path in zip(names, files, strict=True)
        ]
        if format is ExportFormat.NEO4J_ADMIN:
            manifest["import_command"] = import_command([str(name) for name in names])
        write_json(folder / MANIFEST, manifest)
    return ExportReport(
        folder=target,
        rows=account.rows,
        n_entities=account.n_entities,
        seconds=time.perf_counter() - started,
        files=tuple(target / name for name in names),
        simulated=account.simulated,
        n_changed=account.n_changed,
    )


def _check_target(target: Path) -> None:
    """Refuse a folder that holds anything but an earlier export: it will be replaced as a whole.

    Raises:
        InvalidInputError: if it holds a file that no export listed.
    """
    if target.exists() and (not target.is_dir() or _strangers(target)):
        raise InvalidInputError(f"an export needs a folder of its own, {target} holds other files; name another")
    for leftover in target.parent.glob(f".{target.name}.*.part"):
        remove(leftover)


def _strangers(folder: Path) -> list[Path]:
    """Files of a folder that are no part of an export; all of them where no export's manifest is there."""
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    manifest = folder / MANIFEST
    if manifest not in files:
        return files
    try:
        values = read_json(manifest)
        ours = (
            {manifest, *(folder / str(file["name"]) for file in values["files"])} if values["schema_version"] else set()
        )
    except (InvalidInputError, KeyError, TypeError):
        return files
    return [path for path in files if path not in ours]


def _check_size(store: GraphStore, selection: Selection) -> None:
    rows = 0
    for batch in _all_edges(store, selection):
        rows += batch.num_rows
        if rows > GRAPHML_LIMIT:
            raise InvalidInputError(
                f"GraphML is for graphs of at most {GRAPHML_LIMIT} edges, these are more; narrow the selection or take "
                "another format"
            )


def _all_edges(store: GraphStore, selection: Selection) -> Iterator[pa.RecordBatch]:
    for edge_type in selection.edge_types:
        yield from store.read_edges(edge_type, selection)


class _Account:
    """Counts while an export is written."""

    def __init__(self, runs: list[StoredRun]) -> None:
        self.runs = runs
        self.n_entities = 0
        self.edges = dict.fromkeys(EdgeType, 0)
        self.simulated = False
        self.n_changed = 0

    @property
    def rows(self) -> int:
        return sum(self.edges.values())

    @property
    def calibrated(self) -> bool | None:
        """Whether every exported prediction is calibrated; None without predictions."""
        return all(stored.run.calibrated for stored in self.runs) if self.edges[EdgeType.PREDICTED] else None

    def add(self, batch: pa.RecordBatch) -> None:
        self.simulated = self.simulated or bool(pc.any(batch.column("simulated")).as_py())


def _write(store: GraphStore, folder: Path, format: ExportFormat, selection: Selection, progress: Progress) -> _Account:
    runs = [s for s in store.runs() if s.complete and (selection.runs is None or s.run.run_id in selection.runs)]
    account = _Account(runs if EdgeType.PREDICTED in selection.edge_types else [])
    with closing(_writer(format, folder, account.runs, selection)) as writer:
        joined = _write_edges(store, writer, selection, account, progress)
        condition = None if selection == EVERYTHING else pc.field("id").isin(pa.array(sorted(joined), pa.string()))
        for batch in filtered(store.read_entities(), condition):
            writer.add_entities(batch)
            account.add(batch)
            account.n_entities += batch.num_rows
    account.n_changed = writer.n_changed
    return account


def _write_edges(
    store: GraphStore, writer: GraphWriter, selection: Selection, account: _Account, progress: Progress
) -> set[str]:
    """Write all edges; returns the ids that they join."""
    joined: set[str] = set(selection.around or ())
    with progress.task("export", None, "rows") as task:
        for edge_type in selection.edge_types:
            for batch in store.read_edges(edge_type, selection):
                writer.add_edges(edge_type, batch)
                account.add(batch)
                account.edges[edge_type] += batch.num_rows
                joined |= ends([batch])
                task.advance(batch.num_rows)
    return joined


def _writer(format: ExportFormat, folder: Path, runs: list[StoredRun], selection: Selection) -> GraphWriter:
    if format is ExportFormat.NEO4J_ADMIN:
        return Neo4jAdminExport(folder, runs)
    if format is ExportFormat.PARQUET:
        return ParquetExport(folder, edge_types=selection.edge_types)
    if format is ExportFormat.CSV:
        return CsvExport(folder, edge_types=selection.edge_types)
    return _WRITERS[format](folder)


_WRITERS: Mapping[ExportFormat, Callable[[Path], GraphWriter]] = {
    ExportFormat.KGX_JSONL: KgxJsonlExport,
    ExportFormat.KGX_TSV: KgxTsvExport,
    ExportFormat.GRAPHML: GraphmlExport,
    ExportFormat.NTRIPLES: NtriplesExport,
}


def _manifest(account: _Account, format: ExportFormat, selection: Selection, command: str) -> dict[str, Any]:
    return {
        "format": format.value,
        "schema_version": SCHEMA_VERSION,
        "created_at": now_text(),
        "command": command,
        "selection": asdict(selection),
        "simulated": account.simulated,
        "calibrated": account.calibrated,
        "runs": [stored.run.run_id for stored in account.runs],
        "rows": account.rows,
        "values_changed": account.n_changed,
        "counts": {"entities": account.n_entities, **{t.value: n for t, n in account.edges.items()}},
    }
