"""What "novel" means, for `rank`, `predict` and what is exported of predictions.

A pair is no news if its relation is known; if it follows from a known one, because one end is above or below an end of
it (`near_known`); or if an end is a term too general to say anything (`general`).

A known relation of a wide term says nothing of what is below it: that a gene is known for Sarcoma leaves
Neurofibrosarcoma news. What is above an end of a known relation is no news in any case.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.generality import specific, too_general
from relvm_kg.pipeline.facts import PairFacts

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class NovelRule:
    """Which pairs to leave out as no news."""

    novel: bool = False
    """Leave out pairs whose relation is known, those that follow from it, and general terms ..."""
    keep_related: bool = False
    """... but not those that follow from a known one,"""
    keep_general: bool = False
    """... and not general terms."""

    @classmethod
    def of(cls, novel: "NovelRule | bool") -> "NovelRule":
        """A rule as it is; true for the rule that leaves out all that is no news, false for the one that keeps it."""
        return novel if isinstance(novel, NovelRule) else cls(novel=novel)


class PairNews(NamedTuple):
    """For each partner of an entity, why the pair may be no news. *Shape:* (partners,) each."""

    known: BoolArray
    near_known: BoolArray
    general: BoolArray
    """Whether the partner is too general; the entity itself may be, it was asked for."""

    def left_out(self, rule: NovelRule) -> tuple[BoolArray, BoolArray, BoolArray]:
        """What a rule leaves out as known, as near a known relation, and as too general, each pair once."""
        known = self.known & rule.novel
        near = self.near_known & ~known & (rule.novel and not rule.keep_related)
        general = self.general & ~known & ~near & (rule.novel and not rule.keep_general)
        return known, near, general


class LeftOut(NamedTuple):
    """How many pairs were left out, each under one reason."""

    known: int = 0
    related: int = 0
    """For they are near a known relation."""
    general: int = 0


class Novelty:
    """Tells news from what is known, for the entities of a catalogue."""

    def __init__(self, catalogue: Catalogue, facts: PairFacts | None) -> None:
        self._catalogue = catalogue
        self._facts = facts

    @cached_property
    def general(self) -> BoolArray:
        """Which entities are too general. *Shape:* (entities,)"""
        return too_general(self._catalogue)

    @cached_property
    def _specific(self) -> BoolArray:
        return specific(self._catalogue)

    def of(self, entity: int, partners: IntArray) -> PairNews:
        """What is news of the pairs of an entity and its possible partners; without a corpus nothing is known."""
        general = self.general[partners]
        if self._facts is None:
            nothing = np.zeros(len(partners), dtype=bool)
            return PairNews(nothing, nothing, general)
        known = self._facts.partners(np.array([entity]))
        return PairNews(self._marked(known)[partners], self._marked(self._following(entity))[partners], general)

    def _marked(self, entities: IntArray) -> BoolArray:
        """Which entities of the catalogue are among some."""
        marked = np.zeros(len(self._catalogue), dtype=np.bool_)
        marked[entities] = True
        return marked

    def select(self, entity: int, partners: IntArray, rule: NovelRule) -> tuple[IntArray, LeftOut]:
        """The partners that a rule keeps, and how many it does not."""
        if not rule.novel:
            return partners, LeftOut()
        masks = self.of(entity, partners).left_out(rule)
        return partners[~np.logical_or.reduce(masks)], LeftOut(*(int(mask.sum()) for mask in masks))

    def _following(self, entity: int) -> IntArray:
        """Whoever is above or below a known partner, and the known partners of whatever is above or below the entity.

        Only specific terms let what is below them follow.
        """
        assert self._facts is not None
        hierarchy = self._catalogue.hierarchy
        partners = self._facts.partners(np.array([entity]))
        above = hierarchy.above([entity])
        known_elsewhere = np.concatenate([hierarchy.below([entity]), above[self._specific[above]]])
        found: IntArray = np.concatenate(
            [
                hierarchy.above(partners.tolist()),
                hierarchy.below(partners[self._specific[partners]].tolist()),
                self._facts.partners(known_elsewhere),
            ]
        )
        return found
