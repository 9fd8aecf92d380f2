"""What is special to the embedded store: files that are whole or not there, and a cache that can be made again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relvm_kg.errors import StoreError
from relvm_kg.workspace import read_json, write_json
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import PREDICTED_SCHEMA, EdgeType
from relvm_kg_graph.store import BaseGraph, GraphCounts, Selection, write_predictions

COUNT = Statement("MATCH ()-[r:PREDICTED]->() RETURN count(r) AS n")


def cache_files(store_folder: Path) -> list[str]:
    return sorted(p.name for p in (store_folder / "cache").glob("*"))


def test_there_is_no_graph_before_one_is_written(embedded_store: EmbeddedStore) -> None:
    for call in (
        embedded_store.counts,
        lambda: embedded_store.query(COUNT),
        lambda: list(embedded_store.read_entities()),
    ):
        with pytest.raises(StoreError, match="holds no whole graph; run: relvm-kg build"):
            call()


def test_a_graph_of_another_schema_version_is_refused(
    embedded_store: EmbeddedStore, tmp_path: Path, world: Any
) -> None:
    world.fill(embedded_store)
    manifest = read_json(tmp_path / "graph/graph.json")
    write_json(tmp_path / "graph/graph.json", {**manifest, "schema_version": 99})
    with pytest.raises(StoreError, match="must have schema_version 1, was: 99; build the graph again"):
        embedded_store.counts()


def test_a_base_whose_writing_broke_leaves_the_one_before(embedded_store: EmbeddedStore, world: Any) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield world.known("d2-g2")
        raise KeyboardInterrupt

    world.fill(embedded_store)
    with pytest.raises(KeyboardInterrupt):
        embedded_store.write_base(BaseGraph(entities=[world.entities("g2", "d2")], known=broken()))
    assert embedded_store.counts() == GraphCounts(8, 4, 3, 7, 2)
    assert embedded_store.query(COUNT).rows == [(7,)]
    embedded_store.write_base(BaseGraph(entities=[world.entities("g2", "d2")], known=[world.known("d2-g2")]))
    assert embedded_store.counts()[:3] == (2, 1, 0)


def test_a_part_whose_writing_broke_is_not_there(embedded_store: EmbeddedStore, tmp_path: Path, world: Any) -> None:
    world.fill(embedded_store)
    writer = embedded_store.prediction_writer(world.run("run-3"))
    good, bad = world.predictions(d2_g2=0.5), world.known("d2-g2")
    with pytest.raises(Exception, match="must have the columns"):
        writer.write_part(0, pa.Table.from_batches([good]).append_column("extra", pa.array([1])))
    with pytest.raises(Exception, match="must have the columns"):
        writer.write_part(0, bad)
    assert writer.finished_parts() == frozenset()
    assert [p.name for p in (tmp_path / "graph/predictions/run-3").iterdir()] == ["run.json"]


def test_a_part_may_be_a_table_of_many_batches(embedded_store: EmbeddedStore, world: Any) -> None:
    world.fill(embedded_store)
    batches = [world.predictions(d2_g2=0.5), world.predictions(d2_g3=0.5, c3_g1=0.25)]
    writer = embedded_store.prediction_writer(world.run("run-3"))
    writer.write_part(0, pa.Table.from_batches(batches))
    assert writer.finish(1).n_predictions == 3


def test_the_files_are_those_of_the_schema(embedded_store: EmbeddedStore, tmp_path: Path, world: Any) -> None:
    world.fill(embedded_store)
    folder = tmp_path / "graph"
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert names == [
        "comentions.parquet",
        "graph.json",
        "known.parquet",
        "nodes.parquet",
        "predictions/run-1/part-00000.parquet",
        "predictions/run-1/part-00001.parquet",
        "predictions/run-1/run.json",
        "predictions/run-2/part-00000.parquet",
        "predictions/run-2/run.json",
    ]
    assert pq.read_schema(folder / "predictions/run-1/part-00000.parquet").equals(PREDICTED_SCHEMA)


def test_the_cache_is_made_once_and_again_after_each_change(
    embedded_store: EmbeddedStore, tmp_path: Path, world: Any
) -> None:
    world.fill(embedded_store)
    assert embedded_store.query(COUNT).rows == [(7,)]
    first = cache_files(tmp_path / "graph")
    assert EmbeddedStore(tmp_path / "graph").query(COUNT).rows == [(7,)]
    assert cache_files(tmp_path / "graph") == first
    write_predictions(EmbeddedStore(tmp_path / "graph"), world.run("run-3"), [world.predictions(d2_g2=0.5)])
    assert embedded_store.query(COUNT).rows == [(8,)]
    second = cache_files(tmp_path / "graph")
    assert len(second) == 1
    assert second != first


def test_making_the_cache_of_a_large_graph_says_nothing(
    embedded_store: EmbeddedStore, recwarn: pytest.WarningsRecorder, world: Any
) -> None:
    names = [f"g{i}" for i in range(70_000)]
    embedded_store.write_base(BaseGraph(entities=[world.entities(*names)]))
    assert embedded_store.query(Statement("MATCH (n:Gene) RETURN count(n) AS n")).rows == [(70_000,)]
    assert [str(warning.message) for warning in recwarn] == []


def test_an_unfinished_run_does_not_touch_the_cache(embedded_store: EmbeddedStore, tmp_path: Path, world: Any) -> None:
    world.fill(embedded_store)
    embedded_store.query(COUNT)
    before = cache_files(tmp_path / "graph")
    embedded_store.prediction_writer(world.run("run-3")).write_part(0, world.predictions(d2_g2=0.5))
    assert embedded_store.query(COUNT).rows == [(7,)]
    assert cache_files(tmp_path / "graph") == before


def test_a_damaged_cache_is_made_again(embedded_store: EmbeddedStore, tmp_path: Path, world: Any) -> None:
    world.fill(embedded_store)
    embedded_store.query(COUNT)
    [name] = cache_files(tmp_path / "graph")
    (tmp_path / "graph/cache" / name).write_bytes(b"not an engine's file")
    assert EmbeddedStore(tmp_path / "graph").query(COUNT).rows == [(7,)]


def test_a_folder_that_cannot_be_written_still_answers(
    embedded_store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, world: Any
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    world.fill(embedded_store)
    monkeypatch.setattr("relvm_kg_graph.embedded.atomic_path", refuse)
    assert embedded_store.query(COUNT).rows == [(7,)]


def test_predictions_of_entities_that_are_gone_are_kept_and_not_queried(
    embedded_store: EmbeddedStore, world: Any
) -> None:
    world.fill(embedded_store)
    embedded_store.write_base(BaseGraph(entities=[world.entities("d1", "g1")]))
    assert embedded_store.query(COUNT).rows == [(2,)]
    assert sum(batch.num_rows for batch in embedded_store.read_edges(EdgeType.PREDICTED)) == 7


def test_what_an_interrupted_rollback_left_is_removed_by_the_next(
    embedded_store: EmbeddedStore, tmp_path: Path, world: Any
) -> None:
    world.fill(embedded_store)
    folder = tmp_path / "graph/predictions"
    (folder / "run-1").rename(folder / ".run-1.part")
    assert [s.run.run_id for s in embedded_store.runs()] == ["run-2"]
    embedded_store.rollback("run-2")
    assert list(folder.iterdir()) == []


KILLED = """
import sys
from pathlib import Path
import pyarrow as pa
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import PREDICTION_BATCH_SCHEMA, PredictionRun

run = PredictionRun(run_id="run-3", model_id="m", model_version="1", corpus_hash="c")
row = dict(subject="MESH:D2", relation="DISEASE-GENE", score=0.5, seen=False, known=False, n_evidence=0)
missing = dict(evidence_ids=[]) | dict(raw_score=None, uncertainty=None, rank=None, training_prevalence=None)
writer = EmbeddedStore(Path(sys.argv[1])).prediction_writer(run)
print(len(writer.finished_parts()), flush=True)
for part in range(3):
    row["object"] = f"NCBIGene:{part + 1}"
    writer.write_part(part, pa.RecordBatch.from_pylist([{**row, **missing}], schema=PREDICTION_BATCH_SCHEMA))
    print("written", flush=True)
    if len(sys.argv) > 2 and part == 1:
        sys.stdin.readline()
print(writer.finish(3).n_predictions, flush=True)
"""


def test_a_killed_run_goes_on_where_it_stopped(embedded_store: EmbeddedStore, tmp_path: Path, world: Any) -> None:
    world.fill(embedded_store)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "graph")]
    with subprocess.Popen([*command, "stop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)] == [b"0\n", b"written\n", b"written\n"]
        os.kill(process.pid, signal.SIGKILL)
    assert embedded_store.counts().predictions == 7
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "written", "written", "written", "3"]
    assert embedded_store.counts().predictions == 10
    assert embedded_store.query(COUNT).rows == [(10,)]


def test_the_graph_layer_is_used_without_torch_or_the_neo4j_driver() -> None:
    code = (
        "import sys, relvm_kg_graph.build, relvm_kg_graph.export; print(sorted({'torch', 'neo4j'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_cut_answer_has_no_warning_of_the_engine(embedded_store: EmbeddedStore, world: Any) -> None:
    embedded_store.write_base(BaseGraph(entities=[world.entities("d1", "d2", "g1", "g2")]))
    result = embedded_store.query(Statement("MATCH (n:Entity) RETURN n.id"), limit=1)
    assert (len(result.rows), result.truncated, result.warnings) == (1, True, ())


def test_a_missing_parameter_is_told_with_the_option_that_gives_it(embedded_store: EmbeddedStore, world: Any) -> None:
    embedded_store.write_base(BaseGraph(entities=[world.entities("d1", "d2", "g1", "g2")]))
    with pytest.raises(StoreError, match=r"parameter \$wanted; give it with --param wanted=VALUE$"):
        embedded_store.query(Statement("MATCH (n:Entity {id: $wanted}) RETURN n.id"))


def test_what_an_earlier_version_wrote_reads_with_nulls_in_the_columns_that_came_later(
    embedded_store: EmbeddedStore, tmp_path: Path, world: Any
) -> None:
    world.fill(embedded_store)
    later = {"nodes.parquet": ["document_share", "depth"], "predictions/*/part-*.parquet": ["near_known", "general"]}
    for pattern, names in later.items():
        for file in (tmp_path / "graph").glob(pattern):
            pq.write_table(pq.read_table(file).drop_columns(names), file)
    (entities,) = embedded_store.read_entities()
    assert entities["depth"].null_count == entities.num_rows == 8
    edges = pa.Table.from_batches(embedded_store.read_edges(EdgeType.PREDICTED), PREDICTED_SCHEMA)
    assert edges["near_known"].null_count == edges.num_rows == 7
    novel = Selection(edge_types=(EdgeType.PREDICTED,), novel_only=True)
    assert sum(batch.num_rows for batch in embedded_store.read_edges(EdgeType.PREDICTED, novel)) == 4
    assert embedded_store.query(COUNT).rows == [(7,)]
