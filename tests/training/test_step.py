"""A step of training: what its precision touches, and that batches made ahead are the right ones."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from relvm_kg.model.generative import OneBiasLstm, one_bias_lstm
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.training.data import TrainingCorpus, load_corpus
from relvm_kg.training.feed import Feed
from relvm_kg.training.processes import ALONE, Processes
from relvm_kg.training.schedule import Schedule
from relvm_kg.workspace import Workspace

MODEL = ModelConfig(hidden=8, latent=6, embedding=12)
TRAINING = TrainingConfig(steps=60, batch_size=16, max_contexts=400)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def corpus(simulated_workspace: Workspace) -> TrainingCorpus:
    return load_corpus(simulated_workspace.corpus_dir)


def _run(lstm: OneBiasLstm, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    lstm.zero_grad()
    states, _ = lstm(inputs)
    states.square().sum().backward()
    gradient = lstm.get_parameter("weight_ih_l0").grad
    assert gradient is not None
    return states.detach(), gradient.flatten().clone()


def test_an_lstm_in_bfloat16_trains_much_as_in_float32_and_measures_in_float32() -> None:
    torch.manual_seed(0)
    lstm, inputs = one_bias_lstm(20, 16), torch.randn(6, 9, 20)
    exact, exact_gradient = _run(lstm, inputs)
    lstm.precision = torch.bfloat16
    narrow, narrow_gradient = _run(lstm, inputs)
    assert narrow.dtype is narrow_gradient.dtype is torch.float32
    assert not torch.equal(narrow, exact), "nothing was computed in bfloat16"
    assert torch.cosine_similarity(exact_gradient, narrow_gradient, dim=0) > 0.999
    assert torch.equal(lstm.eval()(inputs)[0], exact)


def test_batches_made_ahead_are_the_same_from_whichever_step_they_begin(corpus: TrainingCorpus) -> None:
    rows = corpus.training_rows[:100]
    schedule = Schedule(len(rows), TRAINING)
    feed = Feed(corpus, rows, schedule, ALONE, CPU)
    whole = list(feed.after(0))
    assert len(whole) == 60
    for step in (1, 6, 7, 20, 59):
        for ready, wanted in zip(feed.after(step), whole[step:], strict=True):
            assert torch.equal(ready.whole.tokens, wanted.whole.tokens)
    epoch = np.sort(np.concatenate([ready.whole.lengths for ready in islice(whole, schedule.steps_per_epoch)]))
    assert (epoch == np.sort(corpus.contexts.store.lengths[rows] + 2)).all()


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_a_share_knows_where_its_predicted_tokens_stand(corpus: TrainingCorpus, rank: int) -> None:
    rows, training = corpus.training_rows[:40], replace(TRAINING, steps=3)
    processes = Processes(rank, 3)
    for ready in Feed(corpus, rows, Schedule(len(rows), training), processes, CPU).after(0):
        share = ready.whole.cut(processes.share(len(ready)))
        assert torch.equal(share.places, ready.places)
