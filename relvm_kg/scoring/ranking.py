"""The best partners of one entity among many: few draws choose a short list, more a shorter one, many its order."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from relvm_kg.classify.draws import Draws
from relvm_kg.config import require
from relvm_kg.model.precision import training_precision
from relvm_kg.scoring.scorer import IntArray, RelvmScorer, Scores


class Stage(NamedTuple):
    """A cut: which candidates stay in a ranking, and by how many draws they are chosen."""

    draws: int
    """Draws a pair and order; 0 is one draw of zeros, the middle of u and z's mean there."""
    keep: int
    """Candidates that stay at least."""
    keep_for_each: int
    """Candidates that stay for each that is asked for, if that is more."""


@dataclass(frozen=True, kw_only=True)
class RankSettings:
    """The stages of a ranking before the last, which puts what is left in order by all draws of the scorer."""

    stages: tuple[Stage, ...] = (Stage(0, 1000, 8), Stage(8, 250, 4), Stage(64, 60, 2))
    """From many candidates and few draws to few candidates and many draws."""
    bfloat16: bool = True
    """Whether the stages before the last, of which no score is given, are in bfloat16 where the processor has it."""

    def __post_init__(self) -> None:
        for stage in self.stages:
            require(stage.draws >= 0, "rank.stages draws", "not be negative", stage.draws)
            require(stage.keep >= 1, "rank.stages keep", "be at least 1", stage.keep)
            require(stage.keep_for_each >= 1, "rank.stages keep_for_each", "be at least 1", stage.keep_for_each)


class Ranked(NamedTuple):
    """The best candidates, best first."""

    places: IntArray
    """Among the candidates. *Shape:* (best)"""
    scores: Scores
    """By all draws. *Shape:* (best)"""


@dataclass(frozen=True)
class Ranker:
    """Ranks by a scorer, whose draws are the final stage's."""

    scorer: RelvmScorer
    settings: RankSettings = RankSettings()

    @cached_property
    def stages(self) -> tuple[tuple[Stage, RelvmScorer], ...]:
        """Each stage with what scores in it."""
        model = self.scorer.bundle.model
        centre = Draws.centre(model.config.latent).to(model.device)
        dtype = training_precision(model.device) if self.settings.bfloat16 else self.scorer.dtype
        return tuple(
            (stage, self.scorer.with_draws(self.scorer.draws.first(stage.draws) if stage.draws else centre, dtype))
            for stage in self.settings.stages
        )

    def best(self, entity: int, candidates: IntArray, top: int) -> Ranked:
        """The most probable partners.

        Args:
            entity: Row of the entity table.
            candidates: Rows of the entity table.
            top: How many.

        Raises:
            NoTextError: if an entity has no training text.
            NoRelationForTypesError: if the classifier learned nothing of a pair's label.
        """
        places = np.arange(len(candidates))
        for stage, scorer in self.stages:
            n_kept = max(stage.keep, stage.keep_for_each * top)
            if n_kept < len(places):
                order = _falling(_scores(scorer, entity, candidates[places]))
                places = np.sort(places[order[:n_kept]])
        scores = _scores(self.scorer, entity, candidates[places])
        order = _falling(scores)[:top]
        return Ranked(places[order], Scores(scores.probability[order], scores.uncertainty[order]))


def _scores(scorer: RelvmScorer, entity: int, candidates: IntArray) -> Scores:
    return scorer.score(np.full(len(candidates), entity, dtype=np.int64), candidates)


def _falling(scores: Scores) -> IntArray:
    """Places from the highest probability down; equal ones stay in order."""
    return np.argsort(-scores.probability, kind="stable")
