"""Profiles against exact linear algebra and scikit-learn's TF-IDF."""

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfTransformer

from relvm_kg.encoding.profiles import TextProfileBuilder, comention_profile, tf_idf, unit_rows


def random_counts(rows: int, columns: int) -> scipy.sparse.csr_matrix:
    random = np.random.default_rng(0)
    return scipy.sparse.csr_matrix(random.poisson(0.4, (rows, columns)).astype(np.float32))


def test_tf_idf_agrees_with_scikit_learn() -> None:
    counts = random_counts(40, 25)
    wanted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    np.testing.assert_allclose(tf_idf(counts).toarray(), wanted.toarray(), rtol=1e-5)


def test_a_text_profile_is_a_truncated_svd() -> None:
    counts = random_counts(60, 30)
    builder = TextProfileBuilder(60, 30)
    for entity in range(60):
        row = counts.getrow(entity)
        builder.add(np.repeat(row.indices, row.data.astype(int)).astype(np.int32), [entity])
    exact = tf_idf(counts).toarray()
    whole = builder.profile(30)
    np.testing.assert_allclose(whole @ whole.T, exact @ exact.T, atol=1e-4)
    singular_values = np.linalg.svd(exact, compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(builder.profile(5), axis=0), singular_values[:5], rtol=0.02)


def test_a_sentence_counts_once_for_each_entity_it_mentions() -> None:
    once, twice = TextProfileBuilder(2, 4), TextProfileBuilder(2, 4)
    once.add(np.array([1, 2], dtype=np.int32), [0])
    twice.add(np.array([1, 2], dtype=np.int32), [0, 0])
    np.testing.assert_array_equal(once.profile(2), twice.profile(2))


def test_an_entity_without_text_has_a_row_of_zeros() -> None:
    pairs = np.array([0, 0]), np.array([1, 2])
    profile = comention_profile(*pairs, np.array([3, 1]), n_entities=4, dimensions=6)
    assert profile.shape == (4, 6)
    assert not profile[3].any()
    assert np.linalg.norm(unit_rows(profile, 6), axis=1).round(5).tolist() == [1, 1, 1, 0]


def test_entities_with_the_same_partners_have_the_same_comention_profile() -> None:
    first, second = np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3])
    profile = unit_rows(comention_profile(first, second, np.array([2, 5, 2, 5]), n_entities=4, dimensions=3), 3)
    np.testing.assert_allclose(profile[0], profile[1], atol=1e-5)
    assert abs(profile[0] @ profile[2]) < 1e-5
