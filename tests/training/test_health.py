"""Health figures: they see both collapses, and agree with what can be worked out by hand or by brute force."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from relvm_kg.model.generative import Gaussian
from relvm_kg.model.presets import EntityStart, ModelConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.training.data import TrainingCorpus, load_corpus
from relvm_kg.training.health import Health, HealthProbe, held_out_sample, measure_health, pair_share
from relvm_kg.training.held_out import Gap, HeldOut, bootstrap_by_group
from relvm_kg.training.information import Posteriors, posteriors_of
from relvm_kg.training.likelihood import (
    bounds,
    bounds_without_posterior,
    importance_weighted,
    log_mean_exp,
    log_weights,
    n_affordable,
    repeat,
)
from relvm_kg.workspace import Workspace

MODEL = ModelConfig(hidden=8, latent=6, embedding=12)


@pytest.fixture(scope="module")
def corpus(simulated_workspace: Workspace) -> TrainingCorpus:
    return load_corpus(simulated_workspace.corpus_dir)


@pytest.fixture(scope="module")
def model(corpus: TrainingCorpus) -> Relvm:
    config = replace(MODEL, latent=2, entity_start=EntityStart.RANDOM)
    return Relvm.started(config, len(corpus.types), len(corpus.vocabulary), seed=0).eval()


@pytest.fixture(scope="module")
def sample(corpus: TrainingCorpus) -> HeldOut:
    held_out = held_out_sample(corpus, seed=0, limit=8)
    assert held_out is not None
    return held_out


def test_a_model_that_ignores_the_pair_has_no_gap_and_no_share(corpus: TrainingCorpus) -> None:
    deaf = Relvm.started(replace(MODEL, residual=False), len(corpus.types), len(corpus.vocabulary), seed=0).eval()
    with torch.no_grad():
        deaf.prior.first_pair.weight.zero_()
        deaf.recognition.first.weight[:, 2 * MODEL.hidden :] = 0
    health = measure_health(deaf, corpus, limit=60)
    assert health is not None
    assert health.pair_share == pytest.approx(0, abs=1e-6)
    assert health.gap_tail is not None
    assert health.gap_tail.mean == pytest.approx(0, abs=1e-4)
    assert health.carries_pair is False


def test_a_model_whose_posterior_reads_nothing_is_asleep(corpus: TrainingCorpus) -> None:
    blind = Relvm.started(MODEL, len(corpus.types), len(corpus.vocabulary), seed=0).eval()
    with torch.no_grad():
        for layer in (blind.recognition.mean, blind.recognition.log_variance):
            layer.weight.zero_()
            assert layer.bias is not None
            layer.bias.zero_()
    health = measure_health(blind, corpus, limit=60)
    assert health is not None
    assert (health.kl, health.mutual_information, health.active_units) == (0, 0, 0)
    assert health.u_worth == Gap(0, 0, 0)
    assert not health.carries_sentence
    assert health.likelihood.log_likelihood_per_token >= health.likelihood.bound_per_token


def test_a_model_that_reads_only_the_pair_has_all_of_its_share(corpus: TrainingCorpus) -> None:
    config = replace(MODEL, entity_start=EntityStart.RANDOM)
    model = Relvm.started(config, len(corpus.types), len(corpus.vocabulary), seed=0).eval()
    with torch.no_grad():
        for layer in (model.prior.first_u, model.prior.second_u, model.prior.mean_u):
            layer.weight.zero_()
    heads, tails = corpus.contexts.heads[:50], corpus.contexts.tails[:50]
    assert pair_share(model, heads, tails, seed=0) == pytest.approx(1)


def test_the_bootstrap_resamples_whole_groups() -> None:
    random = np.random.default_rng(0)
    values = np.repeat([0.0, 1.0], 500)
    two_groups = bootstrap_by_group(values, np.repeat(["a", "b"], 500), random)
    many_groups = bootstrap_by_group(values, np.arange(1000).astype(str), random)
    assert (two_groups.low, two_groups.high) == (0.0, 1.0)
    assert 0.4 < many_groups.low < many_groups.high < 0.6


@pytest.mark.parametrize(
    ("head", "tail", "carried"),
    [
        (Gap(2, 1, 3), Gap(2, 1, 3), True),
        (Gap(2, 1, 3), Gap(1, -0.1, 2), False),
        (None, Gap(1, 0, 2), False),
        (None, Gap(2, 1, 3), None),
        (None, None, None),
    ],
)
def test_the_pair_is_carried_if_both_intervals_lie_above_zero(
    head: Gap | None, tail: Gap | None, carried: bool | None, model: Relvm, corpus: TrainingCorpus
) -> None:
    health = measure_health(model, corpus, limit=20)
    assert health is not None
    assert replace(health, gap_head=head, gap_tail=tail).carries_pair is carried


# Linear Gaussian: u ~ N(0, 1), c|u ~ N(u, 0.5). Then c ~ N(0, 1.5) and u|c ~ N(c / 1.5, 1 / 3).
C, NOISE = 0.9, 0.5
EVIDENCE = -0.5 * (math.log(2 * math.pi * (1 + NOISE)) + C**2 / (1 + NOISE))


def linear_gaussian_weights(mean: float, variance: float, n: int, seed: int = 0) -> torch.Tensor:
    q = Gaussian(torch.full((n, 1), mean), torch.full((n, 1), math.log(variance)))
    u = q.sample(torch.Generator().manual_seed(seed))
    log_likelihood = -0.5 * (math.log(2 * math.pi * NOISE) + (C - u[:, 0]).square() / NOISE)
    return log_weights(q, u, log_likelihood)


def test_every_weight_is_the_evidence_where_q_is_the_true_posterior() -> None:
    weights = linear_gaussian_weights(C / (1 + NOISE), NOISE / (1 + NOISE), 100)
    torch.testing.assert_close(weights, torch.full((100,), EVIDENCE))


def test_importance_weighting_rises_from_the_bound_to_the_evidence() -> None:
    weights = linear_gaussian_weights(-0.5, 2.0, 64 * 4000)
    one, eight, many = (float(log_mean_exp(weights.view(k, -1)).mean()) for k in (1, 8, 64))
    kl = 0.5 * (0.25 + 2.0 - 1 - math.log(2.0))
    expected = -0.5 * (math.log(2 * math.pi * NOISE) + ((C + 0.5) ** 2 + 2.0) / NOISE)
    assert one == pytest.approx(expected - kl, abs=0.02)
    assert one < eight < many < EVIDENCE
    assert many == pytest.approx(EVIDENCE, abs=0.05)


def test_one_sample_is_the_bound_on_average_and_more_are_tighter(model: Relvm, sample: HeldOut) -> None:
    bound, kl = bounds(model, sample, sample.heads, sample.tails)
    means = {
        k: np.mean([importance_weighted(model, sample, seed, k).mean() for seed in range(max(2, 48 // k))])
        for k in (1, 8, 64)
    }
    assert means[1] == pytest.approx(bound.mean(), abs=1.0)
    assert means[1] < means[8] < means[64]
    assert (kl >= 0).all()


def test_importance_weighting_agrees_with_draws_from_the_prior(model: Relvm, sample: HeldOut) -> None:
    part = sample.part(2)
    weighted = importance_weighted(model, part, 0, 1000)
    generator = torch.Generator().manual_seed(5)
    for places, batch in part.batches(model.device, 1):
        wide = repeat(batch, 4000)
        with torch.no_grad():
            pair = model.entities.pair(wide.heads, wide.tails)
            z = model.prior(pair, torch.randn(4000, 2, generator=generator)).sample(generator)
            drawn = log_mean_exp(model.log_likelihood(wide, z))
        assert float(drawn) == pytest.approx(float(weighted[places][0]), abs=0.1)


def test_the_same_seed_gives_the_same_figures(model: Relvm, corpus: TrainingCorpus) -> None:
    assert measure_health(model, corpus, limit=20, seed=3) == measure_health(model, corpus, limit=20, seed=3)


def test_the_contexts_for_importance_weighting_follow_from_the_work(model: Relvm, sample: HeldOut) -> None:
    assert n_affordable(model, sample, 200) == 200
    assert n_affordable(model, sample, 200, samples=10**7) == 10


def posteriors(spread: float, width: float, n: int = 400, latent: int = 5) -> Posteriors:
    means = np.random.default_rng(1).standard_normal((n, latent)) * spread
    return Posteriors(means, np.full((n, latent), 2 * math.log(width)))


@pytest.mark.parametrize(("spread", "width"), [(0, 1), (0.3, 0.9), (0.8, 0.6), (3, 0.1), (1, 0.0001)])
def test_mutual_information_lies_between_nothing_and_the_kl_term(spread: float, width: float) -> None:
    q = posteriors(spread, width)
    information = q.mutual_information(np.random.default_rng(0))
    assert 0 <= information <= q.kl_by_unit.sum()
    assert information <= math.log(400)


def test_mutual_information_is_none_for_one_posterior_and_ln_n_for_apart_ones() -> None:
    same = Posteriors(np.full((50, 3), 0.7), np.full((50, 3), -1.0))
    assert same.mutual_information(np.random.default_rng(0)) == pytest.approx(0, abs=1e-9)
    assert same.kl_by_unit.sum() > 0.5
    assert same.active_units == 0
    assert posteriors(5, 0.001).mutual_information(np.random.default_rng(0)) == pytest.approx(math.log(400))


def test_mutual_information_of_a_gaussian_channel_is_the_closed_form() -> None:
    q = posteriors(spread=1, width=1, n=2000, latent=1)
    assert q.mutual_information(np.random.default_rng(0)) == pytest.approx(0.5 * math.log(2), abs=0.03)


def test_a_unit_is_active_if_its_mean_moves_more_than_a_tenth() -> None:
    means = np.random.default_rng(0).standard_normal((500, 3)) * [0.05, 0.2, 1.0]
    assert Posteriors(means, np.zeros((500, 3))).active_units == 2


def test_kl_by_unit_adds_up_to_the_kl_term(model: Relvm, sample: HeldOut) -> None:
    _, kl = bounds(model, sample, sample.heads, sample.tails)
    assert posteriors_of(model, sample).kl_by_unit.sum() == pytest.approx(kl.mean(), rel=1e-5)


def test_u_from_the_prior_costs_no_kl(model: Relvm, sample: HeldOut) -> None:
    """With q equal to p(u) both bounds are the same number, draw by draw."""
    blind = Relvm.started(model.config, model.n_entities, model.tokens.num_embeddings, seed=0).eval()
    with torch.no_grad():
        for layer in (blind.recognition.mean, blind.recognition.log_variance):
            layer.weight.zero_()
            layer.bias.zero_()
    bound, _ = bounds(blind, sample, sample.heads, sample.tails)
    np.testing.assert_allclose(bounds_without_posterior(blind, sample), bound, rtol=1e-6)


def test_the_documents_of_a_probe_are_not_those_of_the_final_figures(corpus: TrainingCorpus) -> None:
    random = np.random.default_rng(0)
    figures, probed = (HeldOut.of(corpus, 10**6, random, for_probes=probes) for probes in (False, True))
    assert figures is not None
    assert probed is not None
    assert not set(figures.documents) & set(probed.documents)
    assert set(figures.rows) | set(probed.rows) <= set(corpus.held_out_rows)
    assert len(probed) < len(figures)


def test_a_probe_measures_the_same_twice_and_leaves_the_model_alone(model: Relvm, corpus: TrainingCorpus) -> None:
    probe = HealthProbe.of(corpus, n_trained=1000, n_probes=5, seed=0)
    assert probe is not None
    before = {name: value.clone() for name, value in model.state_dict().items()}
    figures = probe(model)
    assert figures == probe(model)
    assert {
        "held_out_bound_per_token",
        "held_out_kl",
        "mutual_information",
        "active_units",
        "gap_head",
        "gap_tail",
    } == set(figures)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_corpus_without_held_out_contexts_is_not_measured(corpus: TrainingCorpus, model: Relvm) -> None:
    bare = replace(corpus, held_out=np.zeros_like(corpus.held_out))
    assert measure_health(model, bare) is None
    assert HealthProbe.of(bare, 1000, 5, 0) is None


def test_figures_are_plain_values(model: Relvm, corpus: TrainingCorpus) -> None:
    health = measure_health(model, corpus, limit=20)
    assert isinstance(health, Health)
    values = health.as_mapping()
    assert values["carries_pair"] in (True, False, None)
    assert values["kl_by_unit"] == tuple(sorted(values["kl_by_unit"], reverse=True))
