"""Scores of pairs from the prior: probabilities with uncertainty, the same at every call."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import torch

from relvm_kg.classify.draws import Draws
from relvm_kg.classify.labels import RELATION_COLUMNS
from relvm_kg.classify.pair import PairReport, load_pair_classifier
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.classify.probabilities import PairProbabilities, evaluation_draws
from relvm_kg.errors import NoRelationForTypesError, NoTextError
from relvm_kg.model.checkpoint import Bundle, EntityTable
from relvm_kg.types import POSITIVE_RELATIONS, Relation

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

DEFAULT_SAMPLES = 256
"""Draws of z a pair and order, where single pairs or the best of a ranking are scored."""


class Scores(NamedTuple):
    """Probability of the label that fits each pair, and its uncertainty I(r; z) in nats. *Shape:* (pairs) each."""

    probability: FloatArray
    uncertainty: FloatArray


class PairScorer(Protocol):
    """Whatever scores pairs of rows of an entity table."""

    entities: EntityTable

    def score(self, heads: IntArray, tails: IntArray) -> Scores:
        """Scores of pairs, in any order of arguments."""


@dataclass(frozen=True)
class RelvmScorer:
    """Scores by RELVM's prior and the pair classifier, over both orders of mention and common draws."""

    bundle: Bundle
    classifier: PairClassifier
    report: PairReport
    draws: Draws
    dtype: torch.dtype = torch.float32
    """Of the layers that every draw goes through."""

    @classmethod
    def load(cls, folder: Path, device: torch.device, samples: int = DEFAULT_SAMPLES, seed: int = 0) -> Self:
        """Load a model folder.

        Args:
            folder: A finished run.
            device: Where to compute.
            samples: Draws of u and z for each order of mention; powers of two are spread most evenly.
            seed: Of the draws.

        Raises:
            InvalidInputError: if the folder is damaged.
        """
        bundle = Bundle.load(folder, device)
        classifier, report = load_pair_classifier(folder, bundle.config.model.latent)
        return cls(bundle, classifier.to(device), report, evaluation_draws(bundle.model, samples, seed))

    def with_samples(self, samples: int, seed: int = 0) -> "RelvmScorer":
        """The same model with another number of draws."""
        return replace(self, draws=evaluation_draws(self.bundle.model, samples, seed))

    def with_draws(self, draws: Draws, dtype: torch.dtype) -> "RelvmScorer":
        """The same model with other draws, in another precision."""
        return replace(self, draws=draws, dtype=dtype)

    @cached_property
    def _probabilities(self) -> PairProbabilities:
        return PairProbabilities(self.bundle.model, self.classifier, self.draws, self.dtype)

    @property
    def entities(self) -> EntityTable:
        """The entities that can be scored (those with text)."""
        return self.bundle.entities

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"RELVM {self.bundle.config.preset}"

    @property
    def relations(self) -> tuple[Relation, ...]:
        """The labels that the classifier learned: those with a known relation among its training pairs."""
        return tuple(r for r in POSITIVE_RELATIONS if self.report.training_prevalence[r.value] > 0)

    def require_learned(self, relation: Relation) -> None:
        """Refuse a label of which the classifier saw no known relation.

        Raises:
            NoRelationForTypesError: if it is none of `relations`.
        """
        if relation not in self.relations:
            raise NoRelationForTypesError(
                f"run {self.bundle.config.run_id!r} learned no {relation.value} relation, for none was known among its "
                f"training pairs; it scores {', '.join(self.relations)}"
            )

    def score(self, heads: IntArray, tails: IntArray) -> Scores:
        """Probability and uncertainty of the label that fits each pair.

        Raises:
            NoTextError: if an entity has no training text.
            NoRelationForTypesError: if the classifier learned nothing of a pair's label.
            ValueError: if no label fits a pair's types.
        """
        without = ~self.entities.has_text[np.concatenate([heads, tails])]
        if without.any():
            row = int(np.concatenate([heads, tails])[without][0])
            raise NoTextError(f"no training sentence mentions {self.entities.ids[row]}, so nothing can be said of it")
        columns = RELATION_COLUMNS[self.entities.types[heads], self.entities.types[tails]]
        if (columns == Relation.NO_RELATION.column).any():
            raise ValueError("every pair must be of two types that a relation label joins")
        for column in np.unique(columns).tolist():
            self.require_learned(list(Relation)[column])
        return Scores(*self._probabilities.of(heads, tails, columns))

    def score_tails(self, head: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """Scores of (head, relation, candidate) for the evaluator. *Shape:* (candidates)."""
        return self.score(np.full(len(candidates), head, dtype=np.int64), candidates).probability

    def score_heads(self, tail: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """Scores of (candidate, relation, tail) for the evaluator. *Shape:* (candidates)."""
        return self.score(candidates, np.full(len(candidates), tail, dtype=np.int64)).probability

    def score_pairs(self, heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        """Scores of pairs for the evaluator. *Shape:* (pairs)."""
        return self.score(heads, tails).probability
