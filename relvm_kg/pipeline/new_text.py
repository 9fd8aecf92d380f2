"""New text beside a workspace: its sentences and the entities that they mention, as a build would read them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse

from relvm_kg.corpus.contexts import EntityMention, sentence_pairs, tokenize
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.sources import SourceFile, TextFormat, expand, read_documents, sniff_text_format
from relvm_kg.encoding.projection import EntityCounts
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.entities.collect import CatalogueEntry
from relvm_kg.entities.equal_diseases import equal_diseases
from relvm_kg.entities.lookup import NamesLookup
from relvm_kg.entities.names import OfficialName
from relvm_kg.entities.names_file import default_names_path, read_names
from relvm_kg.entities.orthologs import OrthologFolder
from relvm_kg.errors import InvalidInputError
from relvm_kg.pairs import pair_keys
from relvm_kg.pipeline.assemble import TextRules, text_tables
from relvm_kg.pipeline.prepare import Preparer
from relvm_kg.pipeline.taggers import load_tagger
from relvm_kg.types import Document, EntityId, Passage

IntArray = npt.NDArray[np.int64]
_PLAIN = ".txt"


@dataclass(frozen=True)
class NewSentence:
    """A sentence of a given file."""

    file: str
    doc_id: str
    sentence_index: int
    year: int | None
    text: str
    simulated: bool
    mentions: tuple[EntityMention, ...]
    """Entities are places in `NewText.entries`."""

    @property
    def entities(self) -> set[int]:
        """The entities that it mentions."""
        return {mention.entity for mention in self.mentions}


class TextEvidence(NamedTuple):
    """A sentence of new text. Spans are characters of it, None where it does not mention that entity."""

    file: str
    doc_id: str
    sentence_index: int
    year: int | None
    sentence: str
    head_span: tuple[int, int] | None
    tail_span: tuple[int, int] | None
    simulated: bool


@dataclass(frozen=True, eq=False)
class NewText:
    """The sentences of given files that mention an entity, without those of retracted papers."""

    files: tuple[str, ...]
    sentences: tuple[NewSentence, ...]
    entries: tuple[CatalogueEntry, ...]
    """The entities, sorted by id; their counts are of these files."""
    notes: tuple[str, ...]
    """What a person should know of the reading."""

    @cached_property
    def index(self) -> dict[EntityId, int]:
        """Place of each entity."""
        return {entry.id: place for place, entry in enumerate(self.entries)}

    @property
    def simulated(self) -> bool:
        """Whether a document says that it is generated."""
        return any(sentence.simulated for sentence in self.sentences)

    def partners(self, place: int) -> set[int]:
        """Entities that a sentence mentions beside an entity."""
        found = {m.entity for s in self.sentences if place in s.entities for m in s.mentions}
        return found - {place}

    def documents_of_pairs(self, numbers: Sequence[int], new: set[int]) -> dict[int, int]:
        """In how many documents a sentence mentions each pair with a new entity, by key (see `relvm_kg.pairs`).

        Args:
            numbers: What each entity is called in the keys, such as its catalogue index.
            new: The new entities.
        """
        documents: dict[int, set[str]] = {}
        for sentence in self.sentences:
            for place in sentence.entities & new:
                own = np.full(len(sentence.entities) - 1, numbers[place])
                others = np.array([numbers[other] for other in sentence.entities - {place}], dtype=np.int64)
                for key in pair_keys(own, others).tolist():
                    documents.setdefault(key, set()).add(sentence.doc_id)
        return {key: len(found) for key, found in documents.items()}

    def evidence(self, places: Sequence[int | None], new: Sequence[int]) -> list[TextEvidence]:
        """Sentences that mention both entities of a pair, else those that mention one of the new ones.

        Args:
            places: The entity or the pair asked for; None for one that the text does not mention.
            new: Those of them that are new.
        """
        known = [place for place in places if place is not None]
        both = [s for s in self.sentences if {*known} <= s.entities] if len(known) == len(places) else []
        found = both or [s for s in self.sentences if s.entities & {*new}]
        return [_evidence(sentence, [*places, None]) for sentence in found]

    def counts(
        self, places: Sequence[int], vocabulary: Vocabulary, trained: Mapping[EntityId, int], n_rows: int
    ) -> EntityCounts:
        """What the sentences of some entities hold.

        Args:
            places: Of the entities.
            vocabulary: Whose tokens are counted.
            trained: Row of each entity that was trained on; others are no partners.
            n_rows: Rows of the model.
        """
        n, height = len(self.entries), len(self.sentences)
        mentions = scipy.sparse.lil_matrix((n, height), dtype=np.float32)
        tokens = scipy.sparse.lil_matrix((height, len(vocabulary)), dtype=np.float32)
        for row, sentence in enumerate(self.sentences):
            for mention in sentence.mentions:
                mentions[mention.entity, row] = 1
            for token in vocabulary.encode(tokenize(sentence.text)).tolist():
                tokens[row, token] += 1
        mentions = mentions.tocsr()
        own = mentions[list(places)]
        known = [trained.get(entry.id) for entry in self.entries]
        columns = [place for place, row in enumerate(known) if row is not None]
        together = (own @ mentions.T).tocoo()
        kept = np.isin(together.col, columns) & (together.col != np.asarray(places, dtype=np.int64)[together.row])
        rows = np.array([-1 if row is None else row for row in known], dtype=np.int64)[together.col[kept]]
        return EntityCounts(
            tokens=own @ tokens.tocsr(),
            partners=scipy.sparse.csr_matrix(
                (together.data[kept], (together.row[kept], rows)), shape=(len(places), n_rows)
            ),
            n_sentences=np.diff(own.indptr).astype(np.int64),
        )


def read_new_text(patterns: Sequence[str], names: Path | None = None, *, fold: bool = True) -> NewText:
    """Read files, and tag those without annotations.

    Args:
        patterns: Files, folders or globs, in any format that has a reader, or plain text (`.txt`).
        names: A names catalogue: to tag with, and for official names; None takes the default one, if it is there.
        fold: Whether genes of other species become the human gene that the text names, if there is a names catalogue.

    Raises:
        InvalidInputError: if a name leads to no file, a file is of no known format, no entity is mentioned, or there
            is no names catalogue to tag with.
    """
    catalogue = names or (default_names_path() if default_names_path().is_file() else None)
    documents: list[tuple[Document, str]] = []
    notes: list[str] = []
    for source in expand(patterns):
        found, rejected = _read(source)
        if rejected:
            first = f"line {rejected[0].line}: {rejected[0].reason}" if rejected[0].line else rejected[0].reason
            notes.append(
                f"{len(rejected)} record{'s' * (len(rejected) > 1)} of {source.path} could not be read: {first}"
            )
        if not any(document.mentions for document in found):
            found = _tagged(source.path, found, catalogue)
            notes.append(f"{source.path} holds no annotations; its mentions were tagged with {catalogue}")
        documents += [(document, str(source.path)) for document in Preparer().prepare(found)[0]]
    text = _assembled(documents, catalogue, fold, notes)
    if not text.entries:
        raise InvalidInputError(f"new text must mention an entity with an id, {' and '.join(text.files)} does not")
    return text


def _evidence(sentence: NewSentence, places: Sequence[int | None]) -> TextEvidence:
    """The sentence with the places of two entities: where they stand apart, if they do so anywhere."""
    wanted = [mention for mention in sentence.mentions if mention.entity in places[:2]]
    apart = sentence_pairs(wanted)[0]
    spans = {m.entity: (m.start, m.end) for m in sorted(wanted, key=lambda m: -m.start)}
    if apart:
        spans = {apart[0].head: apart[0].head_span, apart[0].tail: apart[0].tail_span}
    head, tail = (None if place is None else spans.get(place) for place in places[:2])
    return TextEvidence(
        sentence.file,
        sentence.doc_id,
        sentence.sentence_index,
        sentence.year,
        sentence.text,
        head,
        tail,
        sentence.simulated,
    )


def _read(source: SourceFile) -> tuple[list[Document], list[Rejected]]:
    path, rejected = source.path, list[Rejected]()
    text_format = sniff_text_format(path)
    if text_format is None and path.suffix.lower() == _PLAIN:
        passage = Passage("text", 0, path.read_text(encoding="utf-8", errors="replace"))
        return [Document(path.name, None, (passage,), ())], rejected
    if text_format is None:
        formats = ", ".join(text_format.value for text_format in TextFormat)
        raise InvalidInputError(f"{path} must be of a known format ({formats}) or plain text named .txt")
    return list(read_documents(path, text_format, ReadLog(path.name, rejected.append))), rejected


def _tagged(path: Path, documents: list[Document], catalogue: Path | None) -> list[Document]:
    if catalogue is None:
        raise InvalidInputError(
            f"{path} must hold annotations, for there is no names catalogue to tag it with: annotate it, or make one "
            "with `relvm-kg data get names` and `relvm-kg names build`"
        )
    done, failures = Preparer(load_tagger(catalogue)).prepare(documents)
    if failures:
        raise InvalidInputError(f"{path} cannot be tagged: document {failures[0].doc_id}: {failures[0].reason}")
    return done


def _rules(catalogue: Path | None, fold: bool) -> TextRules:
    """What a build with this names catalogue would do to ids."""
    if catalogue is None:
        return TextRules()
    table = read_names(catalogue)
    return TextRules(orthologs=OrthologFolder(table) if fold else None, equal_diseases=equal_diseases(table))


def _assembled(documents: list[tuple[Document, str]], catalogue: Path | None, fold: bool, notes: list[str]) -> NewText:
    """Sentences and entities, as a build would write them into its tables."""
    _, sentences, mentions, done = text_tables(documents, _rules(catalogue, fold))
    types = {entity: max(counts, key=lambda kind: counts[kind]) for entity, counts in done.entities.types().items()}
    names = None if catalogue is None else NamesLookup(catalogue)
    rows = {} if names is None else {entity: names.by_id(entity) for entity in types}
    official = {
        entity: OfficialName(row.name, tuple(filter(None, (row.full_name, *row.synonyms))))
        for entity, row in rows.items()
        if row is not None
    }
    entries, places = done.entities.entries(types, official, {})
    if unlinked := done.unlinked.total():
        notes.append(f"{unlinked} mention{'s' * (unlinked > 1)} without an id count for nothing")
    if folded := sum(found.total() for found in done.folds.values()):
        notes.append(f"{folded} mention{'s' * (folded > 1)} of genes of other species count as the human gene")
    files = {document.doc_id: file for document, file in documents}
    return NewText(
        tuple(dict.fromkeys(file for _, file in documents)),
        tuple(_sentences(sentences, mentions, places, files)),
        tuple(entries),
        tuple(notes),
    )


def _sentences(
    sentences: pa.Table, mentions: pa.Table, places: npt.NDArray[np.int32], files: Mapping[str, str]
) -> Iterator[NewSentence]:
    by_row: dict[int, list[EntityMention]] = {}
    for mention in mentions.to_pylist():
        place = EntityMention(int(places[mention["entity"]]), mention["start"], mention["end"])
        by_row.setdefault(mention["sentence_row"], []).append(place)
    for row, sentence in enumerate(sentences.to_pylist()):
        if row in by_row and not sentence["retracted"]:
            own = {name: sentence[name] for name in ("doc_id", "sentence_index", "year", "text", "simulated")}
            yield NewSentence(files[sentence["doc_id"]], **own, mentions=tuple(by_row[row]))
