"""Profiles against exact linear algebra and scikit-learn's TF-IDF."""

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfTransformer

from relvm_kg.encoding.profiles import comention_profile, text_profile, tf_idf, unit_rows


def random_counts(rows: int, columns: int) -> scipy.sparse.csr_matrix:
    random = np.random.default_rng(0)
    return scipy.sparse.csr_matrix(random.poisson(0.4, (rows, columns)).astype(np.float32))


def test_tf_idf_agrees_with_scikit_learn() -> None:
    counts = random_counts(40, 25)
    wanted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    np.testing.assert_allclose(tf_idf(counts).toarray(), wanted.toarray(), rtol=1e-5)


def test_a_text_profile_is_a_truncated_svd() -> None:
    tokens = random_counts(60, 30)
    mentions = scipy.sparse.identity(60, dtype=np.float32, format="csr")
    exact = tf_idf(tokens).toarray()
    whole = text_profile(mentions, tokens, 30).rows
    np.testing.assert_allclose(whole @ whole.T, exact @ exact.T, atol=1e-4)
    singular_values = np.linalg.svd(exact, compute_uv=False)
    np.testing.assert_allclose(
        np.linalg.norm(text_profile(mentions, tokens, 5).rows, axis=0), singular_values[:5], rtol=0.02
    )


def test_an_entity_has_the_words_of_all_its_sentences_also_if_rows_name_a_token_twice() -> None:
    mentions = scipy.sparse.csr_matrix(np.array([[1, 1], [0, 1]], dtype=np.float32))
    ones = np.ones(3, dtype=np.float32)
    tokens = scipy.sparse.csr_matrix((ones, np.array([2, 2, 0]), np.array([0, 2, 3])), shape=(2, 4))
    joined = scipy.sparse.csr_matrix(np.array([[1, 0, 2, 0], [1, 0, 0, 0]], dtype=np.float32))
    profile, exact = text_profile(mentions, tokens, 2).rows, tf_idf(joined).toarray()
    np.testing.assert_allclose(profile @ profile.T, exact @ exact.T, atol=1e-5)


def test_an_entity_without_text_has_a_row_of_zeros() -> None:
    pairs = np.array([0, 0]), np.array([1, 2])
    profile = comention_profile(*pairs, np.array([3, 1]), n_entities=4, dimensions=6).rows
    assert profile.shape == (4, 6)
    assert not profile[3].any()
    assert np.linalg.norm(unit_rows(profile, 6), axis=1).round(5).tolist() == [1, 1, 1, 0]


def test_entities_with_the_same_partners_have_the_same_comention_profile() -> None:
    first, second = np.array([0, 0, 1, 1]), np.array([2, 3, 2, 3])
    profile = unit_rows(comention_profile(first, second, np.array([2, 5, 2, 5]), n_entities=4, dimensions=3).rows, 3)
    np.testing.assert_allclose(profile[0], profile[1], atol=1e-5)
    assert abs(profile[0] @ profile[2]) < 1e-5
