"""Supplementary ids of MeSH that are gone: which entity of today they were, by what text calls them.

Each year MeSH turns supplementary concepts into headings with new ids (olanzapine was C076029 and is D000077152), and
annotated corpora keep the old ones. Where NLM's tables do not say what became of an id, the words that annotators gave
it to do: an id that the names catalogue does not hold is the entity that most of its mentions name, if they name one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import pyarrow as pa

from relvm_kg.types import EntityId, EntityType

PREFIX = "MESH:C"
NAMES_COLUMNS = ("id", "type", "name", "synonyms")
"""What `retired_ids` needs of a names catalogue."""
_HALF = 0.5
_MIN_LENGTH = 5

Stated = Mapping[tuple[EntityId, EntityType], Counter[str]]


def missing_ids(names: pa.Table, ids: Iterable[EntityId]) -> set[EntityId]:
    """The supplementary ids of MeSH, of those given, that a names catalogue does not hold."""
    known = set(names["id"].to_pylist())
    return {entity for entity in ids if str(entity).startswith(PREFIX) and str(entity) not in known}


def retired_ids(names: pa.Table, stated: Stated) -> dict[EntityId, EntityId]:
    """What ids that are gone mean today.

    A mention names an entity if it equals, in any case, the official name of exactly one entity of the mention's type,
    else any name of exactly one. More than half of the mentions that name some entity must name the same.
    Abbreviations do not count: they mean one thing in each paper.

    Args:
        names: A names catalogue.
        stated: The texts of the mentions of each id that the catalogue does not hold (see `missing_ids`), by type.
    """
    wanted = {(k.value, t.casefold()) for (_, k), texts in stated.items() for t in texts if not _is_abbreviation(t)}
    official: dict[tuple[str, str], set[str]] = defaultdict(set)
    others: dict[tuple[str, str], set[str]] = defaultdict(set)
    for identifier, kind, name, synonyms in zip(*(names[column].to_pylist() for column in NAMES_COLUMNS), strict=True):
        for forms, texts in ((official, (name,)), (others, synonyms)):
            for text in texts:
                if (key := (kind, text.casefold())) in wanted:
                    forms[key].add(identifier)
    found: dict[EntityId, EntityId] = {}
    for (entity, kind), texts in stated.items():
        votes: Counter[str] = Counter()
        for text, n in texts.items():
            key = (kind.value, text.casefold())
            named = official.get(key) or others.get(key, set())
            if len(named) == 1:
                votes[min(named)] += n
        if votes:
            best, n = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
            if n > _HALF * votes.total():
                found[entity] = EntityId(*best.split(":", 1))
    return found


def _is_abbreviation(text: str) -> bool:
    return len(text) < _MIN_LENGTH or text.upper() == text
