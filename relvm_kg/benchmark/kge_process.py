"""Embeddings train and rank in a process of their own.

PyKEEN loads scikit-learn. Its OpenMP library, PyTorch's and the Cypher engine together need more static thread-local
storage than a Linux process has, so that whichever is loaded last fails.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO

from relvm_kg.benchmark.evaluator import Evaluation
from relvm_kg.benchmark.kge_settings import KgeSettings
from relvm_kg.errors import RelvmKgError
from relvm_kg.progress import Progress, Task
from relvm_kg.workspace import Workspace, read_json


def evaluate_embedding(workspace: Workspace, split_seed: int, settings: KgeSettings, progress: Progress) -> Evaluation:
    """Train one embedding model on a workspace's training pairs and evaluate it, in a child process.

    Args:
        workspace: A workspace with a corpus.
        split_seed: Seed of the pair split.
        settings: How to train.
        progress: Told of epochs and queries.

    Raises:
        RelvmKgError: if the child fails, with its last words.
    """
    with tempfile.TemporaryDirectory() as folder:
        output, log = Path(folder) / "evaluation.json", Path(folder) / "log.txt"
        job = {
            "workspace": str(workspace.path.resolve()),
            "split_seed": split_seed,
            "settings": asdict(settings),
            "output": str(output),
        }
        with log.open("w") as errors:
            code, said = _run(json.dumps(job), errors, progress)
        if code != 0:
            reason = said or (log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise RelvmKgError(f"training {settings.model.value} failed with exit code {code}: {reason}")
        return Evaluation.from_dict(read_json(output))


def _run(job: str, errors: IO[str], progress: Progress) -> tuple[int, str | None]:
    """The child's exit code, and the error it reported."""
    command = [sys.executable, "-m", "relvm_kg.benchmark.kge_worker"]
    child = subprocess.Popen(  # noqa: S603  our own module, no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(job)
        child.stdin.close()
        said = _relay(child.stdout, progress)
        return child.wait(), said
    finally:
        child.kill()
        child.wait()


def _relay(lines: IO[str], progress: Progress) -> str | None:
    """Pass the child's progress on until it closes its output; the error it reported, if any."""
    said: str | None = None
    task: Task | None = None
    with ExitStack() as stack:
        for line in lines:
            message = json.loads(line)
            if "task" in message:
                task = progress.task(message["task"], message["total"], message["unit"], message["done"])
                stack.enter_context(task)
            elif "advance" in message and task is not None:
                task.advance(message["advance"], **message["figures"])
            elif "end" in message:
                stack.close()
            elif "say" in message:
                progress.say(message["say"])
            elif "error" in message:
                said = message["error"]
    return said
