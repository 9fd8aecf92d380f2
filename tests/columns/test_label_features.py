"""Degrees and rates from training labels alone, worked by hand."""

import numpy as np
import pytest

from relvm_kg.benchmark.columns.entrants import ComentionFigure, CountedLogistic, DegreeProduct
from relvm_kg.benchmark.columns.label_features import RateAndCount, training_degrees
from relvm_kg.benchmark.columns.pairs import FamilyPairs, Fit
from relvm_kg.benchmark.columns.settings import ClassifierSettings, Family, Kind
from relvm_kg.benchmark.data import Comentions
from relvm_kg.types import Relation

GENE_GENE, DISEASE_GENE = Relation.GENE_GENE.column, Relation.DISEASE_GENE.column
N = 8


def pairs_of(rows: list[tuple[int, int, int, bool]]) -> FamilyPairs:
    heads, relations, tails, positive = (np.array(column) for column in zip(*rows, strict=True))
    zeros = np.zeros(len(rows), np.int8)
    return FamilyPairs(
        family=Family.CO_MENTIONED,
        heads=heads,
        tails=tails,
        relations=relations,
        positive=positive,
        head_groups=zeros,
        tail_groups=zeros,
        splits=zeros,
        rounds=zeros,
    )


@pytest.fixture
def pairs() -> FamilyPairs:
    return pairs_of(
        [
            (0, GENE_GENE, 1, True),
            (1, GENE_GENE, 2, True),
            (2, GENE_GENE, 3, False),
            (0, DISEASE_GENE, 4, True),
            (0, DISEASE_GENE, 5, False),
            (6, DISEASE_GENE, 4, True),
            (0, GENE_GENE, 2, True),
        ]
    )


@pytest.fixture
def comentions() -> Comentions:
    return Comentions.of(N, (np.array([0, 2]), np.array([1, 3])), np.array([4.0, 1.0]), np.array([0.5, -0.2]))


TRAINING = np.arange(6)


def test_degrees_count_training_positives_of_the_label_on_both_sides_of_symmetric_ones(pairs: FamilyPairs) -> None:
    heads, tails = training_degrees(pairs, TRAINING, N)
    assert heads.tolist() == [1, 2, 1, 1, 1, 1, 1]
    assert tails.tolist() == [2, 1, 0, 2, 0, 2, 1]


def test_a_training_row_leaves_itself_out_of_its_rates(pairs: FamilyPairs, comentions: Comentions) -> None:
    forward, backward = RateAndCount(comentions, with_sizes=True)(pairs, TRAINING)
    mean = 2 / 3
    # Row 1: entity 1 has one other pair, known; entity 2 has one other, unlabelled.
    assert forward[1].tolist() == pytest.approx([(1 + mean) / 2, mean / 2, np.log(2), np.log(2), 0.0])
    # Row 6 is not in training: entity 0 has one known pair, entity 2 one known of two.
    assert forward[6].tolist() == pytest.approx([(1 + mean) / 2, (1 + mean) / 3, np.log(2), np.log(3), 0.0])
    assert backward[:, [1, 0, 3, 2, 4]].tolist() == forward.tolist()
    assert forward[0, 4] == pytest.approx(np.log(5))


def test_labels_outside_training_change_nothing(pairs: FamilyPairs, comentions: Comentions) -> None:
    other = pairs_of(
        [
            *zip(pairs.heads[:6], pairs.relations[:6], pairs.tails[:6], pairs.positive[:6], strict=True),
            (0, GENE_GENE, 2, False),
        ]
    )
    for features in (RateAndCount(comentions), RateAndCount(comentions, with_sizes=True)):
        assert features(pairs, TRAINING)[0].tolist() == features(other, TRAINING)[0].tolist()
    assert training_degrees(pairs, TRAINING, N)[0].tolist() == training_degrees(other, TRAINING, N)[0].tolist()


def test_floors_score_the_rows_that_are_read(pairs: FamilyPairs, comentions: Comentions) -> None:
    fit = Fit("one", TRAINING, {}, {Kind.RANDOM: np.array([6, 0])})
    settings = ClassifierSettings()
    assert DegreeProduct(n_entities=N).scorer(pairs, settings)(fit)[Kind.RANDOM].tolist() == [4.0, 6.0]
    count = ComentionFigure(name="count", key="count", comentions=comentions, values=comentions.n_sentences)
    assert count.scorer(pairs, settings)(fit)[Kind.RANDOM].tolist() == [-1.0, 4.0]
    logistic = CountedLogistic(name="rate", key="rate", features=RateAndCount(comentions))
    found = logistic.scorer(pairs, settings)(fit)[Kind.RANDOM]
    assert ((found > 0) & (found < 1)).all()
