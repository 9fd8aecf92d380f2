"""From prepared files to the documents of a corpus: every document once, merged over its copies."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from relvm_kg.corpus.jsonl import trusted_document
from relvm_kg.corpus.merge import merge_documents
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.pipeline.assemble import TextRules, TextTables, text_tables
from relvm_kg.pipeline.ingest import Source
from relvm_kg.pipeline.prepared import PreparedSources
from relvm_kg.types import Document
from relvm_kg.workspace import remove

BUCKET_BYTES = 8 * 1024 * 1024
"""Of JSON lines; the documents of one bucket for each process are in memory, about ten times as large."""
MAX_BUCKETS = 200
LOG_NAME = "merged documents"
_ID = re.compile(rb'\{"id":("(?:[^"\\]|\\.)*")')


def deal_documents(prepared: PreparedSources, sources: Sequence[Source], scratch: Path) -> list[Path]:
    """Deal the lines of prepared files into buckets on disk by the hash of their documents' ids.

    How many there are follows from the amount of text alone, so that files in any order give the same buckets.
    """
    n_bytes = sum(prepared.report(source).n_bytes for source in sources)
    n_buckets = min(MAX_BUCKETS, 1 + n_bytes // BUCKET_BYTES)
    buckets = [scratch / f"bucket-{number}.jsonl" for number in range(n_buckets)]
    with ExitStack() as stack:
        handles = [stack.enter_context(path.open("wb")) for path in buckets]
        for position, source in enumerate(sources):
            for line in prepared.lines(source):
                handles[_bucket(line, n_buckets)].write(b"%d\t%b" % (position, line))
    return buckets


def _bucket(line: bytes, n_buckets: int) -> int:
    match = _ID.match(line)
    assert match is not None  # document_to_json writes the id first
    doc_id: str = json.loads(match[1])
    return int(hashlib.sha1(doc_id.encode()).hexdigest()[8:16], 16) % n_buckets


@dataclass(frozen=True)
class BucketReader:
    """Makes the text tables of a bucket, which it deletes."""

    names: tuple[str, ...]
    """Names of the sources, in the order in which they were dealt."""
    rules: TextRules

    def read(self, path: Path) -> TextTables:
        """The tables of a bucket's documents, in the order of their ids."""
        rejected: list[Rejected] = []
        log = ReadLog(LOG_NAME, rejected.append)
        made = text_tables(merged_bucket(path, self.names, log), self.rules)
        remove(path)
        return TextTables(*made, log.counts, rejected)


def merged_bucket(path: Path, names: Sequence[str], log: ReadLog) -> Iterator[tuple[Document, str]]:
    """Every document of a bucket once, with the names of its files."""
    copies: list[tuple[Document, str]] = []
    with path.open(encoding="utf-8", newline="\n") as handle:
        for line in handle:
            position, _, record = line.partition("\t")
            copies.append((trusted_document(record), names[int(position)]))
    copies.sort(key=lambda copy: (len(copy[0].doc_id), copy[0].doc_id, copy[1]))
    for _, group in groupby(copies, key=lambda copy: copy[0].doc_id):
        same = list(group)
        merged = merge_documents([document for document, _ in same], log)
        if merged is not None:
            yield merged, "|".join(dict.fromkeys(name for _, name in same))
