"""`relvm-kg predict`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relvm_kg.types import POSITIVE_RELATIONS, Relation
from relvm_kg_cli.options import Command, epilog, open_session, with_console, with_model, with_novel, with_ray
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.predict import PredictReport

SHOWN = 5
"""Lines set aside that are told; `--json` tells all."""
WHICH_PAIRS = (
    click.option(
        "--relation",
        "relations",
        multiple=True,
        type=click.Choice([r.value for r in POSITIVE_RELATIONS]),
        help="Only pairs of these two types; repeatable.",
    ),
    click.option(
        "--entity", "entities", multiple=True, metavar="NAME", help="Only pairs with this entity; repeatable."
    ),
    click.option(
        "--entities",
        "entities_file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="Only pairs with the entities of a file, one name or id a line.",
    ),
    click.option("--within", is_flag=True, help="Only pairs of two of the named entities."),
    click.option("--min-documents", type=int, default=5, show_default=True, help="Leave out rarer entities."),
)
WHICH_TO_KEEP = (
    click.option(
        "--top",
        type=int,
        default=50,
        show_default=True,
        help="Partners to keep for each head, or for each named entity; 0 keeps all.",
    ),
    click.option(
        "--per",
        type=click.Choice(["head", "tail", "either"]),
        default="head",
        show_default=True,
        help="Keep the --top partners of each head (the first type of the label), tail, or either.",
    ),
    click.option("--min-probability", type=float, default=0.0, show_default=True, help="Lowest probability to keep."),
    with_novel,
    click.option("--never-known", is_flag=True, help="Leave out known relations, but not what follows from them."),
    click.option("--never-co-mentioned", is_flag=True, help="Leave out pairs that a sentence mentions together."),
    click.option("--samples", type=int, default=8, show_default=True, help="Draws of z a pair."),
)


def with_pairs(function: Command) -> Command:
    """Add the options that choose pairs: the fields of `relvm_kg.pipeline.predict.PredictRequest`."""
    for option in reversed((*WHICH_PAIRS, *WHICH_TO_KEEP)):
        function = option(function)
    return function


@click.command(
    epilog=epilog(
        "relvm-kg predict --relation DISEASE-GENE --top 50 --novel",
        "prediction_run, complete, n_predictions, n_scored, n_parts, n_parts_missing, n_without_text, n_too_rare, "
        "n_named, set_aside (line, text, reason), run (its model, settings, simulated, calibrated), notes",
    )
)
@with_pairs
@click.option("--shard", metavar="I/N", help="Score every N-th part only, from the I-th on.")
@with_ray
@with_model
@with_console
def predict(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    relations: tuple[str, ...],
    per: str,
    shard: str | None,
    ray: str | None,
    run_id: str | None,
    device: str,
    **request: Any,
) -> None:
    """Score pairs in bulk and write them to the graph.

    They become a prediction run of the workspace's graph. The same command goes on where an interrupted one stopped;
    `relvm-kg graph rollback` removes a prediction run.

    With --shard 1/4, 2/4 ... four commands share the work, at once if you like, on one machine or on several that see
    the same workspace folder. The run is seen once all parts are there.
    """
    from relvm_kg.pipeline.predict import PartScorer, PredictRequest, Shard, predict_pairs, score_here
    from relvm_kg.pipeline.predict_parts import Per

    labels = tuple(Relation(r) for r in relations) or POSITIVE_RELATIONS
    wanted = PredictRequest(relations=labels, per=Per(per), **request)
    part = Shard.parse(shard) if shard else Shard()
    session = open_session(console, run_id, device)
    score: PartScorer = score_here
    if ray is not None:
        from relvm_kg.pipeline.cluster_work import score_on
        from relvm_kg.training.device import Device

        score = score_on(ray, Device(device))
    report = predict_pairs(session, wanted, console.progress, shard=part, score=score)
    if console.as_json:
        console.document({**_document(report), "notes": session.notes})
        return
    for note in session.notes:
        console.say(f"note: {note}")
    _print(console, report)


def _document(report: "PredictReport") -> dict[str, Any]:
    names = ("n_scored", "n_parts", "n_parts_missing", "n_without_text", "n_too_rare", "n_named")
    return {
        "prediction_run": report.run.run.run_id,
        "complete": report.run.complete,
        "n_predictions": report.run.n_predictions,
        **{name: getattr(report, name) for name in names},
        "set_aside": [one._asdict() for one in report.set_aside],
        "run": asdict(report.run.run),
    }


def _print(console: Console, report: "PredictReport") -> None:
    whole = report.run.complete
    n_parts = f"{report.n_parts - report.n_parts_missing:,} of {report.n_parts:,} parts"
    written = f"{report.run.n_predictions:,}" if whole else n_parts
    rows = [
        ("prediction run", report.run.run.run_id),
        ("predictions", f"{written}; {report.n_scored:,} pairs scored now"),
        ("left out", f"{report.n_without_text:,} entities without text, {report.n_too_rare:,} in too few documents"),
        ("calibrated", str(report.run.run.calibrated).lower()),
    ]
    if report.n_named or report.set_aside:
        rows.insert(1, ("named", f"{report.n_named:,} entities; {len(report.set_aside):,} lines set aside"))
    if report.run.run.simulated:
        rows.append(("simulated", "true"))
    for label, text in rows:
        console.line(f"{label:<16}{text}")
    for one in report.set_aside[:SHOWN]:
        console.say(f"line {one.line} set aside: {one.reason}")
    if len(report.set_aside) > SHOWN:
        console.say(f"and {len(report.set_aside) - SHOWN:,} more lines; --json tells all")
    if not whole:
        console.say(f"other shards have {report.n_parts_missing:,} parts to write; the run is seen once all are there")
        return
    if report.n_scored == 0 and report.run.n_predictions:
        console.say("nothing to score, all parts were written before")
    console.say("next: relvm-kg query --named novel-edges, relvm-kg export FOLDER --format parquet")
