"""Which pairs a bulk prediction scores, cut into parts that are alike on every machine.

Memory holds one part at a time: at most `PAIRS_A_PART` pairs are scored for it and `ROWS_A_PART` kept, or those of
one entity if they are more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.types import Relation

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
PAIRS_A_PART = 1 << 20
ROWS_A_PART = 1 << 18


class Per(StrEnum):
    """Whose best partners are kept."""

    HEAD = "head"
    TAIL = "tail"
    EITHER = "either"


@dataclass(frozen=True)
class Part:
    """Entities, and whom to score each of them with. All are catalogue indices, rising."""

    relation: Relation
    anchors: IntArray
    """Entities whose partners are ranked."""
    others: IntArray
    """Entities on the other side of the label."""
    chosen: IntArray
    """Entities that the request names."""
    anchors_are_heads: bool
    """Of two genes the head is the one first in the catalogue."""
    both_ways: bool = False
    """Of two genes: whether each is ranked for the other."""

    @property
    def is_alike(self) -> bool:
        """Whether both sides are of one type."""
        return self.relation is Relation.GENE_GENE

    def partners(self, anchor: int) -> IntArray:
        """Whom to score with an anchor: of two genes, unless `both_ways`, each pair once."""
        if not self.is_alike:
            return self.others
        keep = self.others != anchor
        if not self.both_ways:
            behind = self.others < anchor if self.anchors_are_heads else self.others > anchor
            if len(self.chosen):
                behind &= np.isin(self.others, self.chosen)
            keep &= ~behind
        partners: IntArray = self.others[keep]
        return partners

    def n_partners(self) -> IntArray:
        """How many partners each anchor has. *Shape:* (anchors)"""
        n = np.full(len(self.anchors), len(self.others))
        if not self.is_alike:
            return n
        n = n - np.isin(self.anchors, self.others)
        if self.both_ways:
            return n
        rivals = np.intersect1d(self.others, self.chosen) if len(self.chosen) else self.others
        if self.anchors_are_heads:
            return n - np.searchsorted(rivals, self.anchors, side="left")
        return n - (len(rivals) - np.searchsorted(rivals, self.anchors, side="right"))


@dataclass(frozen=True)
class Candidates:
    """Who may stand in a pair, and whose best partners are kept."""

    usable: BoolArray
    """*Shape:* (entities)"""
    chosen: IntArray
    """Entities named by the request; if there are any, they are ranked for, on whichever side of a label they are."""
    per: Per
    """Who is ranked for if none are named."""
    within: bool
    """Whether both ends must be named."""
    top: int
    """Partners to keep of each; 0 keeps all."""

    def of(self, entities: npt.NDArray[np.int32]) -> IntArray:
        """Those of some entities that are usable."""
        return entities[self.usable[entities]].astype(np.int64)


def make_parts(catalogue: Catalogue, relations: Sequence[Relation], candidates: Candidates) -> list[Part]:
    """All parts, label by label."""
    parts: list[Part] = []
    for relation in relations:
        heads, tails = (candidates.of(catalogue.of_type(kind)) for kind in relation.argument_types)
        for group in _groups(relation, heads, tails, candidates):
            if len(group.others):
                parts.extend(_cut(group, candidates.top))
    return parts


def _groups(relation: Relation, heads: IntArray, tails: IntArray, candidates: Candidates) -> Iterator[Part]:
    """Everyone who is ranked for, with whom."""
    alike, chosen, per = relation is Relation.GENE_GENE, candidates.chosen, candidates.per
    if len(chosen):
        own_heads, own_tails = np.intersect1d(heads, chosen), np.intersect1d(tails, chosen)
        heads, tails = (own_heads, own_tails) if candidates.within else (heads, tails)
        yield Part(relation, own_heads, tails, chosen, anchors_are_heads=True, both_ways=alike and candidates.top > 0)
        if not alike:
            others = heads if candidates.top else np.setdiff1d(heads, chosen)
            yield Part(relation, own_tails, others, chosen, anchors_are_heads=False)
    elif alike:
        yield Part(relation, heads, tails, chosen, per is not Per.TAIL, both_ways=per is Per.EITHER)
    else:
        if per is not Per.TAIL:
            yield Part(relation, heads, tails, chosen, anchors_are_heads=True)
        if per is not Per.HEAD:
            yield Part(relation, tails, heads, chosen, anchors_are_heads=False)


def _cut(group: Part, top: int) -> Iterator[Part]:
    """A group in parts, each of as many anchors as the bounds allow."""
    pairs = group.n_partners()
    group, pairs = replace(group, anchors=group.anchors[pairs > 0]), pairs[pairs > 0]
    rows = np.minimum(pairs, top) if top else pairs
    start = n_pairs = n_rows = 0
    for place, (more_pairs, more_rows) in enumerate(zip(pairs.tolist(), rows.tolist(), strict=True)):
        n_pairs, n_rows = n_pairs + more_pairs, n_rows + more_rows
        if place > start and (n_pairs > PAIRS_A_PART or n_rows > ROWS_A_PART):
            yield replace(group, anchors=group.anchors[start:place])
            start, n_pairs, n_rows = place, more_pairs, more_rows
    if len(pairs):
        yield replace(group, anchors=group.anchors[start:])
