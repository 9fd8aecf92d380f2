"""The account's counts of contexts: by label, by file, by year."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from relvm_kg.classify.labels import RELATION_COLUMNS
from relvm_kg.pipeline.comentions import NO_YEAR, Papers
from relvm_kg.types import EntityType, Relation

_YEARS = 5
OTHER = "other"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class ContextCounts:
    """Contexts of a generation, those of retracted papers included."""

    by_label: dict[str, int]
    by_source: dict[str, int]
    by_year: dict[str, int]
    retracted: int


def count_contexts(folder: Path, types: list[EntityType]) -> ContextCounts:
    """Count the contexts of a generation.

    Args:
        folder: the generation.
        types: type of each entity of the catalogue.
    """
    table = pq.read_table(folder / "contexts.parquet", columns=["head", "tail", "sentence_row", "retracted"])
    places = {kind: place for place, kind in enumerate(EntityType)}
    kinds = np.array([places[kind] for kind in types], dtype=np.int64)
    heads, tails = (kinds[table[name].to_numpy()] for name in ("head", "tail"))
    columns = np.bincount(RELATION_COLUMNS[heads, tails], minlength=len(Relation))
    by_label = {r.value: int(columns[r.column]) for r in Relation if r is not Relation.NO_RELATION}
    papers = Papers.load(folder)
    n_contexts = np.bincount(papers.of_sentences(table["sentence_row"].to_numpy()), minlength=len(papers.years))
    return ContextCounts(
        {**by_label, OTHER: int(columns[Relation.NO_RELATION.column])},
        _by_source(papers, n_contexts),
        _by_year(papers, n_contexts),
        int(table["retracted"].to_numpy().astype(np.int64).sum()),
    )


def _by_source(papers: Papers, n_contexts: npt.NDArray[np.int64]) -> dict[str, int]:
    encoded = papers.sources.combine_chunks().dictionary_encode()
    counts = np.bincount(encoded.indices.to_numpy(), weights=n_contexts, minlength=len(encoded.dictionary))
    found: dict[str, int] = {}
    for names, n in zip(encoded.dictionary.to_pylist(), counts.astype(np.int64).tolist(), strict=True):
        for name in names.split("|"):
            found[name] = found.get(name, 0) + n
    return dict(sorted(found.items()))


def _by_year(papers: Papers, n_contexts: npt.NDArray[np.int64]) -> dict[str, int]:
    known = papers.years != NO_YEAR
    starts = papers.years[known].astype(np.int64) // _YEARS * _YEARS
    found = {
        f"{year}-{year + _YEARS - 1}": int(n_contexts[known][starts == year].sum())
        for year in np.unique(starts).tolist()
    }
    unknown = int(n_contexts[~known].sum())
    return {years: n for years, n in {**found, UNKNOWN: unknown}.items() if n}
