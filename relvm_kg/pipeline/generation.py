"""One corpus generation: from the ingested sources to a folder of tables and its account."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from relvm_kg.corpus.evidence import write_pair_index
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.retractions import read_retractions
from relvm_kg.corpus.years import YearTable
from relvm_kg.encoding.token_store import write_token_store
from relvm_kg.entities.catalogue import write_catalogue
from relvm_kg.entities.collect import CatalogueEntry
from relvm_kg.entities.equal_diseases import COUNTED
from relvm_kg.entities.hierarchy import Place, places_of_file
from relvm_kg.entities.lookup import keep_names
from relvm_kg.entities.names import NamesTable
from relvm_kg.entities.names_file import is_parquet, read_names
from relvm_kg.entities.orthologs import GENE_PREFIX, OrthologFolder
from relvm_kg.pipeline import assemble
from relvm_kg.pipeline.account import BuildAccount
from relvm_kg.pipeline.comentions import write_comentions
from relvm_kg.pipeline.context_counts import ContextCounts, count_contexts
from relvm_kg.pipeline.contexts import ContextPass, write_contexts
from relvm_kg.pipeline.ingest import IngestReport, Source, SourceKind, all_rejected, data_path, report
from relvm_kg.pipeline.known_relations import KnownRelations, RowIds, merge_relations, write_relations
from relvm_kg.pipeline.merging import LOG_NAME, BucketReader, deal_documents
from relvm_kg.pipeline.prepared import PreparedSources
from relvm_kg.pipeline.profiles import write_profiles
from relvm_kg.pipeline.settings import BuildSettings
from relvm_kg.pipeline.workers import Workers
from relvm_kg.progress import Progress, Task
from relvm_kg.types import EntityType
from relvm_kg.workspace import remove


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What the stages leave for the account."""

    reports: list[IngestReport]
    failed: Counter[str]
    """Documents on which the tagger failed, by reason."""
    merging: ReadLog
    text: assemble.TextPass
    contexts: ContextPass
    counted: ContextCounts
    known: KnownRelations
    entries: list[CatalogueEntry]
    by_label: tuple[dict[str, int], dict[str, int]]
    n_comentions: int
    n_vocabulary: int
    unfolded_because: str | None
    """Why genes of other species were not folded."""


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
        merging = ReadLog(LOG_NAME, rejected.append)
        names = NamesTable()
        for source in self._of(SourceKind.NAMES):
            names.load(data_path(self._workspace, source))
            keep_names(data_path(self._workspace, source), folder)
        orthologs, unfolded_because = self._orthologs(names)
        text = self._write_text(folder, names, orthologs, merging)
        if not self._settings.document_relations:
            text.relations.clear()
        ids = RowIds(names, orthologs, text.folds)
        known = merge_relations(self._workspace, self._of(SourceKind.RELATIONS), text, ids, self._progress)
        for record in known.records:
            text.entities.index(record.head)
            text.entities.index(record.tail)
        entries, rows = text.entities.entries(known.types, names.names, known.stated.names)
        del names, orthologs, ids
        assemble.rename_mentions(folder, rows)
        contexts, n_vocabulary = self._write_contexts(folder, len(entries), text.counts["sentences"])
        n_documents = text.counts["documents"] - text.counts["retracted"]
        places = self._places(entries)
        write_catalogue(folder, entries, contexts.training_contexts.tolist(), n_documents, places)
        comentions = write_comentions(folder, np.array([e.n_sentences for e in entries], dtype=np.int32))
        index = {entry.id: row for row, entry in enumerate(entries)}
        by_label = write_relations(folder, known.records, index, comentions)
        self._write_rejected(folder, [*rejected, *known.rejected])
        corpus = self._of(SourceKind.CORPUS)
        return _account(
            digest,
            _Outcome(
                reports=[report(self._workspace, source) for source in corpus],
                failed=sum((Counter(self._prepared.report(source).failed) for source in corpus), Counter()),
                merging=merging,
                text=text,
                contexts=contexts,
                counted=count_contexts(folder, [entry.type for entry in entries]),
                known=known,
                entries=entries,
                by_label=by_label,
                n_comentions=len(comentions),
                n_vocabulary=n_vocabulary,
                unfolded_because=unfolded_because,
            ),
        )

    def _orthologs(self, names: NamesTable) -> tuple[OrthologFolder | None, str | None]:
        """What folds genes of other species, or None and why not."""
        if not self._settings.fold_orthologs:
            return None, "--no-fold-orthologs"
        for source in self._of(SourceKind.NAMES):
            if is_parquet(path := data_path(self._workspace, source)):
                return OrthologFolder(read_names(path)), None
        if not any(entity.prefix == GENE_PREFIX for entity in names.names):
            return None, "no names table with genes (--names) tells which are human"
        return OrthologFolder.from_names(names), None

    def _places(self, entries: Sequence[CatalogueEntry]) -> dict[str, Place]:
        """Where entities stand in the hierarchies of the names catalogue."""
        ids = [str(entry.id) for entry in entries]
        files = (data_path(self._workspace, source) for source in self._of(SourceKind.NAMES))
        return {entity: place for file in files for entity, place in places_of_file(file, ids).items()}

    def _of(self, kind: SourceKind) -> list[Source]:
        return [source for source in self._sources if source.kind is kind]

    def _write_text(
        self, folder: Path, names: NamesTable, orthologs: OrthologFolder | None, merging: ReadLog
    ) -> assemble.TextPass:
        corpus = self._of(SourceKind.CORPUS)
        years = [data_path(self._workspace, source) for source in self._of(SourceKind.YEARS)]
        lists = [read_retractions(data_path(self._workspace, source)) for source in self._of(SourceKind.RETRACTIONS)]
        rules = assemble.TextRules(
            YearTable.load(years) if years else None, frozenset[str]().union(*lists), orthologs, names.equal_diseases
        )
        scratch = folder / "scratch"
        scratch.mkdir()
        buckets = deal_documents(self._prepared, corpus, scratch)
        reader = BucketReader(tuple(source.name for source in corpus), rules)
        n_records = sum(self._prepared.report(source).documents for source in corpus)
        with (
            self._progress.task("documents", n_records, "document") as task,
            Workers(reader.read, self._settings.jobs) as workers,
        ):
            done = assemble.write_text_tables(_counted(workers.run(buckets), task), folder, merging)
        remove(scratch)
        return done

    def _write_contexts(self, folder: Path, n_entities: int, n_sentences: int) -> tuple[ContextPass, int]:
        settings = self._settings
        with self._progress.task("contexts", n_sentences, "sentence") as task:
            contexts = write_contexts(folder, n_entities, settings.max_tokens, settings.jobs, task)
        vocabulary = contexts.vocabulary(settings.vocabulary_size, settings.min_count)
        vocabulary.save(folder / "vocabulary.json")
        rows = contexts.contexts
        write_token_store(folder / "tokens", rows.read(contexts.ids(vocabulary)), rows.lengths, len(vocabulary))
        with self._progress.task("profiles", 2, "profile") as task:
            write_profiles(folder, contexts, vocabulary, n_entities, task)
        contexts.remove()
        write_pair_index(folder)
        return contexts, len(vocabulary)

    def _write_rejected(self, folder: Path, later: Sequence[Rejected]) -> None:
        with (folder / "rejected.jsonl").open("w", encoding="utf-8") as handle:
            failed = (r for source in self._of(SourceKind.CORPUS) for r in self._prepared.rejected(source))
            for rejected in chain(all_rejected(self._workspace, self._sources), failed, later):
                handle.write(rejected.to_json() + "\n")


def _counted(buckets: Iterator[assemble.TextTables], task: Task) -> Iterator[assemble.TextTables]:
    for bucket in buckets:
        yield bucket
        task.advance(bucket.documents.num_rows)


def _account(digest: str, outcome: _Outcome) -> BuildAccount:
    text, contexts, known, merging = outcome.text, outcome.contexts, outcome.known, outcome.merging
    read: Counter[str] = Counter()
    rejected = Counter(merging.rejected) + outcome.failed
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
        tokens=contexts.contexts.n_tokens,
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
        contexts_by_label=outcome.counted.by_label,
        contexts_by_source=outcome.counted.by_source,
        contexts_by_year=outcome.counted.by_year,
        tagged_mentions=_in_order(text.tagged),
        unlinked_mentions=_in_order(text.unlinked),
        retracted_documents=text.counts["retracted"],
        retracted_sentences=text.counts["retracted sentences"],
        retracted_contexts=outcome.counted.retracted,
        orthologs=None if outcome.unfolded_because else _orthologs(text, known),
        orthologs_unfolded_because=outcome.unfolded_because,
        notes=dict(sorted((known.notes + _notes(text, merging)).items())),
        simulated=text.counts["simulated"] > 0 or any(record.simulated for record in known.records),
    )


def _orthologs(text: assemble.TextPass, known: KnownRelations) -> dict[str, int]:
    return {
        "folded_mentions": sum(found.total() for found in text.folds.values()),
        "folded_ids": len(text.folds),
        "folded_relations": known.n_folded,
        "other_mentions": text.foreign.total(),
        "other_ids": len(text.foreign),
    }


def _notes(text: assemble.TextPass, merging: ReadLog) -> Counter[str]:
    """What else was counted while documents were merged and cut."""
    told = {"copies of a document merged", "duplicate annotations merged"}
    found = Counter({what: n for what, n in merging.counts.items() if what not in told})
    what = "relations stated in retracted documents left out"
    stated = Counter({what: text.counts["relations of retracted documents"], COUNTED: text.counts[COUNTED]})
    return +(found + stated)


def _in_order(counts: Counter[str]) -> dict[str, int]:
    return {kind.value: counts[kind.value] for kind in EntityType if counts[kind.value]}


def _by_type(entries: Sequence[CatalogueEntry]) -> dict[str, int]:
    counts = Counter(entry.type for entry in entries)
    return {entity_type.value: counts[entity_type] for entity_type in EntityType}
