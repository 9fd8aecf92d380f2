"""Contexts in batches of like length, against the same contexts in one batch with all its padding."""

import numpy as np
import torch

from relvm_kg.encoding.batches import epoch_batches, pad_batch, sorted_batches
from relvm_kg.model.presets import EntityStart, ModelConfig
from relvm_kg.model.relvm import ContextBatch, Relvm

MODEL = ModelConfig(hidden=8, latent=6, embedding=10, entity_start=EntityStart.RANDOM, log_variance_limit=80.0)
RANDOM = np.random.default_rng(0)
SEQUENCES = [RANDOM.integers(5, 40, n).astype(np.int32) for n in RANDOM.integers(1, 60, 24)]
LENGTHS = np.array([len(s) for s in SEQUENCES])
HEADS, TAILS = RANDOM.integers(0, 9, 24), RANDOM.integers(0, 9, 24)


def batch_of(rows: np.ndarray) -> ContextBatch:
    padded = pad_batch([SEQUENCES[row] for row in rows], HEADS[rows], TAILS[rows])
    return ContextBatch.of(padded, torch.device("cpu"))


def model_without_noise() -> Relvm:
    """Every draw is its mean, so that the order in which contexts draw does not matter."""
    model = Relvm.started(MODEL, 9, 40, seed=0)
    with torch.no_grad():
        for layer in (model.prior.log_variance, model.recognition.log_variance):
            layer.weight.zero_()
            layer.bias.fill_(-80.0)
        model.prior.log_variance_u.weight.zero_()
    return model


def summed(batches: list[np.ndarray]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The loss of all contexts together, and its gradients added up over the batches."""
    model, total = model_without_noise(), torch.zeros(())
    for rows in batches:
        loss = len(rows) * model.bound(batch_of(rows), torch.Generator().manual_seed(0)).loss
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    return total, {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def test_batches_sorted_by_length_give_the_loss_and_the_gradient_of_one_unsorted_batch() -> None:
    whole_loss, whole = summed([np.arange(24)])
    loss, gradients = summed(list(sorted_batches(np.arange(24), LENGTHS, 6)))
    torch.testing.assert_close(loss, whole_loss, rtol=1e-5, atol=0)
    assert gradients.keys() == whole.keys()
    for name, gradient in gradients.items():
        limit = 1e-8 + 1e-5 * float(whole[name].abs().max())
        torch.testing.assert_close(gradient, whole[name], rtol=1e-3, atol=limit, msg=name)


def test_batches_of_like_length_hold_little_padding() -> None:
    lengths = np.random.default_rng(1).lognormal(3.6, 0.5, 20_000).astype(np.int64).clip(3, 140)
    batches = epoch_batches(np.arange(20_000), lengths, 64, seed=0, epoch=0)
    padded = sum(len(rows) * int(lengths[rows].max()) for rows in batches)
    assert padded < 1.05 * lengths.sum()
