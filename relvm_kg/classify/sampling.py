"""Training batches of pairs: how many positives, and where negatives come from."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from relvm_kg.classify.labels import LabelledPairs
from relvm_kg.config import require
from relvm_kg.types import POSITIVE_RELATIONS


class Negatives(StrEnum):
    """Where training negatives come from; all of them are unlabelled pairs, none is known to be false."""

    COMENTIONED = "co-mentioned"
    TYPED_UNIFORM = "typed-uniform"
    DEGREE_MATCHED = "degree-matched"


@dataclass(frozen=True, kw_only=True)
class PairConfig:
    """How the pair classifier is trained."""

    hidden: int = 300
    """Units of both layers."""
    samples: int = 4
    """Draws of z a pair and order."""
    batch_size: int = 512
    """Pairs a step."""
    n_positive: int = 64
    """Pairs with a known relation among them; the paper's 512 hold 448 of NO-RELATION."""
    learning_rate: float = 1e-3
    """Of Adam."""
    max_steps: int = 4000
    """Steps at most."""
    evaluate_steps: int = 100
    """Steps between looks at the validation pairs."""
    patience: int = 8
    """Looks without improvement before it stops."""
    negatives: Negatives = Negatives.COMENTIONED
    """Source of the negatives."""
    seed: int = 0
    """Of every draw."""

    def __post_init__(self) -> None:
        require(
            0 < self.n_positive < self.batch_size, "pair.n_positive", "be between 0 and batch_size", self.n_positive
        )
        require(self.samples >= 1, "pair.samples", "be at least 1", self.samples)


class PairSampler:
    """Batches with a fixed number of positives."""

    def __init__(self, pairs: LabelledPairs, config: PairConfig) -> None:
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._positives = pairs.take(pairs.positive)
        self._negatives = pairs.take(~pairs.positive)
        self._all = pairs

    def draw(self) -> LabelledPairs:
        """One batch."""
        n = self._config.n_positive
        positives = self._positives.take(self._random.integers(0, len(self._positives), n))
        negatives = self._draw_negatives(self._config.batch_size - n)
        return LabelledPairs(
            np.concatenate([positives.heads, negatives.heads]),
            np.concatenate([positives.tails, negatives.tails]),
            np.concatenate([positives.columns, negatives.columns]),
            np.concatenate([positives.positive, negatives.positive]),
        )

    def _draw_negatives(self, n: int) -> LabelledPairs:
        if self._config.negatives is Negatives.COMENTIONED and len(self._negatives):
            return self._negatives.take(self._random.integers(0, len(self._negatives), n))
        base = self._positives.take(self._random.integers(0, len(self._positives), n))
        tails = base.tails.copy()
        for column in np.unique(base.columns):
            places = np.flatnonzero(base.columns == column)
            pool = self._all.tails[self._all.columns == column]
            if self._config.negatives is not Negatives.DEGREE_MATCHED:
                pool = np.unique(pool)
            tails[places] = self._random.choice(pool, size=len(places))
        return LabelledPairs(base.heads, tails, base.columns, np.zeros(n, dtype=bool))


def batch_prevalence(pairs: LabelledPairs, config: PairConfig) -> dict[str, float]:
    """Share of positives in the training batches, by label."""
    result: dict[str, float] = {}
    n_positive, n_negative = int(pairs.positive.sum()), int((~pairs.positive).sum())
    for relation in POSITIVE_RELATIONS:
        own = pairs.columns == relation.column
        positives = config.n_positive * (own & pairs.positive).sum() / max(n_positive, 1)
        if config.negatives is Negatives.COMENTIONED:
            share = (own & ~pairs.positive).sum() / max(n_negative, 1)
        else:
            share = (own & pairs.positive).sum() / max(n_positive, 1)
        negatives = (config.batch_size - config.n_positive) * share
        result[relation.value] = round(float(positives / max(positives + negatives, 1e-9)), 4)
    return result
