"""Every command is documented, its example is one that the program takes, and help costs little."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from relvm_kg.training.device import Device
from relvm_kg_cli.main import main
from relvm_kg_cli.options import DEVICES

Relvm = Callable[..., Any]


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands(main))
LEAVES = {path: command for path, command in COMMANDS.items() if not isinstance(command, click.Group)}


def example_of(command: click.Command) -> str:
    assert command.epilog is not None
    _, _, example = command.epilog.partition("\b\nExample:\n  ")
    return example


def test_the_program_lists_its_commands_in_the_order_in_which_they_are_used(relvm: Relvm) -> None:
    listed = re.findall(r"^  ([a-z]+)  +\S", relvm("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert listed == [
        "demo",
        "quickstart",
        "data",
        "names",
        "tag",
        "build",
        "train",
        "score",
        "rank",
        "evidence",
        "find",
        "predict",
        "query",
        "export",
        "graph",
        "benchmark",
        "sweep",
        "model",
        "info",
    ]


@pytest.mark.parametrize("path", [(), *COMMANDS], ids=" ".join)
def test_help_says_what_a_command_does_and_ends_with_one_example_of_it(path: tuple[str, ...], relvm: Relvm) -> None:
    command = COMMANDS.get(path, main)
    help_text = relvm(*path, "--help")
    example = example_of(command)
    assert help_text.code == 0
    assert command.help
    assert help_text.out.rstrip().endswith(f"Example:\n    {example}")
    assert "\n" not in example
    assert example.startswith(" ".join(("relvm-kg", *path)))


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_option_of_a_command_is_explained_and_the_common_ones_are_there(path: tuple[str, ...]) -> None:
    options = [p for p in LEAVES[path].params if isinstance(p, click.Option)]
    assert {"--workspace", "--json", "-v", "--verbose"} <= {name for option in options for name in option.opts}
    silent = {"--preset", "--size", "--format"}
    assert [o.opts[0] for o in options if not o.help and o.opts[0] not in silent] == []


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_the_keys_of_the_json_document_are_documented(path: tuple[str, ...]) -> None:
    assert (LEAVES[path].epilog or "").startswith("JSON keys: ")


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_an_example_parses(path: tuple[str, ...]) -> None:
    words = shlex.split(example_of(LEAVES[path]))[1 + len(path) :]
    LEAVES[path].make_context(" ".join(path), words)


def test_the_version_is_printed(relvm: Relvm) -> None:
    assert re.fullmatch(r"relvm-kg \d+\.\d+\.\d+\S*\n", relvm("--version").out)


def test_the_devices_of_the_command_line_are_those_of_the_library() -> None:
    assert [device.value for device in Device] == list(DEVICES)


WITHOUT_TORCH = """
import contextlib, sys
from relvm_kg_cli.main import main
for arguments in {calls!r}:
    with contextlib.suppress(SystemExit):
        main(arguments)
    loaded = {{"torch", "pykeen", "sklearn"}} & set(sys.modules)
    assert not loaded, (arguments, loaded)
"""


def test_help_and_query_and_what_only_looks_do_not_import_torch(predicted: Path, tmp_path: Path) -> None:
    place = ["--workspace", str(predicted)]
    calls = [
        ["--help"],
        *([*path, "--help"] for path in COMMANDS),
        ["query", "--list"],
        ["query", "MATCH (n:Gene) RETURN n.id LIMIT 1", *place],
        ["find", "EAAT2", *place],
        ["info", *place],
        ["graph", "status", *place],
        ["export", str(tmp_path / "export"), *place],
        ["graph", "draw", "--entity", "EAAT2", "--out", str(tmp_path / "a.svg"), *place],
    ]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH.format(calls=calls)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "NCBIGene:" in done.stdout
