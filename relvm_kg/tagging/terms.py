"""From the names catalogue to the names that a text is searched for: what to leave out, what to add, what must keep
its case.
"""  # noqa: D205

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from relvm_kg.tagging.catalogue import CatalogueRow
from relvm_kg.tagging.lexicon import Entry, NameKind
from relvm_kg.tagging.normalise import cased, key_of, uninverted
from relvm_kg.tagging.proteins import MeshProteins, protein_name
from relvm_kg.tagging.variants import chemical_variants, disease_variants, shortened
from relvm_kg.types import EntityType

VERSION = 4
"""Rises when the rules change, so that compiled lexicons are made anew."""

_LOWER_RUN = re.compile(r"[a-z]{5,}")
_LONGEST_TERM = 160
_LONGEST_ACRONYM = 5
_SHORTEST_SHORTENED = 6
_NOT_DISEASES = ("E", "G05", "N06")
"""Branches that make a heading of C a procedure, a process of genes, or a circumstance."""


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
    yield row.name, NameKind.SYMBOL if row.type is EntityType.GENE else NameKind.NAME
    if row.full_name:
        yield row.full_name, NameKind.NAME
    for synonym in row.synonyms:
        yield synonym, NameKind.SYNONYM
    for previous in row.previous:
        yield previous, NameKind.PREVIOUS


class EntryMaker:
    """Makes the entries of a catalogue's rows; its proteins speak for their genes."""

    def __init__(self, rows: Iterable[CatalogueRow], also: Mapping[str, Sequence[str]] | None = None) -> None:
        """Look at all rows first.

        Args:
            rows: the catalogue.
            also: more names, by id.
        """
        self._also = also or {}
        self.proteins = MeshProteins.gather(rows)
        self.ids: list[str] = []
        self.types: list[EntityType] = []
        self._index: dict[str, int] = {}
        self._shortened: dict[bytes, set[int]] = {}

    def entity(self, curie: str, entity_type: EntityType) -> int:
        """The index of an entity, a new one if it is new."""
        if curie not in self._index:
            self._index[curie] = len(self.ids)
            self.ids.append(curie)
            self.types.append(entity_type)
        return self._index[curie]

    def entries(self, row: CatalogueRow) -> Iterator[Entry]:
        """The entries of a row, variants included."""
        if row.type is EntityType.GENE:
            yield from self._gene(row)
        elif row.type is EntityType.DISEASE:
            if not any(tree.startswith(_NOT_DISEASES) for tree in row.tree_numbers):
                yield from (e for e in self._disease(row) if e.key not in phrase_list("not_diseases"))
        elif self.proteins.is_chemical(row):
            yield from self._chemical(row)
        else:
            gene = self.proteins.gene_of(row)
            if gene is not None:
                yield from self._protein(row, self.entity(gene, EntityType.GENE))

    def shortened_entries(self) -> Iterator[Entry]:
        """Entries of shortened names that only one of the entities so far has."""
        for key, entities in self._shortened.items():
            if len(entities) == 1 and len(key) >= _SHORTEST_SHORTENED and key not in _left_out():
                yield Entry(key, min(entities), NameKind.VARIANT, "")

    def _gene(self, row: CatalogueRow) -> Iterator[Entry]:
        entity = self.entity(row.id, row.type)
        for term, kind in terms_of(row):
            if kind <= NameKind.NAME or not _is_common(term):
                is_family = kind is NameKind.SYNONYM and row.name in (f"{term}1", f"{term}A")
                yield from _entry(term, entity, NameKind.NAME if is_family else kind)

    def _protein(self, row: CatalogueRow, gene: int) -> Iterator[Entry]:
        for term, _ in terms_of(row):
            name = protein_name(uninverted(_HUMAN_LAST.sub("", term)))
            if not _is_common(name) and not _PARTICIPLE.search(name):
                yield from _entry(name, gene, NameKind.PROTEIN)

    def _disease(self, row: CatalogueRow) -> Iterator[Entry]:
        entity = self.entity(row.id, row.type)
        for name in self._also.get(row.id, ()):
            yield from _entry(name, entity, NameKind.SYNONYM)
        heading = key_of(row.name)
        for term, kind in terms_of(row):
            said = _as_said(term)
            if (
                kind > NameKind.NAME
                and " " not in said
                and heading.startswith(key_of(said))
                and key_of(said) != heading
            ):
                continue
            if kind > NameKind.NAME and said.islower() and said.isalpha() and len(said) <= _LONGEST_ACRONYM:
                said = said.upper() if _is_acronym(said, row) else said
            yield from _entry(said, entity, kind)
            for variant in disease_variants(said.lower(), kind is NameKind.NAME):
                yield from _entry(variant, entity, NameKind.VARIANT)
            if row.tree_numbers:
                for shorter in shortened(term):
                    self._shortened.setdefault(key_of(shorter), set()).add(entity)

    def _chemical(self, row: CatalogueRow) -> Iterator[Entry]:
        entity = self.entity(row.id, row.type)
        for name in self._also.get(row.id, ()):
            yield from _entry(name, entity, NameKind.SYNONYM)
        for term, kind in terms_of(row):
            said = _as_said(term)
            is_class = kind is NameKind.NAME and said.endswith("s") and " " not in said
            yield from _entry(said, entity, NameKind.VARIANT if is_class else kind)
            for variant in chemical_variants(said.lower()):
                yield from _entry(variant, entity, NameKind.SYNONYM)


_WORD = re.compile(r"[^\W\d_]+")


def _left_out() -> frozenset[bytes]:
    return phrase_list("general") | phrase_list("not_diseases")


_PARTICIPLE = re.compile(r"(?:-(?:induced|binding|associated|like|related|dependent)| inhibitors?)$")


def _is_common(term: str) -> bool:
    """Whether a name without capitals or digits is a word of running text, in the singular or plural."""
    return (
        term.isalpha()
        and (len(term) < _SHORTEST_WORD or key_of(term).decode() in word_list("lower"))
        and (term.islower() or term.istitle())
    )


_SHORTEST_WORD = 5
_HUMAN_LAST = re.compile(r", human$")


def _as_said(term: str) -> str:
    """A heading as text says it: not inverted, and without the capital that only says it is a heading."""
    said = uninverted(term)
    return said[0].lower() + said[1:] if said[:1].isupper() and said[1:2].islower() else said


def _is_acronym(term: str, row: CatalogueRow) -> bool:
    """Whether the letters of a term begin the words of one of the entity's names."""
    initials = ("".join(word[0] for word in _WORD.findall(name.lower())) for name in [row.name, *row.synonyms])
    return any(_holds(letters, term) for letters in initials)


def _holds(letters: str, term: str) -> bool:
    """Whether letters hold those of a term in order."""
    remaining = iter(letters)
    return all(letter in remaining for letter in term)


def _is_beginning(key: bytes, heading: bytes) -> bool:
    return key != heading and heading.startswith(key)


def learned_entry(surface: str, entity: int) -> Entry:
    """The entry of a form that people linked: no rule keeps it out."""
    return Entry(key_of(surface), entity, NameKind.LEARNED, cased(surface) if needs_case(surface) else "")


def _entry(term: str, entity: int, kind: NameKind) -> Iterator[Entry]:
    if not 2 <= len(term) <= _LONGEST_TERM:
        return
    key = key_of(term)
    if len(key) >= 2 and not key.isdigit() and key not in phrase_list("general"):
        yield Entry(key, entity, kind, cased(term) if needs_case(term) else "")
