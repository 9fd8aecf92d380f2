"""RELVM's part in a benchmark: a run of the workspace, scored on the corpus that it was trained on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from relvm_kg.benchmark.contender import ContenderFactory, TrainedContender, TrainingRecord
from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.report import BenchmarkReport
from relvm_kg.benchmark.run import run_benchmark
from relvm_kg.benchmark.settings import BenchmarkSettings, Entry
from relvm_kg.errors import WorkspaceError
from relvm_kg.progress import Progress
from relvm_kg.scoring.scorer import RelvmScorer
from relvm_kg.training.device import Device, torch_device
from relvm_kg.workspace import Workspace, atomic_path, read_json, write_json

RANKING_SAMPLES = 4
"""Draws of z a pair and order: a ranking scores every candidate of every query."""


def benchmark_run(
    workspace: Workspace, run_id: str | None, settings: BenchmarkSettings, device: Device, progress: Progress
) -> tuple[BenchmarkReport, Path]:
    """Compare a run with the other contenders on the pairs that its classifier did not see.

    Args:
        workspace: One with a corpus.
        run_id: A finished run; None takes the default one. Not needed if RELVM is not among the models.
        settings: What to compare; the seed of the split is the run's, since its classifier was trained with that.
        device: Where RELVM computes.
        progress: Told of training and ranking.

    Returns:
        The report, and the Markdown file that holds it (JSON beside it).

    Raises:
        WorkspaceError: if the run was trained on another corpus than the workspace's current one.
    """
    if Entry.RELVM not in settings.models and workspace.manifest.default_run is None and run_id is None:
        report = run_benchmark(workspace, run_id="none", settings=settings, progress=progress)
        return report, _write(workspace, "none", report)
    folder = workspace.run_dir(run_id)
    config = read_json(folder / "config.json")
    if config["corpus_hash"] != workspace.manifest.corpus_hash:
        raise WorkspaceError(
            f"a benchmark needs a model of the workspace's current corpus, run {folder.name!r} was trained on another "
            f"({config['corpus_hash'][:12]}); train again with relvm-kg train, or choose another run with --run"
        )
    split = replace(settings, split_seed=int(config["training"]["seed"]))
    contender = _factory(folder, device)
    report = run_benchmark(workspace, run_id=folder.name, settings=split, relvm=contender, progress=progress)
    return report, _write(workspace, folder.name, report)


def _write(workspace: Workspace, run_id: str, report: BenchmarkReport) -> Path:
    """Write the report as JSON and Markdown; returns the Markdown file."""
    folder = workspace.path / "benchmark"
    write_json(folder / f"{run_id}.json", report.as_dict())
    path = folder / f"{run_id}.md"
    with atomic_path(path) as temporary:
        temporary.write_text(report.markdown() + "\n", encoding="utf-8")
    return path


def _factory(folder: Path, device: Device) -> ContenderFactory:
    def load(data: BenchmarkData, progress: Progress) -> TrainedContender:
        scorer = RelvmScorer.load(folder, torch_device(device), RANKING_SAMPLES)
        report: dict[str, Any] = read_json(folder / "report.json")
        record = TrainingRecord(
            n_parameters=report["n_parameters"],
            best_validation=report["pair_classifier"]["validation_average_precision"],
            validation_figure="average precision",
            settings={
                "run": folder.name,
                "samples": RANKING_SAMPLES,
                "epochs": report["epochs"],
                "config": report["config"],
            },
        )
        return TrainedContender(scorer, record)

    return load
