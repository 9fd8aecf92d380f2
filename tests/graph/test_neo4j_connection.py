"""How a server is named and reached: `--neo4j` with and without an address, a typed password, TLS, a named database."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relvm_kg.errors import StoreError
from relvm_kg.workspace import Workspace
from relvm_kg_cli.main import main
from relvm_kg_graph.bolt import Neo4jSettings
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.neo4j_store import Neo4jStore

pytestmark = pytest.mark.neo4j
Relvm = Callable[..., Result]


@pytest.fixture
def relvm(neo4j_settings: Neo4jSettings, monkeypatch: pytest.MonkeyPatch) -> Relvm:
    """`relvm-kg` with the session's user, password and database in the environment, not its address."""
    monkeypatch.delenv("RELVM_KG_NEO4J_URI", raising=False)
    monkeypatch.setenv("RELVM_KG_NEO4J_USER", neo4j_settings.user)
    monkeypatch.setenv("RELVM_KG_NEO4J_PASSWORD", neo4j_settings.password or "")
    monkeypatch.setenv("RELVM_KG_NEO4J_DATABASE", neo4j_settings.database)
    return lambda *words: CliRunner(catch_exceptions=False).invoke(main, [*map(str, words)])


@pytest.mark.usefixtures("neo4j_store")
def test_every_command_that_asks_a_server_takes_its_address(
    relvm: Relvm, own_graph: Workspace, neo4j_settings: Neo4jSettings, tmp_path: Path
) -> None:
    address = ("--neo4j", neo4j_settings.uri)
    other = Workspace.create(tmp_path / "other")
    statement = "MATCH ()-[p:PREDICTED]->() RETURN count(p) AS n"
    calls: list[tuple[object, ...]] = [
        ("graph", "push", *address, "--workspace", own_graph.path),
        ("graph", "pull", *address, "--workspace", other.path),
        ("graph", "status", f"--neo4j={neo4j_settings.uri}"),
        ("query", *address, statement),
        ("query", statement, *address),
        ("graph", "rollback", *address, "run-1"),
    ]
    for call in calls:
        result = relvm(*call, "--json")
        assert result.exit_code == 0, (call, result.stderr)
        answer = json.loads(result.stdout)
        assert answer.get("rows", [{"n": 7}]) == [{"n": 7}]


@pytest.mark.usefixtures("neo4j_store")
def test_what_is_no_address_is_a_word_of_the_command(
    relvm: Relvm, neo4j_settings: Neo4jSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELVM_KG_NEO4J_URI", neo4j_settings.uri)
    assert relvm("query", "--neo4j", "RETURN 'bolt://x' AS n").stdout.split() == ["n", "bolt://x"]
    assert relvm("query", "RETURN 2 AS n", "--neo4j").stdout.split() == ["n", "2"]
    assert "there is no prediction run 'run-9'" in relvm("graph", "rollback", "--neo4j", "run-9").stderr


@pytest.mark.parametrize("words", [("graph", "status"), ("query", "RETURN 1")])
def test_an_address_without_a_scheme_is_told_the_one_it_wants(words: tuple[str, ...], relvm: Relvm) -> None:
    result = relvm(*words, "--neo4j", "localhost:7687")
    assert (result.exit_code, "an address such as bolt://localhost:7687, was" in result.stderr) == (2, True)


def test_an_address_goes_before_that_of_the_environment(relvm: Relvm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVM_KG_NEO4J_URI", "bolt://127.0.0.1:8")
    assert (
        "no Neo4j server answers at bolt://127.0.0.1:9" in relvm("query", "--neo4j", "bolt://127.0.0.1:9", "x").stderr
    )
    assert "no Neo4j server answers at bolt://127.0.0.1:8" in relvm("query", "--neo4j", "x").stderr


def test_without_a_terminal_a_missing_password_is_told(
    relvm: Relvm, neo4j_settings: Neo4jSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELVM_KG_NEO4J_PASSWORD")
    if neo4j_settings.password is None:
        pytest.skip("this server asks for no password")
    result = relvm("query", "--neo4j", neo4j_settings.uri, "RETURN 1")
    assert result.exit_code == 10
    assert f"wants the password of '{neo4j_settings.user}'; set RELVM_KG_NEO4J_PASSWORD" in result.stderr


def in_a_terminal(typed: str, *words: str) -> str:
    """What `relvm-kg` shows in a terminal of its own where somebody types a line."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "relvm_kg_cli.main", *words])
    shown = b""
    try:
        while piece := os.read(terminal, 1000):
            if b"Password" in piece and b"Password" not in shown:
                os.write(terminal, typed.encode() + b"\n")
            shown += piece
    except OSError:  # Linux says so where the other side is closed
        pass
    os.close(terminal)
    os.waitpid(child, 0)
    return shown.decode()


@pytest.mark.usefixtures("neo4j_store")
def test_in_a_terminal_a_missing_password_is_asked_for_and_not_shown(
    neo4j_settings: Neo4jSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if neo4j_settings.password is None:
        pytest.skip("this server asks for no password")
    monkeypatch.delenv("RELVM_KG_NEO4J_PASSWORD", raising=False)
    monkeypatch.setenv("RELVM_KG_NEO4J_USER", neo4j_settings.user)
    monkeypatch.setenv("RELVM_KG_NEO4J_DATABASE", neo4j_settings.database)
    call = ("query", "--neo4j", neo4j_settings.uri, "RETURN 6 * 7 AS answer")
    shown = in_a_terminal(neo4j_settings.password, *call)
    assert f"Password of {neo4j_settings.user} at {neo4j_settings.uri}:" in shown
    assert re.search(r"answer\s+42\s+1 rows", shown)
    assert neo4j_settings.password not in shown
    wrong = in_a_terminal("not-the-password", *call)
    assert f"refuses the user '{neo4j_settings.user}'" in wrong
    assert "not-the-password" not in wrong


@pytest.fixture(scope="session")
def secure(new_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server of TLS only, with a certificate of its own making and a default database `links`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = "certificates/bolt"
    tls = (
        "server.bolt.tls_level=REQUIRED",
        "dbms.ssl.policy.bolt.enabled=true",
        f"dbms.ssl.policy.bolt.base_directory={folder}",
        "initial.dbms.default_database=links",
    )
    server = new_server("bolt+ssc", tls)
    certify(server.home / folder)
    server.start()
    yield server
    server.end()


def certify(folder: Path) -> None:
    """A key and a certificate for this machine that nobody else vouches for."""
    folder.mkdir(parents=True)
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(folder / "private.key"), "-out", str(folder / "public.crt")]
    kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run(["openssl", "req", *kind, *names, *files], check=True, capture_output=True)


def at(server: Any, scheme: str) -> Neo4jSettings:
    """The secure server's settings with another scheme."""
    address = f"{scheme}://localhost:{server.port}"
    settings: Neo4jSettings = replace(server.settings, uri=address, database="links", retry_seconds=1)
    return settings


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["bolt+ssc", "neo4j+ssc"])
def test_a_graph_is_pushed_over_tls_into_a_database_of_another_name(secure: Any, scheme: str, world: Any) -> None:
    with Neo4jStore(at(secure, scheme)) as store:
        for stored in store.runs():
            store.rollback(stored.run.run_id)
        world.fill(store)
        assert store.query(Statement("MATCH ()-[p:PREDICTED]->() RETURN count(p) AS n")).rows == [(7,)]
    with pytest.raises(StoreError, match="has no database 'neo4j'; correct RELVM_KG_NEO4J_DATABASE"):
        Neo4jStore(replace(at(secure, scheme), database="neo4j"))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_a_certificate_that_nobody_vouches_for_is_refused_in_words(secure: Any, scheme: str) -> None:
    with pytest.raises(StoreError, match=r"a certificate that no public authority signed .* SSL_CERT_FILE, .*sc://$"):
        Neo4jStore(at(secure, scheme))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_a_certificate_that_ssl_cert_file_names_is_trusted(
    secure: Any, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.home / "certificates/bolt/public.crt"))
    with Neo4jStore(at(secure, scheme)) as store:
        assert store.query(Statement("RETURN 1 AS n")).rows == [(1,)]


@pytest.mark.slow
def test_a_server_that_wants_tls_is_not_reached_without(secure: Any) -> None:
    with pytest.raises(StoreError, match=r"no Neo4j server answers at bolt://localhost:\d+ .*bolt\+s://"):
        Neo4jStore(at(secure, "bolt"))


KILLED = """
import importlib.util, os, signal, sys
spec = importlib.util.spec_from_file_location("conftest", sys.argv[1])
conftest = sys.modules["conftest"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(conftest)
print(conftest.tied_process(["sleep", "600"]).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_a_server_of_the_tests_ends_with_them_even_if_they_are_killed() -> None:
    command = [sys.executable, "-c", KILLED, str(Path(__file__).with_name("conftest.py"))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    proc = Path("/proc", done.stdout.strip(), "stat")
    for _ in range(100):
        if not proc.exists() or ") Z " in proc.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"{proc} is still there")
