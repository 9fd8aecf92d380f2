"""Filtered ranking of test triples among typed candidates, both sides, ties as optimistic, realistic, pessimistic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.benchmark.contender import Contender
from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.partners import PartnerIndex, Side
from relvm_kg.benchmark.triples import FloatArray, IntArray, Triples, relation_at
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Task
from relvm_kg.types import POSITIVE_RELATIONS, Relation

TOTAL = "total"
BOTH_SIDES = "both"


@dataclass(frozen=True, eq=False)
class Query:
    """One entity under one relation with one side replaced: scored once, whatever the number of test triples in it.

    *Shape:* targets and rows (tests): the true answers, and where they stand in the `RankTable`.
    """

    entity: int
    relation: Relation
    side: Side
    targets: IntArray
    rows: IntArray


@dataclass(frozen=True, eq=False)
class RankTable:
    """One row for each test triple and side: first all with the tail replaced, then all with the head replaced.

    *Shape:* each (2 x triples). `n_candidates` counts what the true answer is ranked among, itself included.
    """

    relations: IntArray
    entities: IntArray
    targets: IntArray
    optimistic: IntArray
    pessimistic: IntArray
    n_candidates: IntArray

    def __len__(self) -> int:
        return len(self.relations)

    @property
    def realistic(self) -> npt.NDArray[np.float64]:
        """The mean of the optimistic and the pessimistic rank: what is expected when ties are broken at random."""
        return (self.optimistic + self.pessimistic) / 2.0

    @property
    def is_tail(self) -> npt.NDArray[np.bool_]:
        """Where the tail is replaced."""
        return np.arange(len(self)) < len(self) // 2


class Rankings(NamedTuple):
    """The same tests, ranked among two sets of candidates.

    Every test pair is mentioned together, most candidates never are with the query's entity: among all candidates,
    the mere fact of a co-mention ranks well. Among those that are co-mentioned it says nothing.
    """

    typed: RankTable
    """Among all candidates of the argument's type."""
    co_mentioned: RankTable
    """Among those of them that some sentence mentions together with the query's entity."""


class Ranks(NamedTuple):
    """Ranks of several true answers of one query. *Shape:* each (targets)."""

    optimistic: IntArray
    pessimistic: IntArray
    n_candidates: int


class RankingFigures(NamedTuple):
    """Metrics over a group of ranks, realistic unless named otherwise.

    AMRI is the adjusted mean rank index (Berrendorf et al. 2020, 2002.06914), adjusted MRR the chance-adjusted MRR
    (Hoyt et al. 2022, 2203.07544): both are 1 for perfect and 0 in expectation for random scores, whatever the number
    of candidates.
    """

    relation: str
    side: str
    n: int
    mrr: float
    hits_at_1: float
    hits_at_3: float
    hits_at_10: float
    amri: float
    adjusted_mrr: float
    mean_rank: float
    mrr_optimistic: float
    mrr_pessimistic: float
    mean_candidates: float


def make_queries(tests: Triples) -> list[Query]:
    """Group test triples by (entity, relation, replaced side)."""
    n = len(tests)
    grouped: dict[tuple[int, int, Side], list[int]] = {}
    for side, entities in ((Side.TAIL, tests.heads), (Side.HEAD, tests.tails)):
        for row, (entity, column) in enumerate(zip(entities.tolist(), tests.relations.tolist(), strict=True)):
            grouped.setdefault((entity, column, side), []).append(row)
    queries = []
    for (entity, column, side), members in grouped.items():
        rows = np.array(members, np.int64)
        answers, offset = (tests.tails, 0) if side is Side.TAIL else (tests.heads, n)
        queries.append(Query(entity, relation_at(column), side, answers[rows], rows + offset))
    return queries


def rank_targets(scores: FloatArray, candidates: IntArray, targets: IntArray, excluded: IntArray) -> Ranks:
    """Rank each target among the candidates that are not excluded.

    Args:
        scores: One score for each candidate.
        candidates: Entities, ascending; holds every target.
        targets: True answers. Each is ranked against the other candidates, never against another true answer.
        excluded: Known partners and other entities that are no answer; may hold the targets.

    >>> scores = np.array([0.9, 0.5, 0.5, 0.1])
    >>> rank_targets(scores, np.arange(4), np.array([1]), excluded=np.array([1, 0]))
    Ranks(optimistic=array([1]), pessimistic=array([2]), n_candidates=3)
    """
    others = np.ones(len(candidates), np.bool_)
    others[np.isin(candidates, excluded, assume_unique=False)] = False
    positions = np.searchsorted(candidates, targets)
    others[positions] = False
    rivals = np.sort(scores[others])
    own = scores[positions]
    above = len(rivals) - np.searchsorted(rivals, own, side="right")
    not_below = len(rivals) - np.searchsorted(rivals, own, side="left")
    return Ranks(above.astype(np.int64) + 1, not_below.astype(np.int64) + 1, len(rivals) + 1)


def rank(
    contender: Contender, tests: Triples, data: BenchmarkData, known: PartnerIndex, task: Task | None = None
) -> Rankings:
    """Rank every test triple on both sides with one scorer call for each query.

    Args:
        contender: The scorer.
        tests: Triples of candidates, mentioned together.
        data: Gives the candidates.
        known: Partners to filter.
        task: Told of each query.

    Raises:
        InvalidInputError: if the contender does not return one finite score for each candidate.
    """
    typed, co_mentioned = _Places(len(tests)), _Places(len(tests))
    for query in make_queries(tests):
        candidates = query_candidates(query, data)
        scores = query_scores(contender, query, candidates)
        excluded = np.append(known.of(query.entity, query.relation, query.side), query.entity)
        typed.put(query, rank_targets(scores, candidates, query.targets, excluded))
        together = data.comentions.positions(query.entity, candidates)[1]
        together |= np.isin(candidates, query.targets)
        co_mentioned.put(query, rank_targets(scores[together], candidates[together], query.targets, excluded))
        if task is not None:
            task.advance()
    return Rankings(typed.table(tests), co_mentioned.table(tests))


class _Places:
    """Ranks of all tests, filled query by query."""

    def __init__(self, n_tests: int) -> None:
        self._optimistic, self._pessimistic, self._n = (np.zeros(2 * n_tests, np.int64) for _ in range(3))

    def put(self, query: Query, ranks: Ranks) -> None:
        self._optimistic[query.rows], self._pessimistic[query.rows] = ranks.optimistic, ranks.pessimistic
        self._n[query.rows] = ranks.n_candidates

    def table(self, tests: Triples) -> RankTable:
        return RankTable(
            relations=np.tile(tests.relations, 2),
            entities=np.concatenate([tests.heads, tests.tails]),
            targets=np.concatenate([tests.tails, tests.heads]),
            optimistic=self._optimistic,
            pessimistic=self._pessimistic,
            n_candidates=self._n,
        )


def query_candidates(query: Query, data: BenchmarkData) -> IntArray:
    """The candidates of the replaced argument's type."""
    head_type, tail_type = query.relation.argument_types
    return data.candidates[tail_type if query.side is Side.TAIL else head_type]


def query_scores(contender: Contender, query: Query, candidates: IntArray) -> FloatArray:
    """The contender's scores, checked."""
    score = contender.score_tails if query.side is Side.TAIL else contender.score_heads
    return checked_scores(contender.name, score(query.entity, query.relation, candidates), len(candidates))


def checked_scores(name: str, scores: FloatArray, n: int) -> FloatArray:
    """The scores, if there is one finite number for each of `n` pairs.

    Raises:
        InvalidInputError: if not.
    """
    if scores.shape != (n,) or not np.isfinite(scores).all():
        finite = int(np.isfinite(scores).sum())
        raise InvalidInputError(
            f"{name} must return {n} finite scores, was: shape {scores.shape} with {finite} finite values"
        )
    return scores


def ranking_figures(table: RankTable) -> list[RankingFigures]:
    """Metrics for each label and side, each label, and in total (micro: every rank counts the same)."""
    figures = [_figures(table, np.ones(len(table), np.bool_), TOTAL, BOTH_SIDES)]
    for relation in POSITIVE_RELATIONS:
        of_relation = table.relations == relation.column
        if not of_relation.any():
            continue
        figures.append(_figures(table, of_relation, relation.value, BOTH_SIDES))
        for side, where in ((Side.TAIL, table.is_tail), (Side.HEAD, ~table.is_tail)):
            figures.append(_figures(table, of_relation & where, relation.value, side.value))
    return figures


def _figures(table: RankTable, where: npt.NDArray[np.bool_], relation: str, side: str) -> RankingFigures:
    ranks, n = table.realistic[where], table.n_candidates[where]
    return RankingFigures(
        relation=relation,
        side=side,
        n=len(ranks),
        mrr=float(np.mean(1 / ranks)),
        hits_at_1=float(np.mean(ranks <= 1)),
        hits_at_3=float(np.mean(ranks <= 3)),
        hits_at_10=float(np.mean(ranks <= 10)),
        amri=adjusted_mean_rank_index(ranks, n),
        adjusted_mrr=adjusted_mrr(ranks, n),
        mean_rank=float(np.mean(ranks)),
        mrr_optimistic=float(np.mean(1 / table.optimistic[where])),
        mrr_pessimistic=float(np.mean(1 / table.pessimistic[where])),
        mean_candidates=float(np.mean(n)),
    )


def mean_reciprocal_rank(table: RankTable) -> float:
    """MRR of realistic ranks over all rows."""
    return float(np.mean(1 / table.realistic))


def adjusted_mean_rank_index(ranks: FloatArray, n_candidates: IntArray) -> float:
    """AMRI: 1 - (mean rank - 1) / (expected mean rank - 1); 0 where nothing was ranked against anything.

    >>> adjusted_mean_rank_index(np.array([1.0, 2.0]), np.array([3, 5]))
    0.6666666666666667
    """
    # Berrendorf et al. (2020), Eq. 8: the expected rank among n candidates is (n + 1) / 2.
    expected = float(np.sum((n_candidates + 1) / 2 - 1))
    return 1 - float(np.sum(ranks - 1)) / expected if expected else 0.0


def adjusted_mrr(ranks: FloatArray, n_candidates: IntArray) -> float:
    """(MRR - E[MRR]) / (1 - E[MRR]) with E[1 / rank] = H(n) / n; 0 where nothing was ranked against anything.

    >>> adjusted_mrr(np.array([1.0]), np.array([4]))
    1.0
    """
    # Hoyt et al. (2022), Sec. 3: adjustment for chance of an affine metric.
    expected = float(np.mean(_harmonic(n_candidates) / n_candidates))
    return (float(np.mean(1 / ranks)) - expected) / (1 - expected) if expected < 1 else 0.0


def _harmonic(numbers: Sequence[int] | IntArray) -> npt.NDArray[np.float64]:
    values = np.asarray(numbers)
    sums = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(values.max(initial=0)) + 1))])
    return np.asarray(sums[values])
