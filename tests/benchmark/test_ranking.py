"""Ranking: against brute force, ties worked by hand, figures that are 0 for random scores."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.partners import Side
from relvm_kg.benchmark.ranking import (
    RankTable,
    adjusted_mean_rank_index,
    adjusted_mrr,
    make_queries,
    rank,
    rank_targets,
    ranking_figures,
)
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError
from relvm_kg.pairs import pair_ends
from relvm_kg.types import EntityType, Relation

IntArray = npt.NDArray[np.int64]


class TableScorer:
    """Scores from a table of rounded random numbers: one for each (head, relation, tail), with many ties."""

    name = "table"

    def __init__(self, n_entities: int, seed: int, decimals: int) -> None:
        self.scores = np.round(np.random.default_rng(seed).random((len(Relation), n_entities, n_entities)), decimals)
        self.calls = 0

    def score_tails(self, head: int, relation: Relation, candidates: IntArray) -> npt.NDArray[Any]:
        self.calls += 1
        return np.asarray(self.scores[relation.column, head, candidates])

    def score_heads(self, tail: int, relation: Relation, candidates: IntArray) -> npt.NDArray[Any]:
        self.calls += 1
        return np.asarray(self.scores[relation.column, candidates, tail])

    def score_pairs(self, heads: IntArray, tails: IntArray, relation: Relation) -> npt.NDArray[Any]:
        return np.asarray(self.scores[relation.column, heads, tails])


def brute_force(
    scorer: TableScorer, data: BenchmarkData, only: set[tuple[int, int]] | None
) -> list[tuple[int, int, int]]:
    """Optimistic rank, pessimistic rank and number of candidates of each test triple and side, by plain loops."""
    known = set(zip(data.known.heads.tolist(), data.known.relations.tolist(), data.known.tails.tolist(), strict=True))
    tests = data.positives.part(Split.TEST)
    rows = []
    for side in (Side.TAIL, Side.HEAD):
        for h, r, t in zip(tests.heads.tolist(), tests.relations.tolist(), tests.tails.tolist(), strict=True):
            relation = tuple(Relation)[r]
            head_type, tail_type = relation.argument_types
            rivals = []
            for other in data.candidates[tail_type if side is Side.TAIL else head_type].tolist():
                a, b = (h, other) if side is Side.TAIL else (other, t)
                reverse_known = relation is Relation.GENE_GENE and (b, r, a) in known
                wanted = only is None or (min(a, b), max(a, b)) in only
                if wanted and (a, r, b) not in known and not reverse_known and a != b:
                    rivals.append(scorer.scores[r, a, b])
            own = scorer.scores[r, h, t]
            rows.append((1 + sum(s > own for s in rivals), 1 + sum(s >= own for s in rivals), 1 + len(rivals)))
    return rows


@pytest.mark.parametrize("decimals", [1, 6])
def test_ranks_equal_those_of_brute_force(world: Any, decimals: int) -> None:
    data: BenchmarkData = world.data
    scorer = TableScorer(data.n_entities, seed=4, decimals=decimals)
    rankings = rank(scorer, data.positives.part(Split.TEST), data, data.partners)
    together = set(zip(*(end.tolist() for end in pair_ends(data.comentions.keys)), strict=True))
    for table, only in ((rankings.typed, None), (rankings.co_mentioned, together)):
        columns = (table.optimistic.tolist(), table.pessimistic.tolist(), table.n_candidates.tolist())
        assert list(zip(*columns, strict=True)) == brute_force(scorer, data, only)


def test_one_query_is_scored_once_whatever_the_number_of_its_tests(world: Any) -> None:
    scorer = TableScorer(world.data.n_entities, seed=4, decimals=3)
    tests = world.data.positives.part(Split.TEST)
    rank(scorer, tests, world.data, world.data.partners)
    assert scorer.calls == len(make_queries(tests)) < 2 * len(tests)


def test_every_test_is_in_one_query_a_side(world: Any) -> None:
    tests = world.data.positives.part(Split.TEST)
    rows = np.concatenate([q.rows for q in make_queries(tests)])
    assert sorted(rows.tolist()) == list(range(2 * len(tests)))


def test_ties_worked_by_hand() -> None:
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.1, 0.5])
    candidates = np.array([10, 11, 12, 13, 14, 15])
    # Targets 12 and 13 tie with 11 and 15; 15 is known already, 10 is better.
    ranks = rank_targets(scores, candidates, np.array([12, 13]), excluded=np.array([15, 12, 13, 99]))
    assert ranks.optimistic.tolist() == [2, 2]
    assert ranks.pessimistic.tolist() == [3, 3]
    assert ranks.n_candidates == 4


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.data())
def test_the_realistic_rank_lies_between_the_others_and_is_their_mean(values: list[int], draw: st.DataObject) -> None:
    target = draw.draw(st.integers(0, len(values) - 1))
    scores = np.array(values, np.float64)
    ranks = rank_targets(scores, np.arange(len(values)), np.array([target]), np.zeros(0, np.int64))
    own = values[target]
    assert ranks.optimistic[0] == 1 + sum(v > own for v in values)
    assert ranks.pessimistic[0] == sum(v >= own for v in values)
    assert 1 <= ranks.optimistic[0] <= ranks.pessimistic[0] <= ranks.n_candidates == len(values)


def test_constant_scores_get_the_middle_rank_and_no_credit(world: Any) -> None:
    scorer = TableScorer(world.data.n_entities, seed=0, decimals=0)
    scorer.scores[:] = 0.0
    table = rank(scorer, world.data.positives.part(Split.TEST), world.data, world.data.partners).typed
    np.testing.assert_array_equal(table.realistic, (table.n_candidates + 1) / 2)
    total = ranking_figures(table)[0]
    assert total.amri == pytest.approx(0.0, abs=1e-12)
    assert total.mrr_optimistic == 1.0
    assert total.mrr < 0.1


def test_random_scores_have_an_amri_and_an_adjusted_mrr_of_about_zero(world: Any) -> None:
    tests = world.data.positives.part(Split.TEST)
    totals = []
    for seed in range(8):
        scorer = TableScorer(world.data.n_entities, seed=seed, decimals=9)
        totals.append(ranking_figures(rank(scorer, tests, world.data, world.data.partners).typed)[0])
    assert float(np.mean([t.amri for t in totals])) == pytest.approx(0.0, abs=0.05)
    assert float(np.mean([t.adjusted_mrr for t in totals])) == pytest.approx(0.0, abs=0.03)


def test_figures_worked_by_hand() -> None:
    column = Relation.DISEASE_GENE.column
    table = RankTable(
        relations=np.full(4, column),
        entities=np.zeros(4, np.int64),
        targets=np.zeros(4, np.int64),
        optimistic=np.array([1, 2, 1, 4]),
        pessimistic=np.array([1, 2, 2, 4]),
        n_candidates=np.array([4, 4, 4, 4]),
    )
    total, label, tail, head = ranking_figures(table)
    assert (total.n, label.relation, tail.side, head.side) == (4, "DISEASE-GENE", "tail", "head")
    assert total.mrr == pytest.approx((1 + 1 / 2 + 1 / 1.5 + 1 / 4) / 4)
    assert (total.hits_at_1, total.hits_at_3, total.hits_at_10) == (0.25, 0.75, 1.0)
    # Mean rank 2.125 where 2.5 is expected.
    assert total.amri == pytest.approx(1 - 1.125 / 1.5)
    chance = (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    assert total.adjusted_mrr == pytest.approx((total.mrr - chance) / (1 - chance))
    assert tail.mrr == pytest.approx(0.75)
    assert (total.mrr_optimistic, total.mrr_pessimistic) == pytest.approx(((1 + 0.5 + 1 + 0.25) / 4, 2.25 / 4))


def test_perfect_ranks_have_adjusted_figures_of_one() -> None:
    ranks, n = np.ones(3), np.array([5, 9, 2])
    assert adjusted_mean_rank_index(ranks, n) == pytest.approx(1.0)
    assert adjusted_mrr(ranks, n) == pytest.approx(1.0)
    assert adjusted_mean_rank_index(np.ones(2), np.ones(2, np.int64)) == 0.0


def test_a_score_that_is_no_number_is_refused(world: Any) -> None:
    scorer = TableScorer(world.data.n_entities, seed=0, decimals=3)
    scorer.scores[Relation.DISEASE_GENE.column] = np.nan
    n = len(world.data.candidates[EntityType.GENE])
    with pytest.raises(InvalidInputError, match=rf"table must return {n} finite scores, was: shape \({n},\) with 0"):
        rank(scorer, world.data.positives.part(Split.TEST).of(Relation.DISEASE_GENE), world.data, world.data.partners)
