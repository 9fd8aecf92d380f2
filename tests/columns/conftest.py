"""A corpus of random documents, and random known relations between its entities."""

from collections.abc import Mapping

import numpy as np
import pytest

from relvm_kg.benchmark.columns.draw import draw_families
from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.columns.settings import ColumnSettings, Family
from relvm_kg.benchmark.columns.sources import PairSource, mentioned_in, share_document
from relvm_kg.benchmark.data import TYPES
from relvm_kg.benchmark.triples import argument_order
from relvm_kg.pairs import pair_ends, pair_keys

N_ENTITIES = 600
SETTINGS = ColumnSettings(co_mentioned_positives=500, never_positives=500)


def random_source(seed: int) -> PairSource:
    """Entities of three types; a few are mentioned and known much more often than the rest."""
    random = np.random.default_rng(seed)
    ids = tuple(f"NCBIGene:{n:04d}" for n in range(N_ENTITIES))
    types = random.integers(0, len(TYPES), N_ENTITIES).astype(np.int8)
    weight = 1 / (5.0 + np.arange(N_ENTITIES))
    drawn = random.choice(N_ENTITIES, (2, 9000), p=weight / weight.sum())
    known_keys = np.unique(pair_keys(drawn[0], drawn[1])[drawn[0] != drawn[1]])
    entities = random.choice(N_ENTITIES, 6000, p=weight / weight.sum())
    documents = mentioned_in(entities, random.integers(0, 2000, 6000), N_ENTITIES)
    together = (documents @ documents.T).tocoo()
    above = together.row < together.col
    mentioned = np.unique(pair_keys(together.row[above], together.col[above]))
    known = argument_order(*pair_ends(known_keys), types, TYPES)
    return PairSource(
        ids=ids,
        co_mentioned=argument_order(*pair_ends(mentioned), types, TYPES),
        apart=known.rows(~share_document(documents, known.heads, known.tails)),
        known_keys=known_keys,
        documents=documents,
        corpus_hash="none",
        simulated=True,
    )


@pytest.fixture(scope="session")
def source() -> PairSource:
    return random_source(0)


@pytest.fixture(scope="session")
def families(source: PairSource) -> Mapping[Family, FamilyPairs]:
    return draw_families(source, SETTINGS)
