"""The softmax of training over a sample of the vocabulary that all rows share; every evaluation is exact instead.

Each row's partition function is estimated by the Horvitz-Thompson sum: its own target, and every other token of the
sample divided by the probability that the sample holds it (its expected count). A token's probability is proportional
to its count to the power 3/4, and 1 where that would pass 1 (Mikolov et al. 2013; Jean et al. 2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from relvm_kg.encoding.vocabulary import PAD, SPECIAL_TOKENS

SAMPLE_POWER = 0.75
CHUNK_ROWS = 512
BLOCK_ROWS = 64


class TokenSample(NamedTuple):
    """Tokens drawn for one step, each once. *Shape:* both (sampled)"""

    tokens: Tensor
    log_expected: Tensor
    """ln of the probability that a sample holds the token."""


@dataclass(frozen=True)
class Proposal:
    """How likely a sample holds each token."""

    certain: Tensor
    """Tokens in every sample, the symbols first. *Shape:* (certain)"""
    chance: Tensor
    """The others. *Shape:* (others)"""
    chance_probability: Tensor
    """Of each of the others, below 1; they add up to the number drawn. *Shape:* (others), float64"""
    n_sampled: int
    """Tokens in a sample."""

    @classmethod
    def of(cls, counts: Sequence[int], n_sampled: int, device: torch.device) -> "Proposal":
        """Probabilities from the counts of a vocabulary; a token that was never counted has those of one count.

        The symbols are in every sample: the text's counts do not hold `<EOS>`, which ends every context.

        Args:
            counts: How often each token of the vocabulary occurs.
            n_sampled: Tokens in a sample, below the size of the vocabulary.
            device: Where samples are drawn.
        """
        if not len(SPECIAL_TOKENS) < n_sampled < len(counts):
            raise ValueError(f"a sample must have more than 5 and less than {len(counts)} tokens, was: {n_sampled}")
        mass = torch.tensor(counts, dtype=torch.float64).clamp_min(1.0) ** SAMPLE_POWER
        mass[: len(SPECIAL_TOKENS)] = torch.inf
        order = torch.argsort(mass, descending=True, stable=True)
        falling = mass[order]
        rest = falling.flip(0).cumsum(0).flip(0)
        # Place i is certain if, with all before it certain, its share of the draws left is 1 or more.
        left = n_sampled - torch.arange(len(counts), dtype=torch.float64)
        certain = falling.isinf() | (left * falling >= rest)
        n_certain = int(certain.cumprod(0).sum())
        probability = (n_sampled - n_certain) * falling[n_certain:] / falling[n_certain:].sum()
        return cls(order[:n_certain].to(device), order[n_certain:].to(device), probability.to(device), n_sampled)

    def draw(self, generator: torch.Generator) -> TokenSample:
        """Draw by systematic sampling in random order: a fixed number of tokens, none twice."""
        n_drawn = self.n_sampled - len(self.certain)
        order = torch.randperm(len(self.chance), generator=generator, device=self.chance.device)
        reached = self.chance_probability[order].cumsum(0)
        start = torch.rand((), generator=generator, device=reached.device, dtype=torch.float64)
        marks = start + torch.arange(n_drawn, device=reached.device)
        drawn = order[torch.searchsorted(reached, marks).clamp_max_(len(order) - 1)]
        tokens = torch.cat([self.certain, self.chance[drawn]])
        log_expected = F.pad(self.chance_probability[drawn].log(), (len(self.certain), 0))
        return TokenSample(tokens, log_expected.float())


class _SampledCrossEntropy(torch.autograd.Function):
    """Like the chunked exact one: gradients come chunk by chunk in the forward pass, no logits are kept.

    The table's gradient is zero but in the rows of the sample and of the targets.
    """

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        table: Tensor,
        targets: Tensor,
        weights: Tensor,
        settings: tuple[TokenSample, torch.dtype],
    ) -> tuple[Tensor, Tensor]:
        (tokens, log_expected), precision = settings
        losses = torch.empty_like(weights)
        state_gradient = torch.empty_like(states)
        target_gradient = torch.empty_like(states)
        narrow_table = table[tokens].to(precision)
        sampled_gradient = torch.zeros(narrow_table.shape, device=table.device, dtype=table.dtype)
        correction = -log_expected.to(precision)
        place = torch.full((len(table),), -1, device=table.device)
        place[tokens] = torch.arange(len(tokens), device=table.device)
        own = place[targets]
        for start in range(0, len(states), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            vectors = table[targets[part]]
            true = (states[part] * vectors).sum(-1)
            narrow_states = states[part].to(precision)
            logits = torch.addmm(correction, narrow_states, narrow_table.T)
            hit = (own[part] >= 0).nonzero().squeeze(1)
            logits[hit, own[part][hit]] = -torch.inf
            log_others = torch.logsumexp(logits, -1).to(true.dtype)
            log_all = torch.logaddexp(log_others, true)
            losses[part] = log_all - true
            scale = weights[part] * torch.exp(log_others - log_all)
            others = torch.softmax(logits, -1)
            state_gradient[part] = (others @ narrow_table).to(states.dtype)
            state_gradient[part] -= vectors
            state_gradient[part] *= scale.unsqueeze(1)
            weighted = states[part] * scale.unsqueeze(1)
            target_gradient[part] = -weighted
            sampled_gradient += others.T @ weighted.to(precision)
        table_gradient = torch.zeros_like(table)
        table_gradient[tokens] = sampled_gradient
        table_gradient.index_add_(0, targets, target_gradient)
        ctx.save_for_backward(state_gradient, table_gradient)
        ctx.mark_non_differentiable(losses)
        return (losses * weights).sum(), losses

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        state_gradient, table_gradient = ctx.saved_tensors
        return gradients[0] * state_gradient, gradients[0] * table_gradient, None, None, None


def sampled_cross_entropy(
    states: Float[Tensor, "rows embedding"],
    table: Float[Tensor, "vocabulary embedding"],
    targets: Int[Tensor, "rows"],
    weights: Float[Tensor, "rows"],
    settings: tuple[TokenSample, torch.dtype],
) -> tuple[Float[Tensor, ""], Float[Tensor, "rows"]]:
    """An estimate of `chunked_cross_entropy`, for training.

    -log p(target) is estimated as ln(e^s(target) + sum over the sample's other tokens of e^s / expected count)
    - s(target), with s = states table^T: the sum is right on average, so the loss is a little too low.

    Args:
        states: One row for each predicted token.
        table: Token vectors.
        targets: The tokens that came; where the sample holds a row's target, that row leaves the sampled one out.
        weights: Of each row in the sum.
        settings: The sample, and the precision of the matrix products.
    """
    n_rows = len(states)
    padding = (0, -n_rows % BLOCK_ROWS)
    total, losses = _SampledCrossEntropy.apply(  # type: ignore[no-untyped-call]
        F.pad(states, (0, 0, *padding)),
        table,
        F.pad(targets, padding, value=PAD),
        F.pad(weights, padding),
        settings,
    )
    return total, losses[:n_rows]
