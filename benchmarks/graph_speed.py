"""Speed of the graph layer: the statements of the design table, and a push to Neo4j.

    python benchmarks/graph_speed.py --edges 200000
    RELVM_KG_NEO4J_URI=bolt://127.0.0.1:7687 python benchmarks/graph_speed.py --edges 200000 --push 50000

Edges are synthetic predictions between random entities with the full schema. The server's database should be empty.
Rates are by the wall clock. Exports are measured by `graph_exports.py`.
"""

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from relvm_kg_graph.bolt import Neo4jSettings
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.neo4j_store import Neo4jStore
from relvm_kg_graph.schema import ENTITY_SCHEMA, KNOWN_SCHEMA, PREDICTION_BATCH_SCHEMA, PredictionRun
from relvm_kg_graph.store import BaseGraph, GraphStore, write_predictions

ROWS = 50_000
RUN = PredictionRun(run_id="speed", model_id="synthetic", model_version="0", corpus_hash="none", simulated=True)
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


def entities(n: int) -> pa.RecordBatch:
    """Half genes, the rest diseases and chemicals."""
    genes = [(f"NCBIGene:{i}", "biolink:Gene") for i in range(n // 2)]
    others = [(f"MESH:D{i}", "biolink:Disease") for i in range(n // 4)]
    others += [(f"MESH:C{i}", "biolink:ChemicalEntity") for i in range(n // 4)]
    rows = [
        {"id": i, "name": f"name of {i}", "category": c, "synonyms": [], "n_documents": 1, "simulated": True}
        for i, c in genes + others
    ]
    return pa.RecordBatch.from_pylist(rows, schema=ENTITY_SCHEMA)


def predictions(n_edges: int, n_entities: int, seed: int = 7) -> Iterator[pa.RecordBatch]:
    """Disease-gene and chemical-gene pairs with random scores, every fifth with evidence."""
    random = np.random.default_rng(seed)
    for start in range(0, n_edges, ROWS):
        n = min(ROWS, n_edges - start)
        kind = random.integers(0, 2, n)
        other, gene = random.integers(0, n_entities // 4, n), random.integers(0, n_entities // 2, n)
        columns: dict[str, Any] = {
            "subject": [f"MESH:{'DC'[k]}{i}" for k, i in zip(kind, other, strict=True)],
            "object": [f"NCBIGene:{i}" for i in gene],
            "relation": [("DISEASE-GENE", "CHEMICAL-GENE")[k] for k in kind],
            **{name: random.random(n).astype(np.float32) for name in ("score", "raw_score", "uncertainty")},
            "rank": np.arange(start, start + n, dtype=np.int32),
            **{name: random.integers(0, 2, n).astype(bool) for name in ("seen", "known", "near_known", "general")},
            "training_prevalence": np.full(n, 0.25, np.float32),
            "evidence_ids": [[f"PMID:{start + i}#1", "PMID:9#0"] if i % 5 == 0 else [] for i in range(n)],
            "n_evidence": np.zeros(n, np.int32),
        }
        arrays = [pa.array(columns[field.name], field.type) for field in PREDICTION_BATCH_SCHEMA]
        yield pa.RecordBatch.from_arrays(arrays, schema=PREDICTION_BATCH_SCHEMA)


def known(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Every tenth of the first batches' pairs as known relations."""
    constants = {"predicate": "", "primary_knowledge_source": "synthetic", "publications": [], "simulated": True}
    for batch in batches:
        rows = [{**row, **constants} for row in batch.select(["subject", "object", "relation"]).to_pylist()[::10]]
        yield pa.RecordBatch.from_pylist(rows, schema=KNOWN_SCHEMA)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def fill(store: GraphStore, n_edges: int, n_entities: int) -> float:
    """Write a graph; returns the seconds that the predictions took."""
    base = BaseGraph(
        entities=[entities(n_entities)], known=known(predictions(n_edges // 4, n_entities)), simulated=True
    )
    store.write_base(base)
    return seconds(lambda: write_predictions(store, RUN, predictions(n_edges, n_entities)))


def statement_times(store: GraphStore) -> dict[str, float]:
    """Median milliseconds of each statement."""
    times = {}
    for name, text in STATEMENTS.items():
        statement = Statement(text, {key: value for key, value in IDS.items() if f"${key}" in text})
        repeats = 3 if "whole" in name or "all" in name else 7
        measured = [seconds(lambda s=statement: store.query(s, timeout=300)) for _ in range(repeats)]  # type: ignore[misc]
        times[name] = round(statistics.median(measured) * 1000, 2)
    return times


def main() -> None:
    """Measure and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=200_000)
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--push", type=int, default=0)
    options = parser.parse_args()
    results: dict[str, Any] = {"edges": options.edges}
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder) / "graph") as store:
        results["write rows/s"] = round(options.edges / fill(store, options.edges, options.entities))
        results["memory of writing, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        results["engine made, s"] = round(seconds(store.engine), 2)
        store.close()
        results["engine loaded, s"] = round(seconds(store.engine), 2)
        results["embedded, ms"] = statement_times(store)
    results["memory, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if "RELVM_KG_NEO4J_URI" in os.environ:
        with Neo4jStore(Neo4jSettings.from_environment()) as server:
            push = options.push or options.edges
            results["push rows/s"] = round(push / fill(server, push, options.entities))
            if push != options.edges:
                server.rollback(RUN.run_id)
                fill(server, options.edges, options.entities)
            results["neo4j, ms"] = statement_times(server)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
