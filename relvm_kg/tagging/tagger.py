"""The tagger: names in a document found with the dictionary, told apart by type, and linked to ids."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

import pyarrow as pa

from relvm_kg.entities.names_file import read_names
from relvm_kg.tagging.abbreviations import definitions
from relvm_kg.tagging.catalogue import catalogue_rows
from relvm_kg.tagging.composites import with_composites
from relvm_kg.tagging.diseases import also_called
from relvm_kg.tagging.learned import LearnedForm
from relvm_kg.tagging.lexicon import Lexicon, Reading, compile_lexicon
from relvm_kg.tagging.linking import certain_entities, default_type, link, types_of
from relvm_kg.tagging.matching import Candidate, Matcher, Sentence, sentences_of
from relvm_kg.tagging.series import with_series
from relvm_kg.tagging.support import supported
from relvm_kg.tagging.terms import VERSION, EntryMaker, learned_entry
from relvm_kg.tagging.type_choice import AmbiguousName, choose_types
from relvm_kg.tagging.types import TypeClassifier, TypeExample
from relvm_kg.types import Document, EntityType, Mention

Link = Callable[[Sequence[Reading], frozenset[int]], int | None]


@dataclass(frozen=True, kw_only=True)
class TaggerSettings:
    """What the tagger does beyond looking names up."""

    abbreviations: bool = True
    """Whether abbreviations that a document defines mean what it says."""
    context: bool = True
    """Whether the document's other mentions help: to link an ambiguous name, to believe a short one."""
    gathered_names: bool = True
    """Whether to know the names that were gathered from annotated training documents (`words/diseases.tsv`)."""


class _Work(NamedTuple):
    """A document between matching and linking."""

    document: Document
    sentences: list[Sentence]
    candidates: list[Candidate]


class Tagger:
    """Adds mentions of the types that a document's source does not annotate."""

    def __init__(
        self,
        lexicon: Lexicon,
        settings: TaggerSettings | None = None,
        type_classifier: TypeClassifier | None = None,
    ) -> None:
        self.lexicon = lexicon
        self.settings = settings or TaggerSettings()
        self.type_classifier = type_classifier
        self.matcher = Matcher(lexicon)
        self._id_of = lru_cache(maxsize=1 << 17)(lexicon.id_of)

    @classmethod
    def load(
        cls,
        names_path: Path,
        settings: TaggerSettings | None = None,
        type_classifier: TypeClassifier | None = None,
        learned: Sequence[LearnedForm] = (),
    ) -> Self:
        """The tagger of a names catalogue; its compiled lexicon is kept beside the catalogue.

        Args:
            names_path: the names catalogue (Parquet).
            settings: what to do beyond looking up.
            type_classifier: tells the type of names that have several; a rule does without.
            learned: surface forms beside those of the catalogue.

        Raises:
            InvalidInputError: if the catalogue is none.
        """
        wanted = settings or TaggerSettings()
        return cls(load_lexicon(names_path, learned, wanted.gathered_names), wanted, type_classifier)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the mentions may: with the names, the settings, the rules or the type classifier."""
        classifier = self.type_classifier.fingerprint if self.type_classifier is not None else "none"
        facts = f"{self.lexicon.fingerprint} {sorted(asdict(self.settings).items())} {classifier} {VERSION}"
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    def tag(self, document: Document) -> Document:
        """A document with the tagger's mentions added."""
        return self.tag_many([document])[0]

    def tag_many(self, documents: Sequence[Document]) -> list[Document]:
        """Documents with the tagger's mentions added; the type classifier is asked once for all of them."""
        works = [self._match(document) for document in documents]
        types = self._types(works)
        return [self._finish(work, chosen) for work, chosen in zip(works, types, strict=True)]

    def type_examples(self, document: Document) -> Iterator[TypeExample]:
        """Every name found, with the types that the dictionary knows for it; whoever learns types picks from them."""
        work = self._match(document)
        for candidate in work.candidates:
            sentence = work.sentences[candidate.sentence]
            span = candidate.start - sentence.start, candidate.end - sentence.start
            types = types_of(candidate.readings)
            yield TypeExample(document.doc_id, sentence.text, span, candidate.surface, types)

    def _match(self, document: Document) -> _Work:
        sentences = sentences_of(document)
        candidates = self.matcher.match(sentences)
        if self.settings.abbreviations:
            candidates = with_abbreviations(sentences, candidates)
        candidates = with_composites(sentences, candidates, self.matcher.readings_of)
        candidates = with_series(sentences, candidates, self.matcher.readings_of)
        return _Work(document, sentences, supported(candidates) if self.settings.context else candidates)

    def _types(self, works: Sequence[_Work]) -> list[list[EntityType]]:
        """The type of every candidate of every document."""
        types = [[default_type(candidate.readings) for candidate in work.candidates] for work in works]
        if self.type_classifier is None:
            return types
        open_ = [
            (row, place, candidate, work.sentences[candidate.sentence])
            for row, work in enumerate(works)
            for place, candidate in enumerate(work.candidates)
            if len(types_of(candidate.readings)) > 1
        ]
        if open_:
            spans = [(c.start - sentence.start, c.end - sentence.start) for _, _, c, sentence in open_]
            probabilities = self.type_classifier.probabilities([sentence.text for *_, sentence in open_], spans)
            names = [AmbiguousName(row, c.surface, types_of(c.readings), types[row][i]) for row, i, c, _ in open_]
            for (row, place, *_), chosen in zip(open_, choose_types(names, probabilities), strict=True):
                types[row][place] = chosen
        return types

    def _finish(self, work: _Work, types: Sequence[EntityType]) -> Document:
        document = work.document
        certain = certain_entities(work.candidates) if self.settings.context else frozenset()
        added = []
        for candidate, entity_type in zip(work.candidates, types, strict=True):
            if entity_type in document.annotated:
                continue
            readings = [reading for reading in candidate.readings if reading.type is entity_type]
            linked = (link(part, certain, self.lexicon) for part in (readings, *candidate.also))
            ids = tuple(dict.fromkeys(self._id_of(entity) for entity in linked if entity is not None))
            added.append(Mention(candidate.start, candidate.end, candidate.surface, entity_type, ids, True))
        mentions = sorted((*document.mentions, *added), key=lambda m: (m.start, m.end, m.type, m.ids))
        return document._replace(mentions=tuple(mentions))


def with_abbreviations(sentences: Sequence[Sentence], candidates: list[Candidate]) -> list[Candidate]:
    """Candidates with a document's own abbreviations read as it defines them."""
    meanings = _meanings(sentences, candidates)
    if not meanings:
        return candidates
    shorts = "|".join(re.escape(short) for short in sorted(meanings, key=len, reverse=True))
    pattern = re.compile(rf"(?<![^\W_])(?:{shorts})(?=s?(?![^\W_]))")
    added: list[Candidate] = []
    for number, sentence in enumerate(sentences):
        for match in pattern.finditer(sentence.text):
            start, end = match.start() + sentence.start, match.end() + sentence.start
            added.append(Candidate(start, end, match.group(), meanings[match.group()], number, True))
    return _merged(candidates, added)


def _meanings(sentences: Sequence[Sentence], candidates: Sequence[Candidate]) -> dict[str, tuple[Reading, ...]]:
    """What each abbreviation stands for; no readings where its long form is no name."""
    meanings: dict[str, tuple[Reading, ...]] = {}
    by_end = {candidate.end: candidate for candidate in candidates}
    for sentence in sentences:
        if "(" not in sentence.text and "[" not in sentence.text:
            continue
        for short, _, (start, end) in definitions(sentence.text):
            candidate = by_end.get(end + sentence.start)
            covers = candidate is not None and (candidate.end - candidate.start) * 2 >= end - start
            if short not in meanings or (candidate is not None and not meanings[short]):
                meanings[short] = candidate.readings if candidate is not None and covers else ()
    return meanings


def _merged(candidates: Sequence[Candidate], added: Sequence[Candidate]) -> list[Candidate]:
    """Candidates, those replaced that an abbreviation covers (longer ones stay); one without readings erases."""
    kept: list[Candidate] = []
    taken: list[Candidate] = []
    spans = sorted(candidates, key=lambda c: c.start)
    for one in added:
        over = [c for c in spans if c.start < one.end and one.start < c.end]
        if all(c.start >= one.start and c.end <= one.end for c in over):
            taken.append(one)
    for candidate in spans:
        if not any(t.start <= candidate.start and candidate.end <= t.end for t in taken):
            kept.append(candidate)
    return sorted([*kept, *(t for t in taken if t.readings)], key=lambda c: (c.start, c.end))


def lexicon_folder(names_path: Path, gathered: bool = True) -> Path:
    """Where the compiled lexicon of a names catalogue lies."""
    digest = hashlib.sha256(names_path.read_bytes()).hexdigest()[:16]
    return names_path.parent / f"{names_path.stem}.lexicon-{digest}-{VERSION}{'' if gathered else '-plain'}"


def load_lexicon(names_path: Path, learned: Sequence[LearnedForm] = (), gathered: bool = True) -> Lexicon:
    """The compiled lexicon of a names catalogue, compiled now if it was not before; with learned forms always anew."""
    folder = lexicon_folder(names_path, gathered)
    if learned:
        digest = hashlib.sha256(repr(learned).encode()).hexdigest()[:16]
        return compile_names(read_names(names_path), f"{folder.name}-{digest}", learned, gathered)
    if not (folder / "lexicon.json").is_file():
        compile_names(read_names(names_path), folder.name, gathered=gathered).save(folder)
    return Lexicon.load(folder)


def compile_names(
    names: pa.Table, fingerprint: str, learned: Sequence[LearnedForm] = (), gathered: bool = True
) -> Lexicon:
    """The lexicon of a names catalogue and of learned forms of its entities."""
    maker = EntryMaker(catalogue_rows(names), also_called() if gathered else {})
    entries = [entry for row in catalogue_rows(names) for entry in maker.entries(row)]
    entries += maker.shortened_entries()
    index = {curie: entity for entity, curie in enumerate(maker.ids)}
    entries += [learned_entry(form.surface, index[str(form.id)]) for form in learned if str(form.id) in index]
    return compile_lexicon(entries, maker.ids, maker.types, fingerprint)
