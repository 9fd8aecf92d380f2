"""Test pairs against co-mentioned, unlabelled pairs: precision-recall beside the prevalence, ROC, precision at k."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.benchmark.contender import Contender
from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.ranking import TOTAL, checked_scores
from relvm_kg.benchmark.triples import FloatArray, IntArray, concatenated
from relvm_kg.encoding.split import Split
from relvm_kg.metrics import average_precision, precision_at, roc_auc
from relvm_kg.types import POSITIVE_RELATIONS

MEAN_OF_LABELS = "mean of labels"
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PairTable:
    """Scored pairs of one split. *Shape:* each (pairs); `labels` is true for known relations."""

    heads: IntArray
    relations: IntArray
    tails: IntArray
    labels: BoolArray
    scores: FloatArray

    def __len__(self) -> int:
        return len(self.labels)


class ClassificationFigures(NamedTuple):
    """Metrics over the pairs of one label, over all pairs pooled (`total`), or their mean over the labels."""

    relation: str
    n: int
    n_positive: int
    prevalence: float
    """What the area under precision-recall is for random scores."""
    average_precision: float
    roc_auc: float
    precision_at: dict[int, float]
    """Share of positives among the k highest scores (expected share where scores tie); no entry above the pairs."""


def score_split(contender: Contender, data: BenchmarkData, split: Split) -> PairTable:
    """Score the positives and negatives of one split, label by label.

    Raises:
        InvalidInputError: if the contender does not return one finite score for each pair.
    """
    positives, negatives = data.positives.part(split), data.negatives.part(split)
    both = concatenated(positives, negatives)
    labels = np.arange(len(both)) < len(positives)
    scores = np.zeros(len(both))
    for relation in POSITIVE_RELATIONS:
        rows = np.flatnonzero(both.relations == relation.column)
        if len(rows):
            values = contender.score_pairs(both.heads[rows], both.tails[rows], relation)
            scores[rows] = checked_scores(contender.name, values, len(rows))
    return PairTable(both.heads, both.relations, both.tails, labels, scores)


def classification_figures(table: PairTable, ks: tuple[int, ...] = (10, 100, 1000)) -> list[ClassificationFigures]:
    """Metrics pooled, for each label that has both positives and negatives, and the mean over these labels.

    The pooled row compares scores across labels, the others do not.
    """
    by_label = []
    for relation in POSITIVE_RELATIONS:
        where = table.relations == relation.column
        if len(np.unique(table.labels[where])) == 2:
            by_label.append(_figures(table.labels[where], table.scores[where], relation.value, ks))
    if not by_label:
        return []
    return [_figures(table.labels, table.scores, TOTAL, ks), _mean(by_label), *by_label]


def _figures(labels: BoolArray, scores: FloatArray, relation: str, ks: tuple[int, ...]) -> ClassificationFigures:
    return ClassificationFigures(
        relation=relation,
        n=len(labels),
        n_positive=int(labels.sum()),
        prevalence=float(labels.mean()),
        average_precision=average_precision(labels, scores),
        roc_auc=roc_auc(labels, scores),
        precision_at={k: precision_at(labels, scores, k) for k in ks if k <= len(labels)},
    )


def _mean(figures: list[ClassificationFigures]) -> ClassificationFigures:
    common = set.intersection(*(set(f.precision_at) for f in figures))
    return ClassificationFigures(
        relation=MEAN_OF_LABELS,
        n=sum(f.n for f in figures),
        n_positive=sum(f.n_positive for f in figures),
        prevalence=float(np.mean([f.prevalence for f in figures])),
        average_precision=float(np.mean([f.average_precision for f in figures])),
        roc_auc=float(np.mean([f.roc_auc for f in figures])),
        precision_at={k: float(np.mean([f.precision_at[k] for f in figures])) for k in sorted(common)},
    )
