"""A scorer with random weights, of the size of a real one: speed does not depend on what a model has learned."""

from pathlib import Path

import torch

from relvm_kg.classify.pair import PairReport
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.classify.probabilities import evaluation_draws
from relvm_kg.classify.sampling import PairConfig
from relvm_kg.encoding.vocabulary import build_vocabulary
from relvm_kg.model.checkpoint import Bundle, BundleConfig, EntityTable
from relvm_kg.model.presets import Preset, Size, TrainingConfig, model_config
from relvm_kg.model.relvm import Relvm
from relvm_kg.scoring.scorer import RelvmScorer
from relvm_kg.types import POSITIVE_RELATIONS


def random_scorer(size: Size, preset: Preset, entities: EntityTable) -> RelvmScorer:
    """A scorer of these entities."""
    config = model_config(preset, size)
    model = Relvm.started(config, len(entities), n_vocabulary=6, seed=0).eval()
    torch.manual_seed(0)
    classifier = PairClassifier(config.latent, PairConfig().hidden).eval()
    bundle = BundleConfig(
        run_id="random",
        preset=preset.value,
        created_at="",
        program_version="",
        corpus_hash="",
        simulated=True,
        n_entities=len(entities),
        n_vocabulary=6,
        model=config,
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
    loaded = Bundle(Path(), bundle, model, build_vocabulary({}, 6, 1), entities)
    return RelvmScorer(loaded, classifier, report, evaluation_draws(model, 256, seed=0))
