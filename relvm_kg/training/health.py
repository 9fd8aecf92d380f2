"""Is the representation healthy? Figures over held-out contexts that show both collapses.

The KL term sees a recognition network that is ignored; only the pair's share of Var(z) and the shuffled-pair gaps see
a pair that is ignored. Every figure takes the exact softmax in float32.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from relvm_kg.model.relvm import Relvm
from relvm_kg.training.data import IntArray, TrainingCorpus
from relvm_kg.training.held_out import FloatArray, Gap, HeldOut, bootstrap_by_group
from relvm_kg.training.information import posteriors_of
from relvm_kg.training.likelihood import (
    LIKELIHOOD_SAMPLES,
    bounds,
    bounds_without_posterior,
    importance_weighted,
    n_affordable,
)

MIN_DOCUMENTS = 5
"""Fewer held-out documents than this give no interval."""
LIMIT = 1000
"""Held-out contexts that the figures are measured on at most."""
LIKELIHOOD_LIMIT = 200
"""Of these, contexts for IWAE-K at most."""


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    """IWAE-K on a part of the contexts, with the bound on the same part beside it."""

    n_contexts: int
    samples: int
    """K."""
    bound_per_token: float
    """In nats."""
    log_likelihood_per_token: float
    """In nats."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """Figures of one model on held-out contexts."""

    n_contexts: int
    n_documents: int
    bound_per_token: float
    """In nats."""
    kl: float
    """In nats a context."""
    mutual_information: float
    """I(c; u) under q, in nats."""
    active_units: int
    """Dimensions of u whose posterior mean varies by more than 0.01 over contexts."""
    u_worth: Gap | None
    """What u tells of a context beyond its pair: the bound less the bound with u from p(u)."""
    pair_share: float
    """Share of the variance of z's mean that the pair explains, u drawn from p(u)."""
    gap_two_sided: Gap | None
    """log p(c|x,y) - log p(c|x',y') against another context's pair; each gap is None where too few documents or
    entities are there to measure it."""
    gap_head: Gap | None
    """Against another head of the head's type, same tail."""
    gap_tail: Gap | None
    """Against another tail of the tail's type, same head."""
    likelihood: Likelihood
    kl_by_unit: tuple[float, ...]
    """KL of each dimension of u, in nats a context, falling."""

    @property
    def carries_pair(self) -> bool | None:
        """Whether both one-sided gaps are above zero with 95 % confidence.

        None if one was not measured, unless the other one already fails.
        """
        lows = [None if gap is None else gap.low for gap in (self.gap_head, self.gap_tail)]
        if any(low is not None and low <= 0 for low in lows):
            return False
        return None if None in lows else True

    @property
    def carries_sentence(self) -> bool:
        """Whether u is awake: a unit is active, and u is worth more than nothing with 95 % confidence."""
        return self.active_units > 0 and (self.u_worth is None or self.u_worth.low > 0)

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "carries_pair": self.carries_pair, "carries_sentence": self.carries_sentence}


def held_out_sample(corpus: TrainingCorpus, seed: int, limit: int = LIMIT) -> HeldOut | None:
    """The contexts that `measure_health` takes with this seed; None if there are less than two."""
    return HeldOut.of(corpus, limit, np.random.default_rng(seed))


def measure_health(model: Relvm, corpus: TrainingCorpus, *, limit: int = LIMIT, seed: int = 0) -> Health | None:
    """Measure a model on up to `limit` held-out contexts whose entities have training text; None if there are none."""
    held_out = held_out_sample(corpus, seed, limit)
    if held_out is None:
        return None
    random = np.random.default_rng((seed, 1))
    head, tail, documents = held_out.heads, held_out.tails, held_out.documents
    own, kl = bounds(model, held_out, head, tail)

    def interval(values: FloatArray, counted: np.ndarray[Any, np.dtype[np.bool_]]) -> Gap | None:
        if len(np.unique(documents[counted])) < MIN_DOCUMENTS:
            return None
        return bootstrap_by_group(values[counted], documents[counted], random)

    def gap(other_head: IntArray, other_tail: IntArray) -> Gap | None:
        other, _ = bounds(model, held_out, other_head, other_tail)
        changed = ((other_head != head) | (other_tail != tail)) & (other_head != other_tail)
        return interval(own - other, changed)

    order = _derangement(len(held_out), random)
    q = posteriors_of(model, held_out)
    return Health(
        n_contexts=len(held_out),
        n_documents=len(np.unique(documents)),
        bound_per_token=float(own.sum() / held_out.n_tokens),
        kl=float(kl.mean()),
        mutual_information=q.mutual_information(random),
        active_units=q.active_units,
        u_worth=interval(own - bounds_without_posterior(model, held_out), np.ones(len(own), dtype=bool)),
        pair_share=pair_share(model, head, tail, seed),
        gap_two_sided=gap(head[order], tail[order]),
        gap_head=gap(_others_of_type(head, corpus.types, random), tail),
        gap_tail=gap(head, _others_of_type(tail, corpus.types, random)),
        likelihood=measure_likelihood(model, held_out, seed),
        kl_by_unit=tuple(np.sort(q.kl_by_unit)[::-1].round(6).tolist()),
    )


def measure_likelihood(model: Relvm, held_out: HeldOut, seed: int) -> Likelihood:
    """IWAE-K on as much of a sample as is measured in less than a minute on one core."""
    part = held_out.part(n_affordable(model, held_out, LIKELIHOOD_LIMIT))
    bound, _ = bounds(model, part, part.heads, part.tails)
    return Likelihood(
        n_contexts=len(part),
        samples=LIKELIHOOD_SAMPLES,
        bound_per_token=float(bound.sum() / part.n_tokens),
        log_likelihood_per_token=float(importance_weighted(model, part, seed).sum() / part.n_tokens),
    )


@torch.no_grad()
def pair_share(model: Relvm, heads: IntArray, tails: IntArray, seed: int, samples: int = 32, limit: int = 500) -> float:
    """Var over pairs of E_u[mean of z], divided by the variance of the mean of z over pairs and u."""
    generator = torch.Generator(model.device).manual_seed(seed)
    u = torch.randn(samples, model.config.latent, generator=generator, device=model.device)
    chosen = slice(0, limit)
    x = torch.from_numpy(heads[chosen]).to(model.device)
    y = torch.from_numpy(tails[chosen]).to(model.device)
    mean = model.prior(model.entities.pair(x, y).unsqueeze(1), u).mean
    between = mean.mean(1).var(0, correction=0).sum()
    within = mean.var(1, correction=0).mean(0).sum()
    return float(between / (between + within))


@dataclass(frozen=True, kw_only=True)
class HealthProbe:
    """A small measurement between two steps of training, on the same contexts and with the same noise every time."""

    held_out: HeldOut
    """For the bound and the gaps."""
    readable: HeldOut
    """More contexts, for what q(u|x,y,c) alone shows."""
    other_heads: IntArray
    other_tails: IntArray
    seed: int

    @classmethod
    def of(cls, corpus: TrainingCorpus, n_trained: int, n_probes: int, seed: int) -> "HealthProbe | None":
        """A probe whose size keeps all probes of a run of 80,000 contexts or more below 3 % of its work.

        Args:
            corpus: With held-out contexts; None comes back if there are less than two.
            n_trained: Contexts that the run's steps see in all.
            n_probes: How often it is measured.
            seed: Of the contexts and of the noise.
        """
        random = np.random.default_rng((seed, 2))
        size = min(max(n_trained // (_STEPS_OF_A_PROBE * max(n_probes, 1)), 16), 256)
        readable = HeldOut.of(corpus, 4 * size, random, for_probes=True)
        if readable is None:
            return None
        held_out = readable.part(size)
        return cls(
            held_out=held_out,
            readable=readable,
            other_heads=_others_of_type(held_out.heads, corpus.types, random),
            other_tails=_others_of_type(held_out.tails, corpus.types, random),
            seed=seed,
        )

    def __call__(self, model: Relvm) -> dict[str, float]:
        """Figures for the trace."""
        head, tail = self.held_out.heads, self.held_out.tails
        own, _ = bounds(model, self.held_out, head, tail)
        q = posteriors_of(model, self.readable)
        return {
            "held_out_bound_per_token": float(own.sum() / self.held_out.n_tokens),
            "held_out_kl": float(q.kl_by_unit.sum()),
            "mutual_information": q.mutual_information(np.random.default_rng((self.seed, 3))),
            "active_units": q.active_units,
            "gap_head": float((own - bounds(model, self.held_out, self.other_heads, tail)[0]).mean()),
            "gap_tail": float((own - bounds(model, self.held_out, head, self.other_tails)[0]).mean()),
        }


_STEPS_OF_A_PROBE = 250
"""Contexts trained on for each one of a probe: three measurements with the exact softmax cost as much as 7 of them."""


def _derangement(n: int, random: np.random.Generator) -> IntArray:
    """A permutation without fixed points: everybody gets a neighbour in a random circle."""
    circle = random.permutation(n)
    result = np.empty(n, dtype=np.int64)
    result[circle] = np.roll(circle, 1)
    return result


def _others_of_type(entities: IntArray, types: IntArray, random: np.random.Generator) -> IntArray:
    """For each entity another one of its type, drawn as often as it occurs among the given ones."""
    result = entities.copy()
    for kind in np.unique(types[entities]):
        places = np.flatnonzero(types[entities] == kind)
        if len(np.unique(entities[places])) < 2:
            continue
        draw = random.choice(entities[places], size=len(places))
        while (same := draw == entities[places]).any():
            draw[same] = random.choice(entities[places], size=int(same.sum()))
        result[places] = draw
    return result
