"""Exports as tables: Parquet in shards, CSV, and the CSV that `neo4j-admin database import` reads."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from relvm_kg_graph.schema import (
    CATEGORY_LABELS,
    EDGE_SCHEMAS,
    ENTITY_LABEL,
    ENTITY_SCHEMA,
    RUN_LABEL,
    SCHEMA_NAME,
    SCHEMA_VERSION,
    VERSION_LABEL,
    EdgeType,
)
from relvm_kg_graph.store import StoredRun
from relvm_kg_graph.text_columns import UNIT_SEPARATOR, escaped_items, joined_items, n_differing

ROWS_PER_SHARD = 1_000_000


class ParquetExport:
    """`nodes.parquet`, and a folder of shards for each type of edge.

    The nodes, and edges of the types in `edge_types`, have a table even where they have no row.
    """

    n_changed = 0

    def __init__(self, folder: Path, rows_per_shard: int = ROWS_PER_SHARD, edge_types: Iterable[EdgeType] = ()) -> None:
        self._folder = folder
        self._edge_types = tuple(edge_types)
        self._rows_per_shard = rows_per_shard
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows: dict[str, int] = {}

    def add_entities(self, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_entities`."""
        self._writer("nodes.parquet", ENTITY_SCHEMA).write_batch(batch)

    def add_edges(self, edge_type: EdgeType, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_edges`. A shard ends at the first batch that fills it."""
        done, name = self._rows.get(edge_type.value, 0), edge_type.value.lower()
        shard = f"{name}/part-{done // self._rows_per_shard:05d}.parquet"
        for other in [key for key in self._writers if key.startswith(f"{name}/") and key != shard]:
            self._writers.pop(other).close()
        self._writer(shard, EDGE_SCHEMAS[edge_type]).write_batch(batch)
        self._rows[edge_type.value] = done + batch.num_rows

    def _writer(self, name: str, schema: pa.Schema) -> pq.ParquetWriter:
        if name not in self._writers:
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            self._writers[name] = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
        return self._writers[name]

    def close(self) -> None:
        """See `GraphWriter.close`."""
        self._writer("nodes.parquet", ENTITY_SCHEMA)
        for edge_type in self._edge_types:
            if edge_type.value not in self._rows:
                self._writer(f"{edge_type.value.lower()}/part-00000.parquet", EDGE_SCHEMAS[edge_type])
        for writer in self._writers.values():
            writer.close()


class CsvExport:
    """`nodes.csv` and a file for each type of edge, with a header; lists as `escaped_items`.

    The nodes, and edges of the types in `edge_types`, have a table even where they have no row.
    """

    writes_empty_nodes = True

    def __init__(self, folder: Path, edge_types: Iterable[EdgeType] = ()) -> None:
        self.n_changed = 0
        self._folder = folder
        self._edge_types = tuple(edge_types)
        self._writers: dict[str, Any] = {}

    def add_entities(self, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_entities`."""
        self._write("nodes.csv", batch)

    def add_edges(self, edge_type: EdgeType, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_edges`."""
        self._write(f"{edge_type.value.lower()}.csv", batch)

    def _write(self, name: str, batch: pa.RecordBatch) -> None:
        columns = [self._joined(c) if pa.types.is_list(c.type) else c for c in batch.columns]
        flat = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
        if name not in self._writers:
            self._writers[name] = pc_csv.CSVWriter(self._folder / name, flat.schema)
        self._writers[name].write_batch(flat)

    def _joined(self, column: pa.Array) -> pa.Array:
        return escaped_items(column)

    def close(self) -> None:
        """See `GraphWriter.close`."""
        if self.writes_empty_nodes and "nodes.csv" not in self._writers:
            self.add_entities(_empty(ENTITY_SCHEMA))
        for edge_type in self._edge_types:
            if f"{edge_type.value.lower()}.csv" not in self._writers:
                self.add_edges(edge_type, _empty(EDGE_SCHEMAS[edge_type]))
        for writer in self._writers.values():
            writer.close()


class Neo4jAdminExport(CsvExport):
    """The CSV that `neo4j-admin database import full` reads, the nodes of runs and of the schema's version included.

    Headers tell the types; items of lists are joined by the unit separator, in place of which an item has a space.
    """

    writes_empty_nodes = False

    def __init__(self, folder: Path, runs: list[StoredRun]) -> None:
        super().__init__(folder)
        properties = [
            {**stored.run.properties(), "n_predictions": stored.n_predictions, "complete": True} for stored in runs
        ]
        if properties:
            self._add_nodes("runs.csv", pa.RecordBatch.from_pylist(properties), "run_id", RUN_LABEL)
        version = {"name": SCHEMA_NAME, "version": SCHEMA_VERSION, "whole": True}
        self._add_nodes("schema.csv", pa.RecordBatch.from_pylist([version]), "name", VERSION_LABEL)

    def add_entities(self, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_entities`."""
        labels = [f"{ENTITY_LABEL};{CATEGORY_LABELS[c]}" for c in batch.column("category").to_pylist()]
        self._add_nodes("nodes.csv", batch, "id", pa.array([x.replace(";", UNIT_SEPARATOR) for x in labels]))

    def add_edges(self, edge_type: EdgeType, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_edges`."""
        names = {"subject": f":START_ID({ENTITY_LABEL})", "object": f":END_ID({ENTITY_LABEL})"}
        self._write(f"{edge_type.value.lower()}.csv", _typed(batch, names))

    def _joined(self, column: pa.Array) -> pa.Array:
        def change(items: pa.Array) -> pa.Array:
            changed = pc.replace_substring(items, UNIT_SEPARATOR, " ")
            self.n_changed += n_differing(items, changed)
            return changed

        return joined_items(column, UNIT_SEPARATOR, change)

    def _add_nodes(self, name: str, batch: pa.RecordBatch, key: str, label: pa.Array | str) -> None:
        space = label if isinstance(label, str) else ENTITY_LABEL
        labels = pa.repeat(pa.scalar(label), batch.num_rows) if isinstance(label, str) else label
        typed = _typed(batch, {key: f"{key}:ID({space})"})
        self._write(name, typed.append_column(":LABEL", labels))


def import_command(names: list[str], database: str = "neo4j") -> str:
    """The command that imports the files of a `Neo4jAdminExport` into an empty database."""
    nodes = [name for name in ("nodes.csv", "runs.csv", "schema.csv") if name in names]
    edges = {f"{t.value.lower()}.csv": t.value for t in EdgeType}
    parts = ["neo4j-admin database import full", database, "--array-delimiter=U+001F", "--multiline-fields=true"]
    parts += [f"--nodes={name}" for name in nodes]
    parts += [f"--relationships={edge_type}={name}" for name, edge_type in edges.items() if name in names]
    return " ".join(parts)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema)


def _typed(batch: pa.RecordBatch, names: dict[str, str]) -> pa.RecordBatch:
    """A batch whose column names carry the types of the import tool."""
    headers = [names.get(field.name) or f"{field.name}{_import_type(field.type)}" for field in batch.schema]
    return batch.rename_columns(headers)


def _import_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return ":string[]"
    if pa.types.is_boolean(kind):
        return ":boolean"
    if pa.types.is_floating(kind):
        return ":float"
    return ":int" if pa.types.is_integer(kind) else ""
