"""Lines of a plain or gzip text file, with their numbers, in constant memory."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError

MAX_LINE = 16 * 1024 * 1024
"""Bytes of the longest line that is read; no abstract comes near it."""
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked if it is gzip (told by its first bytes, not its name).

    Raises:
        InvalidInputError: if the gzip stream is damaged or ends early.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        try:
            if packed:
                with gzip.GzipFile(fileobj=raw) as handle:
                    yield handle  # type: ignore[misc]
            else:
                yield raw
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InvalidInputError(f"{path} must be a whole gzip file: {error}; fetch it again") from error


def read_lines(path: Path, log: ReadLog) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends; a line that is not UTF-8 or overlong is rejected, the others go on.

    Raises:
        InvalidInputError: if a gzip file is damaged.
    """
    with open_bytes(path) as handle:
        for number, raw in _raw_lines(handle):
            if number == 1 and raw.startswith(_BOM):
                raw = raw[len(_BOM) :]  # noqa: PLW2901
            if len(raw) > MAX_LINE:
                log.reject(number, f"line longer than {MAX_LINE} bytes", raw[:200].decode("utf-8", "replace"))
                continue
            try:
                yield number, raw.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                log.reject(number, "line is not UTF-8", raw.decode("utf-8", "replace").rstrip("\r\n"))


def _raw_lines(handle: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := handle.readline(MAX_LINE + 1):
        number += 1
        yield number, line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = handle.readline(MAX_LINE + 1)
            if not line:
                return
