"""One type for all places of a name in a document."""

import numpy as np
import pytest

from relvm_kg.tagging.type_choice import RULE_WEIGHT, AmbiguousName, choose_types
from relvm_kg.types import EntityType

GENE, DISEASE, CHEMICAL = EntityType


def name(document: int, surface: str = "ALS", by_rule: EntityType = GENE) -> AmbiguousName:
    return AmbiguousName(document, surface, (GENE, DISEASE), by_rule)


def table(*rows: tuple[float, float, float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(rows, dtype=np.float32).reshape(-1, 3)


def test_the_places_of_a_document_vote_and_documents_do_not_see_one_another() -> None:
    sure, unsure = (0.02, 0.97, 0.01), (0.6, 0.3, 0.1)
    names = [name(0), name(0, "als"), name(1)]
    assert choose_types(names, table(sure, unsure, unsure)) == [DISEASE, DISEASE, GENE]


def test_a_type_that_the_name_does_not_have_is_never_chosen() -> None:
    assert choose_types([name(0)], table((0.05, 0.05, 0.9))) == [GENE]


@pytest.mark.parametrize(("margin", "chosen"), [(RULE_WEIGHT - 0.1, GENE), (RULE_WEIGHT + 0.1, DISEASE)])
def test_the_rule_counts_as_much_as_its_weight_says(margin: float, chosen: EntityType) -> None:
    disease = 0.9 / (1 + np.exp(-margin))
    assert choose_types([name(0)], table((0.9 - disease, disease, 0.1))) == [chosen]


def test_a_probability_of_nothing_is_no_veto_against_many_places() -> None:
    names = [name(0)] * 4
    assert choose_types(names, table((0.0, 1.0, 0.0), *[(0.999, 0.001, 0.0)] * 3)) == [GENE] * 4


def test_no_names_have_no_types() -> None:
    assert choose_types([], table()) == []
