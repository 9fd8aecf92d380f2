"""The compiled lexicon of a names catalogue, kept beside it so that the next start takes a fraction of a second."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pyarrow as pa

from relvm_kg.entities.names_file import read_names
from relvm_kg.tagging.called import also_called, formulas
from relvm_kg.tagging.catalogue import catalogue_rows
from relvm_kg.tagging.learned import LearnedForm
from relvm_kg.tagging.lexicon import Lexicon, compile_lexicon
from relvm_kg.tagging.terms import VERSION, EntryMaker, learned_entry


def lexicon_folder(names_path: Path, gathered: bool = True) -> Path:
    """Where the compiled lexicon of a names catalogue lies; another one for other names, word lists or rules."""
    digest = hashlib.sha256(names_path.read_bytes())
    for part in sorted(files("relvm_kg.tagging").joinpath("words").iterdir(), key=lambda part: part.name):
        digest.update(part.read_bytes())
    kind = "" if gathered else "-plain"
    return names_path.parent / f"{names_path.stem}.lexicon-{digest.hexdigest()[:16]}-{VERSION}{kind}"


def load_lexicon(names_path: Path, learned: Sequence[LearnedForm] = (), gathered: bool = True) -> Lexicon:
    """The compiled lexicon of a names catalogue, compiled now if it was not before.

    With learned forms, and where the catalogue's folder cannot be written to, it is compiled each time.
    """
    folder = lexicon_folder(names_path, gathered)
    if learned:
        digest = hashlib.sha256(repr(learned).encode()).hexdigest()[:16]
        return compile_names(read_names(names_path), f"{folder.name}-{digest}", learned, gathered)
    if not (folder / "lexicon.json").is_file():
        lexicon = compile_names(read_names(names_path), folder.name, gathered=gathered)
        try:
            lexicon.save(folder)
        except OSError:
            return lexicon
    return Lexicon.load(folder)


def compile_names(
    names: pa.Table, fingerprint: str, learned: Sequence[LearnedForm] = (), gathered: bool = True
) -> Lexicon:
    """The lexicon of a names catalogue and of learned forms of its entities."""
    maker = EntryMaker(catalogue_rows(names), {**formulas(), **(also_called() if gathered else {})})
    entries = [entry for row in catalogue_rows(names) for entry in maker.entries(row)]
    entries += maker.shortened_entries()
    index = {curie: entity for entity, curie in enumerate(maker.ids)}
    entries += [learned_entry(form.surface, index[str(form.id)]) for form in learned if str(form.id) in index]
    return compile_lexicon(entries, maker.ids, maker.types, fingerprint)
