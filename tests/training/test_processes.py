"""Several processes train as one does; these are real ones, joined by gloo."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from relvm_kg.model.share import Share
from relvm_kg.training.state import STATE
from relvm_kg.workspace import Workspace

CHILD = """
import sys
from pathlib import Path
import torch
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import ModelConfig, Precision, Softmax, TrainingConfig
from relvm_kg.progress import Silent
from relvm_kg.training import optimiser
from relvm_kg.training.data import load_corpus
from relvm_kg.training.device import Device
from relvm_kg.training.loop import VALIDATION, Trainer
from relvm_kg.training.processes import joined

corpus_dir, folder, variant = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
if variant == "sparse":
    optimiser.LAZY_ROWS = 10
model = ModelConfig(hidden=8, latent=6, embedding=12, contrast=variant == "contrast")
more = dict(free_nats=0.05, free_nats_per_unit=0.002, u_dropout=0.2) if variant == "contrast" else {}
if variant == "sampled":
    more = dict(softmax=Softmax.SAMPLED, sampled_tokens=64)
training = TrainingConfig(
    steps=14, batch_size=16, max_contexts=33, learning_rate=1e-3, type_share=0.3, probes=2,
    precision=Precision.FLOAT32, **more,
)
with joined(Device.CPU) as (processes, device):
    if variant == "fails" and not processes.is_first:
        raise InvalidInputError("this one fails")
    trainer = Trainer(folder, load_corpus(corpus_dir), model, training, device, processes)
    assert trainer.model.entities.table.sparse == (variant == "sparse")
    trainer.run(Silent(), lambda model: {VALIDATION: -1.0})
"""


def _run(workspace: Workspace, folder: Path, variant: str, n_processes: int) -> subprocess.CompletedProcess[str]:
    script = folder.with_suffix(".py")
    script.write_text(CHILD)
    launcher = _torchrun(n_processes) if n_processes > 1 else []
    return _python([*launcher, str(script), str(workspace.corpus_dir), str(folder), variant])


def _python(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _torchrun(n_processes: int) -> list[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--nproc-per-node", str(n_processes), "--master-addr", "127.0.0.1", "--master-port", str(port)]
    return ["-m", "torch.distributed.run", *options]


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["plain", "sparse", "contrast", "sampled"])
def test_two_processes_give_the_result_of_one(simulated_workspace: Workspace, tmp_path: Path, variant: str) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, n_processes in ((one, 1), (two, 2)):
        done = _run(simulated_workspace, folder, variant, n_processes)
        assert done.returncode == 0, done.stderr
    a, b = load_file(one / STATE), load_file(two / STATE)
    assert a.keys() == b.keys()
    for name, value in a.items():
        if name.startswith("model."):
            torch.testing.assert_close(value, b[name], rtol=0, atol=1e-5)
    assert _figures(one) == pytest.approx(_figures(two), abs=2e-4)


def _figures(folder: Path) -> list[float]:
    lines = (folder / "trace.jsonl").read_text().splitlines()
    names = ("step", "loss", "nats_per_token", "kl", "pair_share")
    return [json.loads(line)[name] for line in lines for name in names]


@pytest.mark.slow
def test_a_process_that_fails_ends_the_others(simulated_workspace: Workspace, tmp_path: Path) -> None:
    started = time.monotonic()
    done = _run(simulated_workspace, tmp_path / "run", "fails", 2)
    assert done.returncode != 0
    assert "this one fails" in done.stderr
    assert time.monotonic() - started < 120


@pytest.mark.slow
def test_torchrun_trains_a_whole_run_that_one_process_writes(simulated_workspace: Workspace, tmp_path: Path) -> None:
    workspace = Workspace.open(shutil.copytree(simulated_workspace.path, tmp_path / "w"))
    program = Path(sys.executable).with_name("relvm-kg")
    options = ["--workspace", str(workspace.path), "--run", "shared", "--epochs", "0.3", "--max-contexts", "300"]
    short = ["--pair-steps", "20", "--mention-steps", "20", "--no-language-model", "--allow-collapse", "--json"]
    command = [*_torchrun(2), "--no-python", "--", str(program), "train", *options, *short]
    done = _python(command)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["run_id"] == "shared", "one process alone may print the report"
    assert workspace.run_dir("shared").is_dir()
    again = _python(command)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["finished_before"]


@pytest.mark.slow
def test_torchrun_ends_where_another_process_writes_to_the_workspace(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    workspace = Workspace.open(shutil.copytree(simulated_workspace.path, tmp_path / "w"))
    program = Path(sys.executable).with_name("relvm-kg")
    command = [*_torchrun(2), "--no-python", "--", str(program), "train", "--workspace", str(workspace.path)]
    with workspace.lock():
        done = _python(command)
    assert done.returncode != 0
    assert "another relvm-kg process is writing" in done.stderr


def test_shares_cover_a_batch_and_differ_by_one_row_at_most() -> None:
    for total in range(1, 30):
        for count in range(1, 9):
            shares = [Share.of(total, rank, count) for rank in range(count)]
            rows = [row for share in shares if share.counts for row in range(share.start, share.stop)]
            assert rows == list(range(total))
            assert max(s.stop - s.start for s in shares) - min(s.stop - s.start for s in shares) <= 1


def test_a_share_draws_what_the_whole_batch_draws_for_its_rows() -> None:
    whole = Share.of(7, 0, 1).normal((3,), torch.Generator().manual_seed(1))
    parts = [Share.of(7, rank, 3).normal((3,), torch.Generator().manual_seed(1)) for rank in range(3)]
    assert torch.equal(torch.cat(parts), whole)
