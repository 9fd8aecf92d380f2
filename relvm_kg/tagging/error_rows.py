"""What a tagger got wrong, most frequent first, for people to read."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from relvm_kg.corpus.annotation import joined_text
from relvm_kg.tagging.evaluation import IdView, concepts
from relvm_kg.types import Document, EntityId, EntityType, Mention

_CONTEXT = 50
"""Characters shown on either side of the mention."""


class ErrorKind(StrEnum):
    """Which way a concept is wrong."""

    MISSED = "missed"
    WRONG = "wrong"


class Cause(StrEnum):
    """What the other side says of the place where the concept is mentioned."""

    NOT_IN_CATALOGUE = "id not in the catalogue"
    OTHER_ID = "other id at the same span"
    NO_ID = "no id at the same span"
    OTHER_TYPE = "other type at the same span"
    OTHER_SPAN = "another span overlaps"
    NOTHING = "nothing there"


class ErrorRow(NamedTuple):
    """A surface form that leads to wrong or missed concepts, with one example."""

    kind: ErrorKind
    type: EntityType
    cause: Cause
    surface: str
    gold_ids: str
    predicted_ids: str
    n_concepts: int
    """(document, id) pairs."""
    n_mentions: int
    example: str
    """Document id, then the mention in its text between double square brackets."""


Key = tuple[ErrorKind, EntityType, Cause, str, str, str]


def error_rows(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    view: IdView,
    types: Sequence[EntityType],
    known: Collection[EntityId],
) -> tuple[ErrorRow, ...]:
    """Wrong and missed concepts by surface form, those of most documents first.

    Args:
        gold: Annotated documents.
        predicted: The same documents in the same order, as tagged.
        view: How ids are read.
        types: Types that the gold set annotates.
        known: Ids of the names catalogue.
    """
    n_concepts: Counter[Key] = Counter()
    n_mentions: Counter[Key] = Counter()
    examples: dict[Key, str] = {}
    for truth, guess in zip(gold, predicted, strict=True):
        text = joined_text(truth.passages)
        sides = (view.mentions(truth), view.mentions(guess))
        for kind, (ours, theirs) in ((ErrorKind.MISSED, sides), (ErrorKind.WRONG, sides[::-1])):
            for entity_type in types:
                for entity in sorted(concepts(ours, entity_type) - concepts(theirs, entity_type)):
                    found = [m for m in ours if m.type is entity_type and entity in m.ids]
                    seen = Counter(_key(kind, mention, entity, theirs, known) for mention in found)
                    key = seen.most_common(1)[0][0]
                    n_concepts[key] += 1
                    n_mentions[key] += len(found)
                    examples.setdefault(key, _example(truth.doc_id, text, found[0]))
    rows = [ErrorRow(*key, n, n_mentions[key], examples[key]) for key, n in n_concepts.items()]
    return tuple(sorted(rows, key=lambda row: (-row.n_concepts, -row.n_mentions, row)))


def _key(
    kind: ErrorKind, mention: Mention, entity: EntityId, others: Iterable[Mention], known: Collection[EntityId]
) -> Key:
    same = [m for m in others if (m.start, m.end) == (mention.start, mention.end)]
    typed = [m for m in same if m.type is mention.type]
    there: list[Mention] = []
    if kind is ErrorKind.MISSED and entity not in known:
        cause = Cause.NOT_IN_CATALOGUE
    elif typed:
        there = typed
        cause = Cause.OTHER_ID if any(m.ids for m in typed) else Cause.NO_ID
    elif same:
        there, cause = same, Cause.OTHER_TYPE
    else:
        there = [m for m in others if m.start < mention.end and mention.start < m.end]
        cause = Cause.OTHER_SPAN if there else Cause.NOTHING
    ours, theirs = str(entity), " ".join(sorted({str(i) for m in there for i in m.ids}))
    gold_ids, predicted_ids = (ours, theirs) if kind is ErrorKind.MISSED else (theirs, ours)
    surface = " ".join(mention.text.lower().split())
    if cause is Cause.OTHER_SPAN:
        surface += f" / {' '.join(there[0].text.lower().split())}"
    return kind, mention.type, cause, surface, gold_ids, predicted_ids


def _example(doc_id: str, text: str, mention: Mention) -> str:
    before, after = text[max(0, mention.start - _CONTEXT) : mention.start], text[mention.end : mention.end + _CONTEXT]
    return " ".join(f"{doc_id}: {before}[[{text[mention.start : mention.end]}]]{after}".split())
