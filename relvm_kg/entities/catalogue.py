"""The catalogue: one row for each entity of a corpus, in memory as arrays and look-ups.

Files of a generation: `entities.parquet` (see `ENTITY_SCHEMA`), and `synonyms.parquet`, which holds every text that
names an entity (the official name, too) with its number of mentions and its kind: `name`, `alias` or `text` (see
`FormKind`). The columns from `depth` on are null where no names catalogue has the entity.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.entities.collect import CatalogueEntry, FormKind, NameForm
from relvm_kg.entities.hierarchy import Hierarchy, Place
from relvm_kg.errors import WorkspaceError
from relvm_kg.types import EntityId, EntityType

ENTITY_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("synonyms", pa.list_(pa.string()), nullable=False),
        pa.field("n_documents", pa.int32(), nullable=False),
        pa.field("n_sentences", pa.int32(), nullable=False),
        pa.field("n_training_sentences", pa.int32(), nullable=False),
        pa.field("n_training_contexts", pa.int32(), nullable=False),
        pa.field("document_share", pa.float32(), nullable=False),
        pa.field("depth", pa.int16()),
        pa.field("n_narrower", pa.int32()),
        pa.field("tree_numbers", pa.list_(pa.string())),
        pa.field("parents", pa.list_(pa.string())),
        pa.field("parent_tree_numbers", pa.list_(pa.string())),
    ]
)
SYNONYM_SCHEMA = pa.schema(
    [
        pa.field("entity", pa.int32(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("n_mentions", pa.int32(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
    ]
)


def write_catalogue(
    folder: Path,
    entries: Sequence[CatalogueEntry],
    n_training_contexts: Sequence[int],
    n_documents: int = 0,
    places: Mapping[str, Place] | None = None,
) -> None:
    """Write `entities.parquet` and `synonyms.parquet`.

    Args:
        folder: the generation.
        entries: sorted by id.
        n_training_contexts: of each entry.
        n_documents: all documents of the corpus, of which the shares are.
        places: where entities stand in the hierarchies of a names catalogue, by id.
    """
    stands = [(places or {}).get(str(e.id)) for e in entries]
    columns: dict[str, list[Any]] = {
        "id": [str(e.id) for e in entries],
        "type": [e.type.value for e in entries],
        "name": [e.name for e in entries],
        "synonyms": [list(e.synonyms) for e in entries],
        "n_documents": [e.n_documents for e in entries],
        "n_sentences": [e.n_sentences for e in entries],
        "n_training_sentences": [e.n_training_sentences for e in entries],
        "n_training_contexts": list(n_training_contexts),
        "document_share": [e.n_documents / n_documents if n_documents else 0.0 for e in entries],
    }
    columns |= {name: [None if p is None else getattr(p, name) for p in stands] for name in Place._fields}
    pq.write_table(pa.table(columns, schema=ENTITY_SCHEMA), folder / "entities.parquet")
    forms = [(row, *form) for row, entry in enumerate(entries) for form in entry.forms]
    synonyms = {name: [form[i] for form in forms] for i, name in enumerate(SYNONYM_SCHEMA.names)}
    pq.write_table(pa.table(synonyms, schema=SYNONYM_SCHEMA), folder / "synonyms.parquet")


class Catalogue:
    """Entities by index (row of `entities.parquet`, sorted by id).

    Args:
        entities: a table of `ENTITY_SCHEMA`.
        synonyms: a table of `SYNONYM_SCHEMA`; None takes the names and synonyms of the entities, without counts.
    """

    def __init__(self, entities: pa.Table, synonyms: pa.Table | None) -> None:
        self.table = entities
        """The table itself, as it goes into a model folder."""
        self._synonyms = synonyms
        self.ids: tuple[EntityId, ...] = tuple(EntityId(*t.split(":", 1)) for t in entities["id"].to_pylist())
        self.types: tuple[EntityType, ...] = tuple(EntityType(t) for t in entities["type"].to_pylist())
        self.names: tuple[str, ...] = tuple(entities["name"].to_pylist())
        self.n_documents: npt.NDArray[np.int32] = entities["n_documents"].to_numpy()
        self.n_sentences: npt.NDArray[np.int32] = entities["n_sentences"].to_numpy()
        self.n_training_sentences: npt.NDArray[np.int32] = entities["n_training_sentences"].to_numpy()
        self.n_training_contexts: npt.NDArray[np.int32] = entities["n_training_contexts"].to_numpy()
        self.document_share: npt.NDArray[np.float32] = self._numbers("document_share", 0).astype(np.float32)
        """Share of the corpus's documents that mention each entity."""
        self.n_narrower: npt.NDArray[np.int32] = self._numbers("n_narrower", 0).astype(np.int32)
        """Headings below each entity in the names catalogue; 0 where it has none."""
        self._depths: npt.NDArray[np.int16] = self._numbers("depth", -1).astype(np.int16)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the catalogue of a corpus generation or a model.

        Raises:
            WorkspaceError: if the folder holds none.
        """
        path = folder / "synonyms.parquet"
        try:
            return cls(pq.read_table(folder / "entities.parquet"), pq.read_table(path) if path.is_file() else None)
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise WorkspaceError(f"{folder} must hold a catalogue: {error}; build the workspace again") from error

    def with_entries(self, entries: Sequence[CatalogueEntry]) -> "Catalogue":
        """The same catalogue with more entities at its end; it is not sorted any more."""
        columns: dict[str, list[Any]] = {
            "id": [str(e.id) for e in entries],
            "type": [e.type.value for e in entries],
            "name": [e.name for e in entries],
            "synonyms": [list(e.synonyms) for e in entries],
            "n_documents": [e.n_documents for e in entries],
            "n_sentences": [e.n_sentences for e in entries],
            **dict.fromkeys(("n_training_sentences", "n_training_contexts", "document_share"), [0] * len(entries)),
        }
        table = _appended(self.table, columns, len(entries))
        if self._synonyms is None:
            return Catalogue(table, None)
        forms = [(len(self) + place, *form) for place, entry in enumerate(entries) for form in entry.forms]
        names = {name: [form[i] for form in forms] for i, name in enumerate(SYNONYM_SCHEMA.names)}
        return Catalogue(table, _appended(self._synonyms, names, len(forms)))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> dict[EntityId, int]:
        """Id to index."""
        return {entity: row for row, entity in enumerate(self.ids)}

    @cached_property
    def curies(self) -> list[str]:
        """Ids as text."""
        return [str(entity) for entity in self.ids]

    @cached_property
    def _by_type(self) -> dict[EntityType, npt.NDArray[np.int32]]:
        columns = np.array([list(EntityType).index(t) for t in self.types], dtype=np.int8)
        return {t: np.flatnonzero(columns == i).astype(np.int32) for i, t in enumerate(EntityType)}

    def _numbers(self, name: str, missing: int) -> npt.NDArray[Any]:
        """A column with its nulls filled; a catalogue of an earlier version may lack it."""
        if name not in self.table.schema.names:
            return np.full(self.table.num_rows, missing)
        filled: npt.NDArray[Any] = self.table[name].fill_null(missing).to_numpy()
        return filled

    def depth(self, index: int) -> int | None:
        """Levels below the root of an entity's hierarchy; None where no names catalogue has it."""
        depth = int(self._depths[index])
        return None if depth < 0 else depth

    @cached_property
    def tree_numbers(self) -> list[list[str]]:
        """MeSH tree numbers of each entity; none where no names catalogue has them."""
        if "tree_numbers" not in self.table.schema.names:
            return [[]] * len(self)
        return [numbers or [] for numbers in self.table["tree_numbers"].to_pylist()]

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """Which entities are broader or narrower than others."""
        return Hierarchy.of_table(self.table)

    def of_type(self, entity_type: EntityType) -> npt.NDArray[np.int32]:
        """Indices of the entities of a type, rising. *Shape:* (entities of the type,)."""
        return self._by_type[entity_type]

    def synonyms(self, index: int) -> list[str]:
        """Texts that name an entity beside its name, most mentioned first."""
        found: list[str] = self.table["synonyms"][index].as_py()
        return found

    @cached_property
    def by_text(self) -> dict[str, list[tuple[int, NameForm]]]:
        """Every text that names an entity, by its case-folded form, with the indices of the entities it names."""
        found: dict[str, list[tuple[int, NameForm]]] = {}
        for index, form in self._forms():
            found.setdefault(form.text.casefold(), []).append((index, form))
        return found

    def _forms(self) -> Iterator[tuple[int, NameForm]]:
        if self._synonyms is None:
            for index, name in enumerate(self.names):
                yield index, NameForm(name, 0, FormKind.NAME)
                yield from ((index, NameForm(text, 0, FormKind.TEXT)) for text in self.synonyms(index))
            return
        columns = (self._synonyms[name].to_pylist() for name in SYNONYM_SCHEMA.names)
        for index, text, n_mentions, kind in zip(*columns, strict=True):
            yield index, NameForm(text, n_mentions, FormKind(kind))


def _appended(table: pa.Table, columns: Mapping[str, list[Any]], n: int) -> pa.Table:
    """A table with rows added; columns that are not given are null there."""
    added = [pa.array(columns.get(field.name, [None] * n), type=field.type) for field in table.schema]
    names = table.schema.names
    nullable = pa.schema([field.with_nullable(True) for field in table.schema])
    return pa.concat_tables([table.cast(nullable), pa.Table.from_arrays(added, names=names).cast(nullable)])
