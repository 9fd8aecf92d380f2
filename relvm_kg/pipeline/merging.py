"""From prepared files to the documents of a corpus: every document once, merged over its copies."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from relvm_kg.corpus.jsonl import trusted_document
from relvm_kg.corpus.merge import merge_documents
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.pipeline.ingest import Source
from relvm_kg.pipeline.prepared import PreparedSources
from relvm_kg.types import Document
from relvm_kg.workspace import remove

BUCKET_BYTES = 16 * 1024 * 1024
"""Of JSON lines; the documents of one bucket at a time are in memory, about eight times as large."""
MAX_BUCKETS = 512
_ID = re.compile(rb'\{"id":("(?:[^"\\]|\\.)*")')


def merged_documents(
    prepared: PreparedSources, sources: Sequence[Source], scratch: Path, log: ReadLog
) -> Iterator[tuple[Document, str]]:
    """Every document once, with the names of its files; the order depends on the ids and the amount of text alone.

    Documents are dealt into buckets on disk by the hash of their id, so that one bucket at a time is in memory.
    """
    n_bytes = sum(prepared.report(source).n_bytes for source in sources)
    n_buckets = min(MAX_BUCKETS, 1 + n_bytes // BUCKET_BYTES)
    buckets = [scratch / f"bucket-{number}.jsonl" for number in range(n_buckets)]
    with ExitStack() as stack:
        handles = [stack.enter_context(path.open("wb")) for path in buckets]
        for position, source in enumerate(sources):
            for line in prepared.lines(source):
                handles[_bucket(line, n_buckets)].write(b"%d\t%b" % (position, line))
    for path in buckets:
        yield from _merged_bucket(path, sources, log)
        remove(path)


def _bucket(line: bytes, n_buckets: int) -> int:
    match = _ID.match(line)
    assert match is not None  # document_to_json writes the id first
    doc_id: str = json.loads(match[1])
    return int(hashlib.sha1(doc_id.encode()).hexdigest()[8:16], 16) % n_buckets


def _merged_bucket(path: Path, sources: Sequence[Source], log: ReadLog) -> Iterator[tuple[Document, str]]:
    copies: list[tuple[Document, str]] = []
    with path.open(encoding="utf-8", newline="\n") as handle:
        for line in handle:
            position, _, record = line.partition("\t")
            copies.append((trusted_document(record), sources[int(position)].name))
    copies.sort(key=lambda copy: (len(copy[0].doc_id), copy[0].doc_id, copy[1]))
    for _, group in groupby(copies, key=lambda copy: copy[0].doc_id):
        same = list(group)
        merged = merge_documents([document for document, _ in same], log)
        if merged is not None:
            yield merged, "|".join(dict.fromkeys(name for _, name in same))
