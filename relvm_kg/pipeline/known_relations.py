"""From ingested relation files, and from relations that documents state, to the known relations of a generation."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.corpus import tables
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.relation_files import RawRelation
from relvm_kg.corpus.relation_rows import row_from_json
from relvm_kg.corpus.relations import GeneIds, RelationMerger, RelationRecord, StatedFacts, majority_type
from relvm_kg.entities.names import NamesTable
from relvm_kg.entities.orthologs import OrthologFolder
from relvm_kg.pairs import pair_keys
from relvm_kg.pipeline.assemble import TextPass
from relvm_kg.pipeline.ingest import Source, kept_lines, report
from relvm_kg.progress import Progress
from relvm_kg.types import POSITIVE_RELATIONS, EntityId, EntityType
from relvm_kg.workspace import Workspace


@dataclass
class KnownRelations:
    """Merged relations, with what the relation files say of entities, and what was set aside."""

    records: list[RelationRecord] = field(default_factory=list)
    stated: StatedFacts = field(default_factory=StatedFacts)
    types: dict[EntityId, EntityType] = field(default_factory=dict)
    """The type of every entity of the text and of the records."""
    rejected: list[Rejected] = field(default_factory=list)
    unmapped: dict[str, dict[str, int]] = field(default_factory=dict)
    """Rows set aside by file and reason, those of reading included."""
    notes: Counter[str] = field(default_factory=Counter)
    n_folded: int = 0
    """Rows in which a gene of another species became a human gene."""


class MappedRow(NamedTuple):
    """A row of a relation file with the ids that the catalogue has, and what was done for it."""

    row: RawRelation
    equal_disease: bool
    folded: bool


class RowIds:
    """The ids under which the catalogue has what relation files name.

    Genes of other species become human genes by the name that the row states, else as most mentions in the text did;
    diseases get MeSH's ids where the names catalogue says that they are the same.
    """

    def __init__(
        self, names: NamesTable, orthologs: OrthologFolder | None, folds: Mapping[EntityId, Counter[EntityId]]
    ) -> None:
        self.names = names
        self._orthologs = orthologs
        self._by_text = {
            entity: min(found, key=lambda target: (-found[target], target)) for entity, found in folds.items()
        }

    def mapped(self, row: RawRelation) -> MappedRow:
        """A row's ids mapped."""
        equal = self.names.equal_diseases
        first, second = equal.get(row.first, row.first), equal.get(row.second, row.second)
        genes = self._gene(first, row.first_name), self._gene(second, row.second_name)
        equal_disease = (first, second) != (row.first, row.second)
        folded = genes != (first, second)
        if not equal_disease and not folded:
            return MappedRow(row, False, False)
        return MappedRow(row._replace(first=genes[0], second=genes[1]), equal_disease, folded)

    def _gene(self, entity: EntityId, name: str) -> EntityId:
        if self._orthologs is None or not self._orthologs.is_foreign(entity):
            return entity
        named = self._orthologs.fold(entity, "", name)
        return self._by_text.get(entity, entity) if named == entity else named


def merge_relations(
    workspace: Workspace, sources: Sequence[Source], text: TextPass, ids: RowIds, progress: Progress
) -> KnownRelations:
    """Merge the rows of relation files (read twice: first what they state of entities, then the relations)."""
    known = KnownRelations()
    n_rows = 0
    for source in sources:
        known.notes.update(report(workspace, source).counts)
        for row in _rows(workspace, source):
            mapped = ids.mapped(row)
            known.stated.add(mapped.row)
            known.n_folded += mapped.folded
            n_rows += 1
    in_text = {entity: majority_type(votes) for entity, votes in text.entities.types().items()}
    known.types = known.stated.types() | in_text
    merger = RelationMerger(known.types, GeneIds(ids.names.by_hgnc, known.stated.symbols() | ids.names.by_symbol))
    with progress.task("relations", n_rows, "row") as task:
        for source in sources:
            log = ReadLog(source.name, known.rejected.append)
            for stated_row in _rows(workspace, source):
                mapped = ids.mapped(stated_row)
                if mapped.equal_disease:
                    log.count("relation rows of a disease read as the MeSH disease that its id equals")
                merger.add(mapped.row, log)
                task.advance()
            if reasons := Counter(report(workspace, source).rejected) + log.rejected:
                known.unmapped[source.name] = dict(reasons)
            known.notes.update(log.counts)
    log = ReadLog("documents")
    for stated in text.relations:
        merger.add_from_document(*stated, log)
    known.notes.update(log.counts)
    known.records = list(merger.records())
    for record in known.records:
        for entity, entity_type in zip((record.head, record.tail), record.relation.argument_types, strict=True):
            known.types.setdefault(entity, entity_type)
    return known


def _rows(workspace: Workspace, source: Source) -> Iterator[RawRelation]:
    return (row_from_json(line) for line in kept_lines(workspace, source))


def write_relations(
    folder: Path, records: Sequence[RelationRecord], index: dict[EntityId, int], comentions: npt.NDArray[np.int64]
) -> tuple[dict[str, int], dict[str, int]]:
    """Write `relations.parquet`; returns the number of relations by label, all and co-mentioned.

    Args:
        folder: the generation.
        records: the known relations.
        index: catalogue index of each id.
        comentions: keys of the co-mentioned pairs, rising. *Shape:* (pairs,)
    """
    ends = np.array([[index[r.head], index[r.tail]] for r in records], dtype=np.int32).reshape(-1, 2)
    together = np.isin(pair_keys(ends[:, 0], ends[:, 1]), comentions)
    known: Counter[str] = Counter()
    co_mentioned: Counter[str] = Counter()
    with tables.TableWriter(folder / "relations.parquet", tables.RELATIONS) as writer:
        for (head, tail), both, record in zip(ends.tolist(), together.tolist(), records, strict=True):
            label = record.relation.value
            known[label] += 1
            co_mentioned[label] += both
            lists = list(record.predicates), list(record.pmids), list(record.sources)
            writer.append(head, label, tail, *lists, both, record.simulated)
    labels = [relation.value for relation in POSITIVE_RELATIONS]
    return {label: known[label] for label in labels}, {label: co_mentioned[label] for label in labels}
