"""Genes of HGNC as rows of the catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from relvm_kg.entities.names_file import NameRow
from relvm_kg.entities.vocabularies.records import Account, GeneEntry, WithdrawnEntry
from relvm_kg.types import EntityType


def gene_rows(entries: Iterable[GeneEntry | WithdrawnEntry], account: Account) -> Iterator[NameRow]:
    """One row for each approved gene, under its NCBI Gene id (its HGNC id where it has none).

    A withdrawn symbol whose entry was merged into one gene is a previous symbol of that gene, its id a replaced one;
    of an entry that was split over several genes neither is (the symbol then names none of them in particular).
    """
    approved: list[GeneEntry] = []
    withdrawn: dict[str, WithdrawnEntry] = {}
    for entry in entries:
        if isinstance(entry, GeneEntry):
            approved.append(entry)
        else:
            withdrawn[entry.hgnc_id] = entry
    known = {gene.hgnc_id for gene in approved}
    former: dict[str, list[WithdrawnEntry]] = defaultdict(list)
    for entry in withdrawn.values():
        successors = _followed(entry, withdrawn) & known
        if len(successors) == 1:
            former[successors.pop()].append(entry)
        else:
            account.add(
                "HGNC entries withdrawn for good" if not successors else "HGNC entries split over several genes"
            )
    taken: set[str] = set()
    for gene in approved:
        identifier = f"NCBIGene:{gene.ncbi_gene}" if gene.ncbi_gene else gene.hgnc_id
        if identifier in taken:
            account.add("genes of HGNC that share an NCBI Gene id, the later ones left out")
            continue
        taken.add(identifier)
        yield _row(identifier, gene, former[gene.hgnc_id])


def _followed(entry: WithdrawnEntry, withdrawn: dict[str, WithdrawnEntry]) -> set[str]:
    """The ids at the end of a chain of withdrawals."""
    ends: set[str] = set()
    remaining, seen = list(entry.successors), {entry.hgnc_id}
    while remaining:
        identifier = remaining.pop()
        if identifier in seen:
            continue
        seen.add(identifier)
        if identifier in withdrawn:
            remaining += withdrawn[identifier].successors
        else:
            ends.add(identifier)
    return ends


def _row(identifier: str, gene: GeneEntry, former: list[WithdrawnEntry]) -> NameRow:
    own = {gene.symbol, gene.name}
    previous = dict.fromkeys([*gene.previous, *(entry.symbol for entry in former)])
    synonyms = dict.fromkeys(name for name in gene.synonyms if name not in own and name not in previous)
    hgnc = [gene.hgnc_id] if identifier != gene.hgnc_id else []
    return NameRow(
        id=identifier,
        type=EntityType.GENE,
        name=gene.symbol,
        full_name=gene.name or None,
        synonyms=tuple(synonyms),
        previous=tuple(name for name in previous if name not in own),
        xrefs=tuple(dict.fromkeys([*hgnc, *gene.xrefs])),
        merged=tuple(entry.hgnc_id for entry in former),
    )
