"""What can go wrong with a server: each a clear error, nothing half-written that looks whole, and work goes on."""

import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import neo4j
import pyarrow as pa
import pytest

from relvm_kg.errors import InvalidInputError, StoreError
from relvm_kg_graph import neo4j_statements
from relvm_kg_graph.bolt import Neo4jSettings
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.neo4j_store import Neo4jStore
from relvm_kg_graph.schema import PREDICTION_BATCH_SCHEMA, EdgeType
from relvm_kg_graph.store import BaseGraph

pytestmark = pytest.mark.neo4j


def test_a_server_that_is_away_is_named_with_what_to_do() -> None:
    with pytest.raises(StoreError, match=r"no Neo4j server answers at bolt://127\.0\.0\.1:1 .*RELVM_KG_NEO4J_URI"):
        Neo4jStore(Neo4jSettings(uri="bolt://127.0.0.1:1", retry_seconds=1))


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:7474", "localhost:7687", "bolt://", "bolt://localhost:seven", "bolt://localhost:99999"]
)
def test_what_is_no_address_of_a_server_is_an_error(uri: str) -> None:
    with pytest.raises(InvalidInputError, match=f"must be bolt://HOST:PORT.*, was: '{uri}'"):
        Neo4jStore(Neo4jSettings(uri=uri))


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidInputError, match="must hold no user or password") as error:
        Neo4jStore(Neo4jSettings(uri="bolt://neo4j:hunter2@127.0.0.1:7687"))
    assert "hunter2" not in str(error.value)


def test_a_wrong_password_is_an_error_that_does_not_repeat_it(neo4j_settings: Neo4jSettings) -> None:
    if neo4j_settings.password is None:
        pytest.skip("this server asks for no password")
    with pytest.raises(StoreError, match="refuses the user 'neo4j'; check RELVM_KG_NEO4J_USER") as error:
        Neo4jStore(replace(neo4j_settings, password="not-the-password"))
    assert "not-the-password" not in str(error.value)


def test_a_database_that_is_not_there_is_named(neo4j_settings: Neo4jSettings) -> None:
    with pytest.raises(StoreError, match="no database 'nowhere'; correct RELVM_KG_NEO4J_DATABASE"):
        Neo4jStore(replace(neo4j_settings, database="nowhere"))


def test_settings_come_from_the_environment_and_hide_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URI", "USER", "PASSWORD", "DATABASE"):
        monkeypatch.delenv(f"RELVM_KG_NEO4J_{name}", raising=False)
    with pytest.raises(InvalidInputError, match="RELVM_KG_NEO4J_URI"):
        Neo4jSettings.from_environment()
    monkeypatch.setenv("RELVM_KG_NEO4J_URI", "neo4j+s://graph.example.org")
    monkeypatch.setenv("RELVM_KG_NEO4J_PASSWORD", "hunter2")
    monkeypatch.setenv("RELVM_KG_NEO4J_DATABASE", "links")
    settings = Neo4jSettings.from_environment()
    assert (settings.uri, settings.user, settings.password, settings.database) == (
        "neo4j+s://graph.example.org",
        "neo4j",
        "hunter2",
        "links",
    )
    assert "hunter2" not in repr(settings)
    assert Neo4jSettings.from_environment("bolt://other").uri == "bolt://other"


def test_a_database_of_another_schema_version_is_refused(
    neo4j_store: Neo4jStore, neo4j_settings: Neo4jSettings, bare_driver: neo4j.Driver, world: Any
) -> None:
    world.fill(neo4j_store)
    bare_driver.execute_query("MATCH (s:GraphSchema) SET s.version = 99", database_=neo4j_settings.database)
    with pytest.raises(StoreError, match="must hold schema version 1, holds 99"):
        Neo4jStore(neo4j_settings)


def test_data_of_others_that_clashes_is_an_error(
    neo4j_store: Neo4jStore, neo4j_settings: Neo4jSettings, bare_driver: neo4j.Driver, world: Any
) -> None:
    database = neo4j_settings.database
    bare_driver.execute_query("DROP CONSTRAINT relvm_kg_entity IF EXISTS", database_=database)
    bare_driver.execute_query("CREATE (:Entity {id: 'x'}), (:Entity {id: 'x'})", database_=database)
    with pytest.raises(StoreError, match="holds other data that clashes, use an empty one"):
        world.fill(neo4j_store)


def test_a_base_that_is_half_written_is_told_and_takes_no_predictions(
    neo4j_store: Neo4jStore, neo4j_settings: Neo4jSettings, world: Any
) -> None:
    def broken() -> Any:
        yield world.known("d1-g1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        neo4j_store.write_base(BaseGraph(entities=[world.entities("d1", "g1")], known=broken()))
    with Neo4jStore(neo4j_settings) as opened:
        answer = opened.query(Statement("MATCH ()-[r]->() RETURN count(r) AS n"))
        assert answer.warnings == ("entities, known relations and co-mentions are not whole: push the graph again",)
        with pytest.raises(StoreError, match="push the graph first"):
            opened.prediction_writer(world.run("run-1"))
        counts = opened.write_base(BaseGraph(entities=[world.entities("d1", "g1")], known=[world.known("d1-g1")]))
        assert (counts.entities, counts.known) == (2, 1)
        assert opened.query(Statement("RETURN 1 AS x")).warnings == ()


def test_a_run_that_is_half_written_is_told(neo4j_store: Neo4jStore, neo4j_settings: Neo4jSettings, world: Any) -> None:
    world.fill(neo4j_store).prediction_writer(world.run("run-3")).write_part(0, world.predictions(d2_g2=0.5))
    with Neo4jStore(neo4j_settings) as opened:
        warnings = opened.query(Statement("RETURN 1 AS x")).warnings
    assert warnings == ("prediction run 'run-3' is not whole: push it again or roll it back",)


def test_edges_between_entities_that_the_database_lacks_are_an_error(neo4j_store: Neo4jStore, world: Any) -> None:
    writer = world.fill(neo4j_store).prediction_writer(world.run("run-3"))
    with pytest.raises(StoreError, match=r"1 of 2 edges .* name entities that the database lacks"):
        writer.write_part(0, world.predictions(d2_g2=0.5, d2_g9=0.5))


def test_a_part_that_was_interrupted_is_written_over_without_doubles(
    neo4j_store: Neo4jStore, monkeypatch: pytest.MonkeyPatch, world: Any
) -> None:
    monkeypatch.setattr("relvm_kg_graph.neo4j_store.ROWS_PER_TRANSACTION", 2)
    world.fill(neo4j_store)
    part = world.predictions(d2_g1=0.5, d2_g2=0.75, d2_g3=0.25, c3_d2=0.125, d1_g3=0.5)
    writer = neo4j_store.prediction_writer(world.run("run-3"))
    monkeypatch.setattr(neo4j_statements, "CLOSE_PART", "THIS IS NOT CYPHER")
    with pytest.raises(StoreError):
        writer.write_part(0, part)
    monkeypatch.undo()
    again = neo4j_store.prediction_writer(world.run("run-3"))
    assert again.finished_parts() == frozenset()
    again.write_part(0, part)
    assert again.finish(1).n_predictions == 5
    found = neo4j_store.query(Statement("MATCH ()-[r:PREDICTED {run_id: 'run-3'}]->() RETURN count(r), sum(r.score)"))
    assert found.rows == [(5, 2.125)]


def test_the_engines_own_reading_mode_is_a_second_wall(neo4j_settings: Neo4jSettings, neo4j_store: Neo4jStore) -> None:
    with pytest.raises(StoreError, match="cannot be run"):
        neo4j_store._bolt.query(Statement("CREATE (n:Evil)"), None, 5.0)
    assert neo4j_store.query(Statement("MATCH (n:Evil) RETURN count(n) AS n")).rows == [(0,)]


def many_predictions(n: int, first: int) -> pa.RecordBatch:
    """`n` predictions of one gene with diseases numbered from `first`."""
    rows: list[dict[str, Any]] = [
        {
            "subject": f"MESH:D{first + i}",
            "object": "NCBIGene:1",
            "relation": "DISEASE-GENE",
            "score": (i % 100) / 100,
            "raw_score": None,
            "uncertainty": None,
            "rank": None,
            "seen": False,
            "known": False,
            "training_prevalence": None,
            "evidence_ids": [],
            "n_evidence": 0,
        }
        for i in range(n)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=PREDICTION_BATCH_SCHEMA)


@pytest.mark.slow
def test_a_server_killed_in_the_middle_of_a_push_and_started_again_ends_with_exact_counts(
    new_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, world: Any
) -> None:
    monkeypatch.setattr("relvm_kg_graph.neo4j_store.ROWS_PER_TRANSACTION", 500)
    server = new_server()
    server.start()
    parts = [many_predictions(1_000, first) for first in range(0, 4_000, 1_000)]
    names = [f"d{i}" for i in range(4_000)]
    try:
        with Neo4jStore(replace(server.settings, retry_seconds=0.5)) as store:
            store.write_base(BaseGraph(entities=[world.entities("g1", *names)]))
            writer = store.prediction_writer(world.run("run-1"))
            writer.write_part(0, parts[0])
            calls = []

            def kill_after_one_transaction(*statements: Any) -> Any:
                calls.append(statements)
                if len(calls) == 3:  # the part is opened and half of its rows are in
                    server.end(signal.SIGKILL)
                return write(*statements)

            write = store._bolt.write
            monkeypatch.setattr(store._bolt, "write", kill_after_one_transaction)
            with pytest.raises(StoreError, match="no Neo4j server answers"):
                writer.write_part(1, parts[1])
        server.start()
        with Neo4jStore(server.settings) as store:
            assert [(s.run.run_id, s.complete) for s in store.runs()] == [("run-1", False)]
            assert store.counts().predictions == 0
            writer = store.prediction_writer(world.run("run-1"))
            assert writer.finished_parts() == {0}
            for place, part in enumerate(parts):
                writer.write_part(place, part)
            assert writer.finish(4).n_predictions == 4_000
            assert store.counts().predictions == 4_000
            read = [b.num_rows for b in store.read_edges(EdgeType.PREDICTED)]
            assert sum(read) == 4_000
    finally:
        server.end()
