"""The pairs of one family, with what decides which fit trains on a pair and which column it is tested in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relvm_kg.benchmark.columns.groups import GroupArray
from relvm_kg.benchmark.columns.settings import N_FOLDS, VALIDATION_GROUP, Family, Kind, Stage
from relvm_kg.benchmark.triples import IntArray
from relvm_kg.encoding.split import Split
from relvm_kg.pairs import pair_keys

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class FamilyPairs:
    """Pairs in the argument order of their label; entities are catalogue indices. *Shape:* (pairs) each."""

    family: Family
    heads: IntArray
    tails: IntArray
    relations: IntArray
    """Column of the label that joins the types of the two."""
    positive: BoolArray
    """Whether the relation is known; the others are unlabelled, not proven false."""
    head_groups: GroupArray
    tail_groups: GroupArray
    splits: npt.NDArray[np.int8]
    """Part of the random split (`Split`)."""
    rounds: GroupArray
    """Round in which the pair is tested cold; -1 for pairs with an entity of the validation group."""

    def __len__(self) -> int:
        return len(self.heads)

    @property
    def keys(self) -> IntArray:
        """One integer for each unordered pair."""
        return pair_keys(self.heads, self.tails)

    @property
    def both(self) -> BoolArray:
        """Whether both entities are of one group, so that the pair is tested with both of them cold."""
        return np.asarray(self.head_groups == self.tail_groups)

    @property
    def n_validation_entities(self) -> npt.NDArray[np.int8]:
        """How many of the two are of the validation group."""
        counts: npt.NDArray[np.int8] = np.add(
            self.head_groups == VALIDATION_GROUP, self.tail_groups == VALIDATION_GROUP, dtype=np.int8
        )
        return counts

    def rows(self, stage: Stage, kind: Kind) -> IntArray:
        """Rows of one column."""
        apart = self.n_validation_entities == 0
        if kind is Kind.RANDOM:
            return np.flatnonzero(apart & (self.splits == (Split.TEST if stage is Stage.TEST else Split.VALIDATION)))
        if stage is Stage.VALIDATION:
            return np.flatnonzero(self.n_validation_entities == (2 if kind is Kind.BOTH_COLD else 1))
        return np.flatnonzero(apart & (self.both == (kind is Kind.BOTH_COLD)))

    def touches(self, group: int) -> BoolArray:
        """Whether one of the two entities is of a group."""
        return np.asarray((self.head_groups == group) | (self.tail_groups == group))

    def take(self, chosen: IntArray | BoolArray) -> "FamilyPairs":
        """Some of the pairs."""
        columns = {
            name: getattr(self, name)[chosen]
            for name in ("heads", "tails", "relations", "positive", "head_groups", "tail_groups", "splits", "rounds")
        }
        return FamilyPairs(family=self.family, **columns)


@dataclass(frozen=True, eq=False)
class Fit:
    """One training of a classifier: rows to learn from, rows to stop on, rows to score."""

    name: str
    training: IntArray
    stops: Mapping[Kind, IntArray]
    """Validation rows; the scores of a column come from the epoch that is best on these."""
    reads: Mapping[Kind, IntArray]
    """Rows that are scored, by the column they count in."""


def fits(pairs: FamilyPairs, stage: Stage) -> list[Fit]:
    """The trainings of a stage: one for validation, six for test (random, and a round for each fold).

    Validation trains on labels of pairs without validation entities that are outside the random validation and test
    parts. A cold round trains on pairs without validation entities and without entities of its fold, whatever their
    part of the random split. Each test pair is scored once at random and once cold.
    """
    apart = pairs.n_validation_entities == 0
    if stage is Stage.VALIDATION:
        columns = {kind: pairs.rows(stage, kind) for kind in Kind}
        return [Fit("validation", np.flatnonzero(apart & (pairs.splits == Split.TRAIN)), columns, columns)]
    random = Fit(
        "random",
        np.flatnonzero(pairs.splits == Split.TRAIN),
        {Kind.RANDOM: pairs.rows(Stage.VALIDATION, Kind.RANDOM)},
        {Kind.RANDOM: pairs.rows(Stage.TEST, Kind.RANDOM)},
    )
    return [random, *(_cold_fit(pairs, fold, apart) for fold in range(N_FOLDS))]


def _cold_fit(pairs: FamilyPairs, fold: int, apart: BoolArray) -> Fit:
    touched = pairs.touches(fold)
    one = pairs.rows(Stage.VALIDATION, Kind.ONE_COLD)
    own = pairs.rounds == fold
    return Fit(
        f"cold {fold}",
        np.flatnonzero(apart & ~touched),
        {Kind.ONE_COLD: one[~touched[one]], Kind.BOTH_COLD: pairs.rows(Stage.VALIDATION, Kind.BOTH_COLD)},
        {Kind.ONE_COLD: np.flatnonzero(own & ~pairs.both), Kind.BOTH_COLD: np.flatnonzero(own & pairs.both)},
    )
