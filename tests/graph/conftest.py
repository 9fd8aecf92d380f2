"""Two stores for every test of what a store does: embedded, and a real Neo4j where there is one.

`RELVM_KG_NEO4J_SERVER` names a script that starts a server (`SCRIPT serve HOME --port N`); else `RELVM_KG_NEO4J_URI`
names a running one, whose database is emptied; else the tests on Neo4j are skipped. The output says which it was.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j
import pyarrow as pa
import pytest

from relvm_kg.workspace import Workspace
from relvm_kg_graph.bolt import Neo4jSettings
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.neo4j_store import Neo4jStore
from relvm_kg_graph.schema import (
    COMENTION_SCHEMA,
    ENTITY_SCHEMA,
    KNOWN_SCHEMA,
    PREDICTION_BATCH_SCHEMA,
    PredictionRun,
)
from relvm_kg_graph.store import BaseGraph, GraphStore, write_predictions

collect_ignore = ["biocypher_write.py", "kgx_check.py"]
"""Programs that tests run in environments of their own."""

PASSWORD = "correct-horse-1"
CATEGORIES = {"g": "biolink:Gene", "d": "biolink:Disease", "c": "biolink:ChemicalEntity"}
IDS = {"g": "NCBIGene:{}", "d": "MESH:D{}", "c": "MESH:C{}"}
RELATIONS = {"dg": "DISEASE-GENE", "gg": "GENE-GENE", "cg": "CHEMICAL-GENE", "cd": "CHEMICAL-DISEASE"}


def curie(name: str) -> str:
    """`g1` is NCBIGene:1, `d1` MESH:D1, `c1` MESH:C1."""
    return IDS[name[0]].format(name[1:])


def entities(*names: str, simulated: bool = False) -> pa.RecordBatch:
    """Entities by their short names."""
    rows = [
        {
            "id": curie(name),
            "name": f"name of {name}",
            "category": CATEGORIES[name[0]],
            "synonyms": [f"{name}'s alias", 'a "quoted" one'] if name.endswith("1") else [],
            "n_documents": int(name[1:]),
            "document_share": int(name[1:]) / 4,
            "depth": 3 if name[0] == "d" else None,
            "simulated": simulated,
        }
        for name in names
    ]
    return pa.RecordBatch.from_pylist(rows, schema=ENTITY_SCHEMA)


def known(*pairs: str, simulated: bool = False) -> pa.RecordBatch:
    """Known relations, `d1-g1`."""
    rows = [
        {
            "subject": curie(a),
            "object": curie(b),
            "relation": RELATIONS[a[0] + b[0]],
            "predicate": "associated|causes",
            "primary_knowledge_source": "curators",
            "publications": ["PMID:1", "PMID:22"],
            "simulated": simulated,
        }
        for a, b in (pair.split("-") for pair in pairs)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=KNOWN_SCHEMA)


def comentions(*pairs: str) -> pa.RecordBatch:
    """Co-mentioned pairs; every second one lacks a first year."""
    rows = [
        {
            "subject": curie(a),
            "object": curie(b),
            "n_documents": 2,
            "n_sentences": 3,
            "npmi": 0.25,
            "first_year": 1999 if place % 2 == 0 else None,
            "simulated": False,
        }
        for place, (a, b) in enumerate(pair.split("-") for pair in pairs)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=COMENTION_SCHEMA)


def predictions(*, no_news: dict[str, str] | None = None, **scores: float) -> pa.RecordBatch:
    """Predictions, `d1_g1=0.9`; every second one is known, seen and has evidence, and lacks an uncertainty.

    `no_news` says of a pair which of the columns `near_known` and `general` is true of it.
    """
    rows = []
    for place, (pair, score) in enumerate(scores.items()):
        a, b = pair.split("_")
        row: dict[str, Any] = {"subject": curie(a), "object": curie(b), "relation": RELATIONS[a[0] + b[0]]}
        odd = place % 2 == 1
        row |= {"score": score, "raw_score": score / 2, "uncertainty": None if odd else 0.125, "rank": place + 1}
        row |= {"seen": odd, "known": odd, "training_prevalence": 0.25}
        reason = (no_news or {}).get(pair)
        row |= {name: reason == name for name in ("near_known", "general")} if reason else {}
        row |= {"evidence_ids": ["PMID:7#2", "PMID:8#0"] if odd else [], "n_evidence": 2 if odd else 0}
        rows.append(row)
    return pa.RecordBatch.from_pylist(rows, schema=PREDICTION_BATCH_SCHEMA)


def prediction_run(run_id: str, **changes: Any) -> PredictionRun:
    """A run with settings of its own."""
    values: dict[str, Any] = {
        "run_id": run_id,
        "model_id": "model-1",
        "model_version": "0.1.0",
        "corpus_hash": "abc",
        "created_at": f"2026-01-0{run_id[-1]}T00:00:00Z",
        "settings": {"top": 5, "types": ["GENE"]},
    }
    return PredictionRun(**(values | changes))


def fill(store: GraphStore) -> GraphStore:
    """A graph of eight entities, four known relations, three co-mentions and two runs."""
    base = BaseGraph(
        entities=[entities("g1", "g2", "g3"), entities("d1", "d2", "c1", "c2", "c3")],
        known=[known("d1-g1", "g1-g2", "c1-g2", "c1-d1")],
        comentions=[comentions("d1-g1", "g1-g3", "c2-g1")],
        corpus_hash="abc",
    )
    store.write_base(base)
    first = [predictions(d1_g1=0.875, d1_g2=0.75, d2_g1=0.5), predictions(c1_g1=0.625, c2_d1=0.25)]
    write_predictions(store, prediction_run("run-1"), first)
    write_predictions(store, prediction_run("run-2", calibrated=True), [predictions(d1_g1=0.125, c3_g3=0.9375)])
    return store


@dataclass(frozen=True)
class World:
    """The makers above, for tests that build graphs of their own."""

    curie: Callable[[str], str] = curie
    entities: Callable[..., pa.RecordBatch] = entities
    known: Callable[..., pa.RecordBatch] = known
    comentions: Callable[..., pa.RecordBatch] = comentions
    predictions: Callable[..., pa.RecordBatch] = predictions
    run: Callable[..., PredictionRun] = prediction_run
    fill: Callable[[GraphStore], GraphStore] = fill


@pytest.fixture
def world() -> World:
    """Makers of small graphs."""
    return World()


@pytest.fixture
def own_graph(tmp_path: Path) -> Workspace:
    """A workspace whose graph is that of `fill`."""
    workspace = Workspace.create(tmp_path / "workspace")
    with EmbeddedStore(workspace.graph_dir) as store:
        fill(store)
    return workspace


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tied_process(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
    """A process that ends with this one, however this one ends (on Linux)."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None

    def tie() -> None:
        if library is not None:
            library.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG

    return subprocess.Popen(command, preexec_fn=tie, **options)  # noqa: PLW1509  it calls one function of libc


class Server:
    """A Neo4j server of our own, which a test may kill and start again; `set` are settings, `scheme` of its address."""

    def __init__(self, script: str, home: Path, scheme: str = "bolt", set: tuple[str, ...] = ()) -> None:
        self._script = script
        self._extra = [word for setting in set for word in ("--set", setting)]
        self._scheme = scheme
        self.home = home
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Neo4jSettings:
        return Neo4jSettings(uri=self.uri, password=PASSWORD, retry_seconds=5)

    def start(self) -> None:
        environment = {"NEO4J_HEAP": "512m", "NEO4J_PAGECACHE": "128m", **os.environ}
        command = [self._script, "serve", str(self.home), "--port", str(self.port), "--password", PASSWORD]
        log = (self.home.parent / f"{self.home.name}.log").open("ab")
        with log:
            self._process = tied_process([*command, *self._extra], stdout=log, stderr=log, env=environment)
        for _ in range(480):
            try:
                with neo4j.GraphDatabase.driver(self.uri, auth=("neo4j", PASSWORD)) as driver:
                    driver.verify_connectivity()
            except neo4j.exceptions.DriverError:
                assert self._process.poll() is None, f"the server ended: {log.name}"
                time.sleep(0.25)
            else:
                return
        raise AssertionError(f"the server did not start: {log.name}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=60)


@pytest.fixture(scope="session")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Server]:
    """Makes servers that are not started yet; skips where there is no script."""

    def make(scheme: str = "bolt", set: tuple[str, ...] = ()) -> Server:
        script = os.environ.get("RELVM_KG_NEO4J_SERVER")
        if script is None:
            pytest.skip("RELVM_KG_NEO4J_SERVER names no script that starts a Neo4j server")
        home = tmp_path_factory.mktemp("neo4j") / "home"
        home.mkdir()
        return Server(script, home, scheme, set)

    return make


SERVERS = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what answered as Neo4j."""
    if SERVERS in config.stash:
        terminalreporter.write_line(f"tests marked neo4j ran on {config.stash[SERVERS]}")


@pytest.fixture(scope="session")
def neo4j_settings(new_server: Callable[..., Server], pytestconfig: pytest.Config) -> Iterator[Neo4jSettings]:
    """A running server, for the session."""
    if "RELVM_KG_NEO4J_SERVER" in os.environ:
        pytestconfig.stash[SERVERS] = "the Neo4j of RELVM_KG_NEO4J_SERVER"
        server = new_server()
        server.start()
        yield server.settings
        server.end()
    elif "RELVM_KG_NEO4J_URI" in os.environ:
        pytestconfig.stash[SERVERS] = "the server at RELVM_KG_NEO4J_URI"
        yield Neo4jSettings.from_environment()
    else:
        pytest.skip("neither RELVM_KG_NEO4J_SERVER nor RELVM_KG_NEO4J_URI names a Neo4j server")


def driver_of(settings: Neo4jSettings) -> neo4j.Driver:
    """The bare driver, to look behind the store's back."""
    auth = None if settings.password is None else (settings.user, settings.password)
    return neo4j.GraphDatabase.driver(settings.uri, auth=auth)


@pytest.fixture
def bare_driver(neo4j_settings: Neo4jSettings) -> Iterator[neo4j.Driver]:
    """The bare driver on the session's server."""
    with driver_of(neo4j_settings) as driver:
        yield driver


@pytest.fixture
def neo4j_store(neo4j_settings: Neo4jSettings) -> Iterator[Neo4jStore]:
    """The Neo4j store over an empty database."""
    with driver_of(neo4j_settings) as driver, driver.session(database=neo4j_settings.database) as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 1000 ROWS").consume()
    with Neo4jStore(neo4j_settings) as store:
        yield store


@pytest.fixture
def embedded_store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """The embedded store over an empty folder."""
    with EmbeddedStore(tmp_path / "graph") as store:
        yield store


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store(request: pytest.FixtureRequest) -> GraphStore:
    """Each store in turn, empty."""
    chosen: GraphStore = request.getfixturevalue(f"{request.param}_store")
    return chosen


@pytest.fixture
def filled(store: GraphStore) -> GraphStore:
    """Each store in turn, with the graph of `fill`."""
    return fill(store)


@pytest.fixture
def both_filled(embedded_store: EmbeddedStore, neo4j_store: Neo4jStore) -> tuple[GraphStore, GraphStore]:
    """Both stores with the same graph."""
    return fill(embedded_store), fill(neo4j_store)
