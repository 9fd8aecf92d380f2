"""The trace of a run: a line of figures now and then, one JSON object each."""

import json
from collections.abc import Mapping
from pathlib import Path

TRACE = "trace.jsonl"


def append_trace(folder: Path, figures: Mapping[str, float]) -> None:
    """Add a line; figures are rounded to five places."""
    with (folder / TRACE).open("a", encoding="utf-8") as handle:
        handle.write(json.dumps({name: round(value, 5) for name, value in figures.items()}) + "\n")


def cut_trace(folder: Path, step: int) -> None:
    """Drop the lines after a step, which a run that is taken up there writes again, and a line cut short by a kill."""
    path = folder / TRACE
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
    path.write_text("".join(kept), encoding="utf-8")
