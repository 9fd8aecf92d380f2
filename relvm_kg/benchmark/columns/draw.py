"""Drawing the pairs of both families: a fixed sample by hash, and shuffled pairs that keep every entity's degree."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.benchmark.columns.groups import GroupArray, cold_rounds, entity_groups, pair_numbers
from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.columns.settings import VALIDATION_GROUP, ColumnSettings, Family
from relvm_kg.benchmark.columns.sources import PairSource, share_document
from relvm_kg.benchmark.triples import SYMMETRIC, IntArray, Triples, concatenated
from relvm_kg.encoding.split import pair_split
from relvm_kg.pairs import pair_keys

_CROWD = 10
"""An entity makes up at most one in this many of the pairs among which tails change places."""
_TRIES = 300
"""How often tails that make a forbidden pair change places with others."""


class _Part(NamedTuple):
    """Pairs that are drawn together, and the share of the sample that they make up where there are enough."""

    share: float
    both: bool
    validation: bool


_PARTS = (
    _Part(0.30, both=True, validation=False),
    _Part(0.40, both=False, validation=False),
    _Part(0.12, both=True, validation=True),
    _Part(0.18, both=False, validation=True),
)
"""Both-cold pairs are 17 % of all pairs, so that a sample at random would hold few."""


def draw_families(
    source: PairSource, settings: ColumnSettings, groups: GroupArray | None = None
) -> dict[Family, FamilyPairs]:
    """The pairs of both families; entities are in the groups of `entity_groups` unless others are given."""
    groups = entity_groups(source.ids, settings.seed) if groups is None else groups
    return {
        Family.CO_MENTIONED: _co_mentioned(source, groups, settings),
        Family.NEVER: _never(source, groups, settings),
    }


def _co_mentioned(source: PairSource, groups: GroupArray, settings: ColumnSettings) -> FamilyPairs:
    known = source.known(source.co_mentioned)
    positives = _sample(source, source.co_mentioned.rows(known), groups, settings.co_mentioned_positives, settings.seed)
    unlabelled = source.co_mentioned.rows(~known)
    wanted = _cells(positives, groups)
    cells = _cells(unlabelled, groups)
    numbers = pair_numbers(source.ids, unlabelled.heads, unlabelled.tails, f"{settings.seed}|draw")
    chosen = []
    for cell in np.unique(wanted).tolist():
        rows = np.flatnonzero(cells == cell)
        n = int((wanted == cell).sum()) * settings.unlabelled_per_positive
        chosen.append(rows[np.argsort(numbers[rows], kind="stable")[:n]])
    drawn = unlabelled.rows(np.concatenate(chosen) if chosen else np.zeros(0, np.int64))
    return _family(Family.CO_MENTIONED, source, (positives, drawn), groups, settings.seed)


def _never(source: PairSource, groups: GroupArray, settings: ColumnSettings) -> FamilyPairs:
    """Known pairs, and pairs that are shuffled from OTHER known pairs (`donors`), which are used for nothing else.

    Whether a known pair is a positive or a donor is decided by hash, so that the entities of both are alike in all
    that training labels say of them. Shuffling the positives themselves would not do: a positive's entities then have
    one known pair less in training than those of a shuffled pair, and a classifier reads the label off that.
    """
    share = 1 + settings.shuffled_per_positive
    pool = _grouped(_sample(source, source.apart, groups, share * settings.never_positives, settings.seed), groups)
    pool = pool.rows(~_crowded(source, pool, groups, settings.seed))
    numbers = pair_numbers(source.ids, pool.heads, pool.tails, f"{settings.seed}|role")
    donor = np.ones(len(pool), np.bool_)
    cells = _exchange_cells(pool, groups)
    for cell in np.unique(cells).tolist():
        rows = np.flatnonzero(cells == cell)
        donor[rows[np.argsort(numbers[rows], kind="stable")[: -(-len(rows) // share)]]] = False
    shuffled = shuffled_pairs(source, pool.rows(donor), groups, settings.seed)
    return _family(Family.NEVER, source, (_in_order(pool.rows(~donor)), shuffled), groups, settings.seed)


def _sample(source: PairSource, pairs: Triples, groups: GroupArray, size: int, seed: int) -> Triples:
    """At most `size` pairs, the lowest hashes of each part in the part's share."""
    if len(pairs) <= size:
        return pairs
    numbers = pair_numbers(source.ids, pairs.heads, pairs.tails, f"{seed}|draw")
    first, second = groups[pairs.heads], groups[pairs.tails]
    validation = (first == VALIDATION_GROUP) | (second == VALIDATION_GROUP)
    place = np.zeros(len(pairs))
    for part in _PARTS:
        rows = np.flatnonzero(((first == second) == part.both) & (validation == part.validation))
        place[rows[np.argsort(numbers[rows], kind="stable")]] = (np.arange(len(rows)) + 0.5) / part.share
    return pairs.rows(np.sort(np.argsort(place, kind="stable")[:size]))


def _cells(pairs: Triples, groups: GroupArray) -> IntArray:
    """A number for label, part and whether both entities are of one group: pairs in one cell are exchangeable."""
    first, second = groups[pairs.heads], groups[pairs.tails]
    validation = (first == VALIDATION_GROUP) | (second == VALIDATION_GROUP)
    cells: IntArray = pairs.relations * 4 + (first == second) * 2 + validation
    return cells


def shuffled_pairs(source: PairSource, donors: Triples, groups: GroupArray, seed: int) -> Triples:
    """Heads beside the tails of other pairs of the same label and the same two groups.

    Each entity stands in as many shuffled pairs as in donors, but for the few pairs that no exchange makes free of a
    known relation or a common document; so degree says nothing, and cold stays cold.
    """
    own = _grouped(donors, groups)
    cells = _exchange_cells(own, groups)
    parts = [donors.rows(np.zeros(0, np.int64))]
    for cell in np.unique(cells).tolist():
        random = np.random.default_rng([seed, cell])
        parts.append(_exchange(source, own.rows(cells == cell), random))
    return _in_order(concatenated(*parts))


def _in_order(pairs: Triples) -> Triples:
    """Symmetric pairs with the lower index first."""
    return _turned(pairs, np.isin(pairs.relations, [r.column for r in SYMMETRIC]) & (pairs.heads > pairs.tails))


def _grouped(pairs: Triples, groups: GroupArray) -> Triples:
    """The pairs, symmetric ones with the lower group first, so that two groups make one cell."""
    symmetric = np.isin(pairs.relations, [r.column for r in SYMMETRIC])
    return _turned(pairs, symmetric & (groups[pairs.heads] > groups[pairs.tails]))


def _exchange_cells(pairs: Triples, groups: GroupArray) -> IntArray:
    cells: IntArray = (pairs.relations * 8 + groups[pairs.heads]) * 8 + groups[pairs.tails]
    return cells


def _crowded(source: PairSource, pairs: Triples, groups: GroupArray, seed: int) -> npt.NDArray[np.bool_]:
    """Pairs, highest hashes first, of entities that make up more than a tenth of the pairs of label and groups.

    Such an entity has no free tails left to be shuffled with, so that its degree would tell known pairs from others.
    """
    cells = _exchange_cells(pairs, groups)
    _, place, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    limits = np.maximum(sizes[place] // _CROWD, 1)
    order = np.argsort(pair_numbers(source.ids, pairs.heads, pairs.tails, f"{seed}|draw"), kind="stable")
    crowded = np.zeros(len(pairs), np.bool_)
    counts: dict[tuple[int, int], int] = {}
    for row in order.tolist():
        ends = [(int(cells[row]), int(side[row])) for side in (pairs.heads, pairs.tails)]
        crowded[row] = any(counts.get(end, 0) >= limits[row] for end in ends)
        if not crowded[row]:
            counts.update({end: counts.get(end, 0) + 1 for end in ends})
    return crowded


def _turned(pairs: Triples, which: npt.NDArray[np.bool_]) -> Triples:
    """The pairs, head and tail exchanged in some of them."""
    return Triples(
        np.where(which, pairs.tails, pairs.heads), pairs.relations, np.where(which, pairs.heads, pairs.tails)
    )


def _exchange(source: PairSource, own: Triples, random: np.random.Generator) -> Triples:
    """A permutation of the tails; a pair that must not be changes tails with one that stays allowed by it.

    Pairs that find no such other in `_TRIES` draws are left out.
    """
    tails = own.tails[random.permutation(len(own))]
    bad = _forbidden(source, own.heads, tails)
    keys = pair_keys(own.heads, tails)
    bad |= _repeated(keys)
    for _ in range(_TRIES):
        rows = np.flatnonzero(bad)
        if not len(rows):
            break
        rows, others = _partners(rows, len(own), random)
        new = (pair_keys(own.heads[rows], tails[others]), pair_keys(own.heads[others], tails[rows]))
        fits = ~(np.isin(new[0], keys) | np.isin(new[1], keys) | _repeated(np.concatenate(new)).reshape(2, -1).any(0))
        fits[fits] = ~_forbidden(source, own.heads[rows[fits]], tails[others[fits]])
        fits[fits] = ~_forbidden(source, own.heads[others[fits]], tails[rows[fits]])
        rows, others = rows[fits], others[fits]
        tails[rows], tails[others] = tails[others], tails[rows]
        keys = pair_keys(own.heads, tails)
        bad[rows] = bad[others] = False
    return Triples(own.heads[~bad], own.relations[~bad], tails[~bad])


def _partners(rows: IntArray, n: int, random: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Rows and another row for each at random, none of them twice."""
    others = random.integers(0, n, len(rows))
    kept = ~(_repeated(others) | np.isin(others, rows))
    return rows[kept], others[kept]


def _repeated(values: IntArray) -> npt.NDArray[np.bool_]:
    """Whether a value stood there before."""
    repeated = np.ones(len(values), np.bool_)
    repeated[np.unique(values, return_index=True)[1]] = False
    return repeated


def _forbidden(source: PairSource, heads: IntArray, tails: IntArray) -> npt.NDArray[np.bool_]:
    """Whether a pair is of one entity, known, or in a document."""
    keys, taken = pair_keys(heads, tails), source.known_keys
    at = np.minimum(np.searchsorted(taken, keys), len(taken) - 1)
    bad: npt.NDArray[np.bool_] = (heads == tails) | (taken[at] == keys)
    bad[~bad] = share_document(source.documents, heads[~bad], tails[~bad])
    return bad


def _family(
    family: Family, source: PairSource, parts: tuple[Triples, Triples], groups: GroupArray, seed: int
) -> FamilyPairs:
    """Positives and the others, in the order of label and key, so that files repeat to the byte."""
    both = concatenated(*parts)
    positive = np.arange(len(both)) < len(parts[0])
    order = np.lexsort((both.tails, both.heads, both.relations))
    both, positive = both.rows(order), positive[order]
    names = np.array(source.ids, dtype=object)
    first, second = groups[both.heads], groups[both.tails]
    return FamilyPairs(
        family=family,
        heads=both.heads,
        tails=both.tails,
        relations=both.relations,
        positive=positive,
        head_groups=first,
        tail_groups=second,
        splits=pair_split(names[both.heads], names[both.tails], seed),
        rounds=cold_rounds(first, second, pair_numbers(source.ids, both.heads, both.tails, f"{seed}|round")),
    )
