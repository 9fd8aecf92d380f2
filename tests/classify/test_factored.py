"""The factored prior: the same log-odds as the plain form, whatever the architecture and whoever shares an entity."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from relvm_kg.classify.draws import Draws, draw_z
from relvm_kg.classify.factored import FactoredPairs, is_factorable
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.classify.probabilities import ENOUGH_PARTNERS, PairProbabilities, evaluation_draws
from relvm_kg.model.presets import EntityStart, ModelConfig, Preset, Size, model_config
from relvm_kg.model.products import Products, linear
from relvm_kg.model.relvm import Relvm
from relvm_kg.types import POSITIVE_RELATIONS

N_ENTITIES = 1500


def plain(
    model: Relvm, classifier: PairClassifier, heads: torch.Tensor, tails: torch.Tensor, draws: Draws
) -> torch.Tensor:
    columns = torch.full_like(heads, 2)
    with torch.no_grad():
        result: torch.Tensor = classifier(draw_z(model, heads, tails, draws), columns)
    return result


def models(config: ModelConfig, seed: int) -> tuple[Relvm, PairClassifier]:
    model = Relvm.started(config, N_ENTITIES, n_vocabulary=9, seed=seed).eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model, PairClassifier(config.latent, hidden=11).eval()


configs = st.builds(
    ModelConfig,
    hidden=st.integers(1, 20),
    latent=st.just(10),
    embedding=st.integers(1, 16),
    scale_entities=st.booleans(),
    residual=st.booleans(),
    entity_start=st.just(EntityStart.RANDOM),
    prior_hidden=st.sampled_from([0, 7]),
    prior_layers=st.integers(2, 4),
    mixture=st.sampled_from([0, 3]),
    wide_mean_start=st.booleans(),
    log_variance_limit=st.sampled_from([0.1, 6.0]),
)


@settings(max_examples=60, deadline=None)
@given(
    config=configs,
    samples=st.integers(1, 9),
    n=st.integers(1, 40),
    products=st.sampled_from(Products),
    seed=st.integers(0, 9),
)
def test_folding_one_entity_into_the_weights_changes_no_log_odds(
    config: ModelConfig, samples: int, n: int, products: Products, seed: int
) -> None:
    model, classifier = models(config, seed)
    draws = Draws.independent(samples, config.latent, torch.Generator().manual_seed(seed))
    partners = torch.arange(1, n + 1)
    wanted = plain(model, classifier, torch.zeros_like(partners), partners, draws)
    shared = FactoredPairs.of(model.entities, model.prior, classifier, draws, products=products)
    scale = 1e-6 * max(1.0, float(wanted.abs().max()))
    for found in (
        torch.cat(list(shared.one_to_many(torch.tensor(0), partners, 2))),
        torch.cat(list(shared.pairs(torch.zeros_like(partners), partners, 2))),
    ):
        torch.testing.assert_close(found, wanted, rtol=0, atol=scale)


@pytest.mark.parametrize(("preset", "size"), list(itertools.product(Preset, (Size.X_SMALL, Size.LARGE))))
def test_real_sizes_differ_by_less_than_a_millionth(preset: Preset, size: Size) -> None:
    model, _ = models(model_config(preset, size), 0)
    classifier = PairClassifier(300, 300).eval()
    draws = evaluation_draws(model, 4, seed=0)
    partners = torch.arange(1, 65)
    wanted = torch.sigmoid(plain(model, classifier, torch.zeros_like(partners), partners, draws)).mean(1)
    shared = FactoredPairs.of(model.entities, model.prior, classifier, draws)
    found = torch.sigmoid(torch.cat(list(shared.one_to_many(torch.tensor(0), partners, 2)))).mean(1)
    assert (found - wanted).abs().max() < 1e-6


@settings(max_examples=30, deadline=None)
@given(
    n_heads=st.integers(1, 6),
    n_tails=st.integers(1, 90),
    swapped=st.booleans(),
    n_columns=st.integers(1, 3),
    seed=st.integers(0, 5),
)
def test_pairs_in_any_company_have_the_probability_of_the_plain_form(
    n_heads: int, n_tails: int, swapped: bool, n_columns: int, seed: int
) -> None:
    config = ModelConfig(hidden=8, latent=6, embedding=10, entity_start=EntityStart.RANDOM)
    model, classifier = models(config, 0)
    random = np.random.default_rng(seed)
    heads = random.integers(0, n_heads, ENOUGH_PARTNERS + n_tails)
    tails = 100 + random.integers(0, n_tails, len(heads))
    columns = np.array([r.column for r in POSITIVE_RELATIONS])[random.integers(0, n_columns, len(heads))]
    if swapped:
        heads, tails = tails, heads
    scorer = PairProbabilities(model, classifier, evaluation_draws(model, 4, seed=0))
    found = scorer.of(heads, tails, columns)
    wanted = torch.cat([torch.sigmoid(part).mean(1) for _, part in scorer._plain(heads, tails, columns)]).numpy()
    np.testing.assert_allclose(found[0], wanted, rtol=0, atol=1e-6)


def test_more_pairs_and_draws_than_are_held_at_a_time_make_no_difference() -> None:
    config = ModelConfig(hidden=8, latent=6, embedding=10, entity_start=EntityStart.RANDOM)
    model, classifier = models(config, 0)
    draws = evaluation_draws(model, 5, seed=0)
    partners = torch.arange(1, 1301)
    wanted = plain(model, classifier, torch.zeros_like(partners), partners, draws)
    shared = FactoredPairs.of(model.entities, model.prior, classifier, draws)
    torch.testing.assert_close(
        torch.cat(list(shared.one_to_many(torch.tensor(0), partners, 2))), wanted, rtol=0, atol=2e-6
    )
    many = evaluation_draws(model, 2500, seed=0)
    one = FactoredPairs.of(model.entities, model.prior, classifier, many)
    few = torch.tensor([3])
    torch.testing.assert_close(
        torch.cat(list(one.one_to_many(torch.tensor(0), few, 2))),
        plain(model, classifier, torch.zeros_like(few), few, many),
        rtol=0,
        atol=2e-6,
    )


def test_a_prior_with_a_part_that_is_not_known_takes_the_plain_path() -> None:
    config = ModelConfig(hidden=8, latent=6, embedding=10, entity_start=EntityStart.RANDOM)
    model, classifier = models(config, 0)
    heads, tails = np.zeros(50, dtype=np.int64), np.arange(1, 51)
    columns = np.full(50, 2)
    draws = evaluation_draws(model, 4, seed=0)
    assert is_factorable(model.prior)
    known = PairProbabilities(model, classifier, draws).of(heads, tails, columns)
    model.prior.add_module("gate", nn.Linear(1, 1))
    assert not is_factorable(model.prior)
    unknown = PairProbabilities(model, classifier, draws).of(heads, tails, columns)
    for one, other in zip(known, unknown, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_bfloat16_moves_a_probability_by_little() -> None:
    model, _ = models(model_config(Preset.DEFAULT, Size.X_SMALL), 0)
    classifier = PairClassifier(300, 300).eval()
    heads, tails, columns = np.zeros(50, dtype=np.int64), np.arange(1, 51), np.full(50, 2)
    draws = evaluation_draws(model, 4, seed=0)
    exact, _ = PairProbabilities(model, classifier, draws).of(heads, tails, columns)
    rough, _ = PairProbabilities(model, classifier, draws, torch.bfloat16).of(heads, tails, columns)
    np.testing.assert_allclose(rough, exact, rtol=0, atol=5e-3)
    assert (rough != exact).any()


@given(rows=st.integers(0, 5), relu=st.booleans(), bias=st.booleans())
def test_both_libraries_multiply_alike(rows: int, relu: bool, bias: bool) -> None:
    generator = torch.Generator().manual_seed(rows)
    inputs, weight, added = (torch.randn(shape, generator=generator) for shape in ((2, rows, 7), (3, 7), (3,)))
    one, other = (linear(inputs, weight, added if bias else None, relu=relu, products=p) for p in Products)
    torch.testing.assert_close(one, other)


def test_sobol_draws_repeat_by_seed_and_are_standard_normal() -> None:
    first, again, other = (Draws.sobol(256, 5, seed) for seed in (1, 1, 2))
    assert torch.equal(first.u, again.u)
    assert torch.equal(first.noise, again.noise)
    assert not torch.equal(first.u, other.u)
    assert first.u.shape == first.noise.shape == (256, 5)
    both = torch.cat([first.u, first.noise], dim=1)
    assert both.mean(0).abs().max() < 0.02
    assert (both.std(0) - 1).abs().max() < 0.05
    assert torch.isfinite(both).all()
