"""Bytes and lines of a plain, gzip or xz file, in constant memory."""

import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError

MAX_LINE = 16 * 1024 * 1024
"""Bytes of the longest line that is read; no abstract comes near it."""
XZ_MEMORY = 256 * 1024 * 1024
"""Bytes that unpacking an xz file may take; its strongest usual setting (`xz -9`) needs 65 MiB."""
_GZIP_MAGIC = b"\x1f\x8b"
_XZ_MAGIC = b"\xfd7zXZ\x00"
_BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 16


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked if it is gzip or xz (told by its first bytes, not its name).

    Raises:
        InvalidInputError: if the packed stream is damaged, ends early or needs too much memory.
    """
    with path.open("rb") as raw:
        magic = raw.read(len(_XZ_MAGIC))
        raw.seek(0)
        try:
            if magic.startswith(_GZIP_MAGIC):
                with gzip.GzipFile(fileobj=raw) as handle:
                    yield handle  # type: ignore[misc]
            elif magic == _XZ_MAGIC:
                with io.BufferedReader(_XzReader(raw), _CHUNK) as unpacked:
                    yield unpacked
            else:
                yield raw
        except lzma.LZMAError as error:
            raise InvalidInputError(f"{path} must be a whole xz file: {error}; fetch it again") from error
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            packing = "xz" if magic == _XZ_MAGIC else "gzip"
            raise InvalidInputError(f"{path} must be a whole {packing} file: {error}; fetch it again") from error


class _XzReader(io.RawIOBase):
    """What an xz file unpacks to; several streams, padded or not, follow one another as the format allows.

    The standard library's `LZMAFile` takes as much memory as the file asks for, up to 4 GiB, and lets rubbish pass
    after the first stream.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._stream: lzma.LZMADecompressor | None = None
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = b""
        while not data:
            if self._stream is None and not self._next_stream():
                return 0
            assert self._stream is not None
            packed = self._pending
            if self._stream.needs_input and not packed:
                packed = self._raw.read(_CHUNK)
                if not packed:
                    raise EOFError("the file ended before the end of the stream")
            data = self._stream.decompress(packed, len(buffer))
            self._pending = b""
            if self._stream.eof:
                self._pending, self._stream = self._stream.unused_data, None
        buffer[: len(data)] = data
        return len(data)

    def _next_stream(self) -> bool:
        """Skip padding and start on the next stream; False at the end of the file."""
        self._pending = self._pending.lstrip(b"\0")
        while not self._pending:
            packed = self._raw.read(_CHUNK)
            if not packed:
                return False
            self._pending = packed.lstrip(b"\0")
        self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
        return True


def read_lines(path: Path, log: ReadLog) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends; a line that is not UTF-8 or overlong is rejected, the others go on.

    Raises:
        InvalidInputError: if a gzip or xz file is damaged.
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
