"""The classifier learns what is there, scores symmetric pairs alike in both orders, and stops by column."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from relvm_kg.benchmark.columns.entrants import Representation
from relvm_kg.benchmark.columns.features import Float32Array, PairFeatures, PairRows, PairVectors, family_blocks
from relvm_kg.benchmark.columns.network import ColumnNetwork, NetworkInput, predict, train_and_score
from relvm_kg.benchmark.columns.pairs import FamilyPairs, Fit, fits
from relvm_kg.benchmark.columns.settings import ClassifierSettings, Family, Kind, Stage
from relvm_kg.benchmark.triples import SYMMETRIC, IntArray
from relvm_kg.metrics import average_precision
from relvm_kg.pairs import pair_keys

SETTINGS = ClassifierSettings(hidden=16, max_epochs=6, batch_size=64, learning_rate=1e-2)
RANDOM = np.random.default_rng(0)
VECTORS = PairVectors("random", RANDOM.standard_normal((600, 4)).astype(np.float32))


@dataclass(frozen=True)
class Drawn:
    """Features that are drawn: a value with noise, more draws to predict from."""

    inner: PairFeatures
    name: str = "drawn"
    noise: float = 0.1
    symmetric: bool = field(default=False, init=False)

    @property
    def width(self) -> int:
        return self.inner.width

    def __call__(self, heads: IntArray, tails: IntArray) -> Float32Array:
        return self.draw(heads, tails, 2)

    def evaluated(self, heads: IntArray, tails: IntArray) -> Float32Array:
        return self.draw(heads, tails, 8)

    def draw(self, heads: IntArray, tails: IntArray, n: int) -> Float32Array:
        values = self.inner(heads, tails)[:, None]
        noise = np.random.default_rng(n).standard_normal((len(heads), n, self.width)).astype(np.float32)
        return values + np.float32(self.noise) * noise


@pytest.fixture(scope="module")
def pairs(families: Mapping[Family, FamilyPairs]) -> FamilyPairs:
    return families[Family.CO_MENTIONED]


@pytest.fixture(scope="module")
def planted(pairs: FamilyPairs) -> tuple[FamilyPairs, PairFeatures]:
    """Pairs whose label is the sign of one feature."""
    values = np.random.default_rng(1).standard_normal((len(pairs), 5)).astype(np.float32)
    order = np.argsort(pairs.keys)
    return replace(pairs, positive=values[:, 2] > 0.5), PairRows("planted", pairs.keys[order], values[order])


def test_one_fit_learns_a_planted_feature_in_every_column(planted: tuple[FamilyPairs, PairFeatures]) -> None:
    pairs, features = planted
    fit = fits(pairs, Stage.VALIDATION)[0]
    scores = train_and_score(NetworkInput(pairs, family_blocks(pairs, [features])), fit, SETTINGS)
    for kind, rows in fit.reads.items():
        assert average_precision(pairs.positive[rows], scores[kind]) > 0.95


def test_draws_are_learned_from_and_predicted_as_a_mean(planted: tuple[FamilyPairs, PairFeatures]) -> None:
    pairs, features = planted
    fit = fits(pairs, Stage.VALIDATION)[0]
    inputs = NetworkInput(pairs, family_blocks(pairs, [Drawn(features), VECTORS]))
    scores = train_and_score(inputs, fit, SETTINGS)
    rows = fit.reads[Kind.ONE_COLD]
    assert average_precision(pairs.positive[rows], scores[Kind.ONE_COLD]) > 0.9


def test_prediction_is_the_mean_probability_over_the_draws_to_predict_from(pairs: FamilyPairs) -> None:
    drawn = Drawn(VECTORS)
    inputs = NetworkInput(pairs, family_blocks(pairs, [drawn]))
    network = ColumnNetwork(inputs.layers(SETTINGS), SETTINGS).eval()
    rows = np.flatnonzero(~np.isin(pairs.relations, [r.column for r in SYMMETRIC]))[:7]
    features = torch.from_numpy(drawn.evaluated(pairs.heads[rows], pairs.tails[rows]))
    with torch.no_grad():
        log_odds = network([features], torch.from_numpy(pairs.relations[rows]))
    found = predict(network, inputs, rows, draws=True)
    assert log_odds.shape == (7, 8)
    assert np.allclose(found, torch.sigmoid(log_odds).mean(1).numpy(), atol=1e-6)


def test_a_symmetric_pair_scores_the_same_in_both_orders(pairs: FamilyPairs) -> None:
    symmetric = np.isin(pairs.relations, [r.column for r in SYMMETRIC])
    assert symmetric.any()
    assert not symmetric.all()
    turned = replace(
        pairs,
        heads=np.where(symmetric, pairs.tails, pairs.heads),
        tails=np.where(symmetric, pairs.heads, pairs.tails),
    )
    torch.manual_seed(0)
    rows = np.arange(len(pairs))
    inputs = [NetworkInput(own, family_blocks(own, [VECTORS])) for own in (pairs, turned)]
    network = ColumnNetwork(inputs[0].layers(SETTINGS), SETTINGS)
    one, two = (predict(network, own, rows) for own in inputs)
    assert np.allclose(one, two, atol=1e-6)


def test_the_same_seed_gives_the_same_scores(planted: tuple[FamilyPairs, PairFeatures]) -> None:
    pairs, features = planted
    fit = fits(pairs, Stage.VALIDATION)[0]
    inputs = NetworkInput(pairs, family_blocks(pairs, [features, VECTORS]))
    one, two = (train_and_score(inputs, fit, SETTINGS) for _ in range(2))
    assert all(np.array_equal(one[kind], two[kind]) for kind in Kind)


def test_each_column_is_scored_by_the_epoch_that_is_best_on_its_stopping_rows(
    planted: tuple[FamilyPairs, PairFeatures],
) -> None:
    pairs, features = planted
    fit = fits(pairs, Stage.VALIDATION)[0]
    inputs = NetworkInput(pairs, family_blocks(pairs, [features]))
    together = train_and_score(inputs, fit, SETTINGS)
    kind = Kind.BOTH_COLD
    alone = train_and_score(
        inputs, Fit("one", fit.training, {kind: fit.stops[kind]}, {kind: fit.reads[kind]}), SETTINGS
    )
    rows = fit.reads[kind]
    figures = [average_precision(pairs.positive[rows], scores[kind]) for scores in (together, alone)]
    assert figures[0] >= figures[1]


def test_rows_of_features_are_found_in_either_order_and_zero_elsewhere() -> None:
    keys = pair_keys(np.array([1, 3]), np.array([2, 9]))
    rows = PairRows("rows", np.sort(keys), np.array([[1.0, 2.0], [3.0, 4.0]], np.float32))
    assert rows(np.array([2, 9, 5]), np.array([1, 3, 6])).tolist() == [[1, 2], [3, 4], [0, 0]]


def test_features_of_both_orders_are_computed_for_symmetric_pairs_alone(pairs: FamilyPairs) -> None:
    blocks = family_blocks(pairs, [VECTORS])
    symmetric = np.isin(pairs.relations, [r.column for r in SYMMETRIC])
    assert blocks.blocks[0].values.shape == (len(pairs) + symmetric.sum(), 1, 12)
    assert (blocks.turned == np.arange(len(pairs))).tolist() == (~symmetric).tolist()
    row = int(np.flatnonzero(symmetric)[0])
    other = blocks.blocks[0].values[blocks.turned[row], 0]
    assert other.tolist() == VECTORS(pairs.tails[[row]], pairs.heads[[row]])[0].tolist()


def test_a_representation_scores_every_row_that_a_fit_reads(pairs: FamilyPairs) -> None:
    score = Representation(name="random", key="random", features=(VECTORS,)).scorer(pairs, SETTINGS)
    for fit in fits(pairs, Stage.TEST)[:2]:
        assert {kind: len(values) for kind, values in score(fit).items()} == {k: len(r) for k, r in fit.reads.items()}
