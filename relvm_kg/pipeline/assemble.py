"""From ingested documents to the tables of a corpus generation, in memory that does not grow with the text."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from relvm_kg.corpus import tables
from relvm_kg.corpus.contexts import EntityMention, context_tokens, is_surely_longer, sentence_pairs, tokenize
from relvm_kg.corpus.sentences import rejoined_sentences
from relvm_kg.corpus.years import YearTable
from relvm_kg.encoding.token_store import TokenStoreWriter
from relvm_kg.encoding.vocabulary import Vocabulary, build_vocabulary
from relvm_kg.entities.collect import EntityCollector
from relvm_kg.progress import Task
from relvm_kg.types import Document, DocumentRelation, TaggedSentence
from relvm_kg.workspace import remove

HELD_OUT_PERCENT = 5
"""Share of documents kept out of training, for the health figures of a model."""


def is_held_out(doc_id: str) -> bool:
    """Whether a document belongs to those that training never sees; the id alone decides."""
    return int(hashlib.sha1(doc_id.encode()).hexdigest()[:8], 16) % 100 < HELD_OUT_PERCENT


@dataclass
class TextPass:
    """What the first pass over the documents leaves behind."""

    entities: EntityCollector = field(default_factory=EntityCollector)
    relations: list[tuple[DocumentRelation, str, str, bool]] = field(default_factory=list)
    """Relations that documents state, with document id, source and whether the document is simulated."""
    counts: Counter[str] = field(default_factory=Counter)


def write_text_tables(documents: Iterator[tuple[Document, str]], years: YearTable | None, folder: Path) -> TextPass:
    """Write documents, sentences, and mentions with provisional entity indices (`mentions.part`)."""
    done = TextPass()
    with (
        tables.TableWriter(folder / "documents.parquet", tables.DOCUMENTS) as document_table,
        tables.TableWriter(folder / "sentences.parquet", tables.SENTENCES) as sentence_table,
        tables.TableWriter(folder / "mentions.part", tables.MENTIONS) as mention_table,
    ):
        for document, source in documents:
            year = document.year if document.year is not None or years is None else years.year(document.doc_id)
            held_out = is_held_out(document.doc_id)
            sentences, n_undone = rejoined_sentences(document)
            facts = (year, held_out, document.simulated)
            document_table.append(document.doc_id, year, source, len(sentences), held_out, document.simulated)
            mentioned: set[int] = set()
            for sentence in sentences:
                row = sentence_table.n_rows
                sentence_table.append(sentence.doc_id, sentence.sentence_index, sentence.start, sentence.text, *facts)
                mentioned |= _add_mentions(sentence, row, held_out, mention_table, done)
            done.entities.add_document(mentioned)
            done.relations += [(r, document.doc_id, source, document.simulated) for r in document.relations]
            done.counts["splits undone"] += n_undone
            done.counts["held out"] += held_out
            done.counts["with year"] += year is not None
            done.counts["simulated"] += document.simulated
    done.counts["documents"] = document_table.n_rows
    done.counts["sentences"] = sentence_table.n_rows
    done.counts["mentions"] = mention_table.n_rows
    return done


def _add_mentions(
    sentence: TaggedSentence, row: int, held_out: bool, table: tables.TableWriter, done: TextPass
) -> set[int]:
    places: set[EntityMention] = set()
    for mention in sentence.mentions:
        for entity in mention.ids:
            index = done.entities.index(entity)
            done.entities.add_mention(index, mention.type, mention.text, alone=len(mention.ids) == 1)
            places.add(EntityMention(index, mention.start - sentence.start, mention.end - sentence.start))
    for place in sorted(places, key=lambda p: (p.start, p.end, str(done.entities.ids[p.entity]))):
        table.append(row, *place)
    found = {place.entity for place in places}
    done.entities.add_sentence(found, held_out)
    return found


def rename_mentions(folder: Path, rows: npt.NDArray[np.int32]) -> None:
    """Write `mentions.parquet` from `mentions.part`, provisional indices replaced by catalogue rows."""
    with (
        pq.ParquetFile(folder / "mentions.part") as part,
        pq.ParquetWriter(folder / "mentions.parquet", tables.MENTIONS) as writer,
    ):
        for batch in part.iter_batches(batch_size=tables.ROW_GROUP):
            column = tables.MENTIONS.get_field_index("entity")
            entities = rows[batch.column(column).to_numpy()]
            writer.write_batch(batch.set_column(column, tables.MENTIONS.field(column), tables.int32_array(entities)))
    remove(folder / "mentions.part")


@dataclass
class ContextPass:
    """What the pass over the sentences' pairs leaves behind."""

    n_entities: int
    n_contexts: int = 0
    n_tokens: int = 0
    n_too_long: int = 0
    n_overlapping: int = 0
    token_counts: Counter[str] = field(default_factory=Counter)
    """How often each token occurs in the contexts of training documents."""
    token_sentences: Counter[str] = field(default_factory=Counter)
    """In how many sentences of training documents each token stands in a context."""

    def __post_init__(self) -> None:
        self.training_contexts = np.zeros(self.n_entities, dtype=np.int32)


SentenceRow = tuple[int, str, bool, list[EntityMention]]


def sentences_with_pairs(folder: Path, task: Task) -> Iterator[SentenceRow]:
    """Each sentence with two or more mentions: its row, text, whether it is held out, and the mentions."""
    sentences = enumerate(tables.read_rows(folder / "sentences.parquet", ["text", "held_out"]))
    reached = 0
    for row, group in groupby(tables.read_rows(folder / "mentions.parquet"), key=lambda mention: mention[0]):
        task.advance(row + 1 - reached)
        reached = row + 1
        mentions = [EntityMention(*mention[1:]) for mention in group]
        if len(mentions) > 1:
            text, held_out = next(values for number, values in sentences if number == row)
            yield row, text, held_out, mentions


def write_contexts(folder: Path, n_entities: int, max_tokens: int, task: Task) -> ContextPass:
    """Write `contexts.parquet` and count tokens; contexts above `max_tokens` are counted and left out."""
    done = ContextPass(n_entities)
    with tables.TableWriter(folder / "contexts.parquet", tables.CONTEXTS) as writer:
        for row, text, held_out, mentions in sentences_with_pairs(folder, task):
            pairs, n_overlapping = sentence_pairs(mentions)
            done.n_overlapping += n_overlapping
            seen: set[str] = set()
            n_tokens = len(tokenize(text))
            for pair in pairs:
                if is_surely_longer(n_tokens, pair, max_tokens):
                    done.n_too_long += 1
                    continue
                tokens = context_tokens(text, pair.head_span, pair.tail_span)
                if len(tokens) > max_tokens:
                    done.n_too_long += 1
                    continue
                writer.append(pair.head, pair.tail, row, *pair.head_span, *pair.tail_span, held_out)
                done.n_tokens += len(tokens)
                if not held_out:
                    done.token_counts.update(tokens)
                    seen.update(tokens)
                    done.training_contexts[[pair.head, pair.tail]] += 1
            done.token_sentences.update(seen)
    done.n_contexts = writer.n_rows
    return done


def make_vocabulary(contexts: ContextPass, size: int, min_count: int) -> Vocabulary:
    """The most frequent tokens of the training contexts that stand in at least `min_count` sentences.

    Counting sentences for the minimum keeps out a word of one sentence that many pairs share.
    """
    counts = {t: n for t, n in contexts.token_counts.items() if contexts.token_sentences[t] >= min_count}
    return build_vocabulary(counts, size, min_count)


def write_tokens(folder: Path, vocabulary: Vocabulary, task: Task) -> None:
    """Write the vocabulary and the token store, one row for each row of `contexts.parquet`."""
    vocabulary.save(folder / "vocabulary.json")
    columns = ["sentence_row", "head_start", "head_end", "tail_start", "tail_end"]
    texts = enumerate(tables.read_rows(folder / "sentences.parquet", ["text"]))
    current, text = -1, ""
    with TokenStoreWriter(folder / "tokens", vocabulary) as store:
        for row, *spans in tables.read_rows(folder / "contexts.parquet", columns):
            if row != current:
                current, text = row, next(values[0] for number, values in texts if number == row)
            store.append(context_tokens(text, (spans[0], spans[1]), (spans[2], spans[3])))
            task.advance()
