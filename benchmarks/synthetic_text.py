"""A corpus generation of synthetic contexts: tokens by Zipf's law, lengths like those of biomedical sentences."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.encoding.token_store import write_token_store
from relvm_kg.encoding.vocabulary import END, SPECIAL_TOKENS
from relvm_kg.types import EntityType

MEDIAN_LENGTH, SPREAD, LONGEST = 36, 0.5, 138
PIECE = 1 << 22


class SyntheticText(NamedTuple):
    """What to make."""

    n_contexts: int
    n_vocabulary: int
    n_entities: int
    seed: int = 0


def write_corpus(folder: Path, text: SyntheticText) -> None:
    """Write what training reads of a generation."""
    random = np.random.default_rng(text.seed)
    folder.mkdir(parents=True)
    lengths = np.exp(random.normal(np.log(MEDIAN_LENGTH), SPREAD, text.n_contexts)).round()
    lengths = lengths.clip(3, LONGEST).astype(np.int32)
    n_words = text.n_vocabulary - len(SPECIAL_TOKENS)
    chance = 1.0 / np.arange(3, n_words + 3)
    reached = np.cumsum(chance / chance.sum())

    def stretches() -> Iterator[np.ndarray]:
        left = int(lengths.sum())
        while left:
            size = min(PIECE, left)
            left -= size
            places = np.searchsorted(reached, random.random(size)).clip(max=n_words - 1)
            yield (places + len(SPECIAL_TOKENS)).astype(np.int32)

    write_token_store(folder / "tokens", stretches(), lengths, text.n_vocabulary)
    counts = [0] * len(SPECIAL_TOKENS) + [max(1, int(n)) for n in chance / chance.sum() * lengths.sum()]
    counts[END] = 0
    words = [*SPECIAL_TOKENS, *(f"w{i}" for i in range(n_words))]
    (folder / "vocabulary.json").write_text(json.dumps({"tokens": words, "counts": counts}))
    entities = 1.0 / np.arange(1, text.n_entities + 1) ** 0.8
    pairs = random.choice(text.n_entities, size=(2, text.n_contexts), p=entities / entities.sum()).astype(np.int32)
    none = np.zeros(text.n_contexts, dtype=bool)
    contexts = {
        "head": pairs[0],
        "tail": pairs[1],
        "sentence_row": np.arange(text.n_contexts, dtype=np.int32),
        "held_out": none,
        "retracted": none,
    }
    pq.write_table(pa.table(contexts), folder / "contexts.parquet")
    kinds = [kind.value for kind in EntityType]
    rows = {
        "id": [f"MADE:{i}" for i in range(text.n_entities)],
        "type": [kinds[i % len(kinds)] for i in range(text.n_entities)],
        "n_training_sentences": np.ones(text.n_entities, dtype=np.int32),
    }
    pq.write_table(pa.table(rows), folder / "entities.parquet")
