"""Pairs of entities that are left out of training: who learns from which, and what is scored."""

import numpy as np
import pytest

from relvm_kg.benchmark.columns.settings import ColumnSettings, Kind
from relvm_kg.benchmark.columns.sources import PairSource
from relvm_kg.benchmark.unseen_pairs import choose_entities, unseen_families, unseen_fit
from relvm_kg.errors import InvalidInputError

PAIRS = ColumnSettings(co_mentioned_positives=500, never_positives=500)


def test_no_pair_that_a_classifier_learns_from_or_stops_on_has_an_entity_left_out(source: PairSource) -> None:
    entities = choose_entities(source, 6, seed=0)
    for pairs in unseen_families(source, entities, PAIRS).values():
        fit = unseen_fit(pairs)
        for rows in (fit.training, *fit.stops.values()):
            assert len(rows)
            assert not np.isin(pairs.heads[rows], entities).any()
            assert not np.isin(pairs.tails[rows], entities).any()
        scored = fit.reads[Kind.ONE_COLD]
        touched = np.isin(pairs.heads[scored], entities).astype(int) + np.isin(pairs.tails[scored], entities)
        assert len(scored)
        assert (touched == 1).all()


def test_the_entities_have_known_partners_and_may_be_at_most_half_of_those(source: PairSource) -> None:
    entities = choose_entities(source, 6, seed=0)
    known = source.co_mentioned.rows(source.known(source.co_mentioned))
    assert np.isin(entities, np.union1d(known.heads, known.tails)).all()
    assert entities.tolist() == choose_entities(source, 6, seed=0).tolist()
    with pytest.raises(InvalidInputError, match="100000 entities to leave out must be at most half"):
        choose_entities(source, 100_000, seed=0)
