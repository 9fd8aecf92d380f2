"""Classification figures by hand; the paired bootstrap."""

from typing import Any

import numpy as np
import pytest

from relvm_kg.benchmark.bootstrap import average_precision_difference, mrr_difference
from relvm_kg.benchmark.classification import MEAN_OF_LABELS, PairTable, classification_figures
from relvm_kg.benchmark.ranking import RankTable
from relvm_kg.errors import InvalidInputError
from relvm_kg.metrics import precision_at
from relvm_kg.types import Relation


def test_precision_at_k_shares_a_tie_that_crosses_the_place() -> None:
    labels = np.array([True, False, True, True, False])
    scores = np.array([5.0, 4.0, 3.0, 3.0, 3.0])
    assert precision_at(labels, scores, 1) == 1.0
    assert precision_at(labels, scores, 2) == 0.5
    # Of the three tied rows two are positive, one of the three is counted.
    assert precision_at(labels, scores, 3) == pytest.approx((1 + 2 / 3) / 3)
    assert precision_at(labels, scores, 5) == pytest.approx(0.6)


def table(scores: list[float], labels: list[bool], relations: list[Relation]) -> PairTable:
    n = len(scores)
    columns = np.array([r.column for r in relations])
    return PairTable(np.arange(n), columns, np.arange(n) + n, np.array(labels), np.array(scores))


def test_figures_come_pooled_as_a_mean_and_by_label() -> None:
    a, b = Relation.DISEASE_GENE, Relation.GENE_GENE
    pairs = table([2, 1, 1, 2], [True, False, True, False], [a, a, b, b])
    total, mean, first, second = classification_figures(pairs, ks=(1, 3))
    assert (first.average_precision, second.average_precision) == (1.0, 0.5)
    assert (mean.relation, mean.average_precision, mean.n) == (MEAN_OF_LABELS, 0.75, 4)
    assert total.average_precision == pytest.approx(0.5)
    assert total.prevalence == 0.5
    assert total.precision_at == {1: 0.5, 3: 0.5}
    assert first.precision_at == {1: 1.0}


def test_a_label_without_positives_has_no_figures() -> None:
    assert classification_figures(table([1, 2], [False, False], [Relation.GENE_GENE] * 2)) == []


def ranks(values: Any, entities: Any) -> RankTable:
    v = np.asarray(values)
    n = len(v)
    return RankTable(np.ones(n, np.int64), np.asarray(entities), np.arange(n) + 1000, v, v, np.full(n, 50))


def test_a_contender_does_not_differ_from_itself() -> None:
    same = ranks([1, 5, 9, 2], [0, 1, 2, 3])
    assert mrr_difference(same, same, 50, seed=0) == (0.0, 0.0, 0.0, 1.0)


def test_a_clear_gain_has_an_interval_above_zero_and_is_repeatable() -> None:
    random = np.random.default_rng(0)
    good, bad = random.integers(1, 4, 300), random.integers(5, 50, 300)
    entities = random.integers(0, 60, 300)
    first = mrr_difference(ranks(good, entities), ranks(bad, entities), 200, seed=1)
    assert first.low > 0
    assert first.low < first.estimate < first.high
    assert first.share_not_better == 0.0
    assert first == mrr_difference(ranks(good, entities), ranks(bad, entities), 200, seed=1)


def test_rows_that_share_an_entity_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    hub = np.repeat(np.arange(10), 30)
    good = np.where(hub < 5, 1, 40)
    bad = np.full(300, 8)
    one_each = random.permutation(300)
    grouped = mrr_difference(ranks(good, hub), ranks(bad, hub), 200, seed=1)
    single = mrr_difference(ranks(good, one_each), ranks(bad, one_each), 200, seed=1)
    assert grouped.high - grouped.low > 1.5 * (single.high - single.low)


def test_average_precision_differences_are_paired() -> None:
    random = np.random.default_rng(0)
    labels = (random.random(400) < 0.3).tolist()
    relations = [Relation.DISEASE_GENE] * 400
    good = table((np.array(labels) + random.normal(size=400)).tolist(), labels, relations)
    bad = table(random.normal(size=400).tolist(), labels, relations)
    difference = average_precision_difference(good, bad, 200, seed=0)
    assert difference.low > 0
    assert average_precision_difference(good, good, 20, seed=0).estimate == 0.0


def test_other_tests_cannot_be_compared() -> None:
    with pytest.raises(InvalidInputError, match="same tests in the same order"):
        mrr_difference(ranks([1], [0]), ranks([1], [1]), 10, seed=0)
