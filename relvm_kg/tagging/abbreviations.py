"""Abbreviations that a text defines itself, after Schwartz and Hearst (2003, "A simple algorithm for identifying
abbreviation definitions in biomedical text").

`amyotrophic lateral sclerosis (ALS)` defines `ALS`; so does `ALS (amyotrophic lateral sclerosis)`.
"""  # noqa: D205

import re
from collections.abc import Iterator
from typing import NamedTuple

Span = tuple[int, int]

_BRACKET = re.compile(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]")
_CUT = re.compile(r"[,;:]\s|\s(?:or|and|also|i\.e\.)\s|\s?=\s?|\s?:\s?")
_LAST_WORD = re.compile(r"[^\s()\[\]]+$")
_QUOTES = "\"'“”‘’ "
MAX_SHORT = 10
MAX_SHORT_WORDS = 2


class Definition(NamedTuple):
    """Where a text defines an abbreviation: the short form and its long form, in characters of the text."""

    short: str
    short_span: Span
    long_span: Span


def definitions(text: str) -> Iterator[Definition]:
    """The abbreviations that a sentence defines.

    >>> text = "Amyotrophic lateral sclerosis (ALS) is fatal."
    >>> [(d.short, text[slice(*d.long_span)]) for d in definitions(text)]
    [('ALS', 'Amyotrophic lateral sclerosis')]
    """
    for bracket in _BRACKET.finditer(text):
        start, end = _trimmed(text, bracket.start(1), bracket.end(1))
        cut = _CUT.search(text, start, end)
        _, short_end = _trimmed(text, start, cut.start() if cut else end)
        if is_short_form(text[start:short_end]):
            found = _long_before(text, (start, short_end), bracket.start())
            if found is not None:
                yield found
                continue
        outside = _LAST_WORD.search(text[: bracket.start()].rstrip())
        if outside is not None and is_short_form(outside.group()) and end - start > outside.end() - outside.start():
            long_start = _match_letters(outside.group(), text[start:end])
            if long_start == 0 or (long_start is not None and not text[start : start + long_start].strip(_QUOTES)):
                yield Definition(outside.group(), outside.span(), (start, end))


def is_short_form(text: str) -> bool:
    """Whether a text may be an abbreviation: two to ten characters, at most two words, a letter in it.

    >>> is_short_form("ALS"), is_short_form("see below"), is_short_form("n = 12"), is_short_form("5")
    (True, False, False, False)
    """
    if not 2 <= len(text) <= MAX_SHORT or len(text.split()) > MAX_SHORT_WORDS or not text[0].isalnum():
        return False
    if not any(c.isalpha() for c in text) or any(c in "=<>%" for c in text):
        return False
    return any(c.isupper() or c.isdigit() for c in text) or (len(text) <= 5 and " " not in text)


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start] in _QUOTES:
        start += 1
    while end > start and text[end - 1] in _QUOTES:
        end -= 1
    return start, end


def _long_before(text: str, short_span: Span, bracket: int) -> Definition | None:
    """The definition whose long form stands before the bracket."""
    short = text[slice(*short_span)]
    letters = sum(c.isalnum() for c in short)
    words = list(re.finditer(r"\S+", text[:bracket]))[-min(letters + 5, letters * 2) :]
    if not words:
        return None
    window_start, window_end = words[0].start(), words[-1].end()
    offset = _match_letters(short, text[window_start:window_end])
    if offset is None:
        return None
    start = window_start + offset
    long = text[start:window_end]
    if len(long) <= len(short) or short in long.split() or short.lower() == long.lower():
        return None
    return Definition(short, short_span, (start, window_end))


def _match_letters(short: str, long: str) -> int | None:
    """Where the long form begins whose letters, from the right, hold those of the short form in order.

    The first letter must begin a word.
    """
    place = len(long) - 1
    for index in range(len(short) - 1, -1, -1):
        letter = short[index].lower()
        if not letter.isalnum():
            continue
        while place >= 0 and (
            long[place].lower() != letter or (index == 0 and place > 0 and long[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return None
        place -= 1
    begin = place + 1
    while begin > 0 and not long[begin - 1].isspace():
        begin -= 1
    return begin
