"""`relvm-kg sweep`."""

from pathlib import Path

import click

from relvm_kg.files import atomic_path, read_json
from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console
from relvm_kg_cli.sweep_options import with_budget, with_columns


@click.command(
    epilog=epilog(
        "relvm-kg sweep --columns test-pairs/ --out results/ --variants default,paper --processes 2",
        "results (name, seed, model, training, steps, health, validation, test), floors (by stage)",
    )
)
@with_columns
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the results, JSON each."
)
@click.option("--variants", metavar="NAMES", help="Variants, comma-separated.  [default: all]")
@click.option("--seeds", default="0", show_default=True, help="Seeds, comma-separated.")
@with_budget
@click.option(
    "--test",
    is_flag=True,
    help="Measure on the test rows too. They are for variants that validation rows have chosen: read them once.",
)
@click.option(
    "--tables", type=click.Path(path_type=Path, dir_okay=False), help="Write the tables to this file, as Markdown."
)
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Variants at a time.")
@with_console
def sweep(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    columns: Path,
    out: Path,
    variants: str | None,
    seeds: str,
    contexts: int,
    epochs: float,
    test: bool,
    tables: Path | None,
    processes: int,
) -> None:
    """Train variants of the representation for one budget each and compare them on validation pairs.

    Each variant trains on one thread. Results are kept by the hash of settings, corpus and columns, so that an
    interrupted sweep goes on where it was, and a finished one prints its table.
    """
    from relvm_kg.benchmark.columns.settings import Stage
    from relvm_kg.benchmark.sweep import SweepPlace, measure_floors, run_sweep, sweep_jobs
    from relvm_kg.benchmark.sweep_tables import sweep_tables
    from relvm_kg.benchmark.variants import Budget, variants_of

    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"--seeds must be whole numbers with commas between them, was: {seeds!r}") from error
    workspace = open_workspace(console)
    stages = tuple(Stage) if test else (Stage.VALIDATION,)
    place = SweepPlace(workspace=workspace, columns=columns, results=out, runs=workspace.path / "sweep", stages=stages)
    names = tuple(name.strip() for name in (variants or "").split(",") if name.strip())
    jobs = sweep_jobs(place, variants_of(names), Budget(contexts=contexts, epochs=epochs), numbers)
    results = [read_json(path) for path in run_sweep(place, jobs, processes, console.progress)]
    floors = {stage.value: measure_floors(place, stage, console.progress) for stage in stages}
    if tables:
        with atomic_path(tables) as temporary:
            temporary.write_text(sweep_tables(results, floors), encoding="utf-8")
    if console.as_json:
        console.document({"results": results, "floors": floors})
        return
    console.line(sweep_tables(results, floors))
