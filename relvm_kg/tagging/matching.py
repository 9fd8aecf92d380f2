"""The names in a document before they are linked: the longest matches of each sentence, with their readings."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from relvm_kg.corpus.sentences import split_text
from relvm_kg.tagging.automaton import hashes_of
from relvm_kg.tagging.lexicon import Lexicon, NameKind, Reading
from relvm_kg.tagging.normalise import TOKEN, cased, normal_form
from relvm_kg.tagging.spelling import may_be
from relvm_kg.tagging.terms import word_list
from relvm_kg.types import Document, Passage

Span = tuple[int, int]
_CACHE = 1 << 17
_NEGATED = re.compile(r"(?<![^\W_])(?:[Aa]nti|[Nn]on|[Pp]ro)-$")
"""What turns a word into another (`anti-inflammatory`, `non-diabetic`)."""
_CODE = re.compile(r"[- ]?\d{3}")
_LONGEST_CODE = 4


class Sentence(NamedTuple):
    """A sentence and where it starts in the document."""

    start: int
    text: str


class Candidate(NamedTuple):
    """A stretch of text (offsets in the document) and what it may stand for."""

    start: int
    end: int
    surface: str
    readings: tuple[Reading, ...]
    sentence: int
    """The number of its sentence in the document."""
    defined: bool = False
    """Whether the document itself defines it as an abbreviation."""
    also: tuple[tuple[Reading, ...], ...] = ()
    """Of a composite ("breast and ovarian cancer"), what its other parts may stand for."""


def sentences_of(document: Document) -> list[Sentence]:
    """The sentences of a document: as its passages state them, else as they are split here."""
    return [
        Sentence(passage.offset + start, passage.text[start:end])
        for passage in document.passages
        for start, end in _spans(passage)
    ]


def _spans(passage: Passage) -> Sequence[Span]:
    return passage.sentences or split_text(passage.text)


class Matcher:
    """Finds the longest names of a lexicon in sentences."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._readings = lru_cache(maxsize=_CACHE)(self._valid_readings)

    def readings_of(self, surface: str) -> tuple[Reading, ...]:
        """The readings of a stretch of text as a whole."""
        forms = [normal_form(token) for token in TOKEN.findall(surface)]
        row = int(self.lexicon.table.rows(hashes_of([b"".join(forms)]))[0])
        return self._readings(row, surface) if row >= 0 else ()

    def match(self, sentences: Sequence[Sentence]) -> list[Candidate]:
        """Leftmost longest matches of each sentence that have at least one reading."""
        forms: list[bytes] = []
        places: list[Span] = []
        owners: list[int] = []
        limits = []
        for number, sentence in enumerate(sentences):
            before = len(places)
            for token in TOKEN.finditer(sentence.text):
                forms.append(normal_form(token.group()))
                places.append(token.span())
            limits.append(len(places))
            owners += [number] * (len(places) - before)
        bounds = np.array(limits, dtype=np.int64)[owners] if owners else np.zeros(0, dtype=np.int64)
        found: list[Candidate] = []
        reach = 0
        for first, end, row in self.lexicon.table.find(forms, bounds):
            if first < reach:
                continue
            number = owners[first]
            sentence = sentences[number]
            start, stop = places[first][0], places[end - 1][1]
            surface = sentence.text[start:stop]
            readings = self._readings(row, surface)
            if readings and not _is_part_of_more(sentence.text, start, stop):
                reach = end
                found.append(Candidate(sentence.start + start, sentence.start + stop, surface, readings, number))
        return found

    def _valid_readings(self, row: int, surface: str) -> tuple[Reading, ...]:
        if not is_balanced(surface) or has_odd_edge(surface):
            return ()
        kept: dict[int, Reading] = {}
        exact: set[int] = set()
        written = cased(surface)
        for reading, spelling in self.lexicon.readings(row):
            is_exact = not spelling or written == spelling
            as_learned = reading.kind is NameKind.LEARNED and is_exact
            if spelling and not as_learned and not may_be(surface, spelling, reading.type):
                continue
            known = kept.get(reading.entity)
            if known is None or reading.kind < known.kind:
                kept[reading.entity] = reading
            if is_exact:
                exact.add(reading.entity)
        return tuple(reading for reading in kept.values() if not exact or reading.entity in exact)


_OPENING = re.compile(r"[(\[]")
_CLOSING = re.compile(r"[)\]]")


def _is_part_of_more(text: str, start: int, end: int) -> bool:
    """Whether what stands around a match makes another word of it (`anti-inflammatory`, `MK-801`)."""
    if end - start <= _LONGEST_CODE and _CODE.match(text, end):
        return True
    return _NEGATED.search(text, max(0, start - 6), start) is not None


def has_odd_edge(surface: str) -> bool:
    """Whether a stretch of several words starts or ends with a word that no name does (`but in`, `and 1`)."""
    if " " not in surface:
        return False
    words = surface.lower().split(" ")
    edges = word_list("edges")
    return words[0] in edges or words[-1] in edges or (words[0] == "a" and words[1].isalpha())


def is_balanced(surface: str) -> bool:
    """Whether as many brackets open as close."""
    return len(_OPENING.findall(surface)) == len(_CLOSING.findall(surface))
