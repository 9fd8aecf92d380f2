"""Profiles: what a minute of linear algebra knows of an entity. Floors in the benchmark, starting points of e(x).

Both come from training documents only. A row belongs to an entity; one without text has a row of zeros. A profile is
linear in the row of its entity, and `Profile.weights` are that map: they give an entity that the training never saw
its profile.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse

FloatArray = npt.NDArray[np.float32]

TEXT_PROFILE = "text_profile.npy"
COMENTION_PROFILE = "comention_profile.npy"
INVERSE_FREQUENCY = "inverse_frequency.npy"
TEXT_WEIGHTS = "text_weights.npy"
COMENTION_WEIGHTS = "comention_weights.npy"


class Profile(NamedTuple):
    """The rows of all entities, and what made them."""

    rows: FloatArray
    """*Shape:* (entities, dimensions), columns in falling order of singular value."""
    weights: FloatArray
    """rows = matrix @ weights. *Shape:* (columns of the matrix, dimensions)"""


def text_profile(
    mentions: scipy.sparse.csr_matrix, tokens: scipy.sparse.csr_matrix, dimensions: int, seed: int = 0
) -> Profile:
    """TF-IDF of the tokens of the sentences in which each entity is mentioned, reduced by a truncated SVD.

    Args:
        mentions: which sentence mentions which entity (1 or 0). *Shape:* (entities, sentences)
        tokens: how often each sentence has each token. *Shape:* (sentences, vocabulary)
        dimensions: Columns of the result.
        seed: Seed of the randomised SVD.
    """
    return _reduced(tf_idf(mentions @ tokens), dimensions, seed)


def comention_profile(
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    n_sentences: npt.NDArray[np.int64],
    n_entities: int,
    dimensions: int,
    seed: int = 0,
) -> Profile:
    """Truncated SVD of the symmetric entity-entity matrix of log(1 + sentences), rows of length 1 before it.

    Args:
        first: One entity of each co-mentioned pair.
        second: The other.
        n_sentences: In how many sentences of training documents the pair is mentioned.
        n_entities: Rows of the result.
        dimensions: Columns of the result.
        seed: Seed of the randomised SVD.
    """
    matrix = scipy.sparse.csr_matrix((n_sentences.astype(np.float32), (first, second)), (n_entities, n_entities))
    return _reduced(comention_rows(matrix + matrix.T), dimensions, seed)


def comention_rows(counts: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """log(1 + sentences) of each entity with each other, then each row scaled to length 1.

    *Shape:* (entities, other entities), as the argument.
    """
    counts = counts.tocsr()
    weights = np.log1p(counts.data).astype(np.float32)
    return _unit_sparse_rows(scipy.sparse.csr_matrix((weights, counts.indices, counts.indptr), counts.shape))


def inverse_frequency(counts: scipy.sparse.csr_matrix) -> FloatArray:
    """ln((1 + rows) / (1 + rows with the token)) + 1 of each token. *Shape:* (tokens)"""
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    inverse: FloatArray = (np.log((1 + counts.shape[0]) / (1 + frequency)) + 1).astype(np.float32)
    return inverse


def tf_idf(counts: scipy.sparse.csr_matrix, inverse: FloatArray | None = None) -> scipy.sparse.csr_matrix:
    """(1 + ln n) times the inverse frequency of the token, then each row scaled to length 1.

    Args:
        counts: How often each document has each token, each token once a row. *Shape:* (documents, tokens)
        inverse: Inverse frequencies; None takes those of `counts`. *Shape:* (tokens)

    Returns:
        *Shape:* (documents, tokens)
    """
    weighted = counts.tocsr().astype(np.float32, copy=False)
    weights = np.log(weighted.data)
    weights += 1
    weights *= (inverse_frequency(weighted) if inverse is None else inverse)[weighted.indices]
    return _unit_sparse_rows(scipy.sparse.csr_matrix((weights, weighted.indices, weighted.indptr), weighted.shape))


def _unit_sparse_rows(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """Each row scaled to length 1, in place."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0).astype(np.float32)
    matrix.data *= np.repeat(scale, np.diff(matrix.indptr))
    return matrix


def _reduced(matrix: scipy.sparse.csr_matrix, dimensions: int, seed: int) -> Profile:
    """A truncated SVD, by the rows and columns that hold anything; the other rows and weights are zeros."""
    rows, columns = np.flatnonzero(np.diff(matrix.indptr)), np.unique(matrix.indices)
    result = Profile(*(np.zeros((n, dimensions), dtype=np.float32) for n in matrix.shape))
    if len(rows):
        found = _truncated(matrix[rows][:, columns], dimensions, seed)
        for place, whole, part in zip((rows, columns), result, found, strict=True):
            whole[place, : part.shape[1]] = part
    return result


def _truncated(matrix: scipy.sparse.csr_matrix, dimensions: int, seed: int) -> Profile:
    """U * S and its weights by subspace iteration (Halko, Martinsson and Tropp 2011, Alg. 4.4 and 5.1)."""
    rank = min(dimensions, *matrix.shape)
    width = min(rank + 10, *matrix.shape)
    random = np.random.default_rng(seed)
    transposed = matrix.T.tocsr()
    basis = matrix @ random.standard_normal((matrix.shape[1], width), dtype=np.float32)
    for _ in range(4):
        basis = np.linalg.qr(basis)[0]
        right = np.linalg.qr(transposed @ basis)[0]
        basis = matrix @ right
    basis, triangle = np.linalg.qr(basis)
    left, values, _ = np.linalg.svd((transposed @ basis).T, full_matrices=False)
    scaled = left[:, :rank] * values[:rank]
    # basis = matrix @ right @ inverse of triangle, so the rows below are linear in those of the matrix, to the letter.
    weights = right @ np.linalg.lstsq(triangle.astype(np.float64), scaled.astype(np.float64), rcond=1e-6)[0]
    return Profile(basis @ scaled, weights.astype(np.float32))


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
