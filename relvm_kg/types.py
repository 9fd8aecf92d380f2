"""The records that travel between the layers, in the words of the field."""

import re
from enum import StrEnum
from typing import NamedTuple, Self

from relvm_kg.errors import InvalidInputError, NoRelationForTypesError


class EntityType(StrEnum):
    """The three types of entity that relations join."""

    GENE = "GENE"
    DISEASE = "DISEASE"
    CHEMICAL = "CHEMICAL"

    @property
    def label(self) -> str:
        """The node label in the graph: `Gene`, `Disease` or `Chemical`."""
        return self.value.capitalize()

    @property
    def category(self) -> str:
        """The Biolink category."""
        return {"GENE": "biolink:Gene", "DISEASE": "biolink:Disease", "CHEMICAL": "biolink:ChemicalEntity"}[self.value]


class Relation(StrEnum):
    """Relation labels; the order is that of the classifiers' output columns, NO-RELATION first."""

    NO_RELATION = "NO-RELATION"
    DISEASE_GENE = "DISEASE-GENE"
    GENE_GENE = "GENE-GENE"
    CHEMICAL_GENE = "CHEMICAL-GENE"
    CHEMICAL_DISEASE = "CHEMICAL-DISEASE"

    @property
    def argument_types(self) -> tuple[EntityType, EntityType]:
        """Types of head and tail. Heads and tails of GENE-GENE are put in the order of their ids.

        Raises:
            ValueError: for NO-RELATION, which fits every pair.
        """
        head, tail = self.value.split("-")
        return EntityType(head), EntityType(tail)

    @property
    def column(self) -> int:
        """The column of this label in logits and probabilities."""
        return _ORDER[self.value]


_ORDER = {relation.value: index for index, relation in enumerate(Relation)}
POSITIVE_RELATIONS: tuple[Relation, ...] = tuple(r for r in Relation if r is not Relation.NO_RELATION)


def relation_for_types(first: EntityType, second: EntityType) -> Relation:
    """The label that joins two types, in either order.

    Raises:
        NoRelationForTypesError: if no label joins them (a pair of diseases, a pair of chemicals).

    >>> relation_for_types(EntityType.GENE, EntityType.DISEASE).value
    'DISEASE-GENE'
    """
    for relation in POSITIVE_RELATIONS:
        if sorted(relation.argument_types) == sorted((first, second)):
            return relation
    known = ", ".join(r.value for r in POSITIVE_RELATIONS)
    raise NoRelationForTypesError(f"no relation label joins {first.value} and {second.value}; the labels are {known}")


_CURIE = re.compile(r"^(?P<prefix>[A-Za-z][A-Za-z0-9_.]*):(?P<local>[A-Za-z0-9][A-Za-z0-9_.:-]*)$")


class EntityId(NamedTuple):
    """A CURIE with a Biolink prefix, such as `NCBIGene:6506`, `MESH:D000690` or `OMIM:105400`."""

    prefix: str
    local: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a CURIE.

        Raises:
            InvalidInputError: if the text is not `PREFIX:LOCAL`.

        >>> EntityId.parse("MESH:D000690").local
        'D000690'
        """
        match = _CURIE.match(text.strip())
        if match is None:
            raise InvalidInputError(f"an entity id must be PREFIX:LOCAL such as NCBIGene:6506, was: {text!r}")
        return cls(match["prefix"], match["local"])

    def __str__(self) -> str:
        return f"{self.prefix}:{self.local}"


class Mention(NamedTuple):
    """A tagged stretch of a document's text (offsets in characters, end exclusive) and the ids it stands for.

    Several ids mean a composite ("BRCA1/2"); none means that the tagger found no id. Only the three types are kept.
    """

    start: int
    end: int
    text: str
    type: EntityType
    ids: tuple[EntityId, ...]
    tagged: bool = False
    """Whether our own tagger found it, not the file's annotators."""


class DocumentRelation(NamedTuple):
    """A relation that annotators stated for a document as a whole."""

    predicate: str
    first: EntityId
    second: EntityId


class Passage(NamedTuple):
    """A section of a document: its name (`title`, `abstract`, ...), the offset of its first character, its text."""

    section: str
    offset: int
    text: str
    sentences: tuple[tuple[int, int], ...] = ()
    """Where its sentences start and end, in characters of the passage; empty before it is split."""


class Document(NamedTuple):
    """One document, annotated or not. Mention offsets count from the start of the document, over all passages."""

    doc_id: str
    year: int | None
    passages: tuple[Passage, ...]
    mentions: tuple[Mention, ...]
    relations: tuple[DocumentRelation, ...] = ()
    simulated: bool = False
    retracted: bool = False
    """Whether the paper was retracted; its sentences are shown as such and never trained on."""
    revision: tuple[int, int] | None = None
    """For MEDLINE records: the number of the file and the record's place in it. Of several, the highest counts."""
    deleted: bool = False
    """For MEDLINE records: this revision says that the record was deleted."""
    annotated: tuple[EntityType, ...] = ()
    """The types that the source annotates; our own tagger leaves them alone."""


class TaggedSentence(NamedTuple):
    """One sentence of a document; `start` and the mentions' offsets count from the start of the document."""

    doc_id: str
    sentence_index: int
    start: int
    text: str
    mentions: tuple[Mention, ...]


class Evidence(NamedTuple):
    """Where a pair was co-mentioned: the sentence and the place of both mentions inside it (characters)."""

    doc_id: str
    sentence_index: int
    year: int | None
    sentence: str
    head_span: tuple[int, int]
    tail_span: tuple[int, int]
    simulated: bool = False
    retracted: bool = False
    head_source_id: str | None = None
    """The id that the source gave, where the head is a gene of another species folded onto the human gene."""
    tail_source_id: str | None = None


class PairContext(NamedTuple):
    """A sentence seen as the context of one pair: head is mentioned before tail, both replaced by `<ENT>`."""

    head: EntityId
    tail: EntityId
    tokens: tuple[str, ...]
    source: Evidence


class ScoredPair(NamedTuple):
    """A pair with the probability of one relation label and its uncertainty, I(r; z) in nats."""

    head: EntityId
    relation: Relation
    tail: EntityId
    probability: float
    uncertainty: float
