"""One file into the cache: fetched or found, checked, unpacked, written down."""

import hashlib
import re
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from relvm_kg.download.http import Downloader
from relvm_kg.download.manifest import Entry
from relvm_kg.download.pip_route import fetch_package
from relvm_kg.download.records import RemoteFile
from relvm_kg.download.unpack import Limits, check_gzip, unpack
from relvm_kg.errors import DownloadError, InvalidInputError
from relvm_kg.progress import Progress

_CHUNK = 1024 * 1024
_MD5 = re.compile(r"\b[0-9a-fA-F]{32}\b")
BY_HAND = "placed by hand"


class Acquirer:
    """Fills one folder of the cache; the caller holds its lock."""

    def __init__(self, folder: Path, downloader: Downloader, progress: Progress, *, offline: bool) -> None:
        self._folder, self._downloader, self._progress, self._offline = folder, downloader, progress, offline

    def acquire(self, file: RemoteFile) -> Entry:
        """Take in a file, from its home unless it was placed by hand.

        Raises:
            DownloadError: if it cannot be had, or is not what it should be; such a file is set aside.
            InvalidInputError: if it is an archive that is damaged or may not be trusted; it is set aside, too.
        """
        path = self._folder / file.name
        is_by_hand = path.is_file()
        is_length_known = False
        if not is_by_hand:
            is_length_known = self._fetch(file, path)
        sha256, checked = self._check(file, path, is_length_known=is_length_known)
        size = path.stat().st_size
        outputs = self._unpack(file, path) if file.members else (file.name,)
        return Entry(
            source=f"{file.source} ({BY_HAND})" if is_by_hand else file.source,
            sha256=sha256,
            bytes=size,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            checked=checked,
            outputs={name: (self._folder / name).stat().st_size for name in outputs},
            members=tuple((member.pattern, member.name) for member in file.members),
        )

    def _fetch(self, file: RemoteFile, path: Path) -> bool:
        """Returns whether the server told the length."""
        if self._offline:
            raise DownloadError(f"{file.source}: not asked, since --offline was given")
        if file.package is None:
            return self._downloader.fetch(file.url, path, max_bytes=file.max_bytes, label=file.name)
        assert file.sha256 is not None
        fetch_package(file.package, file.sha256, path, self._progress)
        return True

    def _check(self, file: RemoteFile, path: Path, *, is_length_known: bool) -> tuple[str, str]:
        """SHA-256 of a file, and what speaks for its bytes."""
        sha256, md5 = _digests(path)
        if file.sha256 is not None:
            self._compare("SHA-256", file.sha256, sha256, path)
            return sha256, "sha256"
        if (published := self._published_md5(file)) is not None:
            self._compare("MD5", published, md5, path)
            return sha256, "md5"
        if path.suffix == ".gz" and not is_length_known:
            try:
                check_gzip(path)
            except InvalidInputError as error:
                raise DownloadError(f"{error} ({self._set_aside(path)})") from error
            return sha256, "gzip"
        return sha256, "length" if is_length_known else "nothing"

    def _published_md5(self, file: RemoteFile) -> str | None:
        """What the home publishes beside the file, or what was placed beside it by hand."""
        if file.md5_url is None:
            return None
        beside = self._folder / file.md5_url.rpartition("/")[2]
        if beside.is_file():
            text = beside.read_text(encoding="utf-8", errors="replace")
        elif self._offline:
            return None
        else:
            text = self._downloader.text(file.md5_url)
        match = _MD5.search(text)
        if match is None:
            raise DownloadError(f"{file.md5_url} must tell an MD5, was: {text[:80]!r}")
        return match[0].lower()

    def _compare(self, kind: str, expected: str, found: str, path: Path) -> None:
        if found == expected:
            return
        raise DownloadError(
            f"{path.name} must have the {kind} {expected}, has {found}: its bytes were damaged on the way, or its home "
            f"has changed it ({self._set_aside(path)}); try again"
        )

    def _set_aside(self, path: Path) -> str:
        rejected = path.with_name(f"{path.name}.rejected")
        path.replace(rejected)
        return f"it is not used, and kept as {rejected}"

    def _unpack(self, file: RemoteFile, path: Path) -> tuple[str, ...]:
        self._progress.say(f"{file.name}: unpacking")
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".unpacked-", suffix=".part") as name:
            folder = Path(name)
            try:
                names = unpack(path, file.members, folder, Limits(total=file.max_unpacked))
            except InvalidInputError as error:
                raise InvalidInputError(f"{error} ({self._set_aside(path)})") from error
            _move(names, folder, self._folder)
        path.unlink()
        return names


def _move(names: Iterable[str], source: Path, target: Path) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).replace(target / name)


def _digests(path: Path) -> tuple[str, str]:
    """SHA-256 and MD5 in one reading."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as handle:
        while piece := handle.read(_CHUNK):
            sha256.update(piece)
            md5.update(piece)
    return sha256.hexdigest(), md5.hexdigest()
