"""The generative side of RELVM: p(u), p(z|x,y,u) and p(c|z) (Shah and Fauqueur 2020, Eq. 1-5)."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from relvm_kg.model.presets import EntityStart, ModelConfig


class Gaussian(NamedTuple):
    """A diagonal normal distribution."""

    mean: Tensor
    """*Shape:* (..., latent)"""
    log_variance: Tensor
    """*Shape:* (..., latent)"""

    def sample(self, generator: torch.Generator) -> Tensor:
        """One reparameterised draw. *Shape:* (..., latent)"""
        noise = torch.randn(self.mean.shape, generator=generator, device=self.mean.device)
        return self.with_noise(noise)

    def with_noise(self, noise: Tensor) -> Tensor:
        """mean + noise * standard deviation, for draws that several distributions share."""
        return self.mean + noise * torch.exp(0.5 * self.log_variance)


class OneBiasLstm(nn.LSTM):
    """A one-layer LSTM with the one bias of Eq. 5: PyTorch's second, redundant one stays at zero."""

    precision = torch.float32
    """Of its matrix products while it trains; what it gives is float32, and so is all it does otherwise."""

    def forward(  # type: ignore[override]
        self, inputs: Tensor, start: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """States at each position, and the last state and cell, as `torch.nn.LSTM` gives them."""
        if self.precision is torch.float32 or not self.training:
            return super().forward(inputs, start)
        with torch.autocast(inputs.device.type, self.precision):
            states, (state, cell) = super().forward(inputs, start)
        return states.float(), (state.float(), cell.float())


def one_bias_lstm(n_inputs: int, hidden: int) -> OneBiasLstm:
    """An LSTM at its first weights."""
    lstm = OneBiasLstm(n_inputs, hidden, batch_first=True)
    redundant = lstm.get_parameter("bias_hh_l0")
    nn.init.zeros_(redundant)
    redundant.requires_grad_(False)
    return lstm


class EntityVectors(nn.Module):
    """e(x): one vector an entity, of length 1 or sqrt(embedding)."""

    def __init__(self, n_rows: int, config: ModelConfig) -> None:
        super().__init__()
        self.table = nn.Embedding(n_rows, config.embedding)
        self.length = math.sqrt(config.embedding) if config.scale_entities else 1.0

    def forward(self, rows: Int[Tensor, "*pairs"]) -> Float[Tensor, "*pairs embedding"]:
        """Vectors of rows of the table."""
        return F.normalize(self.table(rows), dim=-1) * self.length

    def pair(self, heads: Int[Tensor, "*pairs"], tails: Int[Tensor, "*pairs"]) -> Float[Tensor, "*pairs features"]:
        """[e(x); e(y); e(x)*e(y)] of Eq. 2. *Shape:* (pairs, 3 * embedding)"""
        x, y = self(heads), self(tails)
        return torch.cat([x, y, x * y], dim=-1)


class Prior(nn.Module):
    """p(z|x,y,u) (Eq. 2): ReLU layers, two in the paper, u joined again at each, then mean and log-variance of z."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden, latent = config.prior_hidden or config.hidden, config.latent
        self.mixture = config.mixture or latent
        self.middle = MiddleVariable(config) if config.upper else None
        self.first_pair = nn.Linear(3 * config.embedding, hidden)
        self.first_u = nn.Linear(latent, hidden, bias=False)
        self.second = nn.Linear(hidden, hidden)
        self.second_u = nn.Linear(latent, hidden, bias=False)
        self.further = nn.ModuleList(nn.Linear(hidden + latent, hidden) for _ in range(config.prior_layers - 2))
        self.mean = nn.Linear(hidden, latent)
        self.mean_u = nn.Linear(latent, latent, bias=False)
        self.log_variance = nn.Linear(hidden, latent)
        self.log_variance_u = nn.Linear(latent, latent, bias=False)
        self.residual = nn.Linear(3 * config.embedding, latent, bias=False) if config.residual else None
        self.limit = config.log_variance_limit
        if config.wide_mean_start:
            nn.init.normal_(self.mean.weight)
            nn.init.normal_(self.mean_u.weight)

    def forward(self, pair: Float[Tensor, "*#batch features"], u: Float[Tensor, "*#batch latent"]) -> Gaussian:
        """Distribution of z for pair features and u, broadcast against each other.

        One u a pair: (n, features) with (n, latent). The same draws of u for all pairs: (n, 1, features) with
        (samples, latent) gives (n, samples, latent), and the pair's part of the first layer is computed once.
        """
        if self.mixture < u.shape[-1]:
            u = F.pad(u[..., : self.mixture], (0, u.shape[-1] - self.mixture))
        if self.middle is not None:
            u = self.middle(pair, u)
        hidden = F.relu(self.first_pair(pair) + self.first_u(u))
        hidden = F.relu(self.second(hidden) + self.second_u(u))
        for layer in self.further:
            hidden = F.relu(layer(torch.cat([hidden, u.expand(*hidden.shape[:-1], -1)], dim=-1)))
        mean = self.mean(hidden) + self.mean_u(u)
        if self.residual is not None:
            mean = mean + self.residual(pair)
        log_variance = self.log_variance(hidden) + self.log_variance_u(u)
        return Gaussian(mean, log_variance.clamp(-self.limit, self.limit))


class MiddleVariable(nn.Module):
    """A level between u and z: v ~ N(mean, variance) given the pair and the upper dimensions of u.

    The lower dimensions of u are v's noise (the non-centred form), so that u stays N(0, I) and is inferred as before.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.upper = config.upper
        self.first = nn.Linear(3 * config.embedding + config.upper, config.hidden)
        self.second = nn.Linear(config.hidden, 2 * (config.latent - config.upper))
        self.limit = config.log_variance_limit

    def forward(
        self, pair: Float[Tensor, "*#batch features"], u: Float[Tensor, "*#batch latent"]
    ) -> Float[Tensor, "*#batch latent"]:
        """The upper dimensions of u, then v."""
        upper, noise = u[..., : self.upper], u[..., self.upper :]
        shape = torch.broadcast_shapes(pair.shape[:-1], u.shape[:-1])  # type: ignore[no-untyped-call]
        joined = torch.cat([pair.expand(*shape, -1), upper.expand(*shape, -1)], dim=-1)
        mean, log_variance = self.second(F.relu(self.first(joined))).chunk(2, dim=-1)
        v = Gaussian(mean, log_variance.clamp(-self.limit, self.limit)).with_noise(noise)
        return torch.cat([upper.expand(*shape, -1), v], dim=-1)


class Decoder(nn.Module):
    """p(c|z) (Eq. 4-5): an LSTM reads z and the previous token; its state and z predict the next token."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.z_first = nn.Linear(config.latent, config.hidden)
        self.z_second = nn.Linear(config.hidden, config.hidden)
        self.lstm = one_bias_lstm(config.hidden + config.embedding, config.hidden)
        self.output = nn.Linear(config.hidden + config.latent, config.embedding)

    def forward(
        self, z: Float[Tensor, "batch latent"], inputs: Float[Tensor, "batch length embedding"]
    ) -> Float[Tensor, "batch length embedding"]:
        """W h_t for each position, to be multiplied with the token vectors.

        Args:
            z: One draw of z for each context.
            inputs: Vectors of the previous tokens, dropout applied.
        """
        length = inputs.shape[1]
        projected = F.relu(self.z_second(F.relu(self.z_first(z))))
        states, _ = self.lstm(torch.cat([projected.unsqueeze(1).expand(-1, length, -1), inputs], dim=-1))
        predicted: Tensor = self.output(torch.cat([states, z.unsqueeze(1).expand(-1, length, -1)], dim=-1))
        return predicted


def start_entities(table: nn.Embedding, config: ModelConfig, profiles: Tensor | None) -> None:
    """Set the entity vectors' first values: profiles where there are any, else N(0, 1).

    Args:
        table: Rows of entities, then one for each type.
        config: Says where vectors start.
        profiles: *Shape:* (entities, embedding), rows of length 1 or of zeros.
    """
    with torch.no_grad():
        if config.entity_start is EntityStart.RANDOM or profiles is None:
            return
        known = profiles.norm(dim=-1) > 0
        scaled = F.normalize(profiles, dim=-1) * math.sqrt(config.embedding)
        table.weight[: len(profiles)][known] = scaled[known]
