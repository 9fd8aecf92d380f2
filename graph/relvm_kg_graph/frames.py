"""Tables as the Cypher engine's loader takes them: pandas frames. Apart, because loading pandas takes half a second."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

_NULLABLE = {
    pa.int32(): pd.Int32Dtype(),
    pa.float32(): pd.Float32Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of plain values."""
    return pd.DataFrame(list(rows))


def frame(table: pa.Table) -> pd.DataFrame:
    """A table as the engine's loader wants it: nulls stay nulls, lists are Python lists."""
    lists = [f.name for f in table.schema if pa.types.is_list(f.type)]
    values: pd.DataFrame = table.drop_columns(lists).to_pandas(types_mapper=_NULLABLE.get)
    for name in lists:
        values[name] = pd.Series(table[name].to_pylist(), dtype=object)
    return values
