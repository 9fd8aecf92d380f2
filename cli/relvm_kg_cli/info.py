"""`relvm-kg info`."""

from typing import TYPE_CHECKING

import click

from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.run_info import RunInfo, WorkspaceInfo

_COLUMNS = (
    "run",
    "default",
    "state",
    "trained",
    "carries pair",
    "pair share",
    "gap head",
    "gap tail",
    "active units",
    "pair AP",
)


@click.command(
    epilog=epilog(
        "relvm-kg info --workspace W",
        "path, corpus_hash, default_run, simulated, account, runs (each: run_id, is_default, is_finished, is_stale, "
        "carries_pair, pair_share, active_units, gap_head, gap_tail, validation_average_precision, ...), graph "
        "(entities, known, comentions, predictions, prediction_runs, unfinished_runs)",
    )
)
@click.option("--use", "run_id", metavar="RUN", help="Make this finished run the default.")
@with_console
def info(console: Console, *, run_id: str | None) -> None:
    """Show what a workspace holds.

    The account of its corpus, its model runs and their health, its graph.
    """
    from relvm_kg.pipeline.run_info import use_run, workspace_info

    workspace = open_workspace(console)
    found = workspace_info(workspace) if run_id is None else use_run(workspace, run_id)
    if console.as_json:
        console.document(found.as_mapping())
        return
    console.line(f"{'workspace':<16}{found.path}")
    for line in found.account.lines() if found.account is not None else ["corpus          none"]:
        console.line(line)
    console.line()
    console.table(_COLUMNS, [_run_row(run) for run in found.runs])
    console.line()
    for line in _graph_lines(found):
        console.line(line)
    if any(run.is_default and run.is_stale for run in found.runs):
        console.say(
            "the default run is stale: the corpus changed since it was trained; relvm-kg train trains a new one"
        )
    if not found.runs:
        console.say("no model yet: relvm-kg train")


def _run_row(run: "RunInfo") -> tuple[object, ...]:
    state = "stale" if run.is_stale else "finished" if run.is_finished else f"unfinished, step {run.step}"
    return (
        run.run_id,
        "*" if run.is_default else "",
        state,
        run.created_at,
        run.carries_pair,
        run.pair_share,
        run.gap_head,
        run.gap_tail,
        run.active_units,
        run.validation_average_precision,
    )


def _graph_lines(found: "WorkspaceInfo") -> list[str]:
    if found.graph is None:
        return [f"{'graph':<16}none"]
    graph = found.graph
    counts = f"{graph.entities:,} entities, {graph.known:,} known relations, {graph.comentions:,} co-mentioned pairs"
    lines = [
        f"{'graph':<16}{counts}",
        f"{'predictions':<16}{graph.predictions:,} in {len(graph.prediction_runs):,} runs",
    ]
    lines += [f"{'':<16}{name}" for name in graph.prediction_runs]
    lines += [
        f"{'':<16}{name} (unfinished: predict again, or relvm-kg graph rollback)" for name in graph.unfinished_runs
    ]
    return lines
