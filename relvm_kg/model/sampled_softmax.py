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

from relvm_kg.encoding.vocabulary import SPECIAL_TOKENS
from relvm_kg.model.chunks import CHUNK_ROWS, TableGradient, keep_gradients, padded_rows, take_gradients
from relvm_kg.model.products import multiply

SAMPLE_POWER = 0.75


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
        target_vectors = table[targets]
        true = (states * target_vectors).sum(-1)
        above, own = torch.empty_like(true), torch.empty_like(states)
        state_gradient = torch.empty_like(states)
        sampled_table = table[tokens]
        narrow_table, correction = sampled_table.to(precision), -log_expected.to(precision)
        of_sampled = TableGradient(sampled_table, precision)
        buffer = narrow_table.new_empty(min(CHUNK_ROWS, len(states)), len(tokens))
        narrow_states = narrow_table.new_empty(len(buffer), states.shape[1])
        places = _places_in_sample(tokens, targets, len(table))
        for start in range(0, len(states), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            rows = states[part].to(precision)
            logits = multiply(rows, narrow_table.T, buffer[: len(rows)], correction)
            column = places[part].clamp_min(0)
            hit = torch.where(places[part] < 0, logits.gather(1, column), -torch.inf)
            logits.scatter_(1, column, hit)
            largest = logits.amax(-1).to(true.dtype)
            torch.softmax(logits, -1, out=logits)
            # ln of the sum over the others: softmax has divided by it, so the largest entry tells it.
            above[part] = largest - logits.amax(-1).to(true.dtype).log() - true[part]
            own[part] = states[part] * (weights[part] * torch.sigmoid(above[part])).unsqueeze(1)
            state_gradient[part] = multiply(logits, narrow_table, narrow_states[: len(rows)])
            of_sampled.add(logits, own[part].to(precision))
        losses = F.softplus(above)
        state_gradient -= target_vectors
        state_gradient *= (weights * torch.sigmoid(above)).unsqueeze(1)
        table_gradient = torch.zeros_like(table).index_copy_(0, tokens, of_sampled.value())
        table_gradient.index_add_(0, targets, own, alpha=-1)
        keep_gradients(ctx, state_gradient, table_gradient)
        ctx.mark_non_differentiable(losses)
        return (losses * weights).sum(), losses

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        return *take_gradients(ctx, gradients[0]), None, None, None


def _places_in_sample(tokens: Tensor, targets: Tensor, n_vocabulary: int) -> Tensor:
    """Where the sample holds each row's target; -1 where it does not. *Shape:* (rows, 1)"""
    place = torch.full((n_vocabulary,), -1, device=tokens.device)
    place[tokens] = torch.arange(len(tokens), device=tokens.device)
    return place[targets].unsqueeze(1)


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
    states, targets, weights = padded_rows(states, targets, weights)
    total, losses = _SampledCrossEntropy.apply(  # type: ignore[no-untyped-call]
        states, table, targets, weights, settings
    )
    return total, losses[:n_rows]
