"""Draws of z for pairs: the same u and noise for all pairs, so that scores compare and repeat."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from relvm_kg.model.relvm import Relvm

_SMALLEST = 1e-9
"""Probability that a normal number of the sequence is cut off at, either side: 6 standard deviations."""


@lru_cache(maxsize=16)
def _sobol_numbers(samples: int, dimensions: int, seed: int) -> Float[Tensor, "samples dimensions"]:
    """Normal numbers; kept, since preparing a sequence takes longer than scoring a few pairs. Not to be written to."""
    engine = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    even = engine.draw(samples, dtype=torch.float64).clamp(_SMALLEST, 1.0 - _SMALLEST)
    numbers: Tensor = torch.special.ndtri(even).float()
    return numbers


@dataclass(frozen=True)
class Draws:
    """Standard normal numbers for u and for the noise of z. *Shape:* (samples, latent), or (rows, samples, latent)."""

    u: Tensor
    noise: Tensor

    @classmethod
    def independent(cls, samples: int, latent: int, generator: torch.Generator, rows: int | None = None) -> "Draws":
        """Draws from N(0, I), common to all rows, or each row's own if their number is given."""
        shape = (samples, latent) if rows is None else (rows, samples, latent)
        u, noise = (torch.randn(shape, generator=generator, device=generator.device) for _ in range(2))
        return cls(u, noise)

    @classmethod
    def antithetic(cls, samples: int, latent: int, generator: torch.Generator) -> "Draws":
        """Draws in pairs of opposite sign, whose errors cancel; an odd number is rounded up."""
        half = cls.independent((samples + 1) // 2, latent, generator)
        return cls(torch.cat([half.u, -half.u]), torch.cat([half.noise, -half.noise]))

    @classmethod
    def sobol(cls, samples: int, latent: int, seed: int) -> "Draws":
        """The first points of a scrambled Sobol sequence over u and noise together, spread evenly; on the CPU.

        A power of two fills the space most evenly.
        """
        numbers = _sobol_numbers(samples, 2 * latent, seed)
        return cls(numbers[:, :latent].contiguous(), numbers[:, latent:].contiguous())

    @classmethod
    def centre(cls, latent: int) -> "Draws":
        """One draw of zeros: the middle of u, and z's mean there."""
        return cls(torch.zeros(1, latent), torch.zeros(1, latent))

    def first(self, samples: int) -> "Draws":
        """The first draws; of a Sobol sequence they are those that the same seed gives for that number."""
        return Draws(self.u[:samples], self.noise[:samples])

    def to(self, device: torch.device) -> "Draws":
        """On another device."""
        return Draws(self.u.to(device), self.noise.to(device))


@torch.no_grad()
def draw_z(
    model: Relvm, heads: Int[Tensor, "pairs"], tails: Int[Tensor, "pairs"], draws: Draws
) -> Float[Tensor, "pairs draws latent"]:
    """z ~ p(u) p(z|x,y,u) (Eq. 19) for the pair in both orders of mention: the same draws for each.

    Returns:
        *Shape:* (pairs, 2 * samples, latent)
    """
    both = [
        model.prior(model.entities.pair(x, y).unsqueeze(1), draws.u).with_noise(draws.noise)
        for x, y in ((heads, tails), (tails, heads))
    ]
    return torch.cat(both, dim=1)
