"""What training reads of a corpus generation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.corpus.tables import read_columns
from relvm_kg.encoding.batches import ContextRows
from relvm_kg.encoding.profiles import FloatArray, load_profiles, unit_rows
from relvm_kg.encoding.token_store import TokenStore
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.errors import WorkspaceError
from relvm_kg.model.presets import EntityStart, ModelConfig
from relvm_kg.pairs import pair_keys
from relvm_kg.types import EntityType

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrainingCorpus:
    """Contexts, entities and relations of a generation, as arrays over catalogue indices."""

    folder: Path
    contexts: ContextRows
    held_out: npt.NDArray[np.bool_]
    """Whether a context's document is held out of training. *Shape:* (contexts)"""
    retracted: npt.NDArray[np.bool_]
    """Whether it is a retracted paper, which is neither trained on nor measured on. *Shape:* (contexts)"""
    sentence_rows: IntArray
    """Row of each context's sentence. *Shape:* (contexts)"""
    entities: pa.Table
    """The catalogue, with the column `has_text`."""
    types: IntArray
    """Place of each entity's type in `EntityType`. *Shape:* (entities)"""
    vocabulary: Vocabulary

    @property
    def training_rows(self) -> IntArray:
        """Contexts to train on."""
        return np.flatnonzero(~(self.held_out | self.retracted))

    @property
    def held_out_rows(self) -> IntArray:
        """Contexts to measure on."""
        return np.flatnonzero(self.held_out & ~self.retracted)

    @property
    def has_text(self) -> npt.NDArray[np.bool_]:
        """Whether a sentence of the training documents mentions the entity. *Shape:* (entities)"""
        return np.asarray(self.entities["has_text"].to_numpy(zero_copy_only=False), dtype=bool)

    def start_vectors(self, model: ModelConfig) -> FloatArray:
        """The profiles that entity vectors start from, side by side. *Shape:* (entities, embedding)"""
        parts = zip(load_profiles(self.folder), start_dimensions(model), strict=True)
        return np.hstack([unit_rows(profile, n) for profile, n in parts if n])


def start_dimensions(model: ModelConfig) -> tuple[int, int]:
    """How many dimensions of the text profile and of the co-mention profile entity vectors start from."""
    half = model.embedding // 2
    return {
        EntityStart.RANDOM: (0, 0),
        EntityStart.TEXT: (model.embedding, 0),
        EntityStart.COMENTION: (0, model.embedding),
        EntityStart.PROFILES: (model.embedding - half, half),
    }[model.entity_start]


def load_corpus(folder: Path) -> TrainingCorpus:
    """Open a generation.

    Raises:
        WorkspaceError: if it holds no context to train on.
    """
    contexts = read_columns(folder / "contexts.parquet", ["head", "tail", "sentence_row", "held_out", "retracted"])
    entities = pq.read_table(folder / "entities.parquet")
    has_text = pa.array(np.asarray(entities["n_training_sentences"]) > 0)
    places = {kind.value: place for place, kind in enumerate(EntityType)}
    corpus = TrainingCorpus(
        folder=folder,
        contexts=ContextRows(
            TokenStore(folder / "tokens"), _int_column(contexts, "head"), _int_column(contexts, "tail")
        ),
        held_out=_flag_column(contexts, "held_out"),
        retracted=_flag_column(contexts, "retracted"),
        sentence_rows=_int_column(contexts, "sentence_row"),
        entities=entities.append_column("has_text", has_text),
        types=np.array([places[kind] for kind in entities["type"].to_pylist()], dtype=np.int64),
        vocabulary=Vocabulary.load(folder / "vocabulary.json"),
    )
    if not len(corpus.training_rows):
        raise WorkspaceError(f"{folder} holds no pair context to train on; build with documents that mention pairs")
    return corpus


def _flag_column(table: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=bool)


def _int_column(table: pa.Table, name: str) -> IntArray:
    return np.asarray(table[name].to_numpy()).astype(np.int64)


def context_document_ids(corpus: TrainingCorpus, rows: IntArray) -> npt.NDArray[np.str_]:
    """Document ids of contexts."""
    documents = pq.read_table(corpus.folder / "sentences.parquet", columns=["doc_id"])["doc_id"]
    return np.asarray(documents.take(pa.array(corpus.sentence_rows[rows])).to_pylist(), dtype=np.str_)


def rows_of_epoch(corpus: TrainingCorpus, rows: IntArray, power: float, seed: tuple[int, int]) -> IntArray:
    """The contexts of an epoch: all of them, or as many drawn so that a pair comes in proportion to n^power.

    Args:
        corpus: Says which pair a context is of.
        rows: The contexts of the run.
        power: 1 takes each context once; below 1, contexts of rare pairs are drawn more often than others.
        seed: Of the run, and the number of the epoch.
    """
    if power == 1:
        return rows
    keys = pair_keys(corpus.contexts.heads[rows], corpus.contexts.tails[rows])
    _, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
    weights = counts[places] ** (power - 1.0)
    drawn: IntArray = np.random.default_rng(seed).choice(rows, size=len(rows), p=weights / weights.sum())
    return drawn
