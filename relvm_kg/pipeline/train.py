"""Train a run: the representation, its health, both classifiers, and the model folder."""

import json
import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import relvm_kg
from relvm_kg.classify.labels import IntArray, LabelledPairs, load_labelled_pairs, split_pairs, taken_keys
from relvm_kg.classify.mention import (
    MentionClassifier,
    MentionConfig,
    MentionReport,
    load_mention_classifier,
    save_mention_classifier,
    train_mention_classifier,
)
from relvm_kg.classify.pair import PairReport, load_pair_classifier, save_pair_classifier, train_pair_classifier
from relvm_kg.classify.sampling import PairConfig
from relvm_kg.config import require, settings_to_mapping
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError, WorkspaceError
from relvm_kg.model.checkpoint import CONFIG, BundleConfig, save_bundle
from relvm_kg.model.presets import ModelConfig, Preset, TrainingConfig
from relvm_kg.pipeline.model_card import write_model_card
from relvm_kg.pipeline.projection import keep_projection
from relvm_kg.pipeline.run_health import RunHealth, check_collapse, measure_run, probe_of
from relvm_kg.progress import Progress, Silent
from relvm_kg.training.data import TrainingCorpus, load_corpus
from relvm_kg.training.device import Device
from relvm_kg.training.loop import Trainer
from relvm_kg.training.mention_data import curated_sentences
from relvm_kg.training.processes import is_helper, joined
from relvm_kg.training.state import Best, remove_states
from relvm_kg.workspace import Workspace, read_json, remove_leftovers, write_json

REPORT = "report.json"
LANGUAGE_MODEL_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """What to train."""

    run_id: str
    preset: Preset
    model: ModelConfig
    training: TrainingConfig
    pair: PairConfig = field(default_factory=PairConfig)
    mention: MentionConfig = field(default_factory=MentionConfig)
    device: Device = Device.AUTO
    allow_collapse: bool = False
    """Finish a run whose shuffled-pair gap is not above zero, which says so in its report."""
    language_model_share: float = LANGUAGE_MODEL_SHARE
    """Contexts that the language model beside the health figures trains on, as a share of those that the run sees; 0
    leaves it out."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", self.run_id):
            raise InvalidInputError(
                f"a run name must be 1 to 64 letters, digits, dots, dashes or underscores, was: {self.run_id!r}"
            )
        share = self.language_model_share
        require(0 <= share <= 1, "language_model_share", "be in [0, 1]", share)


def train_run(workspace: Workspace, request: TrainRequest, progress: Progress) -> dict[str, Any]:
    """Train a run in the workspace, or finish one that was interrupted; make it the default.

    Args:
        workspace: One with a corpus.
        request: What to train.
        progress: Where progress goes.

    Returns:
        The report that stands in the run's `report.json`; an empty one in the processes that only help (`torchrun`).

    Raises:
        CollapseError: if the representation carries nothing of the pair.
        InvalidInputError: if the run was trained or begun with other settings or on another corpus.
        WorkspaceError: if there is no corpus, no label, or another writer.
    """
    folder = workspace.runs_dir / request.run_id
    if is_helper():
        if not (folder / CONFIG).is_file():
            _train_representation(folder, load_corpus(workspace.corpus_dir), request, Silent())
        return {}
    with workspace.lock():
        if (folder / CONFIG).is_file():
            return _finished_report(folder, request, workspace)
        remove_leftovers(folder)
        corpus = load_corpus(workspace.corpus_dir)
        pairs = load_labelled_pairs(corpus.folder, corpus.types, corpus.has_text, request.pair.scope)
        splits = split_pairs(pairs, corpus.entities["id"].to_pylist(), request.training.seed)
        if not splits[Split.TRAIN].positive.any():
            raise WorkspaceError(
                f"no known relation of the training part is in scope ({request.pair.scope.value}); "
                "build with more --relations, or train with --pair-scope with-text"
            )
        trainer = _train_representation(folder, corpus, request, progress)
        best = trainer.take_best(progress)
        health = measure_run(trainer, workspace, request.language_model_share, progress)
        check_collapse(health.figures, folder, allowed=request.allow_collapse, progress=progress)
        pair_report = _pair_stage(trainer, splits, taken_keys(corpus.folder, pairs), request, progress)
        mention_report = _mention_stage(trainer, corpus, request, progress)
        manifest = workspace.manifest
        config = BundleConfig(
            run_id=request.run_id,
            preset=request.preset.value,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            program_version=relvm_kg.__version__,
            corpus_hash=manifest.corpus_hash or "",
            simulated=manifest.simulated,
            n_entities=len(corpus.types),
            n_vocabulary=len(corpus.vocabulary),
            model=request.model,
            training=request.training,
        )
        report = {**_report(config, trainer, health, pair_report, mention_report), "weights": _weights(trainer, best)}
        write_json(folder / REPORT, report)
        write_model_card(folder, report)
        shutil.copyfile(corpus.folder / "synonyms.parquet", folder / "synonyms.parquet")
        keep_projection(folder, corpus.folder, request.model)
        save_bundle(folder, config, trainer.model, corpus.vocabulary, corpus.entities)
        remove_states(folder)
        workspace.update_manifest(default_run=request.run_id)
    return report


def _train_representation(folder: Path, corpus: TrainingCorpus, request: TrainRequest, progress: Progress) -> Trainer:
    """Take all steps that are left, together with the other processes if there are any."""
    with joined(request.device) as (processes, device):
        trainer = Trainer(folder, corpus, request.model, request.training, device, processes)
        if trainer.schedule.kl_weight(trainer.schedule.total_steps) < 1:
            progress.say("the run ends before the KL term has its full weight: train longer, or lower --anneal")
        if not trainer.finished:
            trainer.run(progress, probe_of(trainer) if processes.is_first else None)
    return trainer


def _finished_report(folder: Path, request: TrainRequest, workspace: Workspace) -> dict[str, Any]:
    """The report of a run that needs no more training."""
    report: dict[str, Any] = read_json(folder / REPORT)
    stored = report["config"]
    same = (
        stored["model"] == settings_to_mapping(request.model)
        and stored["training"] == settings_to_mapping(request.training)
        and stored["corpus_hash"] == workspace.manifest.corpus_hash
        and report["pair_classifier"]["config"] == settings_to_mapping(request.pair)
        and (report["mention_classifier"] or {}).get("config") in (None, settings_to_mapping(request.mention))
    )
    if not same:
        raise InvalidInputError(
            f"run {request.run_id!r} was trained with other settings or on another corpus; name another with --run"
        )
    remove_states(folder)
    workspace.update_manifest(default_run=request.run_id)
    return report


def _pair_stage(
    trainer: Trainer, splits: dict[Split, LabelledPairs], taken: IntArray, request: TrainRequest, progress: Progress
) -> PairReport:
    folder, model = trainer.folder, trainer.model.eval()
    if (folder / "pair.json").is_file():
        stored = load_pair_classifier(folder, model.config.latent)[1]
        if stored.config == request.pair:
            return stored
    classifier, report = train_pair_classifier(
        model, splits[Split.TRAIN], splits[Split.VALIDATION], taken, request.pair, progress
    )
    save_pair_classifier(folder, classifier, report)
    return report


def _mention_stage(
    trainer: Trainer, corpus: TrainingCorpus, request: TrainRequest, progress: Progress
) -> MentionReport | None:
    """The mention-level classifier; None where no sentence comes from a curated document."""
    folder, model = trainer.folder, trainer.model.eval()
    if (folder / "mention.json").is_file():
        stored = load_mention_classifier(folder)[1]
        if stored.config == request.mention:
            return stored
    sentences = curated_sentences(corpus, request.training.seed)
    if not sentences["train"].positive.any() or not len(sentences["validation"]):
        progress.say("no sentence comes from a document with a curated pair: no mention-level classifier")
        return None
    classifier, report = train_mention_classifier(
        MentionClassifier.of(model), sentences["train"], sentences["validation"], request.mention, progress
    )
    save_mention_classifier(folder, classifier, report)
    return report


def _weights(trainer: Trainer, best: Best | None) -> dict[str, Any]:
    """Which weights the run ends with, and what chose them."""
    if best is None:
        return {"from_step": trainer.step, "chosen_by": "last step", "held_out_bound_per_token": None}
    chosen_by = "last step, which no other passed" if best.step == trainer.step else "best held-out bound"
    return {"from_step": best.step, "chosen_by": chosen_by, "held_out_bound_per_token": best.bound_per_token}


def _report(
    config: BundleConfig,
    trainer: Trainer,
    health: RunHealth,
    pair: PairReport,
    mention: MentionReport | None,
) -> dict[str, Any]:
    trace = (trainer.folder / "trace.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "run_id": config.run_id,
        "simulated": config.simulated,
        "config": settings_to_mapping(config),
        "steps": trainer.step,
        "epochs": trainer.config.epochs,
        "n_training_contexts": len(trainer.rows),
        "n_parameters": trainer.model.n_parameters(embeddings=True),
        "n_parameters_without_embeddings": trainer.model.n_parameters(embeddings=False),
        "last_trace": json.loads(trace[-1]) if trace else None,
        **health.as_mapping(),
        "pair_classifier": settings_to_mapping(pair),
        "mention_classifier": None if mention is None else settings_to_mapping(mention),
    }
