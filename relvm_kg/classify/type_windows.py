"""What the type classifier reads: the words around a mention, the mention itself hidden behind `<ENT>`."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from relvm_kg.corpus.contexts import ENTITY_TOKEN, tokenize
from relvm_kg.encoding.vocabulary import BEGIN, END, ENTITY, UNKNOWN
from relvm_kg.errors import InvalidInputError

Span = tuple[int, int]
_CHARACTERS_PER_TOKEN = 12
"""More than a token and its blank have on average; of what lies further away nothing is read."""
_SHORTEST_HIDDEN = 2
_CACHE = 4096


class TypeWindow(NamedTuple):
    """The tokens before and after a mention, nearest last and nearest first; whether the sentence goes on beyond."""

    left: list[str]
    right: list[str]
    left_is_cut: bool
    right_is_cut: bool


def type_window(sentence: str, span: Span, width: int) -> TypeWindow:
    """The words around a mention. Wherever its surface stands again, it is hidden too.

    Args:
        sentence: The sentence.
        span: Start and end of the mention in it, in characters.
        width: Tokens on each side at most.

    Raises:
        InvalidInputError: if the span leaves the sentence or is empty.

    >>> type_window("Loss of SOD1: SOD1 is a gene.", (8, 12), width=4)
    TypeWindow(left=['loss', 'of'], right=[':', '<ENT>', 'is', 'a'], left_is_cut=False, right_is_cut=True)
    """
    start, end = span
    if not 0 <= start < end <= len(sentence):
        raise InvalidInputError(f"a mention must lie inside its sentence of {len(sentence)} characters, was: {span}")
    reach = width * _CHARACTERS_PER_TOKEN
    first, last = _word_start(sentence, start - reach, start), _word_end(sentence, end, end + reach)
    surface = sentence[start:end].lower()
    left, right = _tokens(sentence[first:start], surface), _tokens(sentence[end:last], surface)
    return TypeWindow(
        left[-width:], right[:width], first > 0 or len(left) > width, last < len(sentence) or len(right) > width
    )


def _word_start(text: str, place: int, limit: int) -> int:
    """The first start of a word at or after a place."""
    if place <= 0:
        return 0
    while place < limit and not text[place - 1].isspace():
        place += 1
    return place


def _word_end(text: str, limit: int, place: int) -> int:
    """The last end of a word at or before a place."""
    if place >= len(text):
        return len(text)
    while place > limit and not text[place].isspace():
        place -= 1
    return place


def _tokens(text: str, surface: str) -> list[str]:
    lower = text.lower()
    if len(surface) < _SHORTEST_HIDDEN or surface not in lower:
        return tokenize(lower)
    first, *others = _whole(surface).split(lower)
    tokens = tokenize(first)
    for part in others:
        tokens += [ENTITY_TOKEN, *tokenize(part)]
    return tokens


@lru_cache(maxsize=_CACHE)
def _whole(surface: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(surface)}(?![^\W_])")


def window_ids(window: TypeWindow, ids: dict[str, int]) -> tuple[list[int], list[int]]:
    """Ids of the left side and, read backwards, of the right side; both end at `<ENT>`, the mention."""
    left = [ids.get(token, UNKNOWN) for token in window.left]
    right = [ids.get(token, UNKNOWN) for token in reversed(window.right)]
    if not window.left_is_cut:
        left.insert(0, BEGIN)
    if not window.right_is_cut:
        right.insert(0, END)
    return [*left, ENTITY], [*right, ENTITY]


def type_windows(sentences: Sequence[str], spans: Sequence[Span], width: int) -> Iterable[TypeWindow]:
    """The window of each mention.

    Raises:
        InvalidInputError: if there are not as many sentences as spans, or a span leaves its sentence.
    """
    if len(sentences) != len(spans):
        raise InvalidInputError(
            f"there must be one span for each sentence, were: {len(sentences)} sentences and {len(spans)} spans"
        )
    return (type_window(sentence, span, width) for sentence, span in zip(sentences, spans, strict=True))
