"""RELVM's training step as one would write it first: padded to 140 tokens, all logits at once, autograd throughout."""

import torch
import torch.nn.functional as F
from torch import Tensor

from relvm_kg.encoding.vocabulary import PAD
from relvm_kg.model.relvm import ContextBatch, Relvm

PADDED = 140


class Straightforward(Relvm):
    """The same weights and the same bound; pads go through the softmax and are masked in the loss."""

    def _decode(
        self, batch: ContextBatch, z: Tensor, inputs: Tensor, weights: Tensor, softmax: object = None
    ) -> tuple[Tensor, Tensor]:
        targets = batch.tokens[:, 1:]
        logits = self.decoder(z, inputs) @ self.tokens.weight.T
        losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD, reduction="none")
        sums = losses.view(targets.shape).sum(1)
        return (sums * weights.detach()).sum(), -sums.detach()


def padded(batch: ContextBatch) -> ContextBatch:
    """A batch with all its contexts padded to the longest that there may be."""
    tokens = F.pad(batch.tokens, (0, PADDED - batch.tokens.shape[1]), value=PAD)
    return ContextBatch(tokens, batch.lengths, batch.heads, batch.tails)


def train_step(
    model: Straightforward, optimiser: torch.optim.Optimizer, batch: ContextBatch, generator: torch.Generator
) -> float:
    """One step of plain Adam with clipped gradients."""
    optimiser.zero_grad()
    loss = model.bound(padded(batch), generator).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach())
