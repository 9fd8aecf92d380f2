"""What the corpus and the curated relations know of pairs: known, co-mentioned, in how many documents."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.pairs import pair_keys

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _KeyedTable:
    """Rows of a table by pair key, sorted."""

    keys: IntArray
    rows: IntArray
    table: pa.Table

    @classmethod
    def of(cls, table: pa.Table, first: str, second: str) -> "_KeyedTable":
        ends = [np.asarray(table[name].to_numpy()).astype(np.int64) for name in (first, second)]
        keys = pair_keys(ends[0], ends[1])
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], order, table)

    def find(self, wanted: IntArray) -> tuple[BoolArray, IntArray]:
        """Whether each key is there, and the table row of its first occurrence (meaningless where it is not)."""
        if not len(self.keys):
            return np.zeros(len(wanted), dtype=bool), np.zeros(len(wanted), dtype=np.int64)
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return self.keys[places] == wanted, self.rows[places]


class PairFacts:
    """Look-ups over pairs of catalogue indices, in any order of arguments."""

    def __init__(self, folder: Path) -> None:
        """Open the tables of a corpus generation."""
        self._folder = folder

    @cached_property
    def _known(self) -> _KeyedTable:
        return _KeyedTable.of(pq.read_table(self._folder / "relations.parquet"), "head", "tail")

    @cached_property
    def _comentions(self) -> _KeyedTable:
        return _KeyedTable.of(pq.read_table(self._folder / "comentions.parquet"), "first", "second")

    def known(self, heads: IntArray, tails: IntArray) -> BoolArray:
        """Whether a relation of each pair is known. *Shape:* (pairs)"""
        return self._known.find(pair_keys(heads, tails))[0]

    @cached_property
    def _partners(self) -> tuple[IntArray, IntArray]:
        """Both ends of every known relation, sorted by the first: each relation stands here in both directions."""
        ends = [np.asarray(self._known.table[name].to_numpy()).astype(np.int64) for name in ("head", "tail")]
        first, second = np.concatenate(ends), np.concatenate(ends[::-1])
        order = np.argsort(first, kind="stable")
        return first[order], second[order]

    def partners(self, entities: IntArray) -> IntArray:
        """Whoever has a known relation with at least one of some entities, rising."""
        first, second = self._partners
        starts, ends = (np.searchsorted(first, entities, side=side) for side in ("left", "right"))
        found = [second[start:end] for start, end in zip(starts, ends, strict=True)]
        everyone: IntArray = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
        return everyone

    @cached_property
    def _comentioned(self) -> tuple[IntArray, IntArray, IntArray]:
        """Both ends of every co-mention, sorted by the first, in both directions; and its sentences."""
        table = self._comentions.table
        ends = [np.asarray(table[name].to_numpy()).astype(np.int64) for name in ("first", "second")]
        first, second = np.concatenate(ends), np.concatenate(ends[::-1])
        order = np.argsort(first, kind="stable")
        sentences = np.tile(np.asarray(table["n_sentences"].to_numpy()).astype(np.int64), 2)
        return first[order], second[order], sentences[order]

    def comentioned(self, entity: int) -> tuple[IntArray, IntArray]:
        """Whoever is mentioned together with an entity, and in how many sentences. *Shape:* (partners,) each."""
        first, second, sentences = self._comentioned
        own = slice(*(int(np.searchsorted(first, entity, side=side)) for side in ("left", "right")))
        return second[own], sentences[own]

    def comention_counts(self, heads: IntArray, tails: IntArray) -> IntArray:
        """In how many documents each pair is mentioned together. *Shape:* (pairs)"""
        found, rows = self._comentions.find(pair_keys(heads, tails))
        counts = np.asarray(self._comentions.table["n_documents"].to_numpy()).astype(np.int64)
        return np.where(found, counts[rows], 0) if len(counts) else np.zeros(len(rows), dtype=np.int64)

    def relation(self, head: int, tail: int) -> dict[str, Any] | None:
        """Predicates, PMIDs and sources of a known relation, or None."""
        found, rows = self._known.find(pair_keys(np.array([head]), np.array([tail])))
        if not found[0]:
            return None
        row: dict[str, Any] = self._known.table.slice(int(rows[0]), 1).to_pylist()[0]
        return {name: row[name] for name in ("predicates", "pmids", "sources")}
