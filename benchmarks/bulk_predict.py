"""Bulk prediction: pairs a second, the share of the raw scoring speed that is kept, and memory.

    python benchmarks/bulk_predict.py --workspace W --out bulk_predict.json
    python benchmarks/bulk_predict.py --quick

A model of random weights over the entities of a built workspace, which is only read. All scored pairs are kept
(`--top 0`), so that every one becomes a row with what is known of it and its evidence. Raw is the same scorer over the
same pairs in the same blocks, and nothing else. The two take turns, entity by entity, so that whatever else the machine
does falls on both; `by processor` compares the process's own seconds. Memory is that of processes that only predict.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=4096")

import numpy as np
import pyarrow as pa
import torch
from random_model import random_scorer
from round_robin import machine

from relvm_kg.corpus.simulated import SMALL_WORLD, simulate, write_world
from relvm_kg.model.checkpoint import EntityTable
from relvm_kg.model.presets import Preset, Size
from relvm_kg.pipeline.build import BuildSettings, build_workspace
from relvm_kg.pipeline.predict import Plan, PredictRequest, score_here
from relvm_kg.pipeline.predict_rows import RowMaker
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Silent
from relvm_kg.scoring.scorer import RelvmScorer, Scores
from relvm_kg.types import Relation
from relvm_kg.workspace import Workspace
from relvm_kg_graph.embedded import EmbeddedStore

MILLION = 1_000_000
MEMORY = (MILLION, 10 * MILLION)


class RandomSession(Session):
    """A workspace with a model of random weights."""

    def _load_scorer(self) -> RelvmScorer:
        has_text = pa.array(self.catalogue.n_training_sentences > 0)
        columns = {"id": self.catalogue.table["id"], "type": self.catalogue.table["type"], "has_text": has_text}
        return random_scorer(Size.X_SMALL, Preset.DEFAULT, EntityTable(pa.table(columns)))


@dataclass
class Timed:
    """A scorer that scores every block twice and counts the time of the second, which is the raw speed."""

    scorer: RelvmScorer
    wall: float = 0.0
    processor: float = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.scorer, name)

    def score(self, heads: np.ndarray, tails: np.ndarray) -> Scores:
        """See `RelvmScorer.score`."""
        wall, processor = time.perf_counter(), time.process_time()
        self.scorer.score(heads, tails)
        self.wall += time.perf_counter() - wall
        self.processor += time.process_time() - processor
        return self.scorer.score(heads, tails)


def own_workspace(source: Path, place: Path) -> Workspace:
    """A workspace that reads another's corpus and writes a graph of its own."""
    (place / "graph").mkdir(parents=True)
    (place / "workspace.json").write_bytes((source / "workspace.json").read_bytes())
    (place / "corpus").symlink_to((source / "corpus").resolve())
    for name in ("graph.json", "nodes.parquet", "known.parquet", "comentions.parquet"):
        (place / "graph" / name).symlink_to((source / "graph" / name).resolve())
    return Workspace.open(place)


def small_workspace(place: Path) -> Path:
    """A workspace of the small simulated world."""
    write_world(simulate(SMALL_WORLD, seed=0), place / "files")
    relations = [str(place / "files" / "relations.tsv")]
    texts = [str(place / "files" / "literature.jsonl.gz")]
    names = place / "files" / "names.tsv"
    build_workspace(place / "built", texts, relations, names=names, settings=BuildSettings(), progress=Silent())
    return place / "built"


def plan_of(workspace: Workspace, samples: int, n_pairs: int) -> Plan:
    """The first parts of all diseases with all genes, as many as hold the pairs."""
    request = PredictRequest(relations=(Relation.DISEASE_GENE,), min_documents=1, top=0, samples=samples)
    plan = Plan.of(RandomSession(workspace), request)
    sizes = np.cumsum([plan.n_pairs(index) for index in range(len(plan.parts))])
    return replace(plan, parts=plan.parts[: int(np.searchsorted(sizes, n_pairs)) + 1])


def write(plan: Plan, parts: Any) -> dict[str, float]:
    """Write parts as `predict` does; rows and bytes."""
    folder = plan.session.workspace.graph_dir / "predictions" / plan.run.run_id
    with EmbeddedStore(plan.session.workspace.graph_dir) as store:
        writer = store.prediction_writer(plan.run)
        for index, rows in parts:
            writer.write_part(index, rows)
        stored = writer.finish(len(plan.parts))
        n_bytes = sum(file.stat().st_size for file in folder.glob("part-*.parquet"))
        store.rollback(plan.run.run_id)
    return {"rows": stored.n_predictions, "parts": len(plan.parts), "bytes a row": n_bytes / stored.n_predictions}


def share_kept(workspace: Workspace, samples: int, n_pairs: int) -> dict[str, Any]:
    """How much of the raw scoring speed is left when rows are made and written."""
    plan = plan_of(workspace, samples, n_pairs)
    timed = Timed(plan.row_maker().scorer)
    maker = RowMaker(plan.session, timed, plan.request.keep)  # type: ignore[arg-type]
    maker.rows(replace(plan.parts[0], anchors=plan.parts[0].anchors[:2]))
    timed.wall = timed.processor = 0.0
    wall, processor = time.perf_counter(), time.process_time()
    written = write(plan, ((index, maker.rows(part)) for index, part in enumerate(plan.parts)))
    wall, processor = time.perf_counter() - wall - timed.wall, time.process_time() - processor - timed.processor
    n = sum(plan.n_pairs(index) for index in range(len(plan.parts)))
    return {
        "samples": samples,
        "pairs": n,
        **written,
        "pairs a second": n / wall,
        "raw pairs a second": n / timed.wall,
        "pairs a processor second": n / processor,
        "share of raw": timed.wall / wall,
        "share of raw, by processor": timed.processor / processor,
    }


def memory(workspace: Path, n_pairs: int) -> dict[str, Any]:
    """Peak of a process of its own that scores so many pairs by one draw and writes them."""
    threads = str(torch.get_num_threads())
    command = [sys.executable, __file__, "--workspace", str(workspace), "--only", str(n_pairs), "--threads", threads]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def only(workspace: Workspace, n_pairs: int) -> dict[str, Any]:
    """What `memory` asks its process to do."""
    plan = plan_of(workspace, 1, n_pairs)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    written = write(plan, score_here(plan, range(len(plan.parts)), Silent().task("", None)))
    n = sum(plan.n_pairs(index) for index in range(len(plan.parts)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.perf_counter() - started
    return {"pairs": n, **written, "peak MB": peak / 1024, "MB before": before / 1024, "seconds": seconds}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, help="a built workspace; a small simulated one if not given")
    parser.add_argument("--pairs", type=int, default=10 * MILLION, help="pairs by 8 draws, and by 1")
    parser.add_argument("--threads", type=int, default=2, help="that PyTorch computes with")
    parser.add_argument("--quick", action="store_true", help="few pairs")
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    parser.add_argument("--only", type=int, help="predict so many pairs by one draw, and tell the peak of memory")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        source = given.workspace or small_workspace(Path(folder) / "world")
        workspace = own_workspace(source, Path(folder) / "own")
        if given.only:
            print(json.dumps(only(workspace, given.only), indent=2))
            return
        n_pairs = min(given.pairs, 1000) if given.quick else given.pairs
        figures = {
            "machine": machine(),
            "share": [share_kept(workspace, samples, n_pairs) for samples in (8, 1)],
            "memory": [memory(source, 1000 if given.quick else n) for n in MEMORY],
        }
    print(json.dumps(figures, indent=2))
    if given.out:
        given.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
