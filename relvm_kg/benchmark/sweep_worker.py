"""Trains and measures one variant: the program that the sweep starts, with its order as JSON in the one argument."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from relvm_kg.config import settings_from_mapping
from relvm_kg.files import write_json
from relvm_kg.model.checkpoint import save_weights
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.progress import Silent
from relvm_kg.training.data import load_corpus
from relvm_kg.training.device import Device, torch_device
from relvm_kg.training.health import measure_health
from relvm_kg.training.loop import Trainer
from relvm_kg.workspace import Workspace


def main(order: dict[str, Any]) -> None:
    """Train, measure, write the result."""
    torch.set_num_threads(1)
    workspace = Workspace.open(Path(order["workspace"]))
    corpus = load_corpus(workspace.corpus_dir)
    model = settings_from_mapping(ModelConfig, order["model"])
    training = settings_from_mapping(TrainingConfig, order["training"])
    trainer = Trainer(Path(order["run"]), corpus, model, training, torch_device(Device.CPU))
    started = time.process_time()
    if not trainer.finished:
        trainer.run(Silent())
    trained = time.process_time()
    save_weights(Path(order["run"]) / "model.safetensors", trainer.model)
    trainer.model.eval()
    health = measure_health(trainer.model, corpus)
    write_json(
        Path(order["result"]),
        {
            "name": order["name"],
            "seed": training.seed,
            "model": order["model"],
            "training": order["training"],
            "corpus_hash": workspace.manifest.corpus_hash,
            "steps": trainer.step,
            "processor_seconds": round(trained - started, 1),
            "health": None if health is None else health.as_mapping(),
        },
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
