"""The build's last step: text and co-mention profiles of all entities, from training documents only."""

from itertools import groupby
from pathlib import Path

import numpy as np

from relvm_kg.corpus import tables
from relvm_kg.corpus.contexts import tokenize
from relvm_kg.encoding.profiles import COMENTION_PROFILE, TEXT_PROFILE, TextProfileBuilder, comention_profile
from relvm_kg.encoding.vocabulary import Vocabulary

DIMENSIONS = 300


def write_profiles(folder: Path, vocabulary: Vocabulary, n_entities: int) -> None:
    """Write `text_profile.npy` and `comention_profile.npy`, each (entities, 300), rows of zeros without text."""
    builder = TextProfileBuilder(n_entities, len(vocabulary))
    pairs: dict[tuple[int, int], int] = {}
    sentences = enumerate(tables.read_rows(folder / "sentences.parquet", ["text", "held_out"]))
    mentions = tables.read_rows(folder / "mentions.parquet", ["sentence_row", "entity"])
    for row, group in groupby(mentions, key=lambda mention: mention[0]):
        entities = sorted({entity for _, entity in group})
        text, held_out = next(values for number, values in sentences if number == row)
        if held_out:
            continue
        builder.add(vocabulary.encode(tokenize(text)), entities)
        for place, first in enumerate(entities):
            for second in entities[place + 1 :]:
                pairs[first, second] = pairs.get((first, second), 0) + 1
    np.save(folder / TEXT_PROFILE, builder.profile(DIMENSIONS))
    ends = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    counts = np.array(list(pairs.values()), dtype=np.int64)
    np.save(folder / COMENTION_PROFILE, comention_profile(ends[:, 0], ends[:, 1], counts, n_entities, DIMENSIONS))
