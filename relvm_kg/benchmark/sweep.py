"""The sweep: variants of the representation, each trained for one budget and measured, results kept by hash."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

from relvm_kg.benchmark.columns.evaluate import Evaluation, evaluate_representations
from relvm_kg.benchmark.columns.files import MANIFEST, load_columns
from relvm_kg.benchmark.columns.lineup import load_floors, model_representations
from relvm_kg.benchmark.columns.settings import Stage
from relvm_kg.benchmark.columns.words import SentenceWords
from relvm_kg.benchmark.sweep_worker import SCORES
from relvm_kg.benchmark.variants import VARIANTS, Budget, Variant
from relvm_kg.config import settings_to_mapping
from relvm_kg.errors import InvalidInputError, RelvmKgError
from relvm_kg.files import read_json, write_json
from relvm_kg.model.relvm import Relvm
from relvm_kg.progress import Progress
from relvm_kg.training.data import load_corpus
from relvm_kg.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class SweepPlace:
    """Where a sweep reads and writes."""

    workspace: Workspace
    columns: Path
    """Folder of the columns."""
    results: Path
    """One JSON file for each result."""
    runs: Path
    """Weights and states, to resume from."""
    stages: tuple[Stage, ...] = (Stage.VALIDATION,)
    """On which rows variants are measured. Test rows are for settings that are chosen, not to choose by."""


@dataclass(frozen=True, kw_only=True)
class SweepJob:
    """One variant from one seed."""

    variant: Variant
    seed: int
    digest: str

    @property
    def title(self) -> str:
        """Name of its files."""
        return f"{self.variant.name}-{self.seed}-{self.digest}"


def sweep_jobs(place: SweepPlace, variants: Sequence[Variant], budget: Budget, seeds: Sequence[int]) -> list[SweepJob]:
    """The jobs of a sweep, seed by seed."""
    corpus_hash = place.workspace.manifest.corpus_hash or ""
    settled = [variant.with_budget(budget, seed) for seed in seeds for variant in variants]
    return [SweepJob(variant=one, seed=one.training.seed, digest=one.digest(corpus_hash)) for one in settled]


def run_sweep(place: SweepPlace, jobs: Sequence[SweepJob], n_processes: int, progress: Progress) -> list[Path]:
    """Train and measure what has no result yet, several variants at a time, each on one thread.

    A variant that was interrupted goes on from its last checkpoint.

    Args:
        place: Where to read and write.
        jobs: What to train.
        n_processes: Variants at a time.
        progress: Told of each variant.

    Returns:
        Files of all results, in the order of the jobs.

    Raises:
        InvalidInputError: if the folder of the columns holds none.
        RelvmKgError: if a variant fails, with its last words; the others finish first.
    """
    place.runs.mkdir(parents=True, exist_ok=True)
    place.results.mkdir(parents=True, exist_ok=True)
    paths = [place.results / f"{job.title}.json" for job in jobs]
    if not (place.columns / MANIFEST).is_file():
        raise InvalidInputError(f"{place.columns} must be a folder that `relvm-kg test-pairs` wrote, has no {MANIFEST}")
    pairs = read_json(place.columns / MANIFEST)["sha256"]
    missing = [(job, path) for job, path in zip(jobs, paths, strict=True) if not _is_measured(place, path, pairs)]
    failures: list[str] = []
    with progress.task("variants", len(jobs), "variant", len(jobs) - len(missing)) as task, ExitStack() as stack:
        running: dict[str, subprocess.Popen[str]] = {}
        waiting = list(reversed(missing))
        while waiting or running:
            while waiting and len(running) < n_processes:
                job, path = waiting.pop()
                log = stack.enter_context((place.runs / f"{job.title}.log").open("w"))
                running[job.title] = _start(place, job, path, log)
                progress.say(f"training {job.title}")
            for title, code in list(_ended(running)):
                del running[title]
                task.advance()
                if code:
                    failures.append(f"{title} ended with exit code {code}: {_last_line(place.runs / f'{title}.log')}")
            time.sleep(0.2)
    if failures:
        raise RelvmKgError("; ".join(failures))
    return paths


def measure_floors(place: SweepPlace, stage: Stage, progress: Progress) -> dict[str, Any]:
    """Figures of the floors and of `default` without training on the rows of a stage; measured once."""
    corpus = load_corpus(place.workspace.corpus_dir)
    columns = load_columns(place.columns, corpus.entities["id"].to_pylist())
    path = place.results / f"floors-{stage.value}.json"
    kept: dict[str, Any] = read_json(path) if path.is_file() else {}
    if kept.get("columns") == columns.sha256:
        return kept
    config = VARIANTS["default"].model
    start = torch.from_numpy(corpus.start_vectors(config))
    untrained = Relvm.started(config, len(corpus.types), len(corpus.vocabulary), 0, start).eval()
    floors = load_floors(corpus.folder)
    words = SentenceWords(folder=corpus.folder, corpus_hash=columns.corpus_hash)
    entrants = [*floors.counts(), words, *floors.profiles(), *model_representations("untrained", untrained)]
    evaluation = Evaluation(columns=columns, stage=stage, folder=place.runs / SCORES)
    measured = evaluate_representations(evaluation, entrants, progress)
    write_json(path, measured)
    return measured


def _is_measured(place: SweepPlace, path: Path, pairs: str) -> bool:
    result = read_json(path) if path.is_file() else {}
    return all((result.get(stage.value) or {}).get("columns") == pairs for stage in place.stages)


def _start(place: SweepPlace, job: SweepJob, path: Path, log: IO[str]) -> "subprocess.Popen[str]":
    order = {
        "workspace": str(place.workspace.path.resolve()),
        "columns": str(place.columns.resolve()),
        "run": str((place.runs / job.title).resolve()),
        "result": str(path.resolve()),
        "stages": [stage.value for stage in place.stages],
        "name": job.variant.name,
        "model": settings_to_mapping(job.variant.model),
        "training": settings_to_mapping(job.variant.training),
    }
    command = [sys.executable, "-m", "relvm_kg.benchmark.sweep_worker", json.dumps(order)]
    return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True)  # noqa: S603  our own module


def _ended(running: dict[str, "subprocess.Popen[str]"]) -> Iterator[tuple[str, int]]:
    for title, child in running.items():
        code = child.poll()
        if code is not None:
            yield title, code


def _last_line(path: Path) -> str:
    return (path.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
