"""Pairs of entities that training never saw: known ones against unlabelled pairs of the same kind."""

import numpy as np

from relvm_kg.benchmark.columns.draw import draw_families
from relvm_kg.benchmark.columns.groups import GroupArray, entity_groups
from relvm_kg.benchmark.columns.pairs import FamilyPairs, Fit
from relvm_kg.benchmark.columns.settings import VALIDATION_GROUP, ColumnSettings, Family, Kind
from relvm_kg.benchmark.columns.sources import PairSource
from relvm_kg.benchmark.triples import IntArray
from relvm_kg.errors import InvalidInputError

LEFT_OUT, OTHERS = 0, 1
"""Groups of entities: those left out, and all others but the validation group."""


def choose_entities(source: PairSource, n: int, seed: int) -> IntArray:
    """Entities with a known relation that a training sentence mentions, at random; catalogue indices, rising.

    Raises:
        InvalidInputError: if there are too few.
    """
    known = source.co_mentioned.rows(source.known(source.co_mentioned))
    able = np.union1d(known.heads, known.tails)
    if len(able) < 2 * n:
        raise InvalidInputError(
            f"{n} entities to leave out must be at most half of those with a known co-mentioned relation, "
            f"which are {len(able)}"
        )
    return np.sort(np.random.default_rng(seed).choice(able, size=n, replace=False))


def unseen_families(source: PairSource, entities: IntArray, settings: ColumnSettings) -> dict[Family, FamilyPairs]:
    """Labelled and unlabelled pairs of both families, exchanged only among pairs with as many entities left out."""
    own = entity_groups(source.ids, settings.seed)
    groups: GroupArray = np.where(own == VALIDATION_GROUP, VALIDATION_GROUP, OTHERS).astype(np.int8)
    groups[entities] = LEFT_OUT
    return draw_families(source, settings, groups)


def unseen_fit(pairs: FamilyPairs) -> Fit:
    """Learn from pairs of the others, stop on pairs with one validation entity, score those with one left out."""
    touched, n_validation = pairs.touches(LEFT_OUT), pairs.n_validation_entities
    return Fit(
        "unseen",
        np.flatnonzero(~touched & (n_validation == 0)),
        {Kind.ONE_COLD: np.flatnonzero(~touched & (n_validation == 1))},
        {Kind.ONE_COLD: np.flatnonzero(touched & (n_validation == 0) & ~pairs.both)},
    )


def can_be_scored(pairs: FamilyPairs) -> bool:
    """Whether there is something to learn from, to stop on and to score."""
    fit = unseen_fit(pairs)
    parts = (fit.training, *fit.stops.values(), *fit.reads.values())
    return all(len(np.unique(pairs.positive[rows])) == 2 for rows in parts)
