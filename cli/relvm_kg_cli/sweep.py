"""`relvm-kg sweep`."""

from pathlib import Path
from typing import Any

import click

from relvm_kg.files import read_json
from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        "relvm-kg sweep --columns test-pairs/ --out results/ --variants default,paper --processes 2",
        "results (name, seed, model, training, steps, health, validation, differences), floors",
    )
)
@click.option(
    "--columns",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder that `relvm-kg test-pairs` wrote.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the results, JSON each."
)
@click.option("--variants", metavar="NAMES", help="Variants, comma-separated.  [default: all]")
@click.option("--seeds", default="0", show_default=True, help="Seeds, comma-separated.")
@click.option("--contexts", type=int, default=150_000, show_default=True, help="Contexts of the sample; 0 takes all.")
@click.option("--epochs", type=float, default=2.0, show_default=True, help="Passes over the sample.")
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
    processes: int,
) -> None:
    """Train variants of the representation for one budget each and compare them on validation pairs.

    Each variant trains on one thread. Results are kept by the hash of settings, corpus and columns, so that an
    interrupted sweep goes on where it was, and a finished one prints its table.
    """
    from relvm_kg.benchmark.sweep import SweepPlace, measure_floors, run_sweep, sweep_jobs
    from relvm_kg.benchmark.variants import Budget, variants_of

    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"--seeds must be whole numbers with commas between them, was: {seeds!r}") from error
    workspace = open_workspace(console)
    place = SweepPlace(workspace=workspace, columns=columns, results=out, runs=workspace.path / "sweep")
    names = tuple(name.strip() for name in (variants or "").split(",") if name.strip())
    jobs = sweep_jobs(place, variants_of(names), Budget(contexts=contexts, epochs=epochs), numbers)
    results = [read_json(path) for path in run_sweep(place, jobs, processes, console.progress)]
    floors = measure_floors(place, console.progress)
    if console.as_json:
        console.document({"results": results, "floors": floors})
        return
    _print_health(console, results)
    _print_columns(console, results, floors)


def _print_health(console: Console, results: list[dict[str, Any]]) -> None:
    keys = ("bound_per_token", "kl", "active_units", "pair_share")
    rows = []
    for result in results:
        health = result["health"] or {}
        gaps = [(health.get(f"gap_{side}") or {}).get("mean") for side in ("head", "tail")]
        figures = [*(health.get(key) for key in keys), *gaps]
        rows.append([result["name"], result["seed"], *(None if x is None else round(x, 3) for x in figures)])
    console.table(("variant", "seed", "nats/token", "KL", "active", "pair share", "gap head", "gap tail"), rows)


def _print_columns(console: Console, results: list[dict[str, Any]], floors: dict[str, Any]) -> None:
    """Average precision of the floors and of each representation of each variant."""
    from relvm_kg.benchmark.columns.report import average_precision_table

    entrants = {
        f"{name}, seed {result['seed']}": entrant
        for result in results
        for name, entrant in result["validation"]["entrants"].items()
    }
    console.line(average_precision_table({"entrants": {**floors["entrants"], **entrants}}))
