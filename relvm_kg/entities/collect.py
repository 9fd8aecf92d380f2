"""Gathers, mention by mention, what the catalogue says of each entity."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.entities.names import OfficialName
from relvm_kg.types import EntityId, EntityType


class FormKind(StrEnum):
    """Where a text that names an entity comes from."""

    NAME = "name"
    """The official symbol or name: a names table's, else a relation file's."""
    ALIAS = "alias"
    """Another name that a names table or relation file states."""
    TEXT = "text"
    """Only seen in text."""


class NameForm(NamedTuple):
    """A text that names an entity, and how often the corpus has it (0: only a table states it)."""

    text: str
    n_mentions: int
    kind: FormKind


class CatalogueEntry(NamedTuple):
    """One row of the catalogue, with its surface forms."""

    id: EntityId
    type: EntityType
    name: str
    synonyms: tuple[str, ...]
    n_documents: int
    n_sentences: int
    n_training_sentences: int
    forms: tuple[NameForm, ...]
    """Every text that names the entity."""


class EntityCollector:
    """Counts mentions; entities get provisional indices in order of first sight."""

    def __init__(self) -> None:
        self.ids: list[EntityId] = []
        self._index: dict[EntityId, int] = {}
        self._types: list[Counter[EntityType]] = []
        self._forms: list[Counter[str]] = []
        self._counts: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, entity: EntityId) -> int:
        """The provisional index of an id, a new one at first sight."""
        found = self._index.get(entity)
        if found is None:
            found = self._index[entity] = len(self.ids)
            self.ids.append(entity)
            self._types.append(Counter())
            self._forms.append(Counter())
            self._counts.append([0, 0, 0])
        return found

    def add_mention(self, index: int, entity_type: EntityType, surface: str, alone: bool) -> None:
        """Count a mention; the text of a composite mention (`alone` false) names none of its entities."""
        self._types[index][entity_type] += 1
        if alone:
            self._forms[index][" ".join(surface.split())] += 1

    def add_sentence(self, indices: Iterable[int], held_out: bool) -> None:
        """Count a sentence that mentions these entities (each once)."""
        for index in indices:
            self._counts[index][1] += 1
            self._counts[index][2] += not held_out

    def add_document(self, indices: Iterable[int]) -> None:
        """Count a document that mentions these entities (each once)."""
        for index in indices:
            self._counts[index][0] += 1

    def merge(self, other: "EntityCollector") -> npt.NDArray[np.int32]:
        """Add what another collector counted; returns this one's index of each of its entities."""
        rows = np.array([self.index(entity) for entity in other.ids], dtype=np.int32)
        for place, row in enumerate(rows.tolist()):
            self._types[row].update(other._types[place])
            self._forms[row].update(other._forms[place])
            self._counts[row] = [a + b for a, b in zip(self._counts[row], other._counts[place], strict=True)]
        return rows

    def types(self) -> dict[EntityId, Counter[EntityType]]:
        """How often each id was tagged as each type."""
        return dict(zip(self.ids, self._types, strict=True))

    def entries(
        self,
        types: Mapping[EntityId, EntityType],
        official: Mapping[EntityId, OfficialName],
        stated: Mapping[EntityId, Counter[str]],
    ) -> tuple[list[CatalogueEntry], npt.NDArray[np.int32]]:
        """The catalogue's rows, sorted by id, and for each provisional index its row.

        Args:
            types: the type of every entity.
            official: names of a names table.
            stated: names that relation files give; the most frequent one names an entity that no table has.
        """
        order = sorted(range(len(self.ids)), key=lambda i: str(self.ids[i]))
        rows = np.empty(len(order), dtype=np.int32)
        rows[order] = np.arange(len(order), dtype=np.int32)
        return [self._entry(i, types, official, stated) for i in order], rows

    def _entry(
        self,
        index: int,
        types: Mapping[EntityId, EntityType],
        official: Mapping[EntityId, OfficialName],
        stated: Mapping[EntityId, Counter[str]],
    ) -> CatalogueEntry:
        entity, seen = self.ids[index], self._forms[index]
        table, listed = official.get(entity), stated.get(entity, Counter())
        names = [*((table.name, *table.aliases) if table else ()), *sorted(listed, key=lambda n: (-listed[n], n))]
        kinds = {text: FormKind.ALIAS if place else FormKind.NAME for place, text in reversed(list(enumerate(names)))}
        texts = sorted(seen, key=lambda form: (-seen[form], form)) + [name for name in kinds if name not in seen]
        forms = tuple(NameForm(text, seen[text], kinds.get(text, FormKind.TEXT)) for text in texts)
        name = names[0] if names else next(iter(texts), str(entity))
        synonyms = tuple(text for text in texts if text != name)
        n_documents, n_sentences, n_training = self._counts[index]
        return CatalogueEntry(entity, types[entity], name, synonyms, n_documents, n_sentences, n_training, forms)
