"""Names too short to be believed by themselves: a document must mention the entity by a better name as well."""

import re
from collections.abc import Sequence

from relvm_kg.tagging.lexicon import NameKind, Reading
from relvm_kg.tagging.matching import Candidate
from relvm_kg.tagging.normalise import cased
from relvm_kg.types import EntityType

_CODON = re.compile(r"[ACGTU]{3}")
_LONGEST_WEAK = {EntityType.GENE: 2, EntityType.DISEASE: 3, EntityType.CHEMICAL: 2}
_LONGEST_ALIAS = 3
_LONGEST_SHARED = 4
_LONGEST_SURFACE = 6


def is_weak(surface: str, reading: Reading, n_genes: int = 1) -> bool:
    """Whether a name says little by itself.

    Such are symbols of two letters; acronyms of diseases, and aliases of genes without a digit, of three; codons; and
    aliases of up to four that several genes share.

    Args:
        surface: the name.
        reading: one of its readings.
        n_genes: how many genes go by the name.

    >>> is_weak("IU", Reading(0, EntityType.DISEASE, NameKind.SYNONYM))
    True
    >>> is_weak("gout", Reading(0, EntityType.DISEASE, NameKind.NAME))
    False
    """
    if reading.kind is NameKind.LEARNED:
        return False
    written = cased(surface)
    if not any(c.isupper() or c.isdigit() for c in written):
        return False
    if reading.type is not EntityType.GENE or reading.kind <= NameKind.NAME:
        return len(written) <= _LONGEST_WEAK[reading.type] or _CODON.fullmatch(written) is not None
    if n_genes > 1:
        return len(written) <= _LONGEST_SHARED
    return len(written) <= _LONGEST_ALIAS - any(c.isdigit() for c in written)


def supported(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates without the weak readings of entities that no better name of the document supports."""
    strong = {r.entity for c in candidates for r in c.readings if c.defined or not is_weak(c.surface, r, _n_genes(c))}
    kept = []
    for candidate in candidates:
        if candidate.defined or len(candidate.surface) > _LONGEST_SURFACE:
            kept.append(candidate)
            continue
        readings = tuple(r for r in candidate.readings if r.entity in strong)
        if readings:
            kept.append(candidate._replace(readings=readings))
    return kept


def _n_genes(candidate: Candidate) -> int:
    return sum(reading.type is EntityType.GENE for reading in candidate.readings)
