"""What the columns are drawn from: co-mentioned pairs, and known pairs that share no document."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse

from relvm_kg.benchmark.data import TYPES
from relvm_kg.benchmark.triples import IntArray, Triples, argument_order
from relvm_kg.corpus.tables import read_columns
from relvm_kg.errors import WorkspaceError
from relvm_kg.pairs import pair_ends, pair_keys
from relvm_kg.types import EntityType, Relation
from relvm_kg.workspace import Workspace

_ROWS = 5_000
"""Pairs whose documents are compared at once."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PairSource:
    """Pairs of entities with training text whose types a label joins, in its argument order."""

    ids: tuple[str, ...]
    co_mentioned: Triples
    """Pairs that a sentence of the training documents mentions together."""
    apart: Triples
    """Known pairs that no document of the corpus mentions both entities of."""
    known_keys: IntArray
    """Keys of all known relations, ascending."""
    documents: scipy.sparse.csr_matrix
    """Which entity is mentioned in which document, held out or not. *Shape:* (entities, documents)"""
    corpus_hash: str
    simulated: bool

    def known(self, pairs: Triples) -> npt.NDArray[np.bool_]:
        """Whether a relation of each pair is known."""
        return np.isin(pair_keys(pairs.heads, pairs.tails), self.known_keys)


def load_source(workspace: Workspace) -> PairSource:
    """Read the current corpus generation.

    Raises:
        WorkspaceError: if there is no corpus, or no known relation between entities with training text.
    """
    folder = workspace.corpus_dir
    entities = pq.read_table(folder / "entities.parquet", columns=["id", "type", "n_training_sentences"])
    types = np.array([TYPES.index(EntityType(t)) for t in entities["type"].to_pylist()], np.int8)
    has_text = entities["n_training_sentences"].to_numpy() > 0
    relations = pq.read_table(folder / "relations.parquet", columns=["head", "relation", "tail"])
    positive = np.array([label != Relation.NO_RELATION for label in relations["relation"].to_pylist()], np.bool_)
    ends = [relations[side].to_numpy().astype(np.int64)[positive] for side in ("head", "tail")]
    known_keys = np.unique(pair_keys(ends[0], ends[1]))
    documents = _documents(workspace, len(types))
    known = _typed(known_keys, types, has_text)
    if not len(known):
        raise WorkspaceError(f"no known relation joins two entities with training text in {folder}; build with more")
    return PairSource(
        ids=tuple(entities["id"].to_pylist()),
        co_mentioned=_typed(_mentioned_keys(workspace), types, has_text),
        apart=known.rows(~share_document(documents, known.heads, known.tails)),
        known_keys=known_keys,
        documents=documents,
        corpus_hash=workspace.manifest.corpus_hash or "",
        simulated=workspace.manifest.simulated,
    )


def _mentioned_keys(workspace: Workspace) -> IntArray:
    """Keys of pairs with a context to train on, ascending."""
    contexts = read_columns(workspace.corpus_dir / "contexts.parquet", ["head", "tail", "held_out", "retracted"])
    held_out, retracted = (contexts[c].to_numpy().astype(np.bool_) for c in ("held_out", "retracted"))
    kept = ~(held_out | retracted)
    return np.unique(pair_keys(contexts["head"].to_numpy()[kept], contexts["tail"].to_numpy()[kept]))


def _typed(keys: IntArray, types: npt.NDArray[np.int8], has_text: npt.NDArray[np.bool_]) -> Triples:
    first, second = pair_ends(keys)
    usable = has_text[first] & has_text[second] & (first != second)
    return argument_order(first[usable], second[usable], types, TYPES)


def _documents(workspace: Workspace, n_entities: int) -> scipy.sparse.csr_matrix:
    folder = workspace.corpus_dir
    mentions = pq.read_table(folder / "mentions.parquet", columns=["sentence_row", "entity"])
    names = pq.read_table(folder / "sentences.parquet", columns=["doc_id"])["doc_id"]
    of_sentence = document_numbers(names)
    documents = of_sentence[mentions["sentence_row"].to_numpy()]
    return mentioned_in(mentions["entity"].to_numpy().astype(np.int64), documents, n_entities)


def document_numbers(names: pa.ChunkedArray) -> IntArray:
    """A number for each document id, in the order in which they come."""
    encoded = names.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy()).astype(np.int64)


def mentioned_in(entities: IntArray, documents: IntArray, n_entities: int) -> scipy.sparse.csr_matrix:
    """Ones where an entity is mentioned in a document, from one row for each mention."""
    shape = (n_entities, int(documents.max()) + 1 if len(documents) else 1)
    matrix = scipy.sparse.csr_matrix((np.ones(len(entities), np.float32), (entities, documents)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def share_document(documents: scipy.sparse.csr_matrix, heads: IntArray, tails: IntArray) -> npt.NDArray[np.bool_]:
    """Whether a document mentions both entities of each pair. *Shape:* (pairs)"""
    parts: Sequence[npt.NDArray[np.bool_]] = [
        np.asarray(documents[heads[at : at + _ROWS]].multiply(documents[tails[at : at + _ROWS]]).sum(axis=1)).ravel()
        > 0
        for at in range(0, len(heads), _ROWS)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.bool_)
