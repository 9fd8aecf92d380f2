"""`relvm-kg evaluate-unseen`."""

from pathlib import Path
from typing import Any

import click

from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console
from relvm_kg_cli.sweep_options import with_budget


@click.command(
    name="evaluate-unseen",
    epilog=epilog(
        "relvm-kg evaluate-unseen --out unseen/ --entities 300 --contexts 150000",
        "version, corpus_hash, settings, simulated, entities (id: sentences), similarity, families (each: n, "
        "n_positive, n_training, prevalence, average_precision, by_sentences, differences)",
    ),
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of corpus, runs and result."
)
@click.option("--entities", type=click.IntRange(min=1), default=300, show_default=True, help="Entities to leave out.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of their choice and of the training.")
@click.option("--variant", default="default", show_default=True, help="Settings of the representation, as in sweep.")
@with_budget
@with_console
def evaluate_unseen(  # noqa: PLR0913  one argument an option
    console: Console, *, out: Path, entities: int, seed: int, variant: str, contexts: int, epochs: float
) -> None:
    """Measure how well entities do that training never saw.

    Trains twice: without some entities, every sentence that mentions one held out, and with them. Those left out get
    vectors from their own sentences; their labelled pairs are scored either way, and from the profiles alone. The
    workspace is only read. An interrupted call goes on where it was.
    """
    from relvm_kg.benchmark.unseen import UnseenSettings, run_unseen
    from relvm_kg.benchmark.variants import Budget, variants_of
    from relvm_kg.pipeline.leave_out import leave_out_and_count

    (chosen,) = variants_of((variant,))
    settled = chosen.with_budget(Budget(contexts=contexts, epochs=epochs), seed)
    settings = UnseenSettings(variant=settled, n_entities=entities, seed=seed)
    result = run_unseen(open_workspace(console), out, settings, leave_out_and_count, console.progress)
    if console.as_json:
        console.document(result)
        return
    for family, figures in result["families"].items():
        _print_family(console, family, figures)
    if result["simulated"]:
        console.say("simulated: this literature is generated, it says nothing about the world")
    console.say(f"written to {out / 'unseen.json'}")


def _print_family(console: Console, family: str, figures: dict[str, Any]) -> None:
    areas = figures["average_precision"]
    prevalence = f"prevalence {figures['prevalence']:.3f}"
    console.line(f"{family}: {figures['n']:,} pairs, {prevalence}; area under precision-recall")
    names = list(areas["unseen"])
    console.table(("entities", *names), [[way, *(found[name] for name in names)] for way, found in areas.items()])
    rows = [
        [", ".join(one["first"]), ", ".join(one["second"]), one["estimate"], one["low"], one["high"]]
        for one in figures["differences"]
    ]
    console.table(("first", "minus", "difference", "low", "high"), rows)
