"""How the simulated literature says it: templates and modifiers in, text with exact mention offsets out."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from string import Formatter
from typing import Any, NamedTuple

import numpy as np

from relvm_kg.corpus.simulation.plan import Kind, Utterance
from relvm_kg.corpus.simulation.records import MentionTruth, SimulatedEntity, WorldSettings, load_toml
from relvm_kg.types import Document, Mention, Passage

MIN_SENTENCES, MAX_SENTENCES = 4, 8
FILLER_SHARE = 0.4
LEAD_SHARE, ADVERB_SHARE = 0.15, 0.2


class Piece(NamedTuple):
    """A stretch of text, and the number of the entity that it mentions."""

    text: str
    entity: int | None = None


class Sentence(NamedTuple):
    """Finished text, and where entities stand in it: (start, end, entity number), in order."""

    text: str
    spans: tuple[tuple[int, int, int], ...]


class Writer:
    """Turns utterances into sentences and documents, with one source of randomness."""

    def __init__(self, entities: Sequence[SimulatedEntity], settings: WorldSettings, rng: np.random.Generator) -> None:
        self._entities = entities
        self._settings = settings
        self._rng = rng
        self._phrases = load_toml("phrases.toml")
        self._mechanisms = load_toml("names.toml")["mechanism"]
        self._predicates = {predicate["name"]: predicate for predicate in self._phrases["predicate"]}

    def document(self, doc_id: str, utterances: Sequence[Utterance]) -> tuple[Document, list[MentionTruth]]:
        """A titled abstract of four to eight sentences that makes the utterances, in order."""
        settings = self._settings
        focus = Counter(entity for said in utterances for entity in said.entities).most_common(1)[0][0]
        title = self._about(focus, "titles")
        body: list[tuple[Sentence, frozenset[frozenset[int]]]] = [(self._about(focus, "single"), frozenset())]
        body += [(self.pair_sentence(said), frozenset(map(frozenset, said.stated))) for said in utterances]
        others = [entity for entity in utterances[0].entities if entity != focus]
        while len(body) < MIN_SENTENCES:
            body.append((self._about(self._choice(others), "single"), frozenset()))
        if len(body) < MAX_SENTENCES and self._rng.random() < FILLER_SHARE:
            body.append((self._finish([Piece(self._choice(self._phrases["sentences"]["fillers"]))]), frozenset()))
        year = int(self._rng.integers(settings.first_year, settings.last_year, endpoint=True))
        return self._assemble(doc_id, year, title, body)

    def pair_sentence(self, said: Utterance) -> Sentence:
        """One sentence for one utterance."""
        templates = {
            Kind.STATEMENT: self._predicates[said.predicate]["statements"],
            Kind.DENIAL: self._predicates[said.predicate]["denials"],
            Kind.NEUTRAL: self._phrases["sentences"]["neutral"],
        }
        slots = {"x": self._noun_phrase(said.pair.head), "y": self._noun_phrase(said.pair.tail)}
        if said.companion is not None:
            slot = "x" if said.companion.beside_head else "y"
            form = "pairs_together" if said.companion.states else "pairs_contrasted"
            both = {"a": slots[slot], "b": self._noun_phrase(said.companion.entity)}
            slots[slot] = _fill(self._choice(self._phrases["sentences"][form]), both)
        setting = self._entities[self._choice(said.entities)].setting
        return self._finish(self._embellish(_fill(self._choice(templates[said.kind]), slots), setting))

    def _about(self, entity: int, kind: str) -> Sentence:
        pieces = _fill(self._choice(self._phrases["sentences"][kind]), {"e": self._noun_phrase(entity)})
        return self._finish(pieces if kind == "titles" else self._embellish(pieces, self._entities[entity].setting))

    def _noun_phrase(self, number: int) -> list[Piece]:
        """The entity by name or synonym, with a phrase of its mechanism, an adjective of its role, or neither."""
        entity, rng, settings = self._entities[number], self._rng, self._settings
        kind = entity.type.value.lower()
        by_synonym = entity.synonyms and rng.random() < settings.synonym_share
        name = [Piece(self._choice(entity.synonyms) if by_synonym else entity.name, number)]
        draw = rng.random()
        if draw < settings.topic_share:
            strays = rng.random() < settings.topic_noise
            mechanism = int(rng.integers(settings.n_mechanisms)) if strays else entity.mechanism
            topic = [Piece(self._choice(self._mechanisms[mechanism][f"{kind}_topics"]))]
            return _fill(self._choice(self._phrases["modifiers"][kind]), {"e": name, "topic": topic})
        if draw < settings.topic_share + settings.role_share:
            return [Piece(self._choice(self._phrases["roles"][kind][entity.role]) + " "), *name]
        return name

    def _embellish(self, pieces: list[Piece], setting: int) -> list[Piece]:
        """Add where the work was done, and an adverb."""
        if self._rng.random() < ADVERB_SHARE:
            pieces = [*pieces, Piece(" " + self._choice(self._phrases["sentences"]["adverbs"]))]
        if self._rng.random() >= self._settings.setting_share:
            return pieces
        place = self._choice(self._phrases["settings"]["phrases"][setting])
        if self._rng.random() < 0.5:
            return [Piece(f"{place}, "), *pieces]
        return [*pieces, Piece(f" {place}")]

    def _finish(self, pieces: list[Piece]) -> Sentence:
        """Join pieces to a sentence that begins with a capital letter and ends with a full stop."""
        first_word = pieces[0].text.split(" ")[0]
        plain = first_word.replace("-", "").rstrip(",").isalpha() and first_word.islower()
        if plain:
            pieces = [pieces[0]._replace(text=pieces[0].text[0].upper() + pieces[0].text[1:]), *pieces[1:]]
        elif not first_word[0].isupper():
            pieces = [Piece(self._choice(self._phrases["sentences"]["leads"]) + ", "), *pieces]
        text, spans = "", []
        for piece in [*pieces, Piece(".")]:
            if piece.text[:1] in {",", ".", ":", ";", ")"}:
                text = text.removesuffix(",")
            if piece.entity is not None:
                spans.append((len(text), len(text) + len(piece.text), piece.entity))
            text += piece.text
        return Sentence(text, tuple(spans))

    def _assemble(
        self, doc_id: str, year: int, title: Sentence, body: list[tuple[Sentence, frozenset[frozenset[int]]]]
    ) -> tuple[Document, list[MentionTruth]]:
        mentions, truth, start = self._mentions(title, 0), [], len(title.text) + 1
        for sentence, stated in body:
            mentions += self._mentions(sentence, start)
            for (*_, a), (*_, b) in combinations(sentence.spans, 2):
                ids = self._entities[a].id, self._entities[b].id
                truth.append(MentionTruth(doc_id, start, sentence.text, *ids, frozenset((a, b)) in stated))
            start += len(sentence.text) + 1
        abstract = " ".join(sentence.text for sentence, _ in body)
        passages = (Passage("title", 0, title.text), Passage("abstract", len(title.text) + 1, abstract))
        return Document(doc_id, year, passages, tuple(mentions), simulated=True), truth

    def _mentions(self, sentence: Sentence, offset: int) -> list[Mention]:
        return [
            Mention(offset + start, offset + end, sentence.text[start:end], entity.type, (entity.id,))
            for start, end, number in sentence.spans
            for entity in [self._entities[number]]
        ]

    def _choice(self, options: Sequence[Any]) -> Any:
        return options[int(self._rng.integers(len(options)))]


def _fill(template: str, slots: dict[str, list[Piece]]) -> list[Piece]:
    """Put the slots' pieces into a template such as `{x} relieved the symptoms of {y}`."""
    pieces: list[Piece] = []
    for literal, name, *_ in Formatter().parse(template):
        if literal:
            pieces.append(Piece(literal))
        if name is not None:
            pieces += slots[name]
    return pieces
