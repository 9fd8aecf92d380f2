"""Answers about a workspace: scores, rankings, evidence and bulk predictions agree with one another."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from relvm_kg.errors import (
    InvalidInputError,
    NoRelationForTypesError,
    UnknownEntityError,
    WorkspaceError,
)
from relvm_kg.pipeline.answers import find_evidence, rank_partners, score_pair
from relvm_kg.pipeline.predict import PredictRequest, predict_pairs
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Silent
from relvm_kg.types import EntityType, Relation
from relvm_kg.workspace import Workspace
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import EdgeType


@pytest.fixture(scope="module")
def session(trained_workspace: Workspace) -> Session:
    return Session(trained_workspace)


def test_a_pair_is_scored_in_the_argument_order_of_its_label_whatever_was_typed(session: Session) -> None:
    (answer,) = score_pair(session, "SLC1A2", "Amyotrophic Lateral Sclerosis").answers
    (turned,) = score_pair(session, "DISEASE:D000690", "GENE:6506").answers
    assert answer == turned
    assert (answer.head.type, answer.relation, answer.tail.type) == ("DISEASE", "DISEASE-GENE", "GENE")
    assert 0 < answer.probability < 1
    assert not answer.calibrated
    assert 0 < answer.training_prevalence < 1
    assert answer.simulated


def test_a_synonym_names_the_same_gene(session: Session) -> None:
    assert rank_partners(session, "EAAT2", top=3).answers == rank_partners(session, "NCBIGene:6506", top=3).answers


def test_a_ranking_holds_what_score_says_of_each_pair_in_falling_order(session: Session) -> None:
    ranking = rank_partners(session, "SLC1A2", partner_type=EntityType.DISEASE, top=5)
    probabilities = [a.probability for a in ranking.answers]
    assert probabilities == sorted(probabilities, reverse=True)
    for answer in ranking.answers:
        (alone,) = score_pair(session, answer.head.id, answer.tail.id).answers
        assert alone.probability == pytest.approx(answer.probability, abs=2e-6)
        assert alone.uncertainty == pytest.approx(answer.uncertainty, abs=2e-6)
        assert replace(alone, probability=answer.probability, uncertainty=answer.uncertainty) == answer


def test_a_novel_ranking_holds_no_known_pair_and_says_how_many_it_left_out(session: Session) -> None:
    everything = rank_partners(session, "SLC1A2", top=10_000)
    novel = rank_partners(session, "SLC1A2", top=10_000, novel=True)
    assert novel.n_left_out_known == sum(bool(a.known) for a in everything.answers) > 0
    assert not any(a.known for a in novel.answers)


def test_types_without_a_label_are_refused_with_the_labels_that_exist(session: Session) -> None:
    with pytest.raises(NoRelationForTypesError, match="no relation label joins DISEASE and DISEASE; the labels are"):
        rank_partners(session, "DISEASE:D000690", partner_type=EntityType.DISEASE)


def test_an_entity_has_no_relation_to_itself(session: Session) -> None:
    with pytest.raises(InvalidInputError, match="must be two entities"):
        score_pair(session, "EAAT2", "SLC1A2")


def test_an_unknown_name_gets_the_nearest_names(session: Session) -> None:
    with pytest.raises(UnknownEntityError, match="EAAT2"):
        rank_partners(session, "EAT2")


def test_evidence_marks_both_mentions_and_agrees_with_the_count(session: Session) -> None:
    ranking = rank_partners(session, "SLC1A2", top=10_000)
    answer = next(a for a in ranking.answers if a.co_mentioned)
    _, sentences = find_evidence(session, answer.head.id, answer.tail.id)
    assert len({s.doc_id for s in sentences}) == answer.n_documents
    names = {n.casefold() for n in session.catalogue.synonyms(session.ground(answer.head.id))} | {
        answer.head.name.casefold()
    }
    for sentence in sentences:
        start, end = sentence.head_span
        assert sentence.sentence[start:end].casefold() in names
        assert sentence.simulated
        assert sentence.probability is not None
        assert 0 <= sentence.probability <= 1


def test_a_pair_that_no_sentence_mentions_has_no_evidence(session: Session) -> None:
    ranking = rank_partners(session, "SLC1A2", top=10_000)
    answer = next(a for a in ranking.answers if not a.co_mentioned)
    assert find_evidence(session, answer.head.id, answer.tail.id)[1] == []


def test_predictions_are_what_score_says_and_stand_in_the_graph_once(own_trained: Workspace) -> None:
    session = Session(own_trained, samples=8)
    request = PredictRequest(relations=(Relation.DISEASE_GENE, Relation.GENE_GENE), min_documents=1, top=4)
    report = predict_pairs(session, request, Silent())
    with EmbeddedStore(own_trained.graph_dir) as store:
        rows = [row for batch in store.read_edges(EdgeType.PREDICTED) for row in batch.to_pylist()]
    assert len(rows) == report.run.n_predictions > 0
    assert len({frozenset((r["subject"], r["object"])) for r in rows}) == len(rows)
    for row in rows[:: max(1, len(rows) // 10)]:
        (answer,) = score_pair(session, row["subject"], row["object"]).answers
        assert row["score"] == pytest.approx(answer.probability, abs=1e-5)
        assert (row["known"], row["seen"]) == (answer.known, answer.co_mentioned)
        assert row["simulated"]
        assert not row["calibrated"]
        assert len(row["evidence_ids"]) == min(row["n_evidence"], 5)
    again = predict_pairs(session, request, Silent())
    assert (again.run, again.n_scored) == (report.run, 0)


def test_the_best_partners_of_a_named_entity_are_kept_on_either_side_of_a_label(own_trained: Workspace) -> None:
    report = predict_pairs(Session(own_trained), PredictRequest(entities=("EAAT2",), min_documents=1, top=3), Silent())
    with EmbeddedStore(own_trained.graph_dir) as store:
        rows = [row for batch in store.read_edges(EdgeType.PREDICTED) for row in batch.to_pylist()]
    assert len(rows) == report.run.n_predictions
    ranks = {
        label: sorted(r["rank"] for r in rows if r["relation"] == label) for label in {r["relation"] for r in rows}
    }
    assert ranks == {key: [1, 2, 3] for key in ("DISEASE-GENE", "GENE-GENE", "CHEMICAL-GENE")}
    assert all("NCBIGene:6506" in (row["subject"], row["object"]) for row in rows)


class _Killed(Silent):
    def task(self, label: str, total: int | None, unit: str = "it", done: int = 0) -> "_KilledTask":
        return _KilledTask()


class _KilledTask:
    def advance(self, n: int = 1, **figures: float) -> None:
        raise KeyboardInterrupt

    def __enter__(self) -> "_KilledTask":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_an_interrupted_prediction_goes_on_and_is_unseen_until_it_is_whole(own_trained: Workspace) -> None:
    request = PredictRequest(min_documents=1, top=2)
    with pytest.raises(KeyboardInterrupt):
        predict_pairs(Session(own_trained), request, _Killed())
    with EmbeddedStore(own_trained.graph_dir) as store:
        assert store.counts().predictions == 0
    report = predict_pairs(Session(own_trained), request, Silent())
    with EmbeddedStore(own_trained.graph_dir) as store:
        assert store.counts().predictions == report.run.n_predictions > 0


def test_a_model_is_stale_when_the_corpus_changed(own_trained: Workspace) -> None:
    assert not Session(own_trained).stale
    with own_trained.lock():
        own_trained.update_manifest(corpus_hash="0" * 64)
    assert Session(own_trained).stale


def test_a_model_whose_ids_the_catalogue_lost_is_refused(own_trained: Workspace) -> None:
    path = own_trained.corpus_dir / "entities.parquet"
    table = pq.read_table(path)
    rows = np.flatnonzero(np.asarray(table["id"].to_pylist()) != "NCBIGene:6506")
    pq.write_table(table.take(rows), path)
    with pytest.raises(WorkspaceError, match="its ids changed"):
        _ = Session(own_trained).scorer


@pytest.fixture
def own_trained(trained_workspace: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(trained_workspace.path, tmp_path / "trained")
    return Workspace.open(tmp_path / "trained")
