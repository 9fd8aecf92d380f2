"""What u holds of a context: KL by dimension, active units, and mutual information under q(u|x,y,c)."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from relvm_kg.model.relvm import Relvm
from relvm_kg.training.held_out import FloatArray, HeldOut

ACTIVE_VARIANCE = 0.01
"""A dimension of u is active if the mean of q(u|x,y,c) varies by more than this over contexts (Burda et al. 2016)."""
POSTERIOR_BATCH = 256


@dataclass(frozen=True)
class Posteriors:
    """q(u|x,y,c) of contexts. *Shape:* (contexts, latent)"""

    means: FloatArray
    log_variances: FloatArray

    @property
    def kl_by_unit(self) -> FloatArray:
        """KL[q(u|x,y,c) || p(u)] in nats a context, for each dimension of u. *Shape:* (latent)"""
        kl = 0.5 * (np.square(self.means) + np.exp(self.log_variances) - 1.0 - self.log_variances)
        return np.asarray(kl.mean(axis=0))

    @property
    def active_units(self) -> int:
        """Number of active dimensions of u."""
        return int((self.means.var(axis=0) > ACTIVE_VARIANCE).sum())

    def mutual_information(self, random: np.random.Generator, draws: int = 4) -> float:
        """I(c; u) under q over these contexts, in nats.

        E[KL(q(u|x,y,c) || p(u))] - KL(q(u) || p(u)), where q(u) is the mean of q(u|x,y,c) over the contexts (Hoffman
        and Johnson 2016; Dieng et al. 2019). Both terms take the same draws of u, so p(u) cancels. It lies between 0
        and the smaller of the KL term and ln(contexts); an estimate outside, which can be sampling only, is put on the
        limit.
        """
        n, latent = self.means.shape
        total = 0.0
        for _ in range(draws):
            u = self.means + random.standard_normal((n, latent)) * np.exp(0.5 * self.log_variances)
            densities = self._log_densities(u)
            top = densities.max(axis=1)
            aggregate = top + np.log(np.exp(densities - top[:, None]).mean(axis=1))
            total += float((densities.diagonal() - aggregate).mean())
        return min(max(total / draws, 0.0), float(self.kl_by_unit.sum()), math.log(n))

    def _log_densities(self, u: FloatArray) -> FloatArray:
        """ln q(u_i|context j). *Shape:* (draws, contexts)"""
        precision = np.exp(-self.log_variances)
        constant = (np.square(self.means) * precision + self.log_variances + math.log(2 * math.pi)).sum(axis=1)
        quadratic = np.square(u) @ precision.T - 2 * u @ (self.means * precision).T
        return np.asarray(-0.5 * (quadratic + constant))


@torch.no_grad()
def posteriors_of(model: Relvm, held_out: HeldOut) -> Posteriors:
    """q(u|x,y,c) of every context of a sample."""
    means = np.zeros((len(held_out), model.config.latent))
    log_variances = np.zeros_like(means)
    for places, batch in held_out.batches(model.device, POSTERIOR_BATCH):
        q = model.posterior(batch)
        means[places], log_variances[places] = q.mean.cpu(), q.log_variance.cpu()
    return Posteriors(means, log_variances)
