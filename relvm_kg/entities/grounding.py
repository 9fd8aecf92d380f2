"""From what a person types to an entity of the catalogue; `grounder` adds what a names catalogue knows beside it.

In this order, and the first that answers counts: an id (`NCBIGene:6506`, `GENE:6506`); an official symbol or name, in
the case that was typed, else in any (unless text means others by it and never this one); a synonym that is
unambiguous; a bare id (`D000690`). `GENE:`, `DISEASE:` and `CHEMICAL:` before a name take only entities of that type.

A synonym is unambiguous if one entity has nine tenths of its mentions, or if only one entity has it in a names table
and that entity has at least half of its mentions, or if no other entity has it.
"""

from collections.abc import Sequence

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.collect import FormKind, NameForm
from relvm_kg.errors import AmbiguousEntityError, InvalidInputError, UnknownEntityError
from relvm_kg.identifiers import canonical_id
from relvm_kg.types import EntityId, EntityType

OVERWHELMING = 0.9
"""Share of a synonym's mentions from which it means one entity."""
_HALF = 0.5
_N_SHOWN = 8
_N_NEAREST = 5
_MIN_LIKENESS = 70

Match = tuple[int, NameForm]


def ground(text: str, catalogue: Catalogue) -> int:
    """The catalogue index of an id, symbol, name or synonym.

    Raises:
        UnknownEntityError: if nothing in the catalogue goes by it; the message lists the nearest names.
        AmbiguousEntityError: if several entities do; the message lists them.
    """
    index = find_in_catalogue(text, catalogue)
    if index is None:
        raise UnknownEntityError(unknown_message(text, catalogue))
    return index


def find_in_catalogue(text: str, catalogue: Catalogue) -> int | None:
    """The catalogue index of an id, symbol, name or synonym; None if nothing in the catalogue goes by it.

    Raises:
        AmbiguousEntityError: if several entities go by it; the message lists them.
    """
    wanted = " ".join(text.split())
    entity_type, local = split_type(wanted)
    index = _by_id(wanted, entity_type, local, catalogue)
    if index is None:
        index = _by_name(wanted, catalogue, None)
    if index is None and entity_type is not None:
        index = _by_name(local, catalogue, entity_type)
    if index is None:
        index = _by_bare_id(wanted, catalogue)
    return index


def split_type(text: str) -> tuple[EntityType | None, str]:
    """The type that a text asks for (`GENE:`, `DISEASE:` or `CHEMICAL:` before a name or id), and the rest."""
    prefix, colon, local = text.partition(":")
    if colon and prefix.upper() in EntityType.__members__:
        return EntityType[prefix.upper()], local.strip()
    return None, text


def _by_id(text: str, entity_type: EntityType | None, local: str, catalogue: Catalogue) -> int | None:
    if ":" not in text:
        return None
    for possible in [entity_type] if entity_type is not None else list(EntityType):
        try:
            index = catalogue.index.get(canonical_id(local, possible))
        except InvalidInputError:
            continue
        if index is not None:
            return index
    return None


def _by_bare_id(text: str, catalogue: Catalogue) -> int | None:
    found: set[int] = set()
    for entity_type in EntityType:
        try:
            index = catalogue.index.get(canonical_id(text, entity_type))
        except InvalidInputError:
            continue
        if index is not None:
            found.add(index)
    if len(found) > 1:
        raise AmbiguousEntityError(_ambiguous(text, sorted(found), catalogue))
    return found.pop() if found else None


def _by_name(text: str, catalogue: Catalogue, entity_type: EntityType | None) -> int | None:
    matches = [
        (index, form)
        for index, form in catalogue.by_text.get(text.casefold(), [])
        if entity_type is None or catalogue.types[index] is entity_type
    ]
    exact = [match for match in matches if match[1].text == text]
    official = {index for index, form in exact if form.kind is FormKind.NAME}
    if not official:
        official = {index for index, form in matches if form.kind is FormKind.NAME and not _is_stranger(index, matches)}
    if len(official) == 1:
        return official.pop()
    if official:
        raise AmbiguousEntityError(_ambiguous(text, sorted(official), catalogue))
    chosen = exact or matches
    if not chosen:
        return None
    index = _unambiguous(chosen)
    if index is None:
        raise AmbiguousEntityError(_ambiguous(text, _by_mentions(matches), catalogue))
    return index


def _is_stranger(index: int, matches: Sequence[Match]) -> bool:
    """Whether text never calls an entity so, but calls others so."""
    mentions = _mentions(matches)
    return mentions[index] == 0 and sum(mentions.values()) > 0


def _unambiguous(matches: Sequence[Match]) -> int | None:
    mentions = _mentions(matches)
    first = max(mentions, key=lambda index: (mentions[index], -index))
    total = sum(mentions.values())
    if len(mentions) == 1 or (total and mentions[first] >= OVERWHELMING * total):
        return first
    listed = {index for index, form in matches if form.kind is FormKind.ALIAS}
    if len(listed) == 1:
        alias = listed.pop()
        if mentions[alias] >= _HALF * total:
            return alias
    return None


def _mentions(matches: Sequence[Match]) -> dict[int, int]:
    mentions: dict[int, int] = {}
    for index, form in matches:
        mentions[index] = mentions.get(index, 0) + form.n_mentions
    return mentions


def _by_mentions(matches: Sequence[Match]) -> list[int]:
    mentions = _mentions(matches)
    return sorted(mentions, key=lambda index: (-mentions[index], index))


def describe(index: int, catalogue: Catalogue) -> str:
    """An entity in a list of candidates: id, name, type and documents."""
    documents = int(catalogue.n_documents[index])
    shown = f"{documents:,} document{'' if documents == 1 else 's'}"
    return f"{catalogue.ids[index]} {catalogue.names[index]} ({catalogue.types[index].value}, {shown})"


def _ambiguous(text: str, candidates: Sequence[int], catalogue: Catalogue) -> str:
    shown = "; ".join(describe(index, catalogue) for index in candidates[:_N_SHOWN])
    more = f"; and {len(candidates) - _N_SHOWN} more" if len(candidates) > _N_SHOWN else ""
    return f"{text!r} names {len(candidates)} entities; give the id of one: {shown}{more}"


def unknown_message(text: str, catalogue: Catalogue) -> str:
    """What to say of a text that nothing in the catalogue goes by."""
    text = " ".join(text.split())
    entity_type, local = split_type(text)
    wanted = possible_ids(text, entity_type, local)
    nearest = nearest_names(local, catalogue, entity_type) + nearest_ids(wanted, catalogue)
    hint = f"did you mean {', '.join(nearest)}?" if nearest else "no name is spelled like it; try a symbol or a name"
    if wanted:
        return f"no entity of the catalogue has the id {text!r}; {hint}"
    return f"unknown entity {text!r}; {hint}"


def possible_ids(text: str, entity_type: EntityType | None, local: str) -> list[EntityId]:
    """The ids that a text may be, none if it is no id."""
    try:
        return [canonical_id(local, entity_type) if entity_type is not None else EntityId.parse(text)]
    except InvalidInputError:
        return []


def nearest_ids(wanted: Sequence[EntityId], catalogue: Catalogue) -> list[str]:
    """Ids in the catalogue that differ from a wanted one by one typing slip, each with its name; documents first."""
    near = {
        place
        for entity in wanted
        for _, _, place in process.extract(
            str(entity), catalogue.curies, scorer=OSA.distance, score_cutoff=1, limit=None
        )
        if catalogue.ids[place].prefix == entity.prefix
    }
    order = sorted(near, key=lambda i: (-int(catalogue.n_documents[i]), i))
    return [f"{catalogue.ids[index]} ({catalogue.names[index]})" for index in order[:_N_NEAREST]]


def nearest_names(text: str, catalogue: Catalogue, entity_type: EntityType | None = None) -> list[str]:
    """Names in the catalogue that are spelled most like a text, each with its id; more documents first where equal.

    A number resembles no name, so that it gets none.
    """
    if not any(character.isalpha() for character in text):
        return []
    scored = process.extract(text.casefold(), catalogue.by_text.keys(), scorer=fuzz.ratio, limit=50)
    best: dict[int, tuple[float, str]] = {}
    for key, score, _ in scored:
        for index, form in catalogue.by_text[key]:
            if score >= _MIN_LIKENESS and (entity_type is None or catalogue.types[index] is entity_type):
                best.setdefault(index, (score, form.text))
    order = sorted(best, key=lambda i: (-best[i][0], -int(catalogue.n_documents[i]), i))
    return [f"{best[index][1]} ({catalogue.ids[index]})" for index in order[:_N_NEAREST]]
