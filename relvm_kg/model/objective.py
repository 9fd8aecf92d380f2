"""The bound that training raises (Shah and Fauqueur 2020, Eq. 6 and 21) and its exact, chunked softmax."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from relvm_kg.model.generative import Gaussian
from relvm_kg.model.presets import Bound
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

CHUNK_ROWS = 512
BLOCK_ROWS = 64
"""Rows are padded to a multiple of this: each new shape of a matrix product costs oneDNN memory that it keeps."""


def kl_to_standard_normal(q: Gaussian) -> Float[Tensor, "batch latent"]:
    """KL[q || N(0, I)] in nats, for each row and dimension."""
    return 0.5 * (q.mean.square() + q.log_variance.exp() - 1.0 - q.log_variance)


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Weighted negative log-likelihood whose gradients are made chunk by chunk in the forward pass.

    Logits of only `CHUNK_ROWS` rows exist at a time, and none is kept for the backward pass.
    """

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        table: Tensor,
        targets: Tensor,
        weights: Tensor,
        settings: tuple[torch.dtype, bool],
    ) -> tuple[Tensor, Tensor]:
        losses = torch.empty(len(states), device=states.device, dtype=states.dtype)
        precision, needed = settings
        state_gradient = torch.empty_like(states) if needed else None
        table_gradient = torch.zeros_like(table) if needed else None
        narrow_table = table.detach().to(precision)
        for start in range(0, len(states), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            narrow_states = states[part].detach().to(precision)
            log_probabilities = torch.log_softmax(narrow_states @ narrow_table.T, dim=-1)
            picked = targets[part].unsqueeze(1)
            losses[part] = -log_probabilities.gather(1, picked).squeeze(1).to(states.dtype)
            if state_gradient is not None and table_gradient is not None:
                error = log_probabilities.exp_()
                error.scatter_add_(1, picked, torch.full_like(picked, -1, dtype=precision))
                error *= weights[part].unsqueeze(1).to(precision)
                state_gradient[part] = error @ narrow_table
                table_gradient += error.T @ narrow_states
        ctx.save_for_backward(state_gradient, table_gradient)
        ctx.mark_non_differentiable(losses)
        return (losses * weights).sum(), losses

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        state_gradient, table_gradient = ctx.saved_tensors
        return gradients[0] * state_gradient, gradients[0] * table_gradient, None, None, None


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
    padding = (0, -n_rows % BLOCK_ROWS)
    total, losses = _ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        F.pad(states, (0, 0, *padding)),
        table,
        F.pad(targets, padding),
        F.pad(weights, padding),
        (precision, torch.is_grad_enabled()),
    )
    return total, losses[:n_rows]
