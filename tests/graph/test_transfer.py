"""Copies between stores, and the commands that make them on a real server."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from relvm_kg.errors import StoreError
from relvm_kg.pipeline.graph import graph_status
from relvm_kg.workspace import Workspace
from relvm_kg_cli.main import main
from relvm_kg_graph.bolt import Neo4jSettings
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.neo4j_store import Neo4jStore
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import GraphStore, write_predictions
from relvm_kg_graph.transfer import Origin, copy_base, copy_runs

Rows = dict[str, list[dict[str, Any]]]


def content(store: GraphStore) -> Rows:
    """Everything in a store, in an order of its own."""
    tables: Rows = {"entities": [row for batch in store.read_entities() for row in batch.to_pylist()]}
    for edge_type in EdgeType:
        tables[edge_type.value] = [row for batch in store.read_edges(edge_type) for row in batch.to_pylist()]
    return {name: sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)) for name, rows in tables.items()}


def test_a_copy_holds_the_same_rows_and_runs(store: GraphStore, world: Any, tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "source") as source:
        world.fill(source)
        copy_base(source, store, Origin("abc", False))
        assert copy_runs(source, store) == (["run-1", "run-2"], [])
        assert content(store) == content(source)
        assert store.runs() == source.runs()
        assert store.counts() == source.counts()
        assert copy_runs(source, store) == ([], ["run-1", "run-2"])


def test_a_copy_goes_round_and_comes_back_the_same(filled: GraphStore, tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "back") as back:
        copy_base(filled, back, Origin("abc", False))
        copy_runs(filled, back)
        assert content(back) == content(filled)


def test_only_the_runs_that_are_named_and_whole_are_copied(
    embedded_store: EmbeddedStore, world: Any, tmp_path: Path
) -> None:
    world.fill(embedded_store)
    embedded_store.prediction_writer(world.run("run-3")).write_part(0, world.predictions(d1_g1=0.5))
    with EmbeddedStore(tmp_path / "target") as target:
        copy_base(embedded_store, target, Origin("abc", False))
        assert copy_runs(embedded_store, target, ["run-2"]) == (["run-2"], [])
        assert [stored.run.run_id for stored in target.runs()] == ["run-2"]
        with pytest.raises(
            StoreError, match="there is no whole prediction run 'run-3' to copy; there are: run-1, run-2"
        ):
            copy_runs(embedded_store, target, ["run-3"])


def test_an_interrupted_copy_goes_on(embedded_store: EmbeddedStore, world: Any, tmp_path: Path) -> None:
    world.fill(embedded_store)
    with EmbeddedStore(tmp_path / "target") as target:
        copy_base(embedded_store, target, Origin("abc", False))
        (run,) = [stored.run for stored in embedded_store.runs() if stored.run.run_id == "run-1"]
        target.prediction_writer(run)
        copy_runs(embedded_store, target)
        assert content(target) == content(embedded_store)


Program = Callable[..., Any]


@pytest.fixture
def program(neo4j_settings: Neo4jSettings, monkeypatch: pytest.MonkeyPatch) -> Program:
    """`relvm-kg ... --json` with the session's server in the environment."""
    monkeypatch.setenv("RELVM_KG_NEO4J_URI", neo4j_settings.uri)
    monkeypatch.setenv("RELVM_KG_NEO4J_USER", neo4j_settings.user)
    monkeypatch.setenv("RELVM_KG_NEO4J_PASSWORD", neo4j_settings.password or "")
    monkeypatch.setenv("RELVM_KG_NEO4J_DATABASE", neo4j_settings.database)

    def run(*words: object) -> Any:
        result = CliRunner(catch_exceptions=False).invoke(main, [*map(str, words), "--json"])
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture
def own_graph(tmp_path: Path, world: Any) -> Workspace:
    """A workspace whose graph is that of `fill`."""
    workspace = Workspace.create(tmp_path / "workspace")
    with EmbeddedStore(workspace.graph_dir) as store:
        world.fill(store)
    return workspace


@pytest.mark.neo4j
@pytest.mark.usefixtures("neo4j_store")
def test_push_and_pull_carry_a_graph_from_workspace_to_workspace(
    program: Program, own_graph: Workspace, tmp_path: Path
) -> None:
    pushed = program("graph", "push", "--workspace", own_graph.path)
    assert set(pushed) == {"base", "runs", "runs_before", "entities", "known", "comentions", "predictions"}
    assert (pushed["base"], pushed["runs"], pushed["predictions"]) == (True, ["run-1", "run-2"], 7)
    assert program("graph", "push", "--workspace", own_graph.path)["runs_before"] == ["run-1", "run-2"]
    there = program("graph", "status", "--neo4j")
    here = program("graph", "status", "--workspace", own_graph.path)
    assert {**there, "store": None} == {**here, "store": None}
    assert (there["store"], there["corpus_hash"]) == ("neo4j", "abc")
    other = Workspace.create(tmp_path / "other")
    pulled = program("graph", "pull", "--workspace", other.path)
    assert (pulled["base"], pulled["runs"]) == (True, ["run-1", "run-2"])
    with EmbeddedStore(own_graph.graph_dir) as ours, EmbeddedStore(other.graph_dir) as theirs:
        assert content(ours) == content(theirs)
    assert graph_status(other).corpus_hash == "abc"


@pytest.mark.neo4j
def test_a_run_that_somebody_else_pushed_is_pulled_alone(
    program: Program, own_graph: Workspace, neo4j_store: Neo4jStore, world: Any
) -> None:
    program("graph", "push", "--workspace", own_graph.path)
    write_predictions(neo4j_store, world.run("run-9"), [world.predictions(d1_g1=0.5, d2_g2=0.25)])
    half = world.run("run-9")
    with EmbeddedStore(own_graph.graph_dir) as store:
        store.prediction_writer(half).write_part(0, world.predictions(c1_g1=0.125))
    pulled = program("graph", "pull", "--workspace", own_graph.path)
    assert (pulled["base"], pulled["runs"], pulled["runs_before"]) == (False, ["run-9"], ["run-1", "run-2"])
    with EmbeddedStore(own_graph.graph_dir) as store:
        assert content(store) == content(neo4j_store)


@pytest.mark.neo4j
@pytest.mark.usefixtures("neo4j_store")
def test_queries_and_rollbacks_reach_the_server(program: Program, own_graph: Workspace) -> None:
    program("graph", "push", "--run", "run-1", "--workspace", own_graph.path)
    answer = program("query", "--neo4j", "MATCH ()-[p:PREDICTED]->() RETURN count(p) AS n")
    assert answer["rows"] == [{"n": 5}]
    assert (answer["store"], answer["simulated"]) == ("neo4j", False)
    assert program("graph", "rollback", "run-1", "--neo4j") == {"run_id": "run-1", "removed": 5}
    assert program("graph", "status", "--neo4j")["runs"] == []


def test_without_an_address_the_server_is_asked_for_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RELVM_KG_NEO4J_U")]:
        monkeypatch.delenv(name)
    result = CliRunner().invoke(main, ["graph", "status", "--neo4j"])
    assert result.exit_code == 1
    assert "must be given (--neo4j bolt://HOST:7687), or set in RELVM_KG_NEO4J_URI" in result.stderr


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVM_KG_NEO4J_URI", "bolt://127.0.0.1:9")
    result = CliRunner().invoke(main, ["query", "RETURN 1", "--neo4j"])
    assert result.exit_code == 10
    assert "no Neo4j server answers at bolt://127.0.0.1:9" in result.stderr
