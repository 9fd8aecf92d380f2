"""Real servers on this machine: one that can misbehave, and a proxy."""

import hashlib
import http.client
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from relvm_kg.download.cache import FetchOptions
from relvm_kg.download.http import HttpSettings
from relvm_kg.download.records import DataSet, RemoteFile, Selection

FAST = HttpSettings(connect_timeout=5, read_timeout=2, attempts=4, connect_attempts=2, backoff=0.01, max_wait=0.2)


@dataclass
class Resource:
    """A file of the server, and how it misbehaves."""

    data: bytes
    etag: str | None = '"one"'
    last_modified: str | None = None
    ranges: bool = True
    truncate: list[int] = field(default_factory=list)
    """Bytes after which the connection closes, one for each answer; then all is well."""
    failures: list[int] = field(default_factory=list)
    """Status codes of the first answers."""
    headers: dict[str, str] = field(default_factory=dict)
    length: bool = True
    stall: float = 0.0
    """Seconds without a byte, halfway through the first answer."""
    wrong_range: bool = False
    pace: float = 0.0
    """Seconds between pieces of 4 kB."""


@dataclass
class Request:
    """What a client asked."""

    path: str
    headers: dict[str, str]


class QuietServer(ThreadingHTTPServer):
    """Clients that go away are what is tested, and no news."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class Server:
    """`http.server` with resources by path."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.requests: list[Request] = []
        self.released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.requests.append(Request(self.path, dict(self.headers.items())))
                server.answer(self)

            def log_message(self, format: str, *values: Any) -> None:
                pass

        self._http = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    def put(self, path: str, data: bytes, **how: Any) -> Resource:
        self.resources[path] = Resource(data, **how)
        return self.resources[path]

    def ranges(self) -> list[str | None]:
        """The Range header of each request."""
        return [request.headers.get("Range") for request in self.requests]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        resource = self.resources.get(urlsplit(handler.path).path)
        status = 404 if resource is None else resource.failures.pop(0) if resource.failures else 200
        if resource is None or status >= 400:
            handler.send_response(status)
            handler.send_header("Content-Length", "0")
            for name, value in (resource.headers if resource else {}).items():
                handler.send_header(name, value)
            handler.end_headers()
            return
        if location := resource.headers.get("Location"):
            handler.send_response(302)
            handler.send_header("Location", location)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        self._send(handler, resource)

    def _send(self, handler: BaseHTTPRequestHandler, resource: Resource) -> None:
        first = self._first(handler, resource)
        body = resource.data[first or 0 :]
        if first is None:
            handler.send_response(200)
        else:
            shown = first + 1 if resource.wrong_range else first
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {shown}-{len(resource.data) - 1}/{len(resource.data)}")
        headers = {"ETag": resource.etag, "Last-Modified": resource.last_modified, **resource.headers}
        if resource.length:
            headers["Content-Length"] = str(len(body))
        else:
            headers["Connection"] = "close"
        for name, value in headers.items():
            if value is not None:
                handler.send_header(name, value)
        handler.end_headers()
        end = resource.truncate.pop(0) if resource.truncate else len(body)
        self._write(handler, body[:end], resource)
        if end < len(body) or not resource.length:
            handler.close_connection = True

    def _write(self, handler: BaseHTTPRequestHandler, body: bytes, resource: Resource) -> None:
        wait, resource.stall = resource.stall, 0.0
        half = len(body) // 2
        try:
            for start in range(0, len(body), 4096):
                if wait and start >= half:
                    handler.wfile.flush()
                    self.released.wait(wait)
                    wait = 0.0
                if resource.pace:
                    handler.wfile.flush()
                    self.released.wait(resource.pace)
                handler.wfile.write(body[start : start + 4096])
            handler.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True

    def _first(self, handler: BaseHTTPRequestHandler, resource: Resource) -> int | None:
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if match is None or not resource.ranges:
            return None
        if handler.headers.get("If-Range") not in {resource.etag, resource.last_modified}:
            return None
        return int(match[1])


class Proxy:
    """A proxy for plain HTTP, which notes what it passed on."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.passed.append(self.path)
                parts = urlsplit(self.path)
                connection = http.client.HTTPConnection(parts.netloc)
                connection.request("GET", parts.path, headers=dict(self.headers.items()))
                answer = connection.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *values: Any) -> None:
                pass

        self._http = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture(autouse=True)
def _no_proxy_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server whose resources a test puts."""
    running = Server()
    yield running
    running.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy."""
    running = Proxy()
    yield running
    running.close()


@pytest.fixture
def options(tmp_path: Path) -> FetchOptions:
    """A cache of the test's own, and little patience."""
    return FetchOptions(cache=tmp_path / "cache", http=FAST)


@pytest.fixture
def one_file(server: Server) -> Callable[..., Selection]:
    """A data set `sample` of one file at `/data.bin` (or as given)."""

    def make(**how: Any) -> Selection:
        name = how.pop("name", "data.bin")
        file = RemoteFile(name=name, url=f"{server.url}/{name}", **how)
        return Selection(data_set(files=(file,)))

    return make


def data_set(**how: Any) -> DataSet:
    values = {
        "name": "sample",
        "what": "a sample",
        "home": "https://example.org/sample",
        "licence": "CC0 1.0",
        "licence_url": "https://example.org/licence",
        "size": 1000,
        "next": "relvm-kg build --corpus {path}",
        **how,
    }
    return DataSet(**values)


@pytest.fixture
def make_set() -> Callable[..., DataSet]:
    """A data set `sample` with these fields."""
    return data_set


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
