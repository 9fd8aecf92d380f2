"""query, export, graph and info on a workspace with predictions."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from relvm_kg_graph.embedded import EmbeddedStore

Relvm = Callable[..., Any]


def test_a_query_answers_as_table_csv_and_json_alike(predicted: Path, relvm: Relvm) -> None:
    statement = (
        "MATCH (d:Disease)-[p:PREDICTED]->(g:Gene) WHERE NOT (d)-[:ASSOCIATED]-(g) "
        "RETURN d.id AS disease, g.name AS gene, p.score AS score, p.known AS known "
        "ORDER BY score DESC, disease LIMIT 3"
    )
    call = ("query", statement, "--workspace", predicted)
    document = relvm(*call, "--json").json
    assert set(document) == {"columns", "rows", "truncated", "warnings", "store", "simulated"}
    assert document["columns"] == ["disease", "gene", "score", "known"]
    assert (document["store"], document["simulated"], document["truncated"]) == ("embedded", True, False)
    rows = list(csv.DictReader(io.StringIO(relvm(*call, "--csv").out)))
    assert [(r["disease"], r["gene"], r["known"]) for r in rows] == [
        (r["disease"], r["gene"], "false") for r in document["rows"]
    ]
    table = relvm(*call)
    header, *lines = table.out.splitlines()
    assert header.split() == document["columns"]
    assert [line.split()[0] for line in lines] == [r["disease"] for r in document["rows"]]
    assert "3 rows" in table.err
    assert "simulated" in table.err


@pytest.mark.parametrize(
    ("given", "value"), [("7", 7), ("true", True), ('"7"', "7"), ("NCBIGene:6506", "NCBIGene:6506"), ("[1, 2]", [1, 2])]
)
def test_a_parameter_is_json_where_it_can_be_and_else_text(
    given: str, value: object, predicted: Path, relvm: Relvm
) -> None:
    document = relvm("query", "RETURN $x AS x", "--param", f"x={given}", "--json", "--workspace", predicted).json
    assert document["rows"] == [{"x": value}]


def test_a_named_query_takes_parameters_and_a_limit(predicted: Path, relvm: Relvm) -> None:
    call = ("query", "--named", "top-predictions", "--param", "id=NCBIGene:6506", "--limit", "2", "--json")
    document = relvm(*call, "--workspace", predicted).json
    assert len(document["rows"]) == 2
    assert document["truncated"] is True
    missing = relvm("query", "--named", "top-predictions", "--workspace", predicted)
    assert missing.code == 1
    assert "top-predictions needs a value for: id" in missing.err


def test_a_query_may_come_from_a_file(predicted: Path, relvm: Relvm, tmp_path: Path) -> None:
    (tmp_path / "genes.cypher").write_text("MATCH (g:Gene)\nRETURN count(g) AS n;\n")
    document = relvm("query", "-f", tmp_path / "genes.cypher", "--json", "--workspace", predicted).json
    assert document["rows"] == [{"n": 32}]


def test_nodes_and_edges_are_written_in_the_signs_of_cypher(predicted: Path, relvm: Relvm) -> None:
    statement = "MATCH (g:Gene)-[p:PREDICTED]-(d:Disease) RETURN g, p, d LIMIT 1"
    line = relvm("query", statement, "--workspace", predicted).out.splitlines()[1]
    assert line.startswith("(:Gene NCBIGene:")
    assert "-[:PREDICTED 0." in line


def test_the_library_of_queries_is_listed_with_parameters(relvm: Relvm) -> None:
    assert "--param disease=(required), min_score=0.5, top=50" in relvm("query", "--list").out
    names = [query["name"] for query in relvm("query", "--list", "--json").json["queries"]]
    assert "novel-edges" in names


def test_an_export_prints_its_files_and_its_rate(predicted: Path, relvm: Relvm, tmp_path: Path) -> None:
    target = tmp_path / "export"
    call = ("export", target, "--edges", "predicted", "--novel", "--workspace", predicted)
    outcome = relvm(*call)
    assert outcome.code == 0
    assert all(Path(line).is_file() for line in outcome.out.splitlines())
    assert "rows a second" in outcome.err
    document = relvm(*call, "--json").json
    assert set(document) == {
        "folder",
        "format",
        "rows",
        "entities",
        "seconds",
        "rows_per_second",
        "values_changed",
        "files",
        "simulated",
    }
    tables = [pq.read_table(f) for f in document["files"] if "predicted" in Path(f).relative_to(target).parts[0]]
    assert sum(t.num_rows for t in tables) == document["rows"] > 0
    assert all(set(t["known"].to_pylist()) == {False} and set(t["simulated"].to_pylist()) == {True} for t in tables)
    manifest = json.loads((target / "manifest.json").read_text())
    assert manifest["simulated"] is True
    assert manifest["command"].startswith("relvm-kg ")


def test_an_export_never_replaces_other_files(predicted: Path, relvm: Relvm, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    outcome = relvm("export", tmp_path, "--format", "csv", "--workspace", predicted)
    assert outcome.code == 1
    assert "holds other files; name another" in outcome.err
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_status_and_rollback_know_the_prediction_runs(own: Path, relvm: Relvm) -> None:
    before = relvm("graph", "status", "--json", "--workspace", own).json
    assert set(before) == {
        "store",
        "entities",
        "known",
        "comentions",
        "predictions",
        "runs",
        "corpus_hash",
        "simulated",
    }
    (run,) = before["runs"]
    assert run["simulated"] is True
    assert run["calibrated"] is False
    assert before["predictions"] == run["predictions"] > 0
    removed = relvm("graph", "rollback", run["run_id"], "--json", "--workspace", own).json
    assert removed == {"run_id": run["run_id"], "removed": run["predictions"]}
    after = relvm("graph", "status", "--workspace", own)
    assert "predictions   0" in after.out
    assert "no prediction run yet" in after.err


def test_predicting_again_after_a_rollback_gives_the_same_run_and_a_finished_one_is_left_alone(
    own: Path, relvm: Relvm
) -> None:
    call = ("predict", "--min-documents", "1", "--top", "5", "--samples", "2", "--device", "cpu", "--json")
    again = relvm(*call, "--workspace", own).json
    counts = {"n_predictions", "n_scored", "n_without_text", "n_too_rare", "n_named", "n_parts", "n_parts_missing"}
    assert set(again) == {"prediction_run", "complete", *counts, "set_aside", "notes", "run"}
    assert again["complete"]
    assert again["n_parts_missing"] == 0
    assert again["n_scored"] == 0
    relvm("graph", "rollback", again["prediction_run"], "--workspace", own)
    anew = relvm(*call, "--workspace", own).json
    assert anew["prediction_run"] == again["prediction_run"]
    assert anew["n_predictions"] == again["n_predictions"]
    assert anew["n_scored"] > 0


def test_info_shows_account_runs_and_graph(predicted: Path, relvm: Relvm) -> None:
    document = relvm("info", "--json", "--workspace", predicted).json
    assert set(document) == {"path", "corpus_hash", "default_run", "simulated", "account", "runs", "graph"}
    (run,) = document["runs"]
    assert (run["run_id"], run["is_default"], run["is_finished"], run["is_stale"]) == ("tiny", True, True, False)
    assert document["account"]["documents"] > 1000
    assert document["graph"]["prediction_runs"][0].startswith("tiny-")
    assert document["simulated"] is True
    text = relvm("info", "--workspace", predicted).out
    assert "tiny  *        finished" in text
    assert "simulated       true" in text


def test_info_chooses_the_default_run_and_tells_unfinished_and_stale_ones(own: Path, relvm: Relvm) -> None:
    runs = own / "runs"
    (runs / "half").mkdir()
    (runs / "half" / "trace.jsonl").write_text('{"step": 20}\n{"step": 40}\n{"ste')
    other = runs / "other"
    shutil.copytree(runs / "tiny", other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "run_id": "other", "corpus_hash": "another"}))
    found = relvm("info", "--use", "other", "--json", "--workspace", own).json
    assert found["default_run"] == "other"
    by_name = {run["run_id"]: run for run in found["runs"]}
    assert by_name["half"]["is_finished"] is False
    assert by_name["half"]["step"] == 40
    assert by_name["other"]["is_stale"] is True
    assert "the default run is stale" in relvm("info", "--workspace", own).err
    score = relvm("score", "EAAT2", "riluzole", "--workspace", own)
    assert score.code == 0
    assert "other (stale)" in score.out
    assert "run other is stale" in score.err
    refused = relvm("benchmark", "--models", "relvm", "--workspace", own)
    assert refused.code == 8
    assert (
        "a benchmark needs a model of the workspace's current corpus, run 'other' was trained on another" in refused.err
    )
    assert relvm("info", "--use", "half", "--workspace", own).code == 8


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--limit", "0"),
        ("--limit", "9223372036854775808"),
        *(("--timeout", v) for v in ("0", "-1", "nan", "inf", "1e9")),
    ],
)
def test_a_limit_or_time_out_of_range_is_a_wrong_call(option: str, value: str, predicted: Path, relvm: Relvm) -> None:
    wrong = relvm("query", "RETURN 1 AS x", option, value, "--workspace", predicted)
    assert wrong.code == 2
    assert option in wrong.err


def test_a_named_query_takes_the_names_that_a_score_takes(predicted: Path, relvm: Relvm) -> None:
    call = ("query", "--named", "top-predictions", "--json", "--workspace", predicted)
    by_id = relvm(*call, "--param", "id=NCBIGene:6506").json["rows"]
    assert by_id
    assert relvm(*call, "--param", "id=GENE:6506").json["rows"] == by_id
    unknown = relvm(*call, "--param", "id=NCBIGene:999999999")
    assert (unknown.code, "NCBIGene:999999999" in unknown.err) == (3, True)


def test_a_number_of_a_named_query_must_be_a_number(predicted: Path, relvm: Relvm) -> None:
    wrong = relvm("query", "--named", "novel-edges", "--param", "min_score=abc", "--workspace", predicted)
    assert (wrong.code, "min_score must be a number, was: 'abc'" in wrong.err) == (1, True)


def test_a_repeated_prediction_says_that_there_is_nothing_to_score(own: Path, relvm: Relvm) -> None:
    call = ("predict", "--min-documents", "1", "--top", "5", "--samples", "2", "--device", "cpu", "--workspace", own)
    assert "nothing to score, all parts were written before" in relvm(*call).err


def test_an_export_without_a_prediction_run_says_how_to_make_one(own: Path, relvm: Relvm, tmp_path: Path) -> None:
    call = ("export", tmp_path / "out", "--edges", "predicted", "--workspace", own)
    assert "no prediction run yet" not in relvm(*call).err
    (run,) = relvm("graph", "status", "--json", "--workspace", own).json["runs"]
    relvm("graph", "rollback", run["run_id"], "--workspace", own)
    assert "no prediction run yet: relvm-kg predict" in relvm(*call).err


def test_the_status_of_an_open_run_says_how_it_goes_on(own: Path, relvm: Relvm) -> None:
    with EmbeddedStore(own / "graph") as store:
        store.prediction_writer(replace(next(iter(store.runs())).run, run_id="half"))
    told = relvm("graph", "status", "--workspace", own).err
    assert told.count("the same relvm-kg predict command goes on with it") == 1
    assert "half is not whole" in told
