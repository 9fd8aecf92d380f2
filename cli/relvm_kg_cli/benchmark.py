"""`relvm-kg benchmark`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relvm_kg.benchmark.settings import Entry
from relvm_kg_cli.options import epilog, open_workspace, with_console, with_model
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.mention_benchmark import Figures, MentionBenchmark

MODELS = {entry.name.lower().replace("_", "-"): entry for entry in Entry}
"""Contenders by the names of the command line."""


def read_models(context: click.Context, option: click.Parameter, value: str | None) -> tuple[Entry, ...]:
    """Contenders from names with commas between them, in the order given; all of them if there is no text.

    Raises:
        BadParameter: if a name is none of `MODELS`.
    """
    if value is None:
        return tuple(Entry)
    names = [name.strip() for name in value.split(",") if name.strip()]
    for name in names:
        if name not in MODELS:
            raise click.BadParameter(f"models must be among {', '.join(MODELS)}, was: {name!r}")
    return tuple(MODELS[name] for name in names)


@click.command(
    epilog=epilog(
        "relvm-kg benchmark --models relvm,transe,entity-rate,degree-product --seconds-per-model 120",
        "written, provenance, data, leakage, rows. With --mention: run_id, n_train, n_validation, n_test, "
        "test_prevalence, relvm and always_positive (precision, recall, f1, mcc, auroc, average_precision), "
        "training",
    )
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--mention", is_flag=True, help="Test the mention classifier on labelled sentences in FILES.")
@click.option(
    "--models",
    callback=read_models,
    metavar="NAMES",
    help=f"Contenders, comma-separated: {', '.join(MODELS)}.  [default: all]",
)
@click.option(
    "--seconds-per-model", type=float, default=600.0, show_default=True, help="Budget of each embedding model."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the contenders' training.")
@with_model
@with_console
def benchmark(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    files: tuple[Path, ...],
    mention: bool,
    models: tuple[Entry, ...],
    seconds_per_model: float,
    seed: int,
    run_id: str | None,
    device: str,
) -> None:
    """Compare a model with others on held-out relations.

    The others are knowledge-graph embeddings, profile classifiers and counts.

    A contender that an earlier benchmark finished is not trained again. Report and table are written into the
    workspace's benchmark folder as JSON and Markdown.

    With --mention, FILES are train.tsv (sentence, label) and test.tsv (index, sentence, label, with a header), or a
    folder that holds both; sentences hold @GENE$ and @DISEASE$.
    """
    if files and not mention:
        raise click.UsageError("FILES go with --mention")
    workspace = open_workspace(console)
    from relvm_kg.training.device import Device, torch_device

    if mention:
        from relvm_kg.pipeline.mention_benchmark import run_mention_benchmark

        done = run_mention_benchmark(workspace, run_id, files, device=Device(device), progress=console.progress)
        _print_mention(console, done)
        return
    from relvm_kg.benchmark.relvm_contender import benchmark_run
    from relvm_kg.benchmark.settings import BenchmarkSettings

    settings = BenchmarkSettings(
        models=models,
        seconds_per_model=seconds_per_model,
        seed=seed,
        device=str(torch_device(Device(device))),
        command=shlex.join(["relvm-kg", *sys.argv[1:]]),
    )
    report, written = benchmark_run(workspace, run_id, settings, Device(device), console.progress)
    if console.as_json:
        console.document({"written": written, **report.as_dict()})
        return
    console.line(report.markdown())
    console.say(f"written to {written} and {written.with_suffix('.json')}")


def _print_mention(console: Console, done: "MentionBenchmark") -> None:
    if console.as_json:
        console.document(done.as_mapping())
        return
    columns = ("classifier", "precision", "recall", "F1", "MCC", "AUROC", "AP")
    rows = [_figures_row(f"RELVM {done.run_id}", done.relvm), _figures_row("always positive", done.always_positive)]
    console.table(columns, rows)
    console.say(
        f"{done.n_test:,} test sentences, {done.test_prevalence:.3f} positive, {done.n_test_in_train} of them in the "
        f"training file too; fine-tuned on {done.n_train:,}, stopped on {done.n_validation:,}; threshold 0.5"
    )
    if done.simulated_model:
        console.say("simulated: the representation was trained on generated text")


def _figures_row(name: str, figures: "Figures") -> list[object]:
    values = (figures.precision, figures.recall, figures.f1, figures.mcc, figures.auroc, figures.average_precision)
    return [name, *(None if value is None else round(value, 3) for value in values)]
