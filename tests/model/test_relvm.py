"""The representation model against the paper's numbers, hand-worked values and second routes to the same result."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from relvm_kg.encoding.batches import pad_batch
from relvm_kg.model.chunks import CHUNK_ROWS
from relvm_kg.model.generative import Gaussian
from relvm_kg.model.objective import Loss, chunked_cross_entropy, kl_to_standard_normal
from relvm_kg.model.presets import EntityStart, ModelConfig, Preset, Size, model_config
from relvm_kg.model.relvm import ContextBatch, Relvm

SMALL = ModelConfig(hidden=8, latent=6, embedding=10, entity_start=EntityStart.RANDOM)


def make_batch(lengths: list[int], n_vocabulary: int = 30, seed: int = 0) -> ContextBatch:
    random = np.random.default_rng(seed)
    sequences = [random.integers(5, n_vocabulary, n).astype(np.int32) for n in lengths]
    heads, tails = random.integers(0, 7, len(lengths)), random.integers(0, 7, len(lengths))
    return ContextBatch.of(pad_batch(sequences, heads, tails), torch.device("cpu"))


@pytest.mark.parametrize(
    ("size", "millions"), [(Size.X_SMALL, 1.62), (Size.SMALL, 3.65), (Size.MEDIUM, 9.78), (Size.LARGE, 30.30)]
)
def test_the_paper_preset_has_the_parameter_counts_of_the_paper(size: Size, millions: float) -> None:
    model = Relvm(model_config(Preset.PAPER, size), n_entities=3, n_vocabulary=7)
    assert round(model.n_parameters(embeddings=False) / 1e6, 2) == millions


def test_kl_to_the_standard_normal_is_the_closed_form() -> None:
    q = Gaussian(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, math.log(4.0)]]))
    by_hand = 0.5 * (1 + 1 - 1 - 0) + 0.5 * (0 + 4 - 1 - math.log(4))
    assert kl_to_standard_normal(q).sum().item() == pytest.approx(by_hand)


def test_chunked_cross_entropy_agrees_with_the_full_softmax_in_loss_and_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    rows, vocabulary = CHUNK_ROWS + 37, 50
    states = torch.randn(rows, 12, generator=generator, requires_grad=True)
    table = torch.randn(vocabulary, 12, generator=generator, requires_grad=True)
    targets = torch.randint(0, vocabulary, (rows,), generator=generator)
    weights = torch.rand(rows, generator=generator)
    full = (functional.cross_entropy(states @ table.T, targets, reduction="none") * weights).sum()
    wanted = torch.autograd.grad(3 * full, (states, table))
    total, _ = chunked_cross_entropy(states, table, targets, weights)
    found = torch.autograd.grad(3 * total, (states, table))
    assert total.item() == pytest.approx(full.item(), rel=1e-5)
    for a, b in zip(wanted, found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_a_second_backward_pass_through_the_chunked_loss_is_refused() -> None:
    states, table = torch.randn(3, 4, requires_grad=True), torch.randn(9, 4, requires_grad=True)
    total, _ = chunked_cross_entropy(states, table, torch.tensor([1, 2, 3]), torch.ones(3))
    total.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    with pytest.raises(RuntimeError, match="one backward pass only"):
        total.backward()  # type: ignore[no-untyped-call]


def test_bfloat16_gradients_point_where_exact_gradients_point() -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(200, 32, generator=generator, requires_grad=True)
    table = (0.3 * torch.randn(300, 32, generator=generator)).requires_grad_()
    targets = torch.randint(0, 300, (200,), generator=generator)
    weights = torch.ones(200)
    gradients = []
    for precision in (torch.float32, torch.bfloat16):
        total, _ = chunked_cross_entropy(states, table, targets, weights, precision)
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(total, (states, table))]))
    assert functional.cosine_similarity(gradients[0], gradients[1], dim=0).item() > 0.999


def test_the_gradient_of_the_bound_is_the_finite_difference() -> None:
    torch.manual_seed(0)
    model = Relvm(SMALL, n_entities=7, n_vocabulary=30).double()
    batch = make_batch([4, 7, 2])

    def loss() -> torch.Tensor:
        generator = torch.Generator().manual_seed(5)
        torch.set_default_dtype(torch.float64)
        try:
            settings = Loss(kl_weight=0.7, token_dropout=0.3, precision=torch.float64)
            return model.bound(batch, generator, settings).loss
        finally:
            torch.set_default_dtype(torch.float32)

    loss().backward()  # type: ignore[no-untyped-call]
    for parameter in (model.tokens.weight, model.prior.first_u.weight, model.recognition.mean.weight):
        assert parameter.grad is not None
        place = int(parameter.grad.abs().argmax())
        step = 1e-6
        with torch.no_grad():
            parameter.view(-1)[place] += step
            up = loss().item()
            parameter.view(-1)[place] -= 2 * step
            down = loss().item()
            parameter.view(-1)[place] += step
        assert parameter.grad.view(-1)[place].item() == pytest.approx((up - down) / (2 * step), rel=1e-4)


def test_padding_changes_neither_posterior_nor_likelihood() -> None:
    torch.manual_seed(0)
    model = Relvm(SMALL, n_entities=7, n_vocabulary=30).eval()
    together = make_batch([3, 9, 5])
    z = torch.randn(3, SMALL.latent)
    means, likelihoods = model.posterior(together).mean, model.log_likelihood(together, z)
    for row in range(3):
        alone = ContextBatch(
            together.tokens[row : row + 1, : int(together.lengths[row])],
            together.lengths[row : row + 1],
            together.heads[row : row + 1],
            together.tails[row : row + 1],
        )
        torch.testing.assert_close(model.posterior(alone).mean[0], means[row], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(model.log_likelihood(alone, z[row : row + 1])[0], likelihoods[row])


def test_the_backward_reader_is_a_bidirectional_lstm() -> None:
    torch.manual_seed(0)
    model = Relvm(SMALL, n_entities=7, n_vocabulary=30).eval()
    batch = make_batch([6])
    ours = model.recognition.read(model.tokens(batch.tokens), batch.lengths)
    reference = torch.nn.LSTM(SMALL.embedding, SMALL.hidden, batch_first=True, bidirectional=True)
    reference.load_state_dict(
        dict(model.recognition.forwards.state_dict())
        | {f"{k}_reverse": v for k, v in model.recognition.backwards.state_dict().items()}
    )
    _, (last, _) = reference(model.tokens(batch.tokens))
    torch.testing.assert_close(ours[0], last.flatten())


def test_shared_draws_of_u_give_the_same_prior_as_one_pair_at_a_time() -> None:
    torch.manual_seed(0)
    model = Relvm(SMALL, n_entities=7, n_vocabulary=30).eval()
    heads, tails = torch.tensor([0, 1, 2]), torch.tensor([3, 4, 5])
    u = torch.randn(4, SMALL.latent)
    shared = model.prior(model.entities.pair(heads, tails).unsqueeze(1), u)
    assert shared.mean.shape == (3, 4, SMALL.latent)
    for pair in range(3):
        for sample in range(4):
            one = model.prior(
                model.entities.pair(heads[pair : pair + 1], tails[pair : pair + 1]), u[sample : sample + 1]
            )
            torch.testing.assert_close(one.mean[0], shared.mean[pair, sample], rtol=1e-4, atol=1e-5)


def test_free_nats_cost_nothing_until_they_are_used_up() -> None:
    torch.manual_seed(0)
    model = Relvm(SMALL, n_entities=7, n_vocabulary=30).eval()
    batch = make_batch([4, 7, 2])

    def loss(settings: Loss) -> float:
        return model.bound(batch, torch.Generator().manual_seed(0), settings).loss.item()

    terms = model.bound(batch, torch.Generator().manual_seed(0))
    kl = terms.kl.mean().item()
    assert loss(Loss(free_nats=kl / 2)) == pytest.approx(loss(Loss()))
    assert loss(Loss(free_nats=kl + 3)) == pytest.approx(loss(Loss()) + 3, rel=1e-5)
    assert terms.bound.mean().item() == pytest.approx(-loss(Loss()), rel=1e-5)


def test_log_variances_are_clamped() -> None:
    config = ModelConfig(hidden=8, latent=6, embedding=10, log_variance_limit=0.5, entity_start=EntityStart.RANDOM)
    model = Relvm(config, n_entities=2, n_vocabulary=9)
    with torch.no_grad():
        model.prior.log_variance.weight.mul_(1e4)
    z = model.prior(model.entities.pair(torch.tensor([0]), torch.tensor([1])), torch.ones(1, 6))
    assert z.log_variance.abs().max().item() == 0.5


def test_scaled_entity_vectors_have_the_length_of_a_standard_normal_draw() -> None:
    for preset, length in ((Preset.PAPER, 1.0), (Preset.DEFAULT, math.sqrt(300))):
        model = Relvm(model_config(preset, Size.X_SMALL), n_entities=4, n_vocabulary=9)
        assert model.entities(torch.tensor([0, 3])).norm(dim=-1).tolist() == pytest.approx([length] * 2, rel=1e-5)


def test_profiles_start_the_entity_vectors_and_leave_entities_without_text_alone() -> None:
    profiles = torch.zeros(2, 300)
    profiles[0, 7] = 0.5
    model = Relvm.started(model_config(Preset.DEFAULT, Size.X_SMALL), 2, 9, seed=0, profiles=profiles)
    assert model.entities(torch.tensor([0]))[0, 7].item() == pytest.approx(math.sqrt(300))
    assert model.entities(torch.tensor([1]))[0].abs().max().item() < 6


def test_the_same_seed_gives_the_same_first_weights() -> None:
    first, second = (Relvm.started(SMALL, 3, 9, seed=4) for _ in range(2))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize(
    "changes", [{"upper": 2}, {"mixture": 2}, {"prior_layers": 3, "prior_hidden": 9}, {"posterior_scale": 0.3}]
)
def test_variants_keep_the_shapes_and_the_common_draws(changes: dict[str, Any]) -> None:
    config = replace(SMALL, **changes)
    model = Relvm.started(config, n_entities=5, n_vocabulary=12, seed=0)
    pair = model.entities.pair(torch.tensor([0, 1, 2]), torch.tensor([3, 4, 0]))
    u = torch.randn(4, config.latent, generator=torch.Generator().manual_seed(0))
    shared = model.prior(pair.unsqueeze(1), u)
    single = model.prior(pair[1:2], u[2:3])
    assert torch.allclose(shared.mean[1, 2], single.mean[0], atol=1e-6)
    assert torch.allclose(shared.log_variance[1, 2], single.log_variance[0], atol=1e-6)
