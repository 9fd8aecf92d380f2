"""The recognition network q(u|x,y,c) (Shah and Fauqueur 2020, Eq. 7-9)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from relvm_kg.model.generative import Gaussian, one_bias_lstm
from relvm_kg.model.presets import ModelConfig


class Recognition(nn.Module):
    """A one-layer bidirectional LSTM over the context, then two ReLU layers with the pair."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden, latent = config.hidden, config.latent
        self.forwards = one_bias_lstm(config.embedding, hidden)
        self.backwards = one_bias_lstm(config.embedding, hidden)
        self.first = nn.Linear(2 * hidden + 3 * config.embedding, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.limit = config.log_variance_limit
        self.unused = config.latent - (config.mixture or config.latent)
        self.posterior_scale = config.posterior_scale
        self.normalise = nn.BatchNorm1d(config.latent, eps=1e-12, affine=False) if config.posterior_scale else None

    def forward(
        self,
        vectors: Float[Tensor, "batch length embedding"],
        lengths: Int[Tensor, "batch"],
        pair: Float[Tensor, "batch features"],
    ) -> Gaussian:
        """Distribution of u for each context.

        Args:
            vectors: Token vectors, padding anywhere after `lengths`.
            lengths: Tokens of each context, symbols included.
            pair: [e(x); e(y); e(x)*e(y)].
        """
        return self.posterior(self.read(vectors, lengths), pair)

    def posterior(self, summary: Float[Tensor, "batch summary"], pair: Float[Tensor, "batch features"]) -> Gaussian:
        """Distribution of u from what `read` gives and the pair; N(0, 1) in dimensions that are not in use."""
        hidden = F.relu(self.second(F.relu(self.first(torch.cat([summary, pair], dim=-1)))))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden).clamp(-self.limit, self.limit)
        if self.normalise is not None:
            mean = self.posterior_scale * self.normalise(mean)
        if self.unused:
            mean, log_variance = (F.pad(value[:, : -self.unused], (0, self.unused)) for value in (mean, log_variance))
        return Gaussian(mean, log_variance)

    def read(
        self, vectors: Float[Tensor, "batch length embedding"], lengths: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch summary"]:
        """Last states of both directions; padding has no influence, since each row is reversed within its length."""
        positions = torch.arange(vectors.shape[1], device=vectors.device)
        reverse = (lengths.unsqueeze(1) - 1 - positions).remainder(vectors.shape[1])
        last = (lengths - 1).view(-1, 1, 1)
        ends = []
        for lstm, sequence in (
            (self.forwards, vectors),
            (self.backwards, vectors.gather(1, reverse.unsqueeze(-1).expand_as(vectors))),
        ):
            states, _ = lstm(sequence)
            ends.append(states.gather(1, last.expand(-1, 1, states.shape[-1])).squeeze(1))
        return torch.cat(ends, dim=-1)
