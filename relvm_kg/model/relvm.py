"""RELVM as one module: vectors, prior, decoder and recognition network."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from relvm_kg.encoding.batches import TokenBatch
from relvm_kg.encoding.vocabulary import PAD
from relvm_kg.model.contrast import Contrast
from relvm_kg.model.generative import Decoder, EntityVectors, Gaussian, Prior, start_entities
from relvm_kg.model.objective import EXACT, Loss, chunked_cross_entropy, kl_to_standard_normal
from relvm_kg.model.presets import Bound, ModelConfig
from relvm_kg.model.recognition import Recognition
from relvm_kg.model.sampled_softmax import TokenSample, sampled_cross_entropy
from relvm_kg.model.share import Share
from relvm_kg.types import EntityType

TYPE_ROWS: dict[EntityType, int] = {kind: offset for offset, kind in enumerate(EntityType)}
"""Rows of the types in the entity table, counted from the number of entities."""


@dataclass(frozen=True)
class ContextBatch:
    """A batch of contexts on the model's device. *Shape:* tokens (batch, length), the rest (batch)."""

    tokens: Tensor
    lengths: Tensor
    heads: Tensor
    tails: Tensor
    other_heads: Tensor | None = None
    """Heads that the context's pair is told from, for InfoNCE. *Shape:* (batch, others)"""
    other_tails: Tensor | None = None
    """Tails likewise. *Shape:* (batch, others)"""
    known_places: Tensor | None = None
    """What `places` gives, where it was found before the batch came to the device."""
    part: Share | None = None
    """Which rows of a larger batch these are."""

    @classmethod
    def of(cls, batch: TokenBatch, device: torch.device) -> "ContextBatch":
        """Copy a padded batch to a device."""
        tokens, lengths, heads, tails = (
            torch.from_numpy(a).to(device) for a in (batch.tokens, batch.lengths, batch.heads, batch.tails)
        )
        return cls(tokens, lengths, heads, tails)

    @property
    def share(self) -> Share:
        """The rows of the batch that this process computes."""
        return self.part or Share(0, len(self.lengths), len(self.lengths))

    @property
    def places(self) -> Int[Tensor, "predicted"]:
        """Where the predicted tokens stand in the flattened `tokens[:, 1:]`."""
        if self.known_places is not None:
            return self.known_places
        return (self.tokens[:, 1:] != PAD).flatten().nonzero().squeeze(1)

    def cut(self, share: Share) -> "ContextBatch":
        """A process's share of the batch."""
        if share.n_processes == 1:
            return self
        rows = share.rows
        return ContextBatch(
            self.tokens[rows],
            self.lengths[rows],
            self.heads[rows],
            self.tails[rows],
            None if self.other_heads is None else self.other_heads[rows],
            None if self.other_tails is None else self.other_tails[rows],
            part=share,
        )

    def to(self, device: torch.device) -> "ContextBatch":
        """The batch on a device, which fetches it when it needs it."""
        tokens, lengths, heads, tails = (
            one.to(device, non_blocking=True) for one in (self.tokens, self.lengths, self.heads, self.tails)
        )
        return replace(self, tokens=tokens, lengths=lengths, heads=heads, tails=tails)

    def with_pairs(self, heads: Tensor, tails: Tensor) -> "ContextBatch":
        """The same contexts under other pairs."""
        return replace(self, heads=heads, tails=tails)


@dataclass(frozen=True)
class BoundTerms:
    """Eq. 6 for each context, in nats. *Shape:* (batch)"""

    reconstruction: Tensor
    """log p(c|z) at one draw; where `Loss.proposal` samples the softmax, an estimate that is a little too high."""
    kl: Tensor
    """KL[q(u|x,y,c) || p(u)]"""
    loss: Tensor
    """What training minimises. *Shape:* ()"""

    @property
    def bound(self) -> Tensor:
        """reconstruction - KL"""
        return self.reconstruction - self.kl


class Relvm(nn.Module):
    """The representation model of Shah and Fauqueur (2020)."""

    def __init__(self, config: ModelConfig, n_entities: int, n_vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.n_entities = n_entities
        self.entities = EntityVectors(n_entities + len(TYPE_ROWS), config)
        self.tokens = nn.Embedding(n_vocabulary, config.embedding)
        nn.init.normal_(self.tokens.weight, std=0.1)
        self.prior = Prior(config)
        self.decoder = Decoder(config)
        self.recognition = Recognition(config)
        self.contrast = Contrast(config) if config.contrast else None

    @classmethod
    def started(
        cls, config: ModelConfig, n_entities: int, n_vocabulary: int, seed: int, profiles: Tensor | None = None
    ) -> "Relvm":
        """A model with its first weights, the same for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = cls(config, n_entities, n_vocabulary)
        start_entities(model.entities.table, config, profiles)
        return model

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.tokens.weight.device

    def n_parameters(self, embeddings: bool) -> int:
        """Number of trained weights, with or without the two tables of vectors."""
        tables = () if embeddings else (self.entities.table.weight, self.tokens.weight)
        trained = (p for p in self.parameters() if p.requires_grad)
        return sum(p.numel() for p in trained if not any(p is t for t in tables))

    def posterior(self, batch: ContextBatch) -> Gaussian:
        """q(u|x,y,c) (Eq. 7-9)."""
        pair = self.entities.pair(batch.heads, batch.tails)
        q: Gaussian = self.recognition(self.tokens(batch.tokens), batch.lengths, pair)
        return q

    def bound(self, batch: ContextBatch, generator: torch.Generator, loss: Loss = EXACT) -> BoundTerms:
        """The bound of Eq. 6 with one draw of u and of z.

        Args:
            batch: Contexts and their pairs.
            generator: Source of every draw.
            loss: How the loss differs from the bound; it has no influence on the other two terms but for the
                token dropout, the precision and the sampling of the softmax.
        """
        pair = self.entities.pair(batch.heads, batch.tails)
        vectors = self.tokens(batch.tokens)
        summary = self.recognition.read(vectors, batch.lengths)
        q = self.recognition.posterior(summary, pair)
        share, latent = batch.share, (self.config.latent,)
        u, kl_of_units = q.with_noise(share.normal(latent, generator)), kl_to_standard_normal(q)
        if loss.u_dropout:
            dropped = share.uniform((1,), generator) < loss.u_dropout
            u = torch.where(dropped, share.normal(latent, generator), u)
            kl_of_units = kl_of_units * ~dropped
        z = self.prior(pair, u).with_noise(share.normal(latent, generator))
        kl = kl_of_units.sum(-1)
        weights = torch.full_like(kl, share.row_weight)
        if loss.average is Bound.PER_TOKEN:
            weights = weights / (batch.lengths - 1)
        inputs = vectors[:, :-1]
        if loss.token_dropout:
            kept = share.uniform(inputs.shape[1:2], generator) >= loss.token_dropout
            inputs = inputs * (kept / (1.0 - loss.token_dropout)).unsqueeze(-1)
        sample = loss.proposal.draw(generator) if loss.proposal else None
        negative, reconstruction = self._decode(batch, z, inputs, weights, (loss.precision, sample))
        sums = share.add(torch.cat([negative.unsqueeze(0), weights.sum().unsqueeze(0), weights @ kl_of_units]))
        total = sums[0] + loss.kl_weight * _kl_penalty(sums[2:], sums[1], loss)
        if self.contrast is not None and batch.other_heads is not None and batch.other_tails is not None:
            total = total + loss.contrast_weight * self._contrast(batch, summary, generator)
        return BoundTerms(reconstruction, kl.detach(), total)

    def _contrast(
        self, batch: ContextBatch, summary: Float[Tensor, "batch summary"], generator: torch.Generator
    ) -> Float[Tensor, ""]:
        """Mean of -log softmax of the own pair's score among the others', over contexts of entities (not of types)."""
        assert self.contrast is not None
        assert batch.other_heads is not None
        assert batch.other_tails is not None
        n = batch.other_heads.shape[1]
        heads = torch.cat([batch.heads.unsqueeze(1).expand(-1, 1 + n), batch.other_heads], dim=1)
        tails = torch.cat([batch.tails.unsqueeze(1), batch.other_tails, batch.tails.unsqueeze(1).expand(-1, n)], dim=1)
        share, shape = batch.share, (1, self.config.latent)
        u, noise = share.normal(shape, generator), share.normal(shape, generator)
        z = self.prior(self.entities.pair(heads, tails), u).with_noise(noise)
        scores = self.contrast(summary, z)
        same = (heads == heads[:, :1]) & (tails == tails[:, :1])
        same[:, 0] = False
        losses = -scores.masked_fill(same, -torch.inf).log_softmax(1)[:, 0]
        counted = (batch.heads < self.n_entities) & (batch.tails < self.n_entities)
        weights = counted * share.row_weight
        total, weight = share.add(torch.stack([losses @ weights, weights.sum()]))
        mean: Tensor = total / weight.clamp_min(torch.finfo(weight.dtype).tiny)
        return mean

    def _decode(
        self,
        batch: ContextBatch,
        z: Float[Tensor, "batch latent"],
        inputs: Float[Tensor, "batch shorter embedding"],
        weights: Float[Tensor, "batch"],
        softmax: tuple[torch.dtype, TokenSample | None] = (torch.float32, None),
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "batch"]]:
        targets, places = batch.tokens[:, 1:], batch.places
        states = self.decoder(z, inputs).flatten(0, 1).index_select(0, places)
        rows = places // targets.shape[1]
        precision, sample = softmax
        weights = weights.detach()
        arguments = (states, self.tokens.weight, targets.flatten()[places], weights[rows])
        if sample is None:
            total, losses = chunked_cross_entropy(*arguments, precision)
        else:
            total, losses = sampled_cross_entropy(*arguments, (sample, precision))
        return total, -torch.zeros_like(weights).index_add_(0, rows, losses)

    def log_likelihood(self, batch: ContextBatch, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch"]:
        """log p(c|z) of each context, in nats."""
        weights = torch.ones(len(batch.lengths), device=self.device)
        return self._decode(batch, z, self.tokens(batch.tokens)[:, :-1], weights)[1]

    def type_rows(self, types: Int[Tensor, "pairs"]) -> Int[Tensor, "pairs"]:
        """Rows of the entity table for types, given as their place in `EntityType`."""
        return types + self.n_entities


def _kl_penalty(units: Float[Tensor, "latent"], weight: Float[Tensor, ""], loss: Loss) -> Float[Tensor, ""]:
    """The KL term of the loss, less what is free.

    Args:
        units: Weighted sum of the KL over contexts, for each dimension of u.
        weight: Sum of the weights.
        loss: Says what is free.
    """
    if loss.free_nats_per_unit:
        units = units.maximum(loss.free_nats_per_unit * weight)
    penalty: Tensor = units.sum().maximum(loss.free_nats * weight)
    return penalty
