"""Speed and memory of exports, of NetworkX graphs and of the embedded engine, each in a process of its own.

    python benchmarks/graph_exports.py --edges 200000,2000000 --out docs/results/graph-exports.json

Edges are synthetic predictions between random entities with the full schema. Rates are by the wall clock and by the
process's own seconds, which a busy machine changes less; memory is the most that the process held, beside that of a
process which only imports.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from synthetic_graph import fill, predictions

from relvm_kg_graph.biocypher import edges as biocypher_edges
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.export import GRAPHML_LIMIT, ExportFormat, export_graph
from relvm_kg_graph.networks import to_networkx
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import Selection

PREDICTED = Selection(edge_types=(EdgeType.PREDICTED,))
NEIGHBOURHOOD = Selection(edge_types=(EdgeType.PREDICTED,), around=("NCBIGene:7",))
TWO_STEPS = Selection(edge_types=(EdgeType.PREDICTED,), around=("NCBIGene:7",), hops=2)
BEST = Selection(edge_types=(EdgeType.PREDICTED,), min_score=0.99)


def network(store: EmbeddedStore, selection: Selection) -> int:
    """Edges of a part of the graph as a NetworkX graph."""
    return int(to_networkx(store, selection).number_of_edges())


def engine(store: EmbeddedStore) -> int:
    """Edges that the embedded engine counts."""
    store.engine()
    return sum(store.counts()[1:4])


def jobs(store: EmbeddedStore, folder: Path) -> dict[str, Callable[[], int]]:
    """What is measured, by name; each returns its rows."""
    found: dict[str, Callable[[], int]] = {"imports only": lambda: 0}
    for form in ExportFormat:
        found[form.value] = lambda form=form: export_graph(store, folder / form.value, form, PREDICTED).rows  # type: ignore[misc]
    found["biocypher tuples"] = lambda: sum(1 for _ in biocypher_edges(store, PREDICTED))
    found["networkx, one step around a gene"] = lambda: network(store, NEIGHBOURHOOD)
    found["networkx, two steps around a gene"] = lambda: network(store, TWO_STEPS)
    found["networkx, the best 1% of predictions"] = lambda: network(store, BEST)
    found["engine made from Parquet"] = lambda: engine(store)
    found["engine loaded from its cache"] = lambda: engine(store)
    return found


def measure(name: str, graph: Path, folder: Path) -> dict[str, Any]:
    """Do one job; its rows, seconds and memory."""
    with EmbeddedStore(graph) as store:
        started, own = time.perf_counter(), time.process_time()
        rows = jobs(store, folder)[name]()
        seconds, own = time.perf_counter() - started, time.process_time() - own
    return {
        "rows": rows,
        "seconds": round(seconds, 2),
        "own seconds": round(own, 2),
        "rows/s": round(rows / seconds),
        "rows/own s": round(rows / max(own, 1e-9)),
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def in_own_process(name: str, graph: Path, folder: Path) -> dict[str, Any]:
    """`measure` in a process of its own, and the bytes that an export wrote."""
    command = [sys.executable, __file__, "--job", name, "--graph", str(graph), "--folder", str(folder)]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    written = folder / name
    if written.is_dir():
        found["MiB written"] = round(sum(f.stat().st_size for f in written.rglob("*") if f.is_file()) / 2**20)
        subprocess.run(["rm", "-r", str(written)], check=True)
    return found


def all_jobs(n_edges: int, n_entities: int) -> dict[str, Any]:
    """Every job over a graph of so many predictions."""
    results = {}
    with tempfile.TemporaryDirectory() as name, EmbeddedStore(Path(name) / "graph") as store:
        fill(store, n_edges, n_entities)
        for job in jobs(store, Path(name)):
            if job != ExportFormat.GRAPHML.value or n_edges <= GRAPHML_LIMIT:
                results[job] = in_own_process(job, Path(name) / "graph", Path(name))
                print(n_edges, job, results[job], file=sys.stderr, flush=True)
    return results


def main() -> None:
    """Measure and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", default="200000,2000000")
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="5,000 edges, to see that it runs")
    parser.add_argument("--out", type=Path)
    for hidden in ("--job", "--graph", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(measure(options.job, Path(options.graph), Path(options.folder))))
        return
    sizes = [5_000] if options.quick else [int(n) for n in options.edges.split(",")]
    bytes_of_a_row = next(predictions(50_000, options.entities)).nbytes // 50_000
    results: dict[str, Any] = {
        "command": f"python benchmarks/graph_exports.py --edges {options.edges}",
        "machine": {"processors": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "entities": options.entities,
        "bytes of a row in memory": bytes_of_a_row,
        "edges": {},
    }
    for n_edges in sizes:
        results["edges"][str(n_edges)] = all_jobs(n_edges, options.entities)
        text = json.dumps(results, indent=2) + "\n"
        if options.out is not None:
            options.out.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
