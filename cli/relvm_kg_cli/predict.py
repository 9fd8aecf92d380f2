"""`relvm-kg predict`."""

from dataclasses import asdict

import click

from relvm_kg.types import POSITIVE_RELATIONS, Relation
from relvm_kg_cli.options import epilog, open_session, with_console, with_model, with_novel
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        "relvm-kg predict --relation DISEASE-GENE --top 50 --novel",
        "prediction_run, n_predictions, n_scored, n_without_text, n_too_rare, run (its model, settings, "
        "simulated, calibrated)",
    )
)
@click.option(
    "--relation",
    "relations",
    multiple=True,
    type=click.Choice([r.value for r in POSITIVE_RELATIONS]),
    help="Only this label; may be given several times.",
)
@click.option("--entity", "entities", multiple=True, metavar="NAME", help="Only pairs with this entity; repeatable.")
@click.option("--min-documents", type=int, default=5, show_default=True, help="Leave out rarer entities.")
@click.option(
    "--top",
    type=int,
    default=50,
    show_default=True,
    help="Partners to keep for each head, or for each --entity; 0 keeps all.",
)
@click.option("--min-probability", type=float, default=0.0, show_default=True, help="Lowest probability to keep.")
@with_novel
@click.option("--samples", type=int, default=8, show_default=True, help="Draws of z a pair.")
@with_model
@with_console
def predict(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    relations: tuple[str, ...],
    entities: tuple[str, ...],
    min_documents: int,
    top: int,
    min_probability: float,
    samples: int,
    run_id: str | None,
    device: str,
    **novel: bool,
) -> None:
    """Score pairs in bulk and write them to the graph.

    They become a prediction run of the workspace's graph.

    The same command goes on where an interrupted one stopped; `relvm-kg graph rollback` removes a prediction run.
    """
    from relvm_kg.pipeline.predict import PredictRequest, predict_pairs

    request = PredictRequest(
        relations=tuple(Relation(r) for r in relations) or POSITIVE_RELATIONS,
        entities=entities,
        min_documents=min_documents,
        top=top,
        min_probability=min_probability,
        samples=samples,
        **novel,
    )
    report = predict_pairs(open_session(console, run_id, device), request, console.progress)
    if console.as_json:
        console.document(
            {
                "prediction_run": report.run.run.run_id,
                "n_predictions": report.run.n_predictions,
                "n_scored": report.n_scored,
                "n_without_text": report.n_without_text,
                "n_too_rare": report.n_too_rare,
                "run": asdict(report.run.run),
            }
        )
        return
    rows = [
        ("prediction run", report.run.run.run_id),
        ("predictions", f"{report.run.n_predictions:,} of {report.n_scored:,} pairs scored now"),
        ("left out", f"{report.n_without_text:,} entities without text, {report.n_too_rare:,} in too few documents"),
        ("calibrated", str(report.run.run.calibrated).lower()),
    ]
    if report.run.run.simulated:
        rows.append(("simulated", "true"))
    for label, text in rows:
        console.line(f"{label:<16}{text}")
    if report.n_scored == 0 and report.run.n_predictions:
        console.say("this run was whole already, nothing to score")
    console.say("next: relvm-kg query --named novel-edges, relvm-kg export FOLDER --format parquet")
