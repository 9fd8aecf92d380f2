"""Metrics of scored pairs under imbalance: precision-recall, ROC, precision at k, and the threshold of the best F1."""

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


class TieGroups:
    """Scores in descending order, equal ones as one group; metrics for any weights of the rows."""

    def __init__(self, labels: BoolArray, scores: FloatArray) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
        self._labels = labels[self._order].astype(np.float64)

    def counts(self, weights: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Weight of positives and of all rows at or above each distinct score."""
        weight = np.ones(len(self._order)) if weights is None else weights[self._order]
        return np.cumsum(self._labels * weight)[self._ends], np.cumsum(weight)[self._ends]

    def average_precision(self, weights: FloatArray | None = None) -> float:
        """Sum of precision times the step in recall, over distinct scores; 0 without positives."""
        if not len(self._order):
            return 0.0
        positives, total = self.counts(weights)
        if positives[-1] == 0:
            return 0.0
        steps = np.diff(positives, prepend=0.0)
        precision = np.divide(positives, total, out=np.zeros_like(positives), where=total > 0)
        return float(np.sum(precision * steps) / positives[-1])


def average_precision(labels: BoolArray, scores: FloatArray) -> float:
    """Area under precision-recall as a step function: ties count as one threshold.

    >>> average_precision(np.array([True, False, True]), np.array([3.0, 2.0, 1.0]))
    0.8333333333333333
    """
    return TieGroups(labels, scores).average_precision()


def roc_auc(labels: BoolArray, scores: FloatArray) -> float:
    """Probability that a positive scores above a negative, ties a half.

    >>> roc_auc(np.array([True, False, False]), np.array([1.0, 1.0, 0.0]))
    0.75
    """
    negatives = np.sort(scores[~labels])
    if not len(negatives) or len(negatives) == len(labels):
        return 0.5
    below = np.searchsorted(negatives, scores[labels], side="left")
    not_above = np.searchsorted(negatives, scores[labels], side="right")
    return float(np.mean(below + not_above) / 2 / len(negatives))


def precision_at(labels: BoolArray, scores: FloatArray, k: int) -> float:
    """Share of positives among the k highest scores; where a tie crosses the k-th place, the expected share.

    >>> precision_at(np.array([True, False, True]), np.array([2.0, 1.0, 1.0]), k=2)
    0.75
    """
    positives, total = TieGroups(labels, scores).counts()
    index = int(np.searchsorted(total, k))
    hits_before, before = (positives[index - 1], total[index - 1]) if index else (0.0, 0.0)
    share = (k - before) / (total[index] - before)
    return float((hits_before + share * (positives[index] - hits_before)) / k)


def best_threshold(labels: BoolArray, scores: FloatArray) -> tuple[float, float]:
    """The score at or above which F1 is best, and that F1; (0.5, 0) without positives.

    >>> best_threshold(np.array([True, False, True]), np.array([0.9, 0.2, 0.6]))
    (0.6, 1.0)
    """
    if not labels.any():
        return 0.5, 0.0
    positives, total = TieGroups(labels, scores).counts()
    f1 = 2 * positives / (total + labels.sum())
    place = int(f1.argmax())
    return float(np.unique(scores)[::-1][place]), float(f1[place])
