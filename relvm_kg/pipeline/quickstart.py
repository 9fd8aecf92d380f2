"""`quickstart`: the whole path on a simulated literature, from text to a graph that answers.

Everything it makes is marked `simulated`: the names are real, the sentences and relations are invented.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from relvm_kg.classify.mention import MentionConfig
from relvm_kg.classify.sampling import PairConfig
from relvm_kg.config import settings_to_mapping
from relvm_kg.corpus.simulated import WorldSettings, simulate, write_world
from relvm_kg.errors import InvalidInputError
from relvm_kg.metrics import roc_auc
from relvm_kg.model.presets import ModelConfig, Preset, TrainingConfig
from relvm_kg.pipeline.account import BuildAccount
from relvm_kg.pipeline.build import BuildSettings, build_workspace
from relvm_kg.pipeline.predict import PredictReport, PredictRequest, predict_pairs
from relvm_kg.pipeline.session import Session
from relvm_kg.pipeline.tour import Tour, TourRequest, take_tour
from relvm_kg.pipeline.train import TrainRequest, train_run
from relvm_kg.progress import Progress
from relvm_kg.workspace import Workspace, is_leftover, read_json, write_json

DEFAULT_FOLDER = Path("relvm-quickstart")
MARKER = "quickstart.json"
ENTITY = "EAAT2"
"""The synonym that the demonstration asks about; its symbol is SLC1A2."""
COMMAND = "relvm-kg quickstart"
_WORLD = WorldSettings()
_MODEL = ModelConfig(hidden=64, latent=64, embedding=100)
_TRAINING = TrainingConfig(epochs=4.0, learning_rate=2e-3)
_PAIR = PairConfig(hidden=100, max_steps=600, batch_size=128, n_positive=32, evaluate_steps=50, patience=4)
_MENTION = MentionConfig(max_steps=200, evaluate_steps=50)
_PREDICTIONS = PredictRequest()


@dataclass(frozen=True, kw_only=True)
class QuickstartSettings:
    """What is simulated and trained: small enough for three minutes on two slow cores."""

    world: WorldSettings = _WORLD
    seed: int = 0
    run_id: str = "quickstart"
    model: ModelConfig = _MODEL
    training: TrainingConfig = _TRAINING
    pair: PairConfig = _PAIR
    mention: MentionConfig = _MENTION
    predictions: PredictRequest = _PREDICTIONS
    top: int = 10


@dataclass(frozen=True, kw_only=True)
class QuickstartReport:
    """What the demonstration made, and its answers."""

    folder: Path
    workspace: Path
    account: BuildAccount
    training: dict[str, Any]
    """The run's report."""
    held_out_auc: float
    """Area under the ROC curve over planted pairs that neither text nor labels hold, and as many unrelated ones."""
    n_held_out: int
    predictions: PredictReport
    tour: Tour
    simulated: bool = True

    def commands(self) -> list[str]:
        """What to type next, as it is typed."""
        return self.tour.commands(self.workspace)

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "simulated": self.simulated,
            "folder": self.folder,
            "workspace": self.workspace,
            "account": asdict(self.account),
            "training": self.training,
            "held_out_auc": self.held_out_auc,
            "n_held_out": self.n_held_out,
            "prediction_run": self.predictions.run.run.run_id,
            "n_predictions": self.predictions.run.n_predictions,
            **self.tour.as_mapping(),
            "commands": self.commands(),
        }


def run_quickstart(folder: Path, progress: Progress, settings: QuickstartSettings | None = None) -> QuickstartReport:
    """Simulate a literature, build, train, predict and ask; called again, it goes on or just answers.

    Args:
        folder: Where everything goes; empty, absent, or of an earlier quickstart.
        progress: Where progress goes.
        settings: What to simulate and train.

    Raises:
        InvalidInputError: if the folder holds other files, or a quickstart of other settings.
    """
    chosen = settings or QuickstartSettings()
    _claim(folder, chosen)
    with _one_thread():
        return _run(folder, progress, chosen)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread: so small a model gains little from more, and loses much where a core is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _run(folder: Path, progress: Progress, chosen: QuickstartSettings) -> QuickstartReport:
    progress.say("simulating a literature: real names, invented sentences and relations")
    literature, place = folder / "literature", folder / "workspace"
    write_world(simulate(chosen.world, chosen.seed), literature)
    account = build_workspace(
        place,
        [str(literature / "literature.jsonl.gz")],
        [str(literature / "relations.tsv")],
        names=literature / "names.tsv",
        settings=BuildSettings(),
        progress=progress,
    )
    progress.say(f"built: {account.documents:,} documents, {account.contexts:,} pair contexts; training a small model")
    workspace = Workspace.open(place)
    training = train_run(workspace, _train_request(chosen), progress)
    session = Session(workspace, chosen.run_id)
    predictions = predict_pairs(session, chosen.predictions, progress)
    auc, n_held_out = held_out_auc(session, literature / "held_out.tsv")
    tour = TourRequest(entity=ENTITY, export=folder / "export", command=COMMAND, top=chosen.top)
    return QuickstartReport(
        folder=folder,
        workspace=place,
        account=account,
        training=training,
        held_out_auc=auc,
        n_held_out=n_held_out,
        predictions=predictions,
        tour=take_tour(session, tour, progress),
    )


def _claim(folder: Path, settings: QuickstartSettings) -> None:
    """Refuse a folder that holds anything else."""
    wanted = {
        "simulated": True,
        "seed": settings.seed,
        "world": asdict(settings.world),
        "model": settings_to_mapping(settings.model),
        "training": settings_to_mapping(settings.training),
    }
    path = folder / MARKER
    if path.is_file():
        if read_json(path) != wanted:
            raise InvalidInputError(f"{folder} holds a quickstart of other settings; name another folder, or remove it")
        return
    if folder.exists() and (not folder.is_dir() or any(not is_leftover(p.name) for p in folder.iterdir())):
        raise InvalidInputError(f"a quickstart needs an empty or absent folder, {folder} holds other files")
    write_json(path, wanted)


def _train_request(settings: QuickstartSettings) -> TrainRequest:
    return TrainRequest(
        run_id=settings.run_id,
        preset=Preset.DEFAULT,
        model=settings.model,
        training=settings.training,
        pair=settings.pair,
        mention=settings.mention,
        allow_collapse=True,
    )


def held_out_auc(session: Session, path: Path) -> tuple[float, int]:
    """How well the model tells planted pairs that it never saw from unrelated ones, and how many pairs those are.

    Args:
        session: A workspace that was built from the simulated literature.
        path: `held_out.tsv` of that literature.
    """
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    heads, tails = (
        session.model_rows(np.array([session.ground(row[name]) for row in rows], dtype=np.int64))
        for name in ("head", "tail")
    )
    positive = np.array([row["positive"] == "1" for row in rows])
    return roc_auc(positive, session.scorer.score(heads, tails).probability.astype(np.float64)), len(rows)
