"""Score pairs in bulk and write them to the graph, part by part, so that an interrupted run goes on.

The parts depend on model, corpus and request alone. So several processes, on several machines, may share them: shard
i of n takes every n-th part, and whoever sees all parts written marks the run whole.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from relvm_kg.config import require, settings_to_mapping
from relvm_kg.pipeline.entity_list import SetAside, read_entities
from relvm_kg.pipeline.novelty import NovelRule
from relvm_kg.pipeline.predict_parts import PAIRS_A_PART, ROWS_A_PART, Candidates, IntArray, Part, Per, make_parts
from relvm_kg.pipeline.predict_rows import KeepRule, RowMaker
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Progress, Task
from relvm_kg.types import POSITIVE_RELATIONS, Relation
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import PredictionRun
from relvm_kg_graph.store import StoredRun

FINISH_PATIENCE = 60.0
"""Seconds that a shard waits for others to let the workspace go, so that it may mark the run whole."""


@dataclass(frozen=True, kw_only=True)
class PredictRequest:
    """Which pairs to score and which to keep."""

    relations: tuple[Relation, ...] = POSITIVE_RELATIONS
    """Labels to predict, each a pair of types; those that the run did not learn are left out."""
    entities: tuple[str, ...] = ()
    """Only pairs with one of these (ids, names or synonyms) or of those in the file; all if none are named."""
    entities_file: Path | None = None
    """One name or id a line."""
    within: bool = False
    """Only pairs of two of the named entities."""
    min_documents: int = 5
    """Only entities that at least this many documents mention; named ones in any case."""
    top: int = 50
    """Partners to keep for each head (or whom `per` says), or for each named entity; 0 keeps all.

    A pair of two named entities is kept if it is among the best of one of them, and kept once.
    Of two genes the head is the one first in the catalogue.
    """
    per: Per = Per.HEAD
    """Whose best partners are kept, if no entities are named; what is kept for both ends of a pair is kept once."""
    min_probability: float = 0.0
    """Lowest probability to keep."""
    novel: bool = False
    """Leave out what is no news: see `relvm_kg.pipeline.novelty` ..."""
    keep_related: bool = False
    """... but not what follows from a known relation, ..."""
    keep_general: bool = False
    """... and not terms that are too general."""
    never_known: bool = False
    """Leave out pairs whose relation is known, and nothing else for being no news; `novel` leaves out more."""
    never_co_mentioned: bool = False
    """Leave out pairs that a sentence mentions together."""
    samples: int = 8
    """Draws of z a pair and order."""

    @property
    def keep(self) -> KeepRule:
        """Which of the scored pairs are kept."""
        novel = NovelRule(novel=self.novel, keep_related=self.keep_related, keep_general=self.keep_general)
        if self.never_known and not self.novel:
            novel = NovelRule(novel=True, keep_related=True, keep_general=True)
        return KeepRule(
            top=self.top,
            min_probability=self.min_probability,
            novel=novel,
            never_co_mentioned=self.never_co_mentioned,
        )

    def __post_init__(self) -> None:
        named = bool(self.entities) or self.entities_file is not None
        require(bool(self.relations), "predict.relations", "name at least one label", self.relations)
        require(Relation.NO_RELATION not in self.relations, "predict.relations", "be positive", "NO-RELATION")
        require(self.samples >= 1, "predict.samples", "be at least 1", self.samples)
        require(self.top >= 0, "predict.top", "not be negative", self.top)
        require(0 <= self.min_probability < 1, "predict.min_probability", "be in [0, 1)", self.min_probability)
        require(named or not self.within, "predict.within", "go with named entities", "without any")
        rule = "be left out with named entities, whose own best partners are kept"
        require(not named or self.per is Per.HEAD, "predict.per", rule, self.per)
        rule = "be left out with a top of 0, which keeps the partners of all"
        require(self.top > 0 or self.per is Per.HEAD, "predict.per", rule, self.per)


class Shard(NamedTuple):
    """Which of a run's parts a call scores: of n shards, number i takes every n-th part."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read `i/n`.

        Raises:
            InvalidInputError: if it is anything else.

        >>> Shard.parse("2/4")
        Shard(number=2, of=4)
        """
        words = text.split("/")
        fits = len(words) == 2 and all(word.isascii() and word.isdigit() for word in words)
        shard = cls(int(words[0]), int(words[1])) if fits else cls(0, 0)
        require(1 <= shard.number <= shard.of, "a shard", "be i/n with i from 1 to n, such as 1/4", text)
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


WHOLE = Shard()


@dataclass(frozen=True, kw_only=True)
class PredictReport:
    """What a prediction run wrote."""

    run: StoredRun
    """Not complete while other shards have parts to write."""
    n_scored: int
    """Pairs scored in this call (parts of an earlier call are not scored again)."""
    n_without_text: int
    """Entities left out because no training sentence mentions them."""
    n_too_rare: int
    """Entities left out because too few documents mention them."""
    n_named: int
    """Entities that the request names."""
    set_aside: tuple[SetAside, ...]
    """Lines of the file of entities that lead to none."""
    n_parts: int
    n_parts_missing: int
    """Parts that other shards have yet to write."""


class PartScorer(Protocol):
    """Scores some of a plan's parts, in any order."""

    def __call__(self, plan: "Plan", parts: Sequence[int], task: Task) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Numbers of parts with their rows; `task` is told the pairs that were scored."""


@dataclass(frozen=True)
class Plan:
    """A request over an opened workspace: the run that it makes, and its parts."""

    session: Session
    request: PredictRequest
    """With the ids of the named entities in place of what was typed, and each label once, in the order of all."""
    run: PredictionRun
    parts: tuple[Part, ...]
    set_aside: tuple[SetAside, ...]
    n_without_text: int
    n_too_rare: int

    @classmethod
    def of(cls, session: Session, request: PredictRequest) -> "Plan":
        """Make a plan.

        Raises:
            NoRelationForTypesError: if the run learned none of the labels.
            UnknownEntityError: if a name is unknown.
        """
        relations = tuple(relation for relation in POSITIVE_RELATIONS if relation in request.relations)
        learned = [relation for relation in relations if relation in session.scorer.relations]
        if not learned:
            session.scorer.require_learned(relations[0])
        catalogue = session.catalogue
        chosen, set_aside = _named(session, request)
        named = tuple(catalogue.curies[i] for i in chosen)
        request = replace(request, relations=relations, entities=named, entities_file=None)
        able = session.scorable(np.arange(len(catalogue), dtype=np.int64))
        common = np.asarray(catalogue.n_documents) >= request.min_documents
        usable = able & common
        usable[chosen] = True
        candidates = Candidates(usable, chosen, request.per, request.within, request.top)
        parts = make_parts(catalogue, learned, candidates)
        n_without, n_rare = int((~able).sum()), int((able & ~common).sum())
        return cls(session, request, _run(session, request), tuple(parts), tuple(set_aside), n_without, n_rare)

    def row_maker(self) -> RowMaker:
        """What scores the parts."""
        return RowMaker(self.session, self.session.scorer.with_samples(self.request.samples), self.request.keep)

    @property
    def may_repeat(self) -> bool:
        """Whether parts may keep a pair twice: among the best of one end, and of the other."""
        return self.request.per is Per.EITHER or (self.request.top > 0 and len(self.request.entities) > 1)

    def n_pairs(self, part: int) -> int:
        """Pairs of a part."""
        return int(self.parts[part].n_partners().sum())


def _named(session: Session, request: PredictRequest) -> tuple[IntArray, list[SetAside]]:
    """The entities that a request names, rising, and the lines that name none."""
    found = [session.ground_with_text(text) for text in request.entities]
    aside: list[SetAside] = []
    if request.entities_file is not None:
        listed, aside = read_entities(session, request.entities_file)
        found += listed
    return np.unique(np.array(found, dtype=np.int64)), aside


def _run(session: Session, request: PredictRequest) -> PredictionRun:
    """The run of a request, named by all that its rows depend on."""
    config = session.scorer.bundle.config
    settings = settings_to_mapping(request)
    del settings["entities_file"]
    corpus_hash = session.workspace.manifest.corpus_hash or ""
    made_of = [config.run_id, config.created_at, corpus_hash, settings, PAIRS_A_PART, ROWS_A_PART]
    key = json.dumps(made_of, sort_keys=True)
    return PredictionRun(
        run_id=f"{config.run_id}-{hashlib.sha256(key.encode()).hexdigest()[:8]}",
        model_id=config.run_id,
        model_version=config.created_at,
        corpus_hash=corpus_hash,
        simulated=session.simulated,
        settings=settings,
    )


def score_here(plan: Plan, parts: Sequence[int], task: Task) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Score parts in this process: see `PartScorer`."""
    maker = plan.row_maker()
    for index in parts:
        yield index, maker.rows(plan.parts[index], task.advance)


def predict_pairs(
    session: Session,
    request: PredictRequest,
    progress: Progress,
    *,
    shard: Shard = WHOLE,
    score: PartScorer = score_here,
) -> PredictReport:
    """Write predictions to the workspace's graph.

    The run's name is made from model, corpus and request, so that the same call goes on where it was interrupted, and
    all shards write to the same run.

    Args:
        session: An opened workspace with a corpus and a model.
        request: Which pairs.
        progress: Where progress goes.
        shard: Which of the parts. Several shards may write to one workspace at once.
        score: Who scores the parts.

    Returns:
        The run; a call whose run is whole already scores nothing.

    Raises:
        NoRelationForTypesError: if the run learned none of the labels.
        StoreError: if there is no graph.
        UnknownEntityError: if a name is unknown.
        InvalidInputError: if no line of the file of entities leads to one.
    """
    plan = Plan.of(session, request)
    workspace = session.workspace
    stored = StoredRun(plan.run, 0, complete=False)
    with workspace.lock(shared=shard.of > 1):
        n_scored, n_missing = _write_parts(plan, progress, shard, score)
    if not n_missing:
        with workspace.lock(patience=FINISH_PATIENCE):
            stored = _finish(plan, progress)
    return PredictReport(
        run=stored,
        n_scored=n_scored,
        n_without_text=plan.n_without_text,
        n_too_rare=plan.n_too_rare,
        n_named=len(plan.request.entities),
        set_aside=plan.set_aside,
        n_parts=len(plan.parts),
        n_parts_missing=n_missing,
    )


def _write_parts(plan: Plan, progress: Progress, shard: Shard, score: PartScorer) -> tuple[int, int]:
    """Score and write a shard's parts that are not written yet; how many pairs, and how many parts are missing then."""
    with _store(plan) as store:
        if _whole(store, plan):
            return 0, 0
        writer = store.prediction_writer(plan.run)
        finished = writer.finished_parts()
        n_pairs = {index: plan.n_pairs(index) for index in range(shard.number - 1, len(plan.parts), shard.of)}
        todo = [index for index in n_pairs if index not in finished]
        n_todo = sum(n_pairs[index] for index in todo)
        total = sum(n_pairs.values())
        label = "predict" if shard.of == 1 else f"predict, shard {shard}"
        with progress.task(label, total, "pair", total - n_todo) as task:
            for index, rows in score(plan, todo, task):
                writer.write_part(index, rows)
        return n_todo, len(set(range(len(plan.parts))) - writer.finished_parts())


def _finish(plan: Plan, progress: Progress) -> StoredRun:
    """Mark the run whole; all parts are there."""
    with _store(plan) as store:
        if whole := _whole(store, plan):
            return whole
        writer = store.prediction_writer(plan.run)
        if plan.may_repeat:
            progress.say("keeping once what was kept for both ends of a pair")
            writer.drop_repeated()
        return writer.finish(len(plan.parts))


def _store(plan: Plan) -> EmbeddedStore:
    return EmbeddedStore(plan.session.workspace.graph_dir)


def _whole(store: EmbeddedStore, plan: Plan) -> StoredRun | None:
    """The run, if it is written whole."""
    return next((one for one in store.runs() if one.complete and one.run.run_id == plan.run.run_id), None)
