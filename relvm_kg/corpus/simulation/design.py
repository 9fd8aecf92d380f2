"""Which pairs are related, co-mentioned and held out, such that no entity stands out by its numbers.

Every set of pairs is a union of perfect matchings, so each entity of a type is in it equally often. Degree product and
entity rate are therefore the same for every pair, and a model of one entity alone ranks held-out pairs at random.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.corpus.simulation.records import WorldSettings
from relvm_kg.errors import InvalidInputError

Pairs = tuple[tuple[int, int], ...]
Slots = npt.NDArray[np.int64]


class PairDesign(NamedTuple):
    """The pairs of one label: numbers of head and tail among the entities of their types."""

    labelled: Pairs
    uncurated: Pairs
    unrelated: Pairs
    held_out_related: Pairs
    held_out_unrelated: Pairs

    @property
    def co_mentioned(self) -> Pairs:
        """All pairs that sentences mention together."""
        return self.labelled + self.uncurated + self.unrelated


def two_type_design(settings: WorldSettings, rng: np.random.Generator) -> PairDesign:
    """Pairs between two types; entity `m * n_members + i` is member i of mechanism m."""
    n_groups, size = settings.n_mechanisms, settings.n_members
    heads, tails = _slots(settings, rng), _slots(settings, rng)
    order = rng.permutation(n_groups)
    related = [_join(heads, tails, [(g, g) for g in order], shift) for shift in range(size)]
    partners = [[(order[g], order[(g + step) % n_groups]) for g in range(n_groups)] for step in range(1, n_groups)]
    unrelated = [_join(heads, tails, partners[step], shift) for step, shift in _spread(len(partners), size, rng)]
    return _select([related[i] for i in rng.permutation(size)], unrelated, settings)


def one_type_design(settings: WorldSettings, rng: np.random.Generator) -> PairDesign:
    """Pairs within one type, each in one order only."""
    n_groups, size = settings.n_mechanisms, settings.n_members
    slots, order = _slots(settings, rng), rng.permutation(n_groups)
    related = [
        tuple((int(group[a]), int(group[b])) for group in slots for a, b in matching)
        for matching in one_factorisation(size)
    ]
    partners = [[(order[a], order[b]) for a, b in matching] for matching in one_factorisation(n_groups)]
    unrelated = [_join(slots, slots, partners[step], shift) for step, shift in _spread(len(partners), size, rng)]
    return _select([related[i] for i in rng.permutation(size - 1)], unrelated, settings)


def one_factorisation(n: int) -> list[Pairs]:
    """All pairs of `n` (even) things as n - 1 perfect matchings, by the round-robin schedule.

    >>> one_factorisation(4)
    [((0, 3), (1, 2)), ((1, 3), (2, 0)), ((2, 3), (0, 1))]
    """
    turns = n - 1
    return [
        ((turn, turns), *(((turn + k) % turns, (turn - k) % turns) for k in range(1, n // 2))) for turn in range(turns)
    ]


def _slots(settings: WorldSettings, rng: np.random.Generator) -> Slots:
    """Entities by mechanism, in random order within each."""
    numbers = np.arange(settings.n_mechanisms * settings.n_members).reshape(settings.n_mechanisms, -1)
    return rng.permuted(numbers, axis=1)


def _join(heads: Slots, tails: Slots, groups: list[tuple[int, int]], shift: int) -> Pairs:
    size = heads.shape[1]
    return tuple((int(heads[a, i]), int(tails[b, (i + shift) % size])) for a, b in groups for i in range(size))


def _spread(n_steps: int, size: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """All (step, shift), such that any first few take the steps equally often."""
    shifts = [rng.permutation(size) for _ in range(n_steps)]
    for turn in range(size):
        for step in rng.permutation(n_steps):
            yield int(step), int(shifts[step][turn])


def _select(related: list[Pairs], unrelated: list[Pairs], settings: WorldSettings) -> PairDesign:
    held_out, uncurated = settings.held_out_per_entity, settings.uncurated_per_entity
    n_labelled = len(related) - held_out - uncurated
    n_unrelated = n_labelled * settings.unrelated_per_related
    if n_labelled < 1:
        raise InvalidInputError(
            f"held_out_per_entity + uncurated_per_entity must be below n_members - 1, was: {held_out + uncurated}"
        )
    if n_unrelated + held_out > len(unrelated):
        raise InvalidInputError(
            f"unrelated_per_related must leave {held_out} of {len(unrelated)} unrelated pairs of each entity unused, "
            f"was: {settings.unrelated_per_related}, which takes {n_unrelated}"
        )
    return PairDesign(
        labelled=sum(related[held_out + uncurated :], ()),
        uncurated=sum(related[held_out : held_out + uncurated], ()),
        unrelated=sum(unrelated[held_out : held_out + n_unrelated], ()),
        held_out_related=sum(related[:held_out], ()),
        held_out_unrelated=sum(unrelated[:held_out], ()),
    )
