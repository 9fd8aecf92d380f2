"""Profiles of entities that the training never saw: linear in what their sentences hold.

The counts of a new entity take the way that those of the training entities took (`relvm_kg.encoding.profiles`): TF-IDF
with the training's frequencies times the weights of the text profile, and the row of co-mentions with training entities
times the weights of the co-mention profile. An entity of the training gets its own profile back.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse

from relvm_kg.encoding.profiles import (
    COMENTION_WEIGHTS,
    INVERSE_FREQUENCY,
    TEXT_WEIGHTS,
    FloatArray,
    comention_rows,
    tf_idf,
    unit_rows,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class EntityCounts:
    """What the sentences of some entities hold, each sentence once an entity."""

    tokens: scipy.sparse.csr_matrix
    """How often they hold each token of a vocabulary. *Shape:* (some entities, vocabulary)"""
    partners: scipy.sparse.csr_matrix
    """In how many of them each entity of the training is mentioned, itself left out. *Shape:* (some, all)"""
    n_sentences: npt.NDArray[np.int64]
    """*Shape:* (some entities)"""


@dataclass(frozen=True, eq=False)
class Projector:
    """What makes profiles of counts."""

    inverse: FloatArray
    """Inverse frequency of each token. *Shape:* (vocabulary)"""
    text: FloatArray
    """Weights of the text profile. *Shape:* (vocabulary, text dimensions)"""
    comention: FloatArray
    """Weights of the co-mention profile. *Shape:* (entities of the training, co-mention dimensions)"""

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """What the build kept in a corpus generation; None where an earlier version made it, which kept nothing."""
        paths = [folder / name for name in (INVERSE_FREQUENCY, TEXT_WEIGHTS, COMENTION_WEIGHTS)]
        return cls(*(np.load(path, allow_pickle=False) for path in paths)) if all(p.is_file() for p in paths) else None

    def save(self, folder: Path) -> None:
        """Write into a corpus generation."""
        np.save(folder / INVERSE_FREQUENCY, self.inverse)
        np.save(folder / TEXT_WEIGHTS, self.text)
        np.save(folder / COMENTION_WEIGHTS, self.comention)

    def cut(self, n_text: int, n_comention: int) -> "Projector":
        """The first dimensions of each profile."""
        return Projector(self.inverse, self.text[:, :n_text], self.comention[:, :n_comention])

    def profiles(self, counts: EntityCounts) -> tuple[FloatArray, FloatArray]:
        """Text and co-mention profiles, not scaled.

        Returns:
            *Shape:* (new, text dimensions), (new, co-mention dimensions)
        """
        return (
            np.asarray(tf_idf(counts.tokens, self.inverse) @ self.text),
            np.asarray(comention_rows(counts.partners) @ self.comention),
        )

    def start_vectors(self, counts: EntityCounts) -> FloatArray:
        """The profiles side by side, each row of each of length 1 or of zeros. *Shape:* (new, dimensions of both)"""
        return np.hstack([unit_rows(profile, profile.shape[1]) for profile in self.profiles(counts)])


def aligned(weights: FloatArray, made: FloatArray, stored: FloatArray) -> FloatArray:
    """Weights of the profile `made`, turned so that they give the profile `stored`.

    Two computations of one truncated SVD differ by signs, and by turns among near-equal singular values.

    Args:
        weights: *Shape:* (columns of the matrix, dimensions)
        made: The rows that they give, columns at right angles. *Shape:* (entities, dimensions)
        stored: The rows that are wanted. *Shape:* (entities, dimensions)
    """
    lengths = (made.astype(np.float64) ** 2).sum(axis=0)[:, None]
    inner = made.T.astype(np.float64) @ stored.astype(np.float64)
    turn = np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 1e-12 * max(lengths.max(), 1e-30))
    turned: FloatArray = (weights.astype(np.float64) @ turn).astype(np.float32)
    return turned
