"""What the labels of one training say of entities: degrees, rates, and how many pairs they are counted over."""

from dataclasses import dataclass

import numpy as np

from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.data import Comentions
from relvm_kg.benchmark.floors import RATE_PRIOR_PAIRS
from relvm_kg.benchmark.triples import SYMMETRIC, FloatArray, IntArray
from relvm_kg.types import POSITIVE_RELATIONS

_SYMMETRIC = [relation.column for relation in SYMMETRIC]


def training_degrees(pairs: FamilyPairs, training: IntArray, n_entities: int) -> tuple[FloatArray, FloatArray]:
    """How many training positives of its label the head and the tail of each pair have. *Shape:* (pairs) twice"""
    positives = training[pairs.positive[training]]
    counts = _counts(pairs, positives, np.ones(len(positives)), n_entities)
    return counts[0][pairs.relations, pairs.heads], counts[1][pairs.relations, pairs.tails]


def _counts(pairs: FamilyPairs, rows: IntArray, weights: FloatArray, n_entities: int) -> tuple[FloatArray, FloatArray]:
    """Weight of rows of each label and entity, as head and as tail; the sum of both for symmetric labels.

    *Shape:* (labels, entities) twice
    """
    sides = []
    for ends in (pairs.heads, pairs.tails):
        table = np.zeros((len(POSITIVE_RELATIONS) + 1, n_entities))
        np.add.at(table, (pairs.relations[rows], ends[rows]), weights)
        sides.append(table)
    both = sides[0][_SYMMETRIC] + sides[1][_SYMMETRIC]
    sides[0][_SYMMETRIC] = sides[1][_SYMMETRIC] = both
    return sides[0], sides[1]


@dataclass(frozen=True, eq=False)
class RateAndCount:
    """Both entities' share of positives among their training pairs of the label, and ln(1 + common sentences).

    A share is drawn to the label's mean as if by `RATE_PRIOR_PAIRS` pairs more; training rows leave themselves out.
    """

    comentions: Comentions
    with_sizes: bool = False
    """Add ln(1 + training pairs) of both."""

    @property
    def width(self) -> int:
        """Three features, or five with the numbers of pairs."""
        return 5 if self.with_sizes else 3

    def __call__(self, pairs: FamilyPairs, training: IntArray) -> tuple[FloatArray, FloatArray]:
        """See `FitFeatures`."""
        n = self.comentions.n_entities
        own = np.zeros((2, len(pairs)))
        own[0, training], own[1, training] = 1.0, pairs.positive[training]
        sizes = _counts(pairs, training, np.ones(len(training)), n)
        known = _counts(pairs, training, pairs.positive[training].astype(np.float64), n)
        means = _label_means(pairs, training)[pairs.relations]
        rates, counts = [], []
        for side, ends in enumerate((pairs.heads, pairs.tails)):
            size = sizes[side][pairs.relations, ends] - own[0]
            rate = known[side][pairs.relations, ends] - own[1]
            rates.append((rate + means * RATE_PRIOR_PAIRS) / (size + RATE_PRIOR_PAIRS))
            counts.append(np.log1p(size))
        common = np.log1p(self.comentions.look_up(self.comentions.n_sentences, pairs.heads, pairs.tails, absent=0.0))
        columns = [[*rates, *counts], [*rates[::-1], *counts[::-1]]]
        kept = 4 if self.with_sizes else 2
        forward, backward = (np.column_stack([*order[:kept], common]) for order in columns)
        return forward, backward


def _label_means(pairs: FamilyPairs, training: IntArray) -> FloatArray:
    """Share of positives among the training pairs of each label. *Shape:* (labels)"""
    means = np.full(len(POSITIVE_RELATIONS) + 1, 0.5)
    for relation in POSITIVE_RELATIONS:
        rows = training[pairs.relations[training] == relation.column]
        if len(rows):
            means[relation.column] = pairs.positive[rows].mean()
    return means
