"""Readers of curated relation files, told apart by their content.

Our own form is a tab-separated table with a heading. `head`, `relation` and `tail` are needed; `predicate`, `pmids` (or
other document ids, joined by `|`), `source` and `simulated` (`true` or `false`) may stand beside them, in any order:

    head            relation       tail            predicate            pmids               source
    MESH:D000690    DISEASE-GENE   NCBIGene:6647   marker/mechanism     8446170|9949209     our curation

Read as they are published: ChemDisGene relationships (`chem_disease` rows are disease, chemical; `chem^disease` rows
are chemical, disease), CTD's curated gene-disease table, the iRefIndex compilation of protein interactions, and HPO's
`genes_to_phenotype.txt` and `genes_to_disease.txt`. The first of these has a row for each gene, disease and phenotype;
of the phenotypes nothing is taken, so that each gene and disease is one relation.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from relvm_kg.corpus.lines import read_lines
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError
from relvm_kg.identifiers import canonical_id
from relvm_kg.types import EntityId, EntityType, Relation

Line = tuple[int, str]
Row = tuple[int, dict[str, str], str]


class RawRelation(NamedTuple):
    """A row of a relation file before its ids are mapped to the catalogue's.

    `first_name` and `second_name` are the names or symbols that the file gives, empty if none.
    """

    line: int
    predicate: str
    first: EntityId
    first_type: EntityType
    first_name: str
    second: EntityId
    second_type: EntityType
    second_name: str
    pmids: tuple[str, ...]
    source: str
    simulated: bool


class RelationFormat(StrEnum):
    """Formats of relation files that have a reader."""

    TABLE = "relation table"
    CHEMDISGENE = "ChemDisGene relationships"
    CTD = "CTD gene-disease associations"
    IREFINDEX = "iRefIndex protein interactions"
    HPO = "HPO gene-disease associations"


_SNIFFED_LINES = 50
_NUMBER = re.compile(r"\d+")
_CHEMDISGENE_LABEL = re.compile(r"(?P<first>chem|gene)(?P<mark>[_^])(?P<second>disease|gene):(?P<predicate>.+)")
_WORDS = {"chem": EntityType.CHEMICAL, "gene": EntityType.GENE, "disease": EntityType.DISEASE}
_HPO_COLUMNS = "ncbi_gene_id", "gene_symbol", "disease_id"
_HPO_UNKNOWN = "UNKNOWN"
_MI_TERM = re.compile(r"MI:\d+\(([^)]*)\)")


def sniff_relation_format(path: Path) -> RelationFormat | None:
    """The format of a relation file, told by its first lines; None if it is none of them."""
    for _, line in islice(read_lines(path, ReadLog(path.name)), _SNIFFED_LINES):
        columns = [c.strip() for c in line.split("\t")]
        if {"head", "relation", "tail"} <= set(columns):
            return RelationFormat.TABLE
        if {"source_code", "source_symbol", "target_code", "target_symbol"} <= set(columns):
            return RelationFormat.IREFINDEX
        if set(_HPO_COLUMNS) <= set(columns):
            return RelationFormat.HPO
        if {"GeneSymbol", "GeneID", "DiseaseID"} <= set(_csv_cells(line.lstrip("# "))):
            return RelationFormat.CTD
        if len(columns) == 4 and _CHEMDISGENE_LABEL.fullmatch(columns[1]):
            return RelationFormat.CHEMDISGENE
    return None


def read_relations(path: Path, relation_format: RelationFormat, log: ReadLog) -> Iterator[RawRelation]:
    """Rows of a relation file, one at a time; rows that break its form are rejected into the log.

    Raises:
        InvalidInputError: if a gzip file is damaged.
    """
    readers: dict[RelationFormat, Callable[[Iterable[Line], ReadLog], Iterator[RawRelation]]] = {
        RelationFormat.TABLE: _read_table,
        RelationFormat.CHEMDISGENE: _read_chemdisgene,
        RelationFormat.CTD: _read_ctd,
        RelationFormat.IREFINDEX: _read_irefindex,
        RelationFormat.HPO: _read_hpo,
    }
    return readers[relation_format](read_lines(path, log), log)


def _read_chemdisgene(lines: Iterable[Line], log: ReadLog) -> Iterator[RawRelation]:
    for number, line in lines:
        if not line.strip():
            continue
        columns = [c.strip() for c in line.split("\t")]
        label = _CHEMDISGENE_LABEL.fullmatch(columns[1]) if len(columns) == 4 else None
        if label is None:
            log.reject(number, "row must be PMID, label, id, id", line)
            continue
        types = _chemdisgene_types(label, columns[2], columns[3])
        try:
            first, second = canonical_id(columns[2], types[0]), canonical_id(columns[3], types[1])
        except InvalidInputError as error:
            log.reject(number, str(error), line)
            continue
        predicate = label["predicate"].replace("^", "-")
        yield RawRelation(number, predicate, first, types[0], "", second, types[1], "", (columns[0],), log.file, False)


def _chemdisgene_types(label: re.Match[str], first: str, second: str) -> tuple[EntityType, EntityType]:
    """Types of the two ids of a row: digits are the gene; else the order that the label's mark documents."""
    types = _WORDS[label["first"]], _WORDS[label["second"]]
    if EntityType.GENE in types:
        other = types[0] if types[1] is EntityType.GENE else types[1]
        return (EntityType.GENE, other) if first.isdigit() else (other, EntityType.GENE)
    return (types[1], types[0]) if label["mark"] == "_" else types


def _read_ctd(lines: Iterable[Line], log: ReadLog) -> Iterator[RawRelation]:
    for number, row, line in _csv_rows(lines, log, "GeneSymbol"):
        try:
            gene = canonical_id(row["GeneID"], EntityType.GENE)
            disease = canonical_id(row["DiseaseID"], EntityType.DISEASE)
        except InvalidInputError as error:
            log.reject(number, str(error), line)
            continue
        yield RawRelation(
            number,
            row.get("DirectEvidence", ""),
            disease,
            EntityType.DISEASE,
            row.get("DiseaseName", ""),
            gene,
            EntityType.GENE,
            row["GeneSymbol"],
            tuple(_NUMBER.findall(row.get("PubMedIDs", ""))),
            log.file,
            False,
        )


def _read_irefindex(lines: Iterable[Line], log: ReadLog) -> Iterator[RawRelation]:
    needed = "source_code", "source_symbol", "target_code", "target_symbol"
    for number, row, line in _table_rows(lines, log, needed):
        try:
            first, second = (canonical_id(row[f"{end}_code"], EntityType.GENE) for end in ("source", "target"))
        except InvalidInputError as error:
            log.reject(number, str(error), line)
            continue
        predicate = "|".join(_MI_TERM.findall(row.get("interaction_type", "")))
        yield RawRelation(
            number,
            predicate,
            first,
            EntityType.GENE,
            row["source_symbol"],
            second,
            EntityType.GENE,
            row["target_symbol"],
            tuple(_NUMBER.findall(row.get("pubmed", ""))),
            log.file,
            False,
        )


def _read_hpo(lines: Iterable[Line], log: ReadLog) -> Iterator[RawRelation]:
    seen: set[tuple[EntityId, EntityId, str]] = set()
    for number, row, line in _table_rows(lines, log, _HPO_COLUMNS):
        try:
            gene = canonical_id(row["ncbi_gene_id"], EntityType.GENE)
            disease = canonical_id(row["disease_id"], EntityType.DISEASE)
        except InvalidInputError as error:
            log.reject(number, str(error), line)
            continue
        stated = row.get("association_type", "")
        predicate = "" if stated == _HPO_UNKNOWN else stated.lower()
        if (disease, gene, predicate) in seen:
            log.count("further phenotypes of a gene and a disease")
            continue
        seen.add((disease, gene, predicate))
        symbol = "" if row["gene_symbol"] == "-" else row["gene_symbol"]
        types = EntityType.DISEASE, EntityType.GENE
        yield RawRelation(number, predicate, disease, types[0], "", gene, types[1], symbol, (), log.file, False)


def _read_table(lines: Iterable[Line], log: ReadLog) -> Iterator[RawRelation]:
    for number, row, line in _table_rows(lines, log, ("head", "relation", "tail")):
        try:
            types = Relation(row["relation"].upper()).argument_types
            head, tail = canonical_id(row["head"], types[0]), canonical_id(row["tail"], types[1])
        except ValueError:
            log.reject(number, "relation is not a label", line)
            continue
        except InvalidInputError as error:
            log.reject(number, str(error), line)
            continue
        yield RawRelation(
            number,
            row.get("predicate", ""),
            head,
            types[0],
            "",
            tail,
            types[1],
            "",
            tuple(filter(None, (pmid.strip() for pmid in row.get("pmids", "").split("|")))),
            row.get("source", "") or log.file,
            row.get("simulated", "").lower() == "true",
        )


def _table_rows(lines: Iterable[Line], log: ReadLog, needed: tuple[str, ...]) -> Iterator[Row]:
    """Rows of a tab-separated table under its heading (lines before it are comments), by column name."""
    heading: list[str] | None = None
    for number, line in lines:
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if heading is None:
            heading = cells if set(needed) <= set(cells) else None
            continue
        row = dict(zip(heading, cells, strict=False))
        if len(cells) > len(heading):
            log.reject(number, f"row must have at most {len(heading)} columns", line)
        elif not all(row.get(column) for column in needed):
            log.reject(number, "row lacks a value", line)
        else:
            yield number, row, line


def _csv_rows(lines: Iterable[Line], log: ReadLog, first_column: str) -> Iterator[Row]:
    """Rows of a comma-separated table under the heading that starts with a column; comments are passed over."""
    heading: list[str] | None = None
    for number, line in lines:
        if not line.strip():
            continue
        cells = _csv_cells(line.lstrip("# ") if heading is None else line)
        if heading is None:
            heading = cells if cells and cells[0] == first_column else None
        elif line.startswith("#"):
            continue
        elif len(cells) != len(heading):
            log.reject(number, f"row must have {len(heading)} columns", line)
        else:
            yield number, dict(zip(heading, cells, strict=True)), line


def _csv_cells(line: str) -> list[str]:
    """Cells of a line, none if it is no line of a comma-separated table."""
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])]
    except csv.Error:
        return []
