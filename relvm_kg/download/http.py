"""One file over HTTP: goes on where it stopped, tries again where that may help, and says what happened."""

import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import requests
import urllib3

from relvm_kg.download.unpack import free_bytes
from relvm_kg.errors import DownloadError
from relvm_kg.progress import Progress

_CHUNK = 64 * 1024
_TEMPORARY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_BROKEN = (requests.exceptions.Timeout, requests.exceptions.ChunkedEncodingError, ConnectionError, TimeoutError)
_MAX_PAGE = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class HttpSettings:
    """How patient a download is."""

    connect_timeout: float = 15.0
    """Seconds to reach the server."""
    read_timeout: float = 60.0
    """Seconds without a byte."""
    attempts: int = 5
    """Before giving up; an attempt that brings the file forward starts the count anew."""
    connect_attempts: int = 3
    """The same where no connection comes about."""
    backoff: float = 1.0
    """Seconds before the second attempt; doubled before each one after that."""
    max_wait: float = 120.0
    """Longest wait, also if the server asks for more."""


class _TemporaryError(Exception):
    """A failure that may pass."""

    def __init__(self, reason: str, *, wait: float = 0.0, connected: bool = True) -> None:
        super().__init__(reason)
        self.wait, self.connected = wait, connected


@dataclass(frozen=True, kw_only=True)
class _State:
    """What is known of a half-fetched file; kept beside it."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    total: int | None = None

    @property
    def validator(self) -> str | None:
        """What the server compares, so that two releases are never joined; a weak ETag does not serve."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


class Downloader:
    """Fetches files into a folder; proxies and certificates are those of the environment."""

    def __init__(self, progress: Progress, settings: HttpSettings | None = None) -> None:
        self._progress = progress
        self._settings = settings or HttpSettings()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"relvm-kg/{_own_version()}"
        self._session.headers["Accept-Encoding"] = "identity"
        bundle = os.environ.get("SSL_CERT_FILE")
        if bundle and not {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & set(os.environ):
            self._session.verify = bundle

    def __enter__(self) -> "Downloader":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def fetch(self, url: str, target: Path, *, max_bytes: int, label: str) -> bool:
        """Fetch a file.

        A file that an earlier call left half-fetched (`<target>.part`) goes on if the server still has the same one.

        Returns:
            Whether the server told the file's length, so that nothing is missing at its end.

        Raises:
            DownloadError: if it cannot be had: what failed, after how many attempts.
        """
        transfer = _Transfer(self._session, url, target, self._progress, self._settings)
        self._retry(url, lambda: transfer.attempt(max_bytes, label), transfer.done)
        transfer.part.replace(target)
        transfer.forget()
        return transfer.is_length_known

    def text(self, url: str) -> str:
        """A small text: a listing, a checksum.

        Raises:
            DownloadError: if it cannot be had.
        """
        pieces: list[bytes] = []

        def attempt() -> None:
            pieces.clear()
            with _errors(), _get(self._session, url, {}, self._settings) as response:
                _check_status(response)
                for piece in response.iter_content(_CHUNK):
                    pieces.append(piece)
                    if sum(map(len, pieces)) > _MAX_PAGE:
                        raise DownloadError(f"{url} must be at most {_MAX_PAGE:,} bytes, was: more")

        self._retry(url, attempt, lambda: 0)
        return b"".join(pieces).decode("utf-8", "replace")

    def _retry(self, url: str, attempt: Callable[[], None], done: Callable[[], int]) -> None:
        failures, furthest = 0, done()
        while True:
            try:
                attempt()
                return
            except _TemporaryError as error:
                failures = 1 if done() > furthest else failures + 1
                furthest = max(furthest, done())
                attempts = self._settings.attempts if error.connected else self._settings.connect_attempts
                if failures >= attempts:
                    raise DownloadError(f"{url}: {error} ({failures} attempts)") from error
                wait = max(error.wait, self._settings.backoff * 2 ** (failures - 1) * random.uniform(0.75, 1.25))
                wait = min(wait, self._settings.max_wait)
                self._progress.say(f"{url}: {error}; trying again in {wait:.0f} s")
                time.sleep(wait)
            except DownloadError as error:
                raise DownloadError(f"{url}: {error}") from error


class _Transfer:
    """One file on its way."""

    def __init__(
        self, session: requests.Session, url: str, target: Path, progress: Progress, settings: HttpSettings
    ) -> None:
        self._session, self._url, self._progress, self._settings = session, url, progress, settings
        self.part = target.with_name(f"{target.name}.part")
        self._state_path = target.with_name(f"{target.name}.part.json")
        self.is_length_known = False

    def done(self) -> int:
        """Bytes on disk."""
        return self.part.stat().st_size if self.part.is_file() else 0

    def forget(self) -> None:
        """Remove the note about the half-fetched file."""
        self._state_path.unlink(missing_ok=True)

    def attempt(self, max_bytes: int, label: str) -> None:
        """Bring the file forward, to its end if all goes well."""
        state = self._read_state()
        offset = self.done() if state is not None and state.validator else 0
        if state is not None and offset and offset == state.total:
            self.is_length_known = True
            return
        headers = {}
        if state is not None and state.validator and offset:
            headers = {"Range": f"bytes={offset}-", "If-Range": state.validator}
        with _errors(), _get(self._session, self._url, headers, self._settings) as response:
            if response.status_code == 416 or (response.status_code == 206 and not _continues(response, state, offset)):
                self.part.unlink(missing_ok=True)
                raise _TemporaryError("the server's file is another one by now; starting from its beginning")
            _check_status(response)
            self._check_file(response)
            if response.status_code != 206:
                if offset:
                    self._progress.say(f"{label}: the server cannot go on at a place, starting from the beginning")
                offset = 0
            self._receive(response, offset, max_bytes, label)

    def _check_file(self, response: requests.Response) -> None:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "text/html":
            raise DownloadError(
                "must be a file, the answer was a web page (a login, a question whether you are a person, a notice); "
                "fetch it with a browser"
            )
        if self._url.startswith("https:") and not response.url.startswith("https:"):
            raise DownloadError(f"must stay on https, was sent to {response.url}")

    def _receive(self, response: requests.Response, offset: int, max_bytes: int, label: str) -> None:
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        decode = encoding != "identity" and not response.url.partition("?")[0].endswith(".gz")
        total = None if decode else _total(response, offset)
        if (total or 0) > max_bytes:
            raise DownloadError(f"must have at most {max_bytes:,} bytes, the server offers {total:,}")
        if total is not None and total - offset > (free := free_bytes(self.part.parent)):
            raise DownloadError(f"needs {total - offset:,} bytes of disk, {self.part.parent} has {free:,} left")
        with (
            self.part.open("ab" if offset else "wb") as out,
            self._progress.task(label, total, unit="B", done=offset) as task,
        ):
            self._write_state(response, total, keeps_place=not decode)
            for piece in response.raw.stream(_CHUNK, decode_content=decode):
                out.write(piece)
                offset += len(piece)
                if offset > max_bytes:
                    raise DownloadError(f"must have at most {max_bytes:,} bytes, the server sends more")
                task.advance(len(piece))
            out.flush()
            os.fsync(out.fileno())
        if total is not None and offset != total:
            raise _TemporaryError(f"the connection ended after {offset:,} of {total:,} bytes")
        self.is_length_known = total is not None

    def _read_state(self) -> _State | None:
        try:
            state = _State(**json.loads(self._state_path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return state if state.url == self._url else None

    def _write_state(self, response: requests.Response, total: int | None, *, keeps_place: bool) -> None:
        if response.status_code == 206:
            return
        etag = response.headers.get("ETag") if keeps_place else None
        last_modified = response.headers.get("Last-Modified") if keeps_place else None
        state = _State(url=self._url, etag=etag, last_modified=last_modified, total=total)
        self._state_path.write_text(json.dumps(asdict(state)), encoding="utf-8")


def _get(session: requests.Session, url: str, headers: dict[str, str], settings: HttpSettings) -> requests.Response:
    timeout = settings.connect_timeout, settings.read_timeout
    return session.get(url, headers=headers, stream=True, timeout=timeout)


@contextmanager
def _errors() -> Iterator[None]:
    """Sort what can go wrong on a network into what may pass and what will not."""
    try:
        yield
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
        raise DownloadError(
            f"the certificate is not accepted ({_reason(error)}); REQUESTS_CA_BUNDLE names the file of those that are"
        ) from error
    except requests.exceptions.ProxyError as error:
        raise _TemporaryError(f"the proxy of the environment failed ({_reason(error)})", connected=False) from error
    except requests.exceptions.ConnectionError as error:
        connected = bool(error.args) and isinstance(error.args[0], urllib3.exceptions.ProtocolError)
        raise _TemporaryError(f"no connection ({_reason(error)})", connected=connected) from error
    except (*_BROKEN, urllib3.exceptions.HTTPError) as error:
        raise _TemporaryError(f"the connection broke ({_reason(error)})") from error
    except requests.exceptions.RequestException as error:
        raise DownloadError(str(error)) from error


def _reason(error: BaseException) -> str:
    """The innermost cause, in few words."""
    text = str(error)
    for inner in (getattr(error, "reason", None), error.args[0] if error.args else None):
        if isinstance(inner, BaseException):
            return _reason(inner)
    return re.sub(r"<[^>]*>:?\s*|HTTPS?Connection\([^)]*\):\s*", "", text).strip() or type(error).__name__


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status in {200, 206}:
        return
    if status in _TEMPORARY_STATUS:
        raise _TemporaryError(f"the server answered {status} {response.reason}", wait=_retry_after(response))
    raise DownloadError(f"the server answered {status} {response.reason}")


def _retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to wait."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0


def _content_range(response: requests.Response) -> tuple[int, int | None] | None:
    """First byte and length of the whole file."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    return None if match is None else (int(match[1]), None if match[2] == "*" else int(match[2]))


def _continues(response: requests.Response, state: _State | None, offset: int) -> bool:
    """Whether a part of a file is the one that was asked for, of the same file."""
    place = _content_range(response)
    if state is None or place is None or place[0] != offset:
        return False
    if None not in (place[1], state.total) and place[1] != state.total:
        return False
    etag = response.headers.get("ETag")
    return etag is None or state.etag is None or etag == state.etag


def _total(response: requests.Response, offset: int) -> int | None:
    """Bytes of the whole file."""
    place = _content_range(response) if response.status_code == 206 else None
    if place is not None and place[1] is not None:
        return place[1]
    length = response.headers.get("Content-Length", "")
    return offset + int(length) if length.isdigit() else None


def _own_version() -> str:
    try:
        return version("relvm-kg")
    except PackageNotFoundError:
        return "0"
