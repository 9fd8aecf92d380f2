"""Gathers, mention by mention, what the catalogue says of each entity."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.entities.names import OfficialName
from relvm_kg.types import EntityId, EntityType


class CatalogueEntry(NamedTuple):
    """One row of the catalogue, with its surface forms."""

    id: EntityId
    type: EntityType
    name: str
    synonyms: tuple[str, ...]
    n_documents: int
    n_sentences: int
    n_training_sentences: int
    forms: tuple[tuple[str, int], ...]
    """Every text that names the entity and its number of mentions, 0 if only a names table or relation file has it."""


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
            stated: names that relation files give; the most frequent one is the name of an entity without an official one.
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
        forms = dict(sorted(seen.items(), key=lambda item: (-item[1], item[0])))
        table, names = official.get(entity), stated.get(entity, Counter())
        listed = sorted(names, key=lambda n: (-names[n], n))
        for form in (*((table.name, *table.aliases) if table else ()), *listed):
            forms.setdefault(form, 0)
        if table is not None:
            name = table.name
        else:
            name = listed[0] if listed else next(iter(forms), str(entity))
        synonyms = tuple(form for form in forms if form != name)
        n_documents, n_sentences, n_training = self._counts[index]
        return CatalogueEntry(
            entity, types[entity], name, synonyms, n_documents, n_sentences, n_training, tuple(forms.items())
        )
