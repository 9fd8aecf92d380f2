"""Profiles: what a minute of linear algebra knows of an entity. Floors in the benchmark, starting points of e(x).

Both come from training documents only. A row belongs to an entity; one without text has a row of zeros.
"""

from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.utils.extmath import randomized_svd

FloatArray = npt.NDArray[np.float32]

TEXT_PROFILE = "text_profile.npy"
COMENTION_PROFILE = "comention_profile.npy"


class TextProfileBuilder:
    """Counts the tokens of the sentences in which each entity is mentioned."""

    def __init__(self, n_entities: int, n_vocabulary: int) -> None:
        self._shape = (n_entities, n_vocabulary)
        self._rows = array("i")
        self._columns = array("i")
        self._counts: scipy.sparse.csr_matrix = scipy.sparse.csr_matrix(self._shape, dtype=np.float32)

    def add(self, token_ids: npt.NDArray[np.int32], entities: Iterable[int]) -> None:
        """Count one sentence for each entity it mentions."""
        for entity in set(entities):
            self._rows.extend([entity] * len(token_ids))
            self._columns.extend(token_ids.tolist())
        if len(self._rows) > 5_000_000:
            self._flush()

    def _flush(self) -> None:
        ones = np.ones(len(self._rows), dtype=np.float32)
        self._counts = self._counts + scipy.sparse.csr_matrix(
            (ones, (np.asarray(self._rows), np.asarray(self._columns))), shape=self._shape
        )
        self._rows, self._columns = array("i"), array("i")

    def profile(self, dimensions: int, seed: int = 0) -> FloatArray:
        """TF-IDF of the counts, reduced by a truncated SVD (columns in falling order of singular value).

        Returns:
            *Shape:* (entities, dimensions)
        """
        self._flush()
        weighted = TfidfTransformer(sublinear_tf=True).fit_transform(self._counts)
        return _left_factors(weighted, dimensions, seed)


def comention_profile(
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    n_sentences: npt.NDArray[np.int64],
    n_entities: int,
    dimensions: int,
    seed: int = 0,
) -> FloatArray:
    """Truncated SVD of the symmetric entity-entity matrix of log(1 + sentences), rows of length 1 before it.

    Args:
        first: One entity of each co-mentioned pair.
        second: The other.
        n_sentences: In how many sentences of training documents the pair is mentioned.
        n_entities: Rows of the result.
        dimensions: Columns of the result.
        seed: Seed of the randomised SVD.

    Returns:
        *Shape:* (entities, dimensions)
    """
    weights = np.log1p(n_sentences).astype(np.float32)
    matrix = scipy.sparse.csr_matrix((weights, (first, second)), shape=(n_entities, n_entities))
    matrix = matrix + matrix.T
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return _left_factors(scipy.sparse.diags(scale) @ matrix, dimensions, seed)


def _left_factors(matrix: scipy.sparse.spmatrix, dimensions: int, seed: int) -> FloatArray:
    rank = min(dimensions, *matrix.shape)
    left, values, _ = randomized_svd(matrix, n_components=rank, n_iter=5, random_state=seed)
    result = np.zeros((matrix.shape[0], dimensions), dtype=np.float32)
    result[:, :rank] = left * values
    return result


def unit_rows(profile: FloatArray, dimensions: int) -> FloatArray:
    """The first columns of a profile, each row scaled to length 1 (rows of zeros stay)."""
    part = profile[:, :dimensions]
    lengths = np.linalg.norm(part, axis=1, keepdims=True)
    scaled: FloatArray = np.divide(part, lengths, out=np.zeros_like(part), where=lengths > 0)
    return scaled


def load_profiles(corpus_dir: Path) -> tuple[FloatArray, FloatArray]:
    """Text and co-mention profile of a corpus generation."""
    return np.load(corpus_dir / TEXT_PROFILE, allow_pickle=False), np.load(
        corpus_dir / COMENTION_PROFILE, allow_pickle=False
    )
