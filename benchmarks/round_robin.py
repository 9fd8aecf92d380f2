"""Times several callables in turns, so that whatever else the machine does falls on all of them alike."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch


def round_robin(contestants: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each contestant in each round; every one has a round before that does not count."""
    for call in contestants.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, call in contestants.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: Mapping[str, list[float]], slow: str, fast: str) -> float:
    """How many times as fast one contestant is as another: the median over rounds."""
    return statistics.median(s / f for s, f in zip(seconds[slow], seconds[fast], strict=True))


def machine() -> dict[str, Any]:
    """What figures of speed depend on."""
    return {
        "threads": torch.get_num_threads(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "architecture": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "bfloat16": bool(torch.cpu._is_avx512_bf16_supported()),
        "torch": torch.__version__,
        "load before": round(os.getloadavg()[0], 2),
    }
