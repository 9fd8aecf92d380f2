"""Ingested documents into the form that the tables are made from: split into sentences and, with a tagger, tagged.

    prepared/<key>-<fingerprint>.jsonl.gz        documents
    prepared/<key>-<fingerprint>.rejected.jsonl  documents on which the tagger failed
    prepared/<key>-<fingerprint>.json            the report; written last, it says that the other two are whole
    prepared/<key>-<fingerprint>.parts/          the same three for each part of a file that is still being prepared

The key is the source's, the fingerprint that of its records, the splitter and the tagger. What is there is not done
again, so that a build that was killed goes on at the part that was under way.
"""

import gzip
import hashlib
import importlib.metadata
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from relvm_kg.corpus.read_log import Rejected
from relvm_kg.pipeline.ingest import IngestReport, Source, kept_lines, report
from relvm_kg.pipeline.prepare import PreparedChunk, PreparedCounts, Preparer, WorkerPool, chunked
from relvm_kg.progress import Progress, Task
from relvm_kg.workspace import Workspace, atomic_path, read_json, remove, remove_leftovers, write_json

PREPARE_VERSION = 1
"""Raised when the same text would be split otherwise, or the files' form changes."""
PART_CHUNKS = 16
"""Chunks of one part: what a kill can lose."""


@dataclass(frozen=True)
class PreparedReport:
    """What preparing one file, or a part of it, gave. Mentions are counted by type (see `PreparedCounts`)."""

    documents: int = 0
    sentences: int = 0
    n_bytes: int = 0
    """Of the documents' lines, unpacked."""
    mentions: dict[str, int] = field(default_factory=dict)
    tagged: dict[str, int] = field(default_factory=dict)
    unlinked: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    """Documents on which the tagger failed, by reason."""

    @property
    def n_records(self) -> int:
        """Records that went in."""
        return self.documents + sum(self.failed.values())

    @classmethod
    def of(cls, chunks: Sequence[PreparedChunk]) -> "PreparedReport":
        """The report of one part."""
        counts = PreparedCounts()
        for chunk in chunks:
            counts = counts.plus(chunk.counts)
        return cls(
            counts.documents,
            counts.sentences,
            sum(chunk.n_bytes for chunk in chunks),
            _sorted(counts.mentions),
            _sorted(counts.tagged),
            _sorted(counts.unlinked),
            _sorted(Counter(failure.reason for chunk in chunks for failure in chunk.failures)),
        )

    @classmethod
    def total(cls, reports: Sequence["PreparedReport"]) -> "PreparedReport":
        """The report of a file from those of its parts."""

        def added(name: str) -> dict[str, int]:
            return _sorted(sum((Counter(getattr(one, name)) for one in reports), Counter()))

        return cls(
            sum(one.documents for one in reports),
            sum(one.sentences for one in reports),
            sum(one.n_bytes for one in reports),
            added("mentions"),
            added("tagged"),
            added("unlinked"),
            added("failed"),
        )


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


@dataclass(frozen=True)
class _Files:
    """The three files of a prepared source, or of a part of one."""

    data: Path
    rejected: Path
    report: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> "_Files":
        return cls(*(folder / f"{name}.{ending}" for ending in ("jsonl.gz", "rejected.jsonl", "json")))

    def read_report(self) -> PreparedReport:
        return PreparedReport(**read_json(self.report))


class PreparedSources:
    """The prepared files of a workspace's sources, for one way to prepare them.

    Args:
        workspace: where they are.
        tagger: the tagger's fingerprint; None for text that is only split.
    """

    def __init__(self, workspace: Workspace, tagger: str | None) -> None:
        self.workspace = workspace
        self._tagger = tagger
        self._folder = workspace.prepared_dir

    @property
    def method(self) -> list[str | int | None]:
        """What documents become follows from this: versions of this step and the splitter, and the tagger."""
        return [PREPARE_VERSION, importlib.metadata.version("nupunkt"), self._tagger]

    def name(self, source: Source) -> str:
        """The name of a source's prepared files, without their endings."""
        kept = report(self.workspace, source)
        content = [self.method, kept.content_hash, kept.annotated]
        fingerprint = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
        return f"{source.key}-{fingerprint}"

    def report(self, source: Source) -> PreparedReport:
        """The report of a prepared source."""
        return self._files(source).read_report()

    def lines(self, source: Source) -> Iterator[bytes]:
        """The documents of a prepared source as JSON lines."""
        with gzip.open(self._files(source).data) as handle:
            yield from handle

    def rejected(self, source: Source) -> Iterator[Rejected]:
        """The documents of a source on which the tagger failed."""
        with self._files(source).rejected.open(encoding="utf-8") as handle:
            for line in handle:
                yield Rejected(**json.loads(line))

    def _files(self, source: Source) -> _Files:
        return _Files.of(self._folder, self.name(source))

    def prepare(self, sources: Sequence[Source], preparer: Preparer, jobs: int | None, progress: Progress) -> None:
        """Prepare what is not prepared yet, by several processes; the caller holds the workspace's lock.

        Args:
            sources: text files.
            preparer: has the tagger of the fingerprint.
            jobs: processes; None takes all cores.
            progress: where progress is told.

        Raises:
            RelvmKgError: if a worker process dies.
        """
        todo = [source for source in sources if not self._files(source).report.is_file()]
        if not todo:
            return
        reports = {source: report(self.workspace, source) for source in todo}
        done = {source: self._finished_parts(source) for source in todo}
        n_done = sum(part.n_records for parts in done.values() for part in parts)
        total = sum(kept.n_records for kept in reports.values())
        label = "splitting" if preparer.tagger is None else "tagging"
        with WorkerPool(preparer, jobs) as pool, progress.task(label, total, "document", n_done) as task:
            for source in todo:
                self._prepare_source(source, reports[source], done[source], pool, task)

    def _parts_folder(self, source: Source) -> Path:
        return self._folder / f"{self.name(source)}.parts"

    def _finished_parts(self, source: Source) -> list[PreparedReport]:
        """The reports of the parts that an interrupted run has done."""
        folder = self._parts_folder(source)
        if folder.is_dir():
            remove_leftovers(folder)
        parts: list[PreparedReport] = []
        while (files := _Files.of(folder, _part_name(len(parts)))).report.is_file():
            parts.append(files.read_report())
        return parts

    def _prepare_source(
        self, source: Source, kept: IngestReport, parts: list[PreparedReport], pool: WorkerPool, task: Task
    ) -> None:
        folder = self._parts_folder(source)
        lines = islice(kept_lines(self.workspace, source), sum(part.n_records for part in parts), None)
        chunks = pool.run(chunked(lines, kept.annotated_types))
        while part := _counted(islice(chunks, PART_CHUNKS), task):
            _write_part(_Files.of(folder, _part_name(len(parts))), part, source.name)
            parts.append(PreparedReport.of(part))
        files = self._files(source)
        _join(files.data, [_Files.of(folder, _part_name(n)).data for n in range(len(parts))])
        _join(files.rejected, [_Files.of(folder, _part_name(n)).rejected for n in range(len(parts))])
        write_json(files.report, asdict(PreparedReport.total(parts)))
        remove(folder)

    def remove_unused(self, sources: Sequence[Source]) -> None:
        """Delete prepared files that these sources and this preparer do not need."""
        names = {self.name(source) for source in sources}
        for path in self._folder.glob("*"):
            if path.name.split(".", 1)[0] not in names:
                remove(path)


def _counted(chunks: Iterator[PreparedChunk], task: Task) -> list[PreparedChunk]:
    """The chunks of one part; progress is told as each comes."""
    part: list[PreparedChunk] = []
    for chunk in chunks:
        task.advance(chunk.counts.documents + len(chunk.failures))
        part.append(chunk)
    return part


def _part_name(number: int) -> str:
    return f"{number:05d}"


def _write_part(files: _Files, chunks: Sequence[PreparedChunk], file: str) -> None:
    with atomic_path(files.data) as temporary, temporary.open("wb") as handle:
        handle.writelines(chunk.packed for chunk in chunks)
    with atomic_path(files.rejected) as temporary, temporary.open("w", encoding="utf-8") as text:
        for failure in (failure for chunk in chunks for failure in chunk.failures):
            text.write(Rejected(file, 0, failure.reason, failure.doc_id).to_json() + "\n")
    write_json(files.report, asdict(PreparedReport.of(chunks)))


def _join(target: Path, parts: Sequence[Path]) -> None:
    """One file from parts; gzip members one after another are a gzip file."""
    with atomic_path(target) as temporary, temporary.open("wb") as handle:
        for part in parts:
            with part.open("rb") as opened:
                shutil.copyfileobj(opened, handle)
