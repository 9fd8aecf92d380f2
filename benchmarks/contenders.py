"""Contenders as processes of their own that take turns, one round each.

So a peak of memory is its contender's own, and what else the machine does falls on all of them alike.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
Round = Callable[[], dict[str, float]]
"""Measures one round."""


def serve(take: Round) -> None:
    """The child's side: say that all is ready, then measure a round for each line that comes in."""
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(take() | {"peak_mb": peak_mb()}), flush=True)


def peak_mb() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Clock:
    """Seconds by the wall, and of this process on all its cores, since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        """By the wall."""
        return time.perf_counter() - self._wall

    @property
    def cpu_seconds(self) -> float:
        """On all cores together; a busy machine changes them less."""
        return time.process_time() - self._cpu


class Contender:
    """The parent's side of a child that measures a round when asked."""

    def __init__(self, name: str, script: Path, request: Mapping[str, Any]) -> None:
        self.name = name
        self.rounds: list[dict[str, float]] = []
        environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), **request.get("environment", {})}
        command = [sys.executable, str(script), "--child", json.dumps(request)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)

    def wait_ready(self) -> None:
        """Wait until the child has warmed up."""
        self._answer()

    def take(self) -> None:
        """Have it measure a round."""
        assert self._process.stdin is not None
        self._process.stdin.write("round\n")
        self._process.stdin.flush()
        self.rounds.append(self._answer())

    def close(self) -> None:
        """End the child."""
        self._process.kill()
        self._process.wait()

    def summary(self) -> dict[str, Any]:
        """Medians, all rounds, and the peak of memory."""
        figures = {name: [r[name] for r in self.rounds] for name in self.rounds[0] if name != "peak_mb"}
        medians = {name: statistics.median(values) for name, values in figures.items()}
        return {"median": medians, "rounds": figures, "peak_mb": max(r["peak_mb"] for r in self.rounds)}

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with code {self._process.wait()}")
        answer: dict[str, float] = json.loads(line)
        return answer


def round_robin(script: Path, requests: Mapping[str, Mapping[str, Any]], repeats: int) -> dict[str, Contender]:
    """Rounds in turn, after every contender has warmed up by itself."""
    contenders: dict[str, Contender] = {}
    try:
        for name, request in requests.items():
            contenders[name] = Contender(name, script, request)
            contenders[name].wait_ready()
        for repeat in range(repeats):
            for contender in contenders.values():
                contender.take()
            print(f"  round {repeat + 1} of {repeats}", file=sys.stderr)
    finally:
        for contender in contenders.values():
            contender.close()
    return contenders


def ratio(first: Contender, second: Contender, figure: str) -> float:
    """The median over rounds of the first's figure divided by the second's."""
    return statistics.median(a[figure] / b[figure] for a, b in zip(first.rounds, second.rounds, strict=True))
