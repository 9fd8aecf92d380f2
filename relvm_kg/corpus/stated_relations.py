"""Relations that a document states between two ids, checked against what the document mentions.

Files name the two ends in many ways: a bare id (`D000690`, `6506`), a CURIE, several ids joined by `|`, or an id behind
its type (`Chemical|MESH:D000527`, as PubTator3 writes them).
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from relvm_kg.corpus.annotation import fold_type
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError
from relvm_kg.identifiers import canonical_id, split_ids
from relvm_kg.types import DocumentRelation, EntityId, EntityType, Mention

_TYPED = re.compile(r"(?P<type>[A-Za-z_]{2,})\|(?P<ids>.+)", re.DOTALL)


class StatedRelation(NamedTuple):
    """A relation as a file states it."""

    line: int
    predicate: str
    first: str
    second: str
    record: str


def check_relations(
    stated: Iterable[StatedRelation], mentions: tuple[Mention, ...], other_ids: set[str], log: ReadLog
) -> tuple[DocumentRelation, ...]:
    """The relations whose ends are entities of the three types, each once.

    Those with an end of another type (`other_ids`, or so named) are counted; those that name an id of no known form
    that the document does not mention are rejected.
    """
    known = _raw_ids(mentions)
    others = other_ids - known.keys()
    found: dict[DocumentRelation, None] = {}
    for relation in stated:
        if _is_other(relation.first, others) or _is_other(relation.second, others):
            log.count("relations of other types")
            continue
        ends = [list(_ends(end, known)) for end in (relation.first, relation.second)]
        if not ends[0] or not ends[1] or None in (*ends[0], *ends[1]):
            log.reject(relation.line, "relation names an id that the document does not mention", relation.record)
        for first in ends[0]:
            for second in ends[1]:
                if first is not None and second is not None:
                    found[DocumentRelation(relation.predicate, first, second)] = None
    return tuple(found)


def _raw_ids(mentions: tuple[Mention, ...]) -> dict[str, EntityId]:
    """Each mentioned id under its CURIE and its bare local part."""
    known: dict[str, EntityId] = {}
    for mention in mentions:
        for entity in mention.ids:
            known[entity.local] = known[str(entity)] = entity
    return known


def _is_other(end: str, others: set[str]) -> bool:
    typed = _TYPED.fullmatch(end)
    return end in others or (typed is not None and fold_type(typed["type"]) is None)


def _ends(raw: str, known: dict[str, EntityId]) -> Iterator[EntityId | None]:
    """The ids of a relation's end; None for one that cannot be told."""
    typed = _TYPED.fullmatch(raw)
    for part in split_ids(typed["ids"] if typed else raw):
        yield known[part] if part in known else _by_form(part, fold_type(typed["type"]) if typed else None)


def _by_form(raw: str, entity_type: EntityType | None) -> EntityId | None:
    """An id that is not mentioned: of the stated type, else one whose form says what it is (MeSH, or any CURIE)."""
    types = (EntityType.DISEASE, EntityType.CHEMICAL, EntityType.GENE) if entity_type is None else (entity_type,)
    for candidate in types:
        try:
            found = canonical_id(raw, candidate)
        except InvalidInputError:
            continue
        if entity_type is not None or found.prefix == "MESH" or ":" in raw:
            return found
    return None
