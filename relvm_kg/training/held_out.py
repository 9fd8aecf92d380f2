"""Contexts of held-out documents, on which every health figure is measured."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from relvm_kg.encoding.batches import ContextRows, sorted_batches
from relvm_kg.model.relvm import ContextBatch
from relvm_kg.training.data import IntArray, TrainingCorpus, context_document_ids

FloatArray = npt.NDArray[np.float64]
BATCH = 64


@dataclass(frozen=True)
class Gap:
    """A mean in nats a context with its 95 % interval (bootstrap over documents)."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class HeldOut:
    """A sample of contexts whose entities have training text; vocabulary and profiles do not come from them."""

    contexts: ContextRows
    rows: IntArray
    """Rows of the contexts, rising. *Shape:* (sample)"""
    documents: npt.NDArray[np.str_]
    """Document of each. *Shape:* (sample)"""

    @classmethod
    def of(
        cls, corpus: TrainingCorpus, limit: int, random: np.random.Generator, *, for_probes: bool = False
    ) -> "HeldOut | None":
        """A random sample of up to `limit` contexts; None if there are less than two.

        Args:
            corpus: Where they come from.
            limit: How many at most.
            random: Draws them.
            for_probes: Take the fifth of the documents that is measured during training and may choose the weights, in
                place of those that the final figures come from.
        """
        heads, tails = corpus.contexts.heads, corpus.contexts.tails
        rows = corpus.held_out_rows
        rows = rows[corpus.has_text[heads[rows]] & corpus.has_text[tails[rows]]]
        documents = context_document_ids(corpus, rows)
        names, codes = np.unique(documents, return_inverse=True)
        probed = np.fromiter((_is_for_probes(name) for name in names), dtype=bool, count=len(names))
        places = np.flatnonzero(probed[codes] == for_probes)
        if len(places) < 2:
            return None
        places = np.sort(random.permutation(places)[:limit])
        return cls(corpus.contexts, rows[places], documents[places])

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def heads(self) -> IntArray:
        """Row of each head in the entity table."""
        return self.contexts.heads[self.rows]

    @property
    def tails(self) -> IntArray:
        """Row of each tail in the entity table."""
        return self.contexts.tails[self.rows]

    @property
    def n_tokens(self) -> int:
        """Predicted tokens, each context's `<EOS>` included."""
        return int((self.contexts.store.lengths[self.rows] + 1).sum())

    def part(self, limit: int) -> "HeldOut":
        """Up to `limit` of the contexts, spread evenly over the sample."""
        places = np.linspace(0, len(self) - 1, min(limit, len(self))).round().astype(np.int64)
        return HeldOut(self.contexts, self.rows[places], self.documents[places])

    def batches(self, device: torch.device, size: int = BATCH) -> Iterator[tuple[IntArray, ContextBatch]]:
        """The contexts in batches of similar length, each with its places in the sample."""
        lengths = self.contexts.store.lengths[self.rows]
        for places in sorted_batches(np.arange(len(self)), lengths, size):
            yield places, ContextBatch.of(self.contexts.batch(self.rows[places]), device)


def _is_for_probes(document: str) -> bool:
    return int(hashlib.sha1(document.encode()).hexdigest()[8:16], 16) % 5 == 0


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
