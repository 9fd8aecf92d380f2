"""A run that is killed again and again ends with the weights of one that was left alone."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from relvm_kg.training.state import BEST, STATE
from relvm_kg.training.trace import TRACE
from relvm_kg.workspace import Workspace

CHILD = """
import sys
from pathlib import Path
import torch
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.progress import Silent
from relvm_kg.training import optimiser
from relvm_kg.training.data import load_corpus
from relvm_kg.training.loop import VALIDATION, Trainer

torch.set_num_threads(1)
optimiser.LAZY_ROWS = 10
corpus = load_corpus(Path(sys.argv[1]))
model = ModelConfig(hidden=8, latent=6, embedding=12)
training = TrainingConfig(steps=120, batch_size=16, max_contexts=400, checkpoint_seconds=0.01, probes=12)
trainer = Trainer(Path(sys.argv[2]), corpus, model, training, torch.device("cpu"))
trainer.run(Silent(), lambda model: {VALIDATION: -float(abs(model.prior.mean.bias[0] - 0.01))})
"""


def _start(workspace: Workspace, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(workspace.corpus_dir), str(folder)])


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_same_weights(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    started = time.monotonic()
    assert _start(simulated_workspace, whole).wait(timeout=300) == 0
    patience = time.monotonic() - started
    draws, kills = random.Random(5), 0
    for _ in range(40):
        before = (cut / STATE).stat().st_mtime_ns if (cut / STATE).is_file() else None
        child = _start(simulated_workspace, cut)
        deadline = time.monotonic() + 10 * patience
        while child.poll() is None and time.monotonic() < deadline:
            if (cut / STATE).is_file() and (cut / STATE).stat().st_mtime_ns != before:
                break
            time.sleep(0.002)
        time.sleep(draws.uniform(0, 0.2))
        if child.poll() is not None:
            assert child.returncode == 0
            break
        child.send_signal(signal.SIGKILL)
        child.wait()
        kills += 1
        if kills == 4:
            assert _start(simulated_workspace, cut).wait(timeout=300) == 0
            break
    assert kills, "every run ended before it could be killed"
    for name in (STATE, BEST):
        a, b = load_file(whole / name), load_file(cut / name)
        assert a.keys() == b.keys()
        for key, value in a.items():
            assert torch.equal(value, b[key]), f"{name} {key}"
    assert _steps(cut) == _steps(whole)


def _steps(folder: Path) -> list[str]:
    """The trace without its speeds."""
    return [line.split(', "sentences_per_second"')[0] for line in (folder / TRACE).read_text().splitlines()]
