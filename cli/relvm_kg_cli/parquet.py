"""Rows of a query as a Parquet file."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.files import atomic_path
from relvm_kg_cli.output import Row, plain


def write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Row], origin: Mapping[str, Any]) -> None:
    """Write rows to a file that is whole or not there; `origin` becomes its metadata `relvm_kg`, as JSON.

    Numbers, truth values, texts, times and lists of them keep their types. A column of anything else (nodes,
    relationships, paths, maps, values of several kinds, times of day in a zone) is JSON text, since what it holds
    differs from row to row.
    """
    arrays = [_column([row[place] for row in rows]) for place in range(len(columns))]
    schema = pa.schema(
        [pa.field(name, array.type) for name, array in zip(columns, arrays, strict=True)],
        metadata={"relvm_kg": json.dumps(plain(origin), ensure_ascii=False)},
    )
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), temporary, compression="zstd")


def _column(values: Sequence[Any]) -> pa.Array:
    if not any(_holds_map(value) for value in values):
        try:
            array = pa.array(values)
            if not _is_temporal(array.type) or plain(array.to_pylist()) == plain(values):
                return array
        except (pa.ArrowException, TypeError, OverflowError):  # of several kinds
            pass
    return pa.array(
        [None if value is None else json.dumps(plain(value), ensure_ascii=False) for value in values], pa.string()
    )


def _is_temporal(kind: pa.DataType) -> bool:
    """Whether it holds dates or times, which Arrow cuts to the kind of the first, and drops the zone of."""
    while pa.types.is_list(kind):
        kind = kind.value_type
    return bool(pa.types.is_temporal(kind))


def _holds_map(value: Any) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, Iterable) and not isinstance(value, str) and any(_holds_map(item) for item in value)
