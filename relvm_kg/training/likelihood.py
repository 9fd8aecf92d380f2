"""Likelihoods of held-out contexts: the bound under any pair, IWAE-K, and the bound with u from p(u)."""

import math

import numpy as np
import torch
from torch import Tensor

from relvm_kg.model.generative import Gaussian
from relvm_kg.model.relvm import ContextBatch, Relvm
from relvm_kg.training.data import IntArray
from relvm_kg.training.held_out import BATCH, FloatArray, HeldOut

LIKELIHOOD_SAMPLES = 64
"""K of IWAE-K."""
LIKELIHOOD_WORK = 1e12
"""Multiply-adds that the IWAE-K figure may cost where there is no GPU: under a minute on one core."""


@torch.no_grad()
def bounds(model: Relvm, held_out: HeldOut, heads: IntArray, tails: IntArray) -> tuple[FloatArray, FloatArray]:
    """Bound (Eq. 6) and KL of each context under the given pairs, in nats; every call takes the same noise."""
    bound, kl = np.zeros(len(held_out)), np.zeros(len(held_out))
    for number, (places, batch) in enumerate(held_out.batches(model.device)):
        x, y = (torch.from_numpy(entities[places]).to(model.device) for entities in (heads, tails))
        terms = model.bound(batch.with_pairs(x, y), torch.Generator(model.device).manual_seed(number))
        bound[places], kl[places] = terms.bound.cpu(), terms.kl.cpu()
    return bound, kl


@torch.no_grad()
def bounds_without_posterior(model: Relvm, held_out: HeldOut) -> FloatArray:
    """The bound E[log p(c|z)] with u from p(u), so that nothing is read of the context; the same noise as `bounds`."""
    bound = np.zeros(len(held_out))
    for number, (places, batch) in enumerate(held_out.batches(model.device)):
        generator = torch.Generator(model.device).manual_seed(number)
        u = torch.randn(len(places), model.config.latent, generator=generator, device=model.device)
        bound[places] = _log_likelihood(model, batch, u, generator).cpu()
    return bound


@torch.no_grad()
def importance_weighted(model: Relvm, held_out: HeldOut, seed: int, samples: int = LIKELIHOOD_SAMPLES) -> FloatArray:
    """IWAE-K: a bound on log p(c|x,y) of each context that K draws tighten (Burda et al. 2016), in nats.

    The log-mean of the weights p(u) p(c|z) / q(u|x,y,c), with u from q(u|x,y,c) and z from p(z|x,y,u). A batch holds
    one context, up to 64 times, so memory does not grow with K.
    """
    values = np.zeros(len(held_out))
    generator = torch.Generator(model.device).manual_seed(seed)
    for places, batch in held_out.batches(model.device, 1):
        q = model.posterior(batch)
        parts = []
        for start in range(0, samples, BATCH):
            n = min(BATCH, samples - start)
            wide = Gaussian(*(value.expand(n, -1) for value in q))
            u = wide.sample(generator)
            parts.append(log_weights(wide, u, _log_likelihood(model, repeat(batch, n), u, generator)))
        values[places] = float(log_mean_exp(torch.cat(parts)))
    return values


def log_weights(q: Gaussian, u: Tensor, log_likelihood: Tensor) -> Tensor:
    """ln p(u) + ln p(c|z) - ln q(u|x,y,c) for draws u of q. *Shape:* (draws)"""
    noise = (u - q.mean) * torch.exp(-0.5 * q.log_variance)
    return log_likelihood + 0.5 * (noise.square() + q.log_variance - u.square()).sum(-1)


def log_mean_exp(values: Tensor) -> Tensor:
    """ln of the mean of exp over the first dimension."""
    return torch.logsumexp(values, 0) - math.log(len(values))


def n_affordable(model: Relvm, held_out: HeldOut, most: int, samples: int = LIKELIHOOD_SAMPLES) -> int:
    """Contexts whose IWAE-K figure stays within `LIKELIHOOD_WORK`, at least 10 and at most `most`; on CUDA `most`."""
    if model.device.type == "cuda":
        return most
    config = model.config
    gates = 4 * config.hidden * (2 * config.hidden + config.embedding)
    token = gates + config.embedding * (config.hidden + config.latent + model.tokens.num_embeddings)
    context = samples * token * held_out.n_tokens / len(held_out)
    return int(min(max(LIKELIHOOD_WORK / context, 10), most))


def repeat(batch: ContextBatch, n: int) -> ContextBatch:
    """A batch of one context, n times."""
    return ContextBatch(
        batch.tokens.expand(n, -1), batch.lengths.expand(n), batch.heads.expand(n), batch.tails.expand(n)
    )


def _log_likelihood(model: Relvm, batch: ContextBatch, u: Tensor, generator: torch.Generator) -> Tensor:
    """log p(c|z) at one draw of z from p(z|x,y,u)."""
    z = model.prior(model.entities.pair(batch.heads, batch.tails), u).sample(generator)
    return model.log_likelihood(batch, z)
