"""What all annotated formats share: the table of types, and mentions checked against the text."""

import re
from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError
from relvm_kg.identifiers import canonical_id, split_ids
from relvm_kg.types import EntityId, EntityType, Mention, Passage

TYPES: dict[str, EntityType] = {
    "gene": EntityType.GENE,
    "geneorgeneproduct": EntityType.GENE,
    "protein": EntityType.GENE,
    "disease": EntityType.DISEASE,
    "diseaseorphenotypicfeature": EntityType.DISEASE,
    "specificdisease": EntityType.DISEASE,
    "diseaseclass": EntityType.DISEASE,
    "compositemention": EntityType.DISEASE,
    "modifier": EntityType.DISEASE,
    "chemical": EntityType.CHEMICAL,
    "chemicalentity": EntityType.CHEMICAL,
    "drug": EntityType.CHEMICAL,
}
"""Annotation types (lower case) that fold to the three; `SpecificDisease`, `DiseaseClass`, `CompositeMention` and
`Modifier` are the NCBI Disease corpus's, `...OrGeneProduct`, `...OrPhenotypicFeature` and `ChemicalEntity` BioRED's."""

REPAIR_WINDOW = 20
"""How many characters a mention may lie beside its stated offset and still be repaired."""
_SPACES = re.compile(r"\s+")


def fold_type(name: str) -> EntityType | None:
    """The type that an annotation type folds to, None for those that no relation joins (species, variants ...)."""
    return TYPES.get(name.strip().lower())


class RawAnnotation(NamedTuple):
    """An annotation as a file states it, before it is checked against the text."""

    line: int
    start: int
    end: int
    text: str
    type: EntityType
    ids: str
    record: str


def joined_text(passages: tuple[Passage, ...]) -> str:
    """The document's text, each passage at its offset, gaps filled with spaces."""
    parts: list[str] = []
    length = 0
    for passage in passages:
        if passage.offset < length:
            parts = ["".join(parts)[: passage.offset]]
        elif passage.offset > length:
            parts.append(" " * (passage.offset - length))
        parts.append(passage.text)
        length = passage.offset + len(passage.text)
    return "".join(parts)


@lru_cache(maxsize=2)
def _encoded(text: str) -> bytes:
    return text.encode()


def locate(text: str, start: int, end: int, surface: str) -> int | None:
    """Where a mention's text truly starts: as stated, else by two small repairs, else None.

    The repairs: offsets that count UTF-8 bytes; and a surface text that stands exactly once within `REPAIR_WINDOW`
    characters of the stated start.

    >>> locate("the p53 gene", 4, 7, "p53"), locate("the p53 gene", 5, 8, "p53"), locate("the p53 gene", 5, 8, "p63")
    (4, 4, None)
    """
    if not surface or not 0 <= start < end:
        return None
    if text[start:end] == surface:
        return start
    if not text.isascii():
        encoded = _encoded(text)
        if encoded[start:end] == surface.encode():
            return len(encoded[:start].decode("utf-8", "ignore"))
    low = max(0, start - REPAIR_WINDOW)
    high = start + REPAIR_WINDOW + len(surface)
    found = text.find(surface, low, high)
    if found < 0 or text.find(surface, found + 1, high) >= 0:
        return None
    return found


def check_mention(raw: RawAnnotation, text: str, passages: tuple[Passage, ...], log: ReadLog) -> Mention | None:
    """The mention of an annotation, or None after rejecting it (offsets that do not match, ids of no known form)."""
    surface = raw.text
    start = locate(text, raw.start, raw.end, surface)
    if start is None and (squeezed := _SPACES.sub(" ", surface).strip()) != surface:
        surface = squeezed
        start = locate(text, raw.start, raw.end, surface)
    if start is None:
        log.reject(raw.line, "offsets do not match the text", raw.record)
        return None
    end = start + len(surface)
    home = passages[max(0, bisect_right(passages, start, key=lambda p: p.offset) - 1)]
    if not home.offset <= start < end <= home.offset + len(home.text):
        log.reject(raw.line, "mention crosses two passages", raw.record)
        return None
    if (start, end) != (raw.start, raw.end):
        log.count("offsets repaired")
    return Mention(start, end, surface, raw.type, _ids(raw, log))


def _ids(raw: RawAnnotation, log: ReadLog) -> tuple[EntityId, ...]:
    ids: list[EntityId] = []
    for part in split_ids(raw.ids):
        try:
            found = canonical_id(part, raw.type)
        except InvalidInputError:
            log.reject(raw.line, f"no id of type {raw.type.value}", raw.record)
            continue
        if found not in ids:
            ids.append(found)
    return tuple(ids)


def distinct(mentions: list[Mention], log: ReadLog) -> tuple[Mention, ...]:
    """Mentions in order of offset, exact duplicates once."""
    kept = sorted(set(mentions), key=lambda m: (m.start, m.end, m.type, m.ids))
    if len(kept) < len(mentions):
        log.count("duplicate annotations merged", len(mentions) - len(kept))
    return tuple(kept)
