"""`relvm-kg quickstart`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relvm_kg_cli.answers import RANKING_COLUMNS, answer_rows, entity_text, ranking_rows
from relvm_kg_cli.evidence import marked
from relvm_kg_cli.options import epilog, with_console
from relvm_kg_cli.output import Console
from relvm_kg_cli.progress_bars import duration

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
    commands = report.commands()
    entity = report.ranking.entity
    console.line(f"\n$ {commands[0]}")
    console.table(
        (*RANKING_COLUMNS, "simulated"),
        [
            [*row, answer.simulated]
            for row, answer in zip(ranking_rows(report.ranking.answers, entity.id), report.ranking.answers, strict=True)
        ],
    )
    console.line(f"\n$ {commands[1]}")
    for label, text in answer_rows(report.known.answers[0], report.known.known_relation):
        console.line(f"{label:<14}{text}")
    console.line(f"\n$ {commands[2]}")
    for sentence in report.evidence:
        probability = "" if sentence.probability is None else f"  probability {sentence.probability:.3f}"
        place = f"{sentence.doc_id}#{sentence.sentence_index} {sentence.year}{probability}  simulated: true"
        console.line(f"{place}\n    {marked(sentence, console)}")
    console.line(f"\n$ {commands[3]}")
    console.table(report.novel_edges.columns, report.novel_edges.rows)
    console.line(f"\n$ {commands[4]}")
    console.line(
        f"{report.export.folder}: {report.export.rows:,} predictions, "
        f"{report.export.rows_per_second:,.0f} rows a second, simulated: true"
    )
    console.line(
        f"\nHeld-out truth: {report.n_held_out:,} pairs that no sentence and no label holds, half of them planted as "
        f"related.\nThe model tells them apart with an AUC of {report.held_out_auc:.2f} (0.5 is chance)."
    )
    console.line(
        f"\nType these next; {entity_text(entity)} is one of {sum(report.account.entities.values())} entities:"
    )
    for command in commands:
        console.line(f"  {command}")
