"""Synthetic predictions between random entities, with all properties: what the benchmarks of the graph measure on."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from relvm_kg_graph.schema import ENTITY_SCHEMA, KNOWN_SCHEMA, PREDICTION_BATCH_SCHEMA, PredictionRun
from relvm_kg_graph.store import BaseGraph, GraphStore, write_predictions

ROWS = 50_000


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


def fill(store: GraphStore, n_edges: int, n_entities: int, names: Sequence[str] = ("synthetic",)) -> None:
    """Write a graph: the predictions shared out evenly among runs, every tenth pair of a quarter of them known."""
    base = BaseGraph(
        entities=[entities(n_entities)], known=known(predictions(n_edges // 4, n_entities)), simulated=True
    )
    store.write_base(base)
    for seed, name in enumerate(names):
        run = PredictionRun(run_id=name, model_id="synthetic", model_version="0", corpus_hash="none", simulated=True)
        write_predictions(store, run, predictions(n_edges // len(names), n_entities, seed))
