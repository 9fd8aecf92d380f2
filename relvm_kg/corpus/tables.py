"""The tables of a corpus generation: their schemas, a writer that keeps memory bounded, and a reader.

| file | a row is |
|---|---|
| `documents.parquet` | a document |
| `sentences.parquet` | a sentence; its number is the `sentence_row` of other tables |
| `mentions.parquet` | a (mention, id); sorted by `sentence_row` |
| `contexts.parquet` | the context of a pair; its number is the row of the token store |
| `relations.parquet` | a known relation |
| `comentions.parquet` | a pair with at least one context, `first` < `second` |

Offsets are characters; those of mentions and contexts count from the start of the sentence. Entities are catalogue
indices. `source_id` is the id that the source gave where a gene of another species was folded onto the human gene.
Sentences of retracted papers are in the first four; every statistic leaves them out.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.errors import WorkspaceError

ROW_GROUP = 16_384
"""Rows of one row group: what a look-up reads at a time."""


def _schema(**columns: Any) -> pa.Schema:
    nullable = {"year", "first_year", "source_id"}
    return pa.schema([pa.field(name, kind, nullable=name in nullable) for name, kind in columns.items()])


DOCUMENTS = _schema(
    doc_id=pa.string(),
    year=pa.int16(),
    source=pa.string(),
    n_sentences=pa.int32(),
    held_out=pa.bool_(),
    simulated=pa.bool_(),
    retracted=pa.bool_(),
)
SENTENCES = _schema(
    doc_id=pa.string(),
    sentence_index=pa.int32(),
    start=pa.int32(),
    text=pa.string(),
    year=pa.int16(),
    held_out=pa.bool_(),
    simulated=pa.bool_(),
    retracted=pa.bool_(),
)
MENTIONS = _schema(sentence_row=pa.int32(), entity=pa.int32(), start=pa.int32(), end=pa.int32(), source_id=pa.string())
CONTEXTS = _schema(
    head=pa.int32(),
    tail=pa.int32(),
    sentence_row=pa.int32(),
    head_start=pa.int32(),
    head_end=pa.int32(),
    tail_start=pa.int32(),
    tail_end=pa.int32(),
    held_out=pa.bool_(),
    retracted=pa.bool_(),
)
RELATIONS = _schema(
    head=pa.int32(),
    relation=pa.string(),
    tail=pa.int32(),
    predicates=pa.list_(pa.string()),
    pmids=pa.list_(pa.string()),
    sources=pa.list_(pa.string()),
    co_mentioned=pa.bool_(),
    simulated=pa.bool_(),
)
COMENTIONS = _schema(
    first=pa.int32(),
    second=pa.int32(),
    n_sentences=pa.int32(),
    n_documents=pa.int32(),
    npmi=pa.float32(),
    first_year=pa.int16(),
)


def table_of(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """A table of rows, their values in the order of the schema."""
    if not rows:
        return schema.empty_table()
    columns = zip(*rows, strict=True)
    arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


class TableWriter:
    """Writes a Parquet file row by row, one row group at a time."""

    def __init__(self, path: Path, schema: pa.Schema, row_group: int = ROW_GROUP) -> None:
        self._writer = pq.ParquetWriter(path, schema)
        self._schema = schema
        self._row_group = row_group
        self._rows: list[tuple[Any, ...]] = []
        self.n_rows = 0
        """Rows appended so far; the next row's number."""

    def append(self, *row: Any) -> None:
        """Add a row, its values in the order of the schema."""
        self._rows.append(row)
        self.n_rows += 1
        if len(self._rows) >= self._row_group:
            self._flush()

    def extend(self, rows: pa.Table) -> None:
        """Add a table of the schema."""
        self._flush()
        if rows.num_rows:
            self._writer.write_table(rows, row_group_size=self._row_group)
            self.n_rows += rows.num_rows

    def close(self) -> None:
        """Write what is left and finish the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(table_of(self._rows, self._schema), row_group_size=self._row_group)
            self._rows.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._writer.close()


def int32_array(values: npt.NDArray[np.int32]) -> pa.Array:
    """An Arrow column of a NumPy array."""
    return pa.array(values, type=pa.int32())


def read_columns(path: Path, columns: list[str]) -> pa.Table:
    """Columns of a table.

    Raises:
        WorkspaceError: if it lacks one, because an earlier version of the program wrote it.
    """
    missing = set(columns) - set(pq.read_schema(path).names)
    if missing:
        raise WorkspaceError(f"{path} lacks the column {min(missing)!r}; run relvm-kg build on the workspace again")
    return pq.read_table(path, columns=columns)
