"""The build's last step: text and co-mention profiles of all entities, from training documents only."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import scipy.sparse

from relvm_kg.corpus import tables
from relvm_kg.corpus.contexts import tokenize
from relvm_kg.encoding.profiles import (
    COMENTION_PROFILE,
    TEXT_PROFILE,
    Profile,
    comention_profile,
    inverse_frequency,
    load_profiles,
    text_profile,
)
from relvm_kg.encoding.projection import Projector, aligned
from relvm_kg.encoding.token_rows import IntArray
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.pipeline.contexts import ContextPass
from relvm_kg.progress import Progress, Task

DIMENSIONS = 300


def write_profiles(folder: Path, contexts: ContextPass, vocabulary: Vocabulary, n_entities: int, task: Task) -> None:
    """Write the two profiles, each (entities, 300), rows of zeros without text, and what gives new entities theirs."""
    mentions = mention_matrix(folder, contexts.sentence_rows, n_entities)
    comention = _comention_profile(mentions)
    np.save(folder / COMENTION_PROFILE, comention.rows)
    task.advance()
    tokens = token_matrix(
        contexts.sentences.read(contexts.ids(vocabulary)), contexts.sentences.lengths, len(vocabulary)
    )
    text = text_profile(mentions, tokens, DIMENSIONS)
    np.save(folder / TEXT_PROFILE, text.rows)
    Projector(inverse_frequency(mentions @ tokens), text.weights, comention.weights).save(folder)
    task.advance()


def corpus_projector(folder: Path, progress: Progress) -> Projector:
    """What gives new entities profiles like those of a corpus generation.

    A generation of an earlier version kept nothing of it; then it is computed from the sentences, as the build does.
    """
    kept = Projector.load(folder)
    if kept is not None:
        return kept
    text, comention = load_profiles(folder)
    vocabulary = Vocabulary.load(folder / "vocabulary.json")
    with progress.task("profile weights", 3, "step") as task:
        rows = training_sentences(folder)
        mentions = mention_matrix(folder, rows, len(text))
        sequences = [vocabulary.encode(tokenize(sentence)) for sentence in sentence_texts(folder, rows)]
        lengths = np.fromiter((len(s) for s in sequences), dtype=np.int32, count=len(sequences))
        tokens = token_matrix(sequences, lengths, len(vocabulary))
        del sequences
        task.advance()
        again = text_profile(mentions, tokens, text.shape[1])
        text_weights = aligned(again.weights, again.rows, text)
        task.advance()
        again = _comention_profile(mentions, comention.shape[1])
        comention_weights = aligned(again.weights, again.rows, comention)
        task.advance()
    return Projector(inverse_frequency(mentions @ tokens), text_weights, comention_weights)


def _comention_profile(mentions: scipy.sparse.csr_matrix, dimensions: int = DIMENSIONS) -> Profile:
    together = scipy.sparse.triu(mentions @ mentions.T, k=1).tocoo()
    pairs = together.row.astype(np.int64), together.col.astype(np.int64), together.data.astype(np.int64)
    return comention_profile(*pairs, mentions.shape[0], dimensions)


def mention_matrix(folder: Path, sentence_rows: IntArray, n_entities: int) -> scipy.sparse.csr_matrix:
    """Which of some sentences (rows rising) mentions which entity. *Shape:* (entities, sentences)"""
    table = pq.read_table(folder / "mentions.parquet", columns=["sentence_row", "entity"])
    rows, entities = table["sentence_row"].to_numpy(), table["entity"].to_numpy()
    kept = np.isin(rows, sentence_rows)
    places = np.searchsorted(sentence_rows, rows[kept]).astype(np.int64)
    once = np.unique(entities[kept].astype(np.int64) * max(len(sentence_rows), 1) + places)
    ends = np.divmod(once, max(len(sentence_rows), 1))
    ones = np.ones(len(once), dtype=np.float32)
    return scipy.sparse.csr_matrix((ones, ends), shape=(n_entities, len(sentence_rows)))


def token_matrix(stretches: Iterable[IntArray], lengths: IntArray, n_vocabulary: int) -> scipy.sparse.csr_matrix:
    """How often each training sentence has each token. *Shape:* (sentences, vocabulary)"""
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    columns = np.empty(starts[-1], dtype=np.int32)
    place = 0
    for stretch in stretches:
        columns[place : place + len(stretch)] = stretch
        place += len(stretch)
    ones = np.ones(len(columns), dtype=np.float32)
    return scipy.sparse.csr_matrix((ones, columns, starts), shape=(len(lengths), n_vocabulary))


def training_sentences(folder: Path) -> IntArray:
    """Rows of the sentences of training documents that mention an entity, rising."""
    flags = tables.read_columns(folder / "sentences.parquet", ["held_out", "retracted"])
    left_out = np.logical_or(*(column.to_numpy().astype(np.bool_) for column in flags.columns))
    mentioned = np.unique(
        pq.read_table(folder / "mentions.parquet", columns=["sentence_row"])["sentence_row"].to_numpy()
    )
    rows: IntArray = mentioned[~left_out[mentioned]].astype(np.int32)
    return rows


def sentence_texts(folder: Path, rows: npt.NDArray[np.int32]) -> Iterator[str]:
    """The sentences of some rows, which rise."""
    with pq.ParquetFile(folder / "sentences.parquet") as file:
        start = 0
        for batch in file.iter_batches(batch_size=tables.ROW_GROUP, columns=["text"]):
            first, last = np.searchsorted(rows, [start, start + batch.num_rows])
            yield from batch.column("text").take(rows[first:last] - start).to_pylist()
            start += batch.num_rows
