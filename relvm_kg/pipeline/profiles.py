"""The build's last step: text and co-mention profiles of all entities, from training documents only."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import scipy.sparse

from relvm_kg.encoding.profiles import COMENTION_PROFILE, TEXT_PROFILE, comention_profile, text_profile
from relvm_kg.encoding.token_rows import IntArray
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.pipeline.contexts import ContextPass
from relvm_kg.progress import Task

DIMENSIONS = 300


def write_profiles(folder: Path, contexts: ContextPass, vocabulary: Vocabulary, n_entities: int, task: Task) -> None:
    """Write `text_profile.npy` and `comention_profile.npy`, each (entities, 300), rows of zeros without text."""
    mentions = _mentions(folder, contexts.sentence_rows, n_entities)
    together = scipy.sparse.triu(mentions @ mentions.T, k=1).tocoo()
    pairs = together.row.astype(np.int64), together.col.astype(np.int64), together.data.astype(np.int64)
    np.save(folder / COMENTION_PROFILE, comention_profile(*pairs, n_entities, DIMENSIONS))
    task.advance()
    del together, pairs
    np.save(folder / TEXT_PROFILE, text_profile(mentions, _tokens(contexts, vocabulary), DIMENSIONS))
    task.advance()


def _mentions(folder: Path, sentence_rows: IntArray, n_entities: int) -> scipy.sparse.csr_matrix:
    """Which of some sentences (rows rising) mentions which entity. *Shape:* (entities, sentences)"""
    table = pq.read_table(folder / "mentions.parquet", columns=["sentence_row", "entity"])
    rows, entities = table["sentence_row"].to_numpy(), table["entity"].to_numpy()
    kept = np.isin(rows, sentence_rows)
    places = np.searchsorted(sentence_rows, rows[kept]).astype(np.int64)
    once = np.unique(entities[kept].astype(np.int64) * max(len(sentence_rows), 1) + places)
    ends = np.divmod(once, max(len(sentence_rows), 1))
    ones = np.ones(len(once), dtype=np.float32)
    return scipy.sparse.csr_matrix((ones, ends), shape=(n_entities, len(sentence_rows)))


def _tokens(contexts: ContextPass, vocabulary: Vocabulary) -> scipy.sparse.csr_matrix:
    """How often each training sentence has each token. *Shape:* (sentences, vocabulary)"""
    lengths = contexts.sentences.lengths
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    columns = np.empty(starts[-1], dtype=np.int32)
    place = 0
    for stretch in contexts.sentences.read(contexts.ids(vocabulary)):
        columns[place : place + len(stretch)] = stretch
        place += len(stretch)
    ones = np.ones(len(columns), dtype=np.float32)
    return scipy.sparse.csr_matrix((ones, columns, starts), shape=(len(lengths), len(vocabulary)))
