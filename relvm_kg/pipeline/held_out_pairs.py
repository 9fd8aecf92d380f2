"""How well a run tells known pairs from unlabelled ones among the test pairs, which training never saw."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from relvm_kg.classify.labels import LabelledPairs, load_labelled_pairs, split_pairs
from relvm_kg.encoding.split import Split
from relvm_kg.errors import WorkspaceError
from relvm_kg.metrics import average_precision
from relvm_kg.pipeline.session import Session
from relvm_kg.training.data import load_corpus


@dataclass(frozen=True, kw_only=True)
class PairFigures:
    """Figures over some pairs; an unlabelled pair is not known to be false."""

    n_known: int
    n_unlabelled: int
    prevalence: float
    """Share of known pairs: what a model that knows nothing has as its area."""
    average_precision: float
    """Area under precision-recall."""


@dataclass(frozen=True, kw_only=True)
class HeldOutPairs:
    """Figures over the test pairs, all and by whether a sentence mentions the pair."""

    n_training_known: int
    """Known pairs that the classifier learned from."""
    all_pairs: PairFigures
    co_mentioned: PairFigures
    never_co_mentioned: PairFigures


def measure_held_out_pairs(session: Session) -> HeldOutPairs:
    """Score the test pairs of the run's own scope and split.

    Raises:
        WorkspaceError: if the corpus changed since the run was trained.
    """
    if session.stale or session.facts is None:
        raise WorkspaceError("test pairs can be scored on the corpus that the run was trained on; train again")
    corpus, config = load_corpus(session.require_corpus()), session.scorer.bundle.config
    pairs = load_labelled_pairs(corpus.folder, corpus.types, corpus.has_text, session.scorer.report.config.scope)
    splits = split_pairs(pairs, corpus.entities["id"].to_pylist(), config.training.seed)
    test = splits[Split.TEST]
    scores = session.scorer.score(session.model_rows(test.heads), session.model_rows(test.tails)).probability
    mentioned = np.asarray(session.facts.comention_counts(test.heads, test.tails)) > 0
    return HeldOutPairs(
        n_training_known=int(splits[Split.TRAIN].positive.sum()),
        all_pairs=_figures(test, scores, np.ones(len(test), dtype=bool)),
        co_mentioned=_figures(test, scores, mentioned),
        never_co_mentioned=_figures(test, scores, ~mentioned),
    )


def _figures(pairs: LabelledPairs, scores: npt.NDArray[np.float32], chosen: npt.NDArray[np.bool_]) -> PairFigures:
    positive = pairs.positive[chosen]
    return PairFigures(
        n_known=int(positive.sum()),
        n_unlabelled=int((~positive).sum()),
        prevalence=round(float(positive.mean()), 4) if len(positive) else 0.0,
        average_precision=round(average_precision(positive, scores[chosen].astype(np.float64)), 4),
    )
