"""What the simulated literature says: one utterance for each sentence about a pair, gathered into documents."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from relvm_kg.corpus.simulation.records import WorldSettings
from relvm_kg.types import Relation

MAX_SENTENCES_PER_PAIR = 8
PAIR_SENTENCES_PER_DOCUMENT = (3, 6)
_LOOK_AHEAD = 40


class Kind(StrEnum):
    """What a sentence does with a pair."""

    STATEMENT = "statement"
    DENIAL = "denial"
    NEUTRAL = "neutral"


class PlannedPair(NamedTuple):
    """A pair to be mentioned (entity numbers, in the argument order of the label); unrelated without predicates."""

    relation: Relation
    head: int
    tail: int
    predicates: tuple[str, ...]


class Companion(NamedTuple):
    """A third entity that shares the place of the head (or the tail) in a sentence."""

    entity: int
    beside_head: bool
    states: bool


class Utterance(NamedTuple):
    """One sentence to be written about a pair."""

    pair: PlannedPair
    kind: Kind
    predicate: str
    companion: Companion | None = None

    @property
    def entities(self) -> tuple[int, ...]:
        """The two or three entities that it mentions."""
        third = () if self.companion is None else (self.companion.entity,)
        return (self.pair.head, self.pair.tail, *third)

    @property
    def stated(self) -> tuple[tuple[int, int], ...]:
        """The pairs whose relation it states."""
        if self.kind is not Kind.STATEMENT:
            return ()
        stated = [(self.pair.head, self.pair.tail)]
        if self.companion is not None and self.companion.states:
            other = self.pair.tail if self.companion.beside_head else self.pair.head
            stated.append((self.companion.entity, other))
        return tuple(stated)


def plan_utterances(
    pairs: Sequence[PlannedPair],
    predicates: dict[Relation, tuple[str, ...]],
    settings: WorldSettings,
    rng: np.random.Generator,
) -> list[Utterance]:
    """What is said of each pair; each predicate of a related pair is stated at least once."""
    utterances = []
    for pair in pairs:
        n_sentences = 1 + int(rng.poisson(settings.mean_sentences_per_pair - 1))
        n_sentences = max(min(n_sentences, MAX_SENTENCES_PER_PAIR), len(pair.predicates))
        said = pair.predicates or predicates[pair.relation]
        for turn in range(n_sentences):
            kind = _draw_kind(pair, turn, settings, rng)
            chosen = turn if turn < len(pair.predicates) else int(rng.integers(len(said)))
            utterances.append(Utterance(pair, kind, said[chosen]))
    return utterances


def _draw_kind(pair: PlannedPair, turn: int, settings: WorldSettings, rng: np.random.Generator) -> Kind:
    if not pair.predicates:
        return Kind.DENIAL if rng.random() < settings.denial_share else Kind.NEUTRAL
    return Kind.STATEMENT if turn < len(pair.predicates) or rng.random() < settings.statement_share else Kind.NEUTRAL


def add_companions(
    utterances: Sequence[Utterance], together: frozenset[frozenset[int]], share: float, rng: np.random.Generator
) -> list[Utterance]:
    """Merge some statements with another utterance that shares an entity, into one sentence on three entities.

    The other pair is either joined by the same predicate (the sentence states both) or unrelated (it states one).

    Args:
        utterances: One for each sentence on two entities.
        together: The pairs that may share a sentence; a merge never makes another pair co-mentioned.
        share: Share of the statements that look for a companion.
        rng: Source of randomness.
    """
    places: dict[tuple[int, bool, Relation], list[int]] = defaultdict(list)
    for number in rng.permutation(len(utterances)):
        pair = utterances[number].pair
        places[pair.tail, True, pair.relation].append(int(number))
        places[pair.head, False, pair.relation].append(int(number))
    merged: dict[int, Utterance] = {}
    gone: set[int] = set()
    for number, utterance in enumerate(utterances):
        if utterance.kind is not Kind.STATEMENT or number in gone or rng.random() >= share:
            continue
        beside_head = bool(rng.random() < 0.5)
        shared = utterance.pair.tail if beside_head else utterance.pair.head
        for other in places[shared, beside_head, utterance.pair.relation][:_LOOK_AHEAD]:
            companion = _companion(utterance, utterances[other], beside_head, together)
            if companion is not None and other not in gone and other not in merged:
                merged[number] = utterance._replace(companion=companion)
                gone.add(other)
                break
    return [merged.get(number, u) for number, u in enumerate(utterances) if number not in gone]


def _companion(
    utterance: Utterance, other: Utterance, beside_head: bool, together: frozenset[frozenset[int]]
) -> Companion | None:
    entity, beside = (other.pair.head, utterance.pair.head) if beside_head else (other.pair.tail, utterance.pair.tail)
    joined = other.kind is Kind.STATEMENT and other.predicate == utterance.predicate
    if not (joined or not other.pair.predicates) or frozenset((entity, beside)) not in together:
        return None
    return Companion(entity, beside_head, joined)


def gather_documents(
    utterances: Sequence[Utterance], apart: frozenset[frozenset[int]], rng: np.random.Generator
) -> Iterator[list[Utterance]]:
    """Share utterances out over documents, so that each is about related matters.

    Args:
        utterances: All sentences on pairs; each goes into one document.
        apart: Pairs of entities that no document may mention together.
        rng: Source of randomness.
    """
    shuffled = [utterances[i] for i in rng.permutation(len(utterances))]
    waiting: dict[int, None] = dict.fromkeys(range(len(shuffled)))
    about: dict[int, dict[int, None]] = defaultdict(dict)
    for number, utterance in enumerate(shuffled):
        for entity in utterance.entities:
            about[entity][number] = None
    while waiting:
        wanted = int(rng.integers(*PAIR_SENTENCES_PER_DOCUMENT, endpoint=True))
        document: list[Utterance] = []
        candidates: Iterator[int] = iter([next(iter(waiting))])
        while len(document) < wanted:
            chosen = next((n for n in candidates if _fits(shuffled[n], document, apart)), None)
            if chosen is None:
                break
            document.append(shuffled[chosen])
            del waiting[chosen]
            for entity in shuffled[chosen].entities:
                del about[entity][chosen]
            candidates = iter(_next_candidates(document, about, waiting, rng))
        yield document


def _next_candidates(
    document: list[Utterance], about: dict[int, dict[int, None]], waiting: dict[int, None], rng: np.random.Generator
) -> list[int]:
    """Utterances on an entity of the document first, then any."""
    entities = sorted({entity for utterance in document for entity in utterance.entities})
    found: list[int] = []
    for place in rng.permutation(len(entities)):
        found += list(about[entities[place]])[:_LOOK_AHEAD]
    return found + [n for n, _ in zip(waiting, range(_LOOK_AHEAD), strict=False)]


def _fits(utterance: Utterance, document: list[Utterance], apart: frozenset[frozenset[int]]) -> bool:
    present = {entity for said in document for entity in said.entities}
    if any(said.pair[:3] == utterance.pair[:3] for said in document):
        return False
    return not any(frozenset((a, b)) in apart for a in utterance.entities for b in present)
