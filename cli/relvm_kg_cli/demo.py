"""`relvm-kg demo`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relvm_kg_cli.answers import entity_text, scant_text
from relvm_kg_cli.options import epilog, with_console
from relvm_kg_cli.output import Console
from relvm_kg_cli.progress_bars import duration
from relvm_kg_cli.tour import show_next, show_ranking, show_tour

if TYPE_CHECKING:
    from relvm_kg.pipeline.demo import DemoReport
    from relvm_kg.pipeline.held_out_pairs import PairFigures


@click.command(
    epilog=epilog(
        "relvm-kg demo",
        "folder, workspace, account, training, held_out (n_training_known, all_pairs, co_mentioned, "
        "never_co_mentioned), prediction_run, n_predictions, scant_ranking, ranking, score, known_relation, evidence, "
        "novel_edges, export, commands, seconds",
    )
)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where.  [default: relvm-demo]")
@with_console
def demo(console: Console, *, folder: Path | None) -> None:
    """Show the whole path on real literature.

    Takes about a quarter of an hour on two cores, and needs nothing but pip.

    Fetches two MEDLINE files, vocabularies and known gene-disease pairs (see `relvm-kg data list`), builds the names
    catalogue, tags and links the abstracts, builds a workspace, trains a small model, and shows rankings, a score with
    its sentences, a query and an export. Called again, it goes on where it stopped, or just shows the answers.
    """
    started = time.monotonic()
    from relvm_kg.pipeline.demo import DEFAULT_FOLDER, run_demo

    report = run_demo(folder or console.workspace or DEFAULT_FOLDER, console.progress)
    if console.as_json:
        console.document(report.as_mapping())
        return
    _show(console, report)
    stages = ", ".join(f"{name} {duration(seconds)}" for name, seconds in report.seconds.items())
    console.say(f"\ndone in {duration(time.monotonic() - started)}: {stages}")


def _show(console: Console, report: "DemoReport") -> None:
    for line in report.account.lines():
        console.line(line)
    held_out = report.held_out
    console.line(
        f"\nThe pair classifier learned from {held_out.n_training_known:,} known gene-disease pairs whose two entities "
        "have text here,\nmost of which no sentence mentions together. Test pairs, which it never saw:"
    )
    figures = {
        "all": held_out.all_pairs,
        "co-mentioned": held_out.co_mentioned,
        "never co-mentioned": held_out.never_co_mentioned,
    }
    columns = ("test pairs", "known", "unlabelled", "area under precision-recall", "prevalence (chance)")
    console.table(columns, [_figures(name, one) for name, one in figures.items()])
    console.line(f"\n$ {report.scant_command()}")
    show_ranking(console, report.scant, simulated=False)
    if report.scant.is_scant:
        console.line(f"warning: {scant_text(report.scant)}")
    ranking = report.tour.ranking
    console.line(f"\n{entity_text(ranking.entity)} stands in {ranking.n_documents:,} documents:")
    show_tour(console, report.tour, report.commands())
    show_next(console, report.tour, report.commands(), sum(report.account.entities.values()))


def _figures(name: str, figures: "PairFigures") -> tuple[str, int, int, float, float]:
    return name, figures.n_known, figures.n_unlabelled, figures.average_precision, figures.prevalence
