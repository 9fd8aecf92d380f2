"""Taking files out of archives that somebody else made: no path escapes, no links or devices, bounded sizes."""

import gzip
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from relvm_kg.download.records import Member
from relvm_kg.errors import InvalidInputError

CHUNK = 1024 * 1024
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may unpack to."""

    total: int
    """Bytes of all its content."""
    ratio: float = 250.0
    """Bytes of content for each byte of the archive. Annotated text reaches 15; a bomb has a thousand and more."""
    free: int = 64 * CHUNK
    """Bytes below which the ratio does not matter."""
    members: int = 1_000_000

    def bytes_for(self, archive: Path) -> int:
        """Most bytes of content for this archive."""
        return min(self.total, max(self.free, int(self.ratio * archive.stat().st_size)))


class GuardedStream:
    """A stream that hands out small pieces only, and not without end: no header can ask for much memory."""

    def __init__(self, stream: gzip.GzipFile, max_bytes: int, what: str) -> None:
        self._stream, self._max_bytes, self._what = stream, max_bytes, what

    def read(self, size: int = -1) -> bytes:
        """At most 1 MiB."""
        if not 0 <= size <= CHUNK:
            raise InvalidInputError(f"{self._what} must hold plain files, was: one with a header of unusual size")
        self._check(self._stream.tell())
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place that is not beyond the limit."""
        self._check(offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Place in the content."""
        return self._stream.tell()

    def _check(self, offset: int) -> None:
        if offset > self._max_bytes + CHUNK:
            raise InvalidInputError(f"{self._what} must unpack to at most {self._max_bytes:,} bytes, was: more")


def unpack(archive: Path, members: Sequence[Member], folder: Path, limits: Limits) -> tuple[str, ...]:
    """Take the wanted members out of a zip, a tar.gz or a gz.

    Args:
        archive: The file; its first bytes tell what it is.
        members: What to take. Each must be there.
        folder: An empty folder to write to.
        limits: What is too much.

    Returns:
        Paths of the files in `folder`.

    Raises:
        InvalidInputError: if the archive is damaged, may not be trusted, or lacks a wanted member.
    """
    with archive.open("rb") as handle:
        start = handle.read(4)
    writer = _Writer(archive, members, folder, limits)
    with _readable(archive):
        if start[:2] == b"\x1f\x8b":
            (_unpack_tar if _is_tar(archive) else _unpack_gzip)(archive, writer)
        elif start in {b"PK\x03\x04", b"PK\x05\x06"}:
            _unpack_zip(archive, writer)
        else:
            raise InvalidInputError(f"{archive} must be a zip, tar.gz or gz, its first bytes were: {start!r}")
    return writer.finish()


def check_gzip(path: Path) -> None:
    """Read a gzip file to its end, since its own checksum tells whether it is whole.

    Raises:
        InvalidInputError: if it is cut short or damaged.
    """
    with _readable(path), gzip.open(path, "rb") as stream:
        while stream.read(CHUNK):
            pass


@contextmanager
def _readable(archive: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise InvalidInputError(f"{archive} must be a whole archive: {error}; delete it and fetch it again") from error
    except (NotImplementedError, RuntimeError) as error:
        raise InvalidInputError(f"{archive} must be an archive that can be read: {error}") from error


class _Writer:
    """Writes wanted members and counts what was unpacked."""

    def __init__(self, archive: Path, members: Sequence[Member], folder: Path, limits: Limits) -> None:
        self._archive, self._folder = archive, folder
        self._wanted = [(re.compile(member.pattern), member.name) for member in members]
        self._found: set[int] = set()
        self._names: list[str] = []
        self._seen = self._bytes = 0
        self._max_members = limits.members
        self.max_bytes = limits.bytes_for(archive)

    def target(self, name: str) -> Path | None:
        """Where a member goes, None if it is not wanted; every name of the archive passes here.

        Raises:
            InvalidInputError: if the name leads out of the folder, or there are too many.
        """
        self._seen += 1
        if self._seen > self._max_members:
            raise InvalidInputError(f"{self._archive} must hold at most {self._max_members:,} members, was: more")
        self._check_name(name)
        for index, (pattern, template) in enumerate(self._wanted):
            if match := pattern.fullmatch(name):
                path = match.expand(template)
                self._check_name(path)
                if path in self._names:
                    raise InvalidInputError(f"{self._archive} must hold each file once, holds {path!r} again")
                self._found.add(index)
                self._names.append(path)
                target = self._folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                return target
        return None

    def refuse(self, name: str) -> InvalidInputError:
        """The error for a wanted member that is a link, a device or a folder."""
        return InvalidInputError(f"{self._archive} must hold plain files, {name!r} is none")

    def copy(self, source: IO[bytes], target: Path, name: str) -> None:
        """Write one member, counted as it comes and not as the archive's header claims."""
        compress = target.name.endswith(".gz") and not name.endswith(".gz")
        with gzip.open(target, "wb", compresslevel=1) if compress else target.open("wb") as out:
            while piece := source.read(CHUNK):
                self._bytes += len(piece)
                if self._bytes > self.max_bytes:
                    raise InvalidInputError(
                        f"{self._archive} must unpack to at most {self.max_bytes:,} bytes, {name!r} goes beyond"
                    )
                out.write(piece)

    def finish(self) -> tuple[str, ...]:
        """Paths of what was written, once it is certain that nothing is missing."""
        for index, (pattern, _) in enumerate(self._wanted):
            if index not in self._found:
                raise InvalidInputError(
                    f"{self._archive} must hold a file like {pattern.pattern}, it does not; it may be another release"
                )
        return tuple(self._names)

    def _check_name(self, name: str) -> None:
        path = PurePosixPath(name)
        if (
            not name
            or path.is_absolute()
            or ".." in path.parts
            or any(mark in name for mark in ("\\", "\0"))
            or ":" in "".join(path.parts[:1])
        ):
            raise InvalidInputError(f"{self._archive} must hold paths below its own folder, holds: {name!r}")


def _is_tar(archive: Path) -> bool:
    with gzip.open(archive, "rb") as stream:
        return stream.read(512)[257:262] == b"ustar"


def _unpack_tar(archive: Path, writer: _Writer) -> None:
    with gzip.open(archive, "rb") as stream:
        guarded = cast(IO[bytes], GuardedStream(stream, writer.max_bytes, str(archive)))
        with tarfile.open(fileobj=guarded, mode="r:") as tar:
            for member in tar:
                target = writer.target(member.name)
                tar.members = []  # type: ignore[attr-defined]  # tarfile keeps every header otherwise
                if target is None:
                    continue
                source = tar.extractfile(member) if member.isreg() and not member.issparse() else None
                if source is None:
                    raise writer.refuse(member.name)
                writer.copy(source, target, member.name)


def _unpack_zip(archive: Path, writer: _Writer) -> None:
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            target = writer.target(info.filename)
            if target is None:
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir() or kind not in {0, stat.S_IFREG}:
                raise writer.refuse(info.filename)
            with packed.open(info) as source:
                writer.copy(source, target, info.filename)


def _unpack_gzip(archive: Path, writer: _Writer) -> None:
    name = archive.name.removesuffix(".gz")
    target = writer.target(name)
    if target is not None:
        with gzip.open(archive, "rb") as source:
            writer.copy(cast(IO[bytes], source), target, name)


def free_bytes(folder: Path) -> int:
    """Bytes that the disk has left."""
    return shutil.disk_usage(folder).free
