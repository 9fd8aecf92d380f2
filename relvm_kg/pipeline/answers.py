"""Answers for people: the score of a pair, the ranking around an entity, the sentences behind a pair."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.classify.labels import RELATION_COLUMNS
from relvm_kg.classify.mention import LabelledSentences, load_mention_classifier, sentence_probabilities
from relvm_kg.encoding.token_store import TokenStore
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.errors import InvalidInputError, NoRelationForTypesError
from relvm_kg.pipeline.novelty import NovelRule
from relvm_kg.pipeline.session import IntArray, OrderedPair, Session
from relvm_kg.scoring.scorer import Scores
from relvm_kg.types import EntityType, Evidence, relation_for_types

FEW_DOCUMENTS = 10
"""With fewer documents than this, an entity's ranking comes with a warning."""


class NamedEntity(NamedTuple):
    """An entity as people read it."""

    id: str
    name: str
    type: str
    depth: int | None = None
    """Levels below the root of its hierarchy (MeSH); None where no names catalogue has it."""
    document_share: float = 0.0
    """Share of the corpus's documents that mention it."""
    from_sentences: int | None = None
    """Sentences of a given text that its vector rests on, where training never saw it; else None."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One scored pair, in the argument order of its label."""

    head: NamedEntity
    relation: str
    tail: NamedEntity
    probability: float
    uncertainty: float
    """Mutual information of relation and z, in nats."""
    calibrated: bool
    training_prevalence: float
    """Share of known relations in the batches that the classifier was trained on."""
    known: bool | None
    """Whether a curated relation is known; None without a corpus."""
    co_mentioned: bool | None
    """Whether a sentence mentions both; None without a corpus."""
    n_documents: int | None
    """Documents that mention both in one sentence."""
    simulated: bool
    model: str
    stale: bool
    """Whether the corpus changed since the model was trained."""

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "head": self.head._asdict(), "tail": self.tail._asdict()}


@dataclass(frozen=True, kw_only=True)
class ScoreAnswer:
    """The answers for a pair, one for each label that fits, with what is known of it."""

    answers: tuple[Answer, ...]
    known_relation: dict[str, Any] | None
    """Predicates, PMIDs and sources."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The best partners of an entity."""

    entity: NamedEntity
    n_documents: int
    """Documents that mention the entity."""
    answers: tuple[Answer, ...]
    n_candidates: int
    n_without_text: int
    """Entities left out because no training sentence mentions them."""
    n_left_out_known: int
    """Candidates left out because the relation is known (`novel`) ..."""
    n_left_out_related: int
    """... because they are above or below a known partner, or known for a term above or below the entity ..."""
    n_left_out_general: int
    """... or because they are too general."""

    @property
    def is_scant(self) -> bool:
        """Whether so little is written of the entity that its ranking says next to nothing."""
        return self.n_documents < FEW_DOCUMENTS


@dataclass(frozen=True, kw_only=True)
class EvidenceSentence:
    """A sentence that mentions both entities of a pair."""

    doc_id: str
    sentence_index: int
    year: int | None
    sentence: str
    head_span: tuple[int, int]
    tail_span: tuple[int, int]
    probability: float | None
    """Of the mention-level classifier that the sentence states the relation; None where the run has none."""
    training_prevalence: float | None
    calibrated: bool
    simulated: bool
    retracted: bool
    """Whether the paper was retracted."""
    head_source_id: str | None
    """The id that the source gave, where the head is a gene of another species folded onto the human gene."""
    tail_source_id: str | None


def named(session: Session, index: int) -> NamedEntity:
    """What people read of an entity."""
    catalogue = session.catalogue
    share = round(float(catalogue.document_share[index]), 6)
    return NamedEntity(
        str(catalogue.ids[index]),
        catalogue.names[index],
        catalogue.types[index].value,
        catalogue.depth(index),
        share,
        session.from_sentences(index),
    )


def score_pair(session: Session, first: str, second: str) -> ScoreAnswer:
    """The prior's answer about two entities, whether they were ever mentioned together or not.

    Args:
        session: An opened workspace.
        first: An id, name or synonym.
        second: Another.

    Raises:
        UnknownEntityError: if a name is unknown.
        AmbiguousEntityError: if a name has several meanings.
        NoRelationForTypesError: if no label joins the types.
        NoTextError: if no training text mentions one of them.
        InvalidInputError: if both are the same entity.
    """
    x, y = session.ground(first), session.ground(second)
    if x == y:
        raise InvalidInputError(
            f"a pair must be two entities, both are {named(session, x).name} ({named(session, x).id})"
        )
    pair = session.ordered(x, y)
    heads, tails = np.array([pair.head]), np.array([pair.tail])
    scores = session.scorer.score(session.model_rows(heads), session.model_rows(tails))
    answers = _answers(session, heads, tails, scores)
    known = session.facts.relation(pair.head, pair.tail) if session.facts else None
    return ScoreAnswer(answers=tuple(answers), known_relation=known)


def rank_partners(
    session: Session,
    entity: str,
    *,
    partner_type: EntityType | None = None,
    top: int = 20,
    novel: NovelRule | bool = False,
) -> Ranking:
    """The most probable partners of an entity, best first.

    Args:
        session: An opened workspace.
        entity: An id, name or synonym.
        partner_type: Only partners of this type.
        top: How many.
        novel: Leave out what is no news: all of it, or what a rule says.

    Raises:
        UnknownEntityError: if the name is unknown.
        AmbiguousEntityError: if the name has several meanings.
        NoRelationForTypesError: if no label joins the type asked for.
        NoTextError: if no training text mentions the entity.
    """
    x = session.ground(entity)
    session.model_rows(np.array([x]))
    candidates = candidate_partners(session, x, partner_type)
    able = session.scorable(candidates)
    n_without, candidates = int((~able).sum()), candidates[able]
    candidates, left_out = session.novelty.select(x, candidates, NovelRule.of(novel))
    places, scores = session.ranker.best(int(session.model_rows(np.array([x]))[0]), session.model_rows(candidates), top)
    pairs = [session.ordered(x, int(y)) for y in candidates[places]]
    return Ranking(
        entity=named(session, x),
        n_documents=session.n_documents(x),
        answers=tuple(_answers(session, np.array([p.head for p in pairs]), np.array([p.tail for p in pairs]), scores)),
        n_candidates=len(candidates),
        n_without_text=n_without,
        n_left_out_known=left_out.known,
        n_left_out_related=left_out.related,
        n_left_out_general=left_out.general,
    )


def candidate_partners(session: Session, entity: int, partner_type: EntityType | None) -> IntArray:
    """Catalogue indices of all entities that a label which the run learned can join to this one.

    Raises:
        NoRelationForTypesError: if no label joins the type asked for, or the run learned nothing of those that do.
    """
    own, scorer = session.catalogue.types[entity], session.scorer
    labels = {kind: relation_for_types(own, kind) for kind in EntityType if _joined(own, kind)}
    if partner_type is not None:
        labels = {partner_type: relation_for_types(own, partner_type)}
    if not set(labels.values()) & set(scorer.relations):
        scorer.require_learned(next(iter(labels.values())))
    found = [
        session.catalogue.of_type(kind).astype(np.int64) for kind, label in labels.items() if label in scorer.relations
    ]
    candidates: IntArray = np.concatenate(found)
    others: IntArray = candidates[candidates != entity]
    return others


def _joined(first: EntityType, second: EntityType) -> bool:
    try:
        relation_for_types(first, second)
    except NoRelationForTypesError:
        return False
    return True


def _answers(session: Session, heads: IntArray, tails: IntArray, scores: Scores) -> list[Answer]:
    if not len(heads):
        return []
    scorer = session.scorer
    known = documents = None
    if session.facts is not None:
        known = session.facts.known(heads, tails)
        documents = session.facts.comention_counts(heads, tails)
    result = []
    for place, (head, tail) in enumerate(zip(heads.tolist(), tails.tolist(), strict=True)):
        pair: OrderedPair = session.ordered(head, tail)
        result.append(
            Answer(
                head=named(session, pair.head),
                relation=pair.relation.value,
                tail=named(session, pair.tail),
                probability=round(float(scores.probability[place]), 6),
                uncertainty=round(float(scores.uncertainty[place]), 6),
                calibrated=False,
                training_prevalence=scorer.report.training_prevalence[pair.relation.value],
                known=None if known is None else bool(known[place]),
                co_mentioned=None if documents is None else bool(documents[place]),
                n_documents=None if documents is None else int(documents[place]),
                simulated=session.simulated,
                model=scorer.bundle.config.run_id,
                stale=session.stale,
            )
        )
    return result


def find_evidence(session: Session, first: str, second: str) -> tuple[OrderedPair, list[EvidenceSentence]]:
    """The sentences that mention both entities, the likeliest to state their relation first.

    Raises:
        UnknownEntityError: if a name is unknown.
        AmbiguousEntityError: if a name has several meanings.
        NoRelationForTypesError: if no label joins the types.
        WorkspaceError: without a corpus.
    """
    pair = session.ordered(session.ground(first), session.ground(second))
    found = session.evidence_index.evidence(pair.head, pair.tail)
    probabilities, prevalence = _mention_probabilities(session, pair, found)
    sentences = [
        EvidenceSentence(
            doc_id=evidence.doc_id,
            sentence_index=evidence.sentence_index,
            year=evidence.year,
            sentence=evidence.sentence,
            head_span=evidence.head_span,
            tail_span=evidence.tail_span,
            probability=None if probabilities is None else round(float(probabilities[place]), 6),
            training_prevalence=prevalence,
            calibrated=False,
            simulated=evidence.simulated,
            retracted=evidence.retracted,
            head_source_id=evidence.head_source_id,
            tail_source_id=evidence.tail_source_id,
        )
        for place, (_, evidence) in enumerate(found)
    ]
    return pair, sorted(sentences, key=lambda s: -(s.probability or 0.0))


def _mention_probabilities(
    session: Session, pair: OrderedPair, found: list[tuple[int, Evidence]]
) -> tuple[npt.NDArray[np.float32] | None, float | None]:
    """The posterior's answer for contexts; None where there is no run or it has no mention-level classifier."""
    if session.workspace.manifest.default_run is None or not (session.run_folder / "mention.json").is_file():
        return None, None
    classifier, report = load_mention_classifier(session.run_folder)
    if not found:
        return np.zeros(0, dtype=np.float32), report.training_prevalence
    folder = session.require_corpus()
    store = TokenStore(folder / "tokens")
    tokens = _translated(session, [np.asarray(store[row]) for row, _ in found])
    kinds = list(EntityType)
    x, y = (kinds.index(session.catalogue.types[i]) for i in (pair.head, pair.tail))
    head_first = np.array([evidence.head_span < evidence.tail_span for _, evidence in found])
    sentences = LabelledSentences(
        tokens,
        np.where(head_first, x, y),
        np.where(head_first, y, x),
        np.full(len(found), RELATION_COLUMNS[x, y]),
        np.zeros(len(found), dtype=bool),
    )
    return sentence_probabilities(classifier, sentences, report.config.samples), report.training_prevalence


def _translated(session: Session, sequences: list[npt.NDArray[np.int32]]) -> list[npt.NDArray[np.int32]]:
    """Token ids of the corpus as ids of the model's vocabulary, which differ when the model is stale."""
    if not session.stale:
        return sequences
    current = Vocabulary.load(session.require_corpus() / "vocabulary.json")
    return [session.scorer.bundle.vocabulary.encode(current.decode(s.tolist())) for s in sequences]
