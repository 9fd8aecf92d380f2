"""What people and programs see: rows on stdout, words and progress on stderr, JSON for programs, one error handler."""

import csv as csv_format
import json
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Any

import click

from relvm_kg.errors import RelvmKgError
from relvm_kg.progress import Progress, Silent
from relvm_kg_cli.progress_bars import TerminalProgress

INTERRUPTED = 130
Row = Sequence[Any]


class Console:
    """Where one command prints, and how."""

    def __init__(self, *, as_json: bool = False, verbose: bool = False, workspace: Path | None = None) -> None:
        self.as_json = as_json
        self.verbose = verbose
        self.workspace = workspace
        """The workspace that `--workspace` names."""

    @property
    def is_talkative(self) -> bool:
        """Whether words and progress are wanted: with `--json` only where a person watches or asks with `-v`."""
        return self.verbose or not self.as_json or sys.stderr.isatty()

    @property
    def progress(self) -> Progress:
        """Where a library call tells its progress."""
        return TerminalProgress() if self.is_talkative else Silent()

    def document(self, value: Mapping[str, Any]) -> None:
        """One JSON document on stdout."""
        click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2, allow_nan=False))

    def line(self, text: str = "") -> None:
        """One line on stdout."""
        click.echo(text)

    def table(self, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Aligned columns on stdout."""
        for line in table_lines(columns, rows):
            click.echo(line)

    def csv(self, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Comma-separated rows on stdout; nested values as JSON."""
        writer = csv_format.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_csv_cell(value) for value in row] for row in rows)

    def say(self, text: str) -> None:
        """Words for a person, on stderr."""
        if self.is_talkative:
            click.echo(text, err=True)

    def detail(self, text: str) -> None:
        """Words for a person who asked for more with `-v`, on stderr."""
        if self.verbose:
            click.echo(text, err=True)

    def bold(self, text: str) -> str:
        """Text that stands out: bold on a terminal, in double square brackets elsewhere."""
        return click.style(text, bold=True) if sys.stdout.isatty() else f"[[{text}]]"


def plain(value: Any) -> Any:  # noqa: PLR0911  one return for each kind of value
    """A value as JSON knows it; numbers that are not finite become null.

    >>> plain({"a": (1, float("nan")), "b": Path("x")})
    {'a': [1, None], 'b': 'x'}
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Path | date | time):
        return str(value)
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return value.item() if hasattr(value, "item") else str(value)


def table_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterable[str]:
    """Lines of a table: the names of the columns, then the rows; numbers stand on the right.

    >>> list(table_lines(["name", "n"], [["SOD1", 12], ["FUS", 3]]))
    ['name   n', 'SOD1  12', 'FUS    3']
    """
    values = [list(row) for row in rows]
    cells = [[_cell(value) for value in row] for row in values]
    right = [bool(values) and all(_is_number(row[i]) for row in values) for i in range(len(columns))]
    widths = [max(len(row[i]) for row in [list(columns), *cells]) for i in range(len(columns))]
    for row in [list(columns), *cells]:
        padded = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)]
        yield "  ".join(padded).rstrip()


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: Any) -> str:
    """A value in one line of a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) >= 0.0001 or value == 0 else f"{value:.2e}"
    if isinstance(value, Mapping):
        return _element(value)
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return " ".join(str(value).split())


def _element(value: Mapping[str, Any]) -> str:
    """A node, relationship or path of a query's answer in Cypher's own signs; any other mapping as JSON."""
    if "_labels" in value:
        labels = "".join(f":{label}" for label in value["_labels"] if label != "Entity")
        return f"({labels} {value.get('id', value.get('run_id', ''))} {value.get('name', '')})".replace(" )", ")")
    if "_type" in value:
        score = f" {value['score']:.3f}" if isinstance(value.get("score"), float) else ""
        return f"({value.get('_start')})-[:{value['_type']}{score}]->({value.get('_end')})"
    if "_nodes" in value:
        return " - ".join(str(node.get("name") or node.get("id")) for node in value["_nodes"])
    return json.dumps(plain(value), ensure_ascii=False)


def _csv_cell(value: Any) -> Any:
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False)
    return "true" if value is True else "false" if value is False else value


class Program(click.Group):
    """A group whose errors are one sentence on stderr (JSON with `--json`) and an exit code."""

    def main(self, *positional: Any, **named: Any) -> Any:
        """See `click.Command.main`; always exits."""
        arguments = list(positional[0] if positional else named.pop("args", None) or sys.argv[1:])
        named["standalone_mode"] = False
        as_json = "--json" in arguments
        try:
            answer = super().main(arguments, *positional[1:], **named)
        except click.exceptions.Abort:
            sys.exit(_report("interrupted; run the same command again to go on", INTERRUPTED, as_json))
        except click.ClickException as error:
            if not as_json:
                error.show()
                sys.exit(error.exit_code)
            sys.exit(_report(error.format_message(), error.exit_code, as_json))
        except RelvmKgError as error:
            if {"-v", "--verbose"} & set(arguments):
                click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
            sys.exit(_report(str(error), error.exit_code, as_json))
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            sys.exit(_report(f"{place}{error.strerror or error}", 1, as_json))
        sys.exit(answer if isinstance(answer, int) else 0)


def _report(message: str, exit_code: int, as_json: bool) -> int:
    """Print an error; returns the code to exit with."""
    if as_json:
        click.echo(json.dumps({"error": message, "exit_code": exit_code}, ensure_ascii=False), err=True)
    else:
        click.echo(f"relvm-kg: {message}", err=True)
    return exit_code
