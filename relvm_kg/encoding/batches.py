"""Batches of contexts: shuffled by seed, then sorted by length, so that little padding is computed on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relvm_kg.encoding.token_store import TokenStore
from relvm_kg.encoding.vocabulary import BEGIN, END, PAD

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TokenBatch:
    """Contexts of one batch as padded arrays.

    *Shape:* tokens (batch, length) with `<BOS>` first and `<EOS>` last, lengths (batch) that count both,
    heads and tails (batch) as rows of the entity table.
    """

    tokens: IntArray
    lengths: IntArray
    heads: IntArray
    tails: IntArray

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True)
class ContextRows:
    """The contexts a model reads: a token store and, for each of its rows, head and tail in the entity table."""

    store: TokenStore
    heads: IntArray
    tails: IntArray

    def batch(self, rows: IntArray) -> TokenBatch:
        """Pad the given rows into one batch, in the given order."""
        sequences = [self.store[int(row)] for row in rows]
        return pad_batch(sequences, self.heads[rows], self.tails[rows])


def pad_batch(sequences: list[npt.NDArray[np.int32]], heads: IntArray, tails: IntArray) -> TokenBatch:
    """Put `<BOS>` and `<EOS>` around sequences and pad them to the longest."""
    lengths = np.fromiter((len(s) + 2 for s in sequences), dtype=np.int64, count=len(sequences))
    tokens = np.full((len(sequences), int(lengths.max(initial=2))), PAD, dtype=np.int64)
    tokens[:, 0] = BEGIN
    for index, sequence in enumerate(sequences):
        tokens[index, 1 : len(sequence) + 1] = sequence
        tokens[index, len(sequence) + 1] = END
    return TokenBatch(tokens, lengths, heads.astype(np.int64), tails.astype(np.int64))


def epoch_batches(rows: IntArray, lengths: IntArray, size: int, seed: int, epoch: int) -> list[IntArray]:
    """The batches of one epoch: rows shuffled, sorted by length within windows of 50 batches, batches shuffled.

    The order depends on seed and epoch alone, so that training resumes at any batch.

    Args:
        rows: Context rows to visit, each once.
        lengths: Number of tokens of every row of the store.
        size: Contexts a batch.
        seed: Seed of the run.
        epoch: Number of the epoch, from 0.
    """
    random = np.random.default_rng((seed, epoch))
    shuffled = random.permutation(rows)
    batches: list[IntArray] = []
    window = size * 50
    for start in range(0, len(shuffled), window):
        part = shuffled[start : start + window]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches.extend(part[i : i + size] for i in range(0, len(part), size))
    order = random.permutation(len(batches))
    return [batches[i] for i in order]


def sorted_batches(rows: IntArray, lengths: IntArray, size: int) -> Iterator[IntArray]:
    """Rows in batches of similar length, without randomness, for evaluation."""
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
