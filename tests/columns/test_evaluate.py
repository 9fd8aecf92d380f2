"""Results are kept by hash and come back; differences are paired; a model gives what its name says."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relvm_kg.benchmark.columns.entrants import Entrant, Representation, Scorer
from relvm_kg.benchmark.columns.evaluate import (
    Evaluation,
    column_differences,
    column_scores,
    evaluate_representations,
)
from relvm_kg.benchmark.columns.features import profile_features
from relvm_kg.benchmark.columns.files import PairColumns
from relvm_kg.benchmark.columns.lineup import Floors, model_representations
from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.columns.relvm_features import PriorDraws, PriorMean, entity_vectors, model_digest
from relvm_kg.benchmark.columns.report import average_precision_table, difference_table
from relvm_kg.benchmark.columns.settings import ClassifierSettings, Family, Kind, Stage
from relvm_kg.benchmark.columns.sources import PairSource
from relvm_kg.benchmark.data import Comentions
from relvm_kg.encoding.profiles import unit_rows
from relvm_kg.errors import InvalidInputError
from relvm_kg.metrics import average_precision
from relvm_kg.model.presets import ModelConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.progress import Silent

SETTINGS = ClassifierSettings(hidden=8, max_epochs=2, batch_size=64)


class Constant:
    """Scores by a number of the pair, and counts how often it is asked to prepare."""

    def __init__(self, name: str, factor: int) -> None:
        self.name, self.key, self.factor, self.asked = name, name, factor, 0
        self.families: tuple[Family, ...] = tuple(Family)

    def scorer(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scorer:
        self.asked += 1
        values = (pairs.keys * self.factor % 101) + 40.0 * pairs.positive * (self.factor == 1)
        return lambda fit: {kind: values[rows] for kind, rows in fit.reads.items()}


@pytest.fixture
def evaluation(families: Mapping[Family, FamilyPairs], tmp_path: Path) -> Evaluation:
    columns = PairColumns(families, sha256="a", corpus_hash="none")
    return Evaluation(columns=columns, stage=Stage.VALIDATION, folder=tmp_path, classifier=SETTINGS)


def table_of(source: PairSource) -> Comentions:
    pairs = source.co_mentioned
    n = np.ones(len(pairs))
    return Comentions.of(len(source.ids), (pairs.heads, pairs.tails), n, 0.1 * n)


@pytest.mark.parametrize("stage", Stage)
def test_figures_are_those_of_the_rows_of_each_column(evaluation: Evaluation, stage: Stage) -> None:
    evaluation = replace(evaluation, stage=stage)
    entrant = Constant("good", 1)
    figures = evaluate_representations(evaluation, [entrant], Silent())["entrants"]["good"]["columns"]
    assert [(f["family"], f["kind"]) for f in figures] == [(a.value, b.value) for a in Family for b in Kind]
    for figure in figures:
        pairs = evaluation.columns.families[Family(figure["family"])]
        own = pairs.take(pairs.rows(stage, Kind(figure["kind"])))
        wanted = average_precision(own.positive, (own.keys % 101) + 40.0 * own.positive)
        assert figure["average_precision"] == pytest.approx(wanted, abs=1e-4)
        assert figure["prevalence"] == pytest.approx(own.positive.mean(), abs=1e-4)


def test_what_is_stored_is_not_computed_again(evaluation: Evaluation) -> None:
    entrant = Constant("good", 1)
    first = column_scores(evaluation, entrant)
    second = column_scores(evaluation, entrant)
    assert entrant.asked == len(Family)
    assert all(np.array_equal(first[column], second[column]) for column in first)


@pytest.mark.parametrize("what", ["stage", "pairs", "classifier", "key"])
def test_other_pairs_settings_or_keys_are_computed_anew(evaluation: Evaluation, what: str) -> None:
    entrant = Constant("good", 1)
    column_scores(evaluation, entrant)
    changed = {
        "stage": replace(evaluation, stage=Stage.TEST),
        "pairs": replace(evaluation, columns=replace(evaluation.columns, sha256="b")),
        "classifier": replace(evaluation, classifier=replace(SETTINGS, seed=1)),
        "key": evaluation,
    }[what]
    if what == "key":
        entrant.key = "another"
    column_scores(changed, entrant)
    assert entrant.asked == 2 * len(Family)


def test_scores_of_other_pairs_under_the_same_name_are_refused(evaluation: Evaluation) -> None:
    entrant = Constant("good", 1)
    column_scores(evaluation, entrant)
    families = {f: pairs.take(np.arange(len(pairs) // 2)) for f, pairs in evaluation.columns.families.items()}
    fewer = replace(evaluation, columns=PairColumns(families, "a", "none"))
    with pytest.raises(InvalidInputError, match="scores of co-mentioned, random, was: "):
        column_scores(fewer, entrant)


def test_a_difference_is_paired_by_column_and_excludes_zero_where_one_is_much_better(evaluation: Evaluation) -> None:
    good, bad = Constant("good", 1), Constant("bad", 7)
    found = column_differences(evaluation, good, bad, n_resamples=50)
    assert set(found) == {(family, kind) for family in Family for kind in Kind}
    assert all(difference.low > 0 for difference in found.values())
    same = column_differences(evaluation, good, good, n_resamples=50)
    assert {(d.estimate, d.low, d.high) for d in same.values()} == {(0.0, 0.0, 0.0)}


@pytest.fixture(scope="module")
def model(source: PairSource) -> Relvm:
    config = ModelConfig(hidden=8, latent=6, embedding=10)
    profiles = np.random.default_rng(0).standard_normal((len(source.ids), 10)).astype(np.float32)
    return Relvm.started(config, len(source.ids), 20, 0, torch.from_numpy(profiles)).eval()


HEADS, TAILS = np.array([0, 3, 5]), np.array([9, 4, 1])


def test_draws_of_z_have_both_orders_and_scatter_about_its_mean(model: Relvm) -> None:
    many = PriorDraws("z", model, draws=4000)(HEADS, TAILS)
    assert many.shape == (3, 4000, 6)
    mean = PriorMean("z mean", model, draws=4000)(HEADS, TAILS)
    assert np.abs(many.mean(1) - mean).max() < 0.15
    assert PriorDraws("z", model)(HEADS, TAILS).shape == (3, 4, 6)
    assert PriorDraws("z", model).evaluated(HEADS, TAILS).shape == (3, 32, 6)


def test_z_and_its_mean_are_the_same_in_both_orders_and_at_every_call(model: Relvm) -> None:
    for features in (PriorMean("z mean", model), PriorDraws("z", model)):
        assert features.evaluated(HEADS, TAILS).mean() == features.evaluated(HEADS, TAILS).mean()
        assert np.allclose(
            features.evaluated(HEADS, TAILS).reshape(3, -1, 6).mean(1),
            features.evaluated(TAILS, HEADS).reshape(3, -1, 6).mean(1),
            atol=1e-5,
        )
        assert np.array_equal(features(HEADS, TAILS), features(HEADS, TAILS))


def test_entity_vectors_are_those_that_the_prior_reads(model: Relvm) -> None:
    features = entity_vectors("vectors", model)
    with torch.no_grad():
        wanted = model.entities.pair(torch.from_numpy(HEADS), torch.from_numpy(TAILS)).numpy()
    assert np.allclose(features(HEADS, TAILS), wanted, atol=1e-6)
    assert features.width == 30


def test_profiles_beside_one_another_have_the_length_of_entity_vectors() -> None:
    profile = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)
    profile[3] = 0
    vectors = profile_features("both", unit_rows(profile, 4), unit_rows(profile, 4)).table
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.sqrt(8) * np.array([1, 1, 1, 0, 1]), rel=1e-5)


def test_a_models_digest_changes_with_entity_vectors_and_prior_and_with_nothing_else(model: Relvm) -> None:
    before = model_digest(model)
    with torch.no_grad():
        model.tokens.weight[0, 0] += 1
        assert model_digest(model) == before
        model.entities.table.weight[0, 0] += 1
        assert model_digest(model) != before
        model.entities.table.weight[0, 0] -= 1


def test_every_row_of_the_table_can_be_computed(evaluation: Evaluation, source: PairSource, model: Relvm) -> None:
    random = np.random.default_rng(0)
    text, comention = (random.standard_normal((len(source.ids), 8)).astype(np.float32) for _ in range(2))
    floors = Floors(text=text, comention=comention, comentions=table_of(source))
    entrants: list[Entrant] = [*floors.counts(), *floors.profiles(), *model_representations("tiny", model)]
    entrants.append(floors.stacked("tiny", model))
    found = evaluate_representations(evaluation, entrants, Silent())["entrants"]
    assert len(found) == len(entrants) == len({entrant.key for entrant in entrants})
    counts = {name: len(entry["columns"]) for name, entry in found.items()}
    assert {name for name, n in counts.items() if n == len(Kind)} == {"co-mention count", "co-mention NPMI"}
    assert all(isinstance(e, Representation) for e in floors.profiles())


def test_tables_mark_the_best_of_a_column_and_the_differences_that_are_sure(evaluation: Evaluation) -> None:
    good, bad = Constant("good", 1), Constant("bad", 7)
    bad.families = (Family.CO_MENTIONED,)
    table = average_precision_table(evaluate_representations(evaluation, [bad, good], Silent())).splitlines()
    assert [line.split(" | ")[0] for line in table] == ["| ", "|---|---|---|---|---|---|---|", *ROWS]
    assert (table[3].count("**"), table[3].count(" - "), table[4].count("**")) == (0, 3, 12)
    found = column_differences(evaluation, good, bad, n_resamples=20)
    line = difference_table({"good - bad": found}).splitlines()[2]
    assert line.count("**+") == 3
    assert line.endswith("| - | - | - |")


ROWS = ["| (prevalence)", "| bad", "| good"]
