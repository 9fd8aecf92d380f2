"""Look-ups in a names catalogue on disk: by id, by an id of another vocabulary, by name, and by likeness.

Columns are read when they are first needed and stay columns: a question of a third of a million entities is answered
in some hundredths of a second, without a Python object for each name.
"""

import shutil
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz, process

from relvm_kg.entities.names_file import NAMES_SCHEMA, NameRow, is_parquet, read_names
from relvm_kg.types import EntityId, EntityType

NAMES_FILE = "names.parquet"
"""The names catalogue in the folder of a corpus generation."""
_LENGTH_SHARE = 0.3
_MIN_SLACK = 2
_MAX_FORMS = 50


class NameKind(StrEnum):
    """What a name is to its entity, the most official first."""

    NAME = "name"
    FULL_NAME = "full_name"
    SYNONYM = "synonyms"
    PREVIOUS = "previous"


class NameMatch(NamedTuple):
    """An entity that goes, or once went, by a name."""

    row: NameRow
    text: str
    kind: NameKind


class OtherId(NamedTuple):
    """An entity that an id of another vocabulary means, or that replaced an id."""

    row: NameRow
    is_merged: bool


class NearName(NamedTuple):
    """A name that is spelled like a text, with its likeness (0 to 100)."""

    score: float
    text: str
    row: NameRow


def keep_names(path: Path, folder: Path) -> None:
    """Put a names catalogue into the folder of a generation (a hard link where that can be); other tables are not."""
    if not is_parquet(path):
        return
    target = folder / NAMES_FILE
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, target)


class NamesLookup:
    """Answers about one names file.

    Args:
        path: The file; it is read when the first question is asked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def in_folder(cls, folder: Path) -> Self | None:
        """The names file of a corpus generation; None where it was built without one."""
        path = folder / NAMES_FILE
        return cls(path) if path.is_file() else None

    @cached_property
    def _table(self) -> pa.Table:
        return read_names(self._path).combine_chunks()

    @cached_property
    def _forms(self) -> tuple[pa.Array, npt.NDArray[np.int64], list[tuple[NameKind, int]]]:
        """Names in lower case, the row of each, and the kinds with where each begins."""
        texts, rows, kinds, n = [], [], [], 0
        for kind in NameKind:
            column = self._table[kind.value].combine_chunks()
            if pa.types.is_list(column.type):
                found, places = pc.list_flatten(column), pc.list_parent_indices(column).to_numpy()
            else:
                places = np.flatnonzero(pc.is_valid(column).to_numpy(zero_copy_only=False))
                found = pc.drop_null(column)
            kinds.append((kind, n))
            n += len(found)
            texts.append(pc.utf8_lower(found))
            rows.append(places.astype(np.int64))
        return pa.concat_arrays(texts), np.concatenate(rows), kinds

    @cached_property
    def _lengths(self) -> pa.Array:
        return pc.utf8_length(self._forms[0])

    def _row(self, place: int) -> NameRow:
        values = self._table.slice(place, 1).to_pylist()[0]
        lists = {f.name: tuple(values[f.name]) for f in NAMES_SCHEMA if pa.types.is_list(f.type)}
        return NameRow(**{**values, **lists, "type": EntityType(values["type"])})

    def by_id(self, entity: EntityId) -> NameRow | None:
        """The entity with an id."""
        places = _where(self._table["id"].combine_chunks(), str(entity))
        return self._row(int(places[0])) if len(places) else None

    def by_other_id(self, entity: EntityId) -> list[OtherId]:
        """The entities that replaced an id or have it as a cross-reference; genes first."""
        found = []
        for name in ("merged", "xrefs"):
            column = self._table[name].combine_chunks()
            parents = pc.list_parent_indices(column).to_numpy()
            places = np.unique(parents[_where(pc.list_flatten(column), str(entity))])
            found += [OtherId(self._row(place), name == "merged") for place in places.tolist()]
        return sorted(found, key=lambda other: other.row.type is not EntityType.GENE)

    def named(self, text: str) -> list[NameMatch]:
        """The entities that go by a name, in any case; the most official first, then by id."""
        texts, rows, _ = self._forms
        wanted = " ".join(text.split()).lower()
        found: dict[tuple[int, NameKind], NameMatch] = {}
        for form in _where(texts, wanted).tolist():
            place, kind = int(rows[form]), self._kind(form)
            found.setdefault((place, kind), NameMatch(row := self._row(place), _spelled(row, kind, text), kind))
        return list(found.values())

    def _kind(self, form: int) -> NameKind:
        return next(kind for kind, start in reversed(self._forms[2]) if form >= start)

    def nearest(self, text: str, entity_type: EntityType | None, limit: int, min_score: float) -> list[NearName]:
        """The names that are spelled most like a text, one for each entity; names of much other length are left out."""
        texts, rows, _ = self._forms
        wanted = " ".join(text.split()).lower()
        slack = max(_MIN_SLACK, int(len(wanted) * _LENGTH_SHARE))
        near = pc.and_(
            pc.greater_equal(self._lengths, len(wanted) - slack), pc.less_equal(self._lengths, len(wanted) + slack)
        )
        forms = np.flatnonzero(near.to_numpy(zero_copy_only=False))
        choices = texts.take(pa.array(forms)).to_pylist()
        scored = process.extract(wanted, choices, scorer=fuzz.ratio, limit=_MAX_FORMS, score_cutoff=min_score)
        best: dict[int, NearName] = {}
        for _, score, choice in sorted(scored, key=lambda found: (-found[1], int(forms[found[2]]))):
            form = int(forms[choice])
            place = int(rows[form])
            if place not in best and len(best) < limit:
                row = self._row(place)
                if entity_type in (None, row.type):
                    best[place] = NearName(score, _spelled(row, self._kind(form), choices[choice]), row)
        return list(best.values())


def _where(column: pa.Array, value: str) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = np.flatnonzero(pc.equal(column, value).to_numpy(zero_copy_only=False))
    return found


def _spelled(row: NameRow, kind: NameKind, text: str) -> str:
    """A name as the catalogue spells it."""
    names = {
        NameKind.NAME: (row.name,),
        NameKind.FULL_NAME: (row.full_name or "",),
        NameKind.SYNONYM: row.synonyms,
        NameKind.PREVIOUS: row.previous,
    }[kind]
    wanted = " ".join(text.split())
    if wanted in names:
        return wanted
    return next((name for name in names if name.lower() == wanted.lower()), wanted)
