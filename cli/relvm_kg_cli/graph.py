"""`relvm-kg graph`: prediction runs and copies between the workspace and a Neo4j server."""

from typing import TYPE_CHECKING

import click

from relvm_kg_cli.graph_draw import draw
from relvm_kg_cli.options import WithServer, epilog, open_place, open_workspace, server_of, with_console, with_neo4j
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.graph import Transfer


@click.group(epilog=epilog("relvm-kg graph status"))
def graph() -> None:
    """See and remove prediction runs; copy to and from Neo4j."""


graph.add_command(draw)


@graph.command(
    cls=WithServer,
    epilog=epilog(
        "relvm-kg graph status --neo4j",
        "store, entities, known, comentions, predictions, runs (each: run_id, complete, predictions, model, "
        "created_at, calibrated, simulated), corpus_hash, simulated",
    ),
)
@with_neo4j
@with_console
def status(console: Console, *, neo4j: str | None) -> None:
    """Show what the graph holds: entities, edges by type, prediction runs."""
    from relvm_kg.pipeline.graph import graph_status

    found = graph_status(open_place(console, neo4j))
    counts = {name: getattr(found.counts, name) for name in ("entities", "known", "comentions", "predictions")}
    columns = ("run_id", "complete", "predictions", "model", "created_at", "calibrated", "simulated")
    runs = [
        (
            stored.run.run_id,
            stored.complete,
            stored.n_predictions,
            stored.run.model_id,
            stored.run.created_at,
            stored.run.calibrated,
            stored.run.simulated,
        )
        for stored in found.runs
    ]
    if console.as_json:
        rows = [dict(zip(columns, run, strict=True)) for run in runs]
        told = {"corpus_hash": found.corpus_hash, "simulated": found.simulated}
        console.document({"store": found.store, **counts, "runs": rows, **told})
        return
    for name, n in counts.items():
        console.line(f"{name:<14}{n:,}")
    console.line(f"{'simulated':<14}{str(found.simulated).lower()}")
    if runs:
        console.line()
        console.table(columns, runs)
        for stored in found.runs:
            if not stored.complete:
                console.say(f"{stored.run.run_id} is not whole; the same relvm-kg predict command goes on with it")
    else:
        console.say("no prediction run yet: relvm-kg predict")


@graph.command(cls=WithServer, epilog=epilog("relvm-kg graph rollback default-x-small-1a2b3c4d", "run_id, removed."))
@click.argument("run_id", metavar="RUN")
@with_neo4j
@with_console
def rollback(console: Console, *, run_id: str, neo4j: str | None) -> None:
    """Remove the prediction run RUN as a whole."""
    from relvm_kg.pipeline.graph import roll_back

    removed = roll_back(open_place(console, neo4j), run_id)
    if console.as_json:
        console.document({"run_id": run_id, "removed": removed})
        return
    console.line(f"removed {removed:,} predictions of {run_id}")


@graph.command(
    cls=WithServer,
    epilog=epilog(
        "relvm-kg graph push --neo4j bolt://localhost:7687",
        "base, runs, runs_before, entities, known, comentions, predictions.",
    ),
)
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this prediction run; repeatable.")
@with_neo4j
@with_console
def push(console: Console, *, runs: tuple[str, ...], neo4j: str | None) -> None:
    """Copy the workspace's graph to the Neo4j server; prediction runs that it has already stay as they are."""
    from relvm_kg.pipeline.graph import push_graph

    workspace, server = open_workspace(console), server_of(neo4j)
    _print_transfer(console, push_graph(workspace, server, runs or None, console.progress))


@graph.command(
    cls=WithServer,
    epilog=epilog(
        "relvm-kg graph pull --neo4j bolt://localhost:7687",
        "base, runs, runs_before, entities, known, comentions, predictions.",
    ),
)
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only this prediction run; repeatable.")
@with_neo4j
@with_console
def pull(console: Console, *, runs: tuple[str, ...], neo4j: str | None) -> None:
    """Copy prediction runs from the Neo4j server to the workspace.

    Entities, known relations and co-mentions come along only if the workspace has no graph yet.
    """
    from relvm_kg.pipeline.graph import pull_graph

    workspace, server = open_workspace(console), server_of(neo4j)
    _print_transfer(console, pull_graph(workspace, server, runs or None, console.progress))


def _print_transfer(console: Console, done: "Transfer") -> None:
    counts = {name: getattr(done.counts, name) for name in ("entities", "known", "comentions", "predictions")}
    if console.as_json:
        console.document({"base": done.base, "runs": done.runs, "runs_before": done.runs_before, **counts})
        return
    console.line(f"{'copied':<14}{'entities, known relations, co-mentions' if done.base else 'prediction runs only'}")
    console.line(f"{'runs':<14}{', '.join(done.runs) or 'none new'}")
    if done.runs_before:
        console.line(f"{'there before':<14}{', '.join(done.runs_before)}")
    for name, n in counts.items():
        console.line(f"{name:<14}{n:,}")
