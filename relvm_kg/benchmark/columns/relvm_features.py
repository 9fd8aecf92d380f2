"""What a RELVM model says of a pair: draws of z from its prior, z's mean, entity vectors."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from relvm_kg.benchmark.columns.features import Float32Array, PairVectors
from relvm_kg.benchmark.triples import IntArray
from relvm_kg.classify.draws import Draws, draw_z
from relvm_kg.model.relvm import Relvm

_VALUES = 4_000_000
"""Numbers that are computed at once."""


@dataclass(frozen=True, eq=False)
class PriorDraws:
    """z ~ p(u) p(z|x,y,u), in both orders of mention: each pair its own draws to train on, common ones to predict."""

    name: str
    model: Relvm
    draws: int = 4
    """Draws to train on, half of them in each order."""
    evaluation_draws: int = 16
    """Antithetic draws to predict from, in each order."""
    seed: int = 0
    symmetric: bool = field(default=True, init=False)

    @property
    def width(self) -> int:
        """Dimensions of z."""
        return self.model.config.latent

    @torch.no_grad()
    def __call__(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """See `PairFeatures`. *Shape:* (pairs, draws, latent)"""
        generator = torch.Generator(self.model.device).manual_seed(self.seed)
        half = max(1, self.draws // 2)
        result = np.empty((len(heads), 2 * half, self.width), np.float32)
        for part in _parts(len(heads), 2 * half * self.width):
            x, y = _rows(self.model, heads[part]), _rows(self.model, tails[part])
            for at, (first, second) in enumerate(((x, y), (y, x))):
                draws = Draws.independent(half, self.width, generator, len(first))
                pair = self.model.entities.pair(first, second).unsqueeze(1)
                z = self.model.prior(pair, draws.u).with_noise(draws.noise)
                result[part, at * half : (at + 1) * half] = z.cpu().numpy()
        return result

    @torch.no_grad()
    def evaluated(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """See `PairFeatures`. *Shape:* (pairs, 2 * evaluation draws, latent)"""
        draws = self._common
        result = np.empty((len(heads), 2 * len(draws.u), self.width), np.float32)
        for part in _parts(len(heads), 2 * len(draws.u) * self.width):
            x, y = _rows(self.model, heads[part]), _rows(self.model, tails[part])
            result[part] = draw_z(self.model, x, y, draws).cpu().numpy()
        return result

    @cached_property
    def _common(self) -> Draws:
        return _antithetic(self.model, self.evaluation_draws, self.seed + 1)


@dataclass(frozen=True, eq=False)
class PriorMean:
    """Mean of z over u, from antithetic draws: the mean of both orders of mention."""

    name: str
    model: Relvm
    draws: int = 16
    seed: int = 0
    symmetric: bool = field(default=True, init=False)

    @property
    def width(self) -> int:
        """Dimensions of z."""
        return self.model.config.latent

    @torch.no_grad()
    def __call__(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """See `PairFeatures`. *Shape:* (pairs, latent)"""
        u = _antithetic(self.model, self.draws, self.seed + 1).u
        result = np.empty((len(heads), self.width), np.float32)
        for part in _parts(len(heads), len(u) * self.width):
            x, y = _rows(self.model, heads[part]), _rows(self.model, tails[part])
            means = [
                self.model.prior(self.model.entities.pair(first, second).unsqueeze(1), u).mean.mean(1)
                for first, second in ((x, y), (y, x))
            ]
            result[part] = ((means[0] + means[1]) / 2).cpu().numpy()
        return result

    def evaluated(self, heads: IntArray, tails: IntArray) -> Float32Array:
        """See `PairFeatures`."""
        return self(heads, tails)


@torch.no_grad()
def entity_vectors(name: str, model: Relvm) -> PairVectors:
    """[e(x); e(y); e(x)*e(y)] of a model."""
    rows = torch.arange(model.n_entities, device=model.device)
    return PairVectors(name, np.asarray(model.entities(rows).cpu().numpy(), dtype=np.float32))


def model_digest(model: Relvm) -> str:
    """SHA-256 of the weights that pairs are scored with: entity vectors and prior."""
    digest = hashlib.sha256()
    for part in (model.entities, model.prior):
        for name, values in sorted(part.state_dict().items()):
            digest.update(f"{name} {tuple(values.shape)}".encode())
            digest.update(values.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _antithetic(model: Relvm, samples: int, seed: int) -> Draws:
    generator = torch.Generator("cpu").manual_seed(seed)
    return Draws.antithetic(samples, model.config.latent, generator).to(model.device)


def _parts(n: int, values_a_row: int) -> list[slice]:
    size = max(1, _VALUES // values_a_row)
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _rows(model: Relvm, entities: IntArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(entities)).to(model.device)
