"""Settings and name of a run before it is trained, so that the same wish leads to the same run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from relvm_kg.classify.mention import MentionConfig, mention_config
from relvm_kg.classify.sampling import PairConfig, pair_config
from relvm_kg.config import settings_to_mapping
from relvm_kg.model.checkpoint import CONFIG
from relvm_kg.model.presets import (
    Bound,
    ModelConfig,
    PairScope,
    Precision,
    Preset,
    Size,
    TrainingConfig,
    model_config,
    training_config,
)
from relvm_kg.pipeline.train import LANGUAGE_MODEL_SHARE, TrainRequest
from relvm_kg.training.device import Device
from relvm_kg.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class TrainPlan:
    """What to train, under which name, and whether that run is finished."""

    run_id: str
    preset: Preset
    model: ModelConfig
    training: TrainingConfig
    pair: PairConfig
    mention: MentionConfig
    is_finished: bool
    """Whether the run needed no more training when the plan was made."""

    def request(
        self,
        device: Device = Device.AUTO,
        *,
        allow_collapse: bool = False,
        language_model_share: float = LANGUAGE_MODEL_SHARE,
    ) -> TrainRequest:
        """As `train_run` takes it."""
        return TrainRequest(
            run_id=self.run_id,
            preset=self.preset,
            model=self.model,
            training=self.training,
            pair=self.pair,
            mention=self.mention,
            device=device,
            allow_collapse=allow_collapse,
            language_model_share=language_model_share,
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
        changes: Fields of `TrainingConfig`, `pair_steps` and `mention_steps`, the most steps of the two classifiers,
            and `pair_scope`, the pairs that are labelled; None as a value leaves the default.

    Raises:
        InvalidInputError: if a setting is out of range.
        WorkspaceError: if there is no corpus.
    """
    workspace.corpus_dir  # noqa: B018  a clear error where there is none
    given = {name: value for name, value in (changes or {}).items() if value is not None}
    steps = [{"max_steps": given.pop(name)} if name in given else {} for name in ("pair_steps", "mention_steps")]
    scope: dict[str, Any] = {"scope": PairScope(given.pop("pair_scope"))} if "pair_scope" in given else {}
    if "epochs" in given:
        given["steps"] = 0
    if "bound" in given:
        given["bound"] = Bound(given["bound"])
    if "precision" in given:
        given["precision"] = Precision(given["precision"])
    model, training = model_config(preset, size), replace(training_config(preset), **given)
    pair = replace(pair_config(preset, training.seed), **steps[0], **scope)
    mention = replace(mention_config(preset, training.seed), **steps[1])
    name = run_id or f"{preset.value}-{size.value}-{_digest(workspace, model, training, pair, mention)}"
    return TrainPlan(
        run_id=name,
        preset=preset,
        model=model,
        training=training,
        pair=pair,
        mention=mention,
        is_finished=(workspace.runs_dir / name / CONFIG).is_file(),
    )


def _digest(workspace: Workspace, *settings: object) -> str:
    """Eight hexadecimal digits that name the corpus and the settings."""
    values = [workspace.manifest.corpus_hash, *(settings_to_mapping(one) for one in settings)]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
