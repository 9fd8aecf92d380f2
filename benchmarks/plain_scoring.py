"""Pair scoring in its plain form, and the multiply-adds of each form; kept for comparison only.

The plain form is the released code's: [e(x); e(y); e(x)*e(y); u] joined for every pair, order and draw, u joined again
at each layer, then the classifier on z. It is vectorised, and works in pieces that suit the cache.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from relvm_kg.classify.draws import Draws
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.model.generative import Gaussian
from relvm_kg.model.relvm import Relvm

PAIRS = 128


@dataclass(frozen=True)
class PlainForm:
    """The prior's layers over joined inputs."""

    model: Relvm
    classifier: PairClassifier
    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]
    mean: tuple[Tensor, Tensor]
    log_variance: tuple[Tensor, Tensor]

    @classmethod
    @torch.no_grad()
    def of(cls, model: Relvm, classifier: PairClassifier) -> "PlainForm":
        """Join the weights of each layer once."""
        prior = model.prior
        assert not len(prior.further)
        joined = [
            (torch.cat([own.weight, of_u.weight], dim=1), own.bias)
            for own, of_u in (
                (prior.first_pair, prior.first_u),
                (prior.second, prior.second_u),
                (prior.mean, prior.mean_u),
                (prior.log_variance, prior.log_variance_u),
            )
        ]
        return cls(model, classifier, *joined)

    @torch.no_grad()
    def log_odds(self, anchor: int, partners: Tensor, column: int, draws: Draws) -> Tensor:
        """Of one entity with many. *Shape:* (pairs, 2 * draws)"""
        parts = []
        for y in torch.split(partners, PAIRS):
            x = torch.full_like(y, anchor)
            z = torch.cat([self._z(self.model.entities.pair(*xy), draws) for xy in ((x, y), (y, x))], dim=1)
            parts.append(self.classifier(z, torch.full_like(y, column)))
        return torch.cat(parts)

    def _z(self, pair: Tensor, draws: Draws) -> Tensor:
        prior = self.model.prior
        n, samples = len(pair), len(draws.u)
        features = pair.unsqueeze(1).expand(n, samples, -1)
        unused = draws.u.shape[-1] - prior.mixture
        u = F.pad(draws.u[:, : prior.mixture], (0, unused)).expand(n, samples, -1)
        hidden = F.linear(torch.cat([features, u], dim=-1), *self.first).relu_()
        hidden = F.linear(torch.cat([hidden, u], dim=-1), *self.second).relu_()
        joined = torch.cat([hidden, u], dim=-1)
        mean = F.linear(joined, *self.mean)
        if prior.residual is not None:
            mean += prior.residual(features)
        log_variance = F.linear(joined, *self.log_variance).clamp_(-prior.limit, prior.limit)
        return Gaussian(mean, log_variance).with_noise(draws.noise)


def multiply_adds(model: Relvm, classifier: PairClassifier, samples: int) -> dict[str, float]:
    """Multiply-adds of a pair, an order and a draw, by form."""
    config, prior = model.config, model.prior
    hidden, latent, pair = prior.first_pair.out_features, config.latent, 3 * config.embedding
    units = classifier.first.out_features
    residual = prior.residual is not None
    reading = latent * units + units * units + units * classifier.output.out_features
    own = hidden * hidden + 2 * hidden * latent
    joined = (pair + latent) * hidden + own + latent * hidden + 2 * latent * latent + residual * pair * latent
    once = pair * (hidden + residual * latent) / samples
    folded = config.embedding * (hidden + residual * units) / samples
    return {
        "plain": joined + reading,
        "pair part once": once + own + reading,
        "factored": folded + hidden * hidden + hidden * latent + (hidden + latent) * units + units * units + 2 * units,
    }
