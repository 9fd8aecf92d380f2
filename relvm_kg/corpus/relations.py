"""From rows of relation files to one record for each relation, with normalised ids, labels and argument order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.relation_files import RawRelation
from relvm_kg.errors import NoRelationForTypesError
from relvm_kg.types import POSITIVE_RELATIONS, DocumentRelation, EntityId, EntityType, Relation, relation_for_types

_label = lru_cache(maxsize=None)(relation_for_types)
_ARGUMENT_TYPES = {relation: relation.argument_types for relation in POSITIVE_RELATIONS}


class RelationRecord(NamedTuple):
    """A known relation, merged over all files."""

    head: EntityId
    relation: Relation
    tail: EntityId
    predicates: tuple[str, ...]
    pmids: tuple[str, ...]
    sources: tuple[str, ...]
    simulated: bool


class GeneIds(NamedTuple):
    """How HGNC ids and symbols lead to NCBI genes; a symbol may come from a names table or another relation file."""

    by_hgnc: Mapping[EntityId, EntityId]
    by_symbol: Mapping[str, EntityId]

    def ncbi(self, entity: EntityId, symbol: str) -> EntityId | None:
        """The NCBI gene of an HGNC id, None if nothing tells; any other id is returned as it is."""
        if entity.prefix != "HGNC":
            return entity
        return self.by_hgnc.get(entity) or self.by_symbol.get(symbol)


class StatedFacts:
    """What relation files say about entities beside the relations: symbols, names and types."""

    def __init__(self) -> None:
        self.names: dict[EntityId, Counter[str]] = {}
        self._types: dict[EntityId, Counter[EntityType]] = {}

    def add(self, row: RawRelation) -> None:
        """Note what one row says."""
        ends = ((row.first, row.first_type, row.first_name), (row.second, row.second_type, row.second_name))
        for entity, entity_type, name in ends:
            self._types.setdefault(entity, Counter())[entity_type] += 1
            if name and entity.prefix != "HGNC":
                self.names.setdefault(entity, Counter())[name] += 1

    def types(self) -> dict[EntityId, EntityType]:
        """The type that most rows state for each id (ties: in the order of `EntityType`)."""
        return {entity: majority_type(votes) for entity, votes in self._types.items()}

    def symbols(self) -> dict[str, EntityId]:
        """Gene symbols and the NCBI id that stands beside each; a symbol with two ids is left out."""
        found: dict[str, EntityId | None] = {}
        for entity, names in self.names.items():
            if entity.prefix == "NCBIGene":
                for name in names:
                    found[name] = None if found.get(name, entity) != entity else entity
        return {symbol: entity for symbol, entity in found.items() if entity is not None}


def majority_type(votes: Mapping[EntityType, int]) -> EntityType:
    """The type with most votes; ties go to the first in the order of `EntityType`."""
    order = list(EntityType)
    return max(votes, key=lambda t: (votes[t], -order.index(t)))


class RelationMerger:
    """Collects rows of all files into one record for each (head, relation, tail).

    Args:
        types: type of each known id, as text has it, else as the relation files state it. Where it contradicts a row's
            argument order, the order that fits is taken.
        genes: the way from HGNC to NCBI genes.
    """

    def __init__(self, types: Mapping[EntityId, EntityType], genes: GeneIds) -> None:
        self._types = types
        self._genes = genes
        self._merged: dict[tuple[EntityId, Relation, EntityId], _Facts] = {}

    def add(self, row: RawRelation, log: ReadLog) -> None:
        """Map, order and merge one row; a row that cannot be mapped is rejected into the log."""
        shown = f"{row.predicate}\t{row.first}\t{row.first_name}\t{row.second}\t{row.second_name}"
        first = self._genes.ncbi(row.first, row.first_name)
        second = self._genes.ncbi(row.second, row.second_name)
        if first is None or second is None:
            log.reject(row.line, "no NCBI gene is known for an HGNC id", shown)
            return
        stated = row.first_type, row.second_type
        found = self._types.get(first, stated[0]), self._types.get(second, stated[1])
        if found != stated:
            if found != (stated[1], stated[0]):
                log.reject(row.line, "types of the ids in the text do not fit the label", shown)
                return
            log.count("arguments swapped to fit the types in the text")
        elif first == second:
            log.reject(row.line, "relation of an entity with itself", shown)
            return
        facts = _Facts(tuple(filter(None, row.predicate.split("|"))), row.pmids, (row.source,), row.simulated)
        self._merge((first, second), found, facts)

    def add_from_document(
        self, relation: DocumentRelation, doc_id: str, source: str, simulated: bool, log: ReadLog
    ) -> None:
        """Merge a relation that annotators stated for a document, if a label joins its types."""
        first, second = self._types.get(relation.first), self._types.get(relation.second)
        if first is None or second is None or relation.first == relation.second:
            log.count("document relations of untyped or equal ids")
            return
        facts = _Facts((relation.predicate,), (doc_id,), tuple(source.split("|")), simulated)
        try:
            self._merge((relation.first, relation.second), (first, second), facts)
        except NoRelationForTypesError:
            log.count("document relations without a label")

    def _merge(self, ends: tuple[EntityId, EntityId], types: tuple[EntityType, EntityType], facts: "_Facts") -> None:
        relation = _label(*types)
        head, tail = ends
        if relation is Relation.GENE_GENE:
            head, tail = sorted(ends, key=str)
        elif types != _ARGUMENT_TYPES[relation]:
            head, tail = tail, head
        key = head, relation, tail
        before = self._merged.get(key)
        self._merged[key] = facts if before is None else before.joined_with(facts)

    def records(self) -> Iterator[RelationRecord]:
        """The merged relations, sorted by head, label and tail; their parts sorted, too."""
        for head, relation, tail in sorted(self._merged, key=lambda k: (str(k[0]), k[1].column, str(k[2]))):
            facts = self._merged[head, relation, tail]
            yield RelationRecord(
                head,
                relation,
                tail,
                tuple(sorted(set(facts.predicates))),
                tuple(sorted(set(facts.pmids), key=lambda pmid: (len(pmid), pmid))),
                tuple(sorted(set(facts.sources))),
                facts.simulated,
            )


class _Facts(NamedTuple):
    predicates: tuple[str, ...]
    pmids: tuple[str, ...]
    sources: tuple[str, ...]
    simulated: bool

    def joined_with(self, other: "_Facts") -> "_Facts":
        def new(old: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
            return old + tuple(item for item in more if item not in old)

        return _Facts(
            new(self.predicates, other.predicates),
            new(self.pmids, other.pmids),
            new(self.sources, other.sources),
            self.simulated and other.simulated,
        )
