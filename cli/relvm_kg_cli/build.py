"""`relvm-kg build`."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from relvm_kg.workspace import DEFAULT_FOLDER, ENVIRONMENT_VARIABLE
from relvm_kg_cli.options import epilog, with_console
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        'relvm-kg build --workspace W --corpus "corpora/*.gz" --relations relations/',
        "the account (corpus_hash, rebuilt, documents, sentences, contexts, contexts_by_label, contexts_by_source, "
        "contexts_by_year, tagged_mentions, unlinked_mentions, retracted_documents, orthologs, entities, relations, "
        "relations_co_mentioned, rejected, unmapped, simulated, ...) and workspace",
    )
)
@click.option("--corpus", multiple=True, metavar="FILE", help="Text: a file, folder or quoted glob.")
@click.option("--relations", multiple=True, metavar="FILE", help="Curated relations: a file, folder or quoted glob.")
@click.option("--names", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Names and ids.")
@click.option("--years", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Table of PMID and year.")
@click.option(
    "--retractions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Retracted papers, one PMID a line; else that of `relvm-kg data get names`, if it is there.",
)
@click.option("--tag", is_flag=True, help="Tag genes, diseases and chemicals where a file does not annotate them.")
@click.option(
    "--type-model",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With --tag: type classifier of `relvm-kg train-types`; else the default one, if it is there.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that split, tag and cut.  [default: all cores]")
@click.option("--no-fold-orthologs", is_flag=True, help="Keep genes of other species apart from the human ones.")
@click.option("--vocabulary-size", type=int, help="Entries of the vocabulary.  [default: 20000]")
@click.option("--min-count", type=int, help="Training sentences that a word must stand in.  [default: 2]")
@click.option("--max-tokens", type=int, help="Longest context; longer ones are left out.  [default: 140]")
@click.option("--no-document-relations", is_flag=True, help="Leave out relations stated in the text files.")
@with_console
def build(console: Console, corpus: tuple[str, ...], relations: tuple[str, ...], **values: Any) -> None:
    """Build a workspace from text and relations, or add to one.

    --corpus (MEDLINE XML, PubTator, BioC, or JSON lines) and --relations may be given several times. Files of earlier
    builds stay; what was read and tagged before is not done again. Without --workspace it is RELVM_KG_WORKSPACE or
    ./relvm-workspace.

    --tag needs a names catalogue: --names, or that of `relvm-kg names build`. The types that a file annotates are left
    to its annotators.
    """
    from relvm_kg.pipeline.build import BuildSettings, build_workspace, known_retractions

    path = console.workspace or Path(os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER)
    names, retractions = values.pop("names"), values.pop("retractions") or known_retractions()
    for name in ("document_relations", "fold_orthologs"):
        values[name] = not values.pop(f"no_{name}")
    settings = BuildSettings(retractions=retractions, **{k: value for k, value in values.items() if value is not None})
    account = build_workspace(path, corpus, relations, names=names, settings=settings, progress=console.progress)
    if console.as_json:
        console.document({"workspace": path, **asdict(account)})
        return
    for line in account.lines():
        console.line(line)
    console.say(f"next: relvm-kg train --workspace {path}")
