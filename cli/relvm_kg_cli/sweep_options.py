"""Options that the commands share which train variants of the representation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorated = Callable[..., Any]


def with_columns(command: Decorated) -> Decorated:
    """Add `--columns`, passed on as a path."""
    return click.option(
        "--columns",
        type=click.Path(path_type=Path, file_okay=False),
        required=True,
        help="Folder that `relvm-kg test-pairs` wrote.",
    )(command)


def with_budget(command: Decorated) -> Decorated:
    """Add `--contexts` and `--epochs`."""
    contexts = click.option(
        "--contexts", type=int, default=150_000, show_default=True, help="Contexts of the sample; 0 takes all."
    )
    epochs = click.option(
        "--epochs", type=float, default=2.0, show_default=True, help="Passes over the sample (a fraction ends in one)."
    )
    return contexts(epochs(command))
