"""`tag`: text files in, the same documents with tagged and linked mentions out, file by file.

out/<name>.jsonl.gz or <name>.pubtator.gz     the documents
out/<name>.rejected.jsonl                     what was set aside
out/<name>.report.json                        written last; it says that the others are whole, and from what
"""

import gzip
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Protocol, Self

from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.corpus.pubtator import document_to_pubtator
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.sources import SourceFile, TextFormat, expand, read_documents, sniff_text_format
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import atomic_path, file_sha256, read_json, remove_leftovers, write_json
from relvm_kg.pipeline.prepare import DocumentTagger, PreparedChunk, PreparedCounts, Preparer, WorkerPool, chunked
from relvm_kg.progress import Progress
from relvm_kg.types import EntityType

TAG_VERSION = 1
"""Raised when the same text and tagger give another file."""
_PACKING = 3


class TaggedFormat(StrEnum):
    """Formats that `tag` writes."""

    JSONL = "jsonl"
    PUBTATOR = "pubtator"


@dataclass(frozen=True, kw_only=True)
class TagRequest:
    """How to tag."""

    out: Path
    """Folder of the results."""
    tagger: DocumentTagger
    types: tuple[EntityType, ...] = tuple(EntityType)
    """Types to tag; a file's own annotations are kept, and its types are left to them."""
    tagged_format: TaggedFormat = TaggedFormat.JSONL
    jobs: int | None = None
    """Processes; None takes all cores."""


@dataclass(frozen=True, kw_only=True)
class TaggedFile:
    """What became of one file."""

    version: int
    source: str
    source_sha256: str
    tagger: str
    types: tuple[str, ...]
    tagged: str
    """Name of the result."""
    documents: int
    sentences: int
    mentions: dict[str, int]
    """By type; of them our tagger's and those without an id follow."""
    tagged_mentions: dict[str, int]
    unlinked_mentions: dict[str, int]
    rejected: dict[str, int]
    """Records set aside, by reason."""
    seconds: float

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], source: Path) -> Self:
        """Read what `asdict` gave, with the source as it is named now."""
        return cls(**{**values, "types": tuple(values["types"]), "source": str(source)})


@dataclass(frozen=True, kw_only=True)
class TagReport:
    """What became of all files."""

    files: tuple[TaggedFile, ...]
    done_before: tuple[str, ...]
    """Sources that an earlier call had finished."""
    left_out: tuple[str, ...]
    """Files found in folders that hold no text of a known format."""


class JobRunner(Protocol):
    """Tags files, in any order."""

    def __call__(self, jobs: Sequence["TagJob"], progress: Progress) -> Iterator[tuple["TagJob", TaggedFile]]:
        """Jobs with what became of them, as they are done."""


def run_here(jobs: Sequence["TagJob"], progress: Progress) -> Iterator[tuple["TagJob", TaggedFile]]:
    """Tag files one after the other, each by several processes: see `JobRunner`."""
    for job in jobs:
        yield job, job.run(progress)


def tag_files(patterns: Sequence[str], request: TagRequest, progress: Progress, run: JobRunner = run_here) -> TagReport:
    """Tag files; those that an earlier call finished with the same tagger are not tagged again.

    Args:
        patterns: files, folders or globs, in any format that has a reader.
        request: how, and where to.
        progress: where progress is told.
        run: who tags them.

    Raises:
        InvalidInputError: if a name leads to no file, a named file has no known format, or a packed file is damaged.
        RelvmKgError: if a worker process dies.
    """
    files = expand(patterns)
    if not request.types:
        raise InvalidInputError("tag.types must name at least one type")
    names = _names(files)
    request.out.mkdir(parents=True, exist_ok=True)
    remove_leftovers(request.out)
    jobs: list[TagJob] = []
    left_out: list[str] = []
    for file in files:
        text_format = sniff_text_format(file.path)
        if text_format is None:
            if file.named:
                raise InvalidInputError(
                    f"{file.path} must be a text file of a known format; its first lines are of none"
                )
            left_out.append(str(file.path))
            continue
        jobs.append(TagJob(file.path, text_format, request, names[file.path]))
    done = {job: finished for job in jobs if (finished := job.finished()) is not None}
    before = tuple(str(job.source) for job in done)
    done |= dict(run([job for job in jobs if job not in done], progress))
    return TagReport(files=tuple(done[job] for job in jobs), done_before=before, left_out=tuple(left_out))


def _names(files: Sequence[SourceFile]) -> dict[Path, str]:
    """The name of each result: the file's own without its endings, with its folder's before it where two agree."""

    def stem(path: Path) -> str:
        return path.name.split(".")[0] or path.name

    counts = Counter(stem(file.path) for file in files)
    names = {
        f.path: stem(f.path) if counts[stem(f.path)] == 1 else f"{f.path.parent.name}-{f.path.name}" for f in files
    }
    for name, n in Counter(names.values()).items():
        if n > 1:
            same = ", ".join(str(path) for path, other in names.items() if other == name)
            raise InvalidInputError(f"files tagged together must have names of their own, {same} have the same")
    return names


@dataclass(frozen=True, eq=False)
class TagJob:
    """One file to tag."""

    source: Path
    text_format: TextFormat
    request: TagRequest
    name: str

    @property
    def target(self) -> Path:
        """The tagged documents."""
        return self.request.out / f"{self.name}.{self.request.tagged_format.value}.gz"

    @property
    def report_path(self) -> Path:
        """What became of the file."""
        return self.request.out / f"{self.name}.report.json"

    def finished(self) -> TaggedFile | None:
        """The report of an earlier call, if it made the same result from the same file."""
        if not (self.report_path.is_file() and self.target.is_file()):
            return None
        stored = read_json(self.report_path)
        wanted = {
            "version": TAG_VERSION,
            "source_sha256": file_sha256(self.source),
            "tagger": self.request.tagger.fingerprint,
            "types": [t.value for t in self.request.types],
            "tagged": self.target.name,
        }
        same = all(stored.get(name) == value for name, value in wanted.items())
        return TaggedFile.from_mapping(stored, self.source) if same else None

    def run(self, progress: Progress) -> TaggedFile:
        """Tag the file."""
        started = time.monotonic()
        self.report_path.unlink(missing_ok=True)
        counts = PreparedCounts()
        with (
            atomic_path(self.request.out / f"{self.name}.rejected.jsonl") as rejected_path,
            rejected_path.open("w", encoding="utf-8") as rejected,
            atomic_path(self.target) as temporary,
            temporary.open("wb") as handle,
            WorkerPool(Preparer(self.request.tagger), self.request.jobs) as pool,
            progress.task(f"tagging {self.source.name}", None, "document") as task,
        ):
            log = ReadLog(self.source.name, lambda record: rejected.write(record.to_json() + "\n"))
            lines = (document_to_json(d) for d in read_documents(self.source, self.text_format, log))
            for chunk in pool.run(chunked(lines, self._own_types())):
                for failure in chunk.failures:
                    log.reject(0, failure.reason, failure.doc_id)
                self._write(chunk, handle, log)
                counts = counts.plus(chunk.counts)
                task.advance(chunk.counts.documents + len(chunk.failures))
        done = TaggedFile(
            version=TAG_VERSION,
            source=str(self.source),
            source_sha256=file_sha256(self.source),
            tagger=self.request.tagger.fingerprint,
            types=tuple(t.value for t in self.request.types),
            tagged=self.target.name,
            documents=counts.documents,
            sentences=counts.sentences,
            mentions=dict(counts.mentions),
            tagged_mentions=dict(counts.tagged),
            unlinked_mentions=dict(counts.unlinked),
            rejected=dict(log.rejected),
            seconds=round(time.monotonic() - started, 2),
        )
        write_json(self.report_path, asdict(done))
        return done

    def _own_types(self) -> tuple[EntityType, ...]:
        """Types that are not to be tagged: those that the file annotates, and those not asked for."""
        own = {t for t in EntityType if t not in self.request.types}
        if self.text_format.is_annotated:
            for document in read_documents(self.source, self.text_format, ReadLog(self.source.name)):
                own.update(m.type for m in document.mentions if not m.tagged)
        return tuple(t for t in EntityType if t in own)

    def _write(self, chunk: PreparedChunk, handle: IO[bytes], log: ReadLog) -> None:
        if self.request.tagged_format is TaggedFormat.JSONL:
            handle.write(chunk.packed)
            return
        text = "".join(self._pubtator(chunk, log))
        handle.write(gzip.compress(text.encode("utf-8"), _PACKING, mtime=0))

    def _pubtator(self, chunk: PreparedChunk, log: ReadLog) -> Iterator[str]:
        for document in chunk.documents():
            try:
                yield document_to_pubtator(document)
            except InvalidInputError as error:
                log.reject(0, str(error), document.doc_id)
