"""The pairs of a benchmark: labelled pairs in three splits, unlabelled co-mentioned pairs, candidates, the filter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from relvm_kg.benchmark.partners import PartnerIndex
from relvm_kg.benchmark.triples import FloatArray, IntArray, Triples, argument_order, concatenated
from relvm_kg.corpus.tables import read_columns
from relvm_kg.encoding.split import Split, pair_split
from relvm_kg.errors import WorkspaceError
from relvm_kg.pairs import pair_ends, pair_keys
from relvm_kg.types import POSITIVE_RELATIONS, EntityType, Relation
from relvm_kg.workspace import Workspace

TYPES: tuple[EntityType, ...] = tuple(EntityType)


@dataclass(frozen=True, eq=False)
class SplitTriples:
    """Triples and the split of each. *Shape:* splits (triples), values of `Split`."""

    triples: Triples
    splits: npt.NDArray[np.int8]

    def part(self, split: Split) -> Triples:
        """The triples of one split, in their order."""
        return self.triples.rows(self.splits == split)


@dataclass(frozen=True, eq=False)
class Comentions:
    """How often pairs are mentioned together. *Shape:* each (pairs); keys ascend and hold the lower index first."""

    n_entities: int
    keys: IntArray
    n_sentences: FloatArray
    npmi: FloatArray

    @classmethod
    def of(cls, n_entities: int, pairs: tuple[IntArray, IntArray], n_sentences: FloatArray, npmi: FloatArray) -> Self:
        """From pairs in any order, each once."""
        keys = pair_keys(pairs[0], pairs[1])
        order = np.argsort(keys)
        return cls(n_entities, keys[order], n_sentences[order], npmi[order])

    def positions(self, heads: npt.ArrayLike, tails: npt.ArrayLike) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Row of each pair and whether there is one (else the row means nothing)."""
        wanted = pair_keys(np.asarray(heads), np.asarray(tails))
        if not len(self.keys):
            return np.zeros(wanted.shape, np.int64), np.zeros(wanted.shape, np.bool_)
        rows = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return rows, self.keys[rows] == wanted

    def look_up(self, values: FloatArray, heads: npt.ArrayLike, tails: npt.ArrayLike, absent: float) -> FloatArray:
        """A column's value for each pair, `absent` for pairs that are never mentioned together."""
        rows, found = self.positions(heads, tails)
        if not len(values):
            return np.full(found.shape, absent)
        return np.where(found, values[rows], absent)


@dataclass(frozen=True, eq=False, kw_only=True)
class BenchmarkData:
    """Everything that contenders train on and are measured with. Entities are catalogue indices.

    A pair is *seen* here: both entities have sentences in the training documents and are mentioned together somewhere.
    """

    ids: tuple[str, ...]
    """CURIE of each entity."""
    types: npt.NDArray[np.int8]
    """Position in `TYPES` of each entity's type."""
    candidates: Mapping[EntityType, IntArray]
    """Entities of each type that have sentences in the training documents, ascending: the same for all contenders."""
    positives: SplitTriples
    """Known relations of co-mentioned candidates."""
    negatives: SplitTriples
    """Co-mentioned candidates whose types a label joins, without any known relation: unlabelled, not proven false."""
    known: Triples
    """All known relations, co-mentioned or not: the filter of the ranking."""
    comentions: Comentions
    corpus_hash: str
    seed: int
    simulated: bool = False
    account: Mapping[str, int] = field(default_factory=dict)
    """Counts: what was loaded and what was left out."""

    @property
    def n_entities(self) -> int:
        """Size of the catalogue."""
        return len(self.ids)

    @cached_property
    def partners(self) -> PartnerIndex:
        """The filter: all known partners of each entity."""
        return PartnerIndex(self.known)

    @cached_property
    def training_partners(self) -> PartnerIndex:
        """The filter for validation: what is known without the test pairs."""
        return PartnerIndex(
            concatenated(self.positives.part(Split.TRAIN), self.positives.part(Split.VALIDATION), self._unsplit_known)
        )

    @cached_property
    def _unsplit_known(self) -> Triples:
        split = self.positives.triples.keys(self.n_entities)
        return self.known.rows(~np.isin(self.known.keys(self.n_entities), split))


def load_benchmark_data(workspace: Workspace, seed: int) -> BenchmarkData:
    """Read the current corpus generation of a workspace and split its pairs.

    Args:
        workspace: A workspace with a corpus.
        seed: Seed of the split; training must use the same.

    Raises:
        WorkspaceError: if there is no corpus, or no co-mentioned relation in its test part.
    """
    folder = workspace.corpus_dir
    entities = pq.read_table(folder / "entities.parquet", columns=["id", "type", "n_training_sentences"])
    ids = tuple(entities["id"].to_pylist())
    types = np.array([TYPES.index(EntityType(t)) for t in entities["type"].to_pylist()], np.int8)
    has_text = entities["n_training_sentences"].to_numpy() > 0
    known, co_mentioned, simulated = _read_relations(folder)
    comentions = read_comentions(folder, len(ids))
    usable = has_text[known.heads] & has_text[known.tails]
    unlabelled = _unlabelled(comentions, known, types)
    with_text = has_text[unlabelled.heads] & has_text[unlabelled.tails]
    data = BenchmarkData(
        ids=ids,
        types=types,
        candidates={t: np.flatnonzero(has_text & (types == i)).astype(np.int64) for i, t in enumerate(TYPES)},
        positives=_split(known.rows(co_mentioned & usable), ids, seed),
        negatives=_split(unlabelled.rows(with_text), ids, seed),
        known=known,
        comentions=comentions,
        corpus_hash=workspace.manifest.corpus_hash or "",
        seed=seed,
        simulated=simulated or workspace.manifest.simulated,
        account={
            "known relations": len(known),
            "known relations not co-mentioned (in the filter only)": int((~co_mentioned).sum()),
            "co-mentioned relations left out, no training text": int((co_mentioned & ~usable).sum()),
            "unlabelled co-mentioned pairs left out, no training text": int((~with_text).sum()),
        },
    )
    if not len(data.positives.part(Split.TEST)) or not len(data.positives.part(Split.TRAIN)):
        raise WorkspaceError(
            f"a benchmark needs co-mentioned relations in training and test, {folder} holds {int(co_mentioned.sum())} "
            "of them; build with more relations or more text"
        )
    return data


def _read_relations(folder: Path) -> tuple[Triples, npt.NDArray[np.bool_], bool]:
    table = pq.read_table(
        folder / "relations.parquet", columns=["head", "relation", "tail", "co_mentioned", "simulated"]
    )
    labels = table["relation"].to_pylist()
    columns = {r.value: r.column for r in Relation}
    relations = np.array([columns[label] for label in labels], np.int64)
    triples = Triples(table["head"].to_numpy().astype(np.int64), relations, table["tail"].to_numpy().astype(np.int64))
    positive = relations != Relation.NO_RELATION.column
    simulated = bool(table["simulated"].to_numpy(zero_copy_only=False).any()) if len(labels) else False
    co_mentioned = table["co_mentioned"].to_numpy(zero_copy_only=False).astype(np.bool_)
    return triples.rows(positive), co_mentioned[positive], simulated


def read_comentions(folder: Path, n_entities: int) -> Comentions:
    """Counts of sentences from the training documents' contexts; NPMI as the corpus builder stored it."""
    table = pq.read_table(folder / "comentions.parquet", columns=["first", "second", "npmi"])
    first, second = (table[c].to_numpy().astype(np.int64) for c in ("first", "second"))
    contexts = read_columns(folder / "contexts.parquet", ["head", "tail", "sentence_row", "held_out", "retracted"])
    held_out, retracted = (contexts[c].to_numpy().astype(np.bool_) for c in ("held_out", "retracted"))
    kept = ~(held_out | retracted)
    keys = pair_keys(contexts["head"].to_numpy()[kept], contexts["tail"].to_numpy()[kept])
    rows = contexts["sentence_row"].to_numpy()[kept].astype(np.int64)
    seen, counts = _counted_once(keys, rows)
    empty = Comentions(n_entities, seen, counts.astype(np.float64), np.zeros(len(seen)))
    n_sentences = empty.look_up(empty.n_sentences, first, second, absent=0.0)
    npmi = table["npmi"].to_numpy().astype(np.float64)
    return Comentions.of(n_entities, (first, second), n_sentences, npmi)


def _counted_once(keys: IntArray, sentence_rows: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct keys, rising, and in how many distinct sentences each stands."""
    order = np.lexsort((sentence_rows, keys))
    keys, sentence_rows = keys[order], sentence_rows[order]
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = (keys[1:] != keys[:-1]) | (sentence_rows[1:] != sentence_rows[:-1])
    seen, counts = np.unique(keys[new], return_counts=True)
    return seen, counts.astype(np.int64)


def _unlabelled(comentions: Comentions, known: Triples, types: npt.NDArray[np.int8]) -> Triples:
    """Co-mentioned pairs whose types a label joins and that no known relation joins, in argument order."""
    free = comentions.keys[~np.isin(comentions.keys, pair_keys(known.heads, known.tails))]
    return argument_order(*pair_ends(free), types, TYPES)


def _split(triples: Triples, ids: tuple[str, ...], seed: int) -> SplitTriples:
    curies = np.array(ids, dtype=object)
    return SplitTriples(triples, pair_split(curies[triples.heads], curies[triples.tails], seed))


def count_by_relation(triples: Triples) -> dict[str, int]:
    """Number of triples under each label."""
    return {r.value: int((triples.relations == r.column).sum()) for r in POSITIVE_RELATIONS}
