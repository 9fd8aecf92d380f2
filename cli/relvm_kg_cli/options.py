"""Options that several commands share, and what they open."""

import functools
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relvm_kg.workspace import Workspace, locate_workspace
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.graph import Place
    from relvm_kg.pipeline.session import Session
    from relvm_kg.pipeline.text_session import TextSession
    from relvm_kg_graph.bolt import Neo4jSettings

DEVICES = ("auto", "cpu", "cuda")
"""Values of `relvm_kg.training.device.Device`, which imports torch."""
Command = Callable[..., None]


def epilog(example: str, keys: str = "") -> str:
    """What the help of each command ends with: the keys of its JSON document, and one runnable example."""
    document = f"JSON keys: {keys}.\n\n" if keys else ""
    return f"{document}\b\nExample:\n  {example}"


def with_console(function: Command) -> Command:
    """Add `--workspace`, `--json` and `-v`; the function's first argument becomes a `Console`."""

    @click.option(
        "--workspace",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the workspace; else RELVM_KG_WORKSPACE, ./relvm-workspace, or the one built last.",
    )
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout; errors as JSON on stderr.")
    @click.option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
    @functools.wraps(function)
    def run(*, workspace: Path | None, as_json: bool, verbose: bool, **values: Any) -> None:
        function(Console(as_json=as_json, verbose=verbose, workspace=workspace), **values)

    return run


def with_model(function: Command) -> Command:
    """Add `--run` and `--device`, which choose a model and where it computes."""
    run = click.option("--run", "run_id", metavar="RUN", help="Model run; the workspace's default if not given.")
    device = click.option("--device", type=click.Choice(DEVICES), default="auto", help="Where to compute.")
    return run(device(function))


def with_text(function: Command) -> Command:
    """Add `--text`: files whose new entities can be asked about, too."""
    return click.option(
        "--text",
        "text",
        multiple=True,
        metavar="FILE",
        help="New text: entities that training never saw get vectors from its sentences.",
    )(function)


def with_tagger(function: Command) -> Command:
    """Add `--names`, `--type-model` and `--jobs`, which choose a tagger and how many processes run it."""
    existing = click.Path(path_type=Path, exists=True)
    names = click.option("--names", type=existing, help="Names catalogue; else the one that `names build` made.")
    types = click.option("--type-model", type=existing, help="Type classifier; else the one that `train-types` made.")
    jobs = click.option("--jobs", type=click.IntRange(min=1), help="Processes.  [default: all cores]")
    return names(types(jobs(function)))


def with_ray(function: Command) -> Command:
    """Add `--ray`, which names a cluster to work on."""
    return click.option(
        "--ray",
        metavar="ADDRESS",
        help="Work on the Ray cluster at HOST:PORT (`auto`: this machine's); needs relvm-kg[ray].",
    )(function)


def with_novel(function: Command) -> Command:
    """Add `--novel`, and what it then keeps: the fields of `relvm_kg.pipeline.novelty.NovelRule`."""
    options = (
        ("--novel", "Leave out what is no news: known relations, what follows from them, terms too general."),
        ("--keep-related", "With --novel, keep what is above or below the ends of known relations."),
        ("--keep-general", "With --novel, keep terms that are too general (Neoplasms, Pain)."),
    )
    for name, text in reversed(options):
        function = click.option(name, is_flag=True, help=text)(function)
    return function


class WithServer(click.Command):
    """A command whose `--neo4j` takes the word behind it only if that is an address, `scheme://...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`."""
        words = []
        for word, following in zip(args, [*args[1:], ""], strict=True):
            named = word == "--neo4j" and "--" not in words
            if named and re.fullmatch(r"[\w.-]+:\d+", following):
                raise click.UsageError(f"--neo4j takes an address such as bolt://{following}, was: {following}", ctx)
            alone = named and re.match(r"\w[\w+.-]*://", following) is None
            words.append("--neo4j=" if alone else word)
        return super().parse_args(ctx, words)


def with_neo4j(function: Command) -> Command:
    """Add `--neo4j`, which names a server; given without an address it is empty. The command's class: `WithServer`."""
    return click.option(
        "--neo4j",
        metavar="[ADDRESS]",
        help="The Neo4j server at ADDRESS (bolt://HOST:7687), else at RELVM_KG_NEO4J_URI. User, password and database "
        "come from RELVM_KG_NEO4J_USER, _PASSWORD and _DATABASE; a missing password is asked for.",
    )(function)


def server_of(address: str | None) -> "Neo4jSettings":
    """The Neo4j server at an address, else the one of the environment.

    Raises:
        InvalidInputError: if neither names one.
    """
    from relvm_kg_graph.bolt import Neo4jSettings

    return Neo4jSettings.from_environment(address, _ask_password if sys.stdin.isatty() else None)


def _ask_password(user: str, uri: str) -> str:
    return str(click.prompt(f"Password of {user} at {uri}", hide_input=True, err=True))


def open_place(console: Console, address: str | None) -> "Place":
    """The workspace, or the server where `--neo4j` is given."""
    return open_workspace(console) if address is None else server_of(address)


def open_workspace(console: Console) -> Workspace:
    """The workspace that the command is about.

    Raises:
        WorkspaceError: if there is none.
    """
    workspace = Workspace.open(locate_workspace(console.workspace))
    console.detail(f"workspace: {workspace.path}")
    return workspace


def open_session(console: Console, run_id: str | None, device: str) -> "Session":
    """The workspace with its model, for the commands that score."""
    from relvm_kg.pipeline.session import Session
    from relvm_kg.training.device import Device

    return Session(open_workspace(console), run_id, device=Device(device))


def open_text_session(console: Console, run_id: str | None, device: str, text: tuple[str, ...]) -> "TextSession | None":
    """The workspace with its model and new text; None without text."""
    if not text:
        return None
    from relvm_kg.pipeline.text_session import TextSession
    from relvm_kg.training.device import Device

    workspace = open_workspace(console)
    return TextSession(workspace, text, run_id, device=Device(device), progress=console.progress)
