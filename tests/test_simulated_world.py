import gzip
import os
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from relvm_kg.corpus.jsonl import read_jsonl
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.sentences import tagged_sentences
from relvm_kg.corpus.simulated import (
    SMALL_WORLD,
    HeldOutPair,
    PlantedRelation,
    World,
    WorldSettings,
    simulate,
    write_world,
)
from relvm_kg.corpus.simulation.design import one_factorisation
from relvm_kg.corpus.simulation.records import load_toml
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import POSITIVE_RELATIONS, EntityId, EntityType, Relation, relation_for_types
from relvm_kg.workspace import read_json

Floats = npt.NDArray[np.float64]
Pair = tuple[EntityId, EntityId]
SEEDS = (0, 1, 2, 3)


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest) -> World:
    return simulate(SMALL_WORLD, request.param)


@pytest.fixture(scope="module")
def full_world() -> World:
    return simulate(WorldSettings(), 7)


def co_mentioned(world: World) -> dict[Relation, set[Pair]]:
    """Pairs of one sentence whose types a label joins, in the argument order of the label."""
    types = {e.id: e.type for e in world.entities}
    found: dict[Relation, set[Pair]] = defaultdict(set)
    for truth in world.mention_truth:
        if {types[truth.head], types[truth.tail]} in ({EntityType.DISEASE}, {EntityType.CHEMICAL}):
            continue
        relation = relation_for_types(types[truth.head], types[truth.tail])
        first, second = sorted((truth.head, truth.tail), key=str)
        if types[first] is not relation.argument_types[0]:
            first, second = second, first
        found[relation].add((first, second))
    return found


def labels(world: World) -> dict[Relation, set[Pair]]:
    found: dict[Relation, set[Pair]] = defaultdict(set)
    for planted in world.relations:
        found[planted.relation].add((planted.head, planted.tail))
    return found


def held_out(world: World, relation: Relation) -> tuple[list[Pair], list[bool]]:
    rows = [h for h in world.held_out if h.relation is relation]
    return [(h.head, h.tail) for h in rows], [h.positive for h in rows]


def test_held_out_pairs_are_absent_from_every_document_and_from_the_labels(world: World, full_world: World) -> None:
    for any_world in (world, full_world):
        held = {frozenset((h.head, h.tail)) for h in any_world.held_out}
        for document in any_world.documents:
            present = {curie for mention in document.mentions for curie in mention.ids}
            assert not any(frozenset(pair) in held for pair in combinations(present, 2))
        assert not any(frozenset((r.head, r.tail)) in held for r in any_world.relations + any_world.uncurated)


def test_every_entity_is_in_equally_many_pairs_of_each_set(world: World, full_world: World) -> None:
    for any_world in (world, full_world):
        mentioned, labelled = co_mentioned(any_world), labels(any_world)
        for relation in POSITIVE_RELATIONS:
            pairs, positive = held_out(any_world, relation)
            sets = [
                mentioned[relation],
                labelled[relation],
                {p for p, truth in zip(pairs, positive, strict=True) if truth},
                {p for p, truth in zip(pairs, positive, strict=True) if not truth},
            ]
            expected = sum(e.type in relation.argument_types for e in any_world.entities)
            for pair_set in sets:
                counts = Counter(entity for pair in pair_set for entity in pair)
                assert len(counts) == expected
                assert len(set(counts.values())) == 1, (relation, Counter(counts.values()))


def test_labels_are_co_mentioned_and_uncurated_pairs_are_stated_without_a_label(full_world: World) -> None:
    mentioned, labelled = co_mentioned(full_world), labels(full_world)
    stated = {frozenset((m.head, m.tail)) for m in full_world.mention_truth if m.states}
    for relation in POSITIVE_RELATIONS:
        assert labelled[relation] <= mentioned[relation]
    for planted in full_world.uncurated:
        assert (planted.head, planted.tail) in mentioned[planted.relation] - labelled[planted.relation]
    related = {frozenset((r.head, r.tail)) for r in full_world.relations + full_world.uncurated}
    assert stated == related


def test_each_document_of_a_relation_states_it(world: World) -> None:
    stating: dict[frozenset[EntityId], set[str]] = defaultdict(set)
    for truth in world.mention_truth:
        if truth.states:
            stating[frozenset((truth.head, truth.tail))].add(truth.doc_id)
    for planted in world.relations:
        assert set(planted.doc_ids) == stating[frozenset((planted.head, planted.tail))]
        assert planted.doc_ids


def test_arguments_stand_in_the_order_of_the_label_and_genes_in_the_order_of_their_ids(world: World) -> None:
    types = {e.id: e.type for e in world.entities}
    rows: list[PlantedRelation | HeldOutPair] = [*world.relations, *world.held_out]
    for row in rows:
        assert (types[row.head], types[row.tail]) == row.relation.argument_types
        assert row.relation is not Relation.GENE_GENE or str(row.head) < str(row.tail)


def test_some_pairs_have_two_modes(full_world: World) -> None:
    for relation in POSITIVE_RELATIONS:
        modes = Counter(len(r.predicates) for r in full_world.relations if r.relation is relation)
        assert modes[1] > modes[2] > 0
        assert set(modes) == {1, 2}


def test_degree_product_and_entity_rate_say_nothing_of_held_out_pairs(world: World) -> None:
    mentioned, labelled = co_mentioned(world), labels(world)
    for relation in POSITIVE_RELATIONS:
        degree = Counter(entity for pair in labelled[relation] for entity in pair)
        candidates = Counter(entity for pair in mentioned[relation] | labelled[relation] for entity in pair)
        pairs, positive = held_out(world, relation)
        assert roc_auc_score(positive, [degree[a] * degree[b] for a, b in pairs]) == pytest.approx(0.5, abs=0.05)
        rates = [degree[a] / candidates[a] + degree[b] / candidates[b] for a, b in pairs]
        assert roc_auc_score(positive, rates) == pytest.approx(0.5, abs=0.05)


def test_offsets_are_exact_and_the_splitter_finds_the_sentences_that_the_truth_is_about(world: World) -> None:
    about: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for truth in world.mention_truth:
        about[truth.doc_id].add((truth.start, truth.sentence))
    for document in world.documents:
        title, abstract = document.passages
        text = f"{title.text} {abstract.text}"
        assert abstract.offset == len(title.text) + 1
        assert all(text[m.start : m.end] == m.text for m in document.mentions)
        sentences = tagged_sentences(document)
        assert 4 <= len(sentences) - 1 <= 8
        assert about[document.doc_id] <= {(s.start, s.text) for s in sentences}
        assert sum(len(s.mentions) for s in sentences) == len(document.mentions)


def test_the_truth_has_a_row_for_every_two_entities_of_every_sentence(world: World) -> None:
    rows = Counter((t.doc_id, t.start, t.head, t.tail) for t in world.mention_truth)
    expected: Counter[tuple[str, int, EntityId, EntityId]] = Counter()
    for document in world.documents:
        for sentence in tagged_sentences(document):
            in_order = [m.ids[0] for m in sorted(sentence.mentions)]
            expected.update((document.doc_id, sentence.start, a, b) for a, b in combinations(in_order, 2))
    assert rows == expected


def test_a_name_never_stands_in_the_text_without_a_mention(full_world: World) -> None:
    names = sorted((n for e in full_world.entities for n in (e.name, *e.synonyms)), key=len, reverse=True)
    pattern = re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, names)) + r")(?![\w-])", re.IGNORECASE)
    for document in full_world.documents:
        text = " ".join(p.text for p in document.passages)
        for mention in document.mentions:
            text = text[: mention.start] + "_" * (mention.end - mention.start) + text[mention.end :]
        assert pattern.search(text) is None, (pattern.search(text), text)


def test_everything_is_marked_simulated_and_dated(world: World) -> None:
    assert all(d.simulated and re.fullmatch(r"SIM:\d{6}", d.doc_id) for d in world.documents)
    years = {d.year for d in world.documents}
    assert years == set(range(SMALL_WORLD.first_year, SMALL_WORLD.last_year + 1))


def test_a_seed_decides_the_world(world: World) -> None:
    assert simulate(SMALL_WORLD, world.seed) == world
    assert simulate(SMALL_WORLD, world.seed + 100).documents != world.documents


def test_the_full_world_has_the_size_of_the_quickstart(full_world: World) -> None:
    assert 2500 <= len(full_world.documents) <= 4000
    assert 15000 <= len(full_world.mention_truth) <= 20000
    assert Counter(e.type for e in full_world.entities) == dict.fromkeys(EntityType, 64)


def test_a_written_world_reads_back(world: World, tmp_path: Path) -> None:
    write_world(world, tmp_path)
    with gzip.open(tmp_path / "literature.jsonl.gz", "rt", encoding="utf-8") as handle:
        log = ReadLog("literature.jsonl.gz")
        assert tuple(read_jsonl(enumerate(handle, start=1), log)) == world.documents
    header, *rows = (tmp_path / "relations.tsv").read_text(encoding="utf-8").splitlines()
    assert header.split("\t") == ["head", "relation", "tail", "predicate", "pmids", "source", "simulated"]
    cells = [row.split("\t") for row in rows]
    expected = [
        (str(r.head), r.relation.value, str(r.tail), p, "|".join(r.doc_ids))
        for r in world.relations
        for p in r.predicates
    ]
    assert [tuple(row[:5]) for row in cells] == expected
    manifest = read_json(tmp_path / "manifest.json")
    assert manifest["simulated"] is True
    assert manifest["seed"] == world.seed
    assert manifest["counts"]["documents"] == len(world.documents)
    for name, count in (("held_out", len(world.held_out)), ("mentions", len(world.mention_truth)), ("names", 96)):
        assert len((tmp_path / f"{name}.tsv").read_text(encoding="utf-8").splitlines()) == count + 1
    for path in tmp_path.glob("*.tsv"):
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        assert header.endswith("\tsimulated")
        assert all(row.endswith("\ttrue") for row in rows)


def test_a_written_world_is_the_same_file_every_time(world: World, tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_world(world, tmp_path / name)
    for path in sorted((tmp_path / "first").iterdir()):
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


def entity_profiles(world: World) -> dict[EntityId, Floats]:
    """What is said of each entity: TF-IDF of its sentences with all mentions blanked, SVD, rows of unit scale."""
    said: dict[EntityId, list[str]] = {e.id: [] for e in world.entities}
    for document in world.documents:
        for sentence in tagged_sentences(document):
            text = sentence.text
            for mention in sorted(sentence.mentions, reverse=True):
                text = text[: mention.start - sentence.start] + "_" + text[mention.end - sentence.start :]
            for mention in sentence.mentions:
                said[mention.ids[0]].append(text)
    weights = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform([" ".join(texts) for texts in said.values()])
    rows = TruncatedSVD(60, random_state=0).fit_transform(weights)
    rows *= np.sqrt(rows.shape[1]) / np.linalg.norm(rows, axis=1, keepdims=True)
    return dict(zip(said, rows, strict=True))


def features(pairs: list[Pair], profiles: dict[EntityId, Floats]) -> Floats:
    first = np.array([profiles[a] for a, _ in pairs])
    second = np.array([profiles[b] for _, b in pairs])
    return np.hstack([first, second, first * second])


def classifier_auc(world: World, relation: Relation, profiles: dict[EntityId, Floats], truth: Floats) -> float:
    pairs = sorted(co_mentioned(world)[relation], key=str)
    reverse = [(b, a) for a, b in pairs]
    model = LogisticRegression(C=0.01, max_iter=300)
    model.fit(features(pairs + reverse, profiles), np.concatenate([truth, truth]))
    tested, positive = held_out(world, relation)
    both = [tested, [(b, a) for a, b in tested]]
    scores = [model.predict_proba(features(order, profiles))[:, 1] for order in both]
    return float(min(roc_auc_score(positive, s) for s in scores))


def test_what_is_said_of_two_entities_tells_whether_they_are_related_and_shuffled_labels_do_not(world: World) -> None:
    profiles, labelled = entity_profiles(world), labels(world)
    rng = np.random.default_rng(world.seed)
    shuffled = []
    for relation in POSITIVE_RELATIONS:
        pairs = sorted(co_mentioned(world)[relation], key=str)
        truth = np.array([pair in labelled[relation] for pair in pairs], dtype=np.float64)
        assert classifier_auc(world, relation, profiles, truth) > 0.9
        shuffled += [classifier_auc(world, relation, profiles, rng.permutation(truth)) for _ in range(3)]
    assert np.mean(shuffled) == pytest.approx(0.5, abs=0.1)


def test_one_entity_alone_tells_nothing(world: World) -> None:
    profiles, labelled = entity_profiles(world), labels(world)
    for relation in (Relation.DISEASE_GENE, Relation.CHEMICAL_GENE, Relation.CHEMICAL_DISEASE):
        pairs = sorted(co_mentioned(world)[relation], key=str)
        tested, positive = held_out(world, relation)
        for side in (0, 1):
            model = LogisticRegression(C=0.01)
            model.fit([profiles[p[side]] for p in pairs], [pair in labelled[relation] for pair in pairs])
            scores = model.predict_proba([profiles[p[side]] for p in tested])[:, 1]
            assert roc_auc_score(positive, scores) == pytest.approx(0.5, abs=1e-9)


@given(st.integers(1, 12).map(lambda half: 2 * half))
def test_a_one_factorisation_holds_every_pair_once_in_perfect_matchings(n: int) -> None:
    matchings = one_factorisation(n)
    assert all(sorted(x for pair in matching for x in pair) == list(range(n)) for matching in matchings)
    assert {frozenset(p) for m in matchings for p in m} == {frozenset(p) for p in combinations(range(n), 2)}
    assert sum(map(len, matchings)) == n * (n - 1) // 2


@run_settings(max_examples=15, deadline=None)
@given(
    st.builds(
        WorldSettings,
        n_mechanisms=st.sampled_from([4, 6]),
        n_members=st.sampled_from([4, 6]),
        held_out_per_entity=st.just(1),
        uncurated_per_entity=st.integers(0, 1),
        unrelated_per_related=st.integers(1, 3),
        mean_sentences_per_pair=st.floats(1, 2),
        companion_share=st.floats(0, 1),
    ),
    st.integers(0, 2**32 - 1),
)
def test_regularity_holds_for_other_settings(settings: WorldSettings, seed: int) -> None:
    world = simulate(settings, seed)
    test_held_out_pairs_are_absent_from_every_document_and_from_the_labels(world, world)
    test_every_entity_is_in_equally_many_pairs_of_each_set(world, world)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_mechanisms": 3}, "n_mechanisms must be even and between 2 and 8, was: 3"),
        ({"n_members": 10}, "n_members must be even and between 2 and 8, was: 10"),
        ({"topic_noise": 1.5}, "topic_noise must be between 0 and 1, was: 1.5"),
        ({"mean_sentences_per_pair": 0.5}, "mean_sentences_per_pair must be at least 1, was: 0.5"),
        ({"first_year": 2021}, "first_year must not be after last_year 2020, was: 2021"),
        ({"held_out_per_entity": 0}, "held_out_per_entity must be at least 1, was: 0"),
        ({"unrelated_per_related": 0}, "unrelated_per_related must be at least 1, was: 0"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        WorldSettings(**values)  # type: ignore[arg-type]  # values of several types on purpose


def test_settings_that_need_more_pairs_than_there_are_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"must be below n_members - 1, was: 7"):
        simulate(WorldSettings(held_out_per_entity=6), 0)
    with pytest.raises(InvalidInputError, match=r"leave 2 of 8 unrelated pairs of each entity unused, was: 3"):
        simulate(WorldSettings(n_mechanisms=2), 0)


def test_names_and_ids_are_each_given_once_and_every_group_is_full() -> None:
    groups = load_toml("names.toml")["mechanism"]
    entities = [e for g in groups for kind in ("genes", "diseases", "chemicals") for e in g[kind]]
    assert all(len(g[kind]) == 8 for g in groups for kind in ("genes", "diseases", "chemicals"))
    ids = Counter(curie for curie, *_ in entities)
    names = Counter(name.lower() for _, *written in entities for name in written)
    assert len(groups) == 8
    assert max(ids.values()) == max(names.values()) == 1
    assert ["NCBIGene:6506", "SLC1A2", "EAAT2", "GLT-1"] in entities


def test_each_predicate_has_at_least_eight_statements_with_both_entities() -> None:
    predicates = load_toml("phrases.toml")["predicate"]
    assert Counter(p["label"] for p in predicates) == {relation.value: 2 for relation in POSITIVE_RELATIONS}
    for predicate in predicates:
        assert len(set(predicate["statements"])) >= 8
        assert all(t.count("{x}") == t.count("{y}") == 1 for t in predicate["statements"] + predicate["denials"])


@pytest.mark.slow
def test_diseases_and_chemicals_have_the_ids_that_annotators_gave_their_names() -> None:
    data = os.environ.get("RELVM_KG_DATA")
    if data is None:
        pytest.skip("RELVM_KG_DATA is not set: the folder that holds corpora/")
    given: dict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted(Path(data, "corpora").glob("*.gz")):
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as handle:
            for line in handle:
                fields = line.rstrip("\n").split("\t")
                if len(fields) >= 6:
                    given[fields[3].lower()][fields[5].removeprefix("MESH:")] += 1
    n_seen = 0
    for group in load_toml("names.toml")["mechanism"]:
        for curie, *names in (e for kind in ("diseases", "chemicals") for e in group[kind]):
            seen = sum((given[name.lower()] for name in names), Counter())
            n_seen += bool(seen)
            assert not seen or EntityId.parse(curie).local in seen, (curie, names, seen)
    assert n_seen > 100
