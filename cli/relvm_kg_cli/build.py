"""`relvm-kg build`."""

import os
from dataclasses import asdict
from pathlib import Path

import click

from relvm_kg.workspace import DEFAULT_FOLDER, ENVIRONMENT_VARIABLE
from relvm_kg_cli.options import epilog, with_console
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        'relvm-kg build --workspace W --corpus "corpora/*.gz" --relations relations/',
        "the account (corpus_hash, rebuilt, documents, sentences, contexts, entities, relations, "
        "relations_co_mentioned, rejected, unmapped, simulated, ...) and workspace",
    )
)
@click.option("--corpus", multiple=True, metavar="FILE", help="Annotated text: a file, folder or quoted glob.")
@click.option("--relations", multiple=True, metavar="FILE", help="Curated relations: a file, folder or quoted glob.")
@click.option("--names", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Table of names and ids.")
@click.option("--years", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Table of PMID and year.")
@click.option("--vocabulary-size", type=int, help="Entries of the vocabulary.  [default: 20000]")
@click.option("--min-count", type=int, help="Training sentences that a word must stand in.  [default: 2]")
@click.option("--max-tokens", type=int, help="Longest context; longer ones are left out.  [default: 140]")
@click.option("--no-document-relations", is_flag=True, help="Leave out relations stated in the text files.")
@with_console
def build(
    console: Console, corpus: tuple[str, ...], relations: tuple[str, ...], no_document_relations: bool, **values: object
) -> None:
    """Build a workspace from text and relations, or add to one.

    --corpus (PubTator, or JSON lines of documents) and --relations may be given several times. Files of earlier
    builds stay; what was read before is not read again. Without --workspace it is RELVM_KG_WORKSPACE or
    ./relvm-workspace.
    """
    from relvm_kg.pipeline.build import BuildSettings, build_workspace

    path = console.workspace or Path(os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER)
    names = values.pop("names")
    given = {name: value for name, value in values.items() if value is not None}
    settings = BuildSettings(document_relations=not no_document_relations, **given)  # type: ignore[arg-type]
    assert names is None or isinstance(names, Path)
    account = build_workspace(path, corpus, relations, names=names, settings=settings, progress=console.progress)
    if console.as_json:
        console.document({"workspace": path, **asdict(account)})
        return
    for line in account.lines():
        console.line(line)
    console.say(f"next: relvm-kg train --workspace {path}")
