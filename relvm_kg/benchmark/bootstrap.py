"""Paired bootstrap over entities: how sure a difference between two contenders is."""

from typing import NamedTuple

import numpy as np

from relvm_kg.benchmark.classification import PairTable
from relvm_kg.benchmark.ranking import RankTable
from relvm_kg.benchmark.triples import FloatArray, IntArray
from relvm_kg.errors import InvalidInputError
from relvm_kg.metrics import TieGroups


class Difference(NamedTuple):
    """First minus second contender: estimate, 95 % interval, share of resamples in which the first is not better."""

    estimate: float
    low: float
    high: float
    share_not_better: float


def mrr_difference(first: RankTable, second: RankTable, n_resamples: int, seed: int) -> Difference:
    """Difference in MRR of two contenders on the same tests.

    Entities are resampled, not rows: a row's weight is the product of how often its two entities are drawn (the
    pigeonhole bootstrap, Owen 2007), because rows that share an entity are not independent.

    Args:
        first: Ranks of one contender.
        second: Ranks of the other, the same rows.
        n_resamples: Number of bootstrap samples.
        seed: Seed of the resampling.

    Raises:
        InvalidInputError: if the rows differ.
    """
    _check(first.entities, second.entities, first.targets, second.targets)
    gain = 1 / first.realistic - 1 / second.realistic
    samples = [
        float(np.dot(w, gain) / w.sum())
        for w in _weights(first.entities, first.targets, n_resamples, seed)
        if w.sum() > 0
    ]
    return _difference(float(gain.mean()), samples)


def average_precision_difference(first: PairTable, second: PairTable, n_resamples: int, seed: int) -> Difference:
    """Difference in pooled average precision of two contenders on the same pairs; see `mrr_difference`."""
    _check(first.heads, second.heads, first.tails, second.tails)
    one, two = TieGroups(first.labels, first.scores), TieGroups(second.labels, second.scores)
    samples = [
        one.average_precision(w) - two.average_precision(w)
        for w in _weights(first.heads, first.tails, n_resamples, seed)
        if float(np.dot(w, first.labels)) > 0
    ]
    return _difference(one.average_precision() - two.average_precision(), samples)


def _weights(first: IntArray, second: IntArray, n_resamples: int, seed: int) -> list[FloatArray]:
    random = np.random.default_rng(seed)
    entities, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    left, right = places[: len(first)], places[len(first) :]
    n = len(entities)
    weights = []
    for _ in range(n_resamples):
        drawn = np.bincount(random.integers(0, n, n), minlength=n).astype(np.float64)
        weights.append(drawn[left] * drawn[right])
    return weights


def _difference(estimate: float, samples: list[float]) -> Difference:
    if not samples:
        return Difference(estimate, estimate, estimate, 1.0)
    low, high = np.quantile(samples, [0.025, 0.975])
    return Difference(estimate, float(low), float(high), float(np.mean(np.array(samples) <= 0)))


def _check(first: IntArray, second: IntArray, third: IntArray, fourth: IntArray) -> None:
    if not (np.array_equal(first, second) and np.array_equal(third, fourth)):
        raise InvalidInputError("a paired difference needs the same tests in the same order for both contenders")
