"""Records inside one large JSON text, one at a time, with bounds on depth and size.

A place in the text is written as the keys that lead to it, `item` for any element of a list: `documents.item`. (ijson's
own `items` and `parse` write that path anew at every event, which takes forever and all memory on a text of nothing but
opening brackets; its events alone do not.)
"""

import io
from collections.abc import Iterator
from typing import IO, Any

import ijson

from relvm_kg.errors import InvalidInputError

MAX_DEPTH = 100
"""Levels of nesting; documents have a dozen."""
MAX_RECORD = 64 * 1024 * 1024
"""Bytes that may lie between the ends of two records."""
_STARTS = frozenset(("start_map", "start_array"))
_ENDS = frozenset(("end_map", "end_array"))


class JsonFile:
    """A JSON text, or several behind each other, while it is read; `line` is the line that reading has reached."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._allowance = MAX_RECORD
        self.line = 1

    def read(self, n: int) -> bytes:
        """The next bytes; called by the parser.

        Raises:
            InvalidInputError: if a record does not end within `MAX_RECORD` bytes.
        """
        data = self._handle.read(n)
        self.line += data.count(b"\n")
        self._allowance -= len(data)
        if self._allowance < 0:
            raise InvalidInputError(f"a record must not be longer than {MAX_RECORD} bytes")
        return data

    def items(self, place: str) -> Iterator[Any]:
        """The values at a place (empty: each JSON text as a whole).

        Raises:
            InvalidInputError: if the JSON is damaged, nested more than `MAX_DEPTH` levels deep, or a record overlong.
        """
        wanted = place.split(".") if place else []
        path: list[str] = []
        builder, depth = ijson.ObjectBuilder(), 0
        for event, value in _events(self):
            if depth or (path == wanted and event in _STARTS):
                builder.event(event, value)
                depth += (event in _STARTS) - (event in _ENDS)
                _check_depth(depth)
                if depth == 0:
                    self._allowance = MAX_RECORD
                    yield builder.value
                    builder = ijson.ObjectBuilder()
            elif path == wanted and event not in _ENDS and event != "map_key":
                yield value
            else:
                _follow(path, event, value)


def first_keys(head: bytes) -> set[str]:
    """The keys of the first object of a JSON text, or of a list's first, as far as `head` holds them, by their place.

    >>> sorted(first_keys(b'[{"id": 1, "passages": [{"text": "'))
    ['item.id', 'item.passages', 'item.passages.item.text']
    """
    keys: set[str] = set()
    path: list[str] = []
    try:
        for event, value in _events(io.BytesIO(head)):
            _follow(path, event, value)
            if event == "map_key":
                keys.add(".".join(path))
            elif event == "end_map" and path in ([], ["item"]):
                break
    except InvalidInputError:
        return keys
    return keys


def _events(handle: Any) -> Iterator[tuple[str, Any]]:
    try:
        yield from ijson.basic_parse(handle, multiple_values=True, use_float=True)
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"malformed JSON: {' '.join(str(error).split())[:200]}") from error


def _follow(path: list[str], event: str, value: Any) -> None:
    """Keep the path up with an event."""
    if event == "map_key":
        path[-1] = value
    elif event in _STARTS:
        path.append("item" if event == "start_array" else "")
        _check_depth(len(path))
    elif event in _ENDS:
        path.pop()


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"JSON must not be nested deeper than {MAX_DEPTH} levels")
