"""`relvm-kg test-pairs`."""

from pathlib import Path
from typing import Any

import click

from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console


@click.command(
    "test-pairs",
    epilog=epilog(
        "relvm-kg test-pairs --workspace W --out test-pairs/",
        "written, format_version, sha256, corpus_hash, simulated, settings, files (sha256, family, rows by name), "
        "available, columns (each: stage, family, kind, n, n_positive, prevalence, labels), audit",
    ),
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the files.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of groups, splits and draws.")
@click.option(
    "--co-mentioned", type=click.IntRange(min=1), default=15_000, show_default=True, help="Most known pairs of these."
)
@click.option(
    "--unlabelled", type=click.IntRange(min=1), default=3, show_default=True, help="Unlabelled pairs beside each."
)
@click.option(
    "--never", type=click.IntRange(min=1), default=15_000, show_default=True, help="Most known pairs of these."
)
@click.option(
    "--shuffled", type=click.IntRange(min=1), default=2, show_default=True, help="Shuffled pairs beside each."
)
@with_console
def pair_columns(  # noqa: PLR0913  one argument an option
    console: Console, *, out: Path, seed: int, co_mentioned: int, unlabelled: int, never: int, shuffled: int
) -> None:
    """Write the pairs that representations are tested on, as six columns.

    Co-mentioned pairs with a known relation against those without; and known pairs that no document mentions together
    against pairs shuffled so that degree says nothing. Each at random, with one entity that no training label knows,
    and with both.

    The files are Parquet, one a family, with a manifest of counts and hashes. The same corpus, options and seed give
    the same bytes. If a pair is where it must not be, nothing but an error is written.
    """
    from relvm_kg.benchmark.columns.files import write_columns
    from relvm_kg.benchmark.columns.settings import ColumnSettings

    settings = ColumnSettings(
        seed=seed,
        co_mentioned_positives=co_mentioned,
        unlabelled_per_positive=unlabelled,
        never_positives=never,
        shuffled_per_positive=shuffled,
    )
    manifest = write_columns(open_workspace(console), out, settings)
    if console.as_json:
        console.document({"written": out, **manifest})
        return
    console.table(("stage", "pairs", "column", "n", "positive", "prevalence"), map(_row, manifest["columns"]))
    console.say(f"written to {out}, sha256 {manifest['sha256'][:16]}")


def _row(counts: dict[str, Any]) -> list[object]:
    return [counts[name] for name in ("stage", "family", "kind", "n", "n_positive", "prevalence")]
