"""The best partners of one entity among many: few draws choose a short list, many put it in order."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch

from relvm_kg.classify.draws import Draws
from relvm_kg.config import require
from relvm_kg.model.precision import training_precision
from relvm_kg.scoring.scorer import IntArray, RelvmScorer, Scores


@dataclass(frozen=True, kw_only=True)
class RankSettings:
    """How many candidates each stage of a ranking leaves, and by how many draws it chooses."""

    short_list: int = 1000
    """Candidates left by the first stage, which scores one draw of zeros: the middle of u, and z's mean there."""
    middle_samples: int = 16
    """Draws a pair and order of the second stage."""
    final_list: int = 250
    """Candidates left by the second stage at least; twice as many as are asked for, if that is more."""
    bfloat16: bool = True
    """Whether the first stage, of which no score is given, multiplies in bfloat16 where the processor has it."""

    def __post_init__(self) -> None:
        require(self.middle_samples >= 1, "rank.middle_samples", "be at least 1", self.middle_samples)
        require(self.final_list >= 1, "rank.final_list", "be at least 1", self.final_list)
        require(self.short_list >= self.final_list, "rank.short_list", "not be below rank.final_list", self.short_list)


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
    def _first(self) -> RelvmScorer:
        model = self.scorer.bundle.model
        dtype = training_precision(model.device) if self.settings.bfloat16 else torch.float32
        return self.scorer.with_draws(Draws.centre(model.config.latent).to(model.device), dtype)

    @cached_property
    def _middle(self) -> RelvmScorer:
        return self.scorer.with_draws(self.scorer.draws.first(self.settings.middle_samples), torch.float32)

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
        final_list = max(self.settings.final_list, 2 * top)
        places = np.arange(len(candidates))
        for scorer, n_kept in (
            (self._first, max(self.settings.short_list, 2 * final_list)),
            (self._middle, final_list),
        ):
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
