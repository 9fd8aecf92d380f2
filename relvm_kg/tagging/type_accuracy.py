"""How often the type of an ambiguous name is told right: gold mentions whose text the dictionary knows with several
types, where annotation settles which it is.
"""  # noqa: D205

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.tagging.linking import default_type, types_of
from relvm_kg.tagging.matching import Sentence, sentences_of
from relvm_kg.tagging.tagger import Tagger
from relvm_kg.tagging.type_choice import AmbiguousName, choose_types
from relvm_kg.tagging.types import TYPE_COLUMNS, Span, TypeClassifier
from relvm_kg.types import Document, EntityType, Mention


class AmbiguousMention(NamedTuple):
    """A gold mention that the dictionary knows with several types, its own among them."""

    sentence: str
    span: Span
    """In characters of the sentence."""
    surface: str
    types: tuple[EntityType, ...]
    by_rule: EntityType
    """What the tagger takes without a classifier."""
    truth: EntityType
    doc_id: str = ""


class TypeAccuracy(NamedTuple):
    """Shares of ambiguous mentions whose type is told right."""

    n_mentions: int
    n_surfaces: int
    """Distinct texts, case aside."""
    by_type: dict[str, int]
    """Mentions by their true type."""
    rule: float
    """Always the type of the dictionary's best claim."""
    majority: float
    """Always the type that most mentions with the same choice have in this very gold set: no fair contender, it knows
    the answers' distribution."""
    classifier: float | None
    """Each place by itself."""
    classifier_by_type: dict[str, float] | None
    classifier_in_document: float | None
    """As the tagger uses it: one type for all places of a name in a document, the rule's claim weighed in."""


def ambiguous_mentions(documents: Sequence[Document], tagger: Tagger) -> list[AmbiguousMention]:
    """The ambiguous gold mentions of documents, each place once; names that a document defines are like others here."""
    found = []
    for document in documents:
        sentences = sentences_of(document)
        for mention in dict.fromkeys(m._replace(ids=()) for m in document.mentions):
            readings = tagger.matcher.readings_of(mention.text)
            types = types_of(readings)
            sentence = _sentence_of(mention, sentences)
            if len(types) > 1 and mention.type in types and sentence is not None:
                span = mention.start - sentence.start, mention.end - sentence.start
                rule = default_type(readings)
                found.append(
                    AmbiguousMention(sentence.text, span, mention.text, types, rule, mention.type, document.doc_id)
                )
    return found


def type_accuracy(mentions: Sequence[AmbiguousMention], classifier: TypeClassifier | None) -> TypeAccuracy | None:
    """Accuracy on ambiguous mentions; None if there are none."""
    if not mentions:
        return None
    choices: dict[tuple[EntityType, ...], Counter[EntityType]] = {}
    for mention in mentions:
        choices.setdefault(mention.types, Counter())[mention.truth] += 1
    by_type = Counter(mention.truth for mention in mentions)
    right: Counter[EntityType] | None = None
    in_document: float | None = None
    if classifier is not None:
        probabilities = classifier.probabilities([m.sentence for m in mentions], [m.span for m in mentions])
        in_document = _share_right_in_documents(mentions, probabilities)
        table = probabilities.tolist()
        chosen = [
            max(mention.types, key=lambda t: row[TYPE_COLUMNS.index(t)])
            for mention, row in zip(mentions, table, strict=True)
        ]
        right = Counter(m.truth for m, found in zip(mentions, chosen, strict=True) if m.truth is found)
    return TypeAccuracy(
        n_mentions=len(mentions),
        n_surfaces=len({mention.surface.lower() for mention in mentions}),
        by_type={t.value: by_type[t] for t in EntityType if by_type[t]},
        rule=sum(mention.by_rule is mention.truth for mention in mentions) / len(mentions),
        majority=sum(max(counts.values()) for counts in choices.values()) / len(mentions),
        classifier=None if right is None else sum(right.values()) / len(mentions),
        classifier_by_type=None if right is None else {t.value: right[t] / n for t, n in by_type.items()},
        classifier_in_document=in_document,
    )


def _share_right_in_documents(mentions: Sequence[AmbiguousMention], probabilities: npt.NDArray[np.float32]) -> float:
    documents = {doc_id: number for number, doc_id in enumerate(dict.fromkeys(m.doc_id for m in mentions))}
    names = [AmbiguousName(documents[m.doc_id], m.surface, m.types, m.by_rule) for m in mentions]
    chosen = choose_types(names, probabilities)
    return sum(m.truth is found for m, found in zip(mentions, chosen, strict=True)) / len(mentions)


def _sentence_of(mention: Mention, sentences: Sequence[Sentence]) -> Sentence | None:
    for sentence in sentences:
        if sentence.start <= mention.start and mention.end <= sentence.start + len(sentence.text):
            return sentence
    return None
