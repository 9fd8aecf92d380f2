"""Several diseases that share their last word: `breast and ovarian cancer`, `renal or hepatic toxicity`."""

import re
from collections.abc import Callable, Sequence

from relvm_kg.tagging.lexicon import Reading
from relvm_kg.tagging.matching import Candidate, Sentence
from relvm_kg.types import EntityType

_HEAD = re.compile(r"(?P<before>.*\s)(?P<head>[^\W\d_]+)$")
_BEFORE = re.compile(r"(?:^|(?<=[\s(]))(?P<words>[^\W\d_]+(?:, [^\W\d_]+)*),?(?: and/or | and | or |/|-)$")
_LONGEST = 60
"""Characters before a name in which the other names are looked for."""
_NO_DISEASES = frozenset({"the", "this", "that", "these", "both", "other", "all", "no", "of", "in", "with", "non"})

Readings = tuple[Reading, ...]


def with_composites(
    sentences: Sequence[Sentence],
    candidates: Sequence[Candidate],
    readings_of: Callable[[str], Readings],
) -> list[Candidate]:
    """Candidates, those longer that are the last of several diseases with one head.

    Words before a disease's name, joined to it by `and`, `or`, a slash or commas, are looked up with its last word:
    where all of them are diseases as well, one candidate stands for all.

    Args:
        sentences: The document's sentences.
        candidates: Its candidates, in order.
        readings_of: Looks up a text as a whole.
    """
    result: list[Candidate] = []
    for candidate in candidates:
        longer = _composite(candidate, sentences[candidate.sentence], readings_of)
        if longer is None:
            result.append(candidate)
            continue
        while result and result[-1].end > longer.start:
            result.pop()
        result.append(longer)
    return result


def _composite(candidate: Candidate, sentence: Sentence, readings_of: Callable[[str], Readings]) -> Candidate | None:
    head = _HEAD.match(candidate.surface)
    if head is None or not _are_diseases(candidate.readings):
        return None
    place = candidate.start - sentence.start
    before = _BEFORE.search(sentence.text, max(0, place - _LONGEST), place)
    if before is None:
        return None
    words = before["words"].split(", ")
    if _NO_DISEASES & {word.lower() for word in words}:
        return None
    others = [diseases_of(readings_of(f"{word} {head['head']}")) for word in words]
    if not all(others):
        return None
    surface = sentence.text[before.start("words") : candidate.end - sentence.start]
    return candidate._replace(start=sentence.start + before.start("words"), surface=surface, also=tuple(others))


def _are_diseases(readings: Readings) -> bool:
    return bool(readings) and all(reading.type is EntityType.DISEASE for reading in readings)


def diseases_of(readings: Readings) -> Readings:
    """Those of some readings that are diseases."""
    return tuple(reading for reading in readings if reading.type is EntityType.DISEASE)
