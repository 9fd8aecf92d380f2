"""Arrow columns as columns of text, so that text formats are written a batch at a time instead of a row at a time."""

import hashlib
import re
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.compute as pc

from relvm_kg_graph.schema import EdgeType

UNIT_SEPARATOR = "\x1f"
"""Stands between the items of a list while it is one string."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NTRIPLES_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x08": "\\b", "\x0c": "\\f"}


def joined(*parts: pa.Array | str, separator: str = "") -> pa.Array:
    """Texts of a row side by side; a null counts as nothing."""
    return pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement="")


def encoded(column: pa.Array, encode: Callable[[str], str]) -> pa.Array:
    """A text column with each distinct value encoded once; nulls stay."""
    compact = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    values = pa.array([encode(value) for value in compact.dictionary.to_pylist()], pa.string())
    return values.take(compact.indices)


def as_text(column: pa.Array, separator: str = UNIT_SEPARATOR) -> pa.Array:
    """Any column of the schema as text: numbers in the shortest form that reads back, lists joined by a separator."""
    if pa.types.is_list(column.type):
        return pc.binary_join(column, separator)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def as_json(column: pa.Array) -> pa.Array:
    """A column as JSON values."""
    text = as_text(column)
    if pa.types.is_list(column.type):
        return encoded(text, _json_list)
    return encoded(text, encode_basestring) if pa.types.is_string(column.type) else text


def _json_list(items: str) -> str:
    return f"[{','.join(map(encode_basestring, items.split(UNIT_SEPARATOR)))}]" if items else "[]"


def as_line_text(column: pa.Array) -> pa.Array:
    """A column for tab-separated lines without quotes: tabs and line ends become spaces, lists are joined by `|`."""
    return encoded(as_text(column, "|"), lambda value: re.sub(r"[\t\r\n]+", " ", value))


def as_xml(column: pa.Array) -> pa.Array:
    """A column as XML text; characters that XML cannot hold become spaces, lists are joined by `|`."""
    return encoded(as_text(column, "|"), lambda value: escape(_CONTROL.sub(" ", value), {'"': "&quot;"}))


def ntriples_literal(value: str) -> str:
    """A string as a quoted literal.

    >>> ntriples_literal("a name")
    '"a name"'
    """
    return '"' + re.sub(r'["\\\n\r\t\x08\x0c]', lambda match: _NTRIPLES_ESCAPES[match[0]], value) + '"'


def edge_ids(edge_type: EdgeType, batch: pa.RecordBatch) -> pa.Array:
    """An id for each edge, the same at every export: a hash of type, ends, relation and run."""
    names = [name for name in ("subject", "relation", "object", "run_id") if name in batch.schema.names]
    keys = joined(edge_type.value, *(batch.column(name) for name in names), separator=UNIT_SEPARATOR)
    ids = [hashlib.blake2b(key.encode(), digest_size=12).hexdigest() for key in keys.to_pylist()]
    return pa.array(ids, pa.string())


def lines(columns: Iterable[pa.Array | str]) -> bytes:
    """Rows joined from columns of text, each with a line end."""
    rows = joined(*columns, "\n")
    return b"".join(rows.cast(pa.binary()).to_pylist())
