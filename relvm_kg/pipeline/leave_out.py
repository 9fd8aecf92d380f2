"""A workspace as if some text had never been read: that of some entities, or all but a share of the documents.

The sentences are held out: no context of them is trained on, and vocabulary, profiles and counts are computed anew
without them. NPMI stays that of the whole text.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relvm_kg.corpus import tables
from relvm_kg.corpus.contexts import tokenize
from relvm_kg.corpus.evidence import write_pair_index
from relvm_kg.encoding.projection import EntityCounts
from relvm_kg.encoding.token_store import TokenStore, write_token_store
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.contexts import ContextPass, write_contexts
from relvm_kg.pipeline.profiles import mention_matrix, sentence_texts, token_matrix, training_sentences, write_profiles
from relvm_kg.pipeline.settings import BuildSettings
from relvm_kg.progress import Progress
from relvm_kg.workspace import Workspace, atomic_path, read_json, write_json

VERSION = 1
"""Part of the hash of what is left: raised when the same workspace and entities give other tables."""
_COPIED = ("documents.parquet", "mentions.parquet", "relations.parquet", "comentions.parquet", "synonyms.parquet")
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def leave_entities_out(source: Workspace, entities: Sequence[str], target: Path, progress: Progress) -> Workspace:
    """Make a workspace whose corpus holds out every sentence that mentions one of some entities.

    Catalogue, known relations and mentions stay; so do the rows of contexts and sentences. The same call does nothing
    when the workspace is there already.

    Args:
        source: A workspace with a corpus; it is only read.
        entities: CURIEs.
        target: Folder of the new workspace.
        progress: Where progress goes.

    Raises:
        InvalidInputError: if the catalogue lacks an entity.
        WorkspaceError: if the folder holds something else.
    """
    rows = catalogue_rows(source.corpus_dir, entities)
    return _hold_out(source, sorted(set(entities)), lambda: _mentioning(source.corpus_dir, rows), target, progress)


def keep_documents(source: Workspace, percent: int, target: Path, progress: Progress) -> Workspace:
    """Make a workspace whose corpus holds out all but a share of the documents; a smaller share is part of a larger.

    Args:
        source: A workspace with a corpus; it is only read.
        percent: Of the documents, by a hash of their ids.
        target: Folder of the new workspace.
        progress: Where progress goes.

    Raises:
        WorkspaceError: if the folder holds something else.
    """
    given = f"{percent} percent of the documents"
    return _hold_out(source, given, lambda: _outside(source.corpus_dir, percent), target, progress)


def _hold_out(
    source: Workspace, what: Any, held_out: Callable[[], BoolArray], target: Path, progress: Progress
) -> Workspace:
    """A workspace that holds out more sentences than its source; `what` names which."""
    given = [VERSION, source.manifest.corpus_hash, what]
    digest = hashlib.sha256(json.dumps(given).encode()).hexdigest()
    workspace = Workspace.create(target)
    with workspace.lock():
        if workspace.manifest.corpus_hash == digest:
            return workspace
        (target / "corpus").mkdir(exist_ok=True)
        with atomic_path(target / "corpus" / digest[:12]) as folder:
            folder.mkdir()
            _write_generation(source.corpus_dir, held_out(), folder, progress)
        simulated = source.manifest.simulated
        workspace.update_manifest(generation=digest[:12], corpus_hash=digest, simulated=simulated)
    return workspace


def leave_out_and_count(
    source: Workspace, entities: Sequence[str], target: Path, progress: Progress
) -> tuple[Workspace, EntityCounts]:
    """The workspace of `leave_entities_out`, and what the training sentences of the entities hold, in its words."""
    workspace = leave_entities_out(source, entities, target, progress)
    vocabulary = Vocabulary.load(workspace.corpus_dir / "vocabulary.json")
    return workspace, count_sentences(source.corpus_dir, catalogue_rows(source.corpus_dir, entities), vocabulary)


def catalogue_rows(folder: Path, entities: Sequence[str]) -> IntArray:
    """Catalogue index of each CURIE.

    Raises:
        InvalidInputError: if the catalogue lacks one.
    """
    ids = pq.read_table(folder / "entities.parquet", columns=["id"])["id"].to_pylist()
    index = {name: row for row, name in enumerate(ids)}
    if missing := [name for name in entities if name not in index]:
        raise InvalidInputError(f"an entity to leave out must be in the catalogue, {missing[0]!r} is not")
    return np.array([index[name] for name in entities], dtype=np.int64)


def count_sentences(folder: Path, rows: IntArray, vocabulary: Vocabulary) -> EntityCounts:
    """What the training sentences of some entities hold.

    Args:
        folder: A corpus generation in which their sentences are training sentences.
        rows: Catalogue indices.
        vocabulary: Whose tokens are counted.
    """
    n_entities = pq.read_metadata(folder / "entities.parquet").num_rows
    sentences = training_sentences(folder)
    mentions = mention_matrix(folder, sentences, n_entities)
    own = mentions[rows]
    used = np.unique(own.indices)
    own, mentions = own[:, used], mentions[:, used]
    sequences = [vocabulary.encode(tokenize(text)) for text in sentence_texts(folder, sentences[used])]
    tokens = token_matrix(sequences, np.array([len(s) for s in sequences], dtype=np.int32), len(vocabulary))
    partners = (own @ mentions.T).tolil()
    partners[np.arange(len(rows)), rows] = 0
    return EntityCounts(
        tokens=own @ tokens, partners=partners.tocsr(), n_sentences=np.diff(own.indptr).astype(np.int64)
    )


def _write_generation(source: Path, held_out: BoolArray, folder: Path, progress: Progress) -> None:
    """Tables of a corpus generation, those that depend on held-out sentences made anew."""
    for name in _COPIED:
        shutil.copyfile(source / name, folder / name)
    n_sentences = _write_sentences(source, held_out, folder)
    catalogue = pq.read_table(source / "entities.parquet")
    longest = int(TokenStore(source / "tokens").lengths.max(initial=0))
    with progress.task("contexts", n_sentences, "sentence") as task:
        contexts = write_contexts(folder, catalogue.num_rows, longest, None, task)
    size = len(Vocabulary.load(source / "vocabulary.json"))
    vocabulary = contexts.vocabulary(size, BuildSettings().min_count)
    vocabulary.save(folder / "vocabulary.json")
    tokens = contexts.contexts
    write_token_store(folder / "tokens", tokens.read(contexts.ids(vocabulary)), tokens.lengths, len(vocabulary))
    _write_catalogue(catalogue, contexts, folder)
    with progress.task("profiles", 2, "profile") as task:
        write_profiles(folder, contexts, vocabulary, catalogue.num_rows, task)
    contexts.remove()
    write_pair_index(folder)
    account = read_json(source / "account.json")
    write_json(folder / "account.json", {**account, "rebuilt": True, "vocabulary": len(vocabulary)})


def _mentioning(folder: Path, rows: IntArray) -> BoolArray:
    """Which sentences mention one of some entities."""
    mentions = pq.read_table(folder / "mentions.parquet", columns=["sentence_row", "entity"])
    out = np.zeros(pq.read_metadata(folder / "sentences.parquet").num_rows, dtype=np.bool_)
    out[mentions["sentence_row"].to_numpy()[np.isin(mentions["entity"].to_numpy(), rows)]] = True
    return out


def _outside(folder: Path, percent: int) -> BoolArray:
    """Which sentences are of documents outside a share."""
    documents = pc.dictionary_encode(tables.read_columns(folder / "sentences.parquet", ["doc_id"])["doc_id"])
    column = documents.combine_chunks()
    hashes = [hashlib.sha256(name.encode()).digest() for name in column.dictionary.to_pylist()]
    outside = np.array([int.from_bytes(digest[:8]) % 100 >= percent for digest in hashes], dtype=np.bool_)
    return np.asarray(outside[column.indices.to_numpy()])


def _write_sentences(source: Path, held_out: BoolArray, folder: Path) -> int:
    """`sentences.parquet` with some held out, beside those that are already; returns the number of all."""
    with (
        pq.ParquetFile(source / "sentences.parquet") as file,
        tables.TableWriter(folder / "sentences.parquet", tables.SENTENCES) as writer,
    ):
        for start, batch in _batches(file):
            column = tables.SENTENCES.get_field_index("held_out")
            flags = batch["held_out"].to_numpy() | held_out[start : start + batch.num_rows]
            writer.extend(batch.set_column(column, tables.SENTENCES.field(column), pa.array(flags)))
        return writer.n_rows


def _batches(file: pq.ParquetFile) -> Iterator[tuple[int, pa.Table]]:
    start = 0
    for batch in file.iter_batches(batch_size=tables.ROW_GROUP):
        yield start, pa.Table.from_batches([batch])
        start += batch.num_rows


def _write_catalogue(catalogue: pa.Table, contexts: ContextPass, folder: Path) -> None:
    """`entities.parquet` with the training sentences and contexts that are left."""
    mentions = mention_matrix(folder, contexts.sentence_rows, catalogue.num_rows)
    left = {"n_training_sentences": np.diff(mentions.indptr), "n_training_contexts": contexts.training_contexts}
    for name, counts in left.items():
        place = catalogue.schema.get_field_index(name)
        column = tables.int32_array(counts.astype(np.int32))
        catalogue = catalogue.set_column(place, catalogue.schema.field(place), column)
    pq.write_table(catalogue, folder / "entities.parquet")
