"""Triples as arrays: head, relation, tail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from relvm_kg.types import POSITIVE_RELATIONS, EntityType, Relation

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[Any]
"""Scores and figures, of any floating type."""

SYMMETRIC: frozenset[Relation] = frozenset(r for r in POSITIVE_RELATIONS if len(set(r.argument_types)) == 1)
"""Relations between two entities of one type: (a, r, b) and (b, r, a) say the same, one of them is stored."""


@dataclass(frozen=True, eq=False)
class Triples:
    """Known or possible relations; `relations` holds `Relation.column`. *Shape:* each (triples)."""

    heads: IntArray
    relations: IntArray
    tails: IntArray

    def __len__(self) -> int:
        return len(self.heads)

    def rows(self, which: npt.NDArray[Any]) -> "Triples":
        """The triples at the given rows, or where a mask is true."""
        return Triples(self.heads[which], self.relations[which], self.tails[which])

    def of(self, relation: Relation) -> "Triples":
        """The triples of one relation."""
        return self.rows(self.relations == relation.column)

    def keys(self, n_entities: int) -> IntArray:
        """One integer for each triple."""
        return (self.heads * len(Relation) + self.relations) * n_entities + self.tails

    def both_directions(self) -> "Triples":
        """These triples, and the symmetric ones also the other way round."""
        symmetric = self.rows(np.isin(self.relations, [r.column for r in SYMMETRIC]))
        return concatenated(self, Triples(symmetric.tails, symmetric.relations, symmetric.heads))


def concatenated(*parts: Triples) -> Triples:
    """All triples of the parts, in their order."""
    return Triples(
        np.concatenate([p.heads for p in parts]),
        np.concatenate([p.relations for p in parts]),
        np.concatenate([p.tails for p in parts]),
    )


def relation_at(column: int) -> Relation:
    """The relation of an output column.

    >>> relation_at(2).value
    'GENE-GENE'
    """
    return tuple(Relation)[column]


def argument_order(
    first: IntArray, second: IntArray, types: npt.NDArray[np.int8], names: Sequence[EntityType]
) -> Triples:
    """Pairs as the triples that their types allow, in argument order; pairs without a label are left out.

    Entities of one type stay in the order given, which is that of their ids where `first < second`.

    Args:
        first: Catalogue indices. *Shape:* (pairs)
        second: Catalogue indices. *Shape:* (pairs)
        types: Type of each entity, as a position in `names`.
        names: The types.
    """
    parts = []
    for relation in POSITIVE_RELATIONS:
        head_type, tail_type = (names.index(t) for t in relation.argument_types)
        orders = [(first, second)] if relation in SYMMETRIC else [(first, second), (second, first)]
        for heads, tails in orders:
            fits = (types[heads] == head_type) & (types[tails] == tail_type)
            count = int(fits.sum())
            parts.append(Triples(heads[fits], np.full(count, relation.column, np.int64), tails[fits]))
    return concatenated(*parts)
