"""Rows of a bulk prediction, a column at a time: what is kept of a part's pairs, and what is known of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from relvm_kg.pipeline.novelty import NovelRule
from relvm_kg.pipeline.predict_parts import BoolArray, IntArray, Part
from relvm_kg.pipeline.session import Session
from relvm_kg.scoring.scorer import FloatArray, RelvmScorer
from relvm_kg_graph.schema import PREDICTION_BATCH_SCHEMA

EVIDENCE_IDS = 5
"""Sentences that a row names; `relvm-kg evidence` shows all of them in full."""


@dataclass(frozen=True, kw_only=True)
class KeepRule:
    """Which of the scored pairs are kept."""

    top: int
    """Partners of each anchor; 0 keeps all."""
    min_probability: float
    novel: NovelRule
    never_co_mentioned: bool


class _Kept(NamedTuple):
    """What is kept of one anchor's pairs, best first. *Shape:* (kept) each."""

    anchor: IntArray
    partner: IntArray
    probability: FloatArray
    uncertainty: FloatArray
    rank: IntArray
    sentences: IntArray
    known: BoolArray
    near_known: BoolArray
    general: BoolArray


@dataclass(frozen=True)
class RowMaker:
    """Scores parts and makes rows of them."""

    session: Session
    scorer: RelvmScorer
    rule: KeepRule

    def rows(self, part: Part, advance: Callable[[int], object] = lambda n: None) -> pa.RecordBatch:
        """The rows of a part, as `PREDICTION_BATCH_SCHEMA` but for strings that are dictionaries.

        Args:
            part: Its pairs.
            advance: Told how many pairs were scored since it was called last.
        """
        kept: list[_Kept] = []
        for anchor in part.anchors.tolist():
            partners = part.partners(anchor)
            if len(partners):
                kept.append(self._anchor(part, anchor, partners))
            advance(len(partners))
        return self._batch(part, _Kept(*map(np.concatenate, zip(*kept, strict=True))))

    def _anchor(self, part: Part, anchor: int, partners: IntArray) -> _Kept:
        session, rule = self.session, self.rule
        row = session.model_rows(np.array([anchor]))[0]
        scores = self.scorer.score(np.full(len(partners), row), session.model_rows(partners))
        news = session.novelty.of(anchor, partners)
        general = news.general & ~np.isin(partners, part.chosen)
        if session.novelty.general[anchor] and anchor not in part.chosen:
            general = np.ones(len(partners), dtype=np.bool_)
        news = news._replace(general=general)
        sentences = self._sentences(anchor)[partners]
        keep = scores.probability >= rule.min_probability
        for left_out in news.left_out(rule.novel):
            keep &= ~left_out
        if rule.never_co_mentioned:
            keep &= sentences == 0
        kept = np.flatnonzero(keep)
        kept = kept[np.argsort(-scores.probability[kept], kind="stable")]
        kept = kept[: rule.top] if rule.top else kept
        return _Kept(
            anchor=np.full(len(kept), anchor),
            partner=partners[kept],
            probability=scores.probability[kept],
            uncertainty=scores.uncertainty[kept],
            rank=np.arange(1, len(kept) + 1),
            sentences=sentences[kept],
            known=news.known[kept],
            near_known=news.near_known[kept],
            general=news.general[kept],
        )

    def _sentences(self, anchor: int) -> IntArray:
        """In how many sentences each entity is mentioned together with one. *Shape:* (entities)"""
        assert self.session.facts is not None
        counts = np.zeros(len(self.session.catalogue), dtype=np.int64)
        together, sentences = self.session.facts.comentioned(anchor)
        counts[together] = sentences
        return counts

    def _batch(self, part: Part, kept: _Kept) -> pa.RecordBatch:
        n = len(kept.anchor)
        turned = np.full(n, not part.anchors_are_heads)
        if part.is_alike:
            turned = self._place_by_id[kept.anchor] > self._place_by_id[kept.partner]
        heads, tails = np.where(turned, kept.partner, kept.anchor), np.where(turned, kept.anchor, kept.partner)
        prevalence = self.scorer.report.training_prevalence[part.relation.value]
        columns = {
            "subject": pa.DictionaryArray.from_arrays(heads.astype(np.int32), self._ids),
            "object": pa.DictionaryArray.from_arrays(tails.astype(np.int32), self._ids),
            "relation": pa.DictionaryArray.from_arrays(np.zeros(n, dtype=np.int32), [part.relation.value]),
            "score": kept.probability,
            "raw_score": kept.probability,
            "uncertainty": kept.uncertainty,
            "rank": kept.rank.astype(np.int32),
            "seen": kept.sentences > 0,
            "known": kept.known,
            "near_known": kept.near_known,
            "general": kept.general,
            "training_prevalence": np.full(n, prevalence, dtype=np.float32),
            "evidence_ids": self._evidence_ids(kept),
            "n_evidence": kept.sentences.astype(np.int32),
        }
        return pa.RecordBatch.from_pydict({name: columns[name] for name in PREDICTION_BATCH_SCHEMA.names})

    @cached_property
    def _ids(self) -> pa.Array:
        return pa.array(self.session.catalogue.curies, pa.string())

    @cached_property
    def _place_by_id(self) -> IntArray:
        """Where each entity stands when all are sorted by the text of their ids. *Shape:* (entities)"""
        return np.argsort(np.argsort(np.array(self.session.catalogue.curies)))

    def _evidence_ids(self, kept: _Kept) -> pa.ListArray:
        """Names of the first sentences of each pair; only those that are mentioned together are looked up."""
        seen = np.flatnonzero(kept.sentences)
        rows, counts = self.session.evidence_index.rows_of_many(kept.anchor[seen], kept.partner[seen])
        pairs = np.repeat(seen, counts)
        stands = self.session.stands(rows)
        rows, pairs = rows[stands], pairs[stands]
        of_each = np.bincount(pairs, minlength=len(kept.anchor))
        places = np.arange(len(rows)) - np.repeat(np.cumsum(of_each) - of_each, of_each)
        offsets = np.concatenate([[0], np.cumsum(np.minimum(of_each, EVIDENCE_IDS))]).astype(np.int32)
        names = self.session.sentence_names(rows[places < EVIDENCE_IDS])
        return pa.ListArray.from_arrays(offsets, names)
