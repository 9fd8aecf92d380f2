"""`relvm-kg query --parquet`: the rows of `--json`, with types and where they come from."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from relvm_kg.workspace import Workspace
from relvm_kg_cli.main import main

Query = Callable[..., Result]


@pytest.fixture
def query(own_graph: Workspace) -> Query:
    """`relvm-kg query` on the graph of `fill`."""
    return lambda *words: CliRunner(catch_exceptions=False).invoke(
        main, ["query", *map(str, words), "--workspace", str(own_graph.path)]
    )


def test_rows_are_written_with_types_and_where_they_come_from(query: Query, tmp_path: Path) -> None:
    statement = (
        "MATCH (g:Gene)-[p:PREDICTED]-(:Disease) RETURN g.name AS name, p.score AS score, p.known AS known, "
        "g.synonyms AS synonyms, g AS gene, p AS edge, {a: p.rank} AS m, null AS nothing, "
        "CASE WHEN p.score > $least THEN 1 ELSE 'low' END AS mixed ORDER BY score DESC, name LIMIT 4"
    )
    file = tmp_path / "rows.parquet"
    call = (statement, "--param", "least=0.6")
    rows = json.loads(query(*call, "--json").stdout)["rows"]
    told = query(*call, "--parquet", file)
    assert (told.stdout, "4 rows" in told.stderr) == (f"{file}\n", True)
    table = pq.read_table(file)
    assert [str(kind) for kind in table.schema.types[:4]] == ["string", "double", "bool", "list<element: string>"]
    in_json = ("gene", "edge", "m", "mixed")
    assert [row | {name: json.loads(row[name]) for name in in_json} for row in table.to_pylist()] == rows
    origin = json.loads(table.schema.metadata[b"relvm_kg"])
    assert (origin["statement"], origin["parameters"], origin["simulated"]) == (statement, {"least": 0.6}, False)
    document = json.loads(query(*call, "--parquet", file, "--json").stdout)
    assert (document["file"], document["n_rows"], "rows" in document) == (str(file), 4, False)


def test_an_answer_without_rows_has_its_columns(query: Query, tmp_path: Path) -> None:
    file = tmp_path / "empty.parquet"
    query("MATCH (n:Gene {id: 'x'}) RETURN n.name AS name", "--parquet", file)
    assert pq.read_table(file).column_names == ["name"]


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ("1, 'a', [2], null", ["1", '"a"', "[2]", None]),
        ("1, 2.5, null", [1.0, 2.5, None]),
        ("date('2026-01-02'), datetime('2026-01-02T03:04:05Z')", ['"2026-01-02"', '"2026-01-02 03:04:05+00:00"']),
        ("time('10:00:00+01:00')", ['"10:00:00+01:00"']),
    ],
)
def test_nothing_of_a_value_is_lost_where_a_column_holds_several_kinds(
    values: str, written: list[object], query: Query, tmp_path: Path
) -> None:
    file = tmp_path / "kinds.parquet"
    query(f"UNWIND [{values}] AS x RETURN x", "--parquet", file)
    assert pq.read_table(file)["x"].to_pylist() == written


def test_rows_go_to_one_place(query: Query, tmp_path: Path) -> None:
    told = query("RETURN 1 AS x", "--csv", "--parquet", tmp_path / "x.parquet")
    assert (told.exit_code, list(tmp_path.glob("*.parquet"))) == (2, [])
    assert "give one of the two" in told.stderr
