"""Checkpoints: whole or not there, checked when read, and the one before stands by."""

import contextlib
import json
import os
import random
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from relvm_kg.errors import DamagedFileError, InvalidInputError, WorkspaceError
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.model.tensor_files import load_tensors, save_tensors
from relvm_kg.progress import Silent
from relvm_kg.training.data import TrainingCorpus, load_corpus
from relvm_kg.training.loop import VALIDATION, Trainer
from relvm_kg.training.state import BEST, PREVIOUS, STATE, RunState
from relvm_kg.workspace import Workspace

MODEL = ModelConfig(hidden=8, latent=6, embedding=12)
TRAINING = TrainingConfig(epochs=1, batch_size=16, max_contexts=160, checkpoint_seconds=0.0, probes=5)
CPU = torch.device("cpu")
SETTINGS = {"model": {"hidden": 3}, "corpus": "one"}


@pytest.fixture(scope="module")
def corpus(simulated_workspace: Workspace) -> TrainingCorpus:
    return load_corpus(simulated_workspace.corpus_dir)


class _Said(Silent):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def say(self, message: str) -> None:
        self.messages.append(message)


def _trained(steps: int, seed: int = 0) -> tuple[nn.Module, dict[str, torch.optim.Optimizer]]:
    """A little model under two optimisers: a table with sparse gradients, and the rest."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Embedding(5, 3, sparse=True), nn.Linear(3, 2))
    optimisers = _optimisers(model)
    for step in range(steps):
        _step(model, optimisers, step)
    return model, optimisers


def _optimisers(model: nn.Sequential) -> dict[str, torch.optim.Optimizer]:
    return {
        "table": torch.optim.SparseAdam(model[0].parameters()),
        "rest": torch.optim.Adam(model[1].parameters(), fused=True),
    }


def _step(model: nn.Module, optimisers: dict[str, torch.optim.Optimizer], step: int) -> None:
    for optimiser in optimisers.values():
        optimiser.zero_grad()
    model(torch.tensor([step % 5, 1])).square().sum().backward()
    for optimiser in optimisers.values():
        optimiser.step()


def _saved_twice(folder: Path) -> RunState:
    state = RunState(folder, SETTINGS)
    for steps in (3, 4):
        model, optimisers = _trained(steps)
        state.save(model, optimisers, steps, None)
    return state


def test_several_optimisers_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole, _ = _trained(9)
    cut, cut_optimisers = _trained(4)
    RunState(tmp_path, SETTINGS).save(cut, cut_optimisers, 4, None)
    resumed, optimisers = _trained(0, seed=1)
    found = RunState(tmp_path, SETTINGS).restore(resumed, optimisers)
    assert found is not None
    assert found.step == 4
    for step in range(4, 9):
        _step(resumed, optimisers, step)
    for (name, a), b in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0, msg=name)


def test_the_state_before_stays_whatever_happens_to_the_last(tmp_path: Path) -> None:
    _saved_twice(tmp_path)
    assert (load_tensors(tmp_path / STATE)[1]["step"], load_tensors(tmp_path / PREVIOUS)[1]["step"]) == ("4", "3")


@pytest.mark.parametrize("where", [0.001, 0.02, 0.5, 0.999])
def test_a_flipped_bit_sends_a_run_to_the_checkpoint_before_with_a_word(tmp_path: Path, where: float) -> None:
    _saved_twice(tmp_path)
    data = bytearray((tmp_path / STATE).read_bytes())
    data[int(where * len(data))] ^= 4
    (tmp_path / STATE).write_bytes(data)
    model, optimisers = _trained(0)
    state = RunState(tmp_path, SETTINGS)
    found = state.restore(model, optimisers)
    assert found is not None
    assert found.step == 3
    assert "is damaged" in found.words[0]
    assert "going on from the checkpoint before it, step 3" in found.words[0]
    state.save(model, optimisers, 5, None)
    assert load_tensors(tmp_path / PREVIOUS, hashed=True)[1]["step"] == "3"


def test_no_flipped_byte_of_a_file_goes_unseen(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_tensors(path, {"a": torch.arange(20.0), "b": torch.tensor(3)}, {"step": "4", "text": "é"})
    whole = path.read_bytes()
    draws = random.Random(0)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << draws.randrange(8))]) + whole[place + 1 :])
        with contextlib.suppress(DamagedFileError):
            tensors, notes = load_tensors(path, hashed=True)
            # Blanks between the parts of the header say nothing.
            assert (sorted(tensors), notes) == (["a", "b"], {"step": "4", "text": "é"}), place


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.9999])
def test_a_truncated_file_is_damaged(tmp_path: Path, kept: float) -> None:
    _saved_twice(tmp_path)
    for name in (STATE, PREVIOUS):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: int(kept * len(data))])
    with pytest.raises(InvalidInputError, match=r"damaged.*damaged.*No other checkpoint is left"):
        RunState(tmp_path, SETTINGS).restore(*_trained(0))


def test_a_state_of_another_version_or_without_a_hash_is_named(tmp_path: Path) -> None:
    _saved_twice(tmp_path)
    tensors, notes = load_tensors(tmp_path / STATE)
    save_tensors(tmp_path / STATE, tensors, {**notes, "format_version": "99"})
    with pytest.raises(InvalidInputError, match=r"must have format_version 2, was: 99; finish"):
        RunState(tmp_path, SETTINGS).restore(*_trained(0))
    save_file(tensors, tmp_path / STATE, {"step": "7"})
    found = RunState(tmp_path, SETTINGS).restore(*_trained(0))
    assert found is not None
    assert "another version wrote it: it holds no hash" in found.words[0]


def test_a_state_of_other_settings_says_which(tmp_path: Path) -> None:
    _saved_twice(tmp_path)
    other = {"model": {"hidden": 4}, "corpus": "two"}
    with pytest.raises(InvalidInputError, match=r"corpus must be one, was: two; model\.hidden must be 3, was: 4; use"):
        RunState(tmp_path, other).restore(*_trained(0))


def test_a_state_of_another_architecture_leaves_the_model_alone(tmp_path: Path) -> None:
    _saved_twice(tmp_path)
    model = nn.Sequential(nn.Embedding(6, 3, sparse=True), nn.Linear(3, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InvalidInputError, match="does not fit the model"):
        RunState(tmp_path, SETTINGS).restore(model, _optimisers(model))
    torch.testing.assert_close(model.state_dict(), before)


@contextlib.contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_that_cannot_grow_leaves_the_checkpoints_as_they_were(tmp_path: Path) -> None:
    state = _saved_twice(tmp_path)
    before = _contents(tmp_path)
    model, optimisers = _trained(5)
    with _files_of_at_most(1000), pytest.raises(WorkspaceError, match=r"cannot be written: .*the checkpoint before it"):
        state.save(model, optimisers, 5, None)
    assert _contents(tmp_path) == before


def test_a_full_disk_leaves_the_checkpoints_as_they_were(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        state = _saved_twice(disk)
        before = _contents(disk)
        (disk / "filler").write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        model, optimisers = _trained(5)
        with pytest.raises(WorkspaceError, match=r"cannot be written: .*make room and run the same command"):
            state.save(model, optimisers, 5, None)
        (disk / "filler").unlink()
        assert _contents(disk) == before
        state.save(model, optimisers, 5, None)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


class _Peak:
    """A probe whose bound is best at one step."""

    def __init__(self, trainer: Trainer, peak: int) -> None:
        self.trainer, self.peak = trainer, peak
        self.weights: dict[str, Tensor] = {}

    def __call__(self, model: Relvm) -> dict[str, float]:
        if self.trainer.step == self.peak:
            self.weights = {name: value.clone() for name, value in model.state_dict().items()}
        return {VALIDATION: -5.0 - abs(self.trainer.step - self.peak)}


def test_the_best_weights_are_kept_and_taken(corpus: TrainingCorpus, tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, corpus, MODEL, TRAINING, CPU)
    probe = _Peak(trainer, peak=6)
    trainer.run(Silent(), probe)
    lines = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert [(line["step"], line["best_step"]) for line in lines] == [(2, 2), (4, 4), (6, 6), (8, 6), (10, 6)]
    again = Trainer(tmp_path, corpus, MODEL, TRAINING, CPU)
    assert again.finished
    best = again.take_best(Silent())
    assert best is not None
    assert (best.step, best.bound_per_token) == (6, -5.0)
    torch.testing.assert_close(dict(again.model.state_dict()), probe.weights, rtol=0, atol=0)


def test_the_last_weights_stay_where_none_did_better(corpus: TrainingCorpus, tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, corpus, MODEL, TRAINING, CPU)
    trainer.run(Silent(), _Peak(trainer, peak=10))
    last = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    best = trainer.take_best(Silent())
    assert best is not None
    assert best.step == 10
    torch.testing.assert_close(dict(trainer.model.state_dict()), last, rtol=0, atol=0)


def test_a_damaged_best_is_forgotten_with_a_word(corpus: TrainingCorpus, tmp_path: Path) -> None:
    short = Trainer(tmp_path, corpus, MODEL, replace(TRAINING, probes=10), CPU)
    probe = _Peak(short, peak=1)
    with pytest.raises(KeyboardInterrupt):
        short.run(Silent(), lambda model: probe(model) if short.step < 5 else _interrupt())
    (tmp_path / BEST).write_bytes(b"nothing")
    said, resumed = _Said(), Trainer(tmp_path, corpus, MODEL, replace(TRAINING, probes=10), CPU)
    resumed.run(said, _Peak(resumed, peak=7))
    assert any("best.safetensors is damaged" in message for message in said.messages)
    best = resumed.take_best(Silent())
    assert best is not None
    assert best.step == 7


def _interrupt() -> dict[str, float]:
    raise KeyboardInterrupt


def test_a_state_holds_no_pickle_and_can_be_read_by_name(tmp_path: Path) -> None:
    _saved_twice(tmp_path)
    names = set(load_file(tmp_path / STATE))
    assert {"model.0.weight", "table/0.weight/exp_avg", "rest/1.bias/exp_avg_sq"} <= names


def test_training_leaves_the_global_random_state_alone(corpus: TrainingCorpus, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    Trainer(tmp_path, corpus, MODEL, TRAINING, CPU).run(Silent())
    assert torch.equal(before, torch.get_rng_state()), "a draw that does not come from the step's generator"
