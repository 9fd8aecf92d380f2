"""What the exact and the sampled softmax share: they work chunk by chunk and make gradients in the forward pass."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK_ROWS = 512
BLOCK_ROWS = 64
"""Rows are padded to a multiple of this: each new shape of a matrix product costs oneDNN memory that it keeps."""


def padded_rows(states: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The three with rows of weight 0 at the end, up to a multiple of `BLOCK_ROWS`."""
    padding = (0, -len(states) % BLOCK_ROWS)
    return F.pad(states, (0, 0, *padding)), F.pad(targets, padding), F.pad(weights, padding)


def add_product(total: Tensor, left: Tensor, right: Tensor, rounded: Tensor | None) -> None:
    """Add left @ right to a total, by way of a buffer where the factors are narrower than the total."""
    if rounded is None:
        total.addmm_(left, right)
    else:
        total += torch.mm(left, right, out=rounded)


def keep_gradients(ctx: Any, of_states: Tensor, of_table: Tensor) -> None:
    """Keep what the forward pass has made for one backward pass."""
    ctx.ready = of_states, of_table


def take_gradients(ctx: Any, outer: Tensor) -> tuple[Tensor, Tensor]:
    """The kept gradients, scaled in place; there is no second backward pass."""
    if ctx.ready is None:
        raise RuntimeError("the loss can go through one backward pass only: compute it again")
    of_states, of_table = ctx.ready
    ctx.ready = None
    return of_states.mul_(outer), of_table.mul_(outer)
