"""The pair-level classifier: scores repeat, do not depend on order or company, and follow the equations."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from relvm_kg.classify.draws import Draws, draw_z
from relvm_kg.classify.labels import RELATION_COLUMNS, LabelledPairs, load_labelled_pairs
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.classify.probabilities import evaluation_draws, pair_probabilities
from relvm_kg.classify.sampling import Negatives, PairConfig, PairSampler, batch_prevalence
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import EntityStart, ModelConfig, PairScope
from relvm_kg.model.relvm import Relvm
from relvm_kg.pairs import pair_keys
from relvm_kg.training.data import load_corpus
from relvm_kg.types import EntityType, Relation
from relvm_kg.workspace import Workspace

CONFIG = ModelConfig(hidden=8, latent=6, embedding=10, entity_start=EntityStart.RANDOM)
NOTHING = np.zeros(0, dtype=np.int64)
COLUMN = Relation.DISEASE_GENE.column


@pytest.fixture(scope="module")
def model() -> Relvm:
    return Relvm.started(CONFIG, n_entities=20, n_vocabulary=9, seed=0).eval()


@pytest.fixture(scope="module")
def classifier() -> PairClassifier:
    torch.manual_seed(0)
    return PairClassifier(CONFIG.latent, hidden=7).eval()


def test_a_score_is_the_same_in_both_orders_alone_or_among_others(model: Relvm, classifier: PairClassifier) -> None:
    heads, tails = np.arange(10), np.arange(10, 20)
    columns = np.full(10, COLUMN)
    draws = evaluation_draws(model, samples=8, seed=0)
    together, spread = pair_probabilities(model, classifier, heads, tails, columns, draws)
    turned, _ = pair_probabilities(model, classifier, tails, heads, columns, draws)
    alone = [
        pair_probabilities(model, classifier, heads[i : i + 1], tails[i : i + 1], columns[:1], draws)[0][0]
        for i in range(10)
    ]
    np.testing.assert_allclose(together, turned, rtol=1e-5)
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert (spread >= 0).all()
    assert (spread <= math.log(2)).all()


def test_a_seed_repeats_the_draws(model: Relvm) -> None:
    first, again, other = (evaluation_draws(model, 8, seed) for seed in (3, 3, 4))
    assert torch.equal(first.u, again.u)
    assert not torch.equal(first.u, other.u)


def test_the_probability_is_the_mean_over_draws_and_the_uncertainty_their_mutual_information(
    model: Relvm, classifier: PairClassifier
) -> None:
    draws = evaluation_draws(model, 4, seed=0)
    heads, tails = torch.tensor([2]), torch.tensor([5])
    z = draw_z(model, heads, tails, draws)
    log_odds = classifier(z, torch.tensor([COLUMN]))[0].detach().double().numpy()
    p = 1 / (1 + np.exp(-log_odds))

    def entropy(q: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(-q * np.log(q) - (1 - q) * np.log(1 - q))

    probability, uncertainty = pair_probabilities(
        model, classifier, np.array([2]), np.array([5]), np.array([COLUMN]), draws
    )
    assert probability[0] == pytest.approx(p.mean(), rel=1e-5)
    assert uncertainty[0] == pytest.approx(entropy(p.mean()) - entropy(p).mean(), abs=1e-6)


def test_half_of_the_draws_are_of_the_pair_in_the_other_order(model: Relvm) -> None:
    draws = Draws.independent(3, CONFIG.latent, torch.Generator().manual_seed(0))
    x, y = torch.tensor([1]), torch.tensor([2])
    there, back = draw_z(model, x, y, draws), draw_z(model, y, x, draws)
    torch.testing.assert_close(there[:, :3], back[:, 3:])
    torch.testing.assert_close(there[:, 3:], back[:, :3])


def test_the_column_of_two_types_is_that_of_the_label_that_joins_them() -> None:
    kinds = list(EntityType)
    gene, disease, chemical = (kinds.index(k) for k in (EntityType.GENE, EntityType.DISEASE, EntityType.CHEMICAL))
    assert RELATION_COLUMNS[gene, disease] == RELATION_COLUMNS[disease, gene] == Relation.DISEASE_GENE.column
    assert RELATION_COLUMNS[gene, gene] == Relation.GENE_GENE.column
    assert RELATION_COLUMNS[disease, disease] == RELATION_COLUMNS[chemical, chemical] == 0


def some_pairs() -> LabelledPairs:
    heads = np.arange(40)
    return LabelledPairs(heads, heads + 40, np.where(heads < 20, 1, 3), heads % 4 == 0)


@pytest.mark.parametrize(
    ("negatives", "random_share"), [*((negatives, 0.0) for negatives in Negatives), (Negatives.COMENTIONED, 0.5)]
)
def test_batches_hold_the_asked_number_of_positives_and_typed_negatives(
    negatives: Negatives, random_share: float
) -> None:
    pairs = some_pairs()
    config = PairConfig(batch_size=32, n_positive=8, negatives=negatives, random_share=random_share)
    batch = PairSampler(pairs, config, NOTHING).draw()
    assert (len(batch), int(batch.positive.sum())) == (32, 8)
    tails_by_column = {c: set(pairs.tails[pairs.columns == c].tolist()) for c in (1, 3)}
    assert all(t in tails_by_column[c] for t, c in zip(batch.tails.tolist(), batch.columns.tolist(), strict=True))


def test_a_random_negative_is_never_a_taken_pair() -> None:
    pairs = some_pairs()
    taken = pair_keys(pairs.heads, pairs.tails)
    sampler = PairSampler(pairs, PairConfig(batch_size=64, n_positive=8, random_share=1.0), taken)
    for _ in range(20):
        batch = sampler.draw()
        assert not np.isin(pair_keys(batch.heads[~batch.positive], batch.tails[~batch.positive]), taken).any()


def test_a_corpus_whose_every_pair_is_known_still_gives_batches() -> None:
    one = LabelledPairs(np.array([0]), np.array([1]), np.array([COLUMN]), np.array([True]))
    sampler = PairSampler(one, PairConfig(batch_size=8, n_positive=2), pair_keys(one.heads, one.tails))
    assert sampler.draw().positive.all()


@pytest.mark.parametrize("random_share", [0.0, 0.5])
def test_the_stated_prevalence_is_that_of_the_batches(random_share: float) -> None:
    pairs = some_pairs()
    config = PairConfig(batch_size=32, n_positive=8, random_share=random_share)
    sampler = PairSampler(pairs, config, NOTHING)
    drawn = [sampler.draw() for _ in range(400)]
    own = np.concatenate([b.columns for b in drawn]) == COLUMN
    share = np.concatenate([b.positive for b in drawn])[own].mean()
    assert batch_prevalence(pairs, config)[Relation.DISEASE_GENE.value] == pytest.approx(share, abs=0.02)


def test_the_papers_batch_has_an_eighth_of_positives() -> None:
    config = PairConfig()
    assert (config.batch_size, config.n_positive, config.samples, config.hidden) == (512, 64, 4, 300)
    with pytest.raises(InvalidInputError, match="must be between 0 and batch_size, was: 512"):
        PairConfig(n_positive=512)


def test_labelled_pairs_are_comentioned_typed_and_positive_where_a_relation_is_known(
    simulated_workspace: Workspace,
) -> None:
    corpus = load_corpus(simulated_workspace.corpus_dir)
    pairs = load_labelled_pairs(corpus.folder, corpus.types, corpus.has_text)
    assert pairs.positive.any()
    assert not pairs.positive.all()
    keys = pair_keys(pairs.heads, pairs.tails)
    assert len(np.unique(keys)) == len(keys)
    mentioned = pair_keys(corpus.contexts.heads, corpus.contexts.tails)
    assert np.isin(keys, mentioned).all()
    assert (RELATION_COLUMNS[corpus.types[pairs.heads], corpus.types[pairs.tails]] == pairs.columns).all()


def _write_tables(folder: Path, mentioned: list[tuple[int, int]], known: list[tuple[int, int]]) -> None:
    for name, columns, rows in (("comentions", ("first", "second"), mentioned), ("relations", ("head", "tail"), known)):
        arrays = {c: pa.array([row[i] for row in rows], pa.int32()) for i, c in enumerate(columns)}
        pq.write_table(pa.table(arrays), folder / f"{name}.parquet")


def test_the_wider_scope_adds_known_pairs_with_text_and_unlabelled_ones_with_the_same_heads(tmp_path: Path) -> None:
    gene, disease, chemical = (
        list(EntityType).index(t) for t in (EntityType.GENE, EntityType.DISEASE, EntityType.CHEMICAL)
    )
    types = np.array([gene] * 10 + [disease] * 10 + [chemical], dtype=np.int64)
    has_text = np.ones(21, dtype=bool)
    has_text[9] = False
    known = [(10 + i, i) for i in range(10)]
    _write_tables(tmp_path, [(0, 10), (1, 12), (2, 20)], known)
    narrow = load_labelled_pairs(tmp_path, types, has_text)
    assert [(h, t, p) for h, t, p in zip(narrow.heads, narrow.tails, narrow.positive, strict=True)] == [
        (10, 0, True),
        (12, 1, False),
    ]
    wide = load_labelled_pairs(tmp_path, types, has_text, PairScope.WITH_TEXT)
    pairs = list(zip(wide.heads.tolist(), wide.tails.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    positive = {pair for pair, yes in zip(pairs, wide.positive, strict=True) if yes}
    assert positive == {(10 + i, i) for i in range(9)}
    shuffled = {pair for pair, yes in zip(pairs, wide.positive, strict=True) if not yes} - {(12, 1)}
    assert shuffled
    assert not shuffled & (set(known) | {(10, 0)})
    assert {head for head, _ in shuffled} <= {10 + i for i in range(1, 9)}
    assert {tail for _, tail in shuffled} <= set(range(1, 9))


def test_a_label_of_which_nothing_is_known_is_left_out(tmp_path: Path) -> None:
    _write_tables(tmp_path, [(0, 2), (1, 2), (0, 3)], [(2, 0)])
    pairs = load_labelled_pairs(tmp_path, np.array([0, 0, 1, 2], dtype=np.int64), np.ones(4, dtype=bool))
    assert pairs.describe()["CHEMICAL-GENE"] == {"positive": 0, "unlabelled": 0}
    assert pairs.describe()["DISEASE-GENE"] == {"positive": 1, "unlabelled": 1}
