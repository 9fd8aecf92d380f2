"""`relvm-kg train-types`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from relvm_kg_cli.options import DEVICES, epilog, with_console
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.train_types import TypeTrainingReport


@click.command(
    "train-types",
    epilog=epilog(
        "relvm-kg train-types pubmed20n0014.xml.gz pubmed21n1298.xml.gz",
        "out, fingerprint, tagger, documents, rejected, left_out, mentions, training, held_out (n, accuracy, majority, "
        "recall, precision, log_loss, calibration_error, bins), n_vocabulary, seconds",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--names",
    type=click.Path(path_type=Path, exists=True),
    help="Names catalogue; else the one that `names build` made.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the classifier; else beside the names catalogue, where `tag` and `build --tag` look for it.",
)
@click.option("--examples", type=click.IntRange(min=3), default=100_000, show_default=True, help="Mentions at most.")
@click.option("--epochs", type=click.IntRange(min=1), default=2, show_default=True, help="Passes over them.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="Where to compute.")
@with_console
def train_types(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    files: tuple[str, ...],
    names: Path | None,
    out: Path | None,
    examples: int,
    epochs: int,
    seed: int,
    device: str,
) -> None:
    """Train the classifier that tells genes, diseases and chemicals apart by context.

    FILE is a file, folder or quoted glob of text in any known format. The classifier learns from names that have one
    type in the catalogue; annotations in the files are not used.
    """
    from relvm_kg.classify.type_examples import ExampleSettings
    from relvm_kg.classify.type_training import TypeTrainingConfig
    from relvm_kg.pipeline.taggers import default_type_model_path, load_dictionary_tagger
    from relvm_kg.pipeline.train_types import TypeTrainingRequest, as_mapping
    from relvm_kg.pipeline.train_types import train_types as train
    from relvm_kg.training.device import Device

    request = TypeTrainingRequest(
        out=out or default_type_model_path(),
        examples=ExampleSettings(examples=examples, seed=seed),
        training=TypeTrainingConfig(epochs=epochs, seed=seed),
        device=Device(device),
    )
    report = train(files, load_dictionary_tagger(names), request, console.progress)
    if console.as_json:
        console.document(as_mapping(report))
        return
    for line in _lines(report):
        console.line(line)
    console.say("`relvm-kg tag` and `build --tag` now use it" if out is None else f"use it with --type-model {out}")


def _lines(report: "TypeTrainingReport") -> list[str]:
    numbers = ", ".join(f"{n:,} {name.lower()}" for name, n in report.training.items())
    figures = report.held_out
    rows = [
        ("type classifier", str(report.out)),
        ("documents", f"{report.documents:,}"),
        *(("rejected", f"{n:,}: {reason}") for reason, n in report.rejected.items()),
        *(("left out", f"{name}: no text of a known format") for name in report.left_out),
        ("learned from", numbers),
        ("not learned from", ", ".join(f"{n:,} {why}" for why, n in report.mentions.items() if why != "candidates")),
        (
            "held-out mentions",
            "not measured: not every type has a mention whose name and document are held out"
            if figures is None
            else f"accuracy {figures.accuracy:.3f} (one type always: {figures.majority:.3f}); recall "
            + ", ".join(f"{name.lower()} {value:.3f}" for name, value in figures.recall.items()),
        ),
        ("seconds", ", ".join(f"{name} {value:,.0f}" for name, value in report.seconds.items())),
    ]
    return [f"{label:<24}{text}" for label, text in rows]
