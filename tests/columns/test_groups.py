"""Groups and rounds depend on ids and seed alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.benchmark.columns.groups import cold_rounds, entity_groups, pair_numbers
from relvm_kg.benchmark.columns.settings import N_FOLDS, VALIDATION_GROUP

IDS = [f"NCBIGene:{n}" for n in range(5000)]


def test_a_fifth_of_the_entities_is_for_validation_and_the_folds_are_alike() -> None:
    counts = np.bincount(entity_groups(IDS, seed=0), minlength=N_FOLDS + 1) / len(IDS)
    assert abs(counts[VALIDATION_GROUP] - 0.2) < 0.02
    assert np.abs(counts[:N_FOLDS] - 0.16).max() < 0.02


def test_a_group_stays_when_the_catalogue_changes_and_moves_with_the_seed() -> None:
    groups = entity_groups(IDS, seed=0)
    assert entity_groups(IDS[::-1], seed=0)[::-1].tolist() == groups.tolist()
    assert entity_groups(IDS[:10], seed=0).tolist() == groups[:10].tolist()
    assert (entity_groups(IDS, seed=1) != groups).mean() > 0.5


@given(st.integers(0, 4999), st.integers(0, 4999), st.sampled_from(["0|draw", "1|round"]))
def test_a_pair_has_one_number_in_either_order(first: int, second: int, purpose: str) -> None:
    one, two = np.array([first]), np.array([second])
    assert pair_numbers(IDS, one, two, purpose) == pair_numbers(IDS, two, one, purpose)


@given(st.integers(0, N_FOLDS), st.integers(0, N_FOLDS), st.integers(0, 2**64 - 1))
def test_a_pair_is_tested_in_the_fold_of_one_of_its_entities_or_never(first: int, second: int, number: int) -> None:
    groups = np.array([first], np.int8), np.array([second], np.int8)
    found = int(cold_rounds(*groups, np.array([number], np.uint64))[0])
    assert found == -1 if VALIDATION_GROUP in (first, second) else found in (first, second)
    assert cold_rounds(*groups[::-1], np.array([number], np.uint64))[0] == found
