"""Run a benchmark over a workspace: every contender trained (or kept from before), evaluated once, put in one table."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from relvm_kg.benchmark.contender import Contender, ContenderFactory, TrainedContender, TrainingRecord
from relvm_kg.benchmark.data import BenchmarkData, load_benchmark_data
from relvm_kg.benchmark.evaluator import Evaluation, evaluate
from relvm_kg.benchmark.floors import comention_count, comention_npmi, degree_product, entity_rate
from relvm_kg.benchmark.kge_process import evaluate_embedding
from relvm_kg.benchmark.kge_settings import KgeModel
from relvm_kg.benchmark.leakage import check_leakage
from relvm_kg.benchmark.report import BenchmarkReport, make_report
from relvm_kg.benchmark.settings import BenchmarkSettings, Entry
from relvm_kg.encoding.profiles import load_profiles
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Progress, Silent
from relvm_kg.workspace import Workspace, file_sha256, read_json, write_json

CACHE_VERSION = 1
"""Part of the cache's key: raised whenever tests, metrics or training change."""


_SIMPLE: Mapping[Entry, ContenderFactory] = {
    Entry.ENTITY_RATE: entity_rate,
    Entry.COMENTION_COUNT: comention_count,
    Entry.COMENTION_NPMI: comention_npmi,
    Entry.DEGREE_PRODUCT: degree_product,
}


def run_benchmark(
    workspace: Workspace,
    *,
    run_id: str,
    settings: BenchmarkSettings,
    relvm: Contender | ContenderFactory | None = None,
    progress: Progress | None = None,
) -> BenchmarkReport:
    """Compare contenders on the test pairs of a workspace's current corpus.

    A finished contender's result is kept in `benchmark/<key>/` of the workspace, where an interrupted or repeated
    benchmark finds it; the report is written beside it as JSON and Markdown.

    Args:
        workspace: A workspace with a corpus.
        run_id: The run that `relvm` scores with; part of its result's name.
        settings: What to compare.
        relvm: The RELVM contender, or a function that makes it; needed if `Entry.RELVM` is among the models.
        progress: Told of training and ranking.

    Raises:
        InvalidInputError: if training and test pairs overlap, or RELVM is to take part and is not given.
        WorkspaceError: if the workspace has no corpus or no test relations.
    """
    if Entry.RELVM in settings.models and relvm is None:
        raise InvalidInputError("a benchmark with RELVM needs its contender; give relvm, or leave RELVM out of models")
    told = progress or Silent()
    data = load_benchmark_data(workspace, settings.split_seed)
    leakage = check_leakage(data)
    folder = workspace.path / "benchmark" / cache_key(data, settings)
    evaluations = []
    for entry in settings.models:
        path = folder / f"{_file_name(entry, workspace, run_id)}.json"
        if path.is_file():
            told.say(f"{entry.value}: kept from an earlier run")
            evaluations.append(Evaluation.from_dict(read_json(path)))
            continue
        if entry.value in set(KgeModel):
            how = settings.embedding(KgeModel(entry.value))
            finished = evaluate_embedding(workspace, settings.split_seed, how, told)
        else:
            finished = evaluate(_factory(entry, workspace, settings, relvm)(data, told), data, told)
        write_json(path, finished.as_dict())
        evaluations.append(finished)
    report = make_report(evaluations, data, leakage, settings)
    write_json(folder / f"report-{run_id}.json", report.as_dict())
    (folder / f"report-{run_id}.md").write_text(report.markdown() + "\n", encoding="utf-8")
    return report


def cache_key(data: BenchmarkData, settings: BenchmarkSettings) -> str:
    """Names the results that may be shared: same corpus, pairs, budget, seeds, device and version of this module."""
    parts = {
        "version": CACHE_VERSION,
        "corpus": data.corpus_hash,
        "tests": data.positives.part(Split.TEST).keys(data.n_entities).tolist(),
        "seconds": settings.seconds_per_model,
        "seeds": [settings.seed, settings.split_seed],
        "device": settings.device,
        "embeddings": [asdict(e) for e in settings.embeddings],
        "profiles": asdict(settings.profiles),
    }
    return hashlib.sha1(json.dumps(parts).encode()).hexdigest()[:12]


def _file_name(entry: Entry, workspace: Workspace, run_id: str) -> str:
    if entry is Entry.RELVM:
        return f"relvm-{run_id}-{_weights_hash(workspace, run_id)}"
    return entry.value.replace(" + ", "-").replace(" ", "-").lower()


def _factory(
    entry: Entry, workspace: Workspace, settings: BenchmarkSettings, relvm: Contender | ContenderFactory | None
) -> ContenderFactory:
    if entry is Entry.RELVM:
        assert relvm is not None
        return _as_factory(relvm)
    if entry in (Entry.TEXT_PROFILE, Entry.COMENTION_PROFILE):
        from relvm_kg.benchmark.profile_floor import profile_floor

        column = 0 if entry is Entry.TEXT_PROFILE else 1
        how = replace(settings.profiles, seed=settings.seed, device=settings.device)
        return profile_floor(entry.value, lambda: load_profiles(workspace.corpus_dir)[column], how)
    return _SIMPLE[entry]


def _as_factory(relvm: Contender | ContenderFactory) -> ContenderFactory:
    if callable(relvm):
        return relvm
    return lambda data, progress: TrainedContender(relvm, TrainingRecord())


def _weights_hash(workspace: Workspace, run_id: str) -> str:
    """Tells two trainings under one run id apart."""
    files = sorted((workspace.runs_dir / run_id).glob("*.safetensors"))
    return hashlib.sha1("".join(file_sha256(f) for f in files).encode()).hexdigest()[:8]
