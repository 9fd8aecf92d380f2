"""From prepared documents to the text tables of a corpus generation, bucket by bucket and by several processes."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.corpus import tables
from relvm_kg.corpus.contexts import EntityMention
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.sentences import rejoined_sentences
from relvm_kg.corpus.years import YearTable
from relvm_kg.entities.collect import EntityCollector
from relvm_kg.entities.equal_diseases import with_equal_diseases
from relvm_kg.entities.orthologs import OrthologFolder
from relvm_kg.types import Document, DocumentRelation, EntityId, EntityType, TaggedSentence
from relvm_kg.workspace import remove

HELD_OUT_PERCENT = 5
"""Share of documents kept out of training, for the health figures of a model."""


def is_held_out(doc_id: str) -> bool:
    """Whether a document belongs to those that training never sees; the id alone decides."""
    return int(hashlib.sha1(doc_id.encode()).hexdigest()[:8], 16) % 100 < HELD_OUT_PERCENT


@dataclass(frozen=True)
class TextRules:
    """What is known of documents beside the text files."""

    years: YearTable | None = None
    retracted: frozenset[str] = frozenset()
    """PubMed ids of retracted papers."""
    orthologs: OrthologFolder | None = None
    """Folds genes of other species; None leaves them as they are."""
    equal_diseases: Mapping[EntityId, EntityId] = field(default_factory=dict)
    """The MeSH disease of each id that means one."""


@dataclass
class TextPass:
    """What the pass over the documents leaves behind."""

    entities: EntityCollector = field(default_factory=EntityCollector)
    relations: list[tuple[DocumentRelation, str, str, bool]] = field(default_factory=list)
    """Relations that documents state, with document id, source and whether the document is simulated."""
    counts: Counter[str] = field(default_factory=Counter)
    tagged: Counter[str] = field(default_factory=Counter)
    """Mentions that our tagger found, by type."""
    unlinked: Counter[str] = field(default_factory=Counter)
    """Mentions without an id, by type."""
    folds: dict[EntityId, Counter[EntityId]] = field(default_factory=dict)
    """How often a mention of a gene of another species became which human gene."""
    foreign: Counter[EntityId] = field(default_factory=Counter)
    """Mentions of genes of other species that stayed."""

    def merge(self, other: "TextPass") -> npt.NDArray[np.int32]:
        """Add what the pass over other documents left; returns the index here of each of its entities."""
        self.relations += other.relations
        self.counts.update(other.counts)
        self.tagged.update(other.tagged)
        self.unlinked.update(other.unlinked)
        self.foreign.update(other.foreign)
        for entity, targets in other.folds.items():
            self.folds.setdefault(entity, Counter()).update(targets)
        return self.entities.merge(other.entities)


@dataclass
class TextTables:
    """The rows of some documents; sentence rows and entities count from 0."""

    documents: pa.Table
    sentences: pa.Table
    mentions: pa.Table
    done: TextPass
    merged: Counter[str]
    """What merging copies of these documents counted."""
    rejected: list[Rejected]
    """What it set aside."""


def text_tables(
    documents: Iterable[tuple[Document, str]], rules: TextRules
) -> tuple[pa.Table, pa.Table, pa.Table, TextPass]:
    """The tables `documents`, `sentences` and `mentions` of documents, each with the names of its files."""
    done = TextPass()
    rows: tuple[list[tuple[object, ...]], ...] = ([], [], [])
    for document, source in with_equal_diseases(documents, rules.equal_diseases, done.counts):
        _Row(document, source, rules, done).write(*rows)
    done.counts.update(documents=len(rows[0]), sentences=len(rows[1]), mentions=len(rows[2]))
    return (
        tables.table_of(rows[0], tables.DOCUMENTS),
        tables.table_of(rows[1], tables.SENTENCES),
        tables.table_of(rows[2], tables.MENTIONS),
        done,
    )


class _Row:
    """One document on its way into the tables."""

    def __init__(self, document: Document, source: str, rules: TextRules, done: TextPass) -> None:
        self._document = document
        self._source = source
        self._done = done
        self._orthologs = rules.orthologs
        self._folds = rules.orthologs.fold_mentions(document.mentions) if rules.orthologs is not None else {}
        stated = document.year
        self._year = rules.years.year(document.doc_id) if stated is None and rules.years is not None else stated
        self._held_out = is_held_out(document.doc_id)
        self._retracted = document.retracted or document.doc_id in rules.retracted

    def write(
        self,
        documents: list[tuple[object, ...]],
        sentences: list[tuple[object, ...]],
        mentions: list[tuple[object, ...]],
    ) -> None:
        document, done = self._document, self._done
        found, n_undone = rejoined_sentences(document)
        flags = (self._held_out, document.simulated, self._retracted)
        documents.append((document.doc_id, self._year, self._source, len(found), *flags))
        mentioned: set[int] = set()
        for s in found:
            places = self._places(s)
            row = len(sentences)
            mentions += [(row, *place, places[place]) for place in self._ordered(places)]
            sentences.append((s.doc_id, s.sentence_index, s.start, s.text, self._year, *flags))
            entities = {place.entity for place in places}
            mentioned |= entities
            if not self._retracted:
                done.entities.add_sentence(entities, self._held_out)
        if self._retracted:
            done.counts.update({"retracted": 1, "retracted sentences": len(found)})
            done.counts["relations of retracted documents"] += len(document.relations)
        else:
            done.entities.add_document(mentioned)
            done.relations += list(self._relations())
        done.counts.update(
            {
                "splits undone": n_undone,
                "held out": self._held_out,
                "with year": self._year is not None,
                "simulated": document.simulated,
            }
        )

    def _places(self, sentence: TaggedSentence) -> dict[EntityMention, str | None]:
        """Where a sentence mentions which entity, with the id that the source gave if it was folded."""
        places: dict[EntityMention, str | None] = {}
        done = self._done
        for mention in sentence.mentions:
            if mention.tagged:
                done.tagged[mention.type.value] += 1
            if not mention.ids:
                done.unlinked[mention.type.value] += 1
            folded = [self._folded(entity, mention.type) for entity in mention.ids]
            alone = len({entity for entity, _ in folded}) == 1
            for entity, source_id in folded:
                index = done.entities.index(entity)
                done.entities.add_mention(index, mention.type, mention.text, alone=alone)
                place = EntityMention(index, mention.start - sentence.start, mention.end - sentence.start)
                if place not in places or source_id is None:
                    places[place] = source_id
        return places

    def _folded(self, entity: EntityId, kind: EntityType) -> tuple[EntityId, str | None]:
        target = self._folds.get(entity) if kind is EntityType.GENE else None
        if target is not None:
            self._done.folds.setdefault(entity, Counter())[target] += 1
            return target, str(entity)
        if self._orthologs is not None and self._orthologs.is_foreign(entity):
            self._done.foreign[entity] += 1
        return entity, None

    def _ordered(self, places: Iterable[EntityMention]) -> list[EntityMention]:
        ids = self._done.entities.ids
        return sorted(places, key=lambda p: (p.start, p.end, str(ids[p.entity])))

    def _relations(self) -> Iterator[tuple[DocumentRelation, str, str, bool]]:
        for relation in self._document.relations:
            folded = relation._replace(
                first=self._folds.get(relation.first, relation.first),
                second=self._folds.get(relation.second, relation.second),
            )
            yield folded, self._document.doc_id, self._source, self._document.simulated


def write_text_tables(buckets: Iterable[TextTables], folder: Path, log: ReadLog) -> TextPass:
    """Write documents, sentences, and mentions with provisional entity indices (`mentions.part`)."""
    done = TextPass()
    with ExitStack() as stack:
        documents, sentences, mentions = (
            stack.enter_context(tables.TableWriter(folder / name, schema))
            for name, schema in (
                ("documents.parquet", tables.DOCUMENTS),
                ("sentences.parquet", tables.SENTENCES),
                ("mentions.part", tables.MENTIONS),
            )
        )
        for bucket in buckets:
            entities = done.merge(bucket.done)
            log.counts.update(bucket.merged)
            for rejected in bucket.rejected:
                log.reject(rejected.line, rejected.reason, rejected.record)
            mentions.extend(_moved(bucket.mentions, sentences.n_rows, entities))
            documents.extend(bucket.documents)
            sentences.extend(bucket.sentences)
    return done


def _moved(mentions: pa.Table, first_row: int, entities: npt.NDArray[np.int32]) -> pa.Table:
    """Mentions whose sentence rows start at `first_row`, with the entities' indices replaced."""
    rows = mentions["sentence_row"].to_numpy().astype(np.int32) + np.int32(first_row)
    moved = mentions.set_column(0, tables.MENTIONS.field(0), tables.int32_array(rows))
    return _renamed(moved, entities)


def _renamed(mentions: pa.Table, entities: npt.NDArray[np.int32]) -> pa.Table:
    column = tables.MENTIONS.get_field_index("entity")
    found = entities[mentions.column(column).to_numpy()] if mentions.num_rows else np.zeros(0, dtype=np.int32)
    return mentions.set_column(column, tables.MENTIONS.field(column), tables.int32_array(found))


def rename_mentions(folder: Path, rows: npt.NDArray[np.int32]) -> None:
    """Write `mentions.parquet` from `mentions.part`, provisional indices replaced by catalogue rows."""
    with (
        pq.ParquetFile(folder / "mentions.part") as part,
        tables.TableWriter(folder / "mentions.parquet", tables.MENTIONS) as writer,
    ):
        for batch in part.iter_batches(batch_size=tables.ROW_GROUP):
            writer.extend(_renamed(pa.Table.from_batches([batch]), rows))
    remove(folder / "mentions.part")
