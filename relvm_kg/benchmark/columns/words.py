"""The words of a pair's training sentences, reduced: what a text classifier without any representation would read."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.sparse

from relvm_kg.benchmark.columns.entrants import Representation, Scorer
from relvm_kg.benchmark.columns.features import PairRows
from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.columns.settings import ClassifierSettings, Family
from relvm_kg.benchmark.triples import IntArray
from relvm_kg.corpus.tables import read_columns
from relvm_kg.encoding.profiles import text_profile, unit_rows
from relvm_kg.encoding.token_store import TokenStore
from relvm_kg.encoding.vocabulary import SPECIAL_TOKENS
from relvm_kg.pairs import pair_keys


@dataclass(frozen=True, eq=False, kw_only=True)
class SentenceWords:
    """The classifier on the words of a pair's training sentences; an `Entrant` for co-mentioned pairs."""

    folder: Path
    """A corpus generation."""
    corpus_hash: str
    dimensions: int = 300
    name: str = "bag of words"
    families: tuple[Family, ...] = field(default=(Family.CO_MENTIONED,), init=False)

    @property
    def key(self) -> str:
        """See `Entrant`."""
        return f"words {self.dimensions} of {self.corpus_hash}"

    def scorer(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scorer:
        """See `Entrant`."""
        words = sentence_words(self.folder, pairs, self.dimensions)
        return Representation(name=self.name, key=self.key, features=(words,)).scorer(pairs, settings)


def sentence_words(folder: Path, pairs: FamilyPairs, dimensions: int = 300) -> PairRows:
    """TF-IDF of the tokens of each pair's contexts in training documents, reduced by a truncated SVD.

    Args:
        folder: A corpus generation.
        pairs: Pairs, of which those without such a context get zeros.
        dimensions: Columns of the result; rows have the length of their square root.
    """
    keys = np.unique(pairs.keys)
    rows, owners = _contexts(folder, keys)
    tokens, n_vocabulary = _token_counts(folder, rows)
    shape = (len(keys), len(rows))
    mentions = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (owners, np.arange(len(rows)))), shape=shape)
    counts = scipy.sparse.csr_matrix(tokens, shape=(len(rows), n_vocabulary))
    reduced = text_profile(mentions, counts, dimensions).rows
    return PairRows("words", keys, unit_rows(reduced, dimensions) * np.float32(math.sqrt(dimensions)))


def _contexts(folder: Path, keys: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of the training contexts of the pairs, and the place of each one's pair."""
    table = read_columns(folder / "contexts.parquet", ["head", "tail", "held_out", "retracted"])
    left_out = table["held_out"].to_numpy().astype(np.bool_) | table["retracted"].to_numpy().astype(np.bool_)
    own = pair_keys(table["head"].to_numpy(), table["tail"].to_numpy())
    places = np.minimum(np.searchsorted(keys, own), len(keys) - 1)
    rows = np.flatnonzero((keys[places] == own) & ~left_out)
    return rows, places[rows]


def _token_counts(folder: Path, rows: IntArray) -> tuple[tuple[IntArray, IntArray, IntArray], int]:
    """How often each context has each token, as CSR parts; special tokens and the mentions' own are left out."""
    store = TokenStore(folder / "tokens")
    parts = [np.asarray(store[row]) for row in rows.tolist()]
    parts = [part[part >= len(SPECIAL_TOKENS)] for part in parts]
    bounds = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    tokens = np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)
    return (np.ones(len(tokens), np.float32), tokens, bounds), int(store.manifest["n_vocabulary"])
