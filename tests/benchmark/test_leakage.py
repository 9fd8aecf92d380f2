"""The audit finds each kind of leak, and none in a loaded workspace."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from relvm_kg.benchmark.data import BenchmarkData, SplitTriples
from relvm_kg.benchmark.leakage import audit, check_leakage
from relvm_kg.benchmark.triples import Triples, concatenated
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError


def with_positive(data: BenchmarkData, triple: Triples, split: Split) -> BenchmarkData:
    triples = concatenated(data.positives.triples, triple)
    return replace(data, positives=SplitTriples(triples, np.append(data.positives.splits, np.int8(split))))


def test_a_loaded_workspace_is_clean(world: Any) -> None:
    assert audit(world.data).is_clean
    assert check_leakage(world.data) == (0,) * 6


def test_a_pair_in_training_and_test_is_found(world: Any) -> None:
    data: BenchmarkData = world.data
    first_test = data.positives.part(Split.TEST).rows(np.array([0]))
    found = audit(with_positive(data, first_test, Split.TRAIN))
    assert (found.duplicate_triples, found.pairs_in_two_splits, found.tests_in_validation_filter) == (1, 1, 1)


def test_an_inverse_edge_in_training_is_found(world: Any) -> None:
    data: BenchmarkData = world.data
    test = data.positives.part(Split.TEST).rows(np.array([0]))
    found = audit(with_positive(data, Triples(test.tails, test.relations, test.heads), Split.TRAIN))
    assert (found.inverse_triples, found.pairs_in_two_splits) == (2, 1)


def test_a_known_pair_among_the_negatives_is_found(world: Any) -> None:
    data: BenchmarkData = world.data
    known = data.positives.part(Split.TEST).rows(np.array([0]))
    negatives = SplitTriples(
        concatenated(data.negatives.triples, known, known), np.append(data.negatives.splits, np.zeros(2, np.int8))
    )
    found = audit(replace(data, negatives=negatives))
    assert (found.positives_among_negatives, found.duplicate_negatives, found.pairs_in_two_splits) == (2, 1, 1)


def test_the_check_fails_with_the_counts(world: Any) -> None:
    data: BenchmarkData = world.data
    first_test = data.positives.part(Split.TEST).rows(np.array([0]))
    with pytest.raises(InvalidInputError, match="was: duplicate triples 1, pairs in two splits 1, tests in"):
        check_leakage(with_positive(data, first_test, Split.TRAIN))
