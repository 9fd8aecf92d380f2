"""Sentences for the mention-level classifier, labelled by curation of their documents.

A sentence is positive when its pair is curated with its document as the source, and unlabelled when its pair is another
one of a document from which at least one pair was curated: whoever curated the document passed that pair by.
"""

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from relvm_kg.classify.labels import RELATION_COLUMNS
from relvm_kg.classify.mention import LabelledSentences
from relvm_kg.pairs import pair_keys
from relvm_kg.training.data import IntArray, TrainingCorpus, context_document_ids


def curated_sentences(corpus: TrainingCorpus, seed: int, limit: int = 50_000) -> dict[str, LabelledSentences]:
    """Sentences of training documents, divided by document into `train` (90 %) and `validation`.

    Args:
        corpus: A corpus generation.
        seed: Of the division and of the sample.
        limit: Sentences at most; a sample is taken above.
    """
    rows = corpus.training_rows
    columns = RELATION_COLUMNS[corpus.types[corpus.contexts.heads[rows]], corpus.types[corpus.contexts.tails[rows]]]
    rows, columns = rows[columns > 0], columns[columns > 0]
    documents = context_document_ids(corpus, rows)
    positive = _is_curated(corpus, rows, documents)
    curated_documents = np.unique(documents[positive])
    kept = np.flatnonzero(np.isin(documents, curated_documents))
    if len(kept) > limit:
        kept = np.sort(np.random.default_rng(seed).choice(kept, limit, replace=False))
    validation = np.array([_is_validation(d, seed) for d in documents[kept]], dtype=bool)
    return {
        name: _sentences(corpus, rows[places], columns[places], positive[places])
        for name, places in (("train", kept[~validation]), ("validation", kept[validation]))
    }


def _is_validation(document: str, seed: int) -> bool:
    return int(hashlib.sha1(f"{seed}|{document}".encode()).hexdigest()[:8], 16) % 10 == 0


def _is_curated(corpus: TrainingCorpus, rows: IntArray, documents: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Whether each context's pair is curated from its own document."""
    relations = pq.read_table(corpus.folder / "relations.parquet", columns=["head", "tail", "pmids"])
    heads, tails = (np.asarray(relations[name].to_numpy()).astype(np.int64) for name in ("head", "tail"))
    wanted = set(documents.tolist())
    stated = {
        (key, pmid)
        for key, pmids in zip(pair_keys(heads, tails).tolist(), relations["pmids"].to_pylist(), strict=True)
        for pmid in pmids
        if pmid in wanted
    }
    keys = pair_keys(corpus.contexts.heads[rows], corpus.contexts.tails[rows]).tolist()
    return np.array([pair in stated for pair in zip(keys, documents.tolist(), strict=True)], dtype=bool)


def _sentences(
    corpus: TrainingCorpus, rows: IntArray, columns: IntArray, positive: npt.NDArray[np.bool_]
) -> LabelledSentences:
    contexts = corpus.contexts
    return LabelledSentences(
        [np.asarray(contexts.store[int(row)]) for row in rows],
        corpus.types[contexts.heads[rows]],
        corpus.types[contexts.tails[rows]],
        columns,
        positive,
    )
