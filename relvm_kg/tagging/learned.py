"""Surface forms that annotators linked, learned from annotated documents: names that vocabularies lack.

A form is kept for an id if people mark most of its occurrences as names at all, and link most of those to that id: what
annotators leave alone in running text ("toxicity" in one place, a name in another) would cost more than it finds.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from relvm_kg.corpus.annotation import joined_text
from relvm_kg.tagging.evaluation import IdView
from relvm_kg.types import Document, EntityId, EntityType

MIN_MARKED = 0.5
"""Share of a form's occurrences in the text that annotators marked."""
MIN_AGREED = 0.7
"""Share of a form's linked mentions that have the same id."""
MIN_LETTERS = 2
"""Characters of the shortest form."""

Form = tuple[EntityType, str]


class LearnedForm(NamedTuple):
    """A surface form and the id that annotators gave it."""

    surface: str
    type: EntityType
    id: EntityId
    n_mentions: int
    """Mentions of the form with this id."""
    n_occurrences: int
    """Places where the form stands as a whole word in the documents that annotate its type, marked or not."""


def learn_forms(
    documents: Iterable[Document],
    view: IdView,
    known: Collection[EntityId],
    left_out: Collection[str] = (),
) -> tuple[LearnedForm, ...]:
    """Surface forms from gold documents, in order of type and spelling.

    Composite mentions and mentions without an id teach nothing, nor do ids that the names catalogue lacks.

    Args:
        documents: Annotated documents; each id once (the first counts).
        view: How ids are read: genes of other species folded, replaced ids renewed.
        known: Ids of the names catalogue.
        left_out: Ids of documents to skip, because they are those that a tagger is tested on.
    """
    linked: dict[Form, Counter[EntityId]] = {}
    marked: Counter[Form] = Counter()
    read: dict[str, Document] = {}
    for document in documents:
        if document.doc_id in left_out or document.doc_id in read:
            continue
        read[document.doc_id] = document
        for mention in view.mentions(document):
            form = (mention.type, _squeezed(mention.text))
            marked[form] += 1
            if len(mention.ids) == 1 and mention.ids[0] in known and len(form[1]) >= MIN_LETTERS:
                linked.setdefault(form, Counter())[mention.ids[0]] += 1
    occurrences = _occurrences(list(read.values()), linked.keys())
    found = []
    for (entity_type, surface), ids in linked.items():
        entity, n_mentions = min(ids.items(), key=lambda item: (-item[1], item[0]))
        n_marked, n_occurrences = marked[entity_type, surface], occurrences[entity_type, surface]
        if n_mentions >= MIN_AGREED * n_marked and n_marked >= MIN_MARKED * n_occurrences:
            found.append(LearnedForm(surface, entity_type, entity, n_mentions, max(n_occurrences, n_mentions)))
    return tuple(sorted(found, key=lambda form: (form.type, form.surface)))


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _occurrences(documents: Sequence[Document], forms: Collection[Form]) -> Counter[Form]:
    """How often each form stands in the text of the documents that annotate its type."""
    counts: Counter[Form] = Counter()
    by_type = {t: {surface for kind, surface in forms if kind is t} for t in EntityType}
    longest = max((surface.count(" ") for _, surface in forms), default=0) * 3 + 8
    for document in documents:
        types = [t for t in EntityType if any(m.type is t for m in document.mentions)]
        if types:
            wanted = {t: by_type[t] for t in types}
            for piece in pieces(joined_text(document.passages), longest):
                counts.update((t, piece) for t, surfaces in wanted.items() if piece in surfaces)
    return counts


_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")


def pieces(text: str, n_tokens: int) -> Iterable[str]:
    """All stretches of a text of up to `n_tokens` words and signs, blanks squeezed.

    >>> list(pieces("IL-2 gene", 3))
    ['IL', 'IL-', 'IL-2', '-', '-2', '-2 gene', '2', '2 gene', 'gene']
    """
    squeezed = _squeezed(text)
    spans = [match.span() for match in _TOKEN.finditer(squeezed)]
    for place, (start, _) in enumerate(spans):
        for _, end in spans[place : place + n_tokens]:
            yield squeezed[start:end]
