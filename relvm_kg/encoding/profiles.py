"""Profiles: what a minute of linear algebra knows of an entity. Floors in the benchmark, starting points of e(x).

Both come from training documents only. A row belongs to an entity; one without text has a row of zeros.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse

FloatArray = npt.NDArray[np.float32]

TEXT_PROFILE = "text_profile.npy"
COMENTION_PROFILE = "comention_profile.npy"


def text_profile(
    mentions: scipy.sparse.csr_matrix, tokens: scipy.sparse.csr_matrix, dimensions: int, seed: int = 0
) -> FloatArray:
    """TF-IDF of the tokens of the sentences in which each entity is mentioned, reduced by a truncated SVD.

    Args:
        mentions: which sentence mentions which entity (1 or 0). *Shape:* (entities, sentences)
        tokens: how often each sentence has each token. *Shape:* (sentences, vocabulary)
        dimensions: Columns of the result, in falling order of singular value.
        seed: Seed of the randomised SVD.

    Returns:
        *Shape:* (entities, dimensions)
    """
    return _left_factors(tf_idf(mentions @ tokens), dimensions, seed)


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
    weighted = counts.tocsr().astype(np.float32, copy=False)
    frequency = np.bincount(weighted.indices, minlength=weighted.shape[1])
    inverse = np.log((1 + weighted.shape[0]) / (1 + frequency)) + 1
    weights = np.log(weighted.data)
    weights += 1
    weights *= inverse.astype(np.float32)[weighted.indices]
    return _unit_sparse_rows(scipy.sparse.csr_matrix((weights, weighted.indices, weighted.indptr), weighted.shape))


def _unit_sparse_rows(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """Each row scaled to length 1, in place."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0).astype(np.float32)
    matrix.data *= np.repeat(scale, np.diff(matrix.indptr))
    return matrix


def _left_factors(matrix: scipy.sparse.csr_matrix, dimensions: int, seed: int) -> FloatArray:
    """U * S of a truncated SVD, by the rows and columns that hold anything; the other rows are zeros."""
    rows, columns = np.flatnonzero(np.diff(matrix.indptr)), np.unique(matrix.indices)
    result = np.zeros((matrix.shape[0], dimensions), dtype=np.float32)
    if len(rows):
        factors = _dense_left_factors(matrix[rows][:, columns], dimensions, seed)
        result[rows, : factors.shape[1]] = factors
    return result


def _dense_left_factors(matrix: scipy.sparse.csr_matrix, dimensions: int, seed: int) -> FloatArray:
    """U * S by subspace iteration (Halko, Martinsson and Tropp 2011, Alg. 4.4 and 5.1)."""
    rank = min(dimensions, *matrix.shape)
    width = min(rank + 10, *matrix.shape)
    random = np.random.default_rng(seed)
    transposed = matrix.T.tocsr()
    basis = matrix @ random.standard_normal((matrix.shape[1], width), dtype=np.float32)
    for _ in range(4):
        basis = np.linalg.qr(basis)[0]
        basis = matrix @ np.linalg.qr(transposed @ basis)[0]
    basis = np.linalg.qr(basis)[0]
    left, values, _ = np.linalg.svd((transposed @ basis).T, full_matrices=False)
    factors: FloatArray = (basis @ left)[:, :rank] * values[:rank]
    return factors


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
