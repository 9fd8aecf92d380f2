"""Genes that share their first letters: `ERK1/2`, `Smad1/5/8`."""

import re
from collections.abc import Callable, Sequence

from relvm_kg.tagging.lexicon import Reading
from relvm_kg.tagging.matching import Candidate, Sentence
from relvm_kg.types import EntityType

_NUMBERED = re.compile(r"(?P<root>.*[^\W\d_]-?)\d{1,2}$")
_MORE = re.compile(r"(?:/-?\d{1,2})+(?![\w.])")

Readings = tuple[Reading, ...]


def with_series(
    sentences: Sequence[Sentence], candidates: Sequence[Candidate], readings_of: Callable[[str], Readings]
) -> list[Candidate]:
    """Candidates, those longer that begin a series of genes of which the dictionary knows every one."""
    result: list[Candidate] = []
    for candidate in candidates:
        if result and candidate.start < result[-1].end:
            continue
        longer = _series(candidate, sentences[candidate.sentence], readings_of)
        result.append(candidate if longer is None else longer)
    return result


def _series(candidate: Candidate, sentence: Sentence, readings_of: Callable[[str], Readings]) -> Candidate | None:
    end = candidate.end - sentence.start
    if not sentence.text.startswith("/", end) or candidate.also:
        return None
    numbered, more = _NUMBERED.match(candidate.surface), _MORE.match(sentence.text, end)
    if numbered is None or more is None or not all(r.type is EntityType.GENE for r in candidate.readings):
        return None
    numbers = [number.lstrip("-") for number in more.group().split("/")[1:]]
    others = [_genes(readings_of(numbered["root"] + number)) for number in numbers]
    if not all(others):
        return None
    surface = candidate.surface + more.group()
    return candidate._replace(end=candidate.start + len(surface), surface=surface, also=tuple(others))


def _genes(readings: Readings) -> Readings:
    return tuple(reading for reading in readings if reading.type is EntityType.GENE)
