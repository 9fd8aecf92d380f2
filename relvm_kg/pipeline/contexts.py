"""From sentences with mentions to contexts of pairs, the vocabulary and the token store, by several processes.

Every text is cut into tokens once. While the vocabulary is not known, tokens have provisional numbers in order of first
sight; they become the vocabulary's ids when it is.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.corpus import tables
from relvm_kg.corpus.contexts import ENTITY_TOKEN, EntityMention, PairSpans, is_surely_longer, sentence_pairs, tokenize
from relvm_kg.encoding.token_rows import IntArray, Numbers, TokenFile, TokenRows
from relvm_kg.encoding.vocabulary import Vocabulary, build_vocabulary
from relvm_kg.pipeline.workers import Workers
from relvm_kg.progress import Task

BLOCK = tables.ROW_GROUP
"""Sentences that a process takes at a time."""


class Block(NamedTuple):
    """Sentences one after another, and their mentions (rows of `mentions.parquet` without ids of sources)."""

    first_row: int
    texts: list[str]
    held_out: npt.NDArray[np.bool_]
    retracted: npt.NDArray[np.bool_]
    mentions: IntArray
    """Sentence row, entity, start, end. *Shape:* (mentions, 4)"""


@dataclass(frozen=True)
class BlockContexts:
    """What a block gives; tokens are numbered by `words`."""

    words: list[str]
    contexts: IntArray
    """Columns of `contexts.parquet` without the flags. *Shape:* (contexts, 7)"""
    flags: npt.NDArray[np.bool_]
    """Held out, retracted. *Shape:* (contexts, 2)"""
    context_tokens: TokenRows
    sentence_rows: IntArray
    """Training sentences with a mention."""
    sentence_tokens: TokenRows
    """Their tokens, for the profiles."""
    token_counts: npt.NDArray[np.int64]
    """How often each word occurs in training contexts. *Shape:* (words)"""
    token_sentences: npt.NDArray[np.int64]
    """In how many training sentences each word stands in a context. *Shape:* (words)"""
    n_too_long: int
    n_overlapping: int


class _Sentence:
    """The tokens of a sentence's pieces, each cut once."""

    def __init__(self, text: str, numbers: Numbers) -> None:
        self._text = text
        self._numbers = numbers
        self._pieces: dict[tuple[int, int], array[int]] = {}
        self.whole = self.piece(0, len(text))

    def piece(self, start: int, end: int) -> "array[int]":
        found = self._pieces.get((start, end))
        if found is None:
            words = tokenize(self._text[start:end])
            found = self._pieces[start, end] = array("i", map(self._numbers.__getitem__, words))
        return found

    def context(self, pair: PairSpans) -> "list[array[int]]":
        """What stands before, between and after the mentions of a pair."""
        (a, b), (c, d) = sorted((pair.head_span, pair.tail_span))
        return [self.piece(0, a), self.piece(b, c), self.piece(d, len(self._text))]


class ContextMaker:
    """Makes the contexts of blocks; those above `max_tokens` are counted and left out."""

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens

    def make(self, block: Block) -> BlockContexts:
        """The contexts of a block."""
        made = _Making(self._max_tokens)
        ends = np.flatnonzero(np.diff(block.mentions[:, 0], append=-1)) + 1
        start = 0
        for end in ends.tolist():
            row = int(block.mentions[start, 0])
            mentions = [EntityMention(*mention) for mention in block.mentions[start:end, 1:].tolist()]
            place = row - block.first_row
            made.add(row, block.texts[place], mentions, (bool(block.held_out[place]), bool(block.retracted[place])))
            start = end
        return made.done()


class _Making:
    """A block's contexts while they are made."""

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._numbers = Numbers()
        self._entity = array("i", [self._numbers[ENTITY_TOKEN]])
        self._contexts = array("i")
        self._flags = array("b")
        self._tokens, self._lengths = array("i"), array("i")
        self._sentence_rows = array("i")
        self._sentence_tokens, self._sentence_lengths = array("i"), array("i")
        self._training_lengths = array("i")
        self._seen = array("i")
        self._n_too_long = self._n_overlapping = 0

    def add(self, row: int, text: str, mentions: list[EntityMention], flags: tuple[bool, bool]) -> None:
        """Add a sentence that is held out or not, retracted or not."""
        training = not any(flags)
        if not training and len(mentions) == 1:
            return
        sentence = _Sentence(text, self._numbers)
        if training:
            self._sentence_rows.append(row)
            self._sentence_tokens.extend(sentence.whole)
            self._sentence_lengths.append(len(sentence.whole))
        pairs, n_overlapping = sentence_pairs(mentions) if len(mentions) > 1 else ([], 0)
        self._n_overlapping += n_overlapping
        seen: set[int] = set()
        for pair in pairs:
            if is_surely_longer(len(sentence.whole), pair, self._max_tokens):
                self._n_too_long += 1
                continue
            before, between, after = sentence.context(pair)
            length = len(before) + len(between) + len(after) + 2
            if length > self._max_tokens:
                self._n_too_long += 1
                continue
            self._contexts.extend((pair.head, pair.tail, row, *pair.head_span, *pair.tail_span))
            self._flags.extend(flags)
            for part in (before, self._entity, between, self._entity, after):
                self._tokens.extend(part)
            self._lengths.append(length)
            self._training_lengths.append(length if training else 0)
            if training:
                seen.update(before, self._entity, between, after)
        self._seen.extend(seen)

    def done(self) -> BlockContexts:
        tokens, lengths = _array(self._tokens), _array(self._lengths)
        training = np.repeat(_array(self._training_lengths) > 0, lengths)
        n_words = len(self._numbers)
        return BlockContexts(
            words=list(self._numbers),
            contexts=_array(self._contexts).reshape(-1, 7),
            flags=np.array(self._flags, dtype=np.bool_).reshape(-1, 2),
            context_tokens=TokenRows(tokens, lengths),
            sentence_rows=_array(self._sentence_rows),
            sentence_tokens=TokenRows(_array(self._sentence_tokens), _array(self._sentence_lengths)),
            token_counts=np.bincount(tokens[training], minlength=n_words),
            token_sentences=np.bincount(_array(self._seen), minlength=n_words),
            n_too_long=self._n_too_long,
            n_overlapping=self._n_overlapping,
        )


def _array(values: "array[int]") -> IntArray:
    return np.array(values, dtype=np.int32)


def blocks(folder: Path, task: Task) -> Iterator[Block]:
    """The sentences of a generation in blocks, with their mentions; progress is told in sentences."""
    mentions = _MentionReader(folder / "mentions.parquet")
    with pq.ParquetFile(folder / "sentences.parquet") as file:
        row = 0
        for batch in file.iter_batches(batch_size=BLOCK, columns=["text", "held_out", "retracted"]):
            end = row + batch.num_rows
            texts, held_out, retracted = batch.columns
            yield Block(row, texts.to_pylist(), _flags(held_out), _flags(retracted), mentions.until(end))
            task.advance(batch.num_rows)
            row = end


def _flags(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)


class _MentionReader:
    """Reads mentions in step with the sentences."""

    def __init__(self, path: Path) -> None:
        self._batches = _batches(path)
        self._rest: IntArray = np.zeros((0, 4), dtype=np.int32)

    def until(self, row: int) -> IntArray:
        """The mentions of sentences before `row` that were not read yet. *Shape:* (mentions, 4)"""
        parts = [self._rest]
        while not len(parts[-1]) or parts[-1][-1, 0] < row:
            more = next(self._batches, None)
            if more is None:
                break
            parts.append(more)
        found = np.concatenate(parts)
        cut = int(np.searchsorted(found[:, 0], row))
        self._rest = found[cut:]
        return found[:cut]


def _batches(path: Path) -> Iterator[IntArray]:
    columns = ["sentence_row", "entity", "start", "end"]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=4 * tables.ROW_GROUP, columns=columns):
            yield np.stack([batch.column(name).to_numpy() for name in columns], axis=1)


class ContextPass:
    """Contexts as they come from the blocks, and what is counted on the way."""

    def __init__(self, folder: Path, n_entities: int) -> None:
        self.training_contexts: IntArray = np.zeros(n_entities, dtype=np.int32)
        """Training contexts of each entity. *Shape:* (entities)"""
        self.n_contexts = self.n_too_long = self.n_overlapping = 0
        self.contexts = TokenFile(folder / "contexts.tokens")
        self.sentences = TokenFile(folder / "sentences.tokens")
        self._rows: list[IntArray] = []
        self._numbers = Numbers()
        self._counts = np.zeros((1 << 16, 2), dtype=np.int64)

    @property
    def sentence_rows(self) -> IntArray:
        """Row of each training sentence with a mention, in the order of `sentences`."""
        return np.concatenate([np.zeros(0, dtype=np.int32), *self._rows])

    def add(self, made: BlockContexts) -> pa.Table:
        """Count a block; returns its rows of `contexts.parquet`."""
        numbers = np.fromiter(map(self._numbers.__getitem__, made.words), dtype=np.int32, count=len(made.words))
        if len(self._numbers) > len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros((len(self._numbers), 2), dtype=np.int64)])
        self._counts[numbers, 0] += made.token_counts
        self._counts[numbers, 1] += made.token_sentences
        for file, rows in ((self.contexts, made.context_tokens), (self.sentences, made.sentence_tokens)):
            file.extend(numbers[rows.tokens], rows.lengths)
        self._rows.append(made.sentence_rows)
        training = made.contexts[~made.flags.any(axis=1)]
        np.add.at(self.training_contexts, training[:, :2].ravel(), 1)
        self.n_contexts += len(made.contexts)
        self.n_too_long += made.n_too_long
        self.n_overlapping += made.n_overlapping
        columns: list[npt.NDArray[Any]] = [*made.contexts.T, *made.flags.T]
        return pa.table(dict(zip(tables.CONTEXTS.names, columns, strict=True)), schema=tables.CONTEXTS)

    def close(self) -> None:
        """Finish the files of tokens."""
        self.contexts.close()
        self.sentences.close()

    def remove(self) -> None:
        """Delete the files of tokens."""
        self.contexts.remove()
        self.sentences.remove()

    def vocabulary(self, size: int, min_count: int) -> Vocabulary:
        """The most frequent tokens of the training contexts that stand in at least `min_count` sentences.

        Counting sentences for the minimum keeps out a word of one sentence that many pairs share.
        """
        kept: Mapping[str, int] = {
            token: int(self._counts[number, 0])
            for token, number in self._numbers.items()
            if self._counts[number, 1] >= min_count
        }
        return build_vocabulary(kept, size, min_count)

    def ids(self, vocabulary: Vocabulary) -> IntArray:
        """The vocabulary's id of each provisional number."""
        return vocabulary.encode(list(self._numbers))


def write_contexts(folder: Path, n_entities: int, max_tokens: int, jobs: int | None, task: Task) -> ContextPass:
    """Write `contexts.parquet` and the tokens of contexts and training sentences, with provisional numbers."""
    done = ContextPass(folder, n_entities)
    with (
        tables.TableWriter(folder / "contexts.parquet", tables.CONTEXTS) as writer,
        Workers(ContextMaker(max_tokens).make, jobs) as workers,
    ):
        for made in workers.run(blocks(folder, task)):
            writer.extend(done.add(made))
    done.close()
    return done
