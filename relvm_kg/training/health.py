"""Is the representation healthy? Figures over held-out contexts that show both collapses.

The KL term sees a recognition network that is ignored; only the pair's share of Var(z) and the shuffled-pair gaps see
a pair that is ignored.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from relvm_kg.encoding.batches import sorted_batches
from relvm_kg.model.relvm import ContextBatch, Relvm
from relvm_kg.training.data import IntArray, TrainingCorpus, context_document_ids

FloatArray = npt.NDArray[np.float64]

MIN_DOCUMENTS = 5
"""Fewer held-out documents than this give no interval."""


@dataclass(frozen=True)
class Gap:
    """Mean of log p(c|x,y) - log p(c|x',y') in nats a context, with a 95 % interval (bootstrap over documents)."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Health:
    """Figures of one model on held-out contexts."""

    n_contexts: int
    bound_per_token: float
    """In nats."""
    kl: float
    """In nats a context."""
    active_units: int
    """Dimensions of u whose posterior mean varies by more than 0.01 over contexts."""
    pair_share: float
    """Share of the variance of z's mean that the pair explains, u drawn from p(u)."""
    gap_two_sided: Gap | None
    """Against another context's pair; each gap is None where too few documents or entities are there to measure it."""
    gap_head: Gap | None
    """Against another head of the head's type, same tail."""
    gap_tail: Gap | None
    """Against another tail of the tail's type, same head."""

    @property
    def carries_pair(self) -> bool | None:
        """Whether both one-sided gaps are above zero with 95 % confidence; None where one was not measured."""
        if self.gap_head is None or self.gap_tail is None:
            return None
        return self.gap_head.low > 0 and self.gap_tail.low > 0

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "carries_pair": self.carries_pair}


def measure_health(model: Relvm, corpus: TrainingCorpus, *, limit: int = 1000, seed: int = 0) -> Health | None:
    """Measure a model on up to `limit` held-out contexts whose entities have training text; None if there are none."""
    random = np.random.default_rng(seed)
    heads, tails = corpus.contexts.heads, corpus.contexts.tails
    rows = corpus.held_out_rows
    rows = rows[corpus.has_text[heads[rows]] & corpus.has_text[tails[rows]]]
    if len(rows) < 2:
        return None
    rows = np.sort(random.permutation(rows)[:limit])
    head, tail = heads[rows], tails[rows]
    own, kl, means, n_tokens = _bounds(model, corpus, rows, head, tail)
    order = _derangement(len(rows), random)
    documents = context_document_ids(corpus, rows)

    def gap(other_head: IntArray, other_tail: IntArray) -> Gap | None:
        other, *_ = _bounds(model, corpus, rows, other_head, other_tail)
        changed = ((other_head != head) | (other_tail != tail)) & (other_head != other_tail)
        if len(np.unique(documents[changed])) < MIN_DOCUMENTS:
            return None
        return bootstrap_by_group((own - other)[changed], documents[changed], random)

    return Health(
        n_contexts=len(rows),
        bound_per_token=float(own.sum() / n_tokens),
        kl=float(kl.mean()),
        active_units=int((means.var(axis=0) > 0.01).sum()),
        pair_share=pair_share(model, head, tail, seed),
        gap_two_sided=gap(head[order], tail[order]),
        gap_head=gap(_others_of_type(head, corpus.types, random), tail),
        gap_tail=gap(head, _others_of_type(tail, corpus.types, random)),
    )


@torch.no_grad()
def _bounds(
    model: Relvm, corpus: TrainingCorpus, rows: IntArray, heads: IntArray, tails: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    """Bound, KL and posterior mean of each context under the given pairs; the same noise at every call."""
    lengths = corpus.contexts.store.lengths
    bound, kl = np.zeros(len(rows)), np.zeros(len(rows))
    means = np.zeros((len(rows), model.config.latent))
    for number, places in enumerate(sorted_batches(np.arange(len(rows)), lengths[rows], 64)):
        batch = ContextBatch.of(corpus.contexts.batch(rows[places]), model.device).with_pairs(
            torch.from_numpy(heads[places]).to(model.device), torch.from_numpy(tails[places]).to(model.device)
        )
        generator = torch.Generator(model.device).manual_seed(number)
        terms = model.bound(batch, generator)
        bound[places], kl[places] = terms.bound.cpu(), terms.kl.cpu()
        means[places] = model.posterior(batch).mean.cpu()
    return bound, kl, means, int((lengths[rows] + 1).sum())


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


def bootstrap_by_group(
    values: FloatArray, groups: npt.NDArray[np.str_], random: np.random.Generator, draws: int = 2000
) -> Gap:
    """Mean of values with a 95 % percentile interval, resampling whole groups."""
    _, codes = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(codes, values), np.bincount(codes)
    picks = random.integers(0, len(sums), size=(draws, len(sums)))
    means = sums[picks].sum(1) / counts[picks].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Gap(float(values.mean()), float(low), float(high))


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
