"""From readings to one type and its ids, with what the rest of the document mentions."""

from collections.abc import Collection, Sequence

from relvm_kg.tagging.lexicon import Lexicon, NameKind, Reading
from relvm_kg.tagging.matching import Candidate
from relvm_kg.tagging.types import TYPE_COLUMNS
from relvm_kg.types import EntityType

_TYPE_ORDER = {EntityType.CHEMICAL: 0, EntityType.DISEASE: 1, EntityType.GENE: 2}


def types_of(readings: Sequence[Reading]) -> tuple[EntityType, ...]:
    """The distinct types of some readings, in the order of the columns."""
    present = {reading.type for reading in readings}
    return tuple(t for t in TYPE_COLUMNS if t in present)


def default_type(readings: Sequence[Reading]) -> EntityType:
    """The type that a name has when nothing but the dictionary is asked: that of its best kind of claim."""
    return min(readings, key=lambda r: (r.kind, _TYPE_ORDER[r.type])).type


def certain_entities(candidates: Sequence[Candidate]) -> frozenset[int]:
    """The entities that a document mentions by a name that is theirs alone."""
    return frozenset(c.readings[0].entity for c in candidates if len(c.readings) == 1)


def link(readings: Sequence[Reading], certain: Collection[int], lexicon: Lexicon) -> int | None:
    """The entity that readings of one type mean, None if that cannot be told.

    In this order: the only one; one that the document mentions by a name of its own; the only one of the best kind
    (official symbol or name before synonym before previous symbol); the one with the smaller number, which is the older
    and better known.
    """
    if len(readings) == 1:
        return readings[0].entity
    rank = min(_rank(r.entity, lexicon) for r in readings)
    readings = [r for r in readings if _rank(r.entity, lexicon) == rank]
    best = min(reading.kind for reading in readings)
    if best > NameKind.NAME:
        mentioned = [reading for reading in readings if reading.entity in certain]
        if len(mentioned) == 1:
            return mentioned[0].entity
    equal = [reading for reading in readings if reading.kind == best]
    if len(equal) > 1 and best > NameKind.NAME and readings[0].type is EntityType.GENE:
        return None
    return min(equal, key=lambda r: _seniority(r.entity, lexicon)).entity


def _rank(entity: int, lexicon: Lexicon) -> int:
    """MeSH's headings go before its supplementary concepts, those before OMIM's diseases; genes are all alike."""
    prefix, local = lexicon.id_of(entity)
    return {"MESH": 1 if local.startswith("C") else 0, "OMIM": 2}.get(prefix, 0)


def _seniority(entity: int, lexicon: Lexicon) -> tuple[int, str]:
    local = lexicon.id_of(entity).local
    return len(local), local
