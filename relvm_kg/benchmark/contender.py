"""What takes part in a benchmark: a scorer of pairs, and a record of what its training cost."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Protocol

from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.triples import FloatArray, IntArray
from relvm_kg.progress import Progress
from relvm_kg.types import Relation


class Contender(Protocol):
    """Scores pairs of catalogue indices; a higher score says that the relation is more likely.

    Only the order of scores counts, within one query for ranking and within one label for classification.
    """

    @property
    def name(self) -> str:
        """What the row in the table is called."""

    def score_tails(self, head: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """Scores of (head, relation, candidate). *Shape:* (candidates)"""

    def score_heads(self, tail: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """Scores of (candidate, relation, tail). *Shape:* (candidates)"""

    def score_pairs(self, heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        """Scores of (head, relation, tail), row by row. *Shape:* (pairs)"""


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """What the training of a contender cost and how it ended."""

    seconds: float | None = None
    """Wall-clock time of training, validation included."""
    n_parameters: int | None = None
    epochs: int | None = None
    best_validation: float | None = None
    """The best value of the figure that early stopping watches."""
    validation_figure: str | None = None
    stopped_by: str | None = None
    """`validation`, `time budget` or `epochs`."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Hyperparameters and notes, as they go to the report's JSON."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class TrainedContender(NamedTuple):
    """A contender that is ready to score, with the record of its training."""

    contender: Contender
    record: TrainingRecord


ContenderFactory = Callable[[BenchmarkData, Progress], TrainedContender]
"""Trains a contender on a benchmark's training pairs."""
