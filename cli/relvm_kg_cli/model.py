"""`relvm-kg model`: a model as one file."""

import os
from dataclasses import asdict
from pathlib import Path

import click

from relvm_kg.workspace import DEFAULT_FOLDER, ENVIRONMENT_VARIABLE
from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console


@click.group(epilog=epilog("relvm-kg model pack default-x-small model.tar.gz"))
def model() -> None:
    """Hand a model on as one file, or take one in."""


@model.command(
    epilog=epilog(
        "relvm-kg model pack default-x-small model.tar.gz", "run_id, path, files, n_bytes, simulated, is_default."
    )
)
@click.argument("run_id", metavar="RUN")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_console
def pack(console: Console, *, run_id: str, file: Path) -> None:
    """Write the finished run RUN to FILE, a .tar.gz of weights, ids, names and figures, without any document's text."""
    from relvm_kg.pipeline.model_archive import pack_model

    report = pack_model(open_workspace(console), run_id, file)
    if console.as_json:
        console.document(asdict(report))
        return
    console.line(f"{report.path}: run {report.run_id}, {len(report.files)} files, {report.n_bytes / 1e6:,.1f} MB")


@model.command(
    epilog=epilog(
        "relvm-kg model unpack model.tar.gz --workspace W", "run_id, path, files, n_bytes, simulated, is_default."
    )
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_console
def unpack(console: Console, *, file: Path) -> None:
    """Check the archive FILE and put its run into the workspace, which is made if there is none.

    The run becomes the default if the workspace has none. Without --workspace it is RELVM_KG_WORKSPACE or
    ./relvm-workspace.
    """
    from relvm_kg.pipeline.model_archive import unpack_model

    path = console.workspace or Path(os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER)
    report = unpack_model(file, path)
    if console.as_json:
        console.document(asdict(report))
        return
    console.line(f"{report.path}: run {report.run_id}{', the default' if report.is_default else ''}")
    if not report.is_default:
        console.say(f"to use it: relvm-kg info --workspace {path} --use {report.run_id}")
