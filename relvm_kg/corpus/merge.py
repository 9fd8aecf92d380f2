"""Copies of a document from several files become one, with the annotations of all."""

from collections import Counter
from collections.abc import Iterator, Sequence

from relvm_kg.corpus.annotation import joined_text, locate
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.types import Document, EntityType, Mention, Passage

_Text = tuple[tuple[str, int, str], ...]


def merge_documents(copies: Sequence[Document], log: ReadLog) -> Document | None:
    """One document from copies of the same id, exact duplicate annotations once; None if MEDLINE deleted all there was.

    Of MEDLINE's own copies (those with a revision) the highest revision counts and the others are dropped; if it says
    that the record was deleted, all of them are.

    Where the copies' texts differ, those with mentions that a source states come before those without; of these the
    text that most copies have is kept (then the longest, then the first in order of spelling, so that the order of
    files does not matter). Mentions of the other copies are found again in it by the same two repairs as in reading;
    those that are not found are rejected. Mentions that our own tagger found give way: to the types that any copy's
    source annotates, to an annotated mention of the same place, and to those found in the kept text itself.
    """
    current = _current(copies, log)
    if not current:
        return None
    annotated = tuple(t for t in EntityType if any(t in document.annotated for document in current))
    if len(current) == 1 and not any(m.tagged and m.type in annotated for m in current[0].mentions):
        return current[0]
    passages = _common_passages(current)
    mentions = _given_mentions(current, passages, log)
    mentions |= _tagged_mentions(current, passages, set(annotated), {m[:4] for m in mentions}, log)
    relations = dict.fromkeys(relation for document in current for relation in document.relations)
    years = [document.year for document in current if document.year is not None]
    log.count("copies of a document merged", len(current) - 1)
    return Document(
        current[0].doc_id,
        min(years, default=None),
        passages,
        tuple(sorted(mentions, key=lambda m: (m.start, m.end, m.type, m.ids))),
        tuple(sorted(relations)),
        any(document.simulated for document in current),
        any(document.retracted for document in current),
        max((d.revision for d in current if d.revision is not None), default=None),
        annotated=annotated,
    )


def _current(copies: Sequence[Document], log: ReadLog) -> list[Document]:
    """The copies that count: superseded and deleted MEDLINE records are left out."""
    newest = max((d.revision for d in copies if d.revision is not None), default=None)
    current = [d for d in copies if d.revision in (None, newest)]
    if len(current) < len(copies):
        log.count("earlier MEDLINE revisions left out", len(copies) - len(current))
    kept = [d for d in current if not d.deleted]
    if len(kept) < len(current):
        log.count("deleted MEDLINE records left out", len(current) - len(kept))
        kept = [d for d in kept if d.revision is None]
    return kept


def _text(passages: tuple[Passage, ...]) -> _Text:
    """What makes two copies the same text: all but where the sentences are."""
    return tuple((p.section, p.offset, p.text) for p in passages)


def _common_passages(copies: Sequence[Document]) -> tuple[Passage, ...]:
    counts = Counter(_text(d.passages) for d in copies)
    given = {_text(d.passages) for d in copies if any(not m.tagged for m in d.mentions)}
    best = min(given or counts, key=lambda text: (-counts[text], -sum(len(p[2]) for p in text), text))
    same = (d.passages for d in copies if _text(d.passages) == best)
    return max(same, key=lambda passages: [p.sentences for p in passages])


def _given_mentions(copies: Sequence[Document], passages: tuple[Passage, ...], log: ReadLog) -> set[Mention]:
    """Mentions that the sources state, in the kept text."""
    found = Counter(_moved(copies, passages, log, tagged=False))
    log.count("duplicate annotations merged", found.total() - len(found))
    return set(found)


def _tagged_mentions(
    copies: Sequence[Document],
    passages: tuple[Passage, ...],
    annotated: set[EntityType],
    taken: set[tuple[int, int, str, EntityType]],
    log: ReadLog,
) -> set[Mention]:
    """Mentions of our own tagger: those found in the kept text; only if it was not tagged, those of other texts."""
    text = _text(passages)
    tagged = [d for d in copies if any(m.tagged for m in d.mentions)]
    home = [d for d in tagged if _text(d.passages) == text]
    found = set(_moved(home or tagged, passages, log, tagged=True))
    kept = {m for m in found if m.type not in annotated and m[:4] not in taken}
    if len(kept) < len(found):
        log.count("tagged mentions that gave way to annotations", len(found) - len(kept))
    return kept


def _moved(
    copies: Sequence[Document], passages: tuple[Passage, ...], log: ReadLog, *, tagged: bool
) -> Iterator[Mention]:
    text, home = joined_text(passages), _text(passages)
    for document in copies:
        same = _text(document.passages) == home
        for mention in document.mentions:
            if mention.tagged is tagged:
                moved = mention if same else _move(document.doc_id, mention, (text, passages), log)
                if moved is not None:
                    yield moved


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
