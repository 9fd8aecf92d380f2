"""Floors that need no vectors: degree product, co-mention count and NPMI, entity rate + count."""

from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import numpy as np

from relvm_kg.benchmark.contender import TrainedContender, TrainingRecord
from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.triples import SYMMETRIC, FloatArray, IntArray, concatenated
from relvm_kg.encoding.split import Split
from relvm_kg.progress import Progress
from relvm_kg.types import POSITIVE_RELATIONS, Relation

RATE_PRIOR_PAIRS = 1.0
"""An entity's rate is drawn to the label's mean as if by this many pairs more, so that few pairs say little."""


class PairFunction(Protocol):
    """Scores pairs row by row; heads and tails broadcast."""

    def __call__(self, heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        """One score for each pair."""


@dataclass(frozen=True)
class PairwiseContender:
    """A contender made of one function of pairs."""

    name: str
    function: PairFunction

    def score_tails(self, head: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """See `Contender.score_tails`."""
        return self.function(np.full(len(candidates), head), candidates, relation)

    def score_heads(self, tail: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """See `Contender.score_heads`."""
        return self.function(candidates, np.full(len(candidates), tail), relation)

    def score_pairs(self, heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        """See `Contender.score_pairs`."""
        return self.function(heads, tails, relation)


def degree_product(data: BenchmarkData, progress: Progress) -> TrainedContender:
    """Preferential attachment: (1 + degree of head) (1 + degree of tail), degrees of training positives by label.

    The added 1 orders candidates of an entity without training positives by their own degree.
    """
    train = data.positives.part(Split.TRAIN).both_directions()
    degrees = {}
    for relation in POSITIVE_RELATIONS:
        part = train.of(relation)
        degrees[relation] = (
            1.0 + np.bincount(part.heads, minlength=data.n_entities),
            1.0 + np.bincount(part.tails, minlength=data.n_entities),
        )

    def score(heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        of_heads, of_tails = degrees[relation]
        return of_heads[heads] * of_tails[tails]

    return TrainedContender(PairwiseContender("degree product", score), TrainingRecord(seconds=0.0, n_parameters=0))


def comention_count(data: BenchmarkData, progress: Progress) -> TrainedContender:
    """Number of training sentences that mention both."""
    table = data.comentions

    def score(heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        return table.look_up(table.n_sentences, heads, tails, absent=0.0)

    return TrainedContender(PairwiseContender("co-mention count", score), TrainingRecord(seconds=0.0, n_parameters=0))


def comention_npmi(data: BenchmarkData, progress: Progress) -> TrainedContender:
    """Normalised pointwise mutual information of the two mentions over sentences, -1 without any co-mention."""
    table = data.comentions

    def score(heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        return table.look_up(table.npmi, heads, tails, absent=-1.0)

    return TrainedContender(PairwiseContender("co-mention NPMI", score), TrainingRecord(seconds=0.0, n_parameters=0))


@dataclass(frozen=True, eq=False)
class _Rates:
    """Positives and pairs of each entity among the training co-mentioned pairs of one label, by argument."""

    positives: tuple[FloatArray, FloatArray]
    pairs: tuple[FloatArray, FloatArray]
    mean: float

    @classmethod
    def count(cls, heads: IntArray, tails: IntArray, labels: FloatArray, n_entities: int, symmetric: bool) -> "_Rates":
        pairs = [np.bincount(side, minlength=n_entities).astype(np.float64) for side in (heads, tails)]
        positives = [np.bincount(side, weights=labels, minlength=n_entities) for side in (heads, tails)]
        if symmetric:
            pairs, positives = [pairs[0] + pairs[1]] * 2, [positives[0] + positives[1]] * 2
        mean = float(labels.mean()) if len(labels) else 0.5
        return cls((positives[0], positives[1]), (pairs[0], pairs[1]), mean)

    def rate(self, side: int, entities: IntArray, own: FloatArray | None = None) -> FloatArray:
        """Shrunken share of positives; with `own` labels the pair itself is left out."""
        positives, pairs = self.positives[side][entities], self.pairs[side][entities]
        if own is not None:
            positives, pairs = positives - own, pairs - 1
        return (positives + self.mean * RATE_PRIOR_PAIRS) / (pairs + RATE_PRIOR_PAIRS)


def entity_rate(data: BenchmarkData, progress: Progress) -> TrainedContender:
    """Logistic regression by label on both entities' share of positives and the logarithm of the co-mention count.

    The share is taken over the entity's training co-mentioned pairs of that label; training rows leave themselves out.
    """
    started = perf_counter()
    positives, negatives = data.positives.part(Split.TRAIN), data.negatives.part(Split.TRAIN)
    both = concatenated(positives, negatives)
    labels = (np.arange(len(both)) < len(positives)).astype(np.float64)
    rates, models = {}, {}
    for relation in POSITIVE_RELATIONS:
        where = both.relations == relation.column
        heads, tails, own = both.heads[where], both.tails[where], labels[where]
        found = _Rates.count(heads, tails, own, data.n_entities, relation in SYMMETRIC)
        rates[relation] = found
        if len(np.unique(own)) == 2:
            features = _rate_features(data, found, heads, tails, own)
            models[relation] = fit_logistic(features, own)

    def score(heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        if relation not in models:
            return np.zeros(np.shape(heads))
        features = _rate_features(data, rates[relation], heads, tails, None)
        return np.asarray(features @ models[relation][1:] + models[relation][0])

    record = TrainingRecord(seconds=perf_counter() - started, n_parameters=4 * len(models))
    return TrainedContender(PairwiseContender("entity rate + count", score), record)


def fit_logistic(features: FloatArray, labels: FloatArray, ridge: float = 1.0, n_steps: int = 50) -> FloatArray:
    """Intercept and weights of a logistic regression, by Newton's method.

    Args:
        features: *Shape:* (rows, features)
        labels: 0 or 1. *Shape:* (rows)
        ridge: Half of it times the squared weights (not the intercept) is added to the negative log-likelihood.
        n_steps: Most steps; ends sooner where a step no longer changes anything.

    Returns:
        *Shape:* (1 + features)
    """
    rows = np.column_stack([np.ones(len(features)), features])
    penalty = np.diag(np.r_[1e-6, np.full(features.shape[1], ridge)])
    weights = np.zeros(rows.shape[1])
    for _ in range(n_steps):
        probability = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (probability - labels) + penalty @ weights
        curvature = (rows * (probability * (1 - probability))[:, None]).T @ rows + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(weights)


def _rate_features(
    data: BenchmarkData, rates: _Rates, heads: IntArray, tails: IntArray, own: FloatArray | None
) -> FloatArray:
    counts = data.comentions.look_up(data.comentions.n_sentences, heads, tails, absent=0.0)
    return np.column_stack([rates.rate(0, heads, own), rates.rate(1, tails, own), np.log1p(counts)])
