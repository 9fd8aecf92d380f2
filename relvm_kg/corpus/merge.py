"""Copies of a document from several files become one, with the annotations of all."""

from collections import Counter
from collections.abc import Sequence

from relvm_kg.corpus.annotation import joined_text, locate
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.types import Document, Mention, Passage


def merge_documents(copies: Sequence[Document], log: ReadLog) -> Document:
    """One document from copies of the same id; exact duplicate annotations once.

    Where the copies' texts differ, the text that most copies have is kept (then the longest, then the first in order of
    spelling, so that the order of files does not matter), and mentions of the other copies are found again in it by the
    same two repairs as in reading; those that are not found are rejected.
    """
    if len(copies) == 1:
        return copies[0]
    passages = _common_passages(copies)
    text = joined_text(passages)
    mentions: dict[Mention, None] = {}
    n_before = 0
    for document in copies:
        for mention in document.mentions:
            moved = mention if document.passages == passages else _move(document.doc_id, mention, (text, passages), log)
            if moved is not None:
                mentions[moved] = None
                n_before += 1
    relations = dict.fromkeys(relation for document in copies for relation in document.relations)
    years = [document.year for document in copies if document.year is not None]
    log.count("copies of a document merged", len(copies) - 1)
    log.count("duplicate annotations merged", n_before - len(mentions))
    return Document(
        copies[0].doc_id,
        min(years, default=None),
        passages,
        tuple(sorted(mentions, key=lambda m: (m.start, m.end, m.type, m.ids))),
        tuple(sorted(relations)),
        any(document.simulated for document in copies),
    )


def _common_passages(copies: Sequence[Document]) -> tuple[Passage, ...]:
    counts = Counter(document.passages for document in copies)
    return min(counts, key=lambda p: (-counts[p], -sum(len(q.text) for q in p), p))


def _move(doc_id: str, mention: Mention, kept: tuple[str, tuple[Passage, ...]], log: ReadLog) -> Mention | None:
    text, passages = kept
    start = locate(text, mention.start, mention.end, mention.text)
    if start is not None:
        end = start + len(mention.text)
        if any(p.offset <= start and end <= p.offset + len(p.text) for p in passages):
            return mention._replace(start=start, end=end)
    shown = "\t".join(map(str, (doc_id, *mention[:4])))
    log.reject(0, "mention is not in the text that another copy of the document has", shown)
    return None
