"""Rows of tokens while the vocabulary is not known yet: each word has a provisional number in order of first sight."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]


class Numbers(dict[str, int]):
    """Words to numbers, a new one at first sight."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


class TokenRows(NamedTuple):
    """Rows of token numbers, one after another."""

    tokens: IntArray
    lengths: IntArray


class TokenFile:
    """Rows of token numbers on disk, until the vocabulary is known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = path.open("wb")
        self._lengths: list[IntArray] = []
        self.n_tokens = 0

    def extend(self, tokens: IntArray, lengths: IntArray) -> None:
        """Add rows."""
        self._handle.write(tokens.tobytes())
        self._lengths.append(lengths)
        self.n_tokens += len(tokens)

    def close(self) -> None:
        """Finish writing."""
        self._handle.close()

    @property
    def lengths(self) -> IntArray:
        """Tokens of each row."""
        return np.concatenate([np.zeros(0, dtype=np.int32), *self._lengths])

    def read(self, ids: IntArray, size: int = 1 << 22) -> Iterator[IntArray]:
        """The tokens of all rows, a stretch at a time, as the vocabulary's ids."""
        with self._path.open("rb") as handle:
            while data := handle.read(4 * size):
                yield ids[np.frombuffer(data, dtype=np.int32)]

    def remove(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)
