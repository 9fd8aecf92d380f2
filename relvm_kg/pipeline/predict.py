"""Score pairs in bulk and write them to the graph, part by part, so that an interrupted run goes on."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from relvm_kg.config import require, settings_to_mapping
from relvm_kg.pipeline.novelty import NovelRule, PairNews
from relvm_kg.pipeline.session import IntArray, Session
from relvm_kg.progress import Progress
from relvm_kg.scoring.scorer import RelvmScorer
from relvm_kg.types import POSITIVE_RELATIONS, Relation
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import PREDICTION_BATCH_SCHEMA, PredictionRun
from relvm_kg_graph.store import StoredRun

ANCHORS_A_PART = 64
EVIDENCE_IDS = 5


@dataclass(frozen=True, kw_only=True)
class PredictRequest:
    """Which pairs to score and which to keep."""

    relations: tuple[Relation, ...] = POSITIVE_RELATIONS
    """Labels to predict; those that the run did not learn are left out."""
    entities: tuple[str, ...] = ()
    """Only pairs with one of these (ids, names or synonyms); all entities if empty."""
    min_documents: int = 5
    """Only entities that at least this many documents mention."""
    top: int = 50
    """Partners to keep for each head, or for each named entity; 0 keeps all.

    Of two genes the head is the one first in the catalogue.
    """
    min_probability: float = 0.0
    """Lowest probability to keep."""
    novel: bool = False
    """Leave out what is no news: see `relvm_kg.pipeline.novelty` ..."""
    keep_related: bool = False
    """... but not what follows from a known relation, ..."""
    keep_general: bool = False
    """... and not terms that are too general."""
    samples: int = 8
    """Draws of z a pair and order."""

    @property
    def novel_rule(self) -> NovelRule:
        """Which pairs are left out as no news."""
        return NovelRule(novel=self.novel, keep_related=self.keep_related, keep_general=self.keep_general)

    def __post_init__(self) -> None:
        require(bool(self.relations), "predict.relations", "name at least one label", self.relations)
        require(Relation.NO_RELATION not in self.relations, "predict.relations", "be positive", "NO-RELATION")
        require(self.samples >= 1, "predict.samples", "be at least 1", self.samples)
        require(self.top >= 0, "predict.top", "not be negative", self.top)
        require(0 <= self.min_probability < 1, "predict.min_probability", "be in [0, 1)", self.min_probability)


@dataclass(frozen=True, kw_only=True)
class PredictReport:
    """What a prediction run wrote."""

    run: StoredRun
    n_scored: int
    """Pairs scored in this call (parts of an earlier call are not scored again)."""
    n_without_text: int
    """Entities left out because no training sentence mentions them."""
    n_too_rare: int
    """Entities left out because too few documents mention them."""


@dataclass(frozen=True)
class _Part:
    relation: Relation
    anchors: IntArray
    """Entities whose partners are ranked."""
    others: IntArray
    """Entities on the other side of the label."""
    chosen: IntArray
    """Entities that the request names."""

    def partners(self, anchor: int) -> IntArray:
        """Whom to score against an anchor, so that an unordered pair of genes is scored once."""
        if self.relation is not Relation.GENE_GENE:
            return self.others
        again = self.others <= anchor
        if len(self.chosen):
            again &= np.isin(self.others, self.chosen)
        partners: IntArray = self.others[~again & (self.others != anchor)]
        return partners


def predict_pairs(session: Session, request: PredictRequest, progress: Progress) -> PredictReport:
    """Write predictions to the workspace's graph.

    The run's name is made from model, corpus and request, so that the same call goes on where it was interrupted.

    Args:
        session: An opened workspace with a corpus and a model.
        request: Which pairs.
        progress: Where progress goes.

    Returns:
        The run; a call whose run is whole already scores nothing.

    Raises:
        NoRelationForTypesError: if the run learned none of the labels.
        StoreError: if there is no graph.
        UnknownEntityError: if a name is unknown.
    """
    if not set(request.relations) & set(session.scorer.relations):
        session.scorer.require_learned(request.relations[0])
    with session.workspace.lock(), EmbeddedStore(session.workspace.graph_dir) as store:
        run = _run(session, request)
        parts, n_without, n_rare = _parts(session, request)
        n_scored = 0
        whole = [stored for stored in store.runs() if stored.complete and stored.run.run_id == run.run_id]
        if whole:
            return PredictReport(run=whole[0], n_scored=0, n_without_text=n_without, n_too_rare=n_rare)
        writer = store.prediction_writer(run)
        finished = writer.finished_parts()
        scorer = session.scorer.with_samples(request.samples)
        with progress.task("predict", len(parts), "part", len(finished)) as task:
            for index, part in enumerate(parts):
                if index in finished:
                    continue
                writer.write_part(index, _score_part(session, scorer, part, request))
                n_scored += sum(len(part.partners(anchor)) for anchor in part.anchors.tolist())
                task.advance(1)
        stored = writer.finish(len(parts))
    return PredictReport(run=stored, n_scored=n_scored, n_without_text=n_without, n_too_rare=n_rare)


def _run(session: Session, request: PredictRequest) -> PredictionRun:
    config = session.scorer.bundle.config
    settings = settings_to_mapping(request)
    corpus_hash = session.workspace.manifest.corpus_hash or ""
    key = json.dumps([config.run_id, config.created_at, corpus_hash, settings], sort_keys=True)
    return PredictionRun(
        run_id=f"{config.run_id}-{hashlib.sha256(key.encode()).hexdigest()[:8]}",
        model_id=config.run_id,
        model_version=config.created_at,
        corpus_hash=corpus_hash,
        simulated=session.simulated,
        settings=settings,
    )


def _parts(session: Session, request: PredictRequest) -> tuple[list[_Part], int, int]:
    """Blocks of anchors (all heads, or the named entities) against all partners of each label; who was left out."""
    catalogue = session.catalogue
    everyone = np.arange(len(catalogue), dtype=np.int64)
    able = session.scorable(everyone)
    common = np.asarray(catalogue.n_documents) >= request.min_documents
    usable = able & common
    chosen = np.array(sorted({session.ground(text) for text in request.entities}), dtype=np.int64)
    session.model_rows(chosen)
    usable[chosen] = True
    parts: list[_Part] = []
    for relation in request.relations:
        if relation not in session.scorer.relations:
            continue
        heads, tails = (
            np.array([i for i in catalogue.of_type(kind) if usable[i]], dtype=np.int64)
            for kind in relation.argument_types
        )
        groups = [(heads, tails)]
        if len(chosen):
            groups = [(np.intersect1d(heads, chosen), tails)]
        if len(chosen) and relation is not Relation.GENE_GENE:
            groups.append((np.intersect1d(tails, chosen), np.setdiff1d(heads, chosen)))
        parts.extend(
            _Part(relation, anchors[start : start + ANCHORS_A_PART], others, chosen)
            for anchors, others in groups
            for start in range(0, len(anchors), ANCHORS_A_PART)
            if len(others)
        )
    return parts, int((~able).sum()), int((able & ~common).sum())


def _score_part(session: Session, scorer: RelvmScorer, part: _Part, request: PredictRequest) -> pa.RecordBatch:
    columns: dict[str, list[Any]] = {name: [] for name in PREDICTION_BATCH_SCHEMA.names}
    for anchor in part.anchors.tolist():
        for name, values in _score_anchor(session, scorer, part, anchor, request).items():
            columns[name].extend(values)
    return pa.RecordBatch.from_pydict(columns, schema=PREDICTION_BATCH_SCHEMA)


def _score_anchor(
    session: Session, scorer: RelvmScorer, part: _Part, anchor: int, request: PredictRequest
) -> dict[str, list[Any]]:
    """Columns of the best pairs of one anchor, best first."""
    facts, partners = session.facts, part.partners(anchor)
    assert facts is not None
    row = session.model_rows(np.array([anchor]))[0]
    scores = scorer.score(np.full(len(partners), row), session.model_rows(partners))
    anchors = np.full(len(partners), anchor)
    news = _news(session, part, anchor, partners)
    left_out = np.logical_or.reduce(news.left_out(request.novel_rule))
    kept = np.flatnonzero((scores.probability >= request.min_probability) & ~left_out)
    kept = kept[np.argsort(-scores.probability[kept], kind="stable")]
    kept = kept[: request.top] if request.top else kept
    sentences = facts.comention_counts(anchors[kept], partners[kept], "n_sentences")
    ids = session.catalogue.ids
    pairs = [session.ordered(anchor, partner) for partner in partners[kept].tolist()]
    probability = [float(p) for p in scores.probability[kept]]
    return {
        "subject": [str(ids[pair.head]) for pair in pairs],
        "object": [str(ids[pair.tail]) for pair in pairs],
        "relation": [part.relation.value] * len(kept),
        "score": probability,
        "raw_score": probability,
        "uncertainty": [float(u) for u in scores.uncertainty[kept]],
        "rank": list(range(1, len(kept) + 1)),
        "seen": (sentences > 0).tolist(),
        "known": news.known[kept].tolist(),
        "near_known": news.near_known[kept].tolist(),
        "general": news.general[kept].tolist(),
        "training_prevalence": [scorer.report.training_prevalence[part.relation.value]] * len(kept),
        "evidence_ids": list(_evidence_ids(session, anchor, partners[kept], sentences)),
        "n_evidence": sentences.tolist(),
    }


def _news(session: Session, part: _Part, anchor: int, partners: IntArray) -> PairNews:
    """What is no news of an anchor's pairs; an entity that the request names is never too general."""
    news, general = session.novelty.of(anchor, partners), session.novelty.general
    asked = np.isin(partners, part.chosen)
    if anchor not in part.chosen and general[anchor]:
        return replace(news, general=np.ones(len(partners), dtype=bool))
    return replace(news, general=news.general & ~asked)


def _evidence_ids(session: Session, anchor: int, partners: IntArray, sentences: IntArray) -> Iterator[list[str]]:
    """Names of up to five sentences of each pair; `relvm-kg evidence` shows all of them in full."""
    for partner, n in zip(partners.tolist(), sentences.tolist(), strict=True):
        standing = session.standing(session.evidence_index.rows(anchor, partner)) if n else np.zeros(0, dtype=np.int64)
        yield session.sentence_names(standing[:EVIDENCE_IDS])
