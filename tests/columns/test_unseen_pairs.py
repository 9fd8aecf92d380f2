"""Pairs of entities that are left out of training: who learns from which, and what is scored."""

import numpy as np
import pytest

from relvm_kg.benchmark.columns.settings import ColumnSettings, Family, Kind
from relvm_kg.benchmark.columns.sources import PairSource
from relvm_kg.benchmark.unseen_pairs import aliased, choose_entities, unseen_families, unseen_fit
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


def test_aliases_repeat_the_scored_pairs_under_other_rows(source: PairSource) -> None:
    entities = choose_entities(source, 6, seed=0)
    pairs = unseen_families(source, entities, PAIRS)[Family.CO_MENTIONED]
    fit, alias = unseen_fit(pairs), np.arange(len(source.ids))
    alias[entities] += 10_000
    longer = aliased(pairs, fit, [alias, alias])
    scored, found = fit.reads[Kind.ONE_COLD], longer.fit.reads[Kind.ONE_COLD]
    assert len(found) == 3 * longer.n_scored == 3 * len(scored)
    for part in np.split(found, 3)[1:]:
        assert longer.pairs.heads[part].tolist() == alias[pairs.heads[scored]].tolist()
        assert longer.pairs.tails[part].tolist() == alias[pairs.tails[scored]].tolist()
        assert longer.pairs.positive[part].tolist() == pairs.positive[scored].tolist()
