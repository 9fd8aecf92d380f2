"""`relvm-kg export`."""

import shlex
import sys
from pathlib import Path

import click

from relvm_kg.types import POSITIVE_RELATIONS
from relvm_kg.workspace import Workspace
from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console

FORMATS = ("parquet", "csv", "kgx-jsonl", "kgx-tsv", "neo4j-admin", "graphml", "ntriples")
"""Values of `relvm_kg_graph.export.ExportFormat`."""
EDGES = {"known": "ASSOCIATED", "co-mentioned": "CO_MENTIONED", "predicted": "PREDICTED"}
"""Edge types by the words of the command."""


@click.command(
    epilog=epilog(
        "relvm-kg export predictions --format parquet --edges predicted --novel --min-score 0.5",
        "folder, format, rows, entities, seconds, rows_per_second, files, values_changed, simulated",
    )
)
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option("--format", "form", type=click.Choice(FORMATS), default="parquet", show_default=True)
@click.option("--edges", multiple=True, type=click.Choice(list(EDGES)), help="Only edges of a type; repeatable.")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only predictions of this run; repeatable.")
@click.option(
    "--relation",
    "relations",
    multiple=True,
    type=click.Choice([r.value for r in POSITIVE_RELATIONS]),
    help="Only edges of this label (co-mentions have none); repeatable.",
)
@click.option("--min-score", type=float, help="Lowest score of a prediction.")
@click.option("--novel", is_flag=True, help="Leave out predictions of pairs that are no news, as rank --novel does.")
@with_console
def export(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    target: Path,
    form: str,
    edges: tuple[str, ...],
    runs: tuple[str, ...],
    relations: tuple[str, ...],
    min_score: float | None,
    novel: bool,
) -> None:
    """Export the graph, or a part of it, to the folder TARGET.

    An export that is there is replaced when the new one is whole; manifest.json tells counts, hashes and selection.
    """
    from relvm_kg_graph.export import ExportFormat, export_graph
    from relvm_kg_graph.schema import EdgeType
    from relvm_kg_graph.store import Selection

    selection = Selection(
        edge_types=tuple(EdgeType(EDGES[name]) for name in edges) or tuple(EdgeType),
        runs=runs or None,
        relations=relations or None,
        min_score=min_score,
        novel_only=novel,
    )
    command = shlex.join(["relvm-kg", *sys.argv[1:]])
    workspace = open_workspace(console)
    report = export_graph(workspace, target, ExportFormat(form), selection, command, console.progress)
    if console.as_json:
        console.document(
            {
                "folder": report.folder,
                "format": form,
                "rows": report.rows,
                "entities": report.n_entities,
                "seconds": report.seconds,
                "rows_per_second": report.rows_per_second,
                "files": report.files,
                "values_changed": report.n_changed,
                "simulated": report.simulated,
            }
        )
        return
    for file in report.files:
        console.line(str(file))
    console.say(
        f"{report.rows:,} rows and {report.n_entities:,} entities in {report.seconds:.2f} s, "
        f"{report.rows_per_second:,.0f} rows a second"
    )
    if report.n_changed:
        console.say(f"{report.n_changed:,} values held what {form} cannot, such as tabs or |; spaces stand for it")
    if EdgeType.PREDICTED in selection.edge_types and not _has_predictions(workspace):
        console.say("no prediction run yet: relvm-kg predict")
    if report.simulated:
        console.say("simulated: true in every row; this literature is generated")


def _has_predictions(workspace: Workspace) -> bool:
    from relvm_kg_graph.embedded import EmbeddedStore

    with EmbeddedStore(workspace.graph_dir) as store:
        return any(stored.complete for stored in store.runs())
