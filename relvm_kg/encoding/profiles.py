"""Profiles: what a minute of linear algebra knows of an entity. Floors in the benchmark, starting points of e(x).

Both come from training documents only. A row belongs to an entity; one without text has a row of zeros.
"""

from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse

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
        return _left_factors(tf_idf(self._counts), dimensions, seed)


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
    return _left_factors(_unit_sparse_rows(matrix), dimensions, seed)


def tf_idf(counts: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """(1 + ln n) (ln((1 + rows) / (1 + rows with the token)) + 1), then each row scaled to length 1.

    *Shape:* (documents, tokens), as the argument.
    """
    weighted = counts.tocsr().astype(np.float32)
    frequency = np.bincount(weighted.indices, minlength=weighted.shape[1])
    inverse = np.log((1 + weighted.shape[0]) / (1 + frequency)) + 1
    weighted.data = ((1 + np.log(weighted.data)) * inverse[weighted.indices]).astype(np.float32)
    return _unit_sparse_rows(weighted)


def _unit_sparse_rows(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return scipy.sparse.diags(scale.astype(np.float32)) @ matrix


def _left_factors(matrix: scipy.sparse.csr_matrix, dimensions: int, seed: int) -> FloatArray:
    """U * S of a truncated SVD by subspace iteration (Halko, Martinsson and Tropp 2011, Alg. 4.4 and 5.1)."""
    rank = min(dimensions, *matrix.shape)
    width = min(rank + 10, *matrix.shape)
    random = np.random.default_rng(seed)
    basis = matrix @ random.standard_normal((matrix.shape[1], width), dtype=np.float32)
    for _ in range(4):
        basis = np.linalg.qr(basis)[0]
        basis = matrix @ np.linalg.qr(matrix.T @ basis)[0]
    basis = np.linalg.qr(basis)[0]
    left, values, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    result = np.zeros((matrix.shape[0], dimensions), dtype=np.float32)
    result[:, :rank] = (basis @ left)[:, :rank] * values[:rank]
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
