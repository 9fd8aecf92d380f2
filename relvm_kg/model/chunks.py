"""What the exact and the sampled softmax share: they work chunk by chunk and make gradients in the forward pass."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from relvm_kg.model.products import multiply

CHUNK_ROWS = 512
BLOCK_ROWS = 64
"""Rows are padded to a multiple of this: each new shape of a matrix product costs oneDNN memory that it keeps."""


def padded_rows(states: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The three with rows of weight 0 at the end, up to a multiple of `BLOCK_ROWS`."""
    padding = (0, -len(states) % BLOCK_ROWS)
    return F.pad(states, (0, 0, *padding)), F.pad(targets, padding), F.pad(weights, padding)


class TableGradient:
    """The gradient of a table of token vectors, added up chunk by chunk; transposed, which multiplies faster."""

    def __init__(self, table: Tensor, precision: torch.dtype) -> None:
        """Start at zero.

        Args:
            table: Token vectors. *Shape:* (tokens, embedding)
            precision: Of the factors; the sum has the table's.
        """
        self._total = torch.zeros_like(table.T, memory_format=torch.contiguous_format)
        self._buffer = torch.empty_like(self._total, dtype=precision)

    def add(self, logits: Tensor, states: Tensor) -> None:
        """Add logits^T states. *Shapes:* (rows, tokens), (rows, embedding)"""
        self._total += multiply(states.T, logits, self._buffer)

    def value(self) -> Tensor:
        """The sum. *Shape:* (tokens, embedding)"""
        return self._total.T.contiguous()


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
