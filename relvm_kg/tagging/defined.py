"""A document's own abbreviations, read as it defines them wherever they stand."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from relvm_kg.tagging.abbreviations import definitions
from relvm_kg.tagging.lexicon import Reading
from relvm_kg.tagging.matching import Candidate, Sentence
from relvm_kg.types import EntityType


class Meaning(NamedTuple):
    """What an abbreviation stands for; no readings where its long form is no name."""

    readings: tuple[Reading, ...]
    is_stated: bool
    """Whether its long form says so, not the dictionary."""


def with_abbreviations(sentences: Sequence[Sentence], candidates: list[Candidate]) -> list[Candidate]:
    """Candidates with a document's own abbreviations read as it defines them.

    An abbreviation that is defined as something that is no name loses the readings that the dictionary gives it.
    """
    meanings = _meanings(sentences, candidates)
    if not meanings:
        return candidates
    shorts = "|".join(re.escape(short) for short in sorted(meanings, key=len, reverse=True))
    pattern = re.compile(rf"(?<![^\W_])(?:{shorts})(?=s?(?![^\W_]))")
    by_sentence: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_sentence[candidate.sentence].append(candidate)
    result: list[Candidate] = []
    for number, sentence in enumerate(sentences):
        added = []
        for match in pattern.finditer(sentence.text):
            start, end = match.start() + sentence.start, match.end() + sentence.start
            meaning = meanings[match.group()]
            added.append(Candidate(start, end, match.group(), meaning.readings, number, meaning.is_stated))
        result += _merged(by_sentence[number], added)
    return result


def _meanings(sentences: Sequence[Sentence], candidates: Sequence[Candidate]) -> dict[str, Meaning]:
    """What each abbreviation that the document defines stands for."""
    meanings: dict[str, Meaning] = {}
    by_end = {candidate.end: candidate for candidate in candidates}
    for sentence in sentences:
        if "(" not in sentence.text and "[" not in sentence.text:
            continue
        for short, short_span, (start, end) in definitions(sentence.text):
            if short in meanings and meanings[short].readings:
                continue
            long = by_end.get(end + sentence.start)
            if long is not None and (long.end - long.start) * 2 >= end - start:
                meanings[short] = Meaning(long.readings, True)
            else:
                known = by_end.get(short_span[1] + sentence.start)
                exact = known is not None and known.start == short_span[0] + sentence.start
                meanings[short] = Meaning(_kept(known.readings) if known is not None and exact else (), False)
    return meanings


def _kept(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """The readings that a definition in unknown words does not take away: official symbols of genes."""
    return tuple(r for r in readings if r.type is EntityType.GENE)


def _merged(candidates: Sequence[Candidate], added: Sequence[Candidate]) -> list[Candidate]:
    """Candidates of a sentence, those replaced that an abbreviation covers (longer ones stay).

    One without readings erases.
    """
    taken = [
        one
        for one in added
        if all(one.start <= c.start and c.end <= one.end for c in candidates if c.start < one.end and one.start < c.end)
    ]
    kept = [c for c in candidates if not any(t.start <= c.start and c.end <= t.end for t in taken)]
    return sorted([*kept, *(t for t in taken if t.readings)], key=lambda c: (c.start, c.end))
