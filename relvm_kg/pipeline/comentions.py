"""Which entities are mentioned together, how often, and how much oftener than chance."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.corpus import tables
from relvm_kg.pairs import pair_keys

_NO_YEAR = np.iinfo(np.int16).max


def write_comentions(folder: Path, entity_sentences: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Write `comentions.parquet` from the contexts: one row for each pair that has one.

    Normalised pointwise mutual information is ln(p12 / (p1 p2)) / -ln p12, with p over all sentences.

    Args:
        folder: the generation.
        entity_sentences: sentences that mention each entity. *Shape:* (entities,).

    Returns:
        The pairs' keys (see `pair_keys`), rising. *Shape:* (pairs,).
    """
    contexts = pq.read_table(folder / "contexts.parquet", columns=["head", "tail", "sentence_row"])
    sentences = pq.read_table(folder / "sentences.parquet", columns=["doc_id", "year"])
    keys = pair_keys(contexts["head"].to_numpy(), contexts["tail"].to_numpy())
    rows = contexts["sentence_row"].to_numpy()
    unique, inverse, n_sentences = np.unique(keys, return_inverse=True, return_counts=True)
    documents = sentences["doc_id"].combine_chunks().dictionary_encode().indices.to_numpy()[rows]
    first_of_document = np.unique(np.stack([inverse, documents]), axis=1)[0] if len(rows) else inverse
    years = sentences["year"].fill_null(_NO_YEAR).to_numpy()[rows]
    first_year = np.full(len(unique), _NO_YEAR, dtype=np.int16)
    np.minimum.at(first_year, inverse, years)
    first, second = (unique >> 32).astype(np.int32), (unique & 0xFFFFFFFF).astype(np.int32)
    columns = {
        "first": first,
        "second": second,
        "n_sentences": n_sentences.astype(np.int32),
        "n_documents": np.bincount(first_of_document, minlength=len(unique)).astype(np.int32),
        "npmi": npmi(n_sentences, entity_sentences[first], entity_sentences[second], len(sentences)),
        "first_year": pa.array(first_year, mask=first_year == _NO_YEAR),
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
