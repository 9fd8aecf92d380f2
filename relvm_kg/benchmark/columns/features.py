"""What a representation knows of a pair, as arrays: vectors of entities, profiles, the words of common sentences."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.triples import SYMMETRIC, FloatArray, IntArray
from relvm_kg.encoding.profiles import unit_rows
from relvm_kg.pairs import pair_keys

Float32Array = npt.NDArray[np.float32]


class PairFeatures(Protocol):
    """Features of pairs of entities, given by their catalogue indices; labels have no part in them."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def width(self) -> int:
        """Number of features."""

    @property
    def symmetric(self) -> bool:
        """Whether both orders of a pair have the same features."""

    def __call__(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """The features to train on.

        Returns:
            *Shape:* (pairs, width), or (pairs, draws, width) for a representation that is drawn
        """

    def evaluated(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """The features to predict from: of more draws, where it is drawn, else those of a call."""


@dataclass(frozen=True, eq=False)
class PairVectors:
    """[e(x); e(y); e(x)*e(y)] of one vector an entity."""

    name: str
    table: Float32Array
    """*Shape:* (entities, dimensions)"""
    symmetric: bool = False

    @property
    def width(self) -> int:
        """Three times the dimensions."""
        return 3 * int(self.table.shape[1])

    def __call__(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """See `PairFeatures`."""
        x, y = self.table[heads], self.table[tails]
        return np.concatenate([x, y, x * y], axis=1)

    def evaluated(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """See `PairFeatures`."""
        return self(heads, tails)


def profile_features(name: str, *profiles: Float32Array) -> PairVectors:
    """Profiles beside one another, each entity's vector of length sqrt(dimensions), as RELVM's entity vectors are.

    Args:
        name: What it is called.
        profiles: Each part as it is to be used, rows of length 1 or of zeros. *Shape:* (entities, dimensions)
    """
    joined = np.hstack(profiles)
    return PairVectors(name, unit_rows(joined, joined.shape[1]) * np.float32(math.sqrt(joined.shape[1])))


@dataclass(frozen=True, eq=False)
class PairRows:
    """One row of features for each pair that is known beforehand; zeros for the others."""

    name: str
    keys: IntArray
    """Keys of the pairs, ascending."""
    table: Float32Array
    """*Shape:* (pairs, width)"""
    symmetric: bool = True

    @property
    def width(self) -> int:
        """Columns of the table."""
        return int(self.table.shape[1])

    def __call__(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """See `PairFeatures`."""
        wanted = pair_keys(heads, tails)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where((self.keys[at] == wanted)[:, None], self.table[at], np.float32(0))

    def evaluated(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """See `PairFeatures`."""
        return self(heads, tails)


class FitFeatures(Protocol):
    """Features that are counted from the labels of one training, each training row without its own label."""

    @property
    def width(self) -> int:
        """Number of features."""

    def __call__(self, pairs: FamilyPairs, training: IntArray) -> tuple[FloatArray, FloatArray]:
        """Features of all pairs of the family as they stand, and with head and tail exchanged.

        Training rows leave themselves out. *Shape:* (pairs, width) twice
        """


@dataclass(frozen=True, eq=False)
class Block:
    """Features of all rows of a family; symmetric pairs have a second row for the other order.

    Attributes:
        values: *Shape:* (pairs and turned pairs, draws, width)
        evaluated: Features to predict from at some of these places; None: the values.
    """

    values: npt.NDArray[Any]
    evaluated: Callable[[IntArray], npt.NDArray[Any]] | None = None


@dataclass(frozen=True, eq=False)
class FamilyBlocks:
    """The features of a family, computed once."""

    blocks: Sequence[Block]
    turned: IntArray
    """Row of each pair's other order: itself, where there is none. *Shape:* (pairs)"""


def family_blocks(pairs: FamilyPairs, features: Sequence[PairFeatures]) -> FamilyBlocks:
    """Compute features for all pairs of a family, symmetric ones in both orders."""
    both = np.flatnonzero(np.isin(pairs.relations, [r.column for r in SYMMETRIC]))
    if all(part.symmetric for part in features):
        both = both[:0]
    turned = np.arange(len(pairs))
    turned[both] = len(pairs) + np.arange(len(both))
    ends = np.concatenate([pairs.heads, pairs.tails[both]]), np.concatenate([pairs.tails, pairs.heads[both]])
    return FamilyBlocks([_block(part, ends, turned) for part in features], turned)


def _block(features: PairFeatures, ends: tuple[IntArray, IntArray], turned: IntArray) -> Block:
    values = features(*ends)
    if values.ndim == 2:
        return Block(values[:, None])
    return Block(values, lambda places: features.evaluated(ends[0][places], ends[1][places]))
