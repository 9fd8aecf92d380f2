"""`build`: annotated text and curated relations in; a workspace with a corpus, a catalogue and known relations out."""

import hashlib
import importlib.metadata
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from relvm_kg.corpus import tables
from relvm_kg.corpus.evidence import pair_keys, write_pair_index
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.relation_rows import row_from_json
from relvm_kg.corpus.relations import GeneIds, RelationMerger, RelationRecord, StatedFacts, majority_type
from relvm_kg.corpus.years import YearTable
from relvm_kg.entities.catalogue import write_catalogue
from relvm_kg.entities.collect import CatalogueEntry
from relvm_kg.entities.names import NamesTable
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline import assemble
from relvm_kg.pipeline.account import BuildAccount
from relvm_kg.pipeline.comentions import write_comentions
from relvm_kg.pipeline.ingest import (
    IngestReport,
    Source,
    SourceKind,
    add_sources,
    all_rejected,
    data_path,
    kept_lines,
    remove_unused,
    report,
)
from relvm_kg.progress import Progress
from relvm_kg.types import POSITIVE_RELATIONS, EntityId, EntityType
from relvm_kg.workspace import (
    Workspace,
    atomic_path,
    remember_workspace,
    remove,
    remove_leftovers,
)

BUILD_VERSION = 1
"""Raised when the tables change for the same sources; it is part of the corpus hash."""


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """How text becomes a corpus."""

    vocabulary_size: int = 20_000
    """Entries of the vocabulary, the five symbols included."""
    min_count: int = 2
    """Sentences of training documents in which a word must stand to enter the vocabulary."""
    max_tokens: int = 140
    """Longest context; longer ones are left out."""
    document_relations: bool = True
    """Whether relations that annotators stated in the text files (CID, BioRED) count as known, with the document as source."""
    years: Path | None = None
    """A table of PMID and year for documents that state none: as stated, else the median of the nearest PMIDs."""

    def __post_init__(self) -> None:
        for name, low in (("vocabulary_size", 6), ("min_count", 1), ("max_tokens", 3)):
            if getattr(self, name) < low:
                raise InvalidInputError(f"build.{name} must be at least {low}, was: {getattr(self, name)}")


def build_workspace(
    path: Path,
    corpus: Sequence[str],
    relations: Sequence[str],
    *,
    names: Path | None,
    settings: BuildSettings,
    progress: Progress,
) -> BuildAccount:
    """Make a workspace, or add files to one.

    Args:
        path: folder of the workspace.
        corpus: annotated text: files, folders or globs.
        relations: curated relations: files, folders or globs.
        names: a names table (see `NamesTable`); an earlier build's table stays if None.
        settings: how text becomes a corpus.
        progress: where progress is told.

    Returns:
        The account of the current corpus; the same files and settings as last time build nothing.

    Raises:
        InvalidInputError: if a name leads to no file, a file has no known format, or there is no text at all.
        WorkspaceError: if the folder is no workspace, or another process writes to it.
    """
    started = time.monotonic()
    workspace = Workspace.create(path)
    with workspace.lock():
        remove_leftovers(workspace.path)
        remove_leftovers(workspace.path / "corpus")
        remove_leftovers(workspace.ingested_dir)
        given = {
            SourceKind.CORPUS: corpus,
            SourceKind.RELATIONS: relations,
            SourceKind.NAMES: [str(names)] if names is not None else [],
            SourceKind.YEARS: [str(settings.years)] if settings.years is not None else [],
        }
        sources = add_sources(workspace, given, progress)
        if not any(report(workspace, s).n_records for s in sources if s.kind is SourceKind.CORPUS):
            raise InvalidInputError("a workspace needs annotated text: give --corpus a file that holds documents")
        account = _current(workspace, sources, settings)
        if account is None:
            account = _Build(workspace, sources, settings, progress).run(started)
        write_graph(workspace)
    remember_workspace(path)
    return account


def write_graph(workspace: Workspace) -> None:
    """Hand nodes, known relations and co-mentions of the current corpus to the graph."""


def _current(workspace: Workspace, sources: Sequence[Source], settings: BuildSettings) -> BuildAccount | None:
    """The account of the generation that these sources and settings give, if it is the current one already."""
    digest = corpus_hash(workspace, sources, settings)
    manifest = workspace.manifest
    if manifest.corpus_hash != digest or manifest.generation is None or not workspace.corpus_dir.is_dir():
        return None
    return replace(BuildAccount.load(workspace.corpus_dir / "account.json"), rebuilt=False)


def corpus_hash(workspace: Workspace, sources: Sequence[Source], settings: BuildSettings) -> str:
    """Hash of everything that the tables follow from: content and name of each source, settings, splitter, versions."""
    content = {
        "version": BUILD_VERSION,
        "splitter": importlib.metadata.version("nupunkt"),
        "sources": sorted([s.kind.value, s.name, report(workspace, s).content_hash] for s in sources),
        "settings": {k: v for k, v in asdict(settings).items() if k != "years"},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _Build:
    """One generation while it is made."""

    def __init__(
        self, workspace: Workspace, sources: Sequence[Source], settings: BuildSettings, progress: Progress
    ) -> None:
        self._workspace = workspace
        self._sources = sorted(sources, key=lambda s: (s.kind, s.name, s.key))
        self._settings = settings
        self._progress = progress
        self._rejected: list[Rejected] = []
        self._merge_log = ReadLog("merged documents", self._rejected.append)
        self._unmapped: dict[str, dict[str, int]] = {}
        self._notes: Counter[str] = Counter()

    def _of(self, kind: SourceKind) -> list[Source]:
        return [s for s in self._sources if s.kind is kind]

    def run(self, started: float) -> BuildAccount:
        digest = corpus_hash(self._workspace, self._sources, self._settings)
        generation = digest[:12]
        with atomic_path(self._workspace.path / "corpus" / generation) as folder:
            folder.mkdir(parents=True)
            account = self._write(folder, digest)
            seconds = time.monotonic() - started
            account = replace(account, seconds=round(seconds, 2), peak_memory_mib=_peak_memory())
            account.save(folder / "account.json")
            self._write_rejected(folder)
        before = self._workspace.manifest.generation
        self._workspace.update_manifest(generation=generation, corpus_hash=digest, simulated=account.simulated)
        for old in (self._workspace.path / "corpus").iterdir():
            if old.name not in (generation, before):
                remove(old)
        remove_unused(self._workspace, self._sources)
        return account

    def _write(self, folder: Path, digest: str) -> BuildAccount:
        text = self._write_text(folder)
        names = NamesTable()
        for source in self._of(SourceKind.NAMES):
            names.load(data_path(self._workspace, source))
        types, stated, records = self._merge_relations(text, names)
        for record in records:
            for entity, entity_type in zip((record.head, record.tail), record.relation.argument_types, strict=True):
                text.entities.index(entity)
                types.setdefault(entity, entity_type)
        entries, rows = text.entities.entries(types, names.names, stated.names)
        assemble.rename_mentions(folder, rows)
        contexts = self._write_contexts(folder, len(entries))
        write_catalogue(folder, entries, contexts.training_contexts.tolist())
        vocabulary = assemble.make_vocabulary(contexts, self._settings.vocabulary_size, self._settings.min_count)
        assemble.write_tokens(folder, vocabulary)
        write_pair_index(folder)
        n_sentences = np.array([e.n_sentences for e in entries], dtype=np.int32)
        comentions = write_comentions(folder, n_sentences)
        known, co_mentioned = _write_relations(folder, records, entries, comentions)
        reports = [report(self._workspace, s) for s in self._of(SourceKind.CORPUS)]
        return BuildAccount(
            corpus_hash=digest,
            generation=digest[:12],
            rebuilt=True,
            files=len(reports),
            documents=text.counts["documents"],
            copies_merged=self._merge_log.counts["copies of a document merged"],
            documents_with_year=text.counts["with year"],
            sentences=text.counts["sentences"],
            splits_undone=text.counts["splits undone"],
            mentions=text.counts["mentions"],
            contexts=contexts.n_contexts,
            contexts_too_long=contexts.n_too_long,
            pairs_overlapping=contexts.n_overlapping,
            held_out_documents=text.counts["held out"],
            vocabulary=len(vocabulary),
            tokens=contexts.n_tokens,
            entities=_by_type(entries),
            entities_with_text=_by_type([e for e in entries if e.n_sentences]),
            relations=known,
            relations_co_mentioned=co_mentioned,
            comentions=len(comentions),
            duplicates_merged=self._merge_log.counts["duplicate annotations merged"]
            + _sum(reports, "duplicate annotations merged"),
            offsets_repaired=_sum(reports, "offsets repaired"),
            other_types=_sum(reports, "annotations of other types"),
            rejected=dict(sum((Counter(r.rejected) for r in reports), Counter(self._merge_log.rejected))),
            unmapped=self._unmapped,
            notes=dict(self._notes),
            simulated=text.counts["simulated"] > 0 or any(r.simulated for r in records),
        )

    def _write_text(self, folder: Path) -> assemble.TextPass:
        corpus = self._of(SourceKind.CORPUS)
        years = self._of(SourceKind.YEARS)
        table = YearTable.load(data_path(self._workspace, years[-1])) if years else None
        n_records = sum(report(self._workspace, s).n_records for s in corpus)
        scratch = folder / "scratch"
        scratch.mkdir()
        with self._progress.task("sentences", n_records, "document") as task:
            documents = assemble.merged_documents(self._workspace, corpus, n_records, scratch, self._merge_log)

            def counted():  # type: ignore[no-untyped-def]  # noqa: ANN202
                for item in documents:
                    yield item
                    task.advance()

            done = assemble.write_text_tables(counted(), table, folder)
        remove(scratch)
        return done

    def _merge_relations(
        self, text: assemble.TextPass, names: NamesTable
    ) -> tuple[dict[EntityId, EntityType], StatedFacts, list[RelationRecord]]:
        stated = StatedFacts()
        sources = self._of(SourceKind.RELATIONS)
        for source in sources:
            for line in kept_lines(self._workspace, source):
                stated.add(row_from_json(line))
        types = stated.types() | {entity: majority_type(votes) for entity, votes in text.entities.types().items()}
        genes = GeneIds(names.by_hgnc, stated.symbols() | names.by_symbol)
        merger = RelationMerger(types, genes)
        with self._progress.task(
            "relations", sum(report(self._workspace, s).n_records for s in sources), "row"
        ) as task:
            for source in sources:
                log = ReadLog(source.name, self._rejected.append)
                for line in kept_lines(self._workspace, source):
                    merger.add(row_from_json(line), log)
                    task.advance()
                reasons = Counter(report(self._workspace, source).rejected) + log.rejected
                if reasons:
                    self._unmapped[source.name] = dict(reasons)
                self._notes.update(log.counts)
        if self._settings.document_relations:
            log = ReadLog("documents")
            for relation, doc_id, source_name, _ in text.relations:
                merger.add_from_document(relation, doc_id, source_name, log)
            self._notes.update(log.counts)
        return types, stated, list(merger.records())

    def _write_contexts(self, folder: Path, n_entities: int) -> assemble.ContextPass:
        return assemble.write_contexts(folder, n_entities, self._settings.max_tokens)

    def _write_rejected(self, folder: Path) -> None:
        with (folder / "rejected.jsonl").open("w", encoding="utf-8") as handle:
            for rejected in all_rejected(self._workspace, self._sources):
                handle.write(rejected.to_json() + "\n")
            for rejected in self._rejected:
                handle.write(rejected.to_json() + "\n")


def _write_relations(
    folder: Path,
    records: Sequence[RelationRecord],
    entries: Sequence[CatalogueEntry],
    comentions: npt.NDArray[np.int64],
) -> tuple[dict[str, int], dict[str, int]]:
    """Write `relations.parquet`; returns the relations by label, all and co-mentioned."""
    index = {entry.id: row for row, entry in enumerate(entries)}
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
    return (
        {r.value: known[r.value] for r in POSITIVE_RELATIONS},
        {r.value: co_mentioned[r.value] for r in POSITIVE_RELATIONS},
    )


def _by_type(entries: Sequence[CatalogueEntry]) -> dict[str, int]:
    counts = Counter(entry.type for entry in entries)
    return {entity_type.value: counts[entity_type] for entity_type in EntityType}


def _sum(reports: Sequence[IngestReport], what: str) -> int:
    return sum(r.counts.get(what, 0) for r in reports)


def _peak_memory() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
