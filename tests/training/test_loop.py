"""Training: a resumed run is the uninterrupted run, and the health figures see both collapses."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relvm_kg.encoding.batches import epoch_batches
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.progress import Silent
from relvm_kg.training.data import TrainingCorpus, load_corpus
from relvm_kg.training.loop import Trainer
from relvm_kg.training.schedule import Schedule
from relvm_kg.workspace import Workspace

MODEL = ModelConfig(hidden=8, latent=6, embedding=12)
TRAINING = TrainingConfig(epochs=1, batch_size=16, max_contexts=400, checkpoint_seconds=0.0)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def corpus(simulated_workspace: Workspace) -> TrainingCorpus:
    return load_corpus(simulated_workspace.corpus_dir)


class _StopAfter(Silent):
    """Progress that ends training with an error after some steps, as a kill would."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def task(self, label: str, total: int | None, unit: str = "it", done: int = 0) -> "_StoppingTask":
        return _StoppingTask(self)


class _StoppingTask:
    def __init__(self, owner: _StopAfter) -> None:
        self.owner = owner

    def advance(self, n: int = 1, **figures: float) -> None:
        self.owner.left -= n
        if self.owner.left < 0:
            raise KeyboardInterrupt

    def __enter__(self) -> "_StoppingTask":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_an_interrupted_run_resumes_to_the_same_weights_and_trace(corpus: TrainingCorpus, tmp_path: Path) -> None:
    whole = Trainer(tmp_path / "whole", corpus, MODEL, TRAINING, CPU)
    whole.run(Silent())
    with pytest.raises(KeyboardInterrupt):
        Trainer(tmp_path / "cut", corpus, MODEL, TRAINING, CPU).run(_StopAfter(9))
    resumed = Trainer(tmp_path / "cut", corpus, MODEL, TRAINING, CPU)
    assert 0 < resumed.step < resumed.schedule.total_steps
    resumed.run(Silent())
    for (name, a), b in zip(whole.model.state_dict().items(), resumed.model.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0, msg=name)
    steps = [line.split(",")[0] for line in (tmp_path / "cut" / "trace.jsonl").read_text().splitlines()]
    assert steps == [line.split(",")[0] for line in (tmp_path / "whole" / "trace.jsonl").read_text().splitlines()]


def test_a_state_of_other_settings_is_refused(corpus: TrainingCorpus, tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, corpus, MODEL, TRAINING, CPU)
    trainer.save()
    with pytest.raises(InvalidInputError, match=r"training\.learning_rate must be 0\.001, was: 0\.5"):
        Trainer(tmp_path, corpus, MODEL, replace(TRAINING, learning_rate=0.5), CPU)


def test_every_context_comes_once_an_epoch_in_an_order_of_seed_and_epoch() -> None:
    rows, lengths = np.arange(500), np.random.default_rng(0).integers(3, 60, 500)
    first = epoch_batches(rows, lengths, 32, seed=1, epoch=0)
    assert sorted(np.concatenate(first).tolist()) == rows.tolist()
    again = epoch_batches(rows, lengths, 32, seed=1, epoch=0)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    other = epoch_batches(rows, lengths, 32, seed=1, epoch=1)
    assert [b.tolist() for b in other] != [b.tolist() for b in first]


def test_the_kl_weight_rises_and_the_learning_rate_falls() -> None:
    schedule = Schedule(1000, TrainingConfig(epochs=1, batch_size=10, anneal=0.5, decay=0.5, learning_rate=1.0))
    assert [schedule.kl_weight(step) for step in (0, 25, 50, 99)] == [0.0, 0.5, 1.0, 1.0]
    assert [schedule.learning_rate(step) for step in (0, 50, 75)] == [1.0, 1.0, 0.5]


def test_a_probe_measures_evenly_and_at_the_end_and_its_figures_join_the_trace(
    corpus: TrainingCorpus, tmp_path: Path
) -> None:
    training = replace(TRAINING, probes=4)
    trainer = Trainer(tmp_path, corpus, MODEL, training, CPU)
    seen: list[int] = []

    def probe(model: Relvm) -> dict[str, float]:
        assert not model.training
        assert not torch.is_grad_enabled()
        seen.append(trainer.step)
        return {"height": float(len(seen))}

    trainer.run(Silent(), probe)
    assert seen == [7, 14, 21, 25]
    lines = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert [(line["step"], line["height"]) for line in lines if "height" in line] == [(7, 1), (14, 2), (21, 3), (25, 4)]
