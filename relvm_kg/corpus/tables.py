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
indices.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 16_384
"""Rows of one row group: what a look-up reads at a time."""


def _schema(**columns: Any) -> pa.Schema:
    nullable = {"year", "first_year"}
    return pa.schema([pa.field(name, kind, nullable=name in nullable) for name, kind in columns.items()])


DOCUMENTS = _schema(
    doc_id=pa.string(),
    year=pa.int16(),
    source=pa.string(),
    n_sentences=pa.int32(),
    held_out=pa.bool_(),
    simulated=pa.bool_(),
)
SENTENCES = _schema(
    doc_id=pa.string(),
    sentence_index=pa.int32(),
    start=pa.int32(),
    text=pa.string(),
    year=pa.int16(),
    held_out=pa.bool_(),
    simulated=pa.bool_(),
)
MENTIONS = _schema(sentence_row=pa.int32(), entity=pa.int32(), start=pa.int32(), end=pa.int32())
CONTEXTS = _schema(
    head=pa.int32(),
    tail=pa.int32(),
    sentence_row=pa.int32(),
    head_start=pa.int32(),
    head_end=pa.int32(),
    tail_start=pa.int32(),
    tail_end=pa.int32(),
    held_out=pa.bool_(),
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

    def close(self) -> None:
        """Write what is left and finish the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            columns = [
                pa.array(values, type=field.type)
                for values, field in zip(zip(*self._rows, strict=True), self._schema, strict=True)
            ]
            self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=self._row_group)
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


def read_rows(path: Path, columns: list[str] | None = None) -> Iterator[tuple[Any, ...]]:
    """Rows of a table as tuples of Python values, read batch by batch."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=ROW_GROUP, columns=columns):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
