"""`relvm-kg quickstart`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relvm_kg_cli.options import epilog, with_console
from relvm_kg_cli.output import Console
from relvm_kg_cli.progress_bars import duration
from relvm_kg_cli.tour import show_next, show_tour

if TYPE_CHECKING:
    from relvm_kg.pipeline.quickstart import QuickstartReport


@click.command(
    epilog=epilog(
        "relvm-kg quickstart",
        "simulated, folder, workspace, account, training, held_out_auc, n_held_out, prediction_run, "
        "n_predictions, ranking, score, known_relation, evidence, novel_edges, export, commands",
    )
)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where.  [default: relvm-quickstart]")
@with_console
def quickstart(console: Console, *, folder: Path | None) -> None:
    """Show the whole path on a simulated literature.

    Takes under three minutes, needs no file and no network.

    Simulates a small literature (real names, invented sentences and relations), builds a workspace, trains a small
    model, predicts, and shows a ranking, a score with its evidence, a query and an export. Everything it makes is
    marked simulated. Called again, it goes on where it stopped, or just shows the answers.
    """
    started = time.monotonic()
    from relvm_kg.pipeline.quickstart import DEFAULT_FOLDER, run_quickstart

    report = run_quickstart(folder or console.workspace or DEFAULT_FOLDER, console.progress)
    if console.as_json:
        console.document(report.as_mapping())
        return
    _show(console, report)
    console.say(f"\ndone in {duration(time.monotonic() - started)}")


def _show(console: Console, report: "QuickstartReport") -> None:
    console.line("SIMULATED: real names, invented sentences and relations. Nothing below is about the world.\n")
    for line in report.account.lines():
        console.line(line)
    show_tour(console, report.tour, report.commands())
    console.line(
        f"\nHeld-out truth: {report.n_held_out:,} pairs that no sentence and no label holds, half of them planted as "
        f"related.\nThe model tells them apart with an AUC of {report.held_out_auc:.2f} (0.5 is chance)."
    )
    show_next(console, report.tour, report.commands(), sum(report.account.entities.values()))
