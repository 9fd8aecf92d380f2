"""The pair-level classifier on the frozen prior (Shah and Fauqueur 2020, Eq. 19-20)."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from relvm_kg.classify.draws import Draws, draw_z
from relvm_kg.classify.labels import IntArray, LabelledPairs
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.classify.probabilities import evaluation_draws, pair_probabilities
from relvm_kg.classify.sampling import PairConfig, PairSampler, batch_prevalence
from relvm_kg.config import settings_from_mapping, settings_to_mapping
from relvm_kg.metrics import average_precision, best_threshold
from relvm_kg.model.checkpoint import load_weights, save_weights
from relvm_kg.model.relvm import Relvm
from relvm_kg.progress import Progress
from relvm_kg.workspace import read_json, write_json

WEIGHTS, SETTINGS = "pair.safetensors", "pair.json"


@dataclass(frozen=True, kw_only=True)
class PairReport:
    """What training found; written beside the weights."""

    config: PairConfig
    threshold: float
    """Probability at or above which the validation F1 is best."""
    training_prevalence: dict[str, float]
    """Share of positives in the training batches, by label."""
    validation_prevalence: float
    validation_average_precision: float
    validation_f1: float
    steps: int
    counts: dict[str, Any]
    """Training pairs by label."""


def train_pair_classifier(
    model: Relvm,
    training: LabelledPairs,
    validation: LabelledPairs,
    taken: IntArray,
    config: PairConfig,
    progress: Progress,
) -> tuple[PairClassifier, PairReport]:
    """Fit the classifier on frozen draws of z, stop on the validation pairs, tune the threshold there.

    Args:
        model: A trained representation; it is not changed.
        training: Pairs to learn from.
        validation: Pairs to stop and to tune the threshold on; without positives among them, the last weights stay.
        taken: Keys of pairs that a random negative must not be.
        config: Settings.
        progress: Where progress goes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        classifier = PairClassifier(model.config.latent, config.hidden).to(model.device)
    optimiser = torch.optim.Adam(classifier.parameters(), lr=config.learning_rate)
    batches = PairSampler(training, config, taken)
    best, best_score, best_step, looks = copy.deepcopy(classifier.state_dict()), -1.0, 0, 0
    with progress.task("pair classifier", config.max_steps, "step") as task:
        for step in range(1, config.max_steps + 1):
            loss = _step_loss(model, classifier, batches.draw(), step, config)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            task.advance(1, loss=float(loss.detach()))
            if step % config.evaluate_steps and step != config.max_steps:
                continue
            score = _average_precision(model, classifier, validation, config)
            looks += 1
            if score > best_score or not validation.positive.any():
                best, best_score, best_step, looks = copy.deepcopy(classifier.state_dict()), score, step, 0
            if looks >= config.patience:
                break
    classifier.load_state_dict(best)
    classifier.eval()
    return classifier, _report(model, classifier, training, validation, config, best_step)


def _step_loss(model: Relvm, classifier: PairClassifier, pairs: LabelledPairs, step: int, config: PairConfig) -> Tensor:
    generator = torch.Generator(model.device).manual_seed(config.seed * 1_000_003 + step)
    draws = Draws.independent(config.samples, model.config.latent, generator)
    heads, tails, columns = (torch.from_numpy(a).to(model.device) for a in (pairs.heads, pairs.tails, pairs.columns))
    log_odds = classifier(draw_z(model, heads, tails, draws), columns)
    wanted = torch.from_numpy(pairs.positive).to(model.device, log_odds.dtype).unsqueeze(1).expand_as(log_odds)
    # Shah and Fauqueur (2020), Eq. 20: the mean over draws of log p(r|z)
    return F.binary_cross_entropy_with_logits(log_odds, wanted)


def _average_precision(model: Relvm, classifier: PairClassifier, pairs: LabelledPairs, config: PairConfig) -> float:
    draws = evaluation_draws(model, config.samples, config.seed)
    scores, _ = pair_probabilities(model, classifier, pairs.heads, pairs.tails, pairs.columns, draws)
    return average_precision(pairs.positive, scores.astype(np.float64))


def _report(
    model: Relvm,
    classifier: PairClassifier,
    training: LabelledPairs,
    validation: LabelledPairs,
    config: PairConfig,
    steps: int,
) -> PairReport:
    draws = evaluation_draws(model, 4 * config.samples, config.seed)
    scores, _ = pair_probabilities(model, classifier, validation.heads, validation.tails, validation.columns, draws)
    threshold, f1 = best_threshold(validation.positive, scores.astype(np.float64))
    return PairReport(
        config=config,
        threshold=threshold,
        training_prevalence=batch_prevalence(training, config),
        validation_prevalence=float(validation.positive.mean()) if len(validation) else 0.0,
        validation_average_precision=average_precision(validation.positive, scores.astype(np.float64)),
        validation_f1=f1,
        steps=steps,
        counts=training.describe(),
    )


def save_pair_classifier(folder: Path, classifier: PairClassifier, report: PairReport) -> None:
    """Write weights, then the report that makes them whole."""
    save_weights(folder / WEIGHTS, classifier)
    write_json(folder / SETTINGS, settings_to_mapping(report))


def load_pair_classifier(folder: Path, latent: int) -> tuple[PairClassifier, PairReport]:
    """Read what `save_pair_classifier` wrote.

    Raises:
        InvalidInputError: if a file is missing or does not fit.
    """
    report = settings_from_mapping(PairReport, read_json(folder / SETTINGS))
    classifier = PairClassifier(latent, report.config.hidden)
    load_weights(classifier, folder / WEIGHTS)
    return classifier.eval(), report
