"""Trains and measures one variant: the program that the sweep starts, with its order as JSON in the one argument."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from relvm_kg.benchmark.columns.entrants import Entrant
from relvm_kg.benchmark.columns.evaluate import Evaluation, column_differences, evaluate_representations
from relvm_kg.benchmark.columns.files import load_columns
from relvm_kg.benchmark.columns.lineup import load_floors, model_representations
from relvm_kg.benchmark.columns.settings import Stage
from relvm_kg.config import settings_from_mapping, settings_to_mapping
from relvm_kg.files import read_json, write_json
from relvm_kg.model.checkpoint import load_weights, save_weights
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.progress import Silent
from relvm_kg.training.data import TrainingCorpus, load_corpus
from relvm_kg.training.device import Device, torch_device
from relvm_kg.training.health import measure_health
from relvm_kg.training.loop import Trainer
from relvm_kg.workspace import Workspace

WEIGHTS, TRAINED = "model.safetensors", "trained.json"
SCORES = "scores"
"""Folder of the scores of all entrants, beside the runs."""


@dataclass(frozen=True)
class Order:
    """What to train and measure."""

    workspace: Workspace
    columns: Path
    run: Path
    result: Path
    stages: tuple[Stage, ...]
    name: str
    model: ModelConfig
    training: TrainingConfig

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Order":
        """From what the sweep sends."""
        return cls(
            workspace=Workspace.open(Path(values["workspace"])),
            columns=Path(values["columns"]),
            run=Path(values["run"]),
            result=Path(values["result"]),
            stages=tuple(Stage(stage) for stage in values["stages"]),
            name=values["name"],
            model=settings_from_mapping(ModelConfig, values["model"]),
            training=settings_from_mapping(TrainingConfig, values["training"]),
        )


def carry_out(order: Order) -> None:
    """Train, unless the weights are there; measure; write the result."""
    torch.set_num_threads(1)
    corpus = load_corpus(order.workspace.corpus_dir)
    if not (order.run / TRAINED).is_file():
        _train(order, corpus)
    model = Relvm(order.model, len(corpus.types), len(corpus.vocabulary))
    load_weights(model, order.run / WEIGHTS)
    model.eval()
    health = measure_health(model, corpus)
    columns = load_columns(order.columns, corpus.entities["id"].to_pylist())
    measured = {}
    for stage in order.stages:
        evaluation = Evaluation(columns=columns, stage=stage, folder=order.run.parent / SCORES)
        measured[stage.value] = _measure(evaluation, order.name, model, corpus)
    write_json(
        order.result,
        {
            "name": order.name,
            "seed": order.training.seed,
            **read_json(order.run / TRAINED),
            "health": None if health is None else health.as_mapping(),
            **measured,
        },
    )


def _measure(evaluation: Evaluation, name: str, model: Relvm, corpus: TrainingCorpus) -> dict[str, Any]:
    """A model's representations in the columns of a stage, and how they differ from the floors.

    On test rows, where a table is meant to be quoted, the same model without training is a floor too, and all that
    there is stands stacked beside what RELVM gives alone.
    """
    floors = load_floors(corpus.folder)
    entrants, below = model_representations(name, model), floors.profiles()
    if evaluation.stage is Stage.TEST:
        start = torch.from_numpy(corpus.start_vectors(model.config))
        untrained = Relvm.started(model.config, len(corpus.types), len(corpus.vocabulary), 0, start).eval()
        below = [*below, *model_representations(f"{name}, untrained", untrained)]
        entrants = [*entrants, floors.stacked(name, model)]
    figures = evaluate_representations(evaluation, [*entrants, *below], Silent())
    return {**figures, "differences": _differences(evaluation, entrants, below)}


def _differences(evaluation: Evaluation, entrants: list[Entrant], floors: list[Entrant]) -> list[dict[str, Any]]:
    """Each entrant less each floor, column by column, with 95 % intervals."""
    return [
        {"first": first.name, "second": second.name, "family": family.value, "kind": kind.value, **found._asdict()}
        for first in entrants
        for second in floors
        for (family, kind), found in column_differences(evaluation, first, second).items()
    ]


def _train(order: Order, corpus: TrainingCorpus) -> None:
    trainer = Trainer(order.run, corpus, order.model, order.training, torch_device(Device.CPU))
    started, begun_at = time.process_time(), trainer.step
    if not trainer.finished:
        trainer.run(Silent())
    save_weights(order.run / WEIGHTS, trainer.model)
    record = {
        "model": settings_to_mapping(order.model),
        "training": settings_to_mapping(order.training),
        "steps": trainer.step,
        "steps_of_this_process": trainer.step - begun_at,
        "processor_seconds_of_this_process": round(time.process_time() - started, 1),
    }
    write_json(order.run / TRAINED, record)


if __name__ == "__main__":
    carry_out(Order.read(json.loads(sys.argv[1])))
