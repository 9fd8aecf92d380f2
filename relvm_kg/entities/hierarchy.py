"""Which entities are broader or narrower than others, by MeSH's tree numbers and by parents.

A heading is above another if one of its tree numbers starts one of the other's (`C10` is above `C10.574`). A
supplementary concept has no tree numbers; it is below the headings that it is mapped to, its parents, and below all
that is above them. A parent need not be in the catalogue: the tree numbers of the headings above stand beside the
entity as `parent_tree_numbers`, so that what is above the parent is still known.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relvm_kg.entities.names_file import is_parquet, read_names

IntArray = npt.NDArray[np.int64]
NAMES_COLUMNS = ("id", "type", "tree_numbers", "parents", "depth", "merged")
"""What `read_places` needs of a names catalogue."""


class Place(NamedTuple):
    """Where an entity stands in the hierarchies of its names catalogue."""

    depth: int | None = None
    """Levels below the root of its hierarchy; the smallest where it stands in several places."""
    n_narrower: int = 0
    """Headings below it in the whole names catalogue."""
    tree_numbers: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    """Ids of the broader entities next above it."""
    parent_tree_numbers: tuple[str, ...] = ()
    """Where it has no tree numbers of its own: those of the nearest broader entities that have some."""


class Hierarchy:
    """Broader and narrower entities of a catalogue.

    Args:
        ids: id of each row.
        tree_numbers: of each row.
        parents: ids of the broader entities next above each row; ids that are no row are known by their id alone.
        parent_tree_numbers: of the nearest headings above each row that has no tree numbers, rows or not.
    """

    def __init__(
        self,
        ids: Sequence[str],
        tree_numbers: Sequence[Sequence[str]],
        parents: Sequence[Sequence[str]],
        parent_tree_numbers: Sequence[Sequence[str]] | None = None,
    ) -> None:
        self._ids = list(ids)
        self._n_rows = len(ids)
        self._nodes = {entity: node for node, entity in enumerate(ids)}
        self._up: list[list[int]] = [[] for _ in ids]
        self._down: list[list[int]] = [[] for _ in ids]
        holders: dict[str, list[int]] = {}
        for row, numbers in enumerate(tree_numbers):
            for number in numbers:
                holders.setdefault(number, []).append(row)
        places = parent_tree_numbers or [()] * self._n_rows
        for row, (own, above, beside) in enumerate(zip(tree_numbers, parents, places, strict=True)):
            found = {broader for number in own for broader in _holders(_prefix(number), holders)}
            found |= {broader for number in beside for broader in _holders(number, holders)}
            found |= {self._node(parent) for parent in above}
            for broader in sorted(found - {row}):
                self._up[row].append(broader)
                self._down[broader].append(row)

    @classmethod
    def of_table(cls, table: pa.Table) -> Self:
        """The hierarchy of a table with `id`, and `tree_numbers` and the like where it has them (nulls are empty)."""
        lists = [_lists(table, name) for name in ("tree_numbers", "parents", "parent_tree_numbers")]
        return cls(table["id"].to_pylist(), *lists)

    def _node(self, entity: str) -> int:
        node = self._nodes.get(entity)
        if node is None:
            node = self._nodes[entity] = len(self._ids)
            self._ids.append(entity)
            self._up.append([])
            self._down.append([])
        return node

    def ancestors(self, entity: str) -> frozenset[str]:
        """Ids of all that is broader than an entity, never itself; nothing for an id that stands nowhere."""
        return self._reached_ids(entity, self._up)

    def descendants(self, entity: str) -> frozenset[str]:
        """Ids of all that is narrower than an entity, never itself; it may be a parent that is no row."""
        return self._reached_ids(entity, self._down)

    def above(self, rows: Iterable[int]) -> IntArray:
        """Rows that are broader than at least one of these, rising; one of these only if it is broader than another."""
        return self._rows(_reached(rows, self._up))

    def below(self, rows: Iterable[int]) -> IntArray:
        """Rows that are narrower than at least one of these, rising."""
        return self._rows(_reached(rows, self._down))

    def _rows(self, nodes: set[int]) -> IntArray:
        return np.array(sorted(node for node in nodes if node < self._n_rows), dtype=np.int64)

    def _reached_ids(self, entity: str, steps: Sequence[Sequence[int]]) -> frozenset[str]:
        node = self._nodes.get(entity)
        found = set() if node is None else _reached([node], steps) - {node}
        return frozenset(self._ids[other] for other in found)


def _reached(nodes: Iterable[int], steps: Sequence[Sequence[int]]) -> set[int]:
    """All nodes that one or more steps lead to."""
    found: set[int] = set()
    waiting = deque(nodes)
    while waiting:
        for node in steps[waiting.popleft()]:
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found


def _prefix(number: str) -> str:
    return number.rpartition(".")[0]


def _holders(number: str, holders: Mapping[str, list[int]]) -> list[int]:
    """Who has a tree number, or else the longest one that starts it."""
    while number:
        if number in holders:
            return holders[number]
        number = _prefix(number)
    return []


def _lists(table: pa.Table, name: str) -> list[list[str]]:
    if name not in table.schema.names:
        return [[]] * table.num_rows
    return [items or [] for items in table[name].to_pylist()]


def read_places(names: pa.Table, ids: Iterable[str]) -> dict[str, Place]:
    """Where entities stand, by id; an id that a newer one replaced stands where that one does.

    Args:
        names: a names catalogue, at least with `NAMES_COLUMNS`.
        ids: the entities to look up; those that the catalogue lacks are not in the answer.
    """
    rows = {entity: row for row, entity in enumerate(names["id"].to_pylist())}
    for row, old_ids in enumerate(names["merged"].to_pylist()):
        for old in old_ids or ():
            rows.setdefault(old, row)
    numbers, parents, depths = (names[name].to_pylist() for name in ("tree_numbers", "parents", "depth"))
    narrower = _NarrowerHeadings(numbers)
    found: dict[str, Place] = {}
    for entity in ids:
        if entity not in rows:
            continue
        row = rows[entity]
        own, above = tuple(numbers[row] or ()), tuple(parents[row] or ())
        beside = set() if own else _nearest_numbers(above, rows, numbers, parents)
        found[entity] = Place(depths[row], narrower.count(own), own, above, tuple(sorted(beside)))
    return found


def places_of_file(path: Path, ids: Iterable[str]) -> dict[str, Place]:
    """Where entities stand according to a file of names; nowhere if it is a plain names table."""
    return read_places(read_names(path, NAMES_COLUMNS), ids) if is_parquet(path) else {}


def _nearest_numbers(
    entities: Sequence[str], rows: Mapping[str, int], numbers: Sequence[list[str]], parents: Sequence[list[str]]
) -> set[str]:
    """Tree numbers of entities, or where one has none of those above it."""
    found: set[str] = set()
    seen = set(entities)
    waiting = deque(entities)
    while waiting:
        row = rows.get(waiting.popleft())
        if row is None:
            continue
        found.update(numbers[row] or ())
        above = () if numbers[row] else set(parents[row] or ()) - seen
        seen.update(above)
        waiting.extend(above)
    return found


class _NarrowerHeadings:
    """How many headings stand below tree numbers."""

    def __init__(self, tree_numbers: Iterable[Sequence[str] | None]) -> None:
        pairs = sorted((number, row) for row, numbers in enumerate(tree_numbers) for number in numbers or ())
        self._numbers = [number for number, _ in pairs]
        self._rows = [row for _, row in pairs]

    def count(self, tree_numbers: Sequence[str]) -> int:
        """Distinct headings of which a tree number starts with one of these and goes on."""
        below: set[int] = set()
        own: set[int] = set()
        for number in tree_numbers:
            first, last = (bisect_left(self._numbers, number + end) for end in (".", "/"))
            below.update(self._rows[first:last])
            own.update(self._rows[bisect_left(self._numbers, number) : first])
        return len(below - own)
