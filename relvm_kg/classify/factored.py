"""Log-odds of many pairs at common draws, where nothing is computed twice that pairs or draws share.

The first layer of the prior (Shah and Fauqueur 2020, Eq. 2) and the residual path to z's mean are linear in
[e(x); e(y); e(x)*e(y)] and u. For a fixed x, the parts of x and of u are constants, and x folds into one matrix for
e(y), in each order of mention. z itself is not needed: the classifier's first layer is linear in it too, so that
z's mean, the residual path and what depends on u alone reach that layer through matrices multiplied beforehand.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from relvm_kg.classify.draws import Draws
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.model.generative import EntityVectors, Prior
from relvm_kg.model.products import Products, linear
from relvm_kg.types import Relation

PAIRS = 512
"""Pairs whose shared parts are held at a time."""
ROWS = 1024
"""Rows (pairs, orders and draws) that go through the layers at a time, so that they stay in the processor's cache."""

_KNOWN_PARTS = frozenset(
    ("first_pair", "first_u", "second", "second_u", "further", "mean", "mean_u", "log_variance", "log_variance_u")
) | {"residual"}
_EXPONENT = 0.5 / math.log(2.0)
"""exp(v / 2) = 2 ** (_EXPONENT * v), and powers of two are faster."""


def is_factorable(prior: nn.Module) -> bool:
    """Whether this module knows every part of a prior; what it does not know takes the plain path."""
    return type(prior) is Prior and {name for name, _ in prior.named_children()} <= _KNOWN_PARTS


@dataclass(frozen=True)
class FactoredPairs:
    """What all pairs share, for one model, one classifier and one set of draws."""

    entities: EntityVectors
    pair: Tensor
    """From a pair's features to the prior's first layer and, by the residual path, the classifier's. *Shape:*
    (hidden + units, 3 * embedding)"""
    n_hidden: int
    first: Tensor
    """Each draw's part of the prior's first layer. *Shape:* (draws, hidden)"""
    layers: tuple[tuple[Tensor, Tensor], ...]
    """Weights of the further layers, and each draw's part of them."""
    log_variance: tuple[Tensor, Tensor]
    """Weights and each draw's part of the exponent of two that gives z's standard deviation."""
    limit: float
    noise: Tensor | None
    """None where it is zero in all draws. *Shape:* (draws, latent)"""
    joint: tuple[Tensor, Tensor]
    """From [hidden; noise * standard deviation] to the classifier's first layer (from the hidden units alone without
    noise); each draw's part of it."""
    classifier: PairClassifier
    second: tuple[Tensor, Tensor]
    """Weights and bias of the classifier's second layer."""
    products: Products

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        entities: EntityVectors,
        prior: Prior,
        classifier: PairClassifier,
        draws: Draws,
        dtype: torch.dtype = torch.float32,
        products: Products = Products.AUTO,
    ) -> "FactoredPairs":
        """Compute what all pairs share.

        Args:
            entities: Vectors of the model.
            prior: One that `is_factorable`.
            classifier: From z to the labels.
            draws: Common random numbers. *Shape:* (draws, latent)
            dtype: Of the products of each pair and draw; what all pairs share is computed in float32.
            products: Who multiplies.
        """
        u = F.pad(draws.u[:, : prior.mixture], (0, draws.u.shape[1] - prior.mixture))
        into = classifier.first.weight
        n_hidden = prior.first_pair.out_features
        pair = prior.first_pair.weight
        if prior.residual is not None:
            pair = torch.cat([pair, into @ prior.residual.weight])
        layers = [(prior.second.weight, prior.second_u(u) + prior.second.bias)]
        for layer in prior.further:
            assert isinstance(layer, nn.Linear)
            own, of_u = torch.split(layer.weight, [n_hidden, u.shape[1]], dim=1)
            layers.append((own.contiguous(), u @ of_u.T + layer.bias))
        spread, mean = prior.log_variance, prior.mean
        exponent = (_EXPONENT * spread.weight, _EXPONENT * (prior.log_variance_u(u) + spread.bias))
        noisy = bool(draws.noise.any())
        joint = torch.cat([into @ mean.weight, into], dim=1) if noisy else into @ mean.weight
        shared = classifier.first(prior.mean_u(u) + mean.bias)
        return cls(
            entities=entities,
            pair=pair,
            n_hidden=n_hidden,
            first=(prior.first_u(u) + prior.first_pair.bias).to(dtype),
            layers=tuple((w.to(dtype), part.to(dtype)) for w, part in layers),
            log_variance=(exponent[0].to(dtype), exponent[1].to(dtype)),
            limit=_EXPONENT * prior.limit,
            noise=draws.noise.to(dtype) if noisy else None,
            joint=(joint.to(dtype), shared.to(dtype)),
            classifier=classifier,
            second=(classifier.second.weight.to(dtype), classifier.second.bias.to(dtype)),
            products=products,
        )

    def one_to_many(
        self, anchor: Int[Tensor, ""], partners: Int[Tensor, "pairs"], column: int
    ) -> Iterator[Float[Tensor, "part draws"]]:
        """Log-odds of a label for one entity with many, part by part, the draws of both orders side by side.

        Args:
            anchor: Row of the entity table.
            partners: Rows of the entity table.
            column: The label.
        """
        weight, constant = self._folded(anchor)
        for part in torch.split(partners, PAIRS):
            with torch.no_grad():
                vectors = self.entities(part)
            yield self._log_odds(vectors, weight, constant, column)

    def pairs(
        self, heads: Int[Tensor, "pairs"], tails: Int[Tensor, "pairs"], column: int
    ) -> Iterator[Float[Tensor, "part draws"]]:
        """The same for pairs that share no entity."""
        for part in zip(torch.split(heads, PAIRS), torch.split(tails, PAIRS), strict=True):
            with torch.no_grad():
                features = torch.stack([self.entities.pair(*part), self.entities.pair(*part[::-1])], dim=1)
            yield self._log_odds(features, self.pair, None, column)

    @torch.no_grad()
    def _folded(self, anchor: Int[Tensor, ""]) -> tuple[Float[Tensor, "parts embedding"], Float[Tensor, "parts"]]:
        """What e(y) is multiplied with and what is added, for the fixed entity as head, then as tail."""
        x = self.entities(anchor)
        of_head, of_tail, of_both = torch.split(self.pair, x.shape[0], dim=1)
        both = of_both * x
        return torch.cat([of_tail + both, of_head + both]), torch.cat([of_head @ x, of_tail @ x])

    @torch.no_grad()
    def _log_odds(
        self, features: Tensor, weight: Tensor, constant: Tensor | None, column: int
    ) -> Float[Tensor, "pairs draws"]:
        dtype = self.joint[0].dtype
        output = self.classifier.output
        towards = (output.weight[column] - output.weight[Relation.NO_RELATION.column]).to(dtype)
        offset = output.bias[column] - output.bias[Relation.NO_RELATION.column]
        bias = None if constant is None else constant.to(dtype)
        rows = linear(features.to(dtype), weight.to(dtype), bias, products=self.products).view(2 * len(features), -1)
        first, residual = rows[:, : self.n_hidden], rows[:, self.n_hidden :]
        n_draws, at_a_time = len(self.first), max(1, ROWS // len(rows))
        found = [
            self._through(slice(start, start + at_a_time), first, residual, towards)
            for start in range(0, n_draws, at_a_time)
        ]
        log_odds = torch.cat(found).float() + offset
        return log_odds.view(n_draws, len(features), 2).permute(1, 2, 0).flatten(1)

    def _through(
        self,
        draws: slice,
        first: Float[Tensor, "rows hidden"],
        residual: Float[Tensor, "rows units_or_none"],
        towards: Float[Tensor, "units"],
    ) -> Float[Tensor, "draws rows"]:
        """Some draws through all layers, in place where it can be. `residual` has no columns without such a path."""
        hidden = (first + self.first[draws].unsqueeze(1)).relu_()
        for weight, part in self.layers:
            hidden = self._linear(hidden, weight).add_(part[draws].unsqueeze(1)).relu_()
        if self.noise is not None:
            weight, part = self.log_variance
            exponent = self._linear(hidden, weight).add_(part[draws].unsqueeze(1)).clamp_(-self.limit, self.limit)
            hidden = torch.cat([hidden, exponent.exp2_().mul_(self.noise[draws].unsqueeze(1))], dim=-1)
        weight, part = self.joint
        units = self._linear(hidden, weight).add_(part[draws].unsqueeze(1))
        if residual.shape[1]:
            units += residual
        units.relu_()
        further = linear(units, *self.second, relu=True, products=self.products)
        return units @ towards + further @ towards

    def _linear(self, inputs: Tensor, weight: Tensor) -> Tensor:
        return linear(inputs, weight, products=self.products)
