"""Profiles are linear in the rows that they come from, so that new rows get profiles, too."""

import numpy as np
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from relvm_kg.encoding.profiles import (
    FloatArray,
    comention_profile,
    comention_rows,
    inverse_frequency,
    text_profile,
    tf_idf,
    unit_rows,
)
from relvm_kg.encoding.projection import EntityCounts, Projector, aligned


def counts_of(seed: int, rows: int, columns: int, rate: float) -> scipy.sparse.csr_matrix:
    random = np.random.default_rng(seed)
    return scipy.sparse.csr_matrix(random.poisson(rate, (rows, columns)).astype(np.float32))


def projector_of(seed: int, n: int = 40) -> tuple[Projector, EntityCounts, tuple[FloatArray, FloatArray]]:
    """What a small corpus gives, the counts of its own entities, and their profiles."""
    tokens = counts_of(seed, n, 25, 0.4)
    together = scipy.sparse.triu(counts_of(seed + 1, n, n, 0.2), k=1).tocoo()
    text = text_profile(scipy.sparse.identity(n, dtype=np.float32, format="csr"), tokens, 6)
    first, second, n_sentences = (part.astype(np.int64) for part in (together.row, together.col, together.data))
    comention = comention_profile(first, second, n_sentences, n_entities=n, dimensions=5)
    matrix = together.tocsr()
    counts = EntityCounts(tokens=tokens, partners=matrix + matrix.T, n_sentences=np.ones(n, dtype=np.int64))
    return Projector(inverse_frequency(tokens), text.weights, comention.weights), counts, (text.rows, comention.rows)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_entities_of_the_training_get_their_own_profiles_back(seed: int) -> None:
    projector, counts, profiles = projector_of(seed)
    for found, own in zip(projector.profiles(counts), profiles, strict=True):
        np.testing.assert_allclose(found, own, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_a_new_entity_with_the_sentences_of_a_known_one_gets_its_start_vector(seed: int, n_text: int) -> None:
    projector, counts, profiles = projector_of(seed)
    cut = projector.cut(n_text, 5)
    start = cut.start_vectors(counts)
    assert start.shape == (40, n_text + 5)
    wanted = np.hstack([unit_rows(profiles[0], n_text), unit_rows(profiles[1], 5)])
    long = [np.linalg.norm(part, axis=1) > 1e-3 for part in (profiles[0][:, :n_text], profiles[1])]
    np.testing.assert_allclose(start[long[0] & long[1]], wanted[long[0] & long[1]], atol=1e-3)


def test_an_entity_without_words_or_partners_has_zeros_in_that_part() -> None:
    projector, _, _ = projector_of(0)
    none = scipy.sparse.csr_matrix((1, 40), dtype=np.float32)
    counts = EntityCounts(tokens=counts_of(5, 1, 25, 2.0), partners=none, n_sentences=np.ones(1, dtype=np.int64))
    (vector,) = projector.start_vectors(counts)
    assert abs(np.linalg.norm(vector[:6]) - 1) < 1e-5
    assert not vector[6:].any()


def test_weights_of_another_computation_are_turned_to_the_stored_profile() -> None:
    tokens = counts_of(3, 50, 20, 0.5)
    mentions = scipy.sparse.identity(50, dtype=np.float32, format="csr")
    made = text_profile(mentions, tokens, 6)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0].astype(np.float32)
    stored = made.rows @ turn
    np.testing.assert_allclose(tf_idf(tokens) @ aligned(made.weights, made.rows, stored), stored, atol=1e-4)


def test_comention_rows_are_logarithms_of_length_one() -> None:
    (row,) = comention_rows(scipy.sparse.csr_matrix(np.array([[0.0, 1.0, 3.0]], dtype=np.float32))).toarray()
    wanted = np.log1p(np.array([0.0, 1.0, 3.0]))
    np.testing.assert_allclose(row, wanted / np.linalg.norm(wanted), rtol=1e-6)
