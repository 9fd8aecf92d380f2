"""Vectors for entities that training never saw: the start from their profiles, and two ways to go on from there."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from relvm_kg.encoding.batches import ContextRows, epoch_batches
from relvm_kg.encoding.profiles import FloatArray, unit_rows
from relvm_kg.model.new_entities import with_new_entities
from relvm_kg.model.objective import Loss
from relvm_kg.model.relvm import ContextBatch, Relvm

IntArray = npt.NDArray[np.int64]
DoubleArray = npt.NDArray[np.float64]
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
HELD_OUT = 0.1
"""Share of the trained entities on which the penalty is chosen."""
TOKEN_DROPOUT = Loss(token_dropout=0.5)
SATURATION = 20
"""Contexts at which a trained entity has half of its full weight in the map."""


class Shift(NamedTuple):
    """A linear map from start vectors to how far training moved them."""

    weights: DoubleArray | None
    """*Shape:* (embedding + 1, embedding); None where no map was better than none on held-out entities."""
    penalty: float | None
    explained: dict[str, float]
    """Share of the held-out entities' movement that the map explains, for each penalty."""

    def apply(self, start: FloatArray) -> FloatArray:
        """Start vectors of length 1, moved."""
        if self.weights is None:
            return start
        moved: FloatArray = (start + _with_one(start) @ self.weights).astype(np.float32)
        return moved


def fitted_shift(start: FloatArray, trained: FloatArray, n_contexts: IntArray, seed: int) -> Shift:
    """Ridge regression from start vectors to trained minus start, the penalty chosen on held-out entities.

    Args:
        start: Rows of length 1. *Shape:* (entities, embedding)
        trained: Rows of length 1. *Shape:* (entities, embedding)
        n_contexts: Training contexts, which weigh the entities.
        seed: Of the choice of held-out entities.
    """
    weights: DoubleArray = n_contexts / (n_contexts + SATURATION)
    moved: DoubleArray = (trained - start).astype(np.float64)
    out = np.random.default_rng(seed).random(len(start)) < HELD_OUT
    features = _with_one(start)
    total = float((weights[out, None] * moved[out] ** 2).sum())
    explained = {}
    for penalty in PENALTIES:
        left: DoubleArray = moved[out] - features[out] @ _ridge(features[~out], moved[~out], weights[~out], penalty)
        explained[str(penalty)] = round(1 - float((weights[out, None] * left**2).sum()) / max(total, 1e-12), 5)
    best = max(PENALTIES, key=lambda penalty: explained[str(penalty)])
    if explained[str(best)] <= 0:
        return Shift(None, None, explained)
    return Shift(_ridge(features, moved, weights, best), best, explained)


def _with_one(rows: FloatArray) -> DoubleArray:
    joined: DoubleArray = np.hstack([rows, np.ones((len(rows), 1))]).astype(np.float64)
    return joined


def _ridge(features: DoubleArray, wanted: DoubleArray, weights: DoubleArray, penalty: float) -> DoubleArray:
    weighted: DoubleArray = np.multiply(features, weights[:, None], dtype=np.float64)
    n = features.shape[1]
    inner = np.asarray(weighted.T @ features, np.float64) + float(penalty * weights.sum() / n) * np.eye(n)
    solved: DoubleArray = np.asarray(np.linalg.solve(inner, weighted.T @ wanted), np.float64)
    return solved


@dataclass(frozen=True, kw_only=True)
class StepSettings:
    """How new vectors are trained on their contexts, all else frozen."""

    epochs: int = 2
    batch_size: int = 64
    learning_rate: float = 1e-3
    seed: int = 0


def stepped_vectors(
    model: Relvm, start: FloatArray, contexts: ContextRows, rows: IntArray, settings: StepSettings
) -> FloatArray:
    """Start vectors after some passes of the bound over their contexts, with the model frozen.

    Args:
        model: Without the new entities.
        start: *Shape:* (new, embedding)
        contexts: Heads and tails are rows of the model, new ones from `model.n_entities` on.
        rows: The contexts that mention a new entity.
        settings: How long and how fast.

    Returns:
        Rows of length 1. *Shape:* (new, embedding)
    """
    grown = with_new_entities(model, torch.from_numpy(start)).eval().requires_grad_(False)
    table = grown.entities.table.weight.requires_grad_(True)
    new = slice(model.n_entities, model.n_entities + len(start))
    mask = torch.zeros(len(table), 1)
    mask[new] = 1
    optimiser = torch.optim.Adam([table], lr=settings.learning_rate)
    batches = [
        batch
        for epoch in range(settings.epochs)
        for batch in epoch_batches(rows, contexts.store.lengths, settings.batch_size, settings.seed, epoch)
    ]
    for step, batch in enumerate(batches):
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
        terms = grown.bound(ContextBatch.of(contexts.batch(batch), model.device), generator, TOKEN_DROPOUT)
        optimiser.zero_grad(set_to_none=True)
        terms.loss.backward()  # type: ignore[no-untyped-call]
        assert table.grad is not None
        table.grad.mul_(mask)
        optimiser.step()
    return unit_rows(table.detach()[new].numpy(), start.shape[1])
