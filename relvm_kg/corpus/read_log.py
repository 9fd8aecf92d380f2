"""What a reader could not take, set aside with file, line and reason, and what it counted on the way."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

MAX_RECORD = 500
"""Characters of a rejected record that are kept."""


class Rejected(NamedTuple):
    """A record that was set aside; `line` counts from 1, and is 0 when the whole file is meant."""

    file: str
    line: int
    reason: str
    record: str

    def to_json(self) -> str:
        """One line of `rejected.jsonl`."""
        return json.dumps(self._asdict(), ensure_ascii=False)


class ReadLog:
    """Collects rejected records and counts while one file is read.

    Args:
        file: name of the file, as it will stand in the rejected records.
        sink: called with each rejected record; None keeps counts only.
    """

    def __init__(self, file: str, sink: Callable[[Rejected], object] | None = None) -> None:
        self.file = file
        self.rejected: Counter[str] = Counter()
        """Rejected records by reason."""
        self.counts: Counter[str] = Counter()
        """What else was counted: repaired offsets, annotations of other types ..."""
        self._sink = sink

    def reject(self, line: int, reason: str, record: str) -> None:
        """Set a record aside."""
        self.rejected[reason] += 1
        if self._sink is not None:
            self._sink(Rejected(self.file, line, reason, record[:MAX_RECORD]))

    def count(self, what: str, n: int = 1) -> None:
        """Count something worth telling."""
        self.counts[what] += n


def read_rejected(path: Path) -> list[Rejected]:
    """Read a `rejected.jsonl`."""
    with path.open(encoding="utf-8") as handle:
        return [Rejected(**json.loads(line)) for line in handle]
