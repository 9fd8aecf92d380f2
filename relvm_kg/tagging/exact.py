"""The floor of every table of taggers: the longest stretch of text that is, letter by letter, a catalogued name."""

import re

import pyarrow as pa

from relvm_kg.types import Document, EntityId, EntityType, Mention

_TOKEN = re.compile(r"[^\W_]+")
_MAX_TOKENS = 24
_COLUMNS = ("name", "full_name", "synonyms", "previous")
Meaning = tuple[EntityType, EntityId]


class ExactTagger:
    """Looks up names as they are spelled: no rules of case, plurals, abbreviations or context.

    Of several entities with one name, the one for which it comes first in the catalogue's columns counts (official
    before synonym before previous name), then the first in order of id.

    Args:
        names: The names catalogue.
        any_case: Whether capitals and small letters are the same.
    """

    def __init__(self, names: pa.Table, *, any_case: bool = False) -> None:
        self._any_case = any_case
        self._meanings: dict[str, Meaning] = {}
        ids = [EntityId.parse(curie) for curie in names.column("id").to_pylist()]
        types = [EntityType(kind) for kind in names.column("type").to_pylist()]
        for column in _COLUMNS:
            for entity, kind, value in zip(ids, types, names.column(column).to_pylist(), strict=True):
                for name in [value] if isinstance(value, str) else value or ():
                    self._meanings.setdefault(name.lower() if any_case else name, (kind, entity))

    def tag(self, document: Document) -> Document:
        """The document with the mentions that were found added to those of types that it annotates."""
        found = [m for m in self._mentions(document) if m.type not in document.annotated]
        return document._replace(mentions=tuple(sorted((*document.mentions, *found))))

    def _mentions(self, document: Document) -> list[Mention]:
        found: list[Mention] = []
        for passage in document.passages:
            spans = [match.span() for match in _TOKEN.finditer(passage.text)]
            place = 0
            while place < len(spans):
                place = self._longest(passage.text, passage.offset, spans, place, found)
        return found

    def _longest(self, text: str, offset: int, spans: list[tuple[int, int]], place: int, found: list[Mention]) -> int:
        """Add the longest name that starts at a token; returns the place of the next token to look at."""
        start = spans[place][0]
        for last in range(min(place + _MAX_TOKENS, len(spans)) - 1, place - 1, -1):
            surface = text[start : spans[last][1]]
            meaning = self._meanings.get(surface.lower() if self._any_case else surface)
            if meaning is not None:
                kind, entity = meaning
                found.append(Mention(offset + start, offset + spans[last][1], surface, kind, (entity,), tagged=True))
                return last + 1
        return place + 1
