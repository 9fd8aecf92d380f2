"""What a workspace holds: the account of its corpus, its model runs, its graph."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relvm_kg.errors import WorkspaceError
from relvm_kg.pipeline.account import BuildAccount
from relvm_kg.workspace import Workspace, WorkspaceManifest, read_json
from relvm_kg_graph.embedded import EmbeddedStore

CONFIG, REPORT, TRACE = "config.json", "report.json", "trace.jsonl"
HEALTH, LANGUAGE_MODEL, PICTURES = "health.json", "language-model.json", "report"


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    """One model run of a workspace."""

    run_id: str
    is_default: bool
    is_finished: bool
    step: int | None
    """Training step that the trace reached."""
    created_at: str | None = None
    preset: str | None = None
    hidden: int | None = None
    is_stale: bool | None = None
    """Whether the corpus changed since; None without a corpus, or while the run is unfinished."""
    carries_pair: bool | None = None
    """Whether both one-sided shuffled-pair gaps are above zero; None if they were not measured."""
    pair_share: float | None = None
    """Share of Var(z) that the pair explains."""
    active_units: int | None = None
    """Dimensions of u that a sentence moves; at 0 the representation knows the pair only, not the sentence."""
    gap_head: float | None = None
    gap_tail: float | None = None
    validation_average_precision: float | None = None
    """Of the pair classifier."""
    simulated: bool | None = None


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """Everything that was measured of one run; an unfinished or collapsed one has what it came to."""

    run: RunInfo
    health: dict[str, Any] | None
    language_model: dict[str, Any] | None
    """The language model that the bound is read beside."""
    pair_classifier: dict[str, Any] | None
    mention_classifier: dict[str, Any] | None
    last_trace: dict[str, float] | None
    pictures: tuple[str, ...]
    """Relative to the run's folder, `runs/RUN`."""

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class GraphInfo:
    """Rows of the workspace's graph."""

    entities: int
    known: int
    comentions: int
    predictions: int
    prediction_runs: tuple[str, ...]
    """Whole ones, newest first."""
    unfinished_runs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WorkspaceInfo:
    """Everything that `relvm-kg info` shows."""

    path: Path
    manifest: WorkspaceManifest
    account: BuildAccount | None
    runs: tuple[RunInfo, ...]
    graph: GraphInfo | None

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "path": str(self.path),
            "corpus_hash": self.manifest.corpus_hash,
            "default_run": self.manifest.default_run,
            "simulated": self.manifest.simulated or any(run.simulated for run in self.runs),
            "account": None if self.account is None else asdict(self.account),
            "runs": [asdict(run) for run in self.runs],
            "graph": None if self.graph is None else asdict(self.graph),
        }


def workspace_info(workspace: Workspace) -> WorkspaceInfo:
    """Look at a workspace; loads no model.

    Raises:
        WorkspaceError: if it is none.
    """
    manifest = workspace.manifest
    account = None
    if manifest.generation is not None:
        account = BuildAccount.load(workspace.corpus_dir / "account.json")
    folders = sorted(p for p in workspace.runs_dir.glob("*") if p.is_dir() and not p.name.startswith("."))
    return WorkspaceInfo(
        path=workspace.path,
        manifest=manifest,
        account=account,
        runs=tuple(describe_run(folder, manifest) for folder in folders),
        graph=_graph(workspace),
    )


def use_run(workspace: Workspace, run_id: str) -> WorkspaceInfo:
    """Make a finished run the default.

    Raises:
        WorkspaceError: if there is no such run, or another process writes to the workspace.
    """
    with workspace.lock():
        workspace.run_dir(run_id)
        workspace.update_manifest(default_run=run_id)
    return workspace_info(workspace)


def run_figures(workspace: Workspace, run_id: str) -> RunFigures:
    """All figures of one run, finished or not; loads no model.

    Raises:
        WorkspaceError: if there is no such run.
    """
    folder = workspace.runs_dir / run_id
    if not folder.is_dir():
        there = sorted(p.name for p in workspace.runs_dir.glob("*") if p.is_dir() and not p.name.startswith("."))
        raise WorkspaceError(f"no run {run_id!r}; there are: {', '.join(there) or 'none'}")

    def stored(name: str) -> dict[str, Any] | None:
        values: dict[str, Any] | None = read_json(folder / name) if (folder / name).is_file() else None
        return values

    report = stored(REPORT) or {"health": stored(HEALTH), "language_model": stored(LANGUAGE_MODEL)}
    health = report.get("health")
    if health is not None:
        health = {name: value for name, value in health.items() if name != "kl_by_unit"}
    return RunFigures(
        run=describe_run(folder, workspace.manifest),
        health=health,
        language_model=report.get("language_model"),
        pair_classifier=report.get("pair_classifier"),
        mention_classifier=report.get("mention_classifier"),
        last_trace=_last_line(folder),
        pictures=tuple(f"{PICTURES}/{path.name}" for path in sorted((folder / PICTURES).glob("*.svg"))),
    )


def describe_run(folder: Path, manifest: WorkspaceManifest) -> RunInfo:
    """What a run's files say of it."""
    is_default = folder.name == manifest.default_run
    if not (folder / CONFIG).is_file():
        return RunInfo(run_id=folder.name, is_default=is_default, is_finished=False, step=_last_step(folder))
    config = read_json(folder / CONFIG)
    report = read_json(folder / REPORT) if (folder / REPORT).is_file() else {}
    health, pair = report.get("health") or {}, report.get("pair_classifier") or {}
    return RunInfo(
        run_id=folder.name,
        is_default=is_default,
        is_finished=True,
        step=report.get("steps"),
        created_at=config["created_at"],
        preset=config["preset"],
        hidden=config["model"]["hidden"],
        is_stale=None if manifest.corpus_hash is None else config["corpus_hash"] != manifest.corpus_hash,
        carries_pair=health.get("carries_pair"),
        pair_share=health.get("pair_share"),
        active_units=health.get("active_units"),
        gap_head=(health.get("gap_head") or {}).get("mean"),
        gap_tail=(health.get("gap_tail") or {}).get("mean"),
        validation_average_precision=pair.get("validation_average_precision"),
        simulated=config["simulated"],
    )


def _last_step(folder: Path) -> int | None:
    """The step of the last whole line of the trace."""
    line = _last_line(folder)
    return None if line is None else int(line["step"])


def _last_line(folder: Path) -> dict[str, float] | None:
    """The last whole line of the trace."""
    path = folder / TRACE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    whole = [line for line in lines if line.endswith("}")]
    return dict(json.loads(whole[-1])) if whole else None


def _graph(workspace: Workspace) -> GraphInfo | None:
    if not (workspace.graph_dir / "graph.json").is_file():
        return None
    with EmbeddedStore(workspace.graph_dir) as store:
        counts, runs = store.counts(), store.runs()
    return GraphInfo(
        entities=counts.entities,
        known=counts.known,
        comentions=counts.comentions,
        predictions=counts.predictions,
        prediction_runs=tuple(stored.run.run_id for stored in runs if stored.complete),
        unfinished_runs=tuple(stored.run.run_id for stored in runs if not stored.complete),
    )
