"""The language model that runs are read beside: what it computes, how it learns, and that it is kept."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relvm_kg.model.relvm import ContextBatch
from relvm_kg.progress import Silent
from relvm_kg.training.data import IntArray, TrainingCorpus, load_corpus
from relvm_kg.training.health import held_out_sample
from relvm_kg.training.held_out import HeldOut
from relvm_kg.training.language_model import (
    SETTINGS,
    WEIGHTS,
    KeptLanguageModel,
    LanguageModel,
    LanguageModelConfig,
    keep_language_model,
)
from relvm_kg.workspace import Workspace

CONFIG = LanguageModelConfig(hidden=8, embedding=12, n_contexts=800, batch_size=8, learning_rate=0.02)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def corpus(simulated_workspace: Workspace) -> TrainingCorpus:
    return load_corpus(simulated_workspace.corpus_dir)


@pytest.fixture(scope="module")
def sample(corpus: TrainingCorpus) -> HeldOut:
    held_out = held_out_sample(corpus, seed=0, limit=60)
    assert held_out is not None
    return held_out


@pytest.fixture(scope="module")
def rows(corpus: TrainingCorpus) -> IntArray:
    return corpus.training_rows[:200]


def keep(
    folder: Path, corpus: TrainingCorpus, rows: IntArray, config: LanguageModelConfig = CONFIG
) -> KeptLanguageModel:
    return keep_language_model(folder, corpus, rows, config, CPU, Silent())


def test_log_likelihoods_are_those_of_a_loop_over_tokens(corpus: TrainingCorpus) -> None:
    model = LanguageModel.started(CONFIG, len(corpus.vocabulary))
    batch = ContextBatch.of(corpus.contexts.batch(np.arange(5)), CPU)
    total, values = model.log_likelihood(batch)
    for tokens, length, value in zip(batch.tokens, batch.lengths.tolist(), values.tolist(), strict=True):
        states, _ = model.lstm(model.tokens(tokens[: length - 1]).unsqueeze(0))
        scores = (model.output(states[0]) @ model.tokens.weight.T).log_softmax(-1)
        expected = scores.gather(1, tokens[1:length].unsqueeze(1)).sum()
        assert value == pytest.approx(float(expected.detach()), rel=1e-5)
    assert float(total.detach()) == pytest.approx(-float(values.sum()), rel=1e-5)


def test_it_learns_the_text(corpus: TrainingCorpus, sample: HeldOut, rows: IntArray, tmp_path: Path) -> None:
    untrained = KeptLanguageModel("", CONFIG, LanguageModel.started(CONFIG, len(corpus.vocabulary)))
    before, after = (kept.measure(sample).sum() / sample.n_tokens for kept in (untrained, keep(tmp_path, corpus, rows)))
    assert before == pytest.approx(-math.log(len(corpus.vocabulary)), abs=0.2)
    assert after > before + 0.5


def test_the_second_call_reads_what_the_first_one_kept(
    corpus: TrainingCorpus, sample: HeldOut, rows: IntArray, tmp_path: Path
) -> None:
    first = keep(tmp_path, corpus, rows)
    place = tmp_path / first.key
    assert sorted(path.name for path in place.iterdir()) == [SETTINGS, WEIGHTS]
    written = (place / WEIGHTS).stat().st_mtime_ns
    second = keep(tmp_path, corpus, rows)
    assert (place / WEIGHTS).stat().st_mtime_ns == written
    assert second.key == first.key
    np.testing.assert_array_equal(second.measure(sample), first.measure(sample))


def test_another_text_size_or_budget_is_another_language_model(
    corpus: TrainingCorpus, rows: IntArray, tmp_path: Path
) -> None:
    configs = [
        replace(CONFIG, n_contexts=8),
        replace(CONFIG, n_contexts=8, hidden=4),
        replace(CONFIG, n_contexts=8, embedding=10),
        replace(CONFIG, n_contexts=9),
        replace(CONFIG, n_contexts=8, sampled_tokens=64),
    ]
    keys = {keep(tmp_path, corpus, rows, config).key for config in configs}
    keys.add(keep(tmp_path, corpus, rows[1:], configs[0]).key)
    assert len(keys) == len(configs) + 1


def test_the_same_training_gives_the_same_weights(corpus: TrainingCorpus, rows: IntArray, tmp_path: Path) -> None:
    first, second = (keep(tmp_path / name, corpus, rows) for name in ("a", "b"))
    for a, b in zip(first.model.state_dict().values(), second.model.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_damaged_one_is_trained_again(
    corpus: TrainingCorpus, sample: HeldOut, rows: IntArray, tmp_path: Path
) -> None:
    first = keep(tmp_path, corpus, rows)
    weights = tmp_path / first.key / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:100])
    np.testing.assert_array_equal(keep(tmp_path, corpus, rows).measure(sample), first.measure(sample))


def test_a_sampled_softmax_in_training_leads_to_about_the_same(
    corpus: TrainingCorpus, sample: HeldOut, rows: IntArray, tmp_path: Path
) -> None:
    n = len(corpus.vocabulary) // 3
    exact, sampled = (
        keep(tmp_path, corpus, rows, replace(CONFIG, sampled_tokens=tokens)).measure(sample).sum() / sample.n_tokens
        for tokens in (0, n)
    )
    assert sampled == pytest.approx(exact, abs=0.15)


def test_steps_are_as_many_as_the_contexts_need() -> None:
    config = LanguageModelConfig(hidden=1, embedding=1, n_contexts=641, learning_rate=1.0, decay=0.5)
    assert config.steps == 11
    assert [config.learning_rate_at(step) for step in (0, 5)] == [1.0, 1.0]
    assert 0 < config.learning_rate_at(10) < 0.2
