"""Which chemicals of MeSH are proteins and other things that text does not mean as chemicals, and which genes they are.

MeSH files proteins, nucleic acids, remedies' forms and drug actions under D. People who mark chemicals leave most of
them alone; a protein that is the product of one gene lends the gene its names.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from relvm_kg.tagging.catalogue import CatalogueRow
from relvm_kg.types import EntityType

_NO_CHEMICALS = (
    "D05.500", "D05.750.078", "D08.244", "D08.622", "D08.811", "D12.644.276", "D12.644.360", "D12.776",
    "D13.444", "D20.215.894", "D20.888", "D23", "D26", "D27",
)  # fmt: skip
"""Complexes, collagen-like polymers, enzymes, cytokines and signalling peptides, proteins, nucleic acids,
vaccines, venoms, biological factors, forms of remedies, actions and uses."""
_SHORT_PEPTIDES = ("D12.644.456",)
"""Among supplementary concepts these are dipeptides by the letters of their amino acids."""
_CHEMICALS_ALL_THE_SAME = ("D06.472.699", "D12.644.548", "D12.644.400", "D27.505.696.399.472")
"""Peptide hormones, neuropeptides, and hormones by their action (oestrogens)."""
_HUMAN = re.compile(r"(?: protein)?, human$")
_PROTEIN = re.compile(r" proteins?$", re.IGNORECASE)


class MeshProteins(NamedTuple):
    """What the rules need to know of the whole catalogue."""

    headings: dict[str, list[str]]
    """Tree numbers of MeSH's headings."""
    gene_of_xref: dict[str, str]
    """The gene that an HGNC or UniProt id stands for, if there is one only."""
    gene_of_symbol: dict[str, str]

    @classmethod
    def gather(cls, rows: Iterable[CatalogueRow]) -> "MeshProteins":
        """From all rows of a catalogue."""
        headings: dict[str, list[str]] = {}
        claims: dict[str, set[str]] = {}
        symbols: dict[str, str] = {}
        for row in rows:
            if row.type is EntityType.CHEMICAL and row.tree_numbers:
                headings[row.id] = row.tree_numbers
            elif row.type is EntityType.GENE:
                symbols[row.name] = row.id
                for xref in row.xrefs:
                    if xref.startswith(("HGNC:", "UniProtKB:")):
                        claims.setdefault(xref, set()).add(row.id)
        return cls(headings, {xref: min(genes) for xref, genes in claims.items() if len(genes) == 1}, symbols)

    def is_chemical(self, row: CatalogueRow) -> bool:
        """Whether text means this chemical as a chemical."""
        if row.tree_numbers:
            return not _is_excluded(row.tree_numbers)
        parents = [self.headings[p] for p in row.parents if p in self.headings]
        return not any(_is_excluded(trees) or trees[0].startswith(_SHORT_PEPTIDES) for trees in parents)

    def gene_of(self, row: CatalogueRow) -> str | None:
        """The gene whose product a chemical is, None if none or several."""
        genes = {self.gene_of_xref[x] for x in row.xrefs if x in self.gene_of_xref}
        if not genes and row.name.endswith(" protein, human"):
            gene = self.gene_of_symbol.get(row.name.removesuffix(" protein, human"))
            genes = {gene} if gene else set()
        return genes.pop() if len(genes) == 1 else None


def _is_excluded(trees: list[str]) -> bool:
    if any(tree.startswith(_CHEMICALS_ALL_THE_SAME) for tree in trees):
        return False
    chemical = [tree for tree in trees if tree.startswith("D")]
    return any(tree.startswith(("D12.776", "D08.811")) for tree in chemical) or all(
        tree.startswith(_NO_CHEMICALS) for tree in chemical
    )


def protein_name(term: str) -> str:
    """A protein's name as text says it.

    >>> protein_name("SOD1 protein, human"), protein_name("S100A12 Protein")
    ('SOD1', 'S100A12')
    """
    return _PROTEIN.sub("", _HUMAN.sub("", term))
