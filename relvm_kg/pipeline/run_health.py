"""The end of a run's training: health figures, the language model beside them, pictures, and the gate."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from relvm_kg.config import settings_to_mapping
from relvm_kg.errors import CollapseError
from relvm_kg.pipeline.health_text import sentence_fault, show_gap
from relvm_kg.pipeline.run_pictures import draw_run
from relvm_kg.progress import Progress
from relvm_kg.training.health import HealthProbe, held_out_sample, measure_health
from relvm_kg.training.language_model import LanguageModelConfig, keep_language_model
from relvm_kg.training.loop import Trainer
from relvm_kg.training.trace import TRACE
from relvm_kg.workspace import Workspace, read_json, write_json

HEALTH, LANGUAGE_MODEL = "health.json", "language-model.json"


@dataclass(frozen=True)
class RunHealth:
    """What is known of a trained representation; None where no held-out document mentions a pair."""

    figures: Mapping[str, Any] | None
    """Of `Health`."""
    language_model: Mapping[str, Any] | None
    """None if it was not asked for."""
    pictures: tuple[str, ...]
    """Relative to the run's folder."""

    def as_mapping(self) -> dict[str, Any]:
        """What the run's report holds; the KL of every dimension stays in `health.json`."""
        figures = None
        if self.figures is not None:
            figures = {name: value for name, value in self.figures.items() if name != "kl_by_unit"}
        return {"health": figures, "language_model": self.language_model, "pictures": list(self.pictures)}


def probe_of(trainer: Trainer) -> HealthProbe | None:
    """What measures the run while it trains; None if nothing is held out."""
    schedule, config = trainer.schedule, trainer.config
    return HealthProbe.of(trainer.corpus, schedule.total_steps * config.batch_size, config.probes, config.seed)


def measure_run(trainer: Trainer, workspace: Workspace, share: float, progress: Progress) -> RunHealth:
    """Measure a trained run, or read what was measured before an interruption, and draw its pictures.

    Args:
        trainer: Whose steps are all done.
        workspace: Keeps language models.
        share: Contexts that a language model trains on, as a share of those that the run saw; 0 trains none.
        progress: Where progress goes.
    """
    folder = trainer.folder
    if not (folder / HEALTH).is_file():
        progress.say("measuring the representation on held-out documents")
        trainer.model.eval()
        health = measure_health(trainer.model, trainer.corpus, seed=trainer.config.seed)
        write_json(folder / HEALTH, None if health is None else health.as_mapping())
    figures: dict[str, Any] | None = read_json(folder / HEALTH)
    if figures is not None and share and not (folder / LANGUAGE_MODEL).is_file():
        write_json(folder / LANGUAGE_MODEL, _language_model(trainer, workspace, share, figures, progress))
    beside = read_json(folder / LANGUAGE_MODEL) if (folder / LANGUAGE_MODEL).is_file() else None
    if figures is not None and (fault := sentence_fault(figures)):
        progress.say(f"{fault} ({figures['active_units']} active units, KL {figures['kl']:.2g} nats)")
    return RunHealth(figures, beside, draw_run(folder, read_trace(folder), figures, beside))


def language_model_config(trainer: Trainer, share: float) -> LanguageModelConfig:
    """A language model of the run's size, on a share of the contexts that its steps see."""
    model, training = trainer.model.config, trainer.config
    return LanguageModelConfig(
        hidden=model.hidden,
        embedding=model.embedding,
        n_contexts=max(1, round(share * trainer.schedule.total_steps * training.batch_size)),
        sampled_tokens=training.sampled_tokens if training.samples(len(trainer.corpus.vocabulary)) else 0,
    )


def _language_model(
    trainer: Trainer, workspace: Workspace, share: float, figures: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    held_out = held_out_sample(trainer.corpus, trainer.config.seed)
    assert held_out is not None, "health was measured on it"
    config = language_model_config(trainer, share)
    kept = keep_language_model(
        workspace.language_models_dir, trainer.corpus, trainer.rows, config, trainer.device, progress
    )
    values = kept.measure(held_out)
    part = held_out.part(figures["likelihood"]["n_contexts"])
    of_part = values[np.isin(held_out.rows, part.rows)]
    per_token = float(values.sum() / held_out.n_tokens)
    return {
        "key": kept.key,
        "share": share,
        "config": settings_to_mapping(config),
        "n_parameters_without_embeddings": kept.model.n_parameters(embeddings=False),
        "n_contexts": len(held_out),
        "log_likelihood_per_token": per_token,
        "perplexity": math.exp(-per_token),
        "log_likelihood_per_token_of_part": float(of_part.sum() / part.n_tokens),
    }


def check_collapse(figures: Mapping[str, Any] | None, folder: Path, *, allowed: bool, progress: Progress) -> None:
    """The gate: a run that cannot tell a pair from another of the same types does not go on.

    Raises:
        CollapseError: if a one-sided shuffled-pair gap is not above zero with 95 % confidence, unless it is allowed.
    """
    carries = None if figures is None else figures["carries_pair"]
    if figures is None or carries is None:
        progress.say("too few held-out documents or entities: whether the representation carries the pair is not known")
        return
    if carries:
        return
    told = (
        "the representation must tell a pair from another of the same types (one-sided shuffled-pair gaps above zero "
        f"with 95 % confidence), was: head {show_gap(figures['gap_head'])}, tail {show_gap(figures['gap_tail'])} nats "
        f"(both sides at once, which topic alone can pass: {show_gap(figures['gap_two_sided'])})"
    )
    if allowed:
        progress.say(f"{told}; kept, as --allow-collapse asks")
        return
    raise CollapseError(
        f"{told}. Train longer (--epochs) or on more text, or keep the run with --allow-collapse; its trace, figures "
        f"and pictures are in {folder}"
    )


def read_trace(folder: Path) -> list[dict[str, float]]:
    """The whole lines of a run's trace."""
    path = folder / TRACE
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
