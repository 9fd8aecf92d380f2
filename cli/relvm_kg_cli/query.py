"""`relvm-kg query`."""

import json
import math
from pathlib import Path
from typing import Any

import click

from relvm_kg.workspace import Workspace
from relvm_kg_cli.options import WithServer, epilog, open_place, with_console, with_neo4j
from relvm_kg_cli.output import Console

MAX_LIMIT = 1_000_000_000
MAX_TIMEOUT = 86_400.0
"""Seconds; one day."""


class Seconds(click.FloatRange):
    """A time above 0 and at most `MAX_TIMEOUT` seconds; not a number is refused too."""

    def __init__(self) -> None:
        super().__init__(min=0.0, max=MAX_TIMEOUT, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See `click.ParamType.convert`."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"a time must be above 0 and at most {MAX_TIMEOUT:g} seconds, was: {value}", param, ctx)
        return seconds


def read_parameters(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Values by name from `name=value`; what is JSON (a number, true, null, a list, a quoted text) counts as such.

    Raises:
        BadParameter: if a text is not `name=value`.
    """
    found: dict[str, Any] = {}
    for given in values:
        name, equals, text = given.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"a parameter must be name=value, was: {given!r}")
        try:
            found[name] = json.loads(text)
        except json.JSONDecodeError:
            found[name] = text
    return found


@click.command(
    cls=WithServer,
    epilog=epilog(
        'relvm-kg query "MATCH (g:Gene)-[r:ASSOCIATED]-(d:Disease) RETURN g.name, d.name, r.predicate LIMIT 5"',
        "columns, rows (one mapping each), truncated, warnings, store, simulated. With --parquet: file and n_rows "
        "in place of rows. With --list: queries (name, answers, parameters, text)",
    ),
)
@click.argument("cypher", required=False)
@click.option("-f", "--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Read Cypher.")
@click.option("--named", metavar="NAME", help="Run a query of the library; --list shows them.")
@click.option("--list", "list_named", is_flag=True, help="List the named queries and their parameters.")
@click.option(
    "--param",
    "parameters",
    multiple=True,
    callback=read_parameters,
    metavar="NAME=VALUE",
    help="Value of a $parameter; repeatable. It is read as JSON where it is JSON (6506 is a number, '\"6506\"' is "
    "text), else as text.",
)
@click.option("--limit", type=click.IntRange(min=1, max=MAX_LIMIT), help="Cut the answer after this many rows.")
@click.option("--timeout", type=Seconds(), default=60.0, show_default=True, help="Seconds that the query may take.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated rows.")
@click.option(
    "--parquet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the rows to a Parquet file; nodes, relationships, paths and maps as JSON text.",
)
@with_neo4j
@with_console
def query(console: Console, *, list_named: bool, as_csv: bool, **asked: Any) -> None:
    """Ask the graph in Cypher, reading only.

    Nodes are :Entity and :Gene, :Disease or :Chemical; edges :ASSOCIATED (known), :CO_MENTIONED and :PREDICTED.
    Statements that write, load files or call procedures are refused.
    """
    if list_named:
        _list(console)
        return
    if [asked[name] is not None for name in ("cypher", "file", "named")].count(True) != 1:
        raise click.UsageError("a query needs one statement: its text, or a file with --file, or a name with --named")
    if as_csv and asked["parquet"] is not None:
        raise click.UsageError("--csv prints the rows and --parquet writes them to a file; give one of the two.")
    from relvm_kg.pipeline.graph import ask, make_statement

    text = asked["cypher"] if asked["file"] is None else asked["file"].read_text(encoding="utf-8")
    place = open_place(console, asked["neo4j"])
    workspace = place if isinstance(place, Workspace) else None
    statement = make_statement(text, asked["named"], asked["parameters"], workspace)
    answer = ask(place, statement, limit=asked["limit"], timeout=asked["timeout"])
    result = answer.result
    file: Path | None = asked["parquet"]
    told = {"truncated": result.truncated, "store": answer.store, "simulated": answer.simulated}
    if file is not None:
        from relvm_kg_cli.parquet import write_parquet

        origin = {"statement": statement.text, "parameters": statement.parameters, **told}
        write_parquet(file, result.columns, result.rows, origin)
    if console.as_json:
        rows = {"rows": result.records()} if file is None else {"file": file, "n_rows": len(result.rows)}
        console.document({"columns": result.columns, **rows, **told, "warnings": result.warnings})
        return
    if file is not None:
        console.line(str(file))
    else:
        (console.csv if as_csv else console.table)(result.columns, result.rows)
    console.say(f"{len(result.rows):,} rows{', cut by --limit' if result.truncated else ''}")
    for warning in result.warnings:
        console.say(f"warning: {warning}")
    if answer.simulated:
        console.say("simulated: this graph is made from generated text, it says nothing about the world")


def _list(console: Console) -> None:
    from relvm_kg_graph.queries import NAMED_QUERIES

    queries = [
        {
            "name": one.name,
            "answers": one.answers,
            "parameters": {name: repr(value) for name, value in one.defaults.items()},
            "text": one.text,
        }
        for one in NAMED_QUERIES.values()
    ]
    if console.as_json:
        console.document({"queries": queries})
        return
    for one in NAMED_QUERIES.values():
        console.line(f"{one.name:<20}{one.answers}")
        defaults = ", ".join(f"{name}={value}" for name, value in one.defaults.items())
        console.line(f"{'':<20}--param {defaults}")
