"""Checks that load scikit-learn, which PyKEEN does: run by `test_own_process.py` in a process of their own.

Embeddings find planted structure, stop in time, and know nothing of entities without labels; our figures equal those of
scikit-learn.
"""

import socket
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from relvm_kg.benchmark.classification import MEAN_OF_LABELS
from relvm_kg.benchmark.data import BenchmarkData, SplitTriples
from relvm_kg.benchmark.evaluator import evaluate
from relvm_kg.benchmark.floors import fit_logistic
from relvm_kg.benchmark.kge_settings import KgeModel, KgeSettings, default_settings
from relvm_kg.benchmark.pykeen_adapter import train_kge
from relvm_kg.benchmark.ranking import mean_reciprocal_rank, rank
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError
from relvm_kg.metrics import TieGroups, average_precision, roc_auc
from relvm_kg.progress import Silent
from relvm_kg.types import Relation

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)


def quick(model: KgeModel, max_epochs: int = 40) -> KgeSettings:
    return replace(
        default_settings(model),
        dimensions=32,
        batch_size=256,
        n_negatives=16,
        learning_rate=0.01,
        max_epochs=max_epochs,
        n_validation=80,
    )


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("the benchmark must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="module")
def dense_world(make_world: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_world(tmp_path_factory.mktemp("dense"), n_entities=200, n_pairs=30_000)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("model", list(KgeModel))
def test_an_embedding_model_finds_the_planted_clusters(dense_world: Any, model: KgeModel) -> None:
    trained = train_kge(dense_world.data, replace(quick(model, max_epochs=30), learning_rate=0.05), Silent())
    evaluation = evaluate(trained, dense_world.data)
    assert evaluation.ranking()[0].amri > 0.25
    row = next(f for f in evaluation.classification() if f.relation == MEAN_OF_LABELS)
    assert row.average_precision > row.prevalence + 0.2
    record = trained.record
    assert record.best_validation is not None
    assert record.best_validation > 0.1
    assert record.n_parameters is not None
    assert record.n_parameters >= 32 * len(trained.contender.entities)  # type: ignore[attr-defined]


def test_the_best_validation_weights_are_kept(world: Any) -> None:
    settings = quick(KgeModel.TRANSE, max_epochs=3)
    trained = train_kge(world.data, replace(settings, evaluate_every=1, n_validation=10_000), Silent())
    validation = world.data.positives.part(Split.VALIDATION)
    again = rank(trained.contender, validation, world.data, world.data.training_partners).typed
    assert mean_reciprocal_rank(again) == pytest.approx(trained.record.best_validation, abs=1e-9)


def test_a_time_budget_ends_training(world: Any) -> None:
    started = perf_counter()
    settings = replace(quick(KgeModel.ROTATE), max_epochs=100_000, patience=100_000, seconds=1.0)
    record = train_kge(world.data, settings, Silent()).record
    assert record.stopped_by == "time budget"
    assert perf_counter() - started < 20


def test_a_seed_makes_training_repeatable_and_leaves_the_global_generator_alone(world: Any) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    scores = []
    for _ in range(2):
        contender = train_kge(world.data, quick(KgeModel.COMPLEX, max_epochs=3), Silent()).contender
        scores.append(contender.score_tails(0, Relation.GENE_GENE, np.arange(20)))
    np.testing.assert_array_equal(scores[0], scores[1])
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_symmetric_relation_scores_the_same_both_ways(world: Any) -> None:
    contender = train_kge(world.data, quick(KgeModel.ROTATE, max_epochs=2), Silent()).contender
    train = world.data.positives.part(Split.TRAIN).of(Relation.GENE_GENE)
    forward = contender.score_pairs(train.heads, train.tails, Relation.GENE_GENE)
    np.testing.assert_allclose(forward, contender.score_pairs(train.tails, train.heads, Relation.GENE_GENE))
    np.testing.assert_allclose(
        contender.score_tails(int(train.heads[0]), Relation.GENE_GENE, train.tails[:1]), forward[:1], rtol=1e-5
    )


def test_entities_and_relations_without_labels_tie_below_the_others(world: Any) -> None:
    data: BenchmarkData = world.data
    positives = data.positives.triples
    unlabelled = int(positives.heads[positives.relations == Relation.CHEMICAL_GENE.column][0])
    kept = (positives.heads != unlabelled) & (positives.tails != unlabelled)
    kept &= positives.relations != Relation.CHEMICAL_DISEASE.column
    less = replace(data, positives=SplitTriples(positives.rows(kept), data.positives.splits[kept]))
    contender = train_kge(less, quick(KgeModel.TRANSE, max_epochs=2), Silent()).contender
    genes = np.unique(less.positives.part(Split.TRAIN).of(Relation.CHEMICAL_GENE).tails)
    of_unlabelled = contender.score_tails(unlabelled, Relation.CHEMICAL_GENE, genes)
    assert len(np.unique(of_unlabelled)) == 1
    known = int(less.positives.part(Split.TRAIN).of(Relation.CHEMICAL_GENE).heads[0])
    assert (contender.score_tails(known, Relation.CHEMICAL_GENE, genes) >= of_unlabelled[0]).all()
    assert not contender.score_tails(known, Relation.CHEMICAL_DISEASE, np.arange(5)).any()


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"seconds must be above 0, .* was: 0, 10, 8"):
        replace(default_settings(KgeModel.TRANSE), seconds=0)


@given(ROWS, st.integers(0, 99))
def test_areas_equal_those_of_scikit_learn(rows: list[tuple[bool, int]], seed: int) -> None:
    labels, scores = np.array([a for a, _ in rows]), np.array([b for _, b in rows], np.float64)
    weights = np.random.default_rng(seed).integers(1, 4, len(rows)).astype(np.float64)
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    weighted = TieGroups(labels, scores).average_precision(weights)
    assert weighted == pytest.approx(average_precision_score(labels, scores, sample_weight=weights))


def test_logistic_regression_equals_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(400, 3))
    labels = (random.random(400) < 1 / (1 + np.exp(-(features @ [2.0, -1.0, 0.0] - 0.5)))).astype(np.float64)
    reference = LogisticRegression(tol=1e-8, max_iter=1000).fit(features, labels)
    weights = fit_logistic(features, labels)
    np.testing.assert_allclose(weights, np.r_[reference.intercept_, reference.coef_[0]], atol=1e-4)
