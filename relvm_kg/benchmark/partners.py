"""Known partners of an entity under a relation: what the filtered ranking leaves out."""

from collections.abc import Iterator
from enum import StrEnum

import numpy as np

from relvm_kg.benchmark.triples import IntArray, Triples, relation_at
from relvm_kg.types import Relation


class Side(StrEnum):
    """The argument that a query replaces by every candidate."""

    HEAD = "head"
    TAIL = "tail"


class PartnerIndex:
    """Partners by (relation, replaced side, entity), ascending; symmetric relations in both directions."""

    def __init__(self, known: Triples) -> None:
        self._known = known
        triples = known.both_directions()
        self._partners: dict[tuple[Relation, Side, int], IntArray] = {}
        for column in np.unique(triples.relations):
            relation = relation_at(int(column))
            part = triples.of(relation)
            for side, entities, partners in (
                (Side.TAIL, part.heads, part.tails),
                (Side.HEAD, part.tails, part.heads),
            ):
                for entity, group in _groups(entities, partners):
                    self._partners[relation, side, entity] = group

    def of(self, entity: int, relation: Relation, side: Side) -> IntArray:
        """Known partners of `entity` on the replaced side."""
        return self._partners.get((relation, side, entity), np.zeros(0, np.int64))

    @property
    def known(self) -> Triples:
        """The triples that the index was made of."""
        return self._known


def _groups(entities: IntArray, partners: IntArray) -> Iterator[tuple[int, IntArray]]:
    order = np.lexsort((partners, entities))
    entities, partners = entities[order], partners[order]
    starts = np.flatnonzero(np.r_[True, entities[1:] != entities[:-1]])
    for start, group in zip(starts, np.split(partners, starts[1:]), strict=True):
        yield int(entities[start]), np.unique(group)
