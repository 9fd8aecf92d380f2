"""A tagger's mentions against those of human annotators: precision, recall and F1 of spans and of concepts.

Three things are counted, each for every type and for all together:

* mentions: exact span and type;
* concept mentions: exact span, type, and at least one id in common;
* concepts: the set of (document, id) pairs, wherever in the document they are mentioned.

Counts are summed over documents before they are divided (micro averages). Gold mentions without an id are left out of
the concept mentions, and predictions at their very span with them; a concept that only such a mention would justify is
a false positive. A composite mention ("breast and ovarian cancer") gives all its ids. Intervals are percentiles of a
bootstrap over documents.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.entities.orthologs import OrthologFolder
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document, EntityId, EntityType, Mention

ALL_TYPES = "ALL"
"""The name of the row of all types together."""
N_RESAMPLES = 1000
_LEVEL = 0.95

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float]
Tag = Callable[[Document], Document]


class Score(NamedTuple):
    """Precision, recall and F1 with their counts and 95 % intervals; 0 where nothing can be divided."""

    precision: float
    recall: float
    f1: float
    n_hits: int
    n_predicted: int
    n_gold: int
    precision_interval: Interval
    recall_interval: Interval
    f1_interval: Interval


class TypeFigures(NamedTuple):
    """The figures of one type, or of all."""

    type: str
    mentions: Score
    concept_mentions: Score
    concepts: Score
    n_gold_without_id: int
    """Gold mentions without an id, which only the score of mentions counts."""
    n_predicted_without_id: int
    """Predicted mentions that were not linked, likewise."""


class IdView(NamedTuple):
    """How ids are read before they are compared, on both sides alike."""

    folder: OrthologFolder | None = None
    """Folds genes of other species onto human ones; None compares genes as they are annotated."""
    equal: Mapping[EntityId, EntityId] | None = None
    """Ids that stand for others: replaced ones, or OMIM's for MeSH's."""

    def mentions(self, document: Document) -> tuple[Mention, ...]:
        """A document's mentions with their ids read so."""
        found = document.mentions if self.folder is None else self.folder.fold_document_mentions(document.mentions)
        if not self.equal:
            return found
        equal = self.equal
        return tuple(m._replace(ids=tuple(dict.fromkeys(equal.get(i, i) for i in m.ids))) for m in found)


AS_GIVEN = IdView()


class GoldFacts(NamedTuple):
    """What a gold set holds of one type."""

    type: str
    n_documents: int
    n_mentions: int
    n_without_id: int
    n_composite: int
    n_concepts: int
    """(document, id) pairs."""
    n_unknown: int
    """Pairs whose id is not in the names catalogue, so that no tagger that reads it can find them."""
    n_foreign: int
    """Pairs whose gene is not human."""
    n_folded: int
    """Those of them that fold onto a human gene."""


def blank(document: Document) -> Document:
    """A document as a tagger gets it: without mentions, no type annotated."""
    return document._replace(mentions=(), relations=(), annotated=())


def tag_all(tag: Tag, documents: Sequence[Document]) -> list[Document]:
    """What a tagger makes of documents without their annotations."""
    return [tag(blank(document)) for document in documents]


def annotated_types(documents: Iterable[Document]) -> tuple[EntityType, ...]:
    """The types that annotators marked in these documents."""
    found = {mention.type for document in documents for mention in document.mentions}
    return tuple(entity_type for entity_type in EntityType if entity_type in found)


def evaluate(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    view: IdView = AS_GIVEN,
    *,
    types: Sequence[EntityType] | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> tuple[TypeFigures, ...]:
    """Figures of predicted documents against the same documents as people annotated them.

    Args:
        gold: Annotated documents.
        predicted: The same documents in the same order, with predicted mentions.
        view: How ids are read.
        types: Types to count; those that `gold` annotates if None. Predictions of others say nothing.
        n_resamples: Bootstrap samples; 0 makes every interval a point.
        seed: Of the bootstrap.

    Returns:
        One record a type, then one of all, if there are several types.

    Raises:
        InvalidInputError: if the documents differ.
    """
    if [d.doc_id for d in gold] != [d.doc_id for d in predicted]:
        raise InvalidInputError("gold and predicted documents must be the same ones in the same order")
    counted = tuple(types) if types is not None else annotated_types(gold)
    counts = np.zeros((len(counted), len(gold), _COLUMNS), dtype=np.int64)
    for place, (truth, guess) in enumerate(zip(gold, predicted, strict=True)):
        true_mentions, guessed = view.mentions(truth), view.mentions(guess)
        for row, entity_type in enumerate(counted):
            counts[row, place] = _count(_spans(true_mentions, entity_type), _spans(guessed, entity_type))
    weights = _weights(len(gold), n_resamples, seed)
    rows = [_figures(entity_type.value, counts[row], weights) for row, entity_type in enumerate(counted)]
    if len(rows) > 1:
        rows.append(_figures(ALL_TYPES, counts.sum(axis=0), weights))
    return tuple(rows)


def gold_facts(
    gold: Sequence[Document], known: frozenset[EntityId] | set[EntityId], folder: OrthologFolder, view: IdView
) -> tuple[GoldFacts, ...]:
    """What a gold set holds of each type that it annotates.

    Args:
        gold: Annotated documents.
        known: Ids of the names catalogue.
        folder: Tells human genes from others.
        view: How ids are read before they are looked up in `known`.
    """
    return tuple(_facts(gold, entity_type, known, folder, view) for entity_type in annotated_types(gold))


def concepts(mentions: Iterable[Mention], entity_type: EntityType) -> set[EntityId]:
    """The ids of one type that mentions give."""
    return {entity for mention in mentions if mention.type is entity_type for entity in mention.ids}


_COLUMNS = 11
Spans = dict[tuple[int, int], set[EntityId]]


def _spans(mentions: Iterable[Mention], entity_type: EntityType) -> Spans:
    found: Spans = {}
    for mention in mentions:
        if mention.type is entity_type:
            found.setdefault((mention.start, mention.end), set()).update(mention.ids)
    return found


def _count(gold: Spans, predicted: Spans) -> tuple[int, ...]:
    """Hits, predicted and gold of mentions, concept mentions and concepts, then mentions without id on both sides."""
    without = {span for span, ids in gold.items() if not ids}
    unlinked = {span for span, ids in predicted.items() if not ids}
    linked = predicted.keys() - without - unlinked
    hits = sum(1 for span in linked if gold.get(span, set()) & predicted[span])
    true_ids, guessed = set().union(*gold.values()), set().union(*predicted.values())
    return (
        len(gold.keys() & predicted.keys()), len(predicted), len(gold),
        hits, len(linked), len(gold) - len(without),
        len(true_ids & guessed), len(guessed), len(true_ids),
        len(without), len(unlinked),
    )  # fmt: skip


def _weights(n_documents: int, n_resamples: int, seed: int) -> FloatArray:
    random = np.random.default_rng(seed)
    drawn = random.integers(0, n_documents, (n_resamples, n_documents)) if n_documents else np.zeros((0, 0), np.int64)
    counted = [np.bincount(sample, minlength=n_documents) for sample in drawn]
    return np.array(counted, dtype=np.float64).reshape(len(counted), n_documents)


def _figures(name: str, counts: IntArray, weights: FloatArray) -> TypeFigures:
    total = counts.sum(axis=0)
    resampled = weights @ counts
    scores = [_score(total[i : i + 3], resampled[:, i : i + 3]) for i in (0, 3, 6)]
    return TypeFigures(name, scores[0], scores[1], scores[2], int(total[9]), int(total[10]))


def _score(total: IntArray, resampled: FloatArray) -> Score:
    values = _ratios(total[np.newaxis].astype(np.float64))[0]
    if len(resampled):
        edge = (1 - _LEVEL) / 2
        low, high = np.quantile(_ratios(resampled), [edge, 1 - edge], axis=0)
    else:
        low = high = values
    intervals = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    precision, recall, f1 = map(float, values)
    n_hits, n_predicted, n_gold = map(int, total)
    return Score(precision, recall, f1, n_hits, n_predicted, n_gold, intervals[0], intervals[1], intervals[2])


def _ratios(counts: FloatArray) -> FloatArray:
    """(n, 3) hits, predicted and gold to (n, 3) precision, recall and F1."""
    hits, predicted, gold = counts.T
    pairs = ((hits, predicted), (hits, gold), (2 * hits, predicted + gold))
    return np.stack([np.divide(a, b, out=np.zeros_like(a), where=b > 0) for a, b in pairs], axis=1)


def _facts(
    gold: Sequence[Document],
    entity_type: EntityType,
    known: frozenset[EntityId] | set[EntityId],
    folder: OrthologFolder,
    view: IdView,
) -> GoldFacts:
    mentions = [m for document in gold for m in document.mentions if m.type is entity_type]
    n_concepts = n_unknown = n_foreign = n_folded = 0
    for document in gold:
        found = concepts(document.mentions, entity_type)
        foreign = {entity for entity in found if folder.is_foreign(entity)}
        n_concepts += len(found)
        n_foreign += len(foreign)
        n_folded += len(foreign & folder.fold_mentions(document.mentions).keys())
        n_unknown += len(concepts(view.mentions(document), entity_type) - known)
    return GoldFacts(
        entity_type.value,
        len(gold),
        len(mentions),
        sum(1 for m in mentions if not m.ids),
        sum(1 for m in mentions if len(m.ids) > 1),
        n_concepts,
        n_unknown,
        n_foreign,
        n_folded,
    )
