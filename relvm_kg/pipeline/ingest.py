"""Source files into the workspace: each is read once and kept in our own form, so that an interrupted build goes on.

    ingested/<key>.jsonl.gz        documents, or rows of a relation file; of the other tables a copy of their lines
    ingested/<key>.parquet         of a names catalogue: a copy of the file
    ingested/<key>.rejected.jsonl  what was set aside
    ingested/<key>.json            the report; written last, it says that the other two are whole

The key is the SHA-256 of the file's bytes. `sources.json` remembers what the user gave, so that a later build adds to
it.
"""

import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.corpus.lines import read_lines
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.relation_files import read_relations, sniff_relation_format
from relvm_kg.corpus.relation_rows import row_to_json
from relvm_kg.corpus.retractions import read_retractions
from relvm_kg.corpus.sources import SourceFile, expand, read_documents, sniff_text_format
from relvm_kg.corpus.years import YearTable
from relvm_kg.entities.names import NamesTable
from relvm_kg.entities.names_file import is_parquet
from relvm_kg.errors import InvalidInputError, WorkspaceError
from relvm_kg.progress import Progress
from relvm_kg.types import Document, EntityType
from relvm_kg.workspace import Workspace, atomic_path, file_sha256, read_json, remove, write_json

INGEST_VERSION = 2
"""Raised when readers change what they take from a file; older copies are then read again."""


class SourceKind(StrEnum):
    """What a source file is for."""

    CORPUS = "corpus"
    RELATIONS = "relations"
    NAMES = "names"
    YEARS = "years"
    RETRACTIONS = "retractions"


TABLES = (SourceKind.NAMES, SourceKind.YEARS, SourceKind.RETRACTIONS)
"""Of these a workspace has one; a new one takes the place of the earlier."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that a workspace was built from, as `sources.json` remembers it."""

    kind: SourceKind
    name: str
    path: str
    key: str


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What reading one file gave."""

    version: int
    content_hash: str
    """SHA-256 of the kept records (not of the file's bytes: packing does not matter)."""
    n_records: int
    rejected: dict[str, int]
    counts: dict[str, int]
    annotated: list[str] = field(default_factory=list)
    """The types that the file's annotators tagged somewhere in it; a tagger leaves them alone."""

    @property
    def annotated_types(self) -> tuple[EntityType, ...]:
        """`annotated`, as types."""
        return tuple(EntityType(name) for name in self.annotated)


def data_path(workspace: Workspace, source: Source) -> Path:
    """The kept records of a source."""
    catalogue = workspace.ingested_dir / f"{source.key}.parquet"
    if source.kind is SourceKind.NAMES and catalogue.is_file():
        return catalogue
    return workspace.ingested_dir / f"{source.key}.jsonl.gz"


def rejected_path(workspace: Workspace, source: Source) -> Path:
    """The rejected records of a source."""
    return workspace.ingested_dir / f"{source.key}.rejected.jsonl"


def report(workspace: Workspace, source: Source) -> IngestReport:
    """The report of an ingested source."""
    return IngestReport(**read_json(workspace.ingested_dir / f"{source.key}.json"))


def kept_lines(workspace: Workspace, source: Source) -> Iterator[str]:
    """Lines of the kept records, one at a time."""
    with gzip.open(data_path(workspace, source), "rt", encoding="utf-8", newline="\n") as handle:
        yield from handle


def remembered_sources(workspace: Workspace) -> list[Source]:
    """What earlier builds were given."""
    path = workspace.path / "sources.json"
    if not path.is_file():
        return []
    return [Source(**{**entry, "kind": SourceKind(entry["kind"])}) for entry in read_json(path)]


def add_sources(workspace: Workspace, patterns: dict[SourceKind, Sequence[str]], progress: Progress) -> list[Source]:
    """Ingest what is new and remember it; the caller holds the lock.

    A file at the path of an earlier one takes its place, one with the same content as an earlier one adds nothing, and
    a table of names, years or retractions takes the place of the earlier one.

    Raises:
        InvalidInputError: if a name leads to no file, a named file has no known format, or a gzip file is damaged.
        WorkspaceError: if an earlier version of the program read a file that is not there any more.
    """
    replaced = {kind for kind in TABLES if patterns.get(kind)}
    sources = {(s.kind, s.path): s for s in remembered_sources(workspace) if s.kind not in replaced}
    files = [(kind, f) for kind, names in patterns.items() for f in expand(names)]
    with progress.task("reading", len(files), "file") as task:
        for kind, file in files:
            source = _ingest(workspace, kind, file, progress)
            if source is not None:
                sources[kind, source.path] = source
            task.advance()
    kept: dict[tuple[SourceKind, str], Source] = {}
    for source in sources.values():
        kept.setdefault((source.kind, source.key), _read_by_this_version(workspace, source, progress))
    write_json(workspace.path / "sources.json", [asdict(s) for s in kept.values()])
    return list(kept.values())


def _read_by_this_version(workspace: Workspace, source: Source, progress: Progress) -> Source:
    """A remembered source, read again if an earlier version of the program read it."""
    if report(workspace, source).version == INGEST_VERSION:
        return source
    path = Path(source.path)
    if not path.is_file() or f"{source.kind.value}-{file_sha256(path)}" != source.key:
        raise WorkspaceError(
            f"{path} was read by an earlier version of relvm-kg and must be read again, but it is not there as it was; "
            "put it back, or make a new workspace"
        )
    return _ingest(workspace, source.kind, SourceFile(path, True), progress) or source


def _ingest(workspace: Workspace, kind: SourceKind, file: SourceFile, progress: Progress) -> Source | None:
    key = f"{kind.value}-{file_sha256(file.path)}"
    source = Source(kind=kind, name=file.path.name, path=str(file.path.resolve()), key=key)
    report_path = workspace.ingested_dir / f"{key}.json"
    if report_path.is_file() and report(workspace, source).version == INGEST_VERSION:
        return source
    with atomic_path(rejected_path(workspace, source)) as temporary, temporary.open("w", encoding="utf-8") as handle:
        log = ReadLog(file.path.name, lambda rejected: handle.write(rejected.to_json() + "\n"))
        annotated: set[EntityType] = set()
        records = _records(kind, file, log, annotated)
        if records is None:
            progress.say(f"left out {file.path}: not a {kind.value} file of a known format")
            return None
        if kind is SourceKind.NAMES and is_parquet(file.path):
            n_records, content_hash = 0, _copy(file.path, workspace.ingested_dir / f"{key}.parquet")
        else:
            n_records, content_hash = _write(records, data_path(workspace, source))
    done = IngestReport(
        version=INGEST_VERSION,
        content_hash=content_hash,
        n_records=n_records,
        rejected=dict(log.rejected),
        counts=dict(log.counts),
        annotated=[t.value for t in EntityType if t in annotated],
    )
    write_json(report_path, asdict(done))
    return source


def _records(kind: SourceKind, file: SourceFile, log: ReadLog, annotated: set[EntityType]) -> Iterator[str] | None:
    """Lines to keep of a file; None if it was found in a folder and has no known format.

    The types that its documents annotate are added to `annotated` as the lines are taken.
    """
    path = file.path
    if kind is SourceKind.CORPUS:
        if text_format := sniff_text_format(path):
            return (_line(document, annotated) for document in read_documents(path, text_format, log))
    elif kind is SourceKind.RELATIONS:
        if relation_format := sniff_relation_format(path):
            return (row_to_json(r) for r in read_relations(path, relation_format, log))
    else:
        return _table_lines(kind, path, log)
    if path.stat().st_size == 0:
        log.reject(0, "the file is empty", "")
        return iter(())
    if file.named:
        raise InvalidInputError(f"{path} must be a {kind.value} file of a known format; its first lines are of none")
    return None


def _line(document: Document, annotated: set[EntityType]) -> str:
    annotated.update(document.annotated)
    annotated.update(mention.type for mention in document.mentions if not mention.tagged)
    return document_to_json(document)


def _table_lines(kind: SourceKind, path: Path, log: ReadLog) -> Iterator[str]:
    """Lines of a table of names, years or retractions, once it is known to be one; none of a names catalogue."""
    if kind is SourceKind.NAMES:
        NamesTable().load(path)
        if is_parquet(path):
            return iter(())
    elif kind is SourceKind.YEARS:
        YearTable.load([path])
    else:
        return iter(sorted(read_retractions(path)))
    return (line for _, line in read_lines(path, log))


def _copy(path: Path, target: Path) -> str:
    """Copy a file whole; returns the hash of its bytes."""
    with atomic_path(target) as temporary:
        shutil.copyfile(path, temporary)
        return file_sha256(temporary)


def _write(records: Iterator[str], target: Path) -> tuple[int, str]:
    content = hashlib.sha256()
    n_records = 0
    with (
        atomic_path(target) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=3) as packed,
    ):
        for record in records:
            line = (record + "\n").encode("utf-8")
            content.update(line)
            packed.write(line)
            n_records += 1
    return n_records, content.hexdigest()


def all_rejected(workspace: Workspace, sources: Sequence[Source]) -> Iterator[Rejected]:
    """Every record that reading set aside, file by file."""
    for source in sources:
        with rejected_path(workspace, source).open(encoding="utf-8") as handle:
            for line in handle:
                yield Rejected(**json.loads(line))


def remove_unused(workspace: Workspace, sources: Sequence[Source]) -> None:
    """Delete ingested files that no source needs any more."""
    keys = {source.key for source in sources}
    for path in workspace.ingested_dir.glob("*-*.*"):
        if path.name.split(".", 1)[0] not in keys:
            remove(path)
