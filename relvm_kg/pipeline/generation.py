"""One corpus generation: from the ingested sources to a folder of tables and its account."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from relvm_kg.corpus.evidence import write_pair_index
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.years import YearTable
from relvm_kg.entities.catalogue import write_catalogue
from relvm_kg.entities.collect import CatalogueEntry
from relvm_kg.entities.names import NamesTable
from relvm_kg.pipeline import assemble
from relvm_kg.pipeline.account import BuildAccount
from relvm_kg.pipeline.comentions import write_comentions
from relvm_kg.pipeline.ingest import IngestReport, Source, SourceKind, all_rejected, data_path, report
from relvm_kg.pipeline.known_relations import KnownRelations, merge_relations, write_relations
from relvm_kg.pipeline.merging import merged_documents
from relvm_kg.pipeline.prepared import PreparedSources
from relvm_kg.pipeline.profiles import write_profiles
from relvm_kg.pipeline.settings import BuildSettings
from relvm_kg.progress import Progress
from relvm_kg.types import Document, EntityType
from relvm_kg.workspace import remove


@dataclass(frozen=True)
class _Outcome:
    """What the stages leave for the account."""

    reports: list[IngestReport]
    merging: ReadLog
    text: assemble.TextPass
    contexts: assemble.ContextPass
    known: KnownRelations
    entries: list[CatalogueEntry]
    by_label: tuple[dict[str, int], dict[str, int]]
    n_comentions: int
    n_vocabulary: int


class GenerationWriter:
    """Writes the tables of one generation into a folder, stage by stage."""

    def __init__(
        self, prepared: PreparedSources, sources: Sequence[Source], settings: BuildSettings, progress: Progress
    ) -> None:
        self._prepared = prepared
        self._workspace = prepared.workspace
        self._sources = sorted(sources, key=lambda s: (s.kind, s.name, s.key))
        self._settings = settings
        self._progress = progress

    def write(self, folder: Path, digest: str) -> BuildAccount:
        """Write every table and `rejected.jsonl`; the account is returned, not written."""
        rejected: list[Rejected] = []
        merging = ReadLog("merged documents", rejected.append)
        text = self._write_text(folder, merging)
        names = NamesTable()
        for source in self._of(SourceKind.NAMES):
            names.load(data_path(self._workspace, source))
        if not self._settings.document_relations:
            text.relations.clear()
        relation_files = self._of(SourceKind.RELATIONS)
        known = merge_relations(self._workspace, relation_files, text, names, self._progress)
        for record in known.records:
            text.entities.index(record.head)
            text.entities.index(record.tail)
        entries, rows = text.entities.entries(known.types, names.names, known.stated.names)
        assemble.rename_mentions(folder, rows)
        contexts, n_vocabulary = self._write_contexts(folder, len(entries), text.counts["sentences"])
        write_catalogue(folder, entries, contexts.training_contexts.tolist())
        comentions = write_comentions(folder, np.array([e.n_sentences for e in entries], dtype=np.int32))
        index = {entry.id: row for row, entry in enumerate(entries)}
        by_label = write_relations(folder, known.records, index, comentions)
        self._write_rejected(folder, [*rejected, *known.rejected])
        reports = [report(self._workspace, source) for source in self._of(SourceKind.CORPUS)]
        outcome = _Outcome(reports, merging, text, contexts, known, entries, by_label, len(comentions), n_vocabulary)
        return _account(digest, outcome)

    def _of(self, kind: SourceKind) -> list[Source]:
        return [source for source in self._sources if source.kind is kind]

    def _write_text(self, folder: Path, merging: ReadLog) -> assemble.TextPass:
        corpus, years = self._of(SourceKind.CORPUS), self._of(SourceKind.YEARS)
        year_table = YearTable.load([data_path(self._workspace, source) for source in years]) if years else None
        n_records = sum(self._prepared.report(source).documents for source in corpus)
        scratch = folder / "scratch"
        scratch.mkdir()
        documents = merged_documents(self._prepared, corpus, scratch, merging)
        done = assemble.write_text_tables(self._counted(documents, n_records), year_table, folder)
        remove(scratch)
        return done

    def _counted(self, documents: Iterator[tuple[Document, str]], total: int) -> Iterator[tuple[Document, str]]:
        with self._progress.task("sentences", total, "document") as task:
            for item in documents:
                yield item
                task.advance()

    def _write_contexts(self, folder: Path, n_entities: int, n_sentences: int) -> tuple[assemble.ContextPass, int]:
        with self._progress.task("contexts", n_sentences, "sentence") as task:
            contexts = assemble.write_contexts(folder, n_entities, self._settings.max_tokens, task)
        vocabulary = assemble.make_vocabulary(contexts, self._settings.vocabulary_size, self._settings.min_count)
        with self._progress.task("tokens", contexts.n_contexts, "context") as task:
            assemble.write_tokens(folder, vocabulary, task)
        write_profiles(folder, vocabulary, n_entities)
        write_pair_index(folder)
        return contexts, len(vocabulary)

    def _write_rejected(self, folder: Path, later: Sequence[Rejected]) -> None:
        with (folder / "rejected.jsonl").open("w", encoding="utf-8") as handle:
            for rejected in (*all_rejected(self._workspace, self._sources), *later):
                handle.write(rejected.to_json() + "\n")


def _account(digest: str, outcome: _Outcome) -> BuildAccount:
    text, contexts, known, merging = outcome.text, outcome.contexts, outcome.known, outcome.merging
    read: Counter[str] = Counter()
    rejected = Counter(merging.rejected)
    for one in outcome.reports:
        read.update(one.counts)
        rejected.update(one.rejected)
    return BuildAccount(
        corpus_hash=digest,
        generation=digest[:12],
        rebuilt=True,
        files=len(outcome.reports),
        documents=text.counts["documents"],
        copies_merged=merging.counts["copies of a document merged"],
        documents_with_year=text.counts["with year"],
        sentences=text.counts["sentences"],
        splits_undone=text.counts["splits undone"],
        mentions=text.counts["mentions"],
        contexts=contexts.n_contexts,
        contexts_too_long=contexts.n_too_long,
        pairs_overlapping=contexts.n_overlapping,
        held_out_documents=text.counts["held out"],
        vocabulary=outcome.n_vocabulary,
        tokens=contexts.n_tokens,
        entities=_by_type(outcome.entries),
        entities_with_text=_by_type([entry for entry in outcome.entries if entry.n_sentences]),
        relations=outcome.by_label[0],
        relations_co_mentioned=outcome.by_label[1],
        comentions=outcome.n_comentions,
        duplicates_merged=read["duplicate annotations merged"] + merging.counts["duplicate annotations merged"],
        offsets_repaired=read["offsets repaired"],
        other_types=read["annotations of other types"],
        rejected=dict(sorted(rejected.items())),
        unmapped=known.unmapped,
        notes=dict(sorted(known.notes.items())),
        simulated=text.counts["simulated"] > 0 or any(record.simulated for record in known.records),
    )


def _by_type(entries: Sequence[CatalogueEntry]) -> dict[str, int]:
    counts = Counter(entry.type for entry in entries)
    return {entity_type.value: counts[entity_type] for entity_type in EntityType}
