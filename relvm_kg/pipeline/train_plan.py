"""Settings and name of a run before it is trained, so that the same wish leads to the same run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relvm_kg.config import settings_to_mapping
from relvm_kg.model.checkpoint import CONFIG
from relvm_kg.model.presets import Bound, ModelConfig, Preset, Size, TrainingConfig, model_config, training_config
from relvm_kg.pipeline.train import TrainRequest
from relvm_kg.training.device import Device
from relvm_kg.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class TrainPlan:
    """What to train, under which name, and whether that run is finished."""

    run_id: str
    preset: Preset
    model: ModelConfig
    training: TrainingConfig
    folder: Path

    @property
    def is_finished(self) -> bool:
        """Whether the run needs no more training."""
        return (self.folder / CONFIG).is_file()

    def request(self, device: Device = Device.AUTO, *, allow_collapse: bool = False) -> TrainRequest:
        """As `train_run` takes it."""
        return TrainRequest(
            run_id=self.run_id,
            preset=self.preset,
            model=self.model,
            training=self.training,
            device=device,
            allow_collapse=allow_collapse,
        )


def plan_training(
    workspace: Workspace,
    preset: Preset,
    size: Size,
    run_id: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> TrainPlan:
    """The settings of a preset and size with changes, and the name of their run.

    Args:
        workspace: One with a corpus.
        preset: Where the settings start.
        size: Size of the model.
        run_id: A name; None makes one of preset, size, and a hash of the settings and the corpus.
        changes: Fields of `TrainingConfig`; None as a value leaves the preset's.

    Raises:
        InvalidInputError: if a setting is out of range.
        WorkspaceError: if there is no corpus.
    """
    workspace.corpus_dir  # noqa: B018  a clear error where there is none
    given = {name: value for name, value in (changes or {}).items() if value is not None}
    if "bound" in given:
        given["bound"] = Bound(given["bound"])
    model, training = model_config(preset, size), replace(training_config(preset), **given)
    corpus_hash = workspace.manifest.corpus_hash or ""
    name = run_id or f"{preset.value}-{size.value}-{settings_hash(model, training, corpus_hash)}"
    return TrainPlan(run_id=name, preset=preset, model=model, training=training, folder=workspace.runs_dir / name)


def settings_hash(model: ModelConfig, training: TrainingConfig, corpus_hash: str) -> str:
    """Eight hexadecimal digits that name settings and corpus."""
    values = {"model": settings_to_mapping(model), "training": settings_to_mapping(training), "corpus": corpus_hash}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
