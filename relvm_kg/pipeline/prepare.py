"""Documents made ready for a corpus: split into sentences and, with a tagger, tagged; by several processes at once.

What goes to a worker and comes back are JSON lines in chunks, so that a document is never pickled, and chunks come back
in the order in which they went. Workers are forked: they share the tagger's tables with the process that loaded them.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

from relvm_kg.corpus.jsonl import document_to_json, trusted_document
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.sentences import split_text
from relvm_kg.pipeline.workers import Workers
from relvm_kg.types import Document, EntityType

CHUNK_DOCUMENTS = 128
"""Documents that a worker gets at a time ..."""
CHUNK_CHARACTERS = 400_000
"""... or fewer, if their lines have as many characters as this."""
_PACKING = 3


class DocumentTagger(Protocol):
    """What finds mentions in documents that are split into sentences."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the tagger might find something else in the same text."""

    def tag_many(self, documents: Sequence[Document]) -> list[Document]:
        """The documents with mentions of the types that are not in their `annotated`."""


class Failure(NamedTuple):
    """A document that the tagger could not do, and why."""

    doc_id: str
    reason: str


class Chunk(NamedTuple):
    """Documents as JSON lines, and the types that their file annotates."""

    lines: list[str]
    annotated: tuple[EntityType, ...] = ()


@dataclass(frozen=True)
class PreparedCounts:
    """What stands in prepared documents. Mentions are counted by type: all, our tagger's, and those without an id."""

    documents: int = 0
    sentences: int = 0
    mentions: Counter[str] = field(default_factory=Counter)
    tagged: Counter[str] = field(default_factory=Counter)
    unlinked: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Self:
        """Count documents."""
        mentions = [mention for document in documents for mention in document.mentions]
        return cls(
            len(documents),
            sum(len(passage.sentences) for document in documents for passage in document.passages),
            Counter(mention.type.value for mention in mentions),
            Counter(mention.type.value for mention in mentions if mention.tagged),
            Counter(mention.type.value for mention in mentions if not mention.ids),
        )

    def plus(self, other: Self) -> "PreparedCounts":
        """The counts of both."""
        return PreparedCounts(
            self.documents + other.documents,
            self.sentences + other.sentences,
            self.mentions + other.mentions,
            self.tagged + other.tagged,
            self.unlinked + other.unlinked,
        )


class PreparedChunk(NamedTuple):
    """What a chunk became: its documents as packed JSON lines (a whole gzip member), and what was set aside."""

    packed: bytes
    n_bytes: int
    """Of the lines before they were packed."""
    counts: PreparedCounts
    failures: list[Failure]

    def documents(self) -> Iterator[Document]:
        """The documents."""
        for line in gzip.decompress(self.packed).decode("utf-8").split("\n"):
            if line:
                yield trusted_document(line)


@dataclass(frozen=True)
class Preparer:
    """What is done to each document."""

    tagger: DocumentTagger | None = None
    """None only splits."""

    def prepare(self, documents: Iterable[Document]) -> tuple[list[Document], list[Failure]]:
        """Split documents where they are not split yet, and tag them.

        Mentions that a tagger found earlier make room for this one's. A document on which the tagger fails is set
        aside; the others are tagged all the same.
        """
        split = [_split(document) for document in documents]
        if self.tagger is None:
            return split, []
        split = [d._replace(mentions=tuple(m for m in d.mentions if not m.tagged)) for d in split]
        try:
            return _tagged(self.tagger, split), []
        except Exception:
            return self._one_by_one(self.tagger, split)

    def _one_by_one(
        self, tagger: DocumentTagger, documents: Sequence[Document]
    ) -> tuple[list[Document], list[Failure]]:
        done: list[Document] = []
        failures: list[Failure] = []
        for document in documents:
            try:
                done += _tagged(tagger, [document])
            except Exception as error:
                failures.append(Failure(document.doc_id, f"the tagger failed ({type(error).__name__}: {error})"))
        return done, failures

    def prepare_chunk(self, chunk: Chunk) -> PreparedChunk:
        """Prepare documents that are JSON lines."""
        documents = (trusted_document(line) for line in chunk.lines)
        done, failures = self.prepare(_with_types(document, chunk.annotated) for document in documents)
        lines = "".join(document_to_json(document) + "\n" for document in done).encode("utf-8")
        packed = gzip.compress(lines, _PACKING, mtime=0)
        return PreparedChunk(packed, len(lines), PreparedCounts.of(done), failures)


def _split(document: Document) -> Document:
    passages = tuple(p if p.sentences else p._replace(sentences=tuple(split_text(p.text))) for p in document.passages)
    return document._replace(passages=passages)


def _tagged(tagger: DocumentTagger, documents: list[Document]) -> list[Document]:
    tagged = tagger.tag_many(documents)
    if [d.doc_id for d in tagged] != [d.doc_id for d in documents]:
        raise ValueError("a tagger must give back the documents that it was given, in their order")
    return tagged


def _with_types(document: Document, annotated: tuple[EntityType, ...]) -> Document:
    both = {*document.annotated, *annotated}
    return document._replace(annotated=tuple(t for t in EntityType if t in both))


class WorkerPool(Workers[Chunk, PreparedChunk]):
    """Processes that prepare chunks; `jobs` None takes all cores."""

    def __init__(self, preparer: Preparer, jobs: int | None = None) -> None:
        super().__init__(preparer.prepare_chunk, jobs)


def chunked(lines: Iterable[str], annotated: tuple[EntityType, ...] = ()) -> Iterator[Chunk]:
    """Lines in chunks for workers; where they are cut depends on the lines alone."""
    chunk: list[str] = []
    n_characters = 0
    for line in lines:
        chunk.append(line)
        n_characters += len(line)
        if len(chunk) >= CHUNK_DOCUMENTS or n_characters >= CHUNK_CHARACTERS:
            yield Chunk(chunk, annotated)
            chunk, n_characters = [], 0
    if chunk:
        yield Chunk(chunk, annotated)


def prepare_documents(
    documents: Iterable[Document], preparer: Preparer, jobs: int | None, log: ReadLog
) -> Iterator[Document]:
    """Documents split and tagged by several processes, in their order.

    Args:
        documents: read one at a time.
        preparer: what is done to them.
        jobs: processes; None takes all cores.
        log: where documents go on which the tagger fails.

    Raises:
        RelvmKgError: if a worker process dies.
    """
    with WorkerPool(preparer, jobs) as pool:
        for chunk in pool.run(chunked(document_to_json(document) for document in documents)):
            for failure in chunk.failures:
                log.reject(0, failure.reason, failure.doc_id)
            yield from chunk.documents()
