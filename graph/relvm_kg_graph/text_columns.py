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
"""Stands between the items of a list, or the parts of a key, that are one string."""
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


def joined_items(column: pa.Array, separator: str, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """A column of lists as text: all items changed at once, those of a row joined."""
    lengths = pc.cumulative_sum(pc.fill_null(pc.list_value_length(column), 0))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), lengths.cast(pa.int32())])
    texts = pc.binary_join(pa.ListArray.from_arrays(offsets, change(pc.list_flatten(column))), separator)
    return pc.if_else(pc.is_valid(column), texts, pa.scalar(None, pa.string()))


def escaped_items(column: pa.Array) -> pa.Array:
    r"""A column of lists as text, items joined by `|`; a `|` or backslash in an item has a backslash before it.

    >>> escaped_items(pa.array([["a", "b|c"], []])).to_pylist()
    ['a|b\\|c', '']
    """
    return joined_items(
        column, "|", lambda items: pc.replace_substring(pc.replace_substring(items, "\\", "\\\\"), "|", "\\|")
    )


def n_differing(before: pa.Array, after: pa.Array) -> int:
    """Rows in which two columns of text differ."""
    return pc.sum(pc.not_equal(before, after)).as_py() or 0


def as_text(column: pa.Array) -> pa.Array:
    """Any column of the schema but lists as text: numbers in the shortest form that reads back."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def as_json(column: pa.Array) -> pa.Array:
    """A column as JSON values."""
    if pa.types.is_list(column.type):
        items = joined_items(column, ",", lambda values: encoded(values, encode_basestring))
        return pc.binary_join_element_wise("[", items, "]", "")
    return encoded(column, encode_basestring) if pa.types.is_string(column.type) else as_text(column)


def as_line_text(column: pa.Array) -> tuple[pa.Array, int]:
    """A column for tab-separated lines without quotes, and how many values had to change.

    Lists are joined by `|`. Tabs, line ends and `|` in a value become spaces: KGX reads no quotes and no escapes.
    """
    n_changed = 0

    def change(values: pa.Array) -> pa.Array:
        nonlocal n_changed
        changed = encoded(values, lambda value: re.sub(r"[\t\r\n|]+", " ", value))
        n_changed += n_differing(values, changed)
        return changed

    if pa.types.is_list(column.type):
        return joined_items(column, "|", change), n_changed
    if not pa.types.is_string(column.type):
        return as_text(column), 0
    return change(column), n_changed


def as_xml(column: pa.Array) -> tuple[pa.Array, int]:
    """A column as XML text, lists as `escaped_items`, and how many values have spaces for what XML cannot hold."""
    text = escaped_items(column) if pa.types.is_list(column.type) else as_text(column)
    clean = encoded(text, lambda value: _CONTROL.sub(" ", value))
    return encoded(clean, lambda value: escape(value, {'"': "&quot;", "\r": "&#13;"})), n_differing(text, clean)


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
