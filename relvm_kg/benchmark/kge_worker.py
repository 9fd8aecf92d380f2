"""Trains and evaluates one embedding model: the program that `kge_process` starts.

Reads the job as JSON from standard input, writes the evaluation to the job's file, and reports progress as one JSON
object a line on standard output.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from relvm_kg.benchmark.data import load_benchmark_data
from relvm_kg.benchmark.evaluator import evaluate
from relvm_kg.benchmark.kge_settings import KgeSettings
from relvm_kg.errors import RelvmKgError
from relvm_kg.progress import Task
from relvm_kg.workspace import Workspace, write_json


class _LineTask:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def advance(self, n: int = 1, **figures: float) -> None:
        _send(self._stream, {"advance": n, "figures": figures})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _send(self._stream, {"end": True})


class _LineProgress:
    """Progress as lines for the parent process."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def task(self, label: str, total: int | None, unit: str = "it", done: int = 0) -> Task:
        """See `Progress.task`."""
        _send(self._stream, {"task": label, "total": total, "unit": unit, "done": done})
        return _LineTask(self._stream)

    def say(self, message: str) -> None:
        """See `Progress.say`."""
        _send(self._stream, {"say": message})


def _send(stream: TextIO, message: dict[str, Any]) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


@contextmanager
def _own_stdout() -> Iterator[TextIO]:
    """Standard output for the messages; whatever else prints goes to standard error."""
    stream, sys.stdout = sys.stdout, sys.stderr
    try:
        yield stream
    finally:
        sys.stdout = stream


def main() -> int:
    """Do the job; 0 if it was done, 1 after a message `error` to the parent."""
    job = json.load(sys.stdin)
    with _own_stdout() as stream:
        try:
            from relvm_kg.benchmark.pykeen_adapter import train_kge

            progress = _LineProgress(stream)
            data = load_benchmark_data(Workspace.open(Path(job["workspace"])), job["split_seed"])
            trained = train_kge(data, KgeSettings.from_dict(job["settings"]), progress)
            write_json(Path(job["output"]), evaluate(trained, data, progress).as_dict())
        except RelvmKgError as error:
            _send(stream, {"error": str(error)})
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
