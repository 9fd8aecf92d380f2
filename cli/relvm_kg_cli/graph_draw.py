"""`relvm-kg graph draw`."""

from pathlib import Path

import click

from relvm_kg_cli.export import EDGES
from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        "relvm-kg graph draw --entity riluzole --out riluzole.svg --out riluzole.html",
        "entity (id, name, type), files, run, calibrated, entities, known, predicted, co_mentioned, pairs, "
        "pairs_left_out, note, simulated",
    )
)
@click.option("--entity", required=True, help="Id, symbol, name or synonym.")
@click.option(
    "--out",
    "targets",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Picture to write, by its suffix: .svg, .png or .html; repeatable.  [default: ID.svg and ID.html]",
)
@click.option("--hops", type=click.IntRange(1, 3), default=1, show_default=True, help="Steps from the entity.")
@click.option("--edges", multiple=True, type=click.Choice(list(EDGES)), help="Only edges of a type; repeatable.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Lowest score of a prediction.")
@click.option("--run", "run_id", metavar="RUN", help="Prediction run.  [default: the newest]")
@click.option(
    "--limit",
    type=click.IntRange(1, 500),
    default=40,
    show_default=True,
    help="Pairs that each step adds: the best of each type of edge in turn.",
)
@with_console
def draw(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    entity: str,
    targets: tuple[Path, ...],
    hops: int,
    edges: tuple[str, ...],
    min_score: float | None,
    run_id: str | None,
    limit: int,
) -> None:
    """Draw what is known, predicted and co-mentioned around an entity.

    A page (.html) is to explore: point, click, search, filter by score and type. It is one file and needs no network.
    """
    from relvm_kg.pipeline.draw import draw_neighbourhood
    from relvm_kg_graph.schema import EdgeType
    from relvm_kg_graph.store import Selection

    selection = Selection(
        edge_types=tuple(EdgeType(EDGES[name]) for name in edges) or tuple(EdgeType),
        runs=None if run_id is None else (run_id,),
        min_score=min_score,
        hops=hops,
    )
    drawn = draw_neighbourhood(open_workspace(console), entity, targets, selection, limit)
    shown = drawn.shown
    centre = shown.centre
    counts = {word: sum(edge.type.value == kind for edge in shown.edges) for word, kind in EDGES.items()}
    if console.as_json:
        console.document(
            {
                "entity": {"id": centre.id, "name": centre.name, "type": centre.type.upper()},
                "files": drawn.files,
                "run": shown.run and shown.run.run_id,
                "calibrated": shown.run and shown.run.calibrated,
                "entities": len(shown.nodes),
                **{word.replace("-", "_"): n for word, n in counts.items()},
                "pairs": shown.n_pairs,
                "pairs_left_out": shown.n_pairs_left_out,
                "note": drawn.note,
                "simulated": shown.simulated,
            }
        )
        return
    if drawn.note:
        console.say(f"note: {drawn.note}")
    for file in drawn.files:
        console.line(str(file))
    console.say(f"{centre.name} ({centre.id}): " + ", ".join(f"{n:,} {word}" for word, n in counts.items()))
    if shown.n_pairs_left_out:
        console.say(f"{shown.n_pairs_left_out:,} pairs left out; --limit {limit} takes the best of each type in turn")
    if shown.run is not None and not shown.run.calibrated:
        console.say(f"scores of run {shown.run.run_id} are not calibrated, they only rank")
    if shown.simulated:
        console.say("simulated: this literature is generated")
