"""From the names catalogue to the names that a text is searched for: what to leave out, what to add, what must keep
its case.
"""  # noqa: D205

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import pyarrow as pa

from relvm_kg.tagging.lexicon import Entry, NameKind
from relvm_kg.tagging.normalise import cased, key_of, uninverted
from relvm_kg.types import EntityType

VERSION = 1
"""Rises when the rules change, so that compiled lexicons are made anew."""

_LOWER_RUN = re.compile(r"[a-z]{5,}")
_LONGEST_TERM = 160


@lru_cache(maxsize=8)
def word_list(name: str) -> frozenset[str]:
    """The words of a list that comes with the package (`words/NAME.txt`; lines that start with # say what it is)."""
    text = files("relvm_kg.tagging").joinpath(f"words/{name}.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@lru_cache(maxsize=8)
def phrase_list(name: str) -> frozenset[bytes]:
    """The keys of a list of phrases, one a line."""
    text = files("relvm_kg.tagging").joinpath(f"words/{name}.txt").read_text(encoding="utf-8")
    return frozenset(key_of(line) for line in text.splitlines() if line.strip() and not line.startswith("#"))


class CatalogueRow(NamedTuple):
    """What the tagger reads of a row of the names catalogue."""

    id: str
    type: EntityType
    name: str
    full_name: str | None
    synonyms: list[str]
    previous: list[str]
    tree_numbers: list[str]
    parents: list[str]


def catalogue_rows(names: pa.Table) -> Iterator[CatalogueRow]:
    """The rows of a names catalogue, one by one."""
    for batch in names.select(list(CatalogueRow._fields)).to_batches(max_chunksize=20_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield CatalogueRow(row[0], EntityType(row[1]), *row[2:])


def needs_case(term: str) -> bool:
    """Whether a term is a symbol, whose case tells it from words: no blanks, no run of five small letters.

    >>> needs_case("SLC1A2"), needs_case("p53"), needs_case("riluzole"), needs_case("lung cancer"), needs_case("gout")
    (True, True, False, False, False)
    """
    if " " in term or _LOWER_RUN.search(term):
        return False
    bare = cased(term)
    return not (bare.isalpha() and (bare.islower() or bare.istitle()) and len(bare) >= 4)


def terms_of(row: CatalogueRow) -> Iterator[tuple[str, NameKind]]:
    """The names of an entity with their kinds."""
    is_gene = row.type is EntityType.GENE
    yield row.name, NameKind.SYMBOL if is_gene else NameKind.NAME
    if row.full_name:
        yield row.full_name, NameKind.NAME
    for synonym in row.synonyms:
        yield synonym, NameKind.SYNONYM
    for previous in row.previous:
        yield previous, NameKind.PREVIOUS


def entries_of(row: CatalogueRow, entity: int) -> Iterator[Entry]:
    """The entries of an entity, its variants included."""
    for term, kind in terms_of(row):
        if not 2 <= len(term) <= _LONGEST_TERM:
            continue
        said = term if row.type is EntityType.GENE else uninverted(term)
        if row.type is not EntityType.GENE and said[0].isupper() and said[1:2].islower():
            said = said[0].lower() + said[1:]
        entry = _entry(said, entity, kind)
        if entry is not None:
            yield entry
            for variant in variants(said, row.type):
                other = _entry(variant, entity, NameKind.VARIANT)
                if other is not None:
                    yield other


def learned_entry(surface: str, entity: int) -> Entry:
    """The entry of a form that people linked: no rule keeps it out."""
    return Entry(key_of(surface), entity, NameKind.LEARNED, cased(surface) if needs_case(surface) else "")


def _entry(term: str, entity: int, kind: NameKind) -> Entry | None:
    key = key_of(term)
    if len(key) < 2 or key.isdigit() or key in phrase_list("general"):
        return None
    return Entry(key, entity, kind, cased(term) if needs_case(term) else "")


_NEOPLASMS = re.compile(r"\bneoplasms?\b", re.IGNORECASE)


def variants(term: str, entity_type: EntityType) -> Iterator[str]:
    """Other ways to say a term that follow from rules.

    >>> list(variants("lung neoplasms", EntityType.DISEASE))
    ['lung cancer', 'lung tumor', 'lung carcinoma', 'lung malignancy']
    """
    if entity_type is EntityType.DISEASE and _NEOPLASMS.search(term):
        for other in ("cancer", "tumor", "carcinoma", "malignancy"):
            yield _NEOPLASMS.sub(other, term)
