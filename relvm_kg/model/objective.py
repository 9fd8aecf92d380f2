"""The bound that training raises (Shah and Fauqueur 2020, Eq. 6 and 21) and its exact, chunked softmax."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relvm_kg.model.chunks import CHUNK_ROWS, TableGradient, keep_gradients, padded_rows, take_gradients
from relvm_kg.model.generative import Gaussian
from relvm_kg.model.presets import Bound
from relvm_kg.model.products import multiply
from relvm_kg.model.sampled_softmax import Proposal


@dataclass(frozen=True, kw_only=True)
class Loss:
    """How the training loss differs from the bound."""

    kl_weight: float = 1.0
    """Weight of the KL term."""
    free_nats: float = 0.0
    """KL that costs nothing, as a mean over the batch."""
    free_nats_per_unit: float = 0.0
    """The same for each dimension of u."""
    u_dropout: float = 0.0
    """Share of contexts whose u comes from p(u)."""
    contrast_weight: float = 0.0
    """Weight of the InfoNCE term."""
    token_dropout: float = 0.0
    """Share of input tokens hidden from the decoder."""
    average: Bound = Bound.PER_SENTENCE
    """What the loss is averaged over."""
    precision: torch.dtype = torch.float32
    """Of the softmax's matrix products."""
    proposal: Proposal | None = None
    """Estimate the softmax from samples drawn by it; None computes it exactly."""


EXACT = Loss()


def kl_to_standard_normal(q: Gaussian) -> Float[Tensor, "batch latent"]:
    """KL[q || N(0, I)] in nats, for each row and dimension."""
    return 0.5 * (q.mean.square() + q.log_variance.exp() - 1.0 - q.log_variance)


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Weighted negative log-likelihood whose gradients are made chunk by chunk in the forward pass.

    Logits of only `CHUNK_ROWS` rows exist at a time, in a buffer that all chunks use, and none is kept for the backward
    pass. Weights enter by the rows of the states, never by the logits: a chunk passes over its logits only to make them
    probabilities.
    """

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, table: Tensor, targets: Tensor, weights: Tensor, precision: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        losses = torch.empty_like(weights)
        own = weights.unsqueeze(1) * states
        state_gradient = torch.empty_like(states)
        narrow_table, of_table = table.to(precision), TableGradient(table, precision)
        buffer = narrow_table.new_empty(min(CHUNK_ROWS, len(states)), len(table))
        narrow_states = narrow_table.new_empty(len(buffer), states.shape[1])
        for start in range(0, len(states), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            rows = states[part].to(precision)
            probabilities = multiply(rows, narrow_table.T, buffer[: len(rows)])
            torch.softmax(probabilities, -1, out=probabilities)
            losses[part] = probabilities.gather(1, targets[part].unsqueeze(1)).squeeze(1)
            state_gradient[part] = multiply(probabilities, narrow_table, narrow_states[: len(rows)])
            of_table.add(probabilities, own[part].to(precision))
        losses.clamp_min_(torch.finfo(losses.dtype).tiny).log_().neg_()
        state_gradient -= table[targets]
        state_gradient *= weights.unsqueeze(1)
        table_gradient = of_table.value().index_add_(0, targets, own, alpha=-1)
        keep_gradients(ctx, state_gradient, table_gradient)
        ctx.mark_non_differentiable(losses)
        return (losses * weights).sum(), losses

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        return *take_gradients(ctx, gradients[0]), None, None, None


def _exact_losses(states: Tensor, table: Tensor, targets: Tensor, precision: torch.dtype) -> Tensor:
    """-log softmax(states table^T)[targets], without gradients."""
    losses, narrow_table = states.new_empty(len(states)), table.to(precision)
    buffer = narrow_table.new_empty(min(CHUNK_ROWS, len(states)), len(table))
    for start in range(0, len(states), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        rows = states[part].to(precision)
        logits = torch.log_softmax(multiply(rows, narrow_table.T, buffer[: len(rows)]), -1)
        losses[part] = -logits.gather(1, targets[part].unsqueeze(1)).squeeze(1).to(losses.dtype)
    return losses


def chunked_cross_entropy(
    states: Float[Tensor, "rows embedding"],
    table: Float[Tensor, "vocabulary embedding"],
    targets: Int[Tensor, "rows"],
    weights: Float[Tensor, "rows"],
    precision: torch.dtype = torch.float32,
) -> tuple[Float[Tensor, ""], Float[Tensor, "rows"]]:
    """Sum of weighted -log softmax(states table^T)[targets], and the unweighted value of each row (no gradient).

    Args:
        states: One row for each predicted token.
        table: Token vectors.
        targets: The tokens that came.
        weights: Of each row in the sum.
        precision: Of the matrix products; bfloat16 is for training only, float32 for every reported figure.
    """
    n_rows = len(states)
    states, targets, weights = padded_rows(states, targets, weights)
    if torch.is_grad_enabled():
        total, losses = _ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
            states, table, targets, weights, precision
        )
    else:
        losses = _exact_losses(states, table, targets, precision)
        total = losses @ weights
    return total, losses[:n_rows]
