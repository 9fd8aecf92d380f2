"""A simulated literature: real names, invented relations, known truth. For demonstrations and tests; never evidence.

Every entity belongs to one of a few hidden mechanisms, and two entities are related if they share one. Sentences speak
of an entity in the words of its mechanism, whatever it is mentioned with, so the relation of a pair that no text
mentions can be inferred from what is said of each of the two. It cannot be inferred from numbers: all pair sets are
regular (see `relvm_kg.corpus.simulation.design`). Everything that comes out is marked `simulated`.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np

from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.corpus.simulation.design import PairDesign, Pairs, one_type_design, two_type_design
from relvm_kg.corpus.simulation.language import Writer
from relvm_kg.corpus.simulation.plan import PlannedPair, Utterance, add_companions, gather_documents, plan_utterances
from relvm_kg.corpus.simulation.records import (
    HeldOutPair,
    MentionTruth,
    PlantedRelation,
    SimulatedEntity,
    World,
    WorldSettings,
    load_toml,
)
from relvm_kg.types import POSITIVE_RELATIONS, Document, EntityId, EntityType, Relation
from relvm_kg.workspace import write_json

__all__ = [
    "SMALL_WORLD",
    "HeldOutPair",
    "MentionTruth",
    "PlantedRelation",
    "SimulatedEntity",
    "World",
    "WorldSettings",
    "simulate",
    "write_world",
]

SOURCE = "simulated literature"
"""What the `source` column of the relations says."""

SMALL_WORLD = WorldSettings(
    n_mechanisms=4, unrelated_per_related=2, uncurated_per_entity=0, topic_share=0.55, topic_noise=0.1
)
"""A world of 96 entities that speaks clearly, for quick tests."""

PairSet = frozenset[frozenset[int]]


def simulate(settings: WorldSettings, seed: int) -> World:
    """Make a world and its literature; the same settings and seed give the same world.

    Raises:
        InvalidInputError: if the settings ask for more pairs than the entities have.
    """
    rng = np.random.default_rng(seed)
    entities = _populate(settings, rng)
    designs = {relation: _design(relation, entities, settings, rng) for relation in POSITIVE_RELATIONS}
    planned = {
        relation: [_plan(relation, pair, entities, settings, rng) for pair in design.co_mentioned]
        for relation, design in designs.items()
    }
    pairs = [pair for of_label in planned.values() for pair in of_label]
    utterances = plan_utterances(pairs, _predicate_names(), settings, rng)
    utterances = add_companions(utterances, _may_share_a_sentence(entities, pairs), settings.companion_share, rng)
    documents, truth, stated_in = _write_documents(entities, utterances, _held_apart(designs), settings, rng)
    labelled = [pair for r, of_label in planned.items() for pair in of_label[: len(designs[r].labelled)]]
    kept = set(labelled)
    uncurated = [pair for pair in pairs if pair.predicates and pair not in kept]
    return World(
        settings,
        seed,
        entities,
        documents,
        tuple(_relation(pair, entities, stated_in) for pair in labelled),
        tuple(_relation(pair, entities, stated_in) for pair in uncurated),
        tuple(held for r, design in designs.items() for held in _held_out(r, design, entities)),
        truth,
    )


def write_world(world: World, folder: Path) -> None:
    """Write a world's files; every row of every table says that it is simulated.

    A workspace is built from `literature.jsonl.gz` (annotated documents), `relations.tsv` (head, relation, tail,
    predicate, pmids joined by `|`, source, simulated) and `names.tsv` (ids, types, names and synonyms). `held_out.tsv`,
    `uncurated.tsv` and `mentions.tsv` hold the truth, which a model must not see; `manifest.json` has the seed, the
    settings and the counts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "literature.jsonl.gz").open("wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as handle:
        for document in world.documents:
            handle.write((document_to_json(document) + "\n").encode("utf-8"))
    _write_tsv(
        folder / "names.tsv",
        ("id", "type", "name", "synonyms"),
        ((e.id, e.type.value, e.name, "|".join(e.synonyms)) for e in world.entities),
    )
    for name, relations in (("relations", world.relations), ("uncurated", world.uncurated)):
        _write_tsv(
            folder / f"{name}.tsv",
            ("head", "relation", "tail", "predicate", "pmids", "source"),
            (
                (r.head, r.relation.value, r.tail, predicate, "|".join(r.doc_ids), SOURCE)
                for r in relations
                for predicate in r.predicates
            ),
        )
    _write_tsv(
        folder / "held_out.tsv",
        ("head", "relation", "tail", "positive"),
        ((h.head, h.relation.value, h.tail, int(h.positive)) for h in world.held_out),
    )
    _write_tsv(
        folder / "mentions.tsv",
        ("doc_id", "start", "head", "tail", "states"),
        ((m.doc_id, m.start, m.head, m.tail, int(m.states)) for m in world.mention_truth),
    )
    write_json(folder / "manifest.json", _manifest(world))


def _manifest(world: World) -> dict[str, object]:
    return {
        "simulated": True,
        "seed": world.seed,
        "settings": asdict(world.settings),
        "counts": {
            "entities": len(world.entities),
            "documents": len(world.documents),
            "co_mentions": len(world.mention_truth),
            "stated_co_mentions": sum(m.states for m in world.mention_truth),
            "relations": len(world.relations),
            "uncurated": len(world.uncurated),
            "held_out": len(world.held_out),
        },
    }


def _write_tsv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE)
        writer.writerow((*header, "simulated"))
        writer.writerows((*row, "true") for row in rows)


def _populate(settings: WorldSettings, rng: np.random.Generator) -> tuple[SimulatedEntity, ...]:
    """Entities by type, then mechanism; half of the members of each have role 1, and all have a random setting."""
    n_settings = len(load_toml("phrases.toml")["settings"]["phrases"])
    entities = []
    for kind in EntityType:
        for mechanism, group in enumerate(load_toml("names.toml")["mechanism"][: settings.n_mechanisms]):
            roles = rng.permutation(np.arange(settings.n_members) % 2)
            members = group[f"{kind.value.lower()}s"][: settings.n_members]
            for (curie, name, *synonyms), role in zip(members, roles, strict=True):
                place = int(rng.integers(n_settings))
                entity_id = EntityId.parse(curie)
                entities.append(SimulatedEntity(entity_id, kind, name, tuple(synonyms), mechanism, int(role), place))
    return tuple(entities)


def _design(
    relation: Relation, entities: tuple[SimulatedEntity, ...], settings: WorldSettings, rng: np.random.Generator
) -> PairDesign:
    """The pairs of a label, as entity numbers in the label's argument order."""
    first, second = relation.argument_types
    heads, tails = ([i for i, e in enumerate(entities) if e.type is kind] for kind in (first, second))
    if first is not second:
        design = two_type_design(settings, rng)
        return PairDesign(*(tuple((heads[a], tails[b]) for a, b in pairs) for pairs in design))

    def by_id(a: int, b: int) -> tuple[int, int]:
        return (a, b) if str(entities[a].id) < str(entities[b].id) else (b, a)

    return PairDesign(*(tuple(by_id(heads[a], heads[b]) for a, b in pairs) for pairs in one_type_design(settings, rng)))


def _predicate_names() -> dict[Relation, tuple[str, ...]]:
    names: dict[Relation, list[str]] = defaultdict(list)
    for predicate in load_toml("phrases.toml")["predicate"]:
        names[Relation(predicate["label"])].append(predicate["name"])
    return {relation: tuple(of_label) for relation, of_label in names.items()}


def _plan(
    relation: Relation,
    pair: tuple[int, int],
    entities: tuple[SimulatedEntity, ...],
    settings: WorldSettings,
    rng: np.random.Generator,
) -> PlannedPair:
    """A related pair gets the predicate that the two roles decide, or both; an unrelated one gets none."""
    head, tail = (entities[number] for number in pair)
    names = _predicate_names()[relation]
    if head.mechanism != tail.mechanism:
        predicates: tuple[str, ...] = ()
    elif rng.random() < settings.two_mode_share:
        predicates = names
    else:
        predicates = (names[(head.role + tail.role) % 2],)
    return PlannedPair(relation, *pair, predicates)


def _may_share_a_sentence(entities: tuple[SimulatedEntity, ...], pairs: list[PlannedPair]) -> PairSet:
    """The planned pairs, and pairs of diseases or of chemicals, which no label joins."""
    unlabelled = [
        frozenset((a, b))
        for kind in (EntityType.DISEASE, EntityType.CHEMICAL)
        for a, b in combinations([i for i, e in enumerate(entities) if e.type is kind], 2)
    ]
    return frozenset([*unlabelled, *(frozenset((pair.head, pair.tail)) for pair in pairs)])


def _held_apart(designs: dict[Relation, PairDesign]) -> PairSet:
    held: Pairs = ()
    for design in designs.values():
        held += design.held_out_related + design.held_out_unrelated
    return frozenset(frozenset(pair) for pair in held)


def _write_documents(
    entities: tuple[SimulatedEntity, ...],
    utterances: list[Utterance],
    apart: PairSet,
    settings: WorldSettings,
    rng: np.random.Generator,
) -> tuple[tuple[Document, ...], tuple[MentionTruth, ...], dict[frozenset[int], list[str]]]:
    """The documents, the truth about each co-mention, and the documents that state each pair's relation."""
    writer = Writer(entities, settings, rng)
    documents, truth = [], []
    stated_in: dict[frozenset[int], list[str]] = defaultdict(list)
    for number, said in enumerate(gather_documents(utterances, apart, rng)):
        doc_id = f"SIM:{number + 1:06d}"
        document, rows = writer.document(doc_id, said)
        documents.append(document)
        truth += rows
        for pair in dict.fromkeys(frozenset(pair) for utterance in said for pair in utterance.stated):
            stated_in[pair].append(doc_id)
    return tuple(documents), tuple(truth), stated_in


def _relation(
    pair: PlannedPair, entities: tuple[SimulatedEntity, ...], stated_in: dict[frozenset[int], list[str]]
) -> PlantedRelation:
    head, tail = entities[pair.head].id, entities[pair.tail].id
    doc_ids = tuple(stated_in[frozenset((pair.head, pair.tail))])
    return PlantedRelation(head, pair.relation, tail, pair.predicates, doc_ids)


def _held_out(relation: Relation, design: PairDesign, entities: tuple[SimulatedEntity, ...]) -> list[HeldOutPair]:
    return [
        HeldOutPair(entities[head].id, relation, entities[tail].id, positive)
        for positive, pairs in ((True, design.held_out_related), (False, design.held_out_unrelated))
        for head, tail in pairs
    ]
