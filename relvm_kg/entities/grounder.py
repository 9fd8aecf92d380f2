"""The one way from what a person types to an entity: the catalogue of the workspace, then the names catalogue.

The workspace's catalogue (see `grounding`) holds the entities that its text or relations name. The names catalogue
knows many more, what they were called, and which ids were replaced. So a text leads to an entity here, with a note if
it is a former name, a replaced id or an id of another vocabulary; or to an error that says what it means and that
nothing is written of it here; or to the nearest names of both.
"""

from collections.abc import Sequence
from typing import NamedTuple

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.collect import FormKind, NameForm
from relvm_kg.entities.grounding import find_in_catalogue, possible_ids, split_type, unknown_message
from relvm_kg.entities.lookup import NameKind, NameMatch, NamesLookup
from relvm_kg.entities.names_file import NameRow
from relvm_kg.errors import AmbiguousEntityError, InvalidInputError, NoTextError, UnknownEntityError
from relvm_kg.identifiers import canonical_id
from relvm_kg.types import EntityId, EntityType

_N_SHOWN = 8
_N_NEAREST = 5
_MIN_LIKENESS = 75


class Grounding(NamedTuple):
    """What a text led to."""

    entity: int
    """Index in the catalogue."""
    note: str | None = None
    """What to tell the person: the text is a former name, a replaced id, or an id of another vocabulary."""


class Known(NamedTuple):
    """An entity of the names catalogue that a text leads to, with a note as in `Grounding`."""

    row: NameRow
    note: str | None = None

    @property
    def id(self) -> EntityId:
        """Its id."""
        return EntityId(*self.row.id.split(":", 1))


class Grounder:
    """Grounds texts.

    Args:
        catalogue: The entities of the workspace.
        names: The names catalogue; without one only the workspace's entities are known.
    """

    def __init__(self, catalogue: Catalogue, names: NamesLookup | None = None) -> None:
        self._catalogue = catalogue
        self._names = names

    def ground(self, text: str) -> Grounding:
        """The entity of the workspace that a text means.

        Raises:
            UnknownEntityError: if nothing goes by it anywhere; the message lists the nearest names.
            AmbiguousEntityError: if several entities do; the message lists them with types and documents.
            NoTextError: if the names catalogue knows it and nothing is written of it in the workspace.
        """
        try:
            index = find_in_catalogue(text, self._catalogue)
        except AmbiguousEntityError as error:
            raise AmbiguousEntityError(f"{error}{self._also_absent(text)}") from None
        if index is not None:
            self._check_rivals(text, index)
            return Grounding(index, self._former_name(text, index))
        known = self.known(text)
        here = [one for one in known if one.id in self._catalogue.index]
        candidates = here or known
        if not candidates:
            raise UnknownEntityError(self._unknown(text))
        if len(candidates) > 1:
            raise AmbiguousEntityError(self._ambiguous(text, candidates))
        if not here:
            raise NoTextError(_absent(known[0]))
        return Grounding(self._catalogue.index[here[0].id], here[0].note)

    def _check_rivals(self, text: str, index: int) -> None:
        """That a name which no text here uses, and only a table gives, is not that of an absent entity as well.

        `ALS` was a symbol of SOD1, and in a workspace of genes only SOD1 has it; the person may mean the disease.
        """
        forms = self._forms(text, index)
        if self._names is None or not forms or any(form.n_mentions or form.kind is FormKind.NAME for form in forms):
            return
        known = self.known(text)
        absent = [one for one in known if one.id not in self._catalogue.index]
        if absent:
            here = [one for one in known if one.id in self._catalogue.index]
            row = self._names.by_id(self._catalogue.ids[index])
            if row is not None and row.id not in {one.row.id for one in here}:
                here.insert(0, Known(row))
            raise AmbiguousEntityError(self._ambiguous(text, [*here, *absent]))

    def _forms(self, text: str, index: int) -> list[NameForm]:
        return [form for place, form in self._catalogue.by_text.get(_bare(text).casefold(), ()) if place == index]

    def _also_absent(self, text: str) -> str:
        """The entities that go by a name and of which nothing is written here, to stand at the end of a list."""
        absent = [one for one in self.known(text) if one.id not in self._catalogue.index]
        return f"; not written of here: {'; '.join(map(self._describe, absent[:_N_SHOWN]))}" if absent else ""

    def _former_name(self, text: str, index: int) -> str | None:
        """The note if the text is a former name of the entity, and none that it or text uses today."""
        if self._names is None:
            return None
        local, forms = _bare(text), self._forms(text, index)
        if not forms or any(form.kind is FormKind.NAME for form in forms):
            return None
        row = self._names.by_id(self._catalogue.ids[index])
        if row is None or not _has(row.previous, local) or _has((row.name, row.full_name or "", *row.synonyms), local):
            return None
        return _renamed(local, row)

    def known(self, text: str) -> list[Known]:
        """The entities of the names catalogue that a text leads to.

        By their id, else by an id that they replaced or have elsewhere, else by their most official name.
        """
        if self._names is None:
            return []
        entity_type, local = split_type(" ".join(text.split()))
        found = self._known_by_id(text, entity_type, local)
        if found:
            return found
        matches = [m for m in self._names.named(local) if entity_type in (None, m.row.type)]
        best = _most_official(matches, local)
        return [Known(m.row, _renamed(local, m.row) if m.kind is NameKind.PREVIOUS else None) for m in best]

    def _known_by_id(self, text: str, entity_type: EntityType | None, local: str) -> list[Known]:
        assert self._names is not None
        wanted = _ids(text, entity_type, local)
        found = {row.id: Known(row) for entity in wanted if (row := self._names.by_id(entity)) is not None}
        if found:
            return list(found.values())
        for entity in wanted:
            for other in self._names.by_other_id(entity):
                said = "was replaced by" if other.is_merged else "is, in this catalogue,"
                found.setdefault(other.row.id, Known(other.row, f"{entity} {said} {other.row.name} ({other.row.id})"))
        kinds = [kind for kind in EntityType if any(one.row.type is kind for one in found.values())]
        return [one for one in found.values() if one.row.type is kinds[0]] if kinds else []

    def _ambiguous(self, text: str, candidates: Sequence[Known]) -> str:
        shown = "; ".join(self._describe(one) for one in candidates[:_N_SHOWN])
        more = f"; and {len(candidates) - _N_SHOWN} more" if len(candidates) > _N_SHOWN else ""
        wanted = " ".join(text.split())
        return f"{wanted!r} names {len(candidates)} entities; give the id of one: {shown}{more}"

    def _describe(self, one: Known) -> str:
        index = self._catalogue.index.get(one.id)
        n = 0 if index is None else int(self._catalogue.n_documents[index])
        return f"{one.row.id} {one.row.name} ({one.row.type.value}, {n:,} document{'' if n == 1 else 's'})"

    def _unknown(self, text: str) -> str:
        message = unknown_message(text, self._catalogue)
        absent = self.nearest_absent(text)
        return (
            f"{message}{'' if message.endswith('?') else ';'} not written of here: {', '.join(absent)}"
            if absent
            else message
        )

    def nearest_absent(self, text: str) -> list[str]:
        """Names most like a text of entities that are not in the workspace, each with its id."""
        entity_type, local = split_type(" ".join(text.split()))
        if self._names is None or not any(character.isalpha() for character in local) or _is_curie(local):
            return []
        near = self._names.nearest(local, entity_type, _N_NEAREST * 2, _MIN_LIKENESS)
        others = [one for one in near if one.text.casefold() != local.casefold()]
        absent = [one for one in others if EntityId(*one.row.id.split(":", 1)) not in self._catalogue.index]
        return [f"{one.text} ({one.row.id})" for one in absent[:_N_NEAREST]]


def _bare(text: str) -> str:
    return split_type(" ".join(text.split()))[1]


def _has(names: Sequence[str], text: str) -> bool:
    return text.lower() in (name.lower() for name in names)


def _renamed(text: str, row: NameRow) -> str:
    return f"{text} is now called {row.name} ({row.id})"


def _absent(one: Known) -> str:
    full = f" {one.row.full_name}," if one.row.full_name else ""
    note = f"; {one.note}" if one.note else ""
    return (
        f"{one.row.name} ({one.row.id},{full} {one.row.type.value}) is known, but no text or relation of this "
        f"workspace mentions it, so nothing can be said of it{note}"
    )


def _most_official(matches: Sequence[NameMatch], text: str) -> list[NameMatch]:
    """The matches of the most official kind, those in the case that was typed first; one for each entity."""
    tiers = [
        [m for m in matches if m.kind is NameKind.NAME and m.text == text],
        [m for m in matches if m.kind is NameKind.NAME],
        [m for m in matches if m.kind is not NameKind.PREVIOUS and m.text == text],
        [m for m in matches if m.kind is not NameKind.PREVIOUS],
        list(matches),
    ]
    chosen = next((tier for tier in tiers if tier), [])
    return list({m.row.id: m for m in reversed(chosen)}.values())[::-1]


def _is_curie(text: str) -> bool:
    return ":" in text and bool(possible_ids(text, None, text))


def _ids(text: str, entity_type: EntityType | None, local: str) -> list[EntityId]:
    """Every id that a text may be, as the catalogues write it."""
    found = possible_ids(" ".join(text.split()), entity_type, local) if ":" in text else []
    for possible in [entity_type] if entity_type is not None else list(EntityType):
        try:
            found.append(canonical_id(local, possible))
        except InvalidInputError:
            continue
    return list(dict.fromkeys(found))
