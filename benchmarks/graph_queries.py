"""Queries and pushes at two million predictions: `relvm-kg` beside the same engine without it.

    python benchmarks/graph_queries.py --out graph_queries.json --neo4j-server PATH
    python benchmarks/graph_queries.py --quick

Each statement is run by `relvm-kg query --json` and by a bare program that loads the same engine file, or opens the
same server, runs the same text and writes the rows as JSON: as whole processes, and within one process that has the
engine or the connection open. The server is filled by `relvm-kg graph push`, which is killed once and goes on; beside
it stands a bare UNWIND of the same rows. Without a server only the embedded store is measured.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bare_query import bare_call
from round_robin import ratio, round_robin
from synthetic_graph import fill

from relvm_kg.workspace import Workspace
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import PREDICTION_BATCH_SCHEMA, EdgeType
from relvm_kg_graph.store import GraphStore, Selection

RUNS = ("first", "second")
"""Half of the predictions each."""
BARE_ROWS = 10_000
RELVM_KG = [sys.executable, "-m", "relvm_kg_cli.main"]
BARE = Path(__file__).with_name("bare_query.py")
TARGET = 1.3
IDS = {"id": "NCBIGene:7", "disease": "MESH:D7", "ids": [f"NCBIGene:{i}" for i in range(50)]}
STATEMENTS = {
    "entity by id": "MATCH (n:Entity {id: $id}) RETURN n.name",
    "one-hop top 20": "MATCH (d:Disease {id: $disease})-[p:PREDICTED]->(g:Gene) "
    "RETURN g.id, p.score ORDER BY p.score DESC LIMIT 20",
    "anti-join: predicted, not known": "MATCH (d:Disease)-[p:PREDICTED]->(g:Gene) "
    "WHERE p.score > 0.9 AND NOT (d)-[:ASSOCIATED]->(g) RETURN count(p)",
    "two-hop aggregate, whole graph": "MATCH (d:Disease)-[:PREDICTED]->(g:Gene)<-[:PREDICTED]-(c:Chemical) "
    "RETURN c.id, count(*) AS n ORDER BY n DESC, c.id LIMIT 10",
    "two-hop aggregate, one disease": "MATCH (d:Disease {id: $disease})-[:PREDICTED]->(g:Gene) "
    "MATCH (g)<-[:PREDICTED]-(c:Chemical) RETURN c.id, count(*) AS n ORDER BY n DESC, c.id LIMIT 10",
    "shortest path": "MATCH p = shortestPath((a:Entity {id: $id})-[:PREDICTED*1..4]-(b:Entity {id: $disease})) "
    "RETURN length(p)",
    "filter by 50 ids and score": "MATCH (d:Disease)-[p:PREDICTED]->(g:Gene) WHERE g.id IN $ids AND p.score > 0.5 "
    "RETURN count(p)",
    "all gene-disease predictions out": "MATCH (d:Disease)-[p:PREDICTED]->(g:Gene) RETURN d.id, g.id, p.score",
}


@contextlib.contextmanager
def server(script: Path, place: Path) -> Iterator[str]:
    """A Neo4j server of its own, without authentication; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    child = subprocess.Popen(
        [script, "serve", place, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert child.stdout is not None
        while "Started." not in (line := child.stdout.readline()):
            if not line:
                raise SystemExit(f"{script} must start a server, it ended with {child.wait()}")
        yield f"bolt://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait()


def run(command: list[str], environment: Mapping[str, str]) -> None:
    """A whole process, its answer thrown away."""
    subprocess.run(command, env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL)


def measure_statements(store: GraphStore, place: Mapping[str, Any], asked: list[str], repeats: int) -> dict[str, Any]:
    """Each statement four ways, in turns.

    Args:
        store: An open store.
        place: Where the bare program finds the same graph: `file` or `uri`.
        asked: What makes `relvm-kg query` ask the same store.
        repeats: Rounds.
    """
    environment = {"RELVM_KG_NEO4J_URI": place["uri"]} if "uri" in place else {}
    results = {}
    for name, text in STATEMENTS.items():
        parameters = {key: value for key, value in IDS.items() if f"${key}" in text}
        order = {**place, "text": text, "parameters": parameters}
        given = [word for key, value in parameters.items() for word in ("--param", f"{key}={json.dumps(value)}")]
        ours = [*RELVM_KG, "query", text, *given, "--timeout", "300", "--json", *asked]
        theirs = [sys.executable, str(BARE), json.dumps(order)]
        call, statement = bare_call(order), Statement(text, parameters)
        seconds = round_robin(
            {
                "relvm-kg query": lambda ours=ours: run(ours, environment),  # type: ignore[misc]
                "bare program": lambda theirs=theirs: run(theirs, environment),  # type: ignore[misc]
                "open store": lambda statement=statement: store.query(statement, timeout=300),  # type: ignore[misc]
                "open engine": call,
            },
            repeats,
        )
        results[name] = {
            **{key: round(1000 * statistics.median(values), 3) for key, values in seconds.items()},
            "query, times the bare program": round(ratio(seconds, "relvm-kg query", "bare program"), 3),
            "open store, times the open engine": round(ratio(seconds, "open store", "open engine"), 3),
        }
        print(name, results[name], file=sys.stderr)
    return results


def measure_push(workspace: Workspace, uri: str, n_edges: int) -> dict[str, Any]:
    """Push the first run with a kill in its middle, then the second without; and a bare UNWIND of the second's rows."""
    import neo4j

    environment = {**os.environ, "RELVM_KG_NEO4J_URI": uri}
    push = [*RELVM_KG, "graph", "push", "--workspace", str(workspace.path), "--json", "--run"]
    with neo4j.GraphDatabase.driver(uri, auth=None) as driver:

        def rows(text: str, **parameters: Any) -> list[Any]:
            return driver.execute_query(text, parameters, database_="neo4j").records

        count = "MATCH ()-[r:PREDICTED {run_id: $run}]->() RETURN count(r) AS n"
        first, second = RUNS
        child = subprocess.Popen([*push, first], env=environment, stdout=subprocess.DEVNULL)
        while (there := rows(count, run=first)[0]["n"]) < n_edges // 5:
            if child.poll() is not None:
                raise SystemExit("the push must be under way when it is killed; take more edges")
            time.sleep(0.5)
        child.send_signal(signal.SIGKILL)
        child.wait()
        seen = rows("MATCH (r:PredictionRun {run_id: $run}) RETURN r.complete AS complete", run=first)[0]["complete"]
        started = time.perf_counter()
        subprocess.run([*push, first], env=environment, check=True, stdout=subprocess.DEVNULL)
        resumed = time.perf_counter() - started
        after = rows(count, run=first)[0]["n"]
        rates = [bare_rate(driver, workspace)]
        started = time.perf_counter()
        subprocess.run([*push, second], env=environment, check=True, stdout=subprocess.DEVNULL)
        whole = time.perf_counter() - started
        rates.append(bare_rate(driver, workspace))
    rate, bare_one = n_edges // 2 / whole, statistics.mean(rates)
    return {
        "edges": n_edges // 2,
        "killed at": there,
        "looked whole when killed": seen,
        "resumed seconds": round(resumed, 1),
        "edges after resuming": after,
        "exact": after == n_edges // 2,
        "rows/s": round(rate),
        "bare UNWIND rows/s, before and after": [round(r) for r in rates],
        "share of the bare rate": round(rate / bare_one, 3),
    }


def bare_rate(driver: Any, workspace: Workspace) -> float:
    """Rows a second of a plain loop: UNWIND of 10,000 rows with all properties; its edges are deleted after."""
    with EmbeddedStore(workspace.graph_dir) as store:
        batches = store.read_edges(EdgeType.PREDICTED, Selection(runs=(RUNS[1],)))
        rows: list[dict[str, Any]] = []
        for batch in batches:
            rows.extend(batch.to_pylist())
            if len(rows) >= 20 * BARE_ROWS:
                break
    rows = rows[: 20 * BARE_ROWS]
    names = [name for name in rows[0] if name not in ("subject", "object")]
    text = (
        "UNWIND $rows AS row MATCH (a:Entity {id: row.subject}) MATCH (b:Entity {id: row.object}) "
        f"CREATE (a)-[r:BARE {{{', '.join(f'{name}: row.{name}' for name in names)}}}]->(b)"
    )
    assert set(PREDICTION_BATCH_SCHEMA.names) <= rows[0].keys()
    started = time.perf_counter()
    for start in range(0, len(rows), BARE_ROWS):
        driver.execute_query(text, {"rows": rows[start : start + BARE_ROWS]}, database_="neo4j")
    taken = time.perf_counter() - started
    while driver.execute_query(
        "MATCH ()-[r:BARE]->() WITH r LIMIT 20000 DELETE r RETURN count(*) AS n", database_="neo4j"
    ).records[0]["n"]:
        pass
    return len(rows) / taken


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, embedded first."""
    from relvm_kg_graph.bolt import Neo4jSettings
    from relvm_kg_graph.neo4j_store import Neo4jStore

    results: dict[str, Any] = {"edges": options.edges, "repeats": options.repeats, "load before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "workspace")
        started = time.perf_counter()
        with EmbeddedStore(workspace.graph_dir) as store:
            fill(store, options.edges, options.entities, RUNS)
            store.engine()
        results["graph and engine made, s"] = round(time.perf_counter() - started, 1)
        (file,) = (workspace.graph_dir / "cache").glob("*.kgl")
        with EmbeddedStore(workspace.graph_dir) as store:
            asked = ["--workspace", str(workspace.path)]
            results["embedded, ms"] = measure_statements(store, {"file": str(file)}, asked, options.repeats)
        if options.neo4j_server:
            with server(options.neo4j_server, Path(folder) / "neo4j") as uri:
                results["push"] = measure_push(workspace, uri, options.edges)
                with Neo4jStore(Neo4jSettings(uri=uri)) as store:
                    results["neo4j, ms"] = measure_statements(store, {"uri": uri}, ["--neo4j"], options.repeats)
    results["slowest, times the bare program"] = {
        name: max(r["query, times the bare program"] for r in results[name].values())
        for name in ("embedded, ms", "neo4j, ms")
        if name in results
    }
    results["target"] = TARGET
    return results


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=2_000_000)
    parser.add_argument("--entities", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="100,000 edges, two rounds")
    parser.add_argument("--neo4j-server", type=Path, help="Starts a Neo4j server: SCRIPT serve HOME --port N")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    if options.quick:
        options.edges, options.entities, options.repeats = 100_000, 10_000, 2
    results = measure(options)
    print(json.dumps(results, indent=1))
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
