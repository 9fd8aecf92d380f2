"""The one evaluator: the same tests, candidates, filter, ties and metrics for every contender."""

from dataclasses import dataclass, fields
from time import perf_counter
from typing import Any

import numpy as np

from relvm_kg.benchmark.classification import ClassificationFigures, PairTable, classification_figures, score_split
from relvm_kg.benchmark.contender import TrainedContender, TrainingRecord
from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.ranking import RankingFigures, RankTable, make_queries, rank, ranking_figures
from relvm_kg.encoding.split import Split
from relvm_kg.progress import Progress, Silent


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """A contender's ranks and pair scores on the test split, with what its training cost."""

    name: str
    record: TrainingRecord
    ranks: RankTable
    """Among all typed candidates."""
    co_mentioned_ranks: RankTable
    """Among the co-mentioned ones of them."""
    pairs: PairTable
    evaluation_seconds: float

    def ranking(self) -> list[RankingFigures]:
        """Ranking metrics, the total first."""
        return ranking_figures(self.ranks)

    def co_mentioned_ranking(self) -> list[RankingFigures]:
        """Ranking metrics among co-mentioned candidates, the total first."""
        return ranking_figures(self.co_mentioned_ranks)

    def classification(self) -> list[ClassificationFigures]:
        """Classification metrics, the total first; empty if the test split has no unlabelled pairs."""
        return classification_figures(self.pairs)

    def as_dict(self) -> dict[str, Any]:
        """As JSON values that `from_dict` reads; ranks and scores of each test included."""
        return {
            "name": self.name,
            "record": self.record.as_dict(),
            "evaluation_seconds": self.evaluation_seconds,
            "ranking": [f._asdict() for f in self.ranking()],
            "co_mentioned_ranking": [f._asdict() for f in self.co_mentioned_ranking()],
            "classification": [f._asdict() for f in self.classification()],
            "ranks": _columns(self.ranks),
            "co_mentioned_ranks": _columns(self.co_mentioned_ranks),
            "pairs": _columns(self.pairs),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Evaluation":
        """Read what `as_dict` gave."""
        kinds = {"labels": np.bool_, "scores": np.float64}
        return cls(
            name=values["name"],
            record=TrainingRecord(**values["record"]),
            ranks=_rank_table(values["ranks"]),
            co_mentioned_ranks=_rank_table(values["co_mentioned_ranks"]),
            pairs=PairTable(**{k: np.array(v, kinds.get(k, np.int64)) for k, v in values["pairs"].items()}),
            evaluation_seconds=values["evaluation_seconds"],
        )


def evaluate(trained: TrainedContender, data: BenchmarkData, progress: Progress | None = None) -> Evaluation:
    """Rank the test triples and score the test pairs.

    Args:
        trained: The contender.
        data: The benchmark.
        progress: Told of each query.

    Raises:
        InvalidInputError: if the contender does not return one finite score for each pair.
    """
    contender, tests = trained.contender, data.positives.part(Split.TEST)
    started = perf_counter()
    with (progress or Silent()).task(f"ranking with {contender.name}", len(make_queries(tests)), "query") as task:
        rankings = rank(contender, tests, data, data.partners, task)
    pairs = score_split(contender, data, Split.TEST)
    return Evaluation(
        name=contender.name,
        record=trained.record,
        ranks=rankings.typed,
        co_mentioned_ranks=rankings.co_mentioned,
        pairs=pairs,
        evaluation_seconds=perf_counter() - started,
    )


def _columns(table: RankTable | PairTable) -> dict[str, list[Any]]:
    return {field.name: getattr(table, field.name).tolist() for field in fields(table)}


def _rank_table(columns: dict[str, list[int]]) -> RankTable:
    return RankTable(**{name: np.array(values, np.int64) for name, values in columns.items()})
