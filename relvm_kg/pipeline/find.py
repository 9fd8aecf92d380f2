"""What a text grounds to: the entity, or why there is none, with everything that goes by that name."""

from dataclasses import dataclass
from typing import NamedTuple

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.collect import FormKind
from relvm_kg.entities.grounder import Grounder
from relvm_kg.entities.grounding import nearest_names, split_type
from relvm_kg.entities.lookup import NameKind, NamesLookup
from relvm_kg.entities.names_file import NameRow
from relvm_kg.errors import AmbiguousEntityError, NoTextError, UnknownEntityError
from relvm_kg.types import EntityId
from relvm_kg.workspace import Workspace


class FoundEntity(NamedTuple):
    """An entity with what the workspace and the names catalogue say of it."""

    id: str
    name: str
    type: str
    synonyms: tuple[str, ...]
    n_documents: int
    n_training_sentences: int
    """Sentences of training documents that mention it; without one, no model can score it."""
    in_workspace: bool = True
    """Whether text or relations of the workspace name it; else only the names catalogue knows it."""
    full_name: str | None = None
    previous: tuple[str, ...] = ()
    """What it was called before."""
    xrefs: tuple[str, ...] = ()
    """What it is in other vocabularies."""
    parents: tuple[str, ...] = ()
    """The next broader entities."""
    depth: int | None = None
    """Levels below the root of its hierarchy."""


class Candidate(NamedTuple):
    """An entity that a text names."""

    entity: FoundEntity
    text: str
    """The name as the catalogue has it."""
    kind: str
    """`name` (official), `alias` (of a table), `previous` (once official) or `text` (only seen in text)."""
    n_mentions: int
    """How often text calls the entity so."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a text leads to."""

    text: str
    entity: FoundEntity | None
    reason: str | None
    """Why it leads to no entity, or to one of which nothing is written here."""
    note: str | None
    """That the text is a former name, a replaced id, or an id of another vocabulary."""
    candidates: tuple[Candidate, ...]
    """Entities that go by exactly this name, in any case."""
    nearest: tuple[str, ...]
    """Names in the workspace that are spelled most like it."""
    nearest_absent: tuple[str, ...]
    """Such names of entities that only the names catalogue knows."""


def find_entity(workspace: Workspace, text: str) -> Found:
    """Ground a text in the workspace, and tell what else it could mean.

    Raises:
        WorkspaceError: if the workspace has neither a corpus nor a model.
    """
    folder = workspace.run_dir() if workspace.manifest.generation is None else workspace.corpus_dir
    return _Finder(Catalogue.load(folder), NamesLookup.in_folder(folder)).find(text)


class _Finder:
    def __init__(self, catalogue: Catalogue, names: NamesLookup | None) -> None:
        self._catalogue = catalogue
        self._names = names
        self._grounder = Grounder(catalogue, names)

    def find(self, text: str) -> Found:
        entity, reason, note = None, None, None
        try:
            index, note = self._grounder.ground(text)
            entity = self._entity(index)
        except NoTextError as error:
            known = self._grounder.known(text)[0]
            entity, reason, note = self._absent(known.row), str(error), known.note
        except (UnknownEntityError, AmbiguousEntityError) as error:
            reason = str(error)
        return Found(
            text=text,
            entity=entity,
            reason=reason,
            note=note,
            candidates=tuple(self._candidates(text)),
            nearest=tuple(nearest_names(text, self._catalogue)),
            nearest_absent=tuple(self._grounder.nearest_absent(text)),
        )

    def _candidates(self, text: str) -> list[Candidate]:
        bare = " ".join(text.split())
        matches = self._catalogue.by_text.get(bare.casefold(), [])
        found = [
            Candidate(self._entity(i), form.text, self._kind(i, form.kind, form.text), form.n_mentions)
            for i, form in matches
        ]
        here = {candidate.entity.id for candidate in found}
        for match in self._names.named(split_type(bare)[1]) if self._names is not None else ():
            if match.row.id not in here and EntityId(*match.row.id.split(":", 1)) not in self._catalogue.index:
                here.add(match.row.id)
                found.append(Candidate(self._absent(match.row), match.text, _KINDS[match.kind], 0))
        return sorted(found, key=lambda c: (-c.n_mentions, not c.entity.in_workspace, c.entity.id, c.text))

    def _kind(self, index: int, kind: FormKind, text: str) -> str:
        row = self._row(index) if kind is FormKind.ALIAS else None
        return _KINDS[NameKind.PREVIOUS] if row is not None and text in row.previous else kind.value

    def _row(self, index: int) -> NameRow | None:
        return None if self._names is None else self._names.by_id(self._catalogue.ids[index])

    def _entity(self, index: int) -> FoundEntity:
        catalogue, row = self._catalogue, self._row(index)
        found = FoundEntity(
            str(catalogue.ids[index]),
            catalogue.names[index],
            catalogue.types[index].value,
            tuple(catalogue.synonyms(index)),
            int(catalogue.n_documents[index]),
            int(catalogue.n_training_sentences[index]),
        )
        return found if row is None else _with_facts(found, row)

    def _absent(self, row: NameRow) -> FoundEntity:
        found = FoundEntity(row.id, row.name, row.type.value, row.synonyms, 0, 0, in_workspace=False)
        return _with_facts(found, row)


_KINDS = {
    NameKind.NAME: "name",
    NameKind.FULL_NAME: "alias",
    NameKind.SYNONYM: "alias",
    NameKind.PREVIOUS: "previous",
}


def _with_facts(entity: FoundEntity, row: NameRow) -> FoundEntity:
    return entity._replace(
        full_name=row.full_name, previous=row.previous, xrefs=row.xrefs, parents=row.parents, depth=row.depth
    )
