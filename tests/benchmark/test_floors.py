"""Floors: hand-worked scores, and what they find in the planted world."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from relvm_kg.benchmark.classification import MEAN_OF_LABELS
from relvm_kg.benchmark.contender import ContenderFactory
from relvm_kg.benchmark.data import BenchmarkData, SplitTriples
from relvm_kg.benchmark.evaluator import Evaluation, evaluate
from relvm_kg.benchmark.floors import comention_count, comention_npmi, degree_product, entity_rate
from relvm_kg.benchmark.profile_floor import profile_floor, train_profile_floor
from relvm_kg.benchmark.settings import ProfileSettings
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Silent
from relvm_kg.types import POSITIVE_RELATIONS, Relation

QUICK = ProfileSettings(hidden=32, dropout=0.0, learning_rate=5e-3, batch_size=128, max_epochs=20)


def shuffled_labels(data: BenchmarkData) -> BenchmarkData:
    """The same training pairs with positives and negatives drawn at random within each label."""
    random = np.random.default_rng(0)
    pools = []
    for split in Split:
        positives, negatives = data.positives.part(split), data.negatives.part(split)
        pools.append((positives, negatives, random.permutation(len(positives) + len(negatives))))
    heads, relations, tails = (
        np.concatenate([np.concatenate([getattr(p, f), getattr(n, f)])[order] for p, n, order in pools])
        for f in ("heads", "relations", "tails")
    )
    splits = np.concatenate([np.full(len(order), s, np.int8) for s, (_, _, order) in zip(Split, pools, strict=True)])
    is_positive = np.concatenate([np.arange(len(order)) < len(p) for p, _, order in pools])
    triples = type(data.known)(heads, relations, tails)
    return replace(
        data,
        positives=SplitTriples(triples.rows(is_positive), splits[is_positive]),
        negatives=SplitTriples(triples.rows(~is_positive), splits[~is_positive]),
    )


def figures(evaluation: Evaluation) -> tuple[float, float, float]:
    """AMRI, average precision (mean of labels) and prevalence."""
    row = next(f for f in evaluation.classification() if f.relation == MEAN_OF_LABELS)
    return evaluation.ranking()[0].amri, row.average_precision, row.prevalence


def test_the_degree_product_counts_training_positives_of_the_label(world: Any) -> None:
    contender = degree_product(world.data, Silent()).contender
    train = world.data.positives.part(Split.TRAIN)
    genes = train.of(Relation.GENE_GENE)
    a, b = int(genes.heads[0]), int(genes.tails[0])

    def degree(entity: int) -> int:
        return 1 + int((genes.heads == entity).sum() + (genes.tails == entity).sum())

    assert contender.score_tails(a, Relation.GENE_GENE, np.array([b]))[0] == degree(a) * degree(b)
    assert contender.score_heads(a, Relation.GENE_GENE, np.array([b]))[0] == degree(a) * degree(b)
    part = train.of(Relation.DISEASE_GENE)
    disease, gene = int(part.heads[0]), int(part.tails[0])
    expected = (1 + int((part.heads == disease).sum())) * (1 + int((part.tails == gene).sum()))
    assert contender.score_pairs(np.array([disease]), np.array([gene]), Relation.DISEASE_GENE)[0] == expected


def test_co_mention_floors_read_the_table_in_either_order(world: Any) -> None:
    data = world.data
    keys = data.comentions.keys
    first, second = keys[:20] // data.n_entities, keys[:20] % data.n_entities
    count, npmi = comention_count(data, Silent()).contender, comention_npmi(data, Silent()).contender
    relation = Relation.GENE_GENE
    np.testing.assert_array_equal(count.score_pairs(first, second, relation), data.comentions.n_sentences[:20])
    np.testing.assert_array_equal(count.score_pairs(second, first, relation), data.comentions.n_sentences[:20])
    np.testing.assert_array_equal(npmi.score_pairs(second, first, relation), data.comentions.npmi[:20])
    assert npmi.score_pairs(first[:1], first[:1], relation)[0] == -1.0


def test_entity_rates_leave_the_training_row_itself_out(world: Any) -> None:
    # With labels that say nothing, a rate that counted the row itself would separate the training pairs.
    data = shuffled_labels(world.data)
    contender = entity_rate(data, Silent()).contender
    amri, precision, prevalence = figures(evaluate(entity_rate(data, Silent()), data))
    assert precision == pytest.approx(prevalence, abs=0.12)
    relation = POSITIVE_RELATIONS[0]
    tails = data.candidates[relation.argument_types[1]]
    assert (
        contender.score_tails(int(data.candidates[relation.argument_types[0]][0]), relation, tails).shape == tails.shape
    )
    assert np.isfinite(amri)


def test_profiles_find_the_planted_clusters_and_degrees_do_not(world: Any) -> None:
    of_profile = profile_floor("text profile", lambda: world.profiles, QUICK)(world.data, Silent())
    amri, precision, prevalence = figures(evaluate(of_profile, world.data))
    assert precision > 0.8 > prevalence + 0.4
    assert amri > 0.5
    floor_amri, floor_precision, _ = figures(evaluate(degree_product(world.data, Silent()), world.data))
    assert floor_precision < 0.5
    assert floor_amri < amri - 0.2
    record = of_profile.record
    assert record.epochs is not None
    assert record.best_validation is not None
    assert record.best_validation > 0.8
    assert record.n_parameters == (72 * 32 + 32) + (32 * 32 + 32) + (32 * 5 + 5)


def test_profiles_learn_nothing_from_shuffled_labels(world: Any) -> None:
    data = shuffled_labels(world.data)
    _, precision, prevalence = figures(evaluate(train_profile_floor("x", world.profiles, data, QUICK, Silent()), data))
    assert precision == pytest.approx(prevalence, abs=0.12)


@pytest.mark.parametrize("relation", POSITIVE_RELATIONS)
def test_scores_are_the_same_by_query_and_by_pair(world: Any, relation: Relation) -> None:
    factories: list[ContenderFactory] = [
        degree_product,
        comention_count,
        comention_npmi,
        entity_rate,
        profile_floor("text profile", lambda: world.profiles, replace(QUICK, max_epochs=1)),
    ]
    head_type, tail_type = relation.argument_types
    heads, tails = world.data.candidates[head_type], world.data.candidates[tail_type]
    for factory in factories:
        contender = factory(world.data, Silent()).contender
        by_tail = contender.score_tails(int(heads[0]), relation, tails)
        by_pair = contender.score_pairs(np.full(len(tails), heads[0]), tails, relation)
        np.testing.assert_allclose(by_tail, by_pair, rtol=1e-4, atol=1e-5)
        by_head = contender.score_heads(int(tails[0]), relation, heads)
        by_pair = contender.score_pairs(heads, np.full(len(heads), tails[0]), relation)
        np.testing.assert_allclose(by_head, by_pair, rtol=1e-4, atol=1e-5)


def test_a_profile_floor_is_repeatable_and_leaves_the_global_generator_alone(world: Any) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    scores = []
    for _ in range(2):
        contender = train_profile_floor(
            "x", world.profiles, world.data, replace(QUICK, max_epochs=2), Silent()
        ).contender
        scores.append(contender.score_tails(0, Relation.GENE_GENE, np.arange(20)))
    np.testing.assert_array_equal(scores[0], scores[1])
    assert torch.equal(before, torch.random.get_rng_state())


def test_profiles_of_another_catalogue_are_refused(world: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"profiles must have 150 rows, was: shape \(3, 24\)"):
        train_profile_floor("x", world.profiles[:3], world.data, QUICK, Silent())
