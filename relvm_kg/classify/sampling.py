"""Training batches of pairs: how many positives, and where negatives come from."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from relvm_kg.classify.labels import IntArray, LabelledPairs
from relvm_kg.config import require
from relvm_kg.model.presets import PairScope, Preset
from relvm_kg.pairs import pair_keys
from relvm_kg.types import POSITIVE_RELATIONS, Relation


class Negatives(StrEnum):
    """Where training negatives come from; all of them are unlabelled pairs, none is known to be false."""

    COMENTIONED = "co-mentioned"
    """Co-mentioned pairs without a known relation, as in the paper."""
    TYPED_UNIFORM = "typed-uniform"
    """Two entities of the right types, each as likely as any other."""
    DEGREE_MATCHED = "degree-matched"
    """Two entities of the right types, each as likely as it has co-mentioned partners."""


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
    random_share: float = 0.25
    """Share of the negatives that are typed-uniform pairs instead, so that pairs never mentioned together are known
    to the classifier."""
    scope: PairScope = PairScope.COMENTIONED
    """Which pairs are labelled."""
    seed: int = 0
    """Of every draw."""

    def __post_init__(self) -> None:
        require(
            0 < self.n_positive < self.batch_size, "pair.n_positive", "be between 0 and batch_size", self.n_positive
        )
        require(0 <= self.random_share <= 1, "pair.random_share", "be in [0, 1]", self.random_share)
        require(self.samples >= 1, "pair.samples", "be at least 1", self.samples)


def pair_config(preset: Preset, seed: int = 0) -> PairConfig:
    """The settings of a preset; the paper's are Adam 1e-4 and 100,000 iterations (Shah and Fauqueur 2020)."""
    if preset is Preset.PAPER:
        return PairConfig(learning_rate=1e-4, max_steps=100_000, patience=1000, random_share=0.0, seed=seed)
    return PairConfig(seed=seed)


_TRIES = 20
"""How often a random negative that is taken is drawn again."""


class PairSampler:
    """Batches with a fixed number of positives."""

    def __init__(self, pairs: LabelledPairs, config: PairConfig, taken: IntArray) -> None:
        """Prepare to draw.

        Args:
            pairs: Training pairs, at least one of them positive.
            config: Settings.
            taken: Keys of pairs that a random negative must not be (see `relvm_kg.pairs`).
        """
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._positives = pairs.take(pairs.positive)
        self._negatives = pairs.take(~pairs.positive)
        self._taken = taken
        self._pools = {column: _pools(pairs, column, config) for column in np.unique(pairs.columns).tolist()}

    def draw(self) -> LabelledPairs:
        """One batch; smaller than asked for where too few pairs are left to be negatives."""
        n = self._config.n_positive
        parts = [self._positives.take(self._random.integers(0, len(self._positives), n))]
        n_random = _n_random(self._config) if len(self._negatives) else self._config.batch_size - n
        if n_random:
            parts.append(self._draw_typed(n_random))
        n_left = self._config.batch_size - sum(len(part) for part in parts)
        if n_left and len(self._negatives):
            parts.append(self._negatives.take(self._random.integers(0, len(self._negatives), n_left)))
        return LabelledPairs(
            np.concatenate([part.heads for part in parts]),
            np.concatenate([part.tails for part in parts]),
            np.concatenate([part.columns for part in parts]),
            np.concatenate([part.positive for part in parts]),
        )

    def _draw_typed(self, n: int) -> LabelledPairs:
        """Typed pairs that are not taken, labels as often as among the positives; fewer where none is found."""
        columns = self._positives.columns[self._random.integers(0, len(self._positives), n)]
        ends = np.empty((2, n), dtype=np.int64)
        left = np.arange(n)
        for _ in range(_TRIES):
            for column in np.unique(columns[left]).tolist():
                places = left[columns[left] == column]
                for side, pool in enumerate(self._pools[column]):
                    ends[side, places] = self._random.choice(pool, size=len(places))
            heads, tails = ends[:, left]
            left = left[(heads == tails) | np.isin(pair_keys(heads, tails), self._taken)]
            if not len(left):
                break
        drawn = np.setdiff1d(np.arange(n), left)
        return LabelledPairs(ends[0, drawn], ends[1, drawn], columns[drawn], np.zeros(len(drawn), dtype=bool))


def _pools(pairs: LabelledPairs, column: int, config: PairConfig) -> tuple[IntArray, IntArray]:
    """Heads and tails of a label's co-mentioned pairs, each once, or once a pair if degrees are to be matched."""
    own = pairs.columns == column
    heads, tails = pairs.heads[own], pairs.tails[own]
    if column == Relation.GENE_GENE.column:
        heads = tails = np.concatenate([heads, tails])
    if config.negatives is Negatives.DEGREE_MATCHED:
        return heads, tails
    return np.unique(heads), np.unique(tails)


def _n_random(config: PairConfig) -> int:
    n_negative = config.batch_size - config.n_positive
    return round(config.random_share * n_negative) if config.negatives is Negatives.COMENTIONED else n_negative


def batch_prevalence(pairs: LabelledPairs, config: PairConfig) -> dict[str, float]:
    """Share of positives in the training batches, by label."""
    n_random = _n_random(config)
    n_comentioned = config.batch_size - config.n_positive - n_random
    n_positive, n_unlabelled = int(pairs.positive.sum()), int((~pairs.positive).sum())
    result: dict[str, float] = {}
    for relation in POSITIVE_RELATIONS:
        own = pairs.columns == relation.column
        share = (own & pairs.positive).sum() / max(n_positive, 1)
        positives = config.n_positive * share
        negatives = n_random * share + n_comentioned * (own & ~pairs.positive).sum() / max(n_unlabelled, 1)
        result[relation.value] = round(float(positives / max(positives + negatives, 1e-9)), 4)
    return result
