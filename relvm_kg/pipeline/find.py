"""What a text grounds to: the entity, or why there is none, with everything that goes by that name."""

from dataclasses import dataclass
from typing import NamedTuple

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.grounding import ground, nearest_names
from relvm_kg.errors import AmbiguousEntityError, UnknownEntityError
from relvm_kg.workspace import Workspace


class FoundEntity(NamedTuple):
    """An entity with what the catalogue says of it."""

    id: str
    name: str
    type: str
    synonyms: tuple[str, ...]
    n_documents: int
    n_training_sentences: int
    """Sentences of training documents that mention it; without one, no model can score it."""


class Candidate(NamedTuple):
    """An entity that a text names."""

    entity: FoundEntity
    text: str
    """The name as the catalogue has it."""
    kind: str
    """`name` (official), `alias` (of a table) or `text` (only seen in text)."""
    n_mentions: int
    """How often text calls the entity so."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a text leads to."""

    text: str
    entity: FoundEntity | None
    reason: str | None
    """Why it leads to no entity."""
    candidates: tuple[Candidate, ...]
    """Entities that go by exactly this name, in any case."""
    nearest: tuple[str, ...]
    """Names that are spelled most like it."""


def find_entity(workspace: Workspace, text: str) -> Found:
    """Ground a text in the workspace's catalogue, and tell what else it could mean.

    Raises:
        WorkspaceError: if the workspace has neither a corpus nor a model.
    """
    manifest = workspace.manifest
    catalogue = Catalogue.load(workspace.run_dir() if manifest.generation is None else workspace.corpus_dir)
    index, reason = None, None
    try:
        index = ground(text, catalogue)
    except (UnknownEntityError, AmbiguousEntityError) as error:
        reason = str(error)
    return Found(
        text=text,
        entity=None if index is None else _entity(catalogue, index),
        reason=reason,
        candidates=tuple(_candidates(catalogue, text)),
        nearest=tuple(nearest_names(text, catalogue)),
    )


def _candidates(catalogue: Catalogue, text: str) -> list[Candidate]:
    matches = catalogue.by_text.get(" ".join(text.split()).casefold(), [])
    found = [
        Candidate(_entity(catalogue, index), form.text, form.kind.value, form.n_mentions) for index, form in matches
    ]
    return sorted(found, key=lambda c: (-c.n_mentions, c.entity.id, c.text))


def _entity(catalogue: Catalogue, index: int) -> FoundEntity:
    return FoundEntity(
        str(catalogue.ids[index]),
        catalogue.names[index],
        catalogue.types[index].value,
        tuple(catalogue.synonyms(index)),
        int(catalogue.n_documents[index]),
        int(catalogue.n_training_sentences[index]),
    )
