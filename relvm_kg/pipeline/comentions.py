"""Which entities are mentioned together, how often, and how much oftener than chance."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relvm_kg.corpus import tables
from relvm_kg.pairs import pair_keys

NO_YEAR = np.iinfo(np.int16).max
"""Stands for a year that is not known."""


@dataclass(frozen=True)
class Papers:
    """What the statistics need of `documents.parquet`; a paper is named by its row."""

    years: npt.NDArray[np.int16]
    """*Shape:* (documents)"""
    sources: pa.ChunkedArray
    ends: npt.NDArray[np.int64]
    """The row after each document's last sentence. *Shape:* (documents)"""
    n_standing_sentences: int
    """Sentences of papers that were not retracted."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the documents of a generation."""
        table = pq.read_table(folder / "documents.parquet", columns=["year", "source", "n_sentences", "retracted"])
        n_sentences = table["n_sentences"].to_numpy().astype(np.int64)
        standing = ~table["retracted"].to_numpy().astype(np.bool_)
        years = table["year"].fill_null(NO_YEAR).to_numpy()
        return cls(years, table["source"], np.cumsum(n_sentences), int(n_sentences[standing].sum()))

    def of_sentences(self, sentence_rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """The paper of each sentence. *Shape:* as the argument."""
        return np.searchsorted(self.ends, sentence_rows, side="right").astype(np.int64)


def write_comentions(folder: Path, entity_sentences: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Write `comentions.parquet` from the contexts: one row for each pair that has one in a paper that stands.

    Normalised pointwise mutual information is ln(p12 / (p1 p2)) / -ln p12, with p over all sentences of such papers.

    Args:
        folder: the generation.
        entity_sentences: sentences that mention each entity, those of retracted papers left out. *Shape:* (entities,).

    Returns:
        The pairs' keys (see `pair_keys`), rising. *Shape:* (pairs,).
    """
    contexts = pq.read_table(folder / "contexts.parquet", columns=["head", "tail", "sentence_row", "retracted"])
    contexts = contexts.filter(pc.invert(contexts["retracted"]))
    papers = Papers.load(folder)
    rows = papers.of_sentences(contexts["sentence_row"].to_numpy())
    keys = pair_keys(contexts["head"].to_numpy(), contexts["tail"].to_numpy())
    unique, inverse, n_sentences = np.unique(keys, return_inverse=True, return_counts=True)
    in_documents = np.unique(inverse.astype(np.int64) * max(len(papers.years), 1) + rows) // max(len(papers.years), 1)
    first_year = np.full(len(unique), NO_YEAR, dtype=np.int16)
    np.minimum.at(first_year, inverse, papers.years[rows])
    first, second = (unique >> 32).astype(np.int32), (unique & 0xFFFFFFFF).astype(np.int32)
    columns = {
        "first": first,
        "second": second,
        "n_sentences": n_sentences.astype(np.int32),
        "n_documents": np.bincount(in_documents, minlength=len(unique)).astype(np.int32),
        "npmi": npmi(n_sentences, entity_sentences[first], entity_sentences[second], papers.n_standing_sentences),
        "first_year": pa.array(first_year, mask=first_year == NO_YEAR),
    }
    pq.write_table(pa.table(columns, schema=tables.COMENTIONS), folder / "comentions.parquet")
    return unique


def npmi(
    together: npt.NDArray[np.int64], first: npt.NDArray[np.int32], second: npt.NDArray[np.int32], n_sentences: int
) -> npt.NDArray[np.float32]:
    """Normalised pointwise mutual information, 1 for pairs that stand in every sentence. *Shape:* (pairs,).

    >>> npmi(np.array([2]), np.array([2], dtype=np.int32), np.array([4], dtype=np.int32), 8).round(3).tolist()
    [0.5]
    """
    p12, p1, p2 = together / n_sentences, first / n_sentences, second / n_sentences
    surprise = -np.log(p12)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(p12 / (p1 * p2)) / surprise
    return np.where(surprise > 0, values, 1.0).astype(np.float32)
