"""Who is measured in the columns: representations under the classifier, and floors that need no network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from relvm_kg.benchmark.columns.features import Block, FamilyBlocks, FitFeatures, PairFeatures, family_blocks
from relvm_kg.benchmark.columns.label_features import training_degrees
from relvm_kg.benchmark.columns.network import START_DEVIATION, NetworkInput, train_and_score
from relvm_kg.benchmark.columns.pairs import FamilyPairs, Fit
from relvm_kg.benchmark.columns.settings import ClassifierSettings, Family, Kind
from relvm_kg.benchmark.data import Comentions
from relvm_kg.benchmark.floors import fit_logistic
from relvm_kg.benchmark.triples import SYMMETRIC, FloatArray, IntArray
from relvm_kg.types import POSITIVE_RELATIONS

Scorer = Callable[[Fit], dict[Kind, FloatArray]]


class Entrant(Protocol):
    """Scores the rows of every fit, after learning from that fit's training rows alone."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    @property
    def key(self) -> str:
        """All that its scores depend on, beside pairs and classifier settings; stored results are found by it."""

    @property
    def families(self) -> tuple[Family, ...]:
        """The families that it can score."""

    def scorer(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scorer:
        """Prepare what all fits of a family share."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Representation:
    """The classifier on features of a pair."""

    name: str
    key: str
    features: tuple[PairFeatures, ...] = ()
    """Computed once a family; they stand beside one another."""
    counted: tuple[FitFeatures, ...] = ()
    """Counted anew from each fit's training labels."""
    families: tuple[Family, ...] = tuple(Family)

    def scorer(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scorer:
        """See `Entrant`."""
        shared = family_blocks(pairs, self.features)

        def score(fit: Fit) -> dict[Kind, FloatArray]:
            blocks = [*shared.blocks, *(_counted(part, pairs, fit, shared.turned) for part in self.counted)]
            return train_and_score(NetworkInput(pairs, FamilyBlocks(blocks, shared.turned)), fit, settings)

        return score


def _counted(features: FitFeatures, pairs: FamilyPairs, fit: Fit, turned: IntArray) -> Block:
    """Counted features, scaled by the training rows; the other order of a symmetric pair has its own."""
    forward, backward = features(pairs, fit.training)
    both = np.flatnonzero(turned != np.arange(len(turned)))
    values = np.concatenate([forward, backward[both]])
    mean, spread = forward[fit.training].mean(0), forward[fit.training].std(0)
    return Block(((values - mean) / np.maximum(spread, 1e-6)).astype(np.float32)[:, None])


@dataclass(frozen=True, eq=False, kw_only=True)
class LearnedEmbeddings:
    """The classifier on entity vectors that it learns from the training labels alone, as a graph embedding does."""

    dimensions: int = 64
    name: str = "embeddings from labels"
    families: tuple[Family, ...] = field(default=tuple(Family), init=False)

    @property
    def key(self) -> str:
        """See `Entrant`."""
        return f"learned embeddings {self.dimensions}, start {START_DEVIATION}"

    def scorer(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scorer:
        """See `Entrant`."""
        present, rows = np.unique(np.concatenate([pairs.heads, pairs.tails]), return_inverse=True)
        x, y = rows[: len(pairs)], rows[len(pairs) :]
        ends = np.stack([np.concatenate([x, y]), np.concatenate([y, x])], axis=1)
        symmetric = np.isin(pairs.relations, [r.column for r in SYMMETRIC])
        turned = np.arange(len(pairs)) + len(pairs) * symmetric
        inputs = NetworkInput(pairs, FamilyBlocks([Block(ends[:, None])], turned), len(present), self.dimensions)
        return lambda fit: train_and_score(inputs, fit, settings)


@dataclass(frozen=True, eq=False, kw_only=True)
class CountedLogistic:
    """A logistic regression by label on features that are counted from the training labels."""

    name: str
    key: str
    features: FitFeatures
    families: tuple[Family, ...] = tuple(Family)

    def scorer(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scorer:
        """See `Entrant`."""

        def score(fit: Fit) -> dict[Kind, FloatArray]:
            values, _ = self.features(pairs, fit.training)
            scores = np.zeros(len(pairs))
            for relation in POSITIVE_RELATIONS:
                own = pairs.relations == relation.column
                rows = fit.training[own[fit.training]]
                if len(np.unique(pairs.positive[rows])) == 2:
                    weights = fit_logistic(values[rows], pairs.positive[rows].astype(np.float64))
                    scores[own] = 1 / (1 + np.exp(-(values[own] @ weights[1:] + weights[0])))
            return {kind: scores[rows] for kind, rows in fit.reads.items()}

        return score


@dataclass(frozen=True, eq=False, kw_only=True)
class DegreeProduct:
    """(1 + degree of head) (1 + degree of tail), degrees of training positives of the label."""

    n_entities: int
    name: str = "degree product"
    key: str = field(default="degree product", init=False)
    families: tuple[Family, ...] = field(default=tuple(Family), init=False)

    def scorer(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scorer:
        """See `Entrant`."""

        def score(fit: Fit) -> dict[Kind, FloatArray]:
            heads, tails = training_degrees(pairs, fit.training, self.n_entities)
            return {kind: (1.0 + heads[rows]) * (1.0 + tails[rows]) for kind, rows in fit.reads.items()}

        return score


@dataclass(frozen=True, eq=False, kw_only=True)
class ComentionFigure:
    """A figure of the co-mention table: the number of training sentences, or NPMI."""

    name: str
    key: str
    comentions: Comentions
    values: FloatArray
    families: tuple[Family, ...] = field(default=(Family.CO_MENTIONED,), init=False)

    def scorer(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scorer:
        """See `Entrant`."""
        scores = self.comentions.look_up(self.values, pairs.heads, pairs.tails, absent=-1.0)
        return lambda fit: {kind: scores[rows] for kind, rows in fit.reads.items()}
