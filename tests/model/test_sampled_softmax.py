"""The sampled softmax against the exact one, hand-worked values, and its proposal against its own probabilities."""

import math

import pytest
import torch
from torch import Tensor

from relvm_kg.model.objective import chunked_cross_entropy
from relvm_kg.model.presets import Preset, Softmax, TrainingConfig, training_config
from relvm_kg.model.sampled_softmax import Proposal, TokenSample, sampled_cross_entropy

CPU = torch.device("cpu")
VOCABULARY = 3000


def zipf_counts(size: int = VOCABULARY) -> list[int]:
    return [0, 0, 0, 0, 9000, *(1 + 100_000 // rank for rank in range(1, size - 4))]


def draw(n_sampled: int, seed: int, size: int = VOCABULARY) -> TokenSample:
    return Proposal.of(zipf_counts(size), n_sampled, CPU).draw(torch.Generator().manual_seed(seed))


def problem(rows: int = 700) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """States, table, targets and weights in which frequent tokens score higher, as in a trained model."""
    generator = torch.Generator().manual_seed(0)
    counts = torch.tensor(zipf_counts(), dtype=torch.float32)
    states = torch.randn(rows, 24, generator=generator)
    table = 0.3 * torch.randn(VOCABULARY, 24, generator=generator)
    states[:, 0], table[:, 0] = 1.0, (counts + 1).log()
    targets = torch.multinomial(counts, rows, replacement=True, generator=generator)
    return states.requires_grad_(), table.requires_grad_(), targets, torch.rand(rows, generator=generator) / rows


def gradients(total: Tensor, *inputs: Tensor) -> Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(total, inputs)])


def test_a_sample_has_its_size_without_repeats_and_holds_every_symbol() -> None:
    for n_sampled in (6, 64, 500, VOCABULARY - 1):
        sample = draw(n_sampled, seed=3)
        assert len(set(sample.tokens.tolist())) == n_sampled == len(sample.log_expected)
        assert {0, 1, 2, 3, 4} <= set(sample.tokens.tolist())


def test_the_same_generator_draws_the_same_sample() -> None:
    assert draw(200, seed=1).tokens.tolist() == draw(200, seed=1).tokens.tolist()
    assert draw(200, seed=1).tokens.tolist() != draw(200, seed=2).tokens.tolist()


def test_tokens_are_drawn_as_often_as_the_sample_says() -> None:
    proposal = Proposal.of(zipf_counts(60), 20, CPU)
    generator = torch.Generator().manual_seed(0)
    times, said = torch.zeros(60), torch.zeros(60)
    for _ in range(4000):
        sample = proposal.draw(generator)
        times[sample.tokens] += 1
        said[sample.tokens] = sample.log_expected.exp()
    assert said.sum().item() == pytest.approx(20, rel=1e-4)
    torch.testing.assert_close(times / 4000, said, rtol=0, atol=0.04)


def test_probabilities_follow_the_counts_to_the_power_three_quarters_up_to_one() -> None:
    proposal = Proposal.of([0, 0, 0, 0, 0, 10**9, 16, 16, 1, 1], 8, CPU)
    assert set(proposal.certain.tolist()) == {0, 1, 2, 3, 4, 5}
    by_hand = {6: 2 * 8 / 18, 7: 2 * 8 / 18, 8: 2 / 18, 9: 2 / 18}
    found = dict(zip(proposal.chance.tolist(), proposal.chance_probability.tolist(), strict=True))
    assert found == pytest.approx(by_hand)


def test_the_loss_of_one_row_is_the_one_worked_by_hand() -> None:
    table = torch.tensor([[math.log(v)] for v in (1.0, 2.0, 3.0, 4.0)], requires_grad=True)
    states = torch.tensor([[1.0]], requires_grad=True)
    sample = TokenSample(torch.tensor([1, 2]), torch.tensor([math.log(0.5), math.log(0.25)]))
    one = torch.ones(1)
    total, losses = sampled_cross_entropy(states, table, torch.tensor([3]), one, (sample, torch.float32))
    assert total.item() == pytest.approx(math.log((4 + 2 / 0.5 + 3 / 0.25) / 4))
    assert losses.tolist() == pytest.approx([total.item()])
    state_gradient, table_gradient = torch.autograd.grad(total, (states, table))
    assert table_gradient.squeeze(1).tolist() == pytest.approx([0, 4 / 20, 12 / 20, 4 / 20 - 1])
    wanted = math.log(2) * 4 / 20 + math.log(3) * 12 / 20 + math.log(4) * (4 / 20 - 1)
    assert state_gradient.item() == pytest.approx(wanted)


def test_a_target_that_the_sample_holds_counts_once() -> None:
    table = torch.tensor([[math.log(v)] for v in (1.0, 2.0, 3.0)], requires_grad=True)
    sample = TokenSample(torch.tensor([1, 2]), torch.tensor([math.log(0.5), math.log(0.25)]))
    total, _ = sampled_cross_entropy(torch.ones(1, 1), table, torch.tensor([2]), torch.ones(1), (sample, torch.float32))
    assert total.item() == pytest.approx(math.log((3 + 2 / 0.5) / 3))


def test_the_gradient_comes_nearer_to_the_exact_one_as_the_sample_grows() -> None:
    states, table, targets, weights = problem()
    exact, _ = chunked_cross_entropy(states, table, targets, weights)
    wanted = gradients(exact, states, table)
    cosines, errors = [], []
    for n_sampled in (50, 300, 1500):
        found, values = torch.zeros_like(wanted), []
        for seed in range(4):
            total, _ = sampled_cross_entropy(states, table, targets, weights, (draw(n_sampled, seed), torch.float32))
            values.append(abs(total.item() - exact.item()))
            found = gradients(total, states, table)
        cosines.append(torch.cosine_similarity(found, wanted, dim=0).item())
        errors.append(sum(values))
    assert cosines == sorted(cosines)
    assert errors == sorted(errors, reverse=True)
    assert cosines[1] > 0.95
    assert cosines[2] > 0.99


def test_a_sample_of_everything_is_the_exact_softmax() -> None:
    states, table, targets, weights = problem()
    everything = TokenSample(torch.arange(VOCABULARY), torch.zeros(VOCABULARY))
    exact, exact_losses = chunked_cross_entropy(states, table, targets, weights)
    total, losses = sampled_cross_entropy(states, table, targets, weights, (everything, torch.float32))
    torch.testing.assert_close(losses, exact_losses, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        gradients(3 * total, states, table), gradients(3 * exact, states, table), rtol=1e-3, atol=1e-6
    )


def test_only_rows_of_the_sample_and_of_targets_are_touched() -> None:
    states, table, targets, weights = problem(rows=40)
    sample = draw(100, seed=0)
    total, _ = sampled_cross_entropy(states, table, targets, weights, (sample, torch.float32))
    (gradient,) = torch.autograd.grad(total, table)
    touched = set(gradient.abs().sum(1).nonzero().squeeze(1).tolist())
    assert touched <= set(sample.tokens.tolist()) | set(targets.tolist())


def test_bfloat16_points_where_float32_points() -> None:
    states, table, targets, weights = problem()
    found = []
    for precision in (torch.float32, torch.bfloat16):
        total, _ = sampled_cross_entropy(states, table, targets, weights, (draw(1500, 0), precision))
        found.append(gradients(total, states, table))
    assert torch.cosine_similarity(found[0], found[1], dim=0).item() > 0.999


def test_sampling_waits_for_a_vocabulary_twice_as_large_as_the_sample() -> None:
    config = TrainingConfig(softmax=Softmax.SAMPLED, sampled_tokens=100)
    assert [config.samples(n) for n in (200, 201)] == [False, True]
    assert not TrainingConfig(sampled_tokens=100).samples(10_000)
    assert training_config(Preset.DEFAULT).samples(20_000)
    assert not training_config(Preset.PAPER).samples(20_000)
