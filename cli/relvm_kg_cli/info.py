"""`relvm-kg info`."""

from typing import TYPE_CHECKING, Any

import click

from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.run_info import RunFigures, RunInfo, WorkspaceInfo

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
        "(entities, known, comentions, predictions, prediction_runs, unfinished_runs); of a RUN: run, health, "
        "language_model, pair_classifier, mention_classifier, last_trace, pictures",
    )
)
@click.argument("run_name", metavar="[RUN]", required=False)
@click.option("--use", "run_id", metavar="RUN", help="Make this finished run the default.")
@with_console
def info(console: Console, *, run_name: str | None, run_id: str | None) -> None:
    """Show what a workspace holds, or all figures of one RUN.

    The account of its corpus, its model runs and their health, its graph.
    """
    from relvm_kg.pipeline.run_info import run_figures, use_run, workspace_info

    workspace = open_workspace(console)
    if run_name is not None:
        if run_id is not None:
            raise click.UsageError("give a RUN to look at, or --use RUN, not both")
        _show_run(console, run_figures(workspace, run_name))
        return
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


def _show_run(console: Console, figures: "RunFigures") -> None:
    """All figures of one run, and the names of its pictures."""
    from relvm_kg.pipeline.health_text import health_rows

    if console.as_json:
        console.document(figures.as_mapping())
        return
    run, pair, mention = figures.run, figures.pair_classifier, figures.mention_classifier
    rows = [
        ("run", f"{run.run_id}, {'default, ' if run.is_default else ''}{_state(run)}"),
        ("trained", f"{run.step or 0:,} steps{f', finished {run.created_at}' if run.created_at else ''}"),
        *(health_rows(figures.health, figures.language_model) if run.is_finished or figures.health else ()),
        ("pair classifier", _classifier(pair)),
        ("mention classifier", _classifier(mention)),
        ("pictures", ", ".join(f"runs/{run.run_id}/{name}" for name in figures.pictures) or "none"),
    ]
    for label, text in rows:
        console.line(f"{label:<24}{text}")


def _classifier(report: dict[str, Any] | None) -> str:
    if report is None:
        return "none"
    precision, prevalence = report["validation_average_precision"], report["validation_prevalence"]
    return f"average precision {precision:.3f} on validation, prevalence {prevalence:.3f}"


def _state(run: "RunInfo") -> str:
    return "stale" if run.is_stale else "finished" if run.is_finished else f"unfinished, step {run.step}"


def _run_row(run: "RunInfo") -> tuple[object, ...]:
    return (
        run.run_id,
        "*" if run.is_default else "",
        _state(run),
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
