"""Downloads over HTTP, from a real server that misbehaves in each way that servers do."""

import gzip
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relvm_kg.download.cache import FetchOptions, data_folder, fetch_selection
from relvm_kg.download.http import Downloader, HttpSettings
from relvm_kg.download.manifest import Manifest
from relvm_kg.download.records import Selection
from relvm_kg.errors import DownloadError
from relvm_kg.progress import Silent

DATA = random.Random(0).randbytes(300_000)
FAST = HttpSettings(connect_timeout=5, read_timeout=2, attempts=4, connect_attempts=2, backoff=0.01, max_wait=0.2)
OneFile = Callable[..., Selection]


class Told(Silent):
    """Keeps what a person would be told."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def say(self, message: str) -> None:
        self.messages.append(message)


def fetched(selection: Selection, options: FetchOptions) -> bytes:
    folder = fetch_selection(selection, Silent(), options)
    return (folder / selection.data_set.files[0].name).read_bytes()


def test_a_file_is_fetched_once_with_its_licence_and_a_note_of_its_source(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    server.put("/data.bin", DATA)
    told = Told()
    folder = fetch_selection(one_file(), told, options)
    assert (folder / "data.bin").read_bytes() == DATA
    assert "Licence: CC0 1.0" in told.messages[0]
    assert "https://example.org/licence" in (folder / "LICENCE.txt").read_text(encoding="utf-8")
    entry = Manifest.read(folder, "sample").entries["data.bin"]
    assert entry.source == f"{server.url}/data.bin"
    assert entry.sha256 == hashlib.sha256(DATA).hexdigest()
    assert (entry.bytes, entry.checked) == (len(DATA), "length")
    assert sorted(path.name for path in folder.iterdir()) == ["LICENCE.txt", "data.bin", "manifest.json"]
    fetch_selection(one_file(), told, options)
    assert len(server.requests) == 1
    assert len(told.messages) == 1


def test_a_file_that_is_gone_from_the_cache_is_fetched_again(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    server.put("/data.bin", DATA)
    folder = fetch_selection(one_file(), Silent(), options)
    (folder / "data.bin").unlink()
    assert fetched(one_file(), options) == DATA
    assert len(server.requests) == 2


def test_a_connection_that_closes_early_goes_on_where_it_stopped(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    server.put("/data.bin", DATA, truncate=[100_000, 50_000])
    assert fetched(one_file(), options) == DATA
    assert server.ranges() == [None, "bytes=100000-", "bytes=150000-"]
    assert server.requests[1].headers["If-Range"] == '"one"'


def test_a_stalled_connection_goes_on_after_the_time_limit(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    server.put("/data.bin", DATA, stall=30.0)
    impatient = FetchOptions(cache=options.cache, http=HttpSettings(read_timeout=0.3, backoff=0.01))
    started = time.monotonic()
    assert fetched(one_file(), impatient) == DATA
    assert time.monotonic() - started < 10
    assert server.ranges()[1] is not None


def test_a_server_without_ranges_starts_from_the_beginning(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    server.put("/data.bin", DATA, ranges=False, truncate=[100_000])
    told = Told()
    folder = fetch_selection(one_file(), told, options)
    assert (folder / "data.bin").read_bytes() == DATA
    assert any("cannot go on at a place" in message for message in told.messages)


def test_a_server_without_validators_is_never_asked_for_a_part(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    server.put("/data.bin", DATA, etag=None, truncate=[100_000])
    assert fetched(one_file(), options) == DATA
    assert server.ranges() == [None, None]


def test_a_weak_etag_gives_way_to_the_date(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    date = "Mon, 01 Jan 2024 00:00:00 GMT"
    server.put("/data.bin", DATA, etag='W/"one"', last_modified=date, truncate=[100_000])
    assert fetched(one_file(), options) == DATA
    assert server.requests[1].headers["If-Range"] == date
    assert server.ranges()[1] == "bytes=100000-"


def test_two_releases_of_a_file_are_never_joined(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", DATA, failures=[], truncate=[100_000, *[0] * 8])
    with pytest.raises(DownloadError):
        fetched(one_file(), options)
    other = bytes(reversed(DATA))
    server.put("/data.bin", other, etag='"two"')
    assert fetched(one_file(), options) == other


def test_a_part_from_another_place_is_not_taken(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    resource = server.put("/data.bin", DATA, truncate=[100_000], wrong_range=True)
    assert fetched(one_file(), options) == DATA
    assert server.ranges() == [None, "bytes=100000-", None]
    assert resource.truncate == []


def test_a_server_that_never_gets_far_is_given_up(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", DATA, ranges=False, truncate=[1000] * 50)
    with pytest.raises(DownloadError, match=r"ended|broke"):
        fetched(one_file(), options)
    assert len(server.requests) == 1 + FAST.attempts - 1


def test_an_overloaded_server_is_asked_again_as_late_as_it_wants(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    server.put("/data.bin", DATA, failures=[500, 503, 429], headers={"Retry-After": "1"})
    told = Told()
    folder = fetch_selection(one_file(), told, options)
    assert (folder / "data.bin").read_bytes() == DATA
    assert [message.partition("answered ")[2][:3] for message in told.messages[1:]] == ["500", "503", "429"]


def test_a_missing_file_is_not_asked_for_again_and_the_message_says_where_to_put_it(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    with pytest.raises(DownloadError) as caught:
        fetch_selection(one_file(), Silent(), options)
    message = str(caught.value)
    assert len(server.requests) == 1
    assert f"{server.url}/data.bin: the server answered 404" in message
    assert f"{data_folder('sample', options.cache) / 'data.bin'}  from {server.url}/data.bin" in message
    assert message.endswith("then run: relvm-kg data get sample")


def test_nobody_at_the_address_is_said_after_two_attempts(options: FetchOptions, one_file: OneFile) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    selection = one_file()
    with (
        Downloader(Silent(), FAST) as downloader,
        pytest.raises(DownloadError, match=r"no connection .*\(2 attempts\)"),
    ):
        downloader.fetch(f"http://127.0.0.1:{port}/x", Path(str(options.cache)), max_bytes=10, label="x")
    assert selection.data_set.name == "sample"


def test_redirects_are_followed(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", b"", headers={"Location": "/elsewhere"})
    server.put("/elsewhere", DATA, truncate=[100_000])
    assert fetched(one_file(), options) == DATA
    assert [r.path for r in server.requests] == ["/data.bin", "/elsewhere"] * 2


def test_a_web_page_instead_of_a_file_is_refused(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", b"<html>Are you a person?</html>", headers={"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(DownloadError, match="the answer was a web page"):
        fetched(one_file(), options)


def test_wrong_bytes_are_set_aside_and_not_used(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", DATA)
    selection = one_file(sha256="0" * 64)
    with pytest.raises(DownloadError, match=r"must have the SHA-256 0{64}, has "):
        fetched(selection, options)
    folder = data_folder("sample", options.cache)
    assert not (folder / "data.bin").exists()
    assert (folder / "data.bin.rejected").read_bytes() == DATA
    assert Manifest.read(folder, "sample").entries == {}
    assert fetched(one_file(sha256=hashlib.sha256(DATA).hexdigest()), options) == DATA


def test_the_md5_that_the_home_publishes_is_compared(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", DATA)
    md5 = hashlib.md5(DATA).hexdigest()
    server.put("/data.bin.md5", f"MD5(data.bin)= {'0' * 32}\n".encode())
    selection = one_file(md5_url=f"{server.url}/data.bin.md5")
    with pytest.raises(DownloadError, match=r"must have the MD5 0{32}"):
        fetched(selection, options)
    server.put("/data.bin.md5", f"{md5.upper()}  data.bin\n".encode())
    assert fetched(selection, options) == DATA
    entry = Manifest.read(data_folder("sample", options.cache), "sample").entries["data.bin"]
    assert entry.checked == "md5"


def test_a_gzip_file_without_a_length_is_checked_to_its_end(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    packed = gzip.compress(DATA)
    server.put("/data.gz", packed, length=False, truncate=[150_000, 150_000])
    with pytest.raises(DownloadError, match="must be a whole archive"):
        fetched(one_file(name="data.gz"), options)
    server.put("/data.gz", packed, length=False)
    assert fetched(one_file(name="data.gz"), options) == packed
    entry = Manifest.read(data_folder("sample", options.cache), "sample").entries["data.gz"]
    assert entry.checked == "gzip"


def test_a_file_that_the_server_packs_on_the_way_is_unpacked_and_one_that_is_packed_is_not(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    packed = gzip.compress(DATA)
    server.put("/data.bin", packed, headers={"Content-Encoding": "gzip"})
    assert fetched(one_file(), options) == DATA
    server.put("/data.gz", packed, headers={"Content-Encoding": "gzip"})
    assert fetched(one_file(name="data.gz"), options) == packed


def test_a_file_that_is_far_too_large_is_refused(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", b"", headers={"Content-Length": str(10**12)}, length=False)
    with pytest.raises(DownloadError, match="must have at most"):
        fetched(one_file(size=1000), options)


def test_a_file_without_a_length_is_cut_off_at_the_limit(server: Any, tmp_path: Path) -> None:
    server.put("/data.bin", DATA, length=False)
    with Downloader(Silent(), FAST) as downloader, pytest.raises(DownloadError, match="the server sends more"):
        downloader.fetch(f"{server.url}/data.bin", tmp_path / "x", max_bytes=100_000, label="x")
    assert not (tmp_path / "x").exists()


def test_the_proxy_of_the_environment_is_used_unless_no_proxy_says_otherwise(
    server: Any, proxy: Any, one_file: OneFile, options: FetchOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/data.bin", DATA)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("NO_PROXY", "")
    assert fetched(one_file(), options) == DATA
    assert proxy.passed == [f"{server.url}/data.bin"]
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (data_folder("sample", options.cache) / "data.bin").unlink()
    assert fetched(one_file(), options) == DATA
    assert len(proxy.passed) == 1


def test_a_proxy_that_is_not_there_is_named_as_the_cause(
    server: Any, one_file: OneFile, options: FetchOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/data.bin", DATA)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    with pytest.raises(DownloadError, match="the proxy of the environment failed"):
        fetched(one_file(), options)


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_a_killed_fetch_goes_on_where_it_stopped(server: Any, one_file: OneFile, options: FetchOptions) -> None:
    server.put("/data.bin", DATA, pace=0.02)
    selection = one_file()
    url = selection.data_set.files[0].url
    assert options.cache is not None
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from relvm_kg.download.cache import FetchOptions, fetch_selection\n"
        "from relvm_kg.download.records import DataSet, RemoteFile, Selection\n"
        "from relvm_kg.progress import Silent\n"
        "file = RemoteFile(name='data.bin', url=sys.argv[1])\n"
        "made = DataSet(name='sample', what='', home='', licence='', licence_url='', size=1, files=(file,), next='')\n"
        "fetch_selection(Selection(made), Silent(), FetchOptions(cache=Path(sys.argv[2])))\n"
    )
    part = data_folder("sample", options.cache) / "data.bin.part"
    with subprocess.Popen([sys.executable, "-c", program, url, str(options.cache)]) as process:
        deadline = time.monotonic() + 30
        while not (part.is_file() and part.stat().st_size > 0) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    stopped = part.stat().st_size
    assert 0 < stopped < len(DATA)
    server.resources["/data.bin"].pace = 0.0
    assert fetched(selection, options) == DATA
    assert server.ranges() == [None, f"bytes={stopped}-"]
    assert not part.exists()


def test_a_fetch_that_was_whole_but_not_yet_named_needs_no_more_bytes(
    server: Any, one_file: OneFile, options: FetchOptions
) -> None:
    server.put("/data.bin", DATA, truncate=[0] * 9)
    folder = data_folder("sample", options.cache)
    with pytest.raises(DownloadError):
        fetched(one_file(), options)
    asked = len(server.requests)
    (folder / "data.bin.part").write_bytes(DATA)
    assert fetched(one_file(), options) == DATA
    assert len(server.requests) == asked


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 40_000), max_size=12), ranges=st.booleans())
def test_however_a_connection_breaks_the_file_is_right_or_absent(
    server: Any, tmp_path: Path, cuts: list[int], ranges: bool
) -> None:
    data = DATA[:60_000]
    server.put("/data.bin", data, truncate=list(cuts), ranges=ranges)
    target = tmp_path / "data.bin"
    target.unlink(missing_ok=True)
    with Downloader(Silent(), HttpSettings(read_timeout=2, attempts=3, backoff=0.001)) as downloader:
        try:
            downloader.fetch(f"{server.url}/data.bin", target, max_bytes=10**6, label="x")
        except DownloadError:
            assert not target.exists()
        else:
            assert target.read_bytes() == data
