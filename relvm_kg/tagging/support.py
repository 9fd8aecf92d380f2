"""Names too short to be believed by themselves: a document must mention the entity by a better name as well."""

import re
from collections.abc import Sequence

from relvm_kg.tagging.lexicon import NameKind, Reading
from relvm_kg.tagging.matching import Candidate
from relvm_kg.tagging.normalise import cased
from relvm_kg.types import EntityType

_WEIGHT_NAME = re.compile(r"[pP]\d{2,3}")
_LONGEST_WEAK = {EntityType.GENE: 2, EntityType.DISEASE: 3, EntityType.CHEMICAL: 2}


def is_weak(surface: str, reading: Reading) -> bool:
    """Whether a name says little by itself: symbols of two letters (of a disease: three), and proteins named by weight.

    >>> is_weak("IU", Reading(0, EntityType.DISEASE, NameKind.SYNONYM)), is_weak("gout", Reading(0, EntityType.DISEASE, NameKind.NAME))
    (True, False)
    """  # noqa: E501
    if reading.kind is NameKind.LEARNED:
        return False
    written = cased(surface)
    if reading.type is EntityType.GENE and reading.kind is not NameKind.SYMBOL and _WEIGHT_NAME.fullmatch(written):
        return True
    return len(written) <= _LONGEST_WEAK[reading.type] and any(c.isupper() or c.isdigit() for c in written)


def supported(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates without the weak readings of entities that no better name of the document supports."""
    strong = {r.entity for c in candidates for r in c.readings if c.defined or not is_weak(c.surface, r)}
    kept = []
    for candidate in candidates:
        if candidate.defined or len(candidate.surface) > _LONGEST_SURFACE:
            kept.append(candidate)
            continue
        readings = tuple(r for r in candidate.readings if r.entity in strong)
        if readings:
            kept.append(candidate._replace(readings=readings))
    return kept


_LONGEST_SURFACE = 6
