"""What readers of vocabularies hand on: one record for each entry, whatever the file's form."""

from collections import Counter
from typing import NamedTuple


class GeneEntry(NamedTuple):
    """A gene of HGNC, approved."""

    hgnc_id: str
    symbol: str
    name: str
    ncbi_gene: str | None
    synonyms: tuple[str, ...]
    previous: tuple[str, ...]
    xrefs: tuple[str, ...]


class WithdrawnEntry(NamedTuple):
    """An entry of HGNC that is gone; without successors if the gene is thought not to exist."""

    hgnc_id: str
    symbol: str
    successors: tuple[str, ...]


class MeshHeading(NamedTuple):
    """A descriptor of MeSH."""

    ui: str
    name: str
    synonyms: tuple[str, ...]
    tree_numbers: tuple[str, ...]
    cas: tuple[str, ...] = ()
    """CAS numbers that MeSH states for it."""


class MeshSupplement(NamedTuple):
    """A supplementary concept of MeSH."""

    ui: str
    name: str
    synonyms: tuple[str, ...]
    mapped: tuple[str, ...]
    """The headings it is mapped to."""
    record_class: str | None
    """NLM's SCRClass; None in tables that do not have it."""
    cas: tuple[str, ...] = ()


class OntologyTerm(NamedTuple):
    """A disease of MONDO or DOID; all ids are CURIEs."""

    id: str
    name: str
    synonyms: tuple[str, ...]
    parents: tuple[str, ...]
    xrefs: tuple[str, ...]
    former: tuple[str, ...]
    """Ids that this term replaced."""


class Account:
    """What building left out, joined or added, by reason: printed, so that nothing is silently lost."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, reason: str, n: int = 1) -> None:
        """Count `n` entries for a reason."""
        self.counts[reason] += n
