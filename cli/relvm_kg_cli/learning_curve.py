"""`relvm-kg learning-curve`."""

from pathlib import Path

import click

from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console
from relvm_kg_cli.sweep_options import with_budget, with_columns


@click.command(
    name="learning-curve",
    epilog=epilog(
        "relvm-kg learning-curve --columns test-pairs/ --out results/ --percent 10,25,50,100",
        "variant, simulated, shares (each: percent, training_contexts, entities_with_text, result, entrants)",
    ),
)
@with_columns
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the results; that of a sweep spares the training on all the text.",
)
@click.option("--percent", default="10,25,50,100", show_default=True, help="Shares of the documents, comma-separated.")
@click.option("--variant", default="default", show_default=True, help="Settings of the representation, as in sweep.")
@with_budget
@with_console
def learning_curve(  # noqa: PLR0913  one argument an option
    console: Console, *, columns: Path, out: Path, percent: str, variant: str, contexts: int, epochs: float
) -> None:
    """Measure the representation on growing shares of the text, beside the profiles of the same text.

    Writes learning-curve.json and a picture, learning-curve.svg. Figures are of validation pairs. An interrupted call
    goes on where it was.
    """
    from relvm_kg.benchmark.learning_curve import FLOORS, REPRESENTATIONS, run_learning_curve
    from relvm_kg.benchmark.sweep import SweepPlace
    from relvm_kg.benchmark.variants import Budget, variants_of
    from relvm_kg.pipeline.leave_out import keep_documents

    try:
        percentages = [int(share) for share in percent.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"--percent must be whole numbers with commas between, was: {percent!r}") from error
    (chosen,) = variants_of((variant,))
    workspace = open_workspace(console)
    place = SweepPlace(workspace=workspace, columns=columns, results=out, runs=workspace.path / "sweep")
    budget = Budget(contexts=contexts, epochs=epochs)
    result = run_learning_curve(place, keep_documents, percentages, chosen, budget, console.progress)
    if console.as_json:
        console.document(result)
        return
    names = (*FLOORS, *REPRESENTATIONS)
    for place_of, column in enumerate(result["shares"][0]["entrants"][names[0]]):
        console.line(f"{column['family']}, {column['kind']}: prevalence {column['prevalence']}")
        rows = [
            [share["percent"], *(share["entrants"][name][place_of]["average_precision"] for name in names)]
            for share in result["shares"]
        ]
        console.table(("percent", *names), rows)
    console.say(f"written to {out / 'learning-curve.json'} and {out / 'learning-curve.svg'}")
