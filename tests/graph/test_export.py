"""Exports: every format has all rows, reads back with the tools it is for, and is whole or not there."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

from relvm_kg.errors import InvalidInputError, StoreError
from relvm_kg.workspace import file_sha256
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.export import ExportFormat, export_graph
from relvm_kg_graph.export_tables import CsvExport, Neo4jAdminExport, ParquetExport
from relvm_kg_graph.export_text import GraphmlExport, KgxJsonlExport, KgxTsvExport, NtriplesExport
from relvm_kg_graph.neo4j_store import Neo4jStore
from relvm_kg_graph.networks import read_tables
from relvm_kg_graph.schema import EDGE_SCHEMAS, ENTITY_SCHEMA, PREDICTED_SCHEMA, EdgeType
from relvm_kg_graph.store import BaseGraph, GraphStore, Selection, write_predictions

STRANGE = "β \"quoted\" \t tab, comma; <tag> & \\back\\ 'single' 薬"
RDF = rdflib.RDF


@pytest.fixture
def graph(embedded_store: EmbeddedStore, world: Any) -> EmbeddedStore:
    """The graph of `fill` with a name that no format may break on."""
    world.fill(embedded_store)
    rows = [row for batch in embedded_store.read_entities() for row in batch.to_pylist()]
    rows[0] |= {"name": STRANGE, "synonyms": [STRANGE, "plain"]}
    entities = pa.RecordBatch.from_pylist(rows, schema=world.entities("g1").schema)
    known = pa.Table.from_batches(embedded_store.read_edges(EdgeType.ASSOCIATED)).to_batches()
    comentions = pa.Table.from_batches(embedded_store.read_edges(EdgeType.CO_MENTIONED)).to_batches()
    embedded_store.write_base(BaseGraph(entities=[entities], known=known, comentions=comentions, corpus_hash="abc"))
    return embedded_store


def manifest_of(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def tsv_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return "|".join(value) if isinstance(value, list) else str(value)


def items_of(text: str) -> list[str]:
    """The list of a cell of CSV or GraphML, whose items are non-empty."""
    items = re.findall(r"(?:[^|\\]|\\.)+", text, re.DOTALL)
    return [re.sub(r"\\(.)", r"\1", item, flags=re.DOTALL) for item in items]


def json_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").removesuffix("\n").split("\n") if line]


@pytest.mark.parametrize("format", list(ExportFormat))
def test_every_format_has_all_rows_and_a_manifest_that_is_true(
    graph: EmbeddedStore, tmp_path: Path, format: ExportFormat
) -> None:
    target = tmp_path / "out"
    report = export_graph(graph, target, format, command="relvm-kg export")
    manifest = manifest_of(target)
    assert (report.rows, report.n_entities) == (14, 8)
    assert manifest["rows"] == 14
    assert manifest["counts"] == {"entities": 8, "ASSOCIATED": 4, "CO_MENTIONED": 3, "PREDICTED": 7}
    assert (manifest["format"], manifest["command"]) == (format.value, "relvm-kg export")
    assert (manifest["simulated"], manifest["calibrated"]) == (False, False)
    assert manifest["runs"] == ["run-2", "run-1"]
    listed = {file["name"]: file["sha256"] for file in manifest["files"]}
    assert listed == {str(p.relative_to(target)): file_sha256(p) for p in report.files}
    on_disk = {p for p in target.rglob("*") if p.is_file()}
    assert on_disk == {*report.files, target / "manifest.json"}
    assert list(tmp_path.glob(".*")) == []


def test_parquet_reads_back_the_same_tables(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.PARQUET)
    tables = read_tables(graph)
    assert pq.read_table(tmp_path / "out/nodes.parquet").equals(tables.entities)
    for edge_type in EdgeType:
        assert pq.read_table(tmp_path / "out" / edge_type.value.lower()).equals(tables.edges[edge_type])


def test_parquet_shards_hold_all_rows_in_order(graph: EmbeddedStore, tmp_path: Path) -> None:
    writer = ParquetExport(tmp_path, rows_per_shard=2)
    tables = read_tables(graph)
    for batch in tables.edges[EdgeType.PREDICTED].to_batches(max_chunksize=1):
        writer.add_edges(EdgeType.PREDICTED, batch)
    writer.close()
    parts = sorted((tmp_path / "predicted").iterdir())
    assert [pq.read_metadata(part).num_rows for part in parts] == [2, 2, 2, 1]
    assert pq.read_table(tmp_path / "predicted").equals(tables.edges[EdgeType.PREDICTED])


def test_csv_reads_back_with_the_standard_library(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.CSV)
    with (tmp_path / "out/nodes.csv").open(newline="") as handle:
        nodes = list(csv.DictReader(handle))
    assert nodes[0]["name"] == STRANGE
    assert items_of(nodes[0]["synonyms"]) == [STRANGE, "plain"]
    with (tmp_path / "out/predicted.csv").open(newline="") as handle:
        edges = list(csv.DictReader(handle))
    assert list(edges[0]) == EDGE_SCHEMAS[EdgeType.PREDICTED].names
    assert (edges[2]["subject"], edges[2]["score"], edges[2]["calibrated"]) == ("MESH:D1", "0.875", "false")
    assert (edges[3]["uncertainty"], edges[3]["evidence_ids"]) == ("", "PMID:7#2|PMID:8#0")


def test_kgx_json_lines_hold_the_biolink_model(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.KGX_JSONL)
    nodes = {node["id"]: node for node in json_lines(tmp_path / "out/nodes.jsonl")}
    assert nodes["NCBIGene:1"] == {
        "id": "NCBIGene:1",
        "category": ["biolink:Gene"],
        "name": STRANGE,
        "synonym": [STRANGE, "plain"],
        "n_documents": 1,
        "document_share": 0.25,
        "simulated": False,
    }
    edges = json_lines(tmp_path / "out/edges.jsonl")
    known, comention, predicted = edges[0], edges[5], edges[8]
    assert len({edge["id"] for edge in edges}) == 14
    assert {edge["subject"] for edge in edges} | {edge["object"] for edge in edges} <= set(nodes)
    assert known["predicate"] == "biolink:condition_associated_with_gene"
    assert known["original_predicate"] == "associated; causes"
    assert known["primary_knowledge_source"] == "infores:curators"
    assert known["publications"] == ["PMID:1", "PMID:22"]
    assert comention["predicate"] == "biolink:occurs_together_in_literature_with"
    assert comention["agent_type"] == "text_mining_agent"
    assert "first_year" not in comention
    assert (predicted["knowledge_level"], predicted["agent_type"]) == ("prediction", "computational_model")
    assert predicted["category"] == ["biolink:Association"]
    assert (predicted["known"], predicted["evidence_ids"]) == (True, ["PMID:7#2", "PMID:8#0"])
    assert "uncertainty" not in predicted


def test_kgx_tsv_has_one_header_for_all_edges(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.KGX_TSV)
    for name, expected in (("nodes.tsv", 8), ("edges.tsv", 14)):
        rows = [line.split("\t") for line in (tmp_path / "out" / name).read_text().splitlines()]
        assert len(rows) == expected + 1
        assert {len(row) for row in rows} == {len(rows[0])}
    rows = [line.split("\t") for line in (tmp_path / "out/edges.tsv").read_text().splitlines()]
    edge = dict(zip(rows[0], rows[10], strict=True))
    assert (edge["subject"], edge["predicate"], edge["score"]) == (
        "MESH:D1",
        "biolink:condition_associated_with_gene",
        "0.875",
    )
    nodes = (tmp_path / "out/nodes.tsv").read_text().splitlines()
    assert nodes[1].split("\t")[2] == STRANGE.replace("\t", " ")


def test_kgx_tsv_and_json_lines_say_the_same(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "tsv", ExportFormat.KGX_TSV)
    export_graph(graph, tmp_path / "jsonl", ExportFormat.KGX_JSONL)
    lines = [line.split("\t") for line in (tmp_path / "tsv/edges.tsv").read_text().splitlines()]
    for line, edge in zip(lines[1:], json_lines(tmp_path / "jsonl/edges.jsonl"), strict=True):
        for name, text in zip(lines[0], line, strict=True):
            assert text == tsv_text(edge.get(name))


def test_graphml_opens_in_networkx(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.GRAPHML)
    opened = nx.read_graphml(tmp_path / "out/graph.graphml")
    assert (opened.number_of_nodes(), opened.number_of_edges()) == (8, 14)
    assert opened.is_directed()
    assert opened.nodes["NCBIGene:1"]["name"] == STRANGE
    found = [values for _, _, values in opened.edges(data=True) if values["type"] == "PREDICTED"]
    assert len(found) == 7
    best = max(found, key=lambda values: values["score"])
    assert (best["score"], best["run_id"], best["calibrated"], best["rank"]) == (0.9375, "run-2", True, 2)


def test_graphml_refuses_a_large_graph_before_it_writes(
    graph: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relvm_kg_graph.export.GRAPHML_LIMIT", 13)
    with pytest.raises(InvalidInputError, match="at most 13 edges"):
        export_graph(graph, tmp_path / "out", ExportFormat.GRAPHML)
    assert not (tmp_path / "out").exists()
    export_graph(graph, tmp_path / "out", ExportFormat.GRAPHML, Selection(edge_types=(EdgeType.PREDICTED,)))


def test_ntriples_parse_with_rdflib(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.NTRIPLES)
    parsed = rdflib.Graph().parse(tmp_path / "out/graph.nt", format="nt")
    assert len(set(parsed.subjects(RDF.type, RDF.Statement))) == 14
    gene = rdflib.URIRef("https://bioregistry.io/NCBIGene:1")
    assert str(parsed.value(gene, rdflib.RDFS.label)) == STRANGE
    synonyms = {str(o) for o in parsed.objects(gene, rdflib.URIRef("urn:relvm-kg:property:synonyms"))}
    assert synonyms == {STRANGE, "plain"}
    direct = rdflib.URIRef("https://w3id.org/biolink/vocab/condition_associated_with_gene")
    assert (rdflib.URIRef("https://bioregistry.io/MESH:D1"), direct, gene) in parsed
    scores = {float(str(o)) for o in parsed.objects(None, rdflib.URIRef("urn:relvm-kg:property:score"))}
    assert scores == {0.875, 0.75, 0.5, 0.625, 0.25, 0.125, 0.9375}


def test_a_selection_exports_its_edges_and_the_entities_they_join(graph: EmbeddedStore, tmp_path: Path) -> None:
    selection = Selection(edge_types=(EdgeType.PREDICTED,), runs=("run-2",), novel_only=True)
    report = export_graph(graph, tmp_path / "out", ExportFormat.KGX_JSONL, selection)
    assert (report.rows, report.n_entities) == (1, 2)
    manifest = manifest_of(tmp_path / "out")
    assert (manifest["runs"], manifest["calibrated"]) == (["run-2"], True)
    assert manifest["selection"]["novel_only"] is True
    assert [node["id"] for node in json_lines(tmp_path / "out/nodes.jsonl")] == ["NCBIGene:1", "MESH:D1"]


def test_an_export_without_predictions_says_nothing_of_calibration(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.CSV, Selection(edge_types=(EdgeType.ASSOCIATED,)))
    assert manifest_of(tmp_path / "out")["calibrated"] is None


def test_what_is_simulated_is_told_in_every_row_and_in_the_manifest(
    embedded_store: EmbeddedStore, tmp_path: Path, world: Any
) -> None:
    entities, known = world.entities("g1", "d1", simulated=True), world.known("d1-g1", simulated=True)
    embedded_store.write_base(BaseGraph(entities=[entities], known=[known], simulated=True))
    run = world.run("run-1", simulated=True)
    write_predictions(embedded_store, run, [world.predictions(d1_g1=0.5)])
    export_graph(embedded_store, tmp_path / "out", ExportFormat.KGX_JSONL)
    rows = json_lines(tmp_path / "out/nodes.jsonl") + json_lines(tmp_path / "out/edges.jsonl")
    assert len(rows) == 4
    assert all(row["simulated"] is True for row in rows)
    assert manifest_of(tmp_path / "out")["simulated"] is True


@pytest.mark.parametrize("format", list(ExportFormat))
def test_an_empty_graph_exports(embedded_store: EmbeddedStore, tmp_path: Path, format: ExportFormat) -> None:
    embedded_store.write_base(BaseGraph(entities=[]))
    assert export_graph(embedded_store, tmp_path / "out", format).rows == 0


def test_an_export_replaces_an_earlier_one_and_nothing_else(graph: EmbeddedStore, tmp_path: Path) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.CSV)
    export_graph(graph, tmp_path / "out", ExportFormat.KGX_TSV)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["edges.tsv", "manifest.json", "nodes.tsv"]
    (tmp_path / "out" / "notes.txt").write_text("keep me")
    web = tmp_path / "web"
    web.mkdir()
    (web / "manifest.json").write_text('{"name": "my app"}')
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("keep me")
    for folder, kept in ((tmp_path / "out", "notes.txt"), (web, "manifest.json"), (other, "thesis.txt")):
        before = (folder / kept).read_text()
        with pytest.raises(InvalidInputError, match="needs a folder of its own"):
            export_graph(graph, folder, ExportFormat.CSV)
        assert (folder / kept).read_text() == before


def test_an_unknown_run_is_named(graph: EmbeddedStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no whole prediction run 'run-9'"):
        export_graph(graph, tmp_path / "out", ExportFormat.CSV, Selection(runs=("run-9",)))
    assert not (tmp_path / "out").exists()


def test_without_a_graph_there_is_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no whole graph"):
        export_graph(EmbeddedStore(tmp_path / "graph"), tmp_path / "out", ExportFormat.CSV)


@pytest.mark.neo4j
def test_both_stores_export_the_same(both_filled: tuple[GraphStore, GraphStore], tmp_path: Path) -> None:
    for place, store in enumerate(both_filled):
        export_graph(store, tmp_path / str(place), ExportFormat.KGX_JSONL)
    for name in ("nodes.jsonl", "edges.jsonl"):
        first, second = (sorted((tmp_path / str(place) / name).read_text().splitlines()) for place in (0, 1))
        assert first == second


@pytest.mark.neo4j
@pytest.mark.slow
def test_neo4j_admin_imports_the_export(
    graph: EmbeddedStore, tmp_path: Path, new_server: Callable[[], Any], bare_import: Callable[..., None]
) -> None:
    export_graph(graph, tmp_path / "out", ExportFormat.NEO4J_ADMIN)
    server = new_server()
    bare_import(server, tmp_path / "out", manifest_of(tmp_path / "out")["import_command"])
    server.start()
    try:
        with Neo4jStore(server.settings) as imported:
            assert imported.counts() == graph.counts()
            assert imported.runs() == graph.runs()
            export_graph(imported, tmp_path / "again", ExportFormat.KGX_JSONL)
    finally:
        server.end()
    export_graph(graph, tmp_path / "first", ExportFormat.KGX_JSONL)
    for name in ("nodes.jsonl", "edges.jsonl"):
        first, second = (sorted((tmp_path / place / name).read_text().splitlines()) for place in ("first", "again"))
        assert first == second


KILLED = """
import sys
from pathlib import Path
from relvm_kg_graph import export_tables
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.export import ExportFormat, export_graph

class Slow(export_tables.CsvExport):
    def add_entities(self, batch):
        super().add_entities(batch)
        print("under way", flush=True)
        sys.stdin.readline()

import relvm_kg_graph.export as export
export.CsvExport = Slow
export_graph(EmbeddedStore(Path(sys.argv[1])), Path(sys.argv[2]), ExportFormat.CSV)
"""


def test_a_killed_export_leaves_nothing_that_looks_whole_and_the_same_call_completes_it(
    graph: EmbeddedStore, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "graph"), str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"under way\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "out").exists()
    assert len(list(tmp_path.glob(".out.*.part"))) == 1
    assert export_graph(graph, tmp_path / "out", ExportFormat.CSV).rows == 14
    assert list(tmp_path.glob(".*")) == []


@pytest.fixture
def bare_import() -> Callable[..., None]:
    """Runs an import command of a manifest through the server's script, in the folder of the files."""

    def run(server: Any, folder: Path, command: str) -> None:
        script = os.environ["RELVM_KG_NEO4J_SERVER"]
        words = command.removeprefix("neo4j-admin ").split()
        server.home.mkdir(exist_ok=True)
        done = subprocess.run([script, "admin", str(server.home), *words], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()

    return run


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    (tmp_path / "csv").mkdir()
    (tmp_path / "parquet").mkdir()
    CsvExport(tmp_path / "csv", [EdgeType.PREDICTED]).close()
    ParquetExport(tmp_path / "parquet", edge_types=[EdgeType.PREDICTED]).close()
    assert sorted(path.name for path in (tmp_path / "csv").iterdir()) == ["nodes.csv", "predicted.csv"]
    (header,) = csv.reader((tmp_path / "csv/predicted.csv").read_text().splitlines())
    assert header == PREDICTED_SCHEMA.names
    assert pq.read_schema(tmp_path / "parquet/predicted/part-00000.parquet").names == PREDICTED_SCHEMA.names
    assert pq.read_table(tmp_path / "parquet/nodes.parquet").num_rows == 0


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
AROUND_LISTS = st.text("|\\\t\n\r\x0b\x1f\x85\u2028\"';,<&a ", min_size=1)
NAMES = st.lists(ANY_TEXT | AROUND_LISTS, min_size=1, max_size=4)


def one_gene(names: list[str]) -> pa.RecordBatch:
    """A gene with these texts as its name and synonyms."""
    row = {"id": "NCBIGene:1", "name": names[0], "category": "biolink:Gene", "synonyms": names[1:]}
    return pa.RecordBatch.from_pylist([{**row, "n_documents": 1, "simulated": False}], schema=ENTITY_SCHEMA)


def written(tmp: pytest.TempPathFactory, make: Callable[[Path], Any], names: list[str]) -> tuple[Path, int]:
    """The folder of an export of one gene, and how many values it says to have changed."""
    folder = tmp.mktemp("any-text")
    writer = make(folder)
    writer.add_entities(one_gene(names))
    writer.close()
    return folder, writer.n_changed


@given(names=NAMES)
@settings(deadline=None, max_examples=200)
def test_any_text_comes_back_from_csv_json_lines_and_ntriples(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, n_changed = written(tmp_path_factory, CsvExport, names)
    with (folder / "nodes.csv").open(newline="", encoding="utf-8") as handle:
        (row,) = csv.DictReader(handle)
    assert [row["name"], *items_of(row["synonyms"])] == names
    assert n_changed == 0
    folder, n_changed = written(tmp_path_factory, KgxJsonlExport, names)
    (node,) = json_lines(folder / "nodes.jsonl")
    assert [node["name"], *node["synonym"]] == names
    assert n_changed == 0
    folder, n_changed = written(tmp_path_factory, NtriplesExport, names)
    parsed = rdflib.Graph().parse(folder / "graph.nt", format="nt")
    gene = rdflib.URIRef("https://bioregistry.io/NCBIGene:1")
    synonyms = {str(o) for o in parsed.objects(gene, rdflib.URIRef("urn:relvm-kg:property:synonyms"))}
    assert (str(parsed.value(gene, rdflib.RDFS.label)), synonyms) == (names[0], set(names[1:]))
    assert n_changed == 0


@given(names=NAMES)
@settings(deadline=None, max_examples=200)
def test_a_format_that_cannot_hold_a_text_has_spaces_in_it_and_counts_it(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, n_changed = written(tmp_path_factory, KgxTsvExport, names)
    _, line = (folder / "nodes.tsv").read_bytes().decode().removesuffix("\n").split("\n")
    cells = line.split("\t")
    assert [cells[2], *(cells[3].split("|") if len(names) > 1 else [])] == [
        re.sub(r"[\t\r\n|]+", " ", n) for n in names
    ]
    assert n_changed == sum(bool(re.search(r"[\t\r\n|]", name)) for name in names)
    folder, n_changed = written(tmp_path_factory, GraphmlExport, names)
    values = nx.read_graphml(folder / "graph.graphml").nodes["NCBIGene:1"]
    control = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    assert [values["name"], *items_of(values.get("synonyms", ""))] == [re.sub(control, " ", name) for name in names]
    assert n_changed == bool(re.search(control, names[0])) + any(re.search(control, name) for name in names[1:])
    folder, n_changed = written(tmp_path_factory, lambda path: Neo4jAdminExport(path, []), names)
    with (folder / "nodes.csv").open(newline="", encoding="utf-8") as handle:
        (row,) = csv.DictReader(handle)
    items = row["synonyms:string[]"].split("\x1f") if len(names) > 1 else []
    assert [row["name"], *items] == [names[0], *(name.replace("\x1f", " ") for name in names[1:])]
    assert n_changed == sum("\x1f" in name for name in names[1:])


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "tsv"])
def test_kgx_finds_no_error_and_reads_every_row(graph: EmbeddedStore, tmp_path: Path, form: str) -> None:
    python = os.environ.get("RELVM_KG_KGX_PYTHON")
    if python is None:
        pytest.skip("RELVM_KG_KGX_PYTHON names no Python that has the kgx package")
    export_graph(graph, tmp_path / "out", ExportFormat(f"kgx-{form}"))
    files = [str(tmp_path / "out" / f"{name}.{form}") for name in ("nodes", "edges")]
    check = Path(__file__).with_name("kgx_check.py")
    done = subprocess.run([python, str(check), form, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["errors"] == {}
    assert (len(found["nodes"]), len(found["edges"])) == (8, 14)
    assert found["nodes"][0]["name"] == STRANGE.replace("\t", " ")
    known = next(edge for edge in found["edges"] if edge["edge_type"] == "ASSOCIATED")
    assert (known["original_predicate"], known["publications"]) == ("associated; causes", ["PMID:1", "PMID:22"])
