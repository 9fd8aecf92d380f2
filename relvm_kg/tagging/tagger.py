"""The tagger: names in a document found with the dictionary, told apart by type, and linked to ids."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

from relvm_kg.tagging.compiled import load_lexicon
from relvm_kg.tagging.composites import with_composites
from relvm_kg.tagging.defined import with_abbreviations
from relvm_kg.tagging.learned import LearnedForm
from relvm_kg.tagging.lexicon import Lexicon
from relvm_kg.tagging.linking import certain_entities, default_type, link, types_of
from relvm_kg.tagging.matching import Candidate, Matcher, Sentence, sentences_of
from relvm_kg.tagging.series import with_series
from relvm_kg.tagging.support import supported
from relvm_kg.tagging.terms import VERSION
from relvm_kg.tagging.type_choice import AmbiguousName, choose_types
from relvm_kg.tagging.types import TypeClassifier, TypeExample
from relvm_kg.types import Document, EntityType, Mention


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
