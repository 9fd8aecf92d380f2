"""Settings and records of a simulated world."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document, EntityId, EntityType, Relation

MAX_MECHANISMS = 8
MAX_MEMBERS = 8


@dataclass(frozen=True, kw_only=True)
class WorldSettings:
    """How large a simulated world is, and how clearly its text speaks."""

    n_mechanisms: int = 8
    """Hidden groups of entities; pairs of one group are related. Even."""
    n_members: int = 8
    """Entities of each type in each mechanism. Even."""
    held_out_per_entity: int = 2
    """Related pairs of each entity and label that neither text nor labels hold, and as many unrelated ones."""
    uncurated_per_entity: int = 1
    """Related pairs of each entity and label that the text states and the labels do not hold."""
    unrelated_per_related: int = 3
    """Co-mentioned unrelated pairs for each labelled pair."""
    mean_sentences_per_pair: float = 3.5
    """Sentences that mention a pair: one, and a Poisson number more (at most eight)."""
    two_mode_share: float = 0.25
    """Share of related pairs that both predicates of their label join."""
    statement_share: float = 0.6
    """Share of a related pair's sentences that state the relation, after one for each predicate, which do."""
    denial_share: float = 0.35
    """Share of an unrelated pair's sentences that deny a relation; the others only mention both."""
    companion_share: float = 0.15
    """Share of the statements that name a third entity, for which they hold as well or do not hold."""
    topic_share: float = 0.45
    """Share of mentions that carry a phrase of a mechanism."""
    topic_noise: float = 0.35
    """Share of those phrases that come from any mechanism instead of the entity's own."""
    role_share: float = 0.2
    """Share of mentions that carry an adjective of the entity's role."""
    setting_share: float = 0.4
    """Share of sentences that say where the work was done."""
    synonym_share: float = 0.3
    """Share of mentions by a synonym, where the entity has one."""
    first_year: int = 2000
    last_year: int = 2020
    """Years of publication, both included."""

    def __post_init__(self) -> None:
        for name, most in (("n_mechanisms", MAX_MECHANISMS), ("n_members", MAX_MEMBERS)):
            value = getattr(self, name)
            if value % 2 or not 2 <= value <= most:
                raise InvalidInputError(f"{name} must be even and between 2 and {most}, was: {value}")
        if self.first_year > self.last_year:
            raise InvalidInputError(f"first_year must not be after last_year {self.last_year}, was: {self.first_year}")
        for name in [field for field in self.__dataclass_fields__ if field.endswith(("_share", "_noise"))]:
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInputError(f"{name} must be between 0 and 1, was: {getattr(self, name)}")
        for name, least in (
            ("held_out_per_entity", 1),
            ("uncurated_per_entity", 0),
            ("unrelated_per_related", 1),
            ("mean_sentences_per_pair", 1),
        ):
            if getattr(self, name) < least:
                raise InvalidInputError(f"{name} must be at least {least}, was: {getattr(self, name)}")


class SimulatedEntity(NamedTuple):
    """A real name and id with an invented place in the world."""

    id: EntityId
    type: EntityType
    name: str
    synonyms: tuple[str, ...]
    mechanism: int
    """Hidden group: decides which entities it is related to."""
    role: int
    """0 or 1: decides by which predicate."""
    setting: int
    """Where it is studied: decides nothing."""


class PlantedRelation(NamedTuple):
    """A related pair, in the argument order of its label, with the documents that state it."""

    head: EntityId
    relation: Relation
    tail: EntityId
    predicates: tuple[str, ...]
    doc_ids: tuple[str, ...]


class HeldOutPair(NamedTuple):
    """A pair that no document mentions together and no label names, with the truth about it."""

    head: EntityId
    relation: Relation
    tail: EntityId
    positive: bool


class MentionTruth(NamedTuple):
    """What one sentence says of two entities, in order of mention; `start` counts from the start of the document."""

    doc_id: str
    start: int
    sentence: str
    head: EntityId
    tail: EntityId
    states: bool


class World(NamedTuple):
    """A simulated literature with its truth."""

    settings: WorldSettings
    seed: int
    entities: tuple[SimulatedEntity, ...]
    documents: tuple[Document, ...]
    relations: tuple[PlantedRelation, ...]
    """The labels to train on."""
    uncurated: tuple[PlantedRelation, ...]
    """Related pairs that the text states and the labels lack."""
    held_out: tuple[HeldOutPair, ...]
    mention_truth: tuple[MentionTruth, ...]
    """One row for every two entities of every sentence."""


@cache
def load_toml(name: str) -> dict[str, Any]:
    """A data file of this package; the caller must not change what it gets."""
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
