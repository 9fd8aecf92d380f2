"""In a world with known truth, training finds pairs that neither text nor labels hold, from what is said of each."""

import shutil
from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from relvm_kg.classify.labels import RELATION_COLUMNS
from relvm_kg.classify.mention import (
    LabelledSentences,
    MentionConfig,
    load_mention_classifier,
    sentence_probabilities,
)
from relvm_kg.classify.sampling import PairConfig
from relvm_kg.corpus.simulated import World
from relvm_kg.metrics import roc_auc
from relvm_kg.model.presets import ModelConfig, Preset, TrainingConfig
from relvm_kg.pipeline.session import Session
from relvm_kg.pipeline.train import TrainRequest, train_run
from relvm_kg.progress import Silent
from relvm_kg.training.data import load_corpus
from relvm_kg.training.device import Device
from relvm_kg.types import EntityId
from relvm_kg.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def session(simulated_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("planted") / "workspace"
    shutil.copytree(simulated_workspace.path, folder)
    request = TrainRequest(
        run_id="planted",
        preset=Preset.DEFAULT,
        model=ModelConfig(hidden=32, latent=32, embedding=64),
        training=TrainingConfig(epochs=5, batch_size=32, learning_rate=2e-3),
        pair=PairConfig(hidden=64, samples=2, max_steps=300, evaluate_steps=50, batch_size=128, n_positive=32),
        mention=MentionConfig(max_steps=150, evaluate_steps=50, learning_rate=1e-3),
        device=Device.CPU,
    )
    train_run(Workspace.open(folder), request, Silent())
    return Session(Workspace.open(folder))


def held_out_pairs(
    session: Session, world: World
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    index = session.catalogue.index
    ends = [(index[EntityId.parse(str(p.head))], index[EntityId.parse(str(p.tail))]) for p in world.held_out]
    rows = session.model_rows(np.array(ends).reshape(-1))
    return rows[::2], rows[1::2], np.array([p.positive for p in world.held_out])


def test_counts_say_nothing_of_held_out_pairs_and_the_prior_does(session: Session, world: World) -> None:
    heads, tails, positive = held_out_pairs(session, world)
    labels = Counter(str(end) for r in world.relations for end in (r.head, r.tail))
    mentions = Counter(str(end) for m in world.mention_truth for end in (m.head, m.tail))
    ends = [(str(p.head), str(p.tail)) for p in world.held_out]
    degree_product = np.array([labels[x] * labels[y] for x, y in ends], dtype=np.float64)
    entity_rate = np.array([labels[x] / mentions[x] + labels[y] / mentions[y] for x, y in ends])
    assert abs(roc_auc(positive, degree_product) - 0.5) < 0.05
    assert abs(roc_auc(positive, entity_rate) - 0.5) < 0.05
    assert roc_auc(positive, session.scorer.score(heads, tails).probability.astype(np.float64)) > 0.75


def test_shuffling_the_pairs_destroys_what_the_prior_knows(session: Session, world: World) -> None:
    heads, tails, positive = held_out_pairs(session, world)
    types = session.scorer.entities.types
    random = np.random.default_rng(0)
    areas = []
    for _ in range(5):
        shuffled = tails.copy()
        for kinds in np.unique(np.stack([types[heads], types[tails]]), axis=1).T:
            places = np.flatnonzero((types[heads] == kinds[0]) & (types[tails] == kinds[1]))
            shuffled[places] = random.permutation(tails[places])
        apart = heads != shuffled
        scores = session.scorer.score(heads[apart], shuffled[apart]).probability
        areas.append(roc_auc(positive[apart], scores.astype(np.float64)))
    assert abs(float(np.mean(areas)) - 0.5) < 0.05


def test_the_posterior_tells_sentences_that_state_a_relation_from_those_that_do_not(
    session: Session, world: World
) -> None:
    corpus = load_corpus(session.workspace.corpus_dir)
    sentences = pq.read_table(corpus.folder / "sentences.parquet").to_pylist()
    truth = {(m.doc_id, m.start, frozenset((str(m.head), str(m.tail)))): m.states for m in world.mention_truth}
    ids = [str(entity) for entity in session.catalogue.ids]
    rows, states = [], []
    for row in np.flatnonzero(corpus.held_out).tolist():
        sentence = sentences[corpus.sentence_rows[row]]
        ends = frozenset((ids[corpus.contexts.heads[row]], ids[corpus.contexts.tails[row]]))
        stated = truth.get((sentence["doc_id"], sentence["start"], ends))
        if stated is not None and RELATION_COLUMNS[tuple(corpus.types[[ids.index(e) for e in ends]])]:
            rows.append(row)
            states.append(stated)
    heads, tails = (corpus.types[end[rows]] for end in (corpus.contexts.heads, corpus.contexts.tails))
    asked = LabelledSentences(
        [np.asarray(corpus.contexts.store[row]) for row in rows],
        heads,
        tails,
        RELATION_COLUMNS[heads, tails],
        np.array(states),
    )
    classifier, _ = load_mention_classifier(session.run_folder)
    probabilities = sentence_probabilities(classifier, asked, samples=4).astype(np.float64)
    accuracy = float(((probabilities > 0.5) == asked.positive).mean())
    area = roc_auc(asked.positive, probabilities)
    majority = max(asked.positive.mean(), 1 - asked.positive.mean())
    print(f"{len(rows)} held-out sentences: accuracy {accuracy:.3f}, majority {majority:.3f}, AUROC {area:.3f}")
    assert area > 0.9
    assert accuracy > majority
