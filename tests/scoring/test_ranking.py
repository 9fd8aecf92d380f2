"""Rankings in stages: what they return is what all draws say, and cutting lists short loses next to nothing."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relvm_kg.classify.pair import PairReport
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.classify.probabilities import evaluation_draws
from relvm_kg.classify.sampling import PairConfig
from relvm_kg.encoding.vocabulary import build_vocabulary
from relvm_kg.errors import InvalidInputError, NoTextError
from relvm_kg.model.checkpoint import Bundle, BundleConfig, EntityTable
from relvm_kg.model.presets import EntityStart, ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.scoring.ranking import Ranker, RankSettings, Stage
from relvm_kg.scoring.scorer import RelvmScorer
from relvm_kg.types import POSITIVE_RELATIONS

N_ENTITIES = 1200
MODEL = ModelConfig(hidden=16, latent=12, embedding=14, entity_start=EntityStart.RANDOM)
DISEASE, WITHOUT_TEXT = 0, 7
CANDIDATES = np.delete(np.arange(1, N_ENTITIES), WITHOUT_TEXT - 1)


@pytest.fixture(scope="module")
def scorer() -> RelvmScorer:
    model = Relvm.started(MODEL, N_ENTITIES, n_vocabulary=5, seed=0).eval()
    torch.manual_seed(0)
    classifier = PairClassifier(MODEL.latent, hidden=9).eval()
    frame = pa.table(
        {
            "id": [f"NCBIGene:{i}" for i in range(N_ENTITIES)],
            "type": ["DISEASE"] + ["GENE"] * (N_ENTITIES - 1),
            "has_text": [i != WITHOUT_TEXT for i in range(N_ENTITIES)],
        }
    )
    config = BundleConfig(
        run_id="random",
        preset="default",
        created_at="2026-01-01T00:00:00+00:00",
        program_version="0",
        corpus_hash="",
        simulated=True,
        n_entities=N_ENTITIES,
        n_vocabulary=5,
        model=MODEL,
        training=TrainingConfig(),
    )
    report = PairReport(
        config=PairConfig(),
        threshold=0.5,
        training_prevalence={r.value: 0.1 for r in POSITIVE_RELATIONS},
        validation_prevalence=0.1,
        validation_average_precision=0.1,
        validation_f1=0.1,
        steps=0,
        counts={},
    )
    bundle = Bundle(Path(), config, model, build_vocabulary({}, 6, 1), EntityTable(frame))
    return RelvmScorer(bundle, classifier, report, evaluation_draws(model, 64, seed=0))


def brute_force(scorer: RelvmScorer, candidates: np.ndarray) -> np.ndarray:
    return np.argsort(-scorer.score(np.zeros(len(candidates), dtype=np.int64), candidates).probability, kind="stable")


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 300), top=st.integers(1, 400), seed=st.integers(0, 9))
def test_a_ranking_that_cuts_nothing_is_that_of_all_draws(scorer: RelvmScorer, n: int, top: int, seed: int) -> None:
    candidates = np.random.default_rng(seed).choice(CANDIDATES, n, replace=False)
    ranked = Ranker(scorer, RankSettings(stages=(Stage(0, 300, 1), Stage(4, 300, 1)))).best(DISEASE, candidates, top)
    np.testing.assert_array_equal(ranked.places, brute_force(scorer, candidates)[:top])


def test_what_a_ranking_gives_is_in_falling_order_and_scored_by_all_draws(scorer: RelvmScorer) -> None:
    small = RankSettings(stages=(Stage(0, 200, 1), Stage(4, 60, 1)))
    ranked = Ranker(scorer, small).best(DISEASE, CANDIDATES, 30)
    assert len(ranked.places) == 30
    assert (np.diff(ranked.scores.probability) <= 0).all()
    heads = np.zeros(30, dtype=np.int64)
    for mine, alone in zip(ranked.scores, scorer.score(heads, CANDIDATES[ranked.places]), strict=True):
        np.testing.assert_allclose(mine, alone, rtol=0, atol=1e-6)


def test_cutting_the_list_short_keeps_the_best(scorer: RelvmScorer) -> None:
    best = set(brute_force(scorer, CANDIDATES)[:30].tolist())
    for bfloat16 in (False, True):
        stages = RankSettings(stages=(Stage(0, 200, 1), Stage(8, 60, 1)), bfloat16=bfloat16)
        found = set(Ranker(scorer, stages).best(DISEASE, CANDIDATES, 30).places.tolist())
        assert len(best & found) >= 29


@settings(max_examples=15, deadline=None)
@given(top=st.integers(1, 25), more=st.integers(0, 25))
def test_asking_for_more_only_adds_to_the_end(scorer: RelvmScorer, top: int, more: int) -> None:
    ranker = Ranker(scorer, RankSettings(stages=(Stage(0, 200, 4), Stage(4, 100, 2))))
    few, many = ranker.best(DISEASE, CANDIDATES, top), ranker.best(DISEASE, CANDIDATES, top + more)
    np.testing.assert_array_equal(few.places, many.places[:top])


def test_asking_for_all_gives_all(scorer: RelvmScorer) -> None:
    ranked = Ranker(scorer, RankSettings(stages=(Stage(0, 10, 1), Stage(2, 10, 1)))).best(DISEASE, CANDIDATES, 10_000)
    np.testing.assert_array_equal(ranked.places, brute_force(scorer, CANDIDATES))


def test_no_candidates_give_no_answers(scorer: RelvmScorer) -> None:
    assert len(Ranker(scorer).best(DISEASE, CANDIDATES[:0], 5).places) == 0


def test_an_entity_without_text_is_refused(scorer: RelvmScorer) -> None:
    with pytest.raises(NoTextError, match="no training sentence mentions NCBIGene:7"):
        Ranker(scorer).best(DISEASE, np.array([WITHOUT_TEXT]), 5)


@pytest.mark.parametrize(
    ("stage", "what"),
    [
        (Stage(-1, 9, 1), "draws must not be negative, was: -1"),
        (Stage(0, 0, 1), "keep must be at least 1, was: 0"),
        (Stage(0, 9, 0), "keep_for_each must be at least 1, was: 0"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(stage: Stage, what: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"rank\.stages {what}"):
        RankSettings(stages=(stage,))
