"""What `training_speed.py` measures: training's real step, the straightforward one, and matrix products alone."""

import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from contenders import Clock, Round, peak_mb
from straightforward import Straightforward, train_step

from relvm_kg.encoding.batches import epoch_batches
from relvm_kg.encoding.vocabulary import PAD
from relvm_kg.model.presets import (
    EntityStart,
    ModelConfig,
    Precision,
    Preset,
    Size,
    Softmax,
    model_config,
    training_config,
)
from relvm_kg.model.relvm import ContextBatch, Relvm
from relvm_kg.training.data import IntArray, TrainingCorpus, load_corpus, rows_of_epoch
from relvm_kg.training.feed import ReadyBatch
from relvm_kg.training.optimiser import start_optimisers
from relvm_kg.training.schedule import Schedule
from relvm_kg.training.step import Stepper

CPU = torch.device("cpu")


def model_settings(size: str) -> ModelConfig:
    """The default preset's architecture; vectors start at random, for there are no profiles."""
    return replace(model_config(Preset.DEFAULT, Size(size)), entity_start=EntityStart.RANDOM)


def ready(corpus: TrainingCorpus, rows: IntArray) -> ReadyBatch:
    """A batch as the trainer's feed makes it."""
    batch = ContextBatch.of(corpus.contexts.batch(rows), CPU)
    places = torch.from_numpy(np.flatnonzero(batch.tokens[:, 1:].numpy() != PAD))
    return ReadyBatch(batch, places, len(places))


def train_rounds(request: dict[str, Any]) -> Round:
    """The real step, on batches of an epoch; the one with most tokens is among those that warm up."""
    corpus = load_corpus(Path(request["corpus"]))
    training = replace(
        training_config(Preset.DEFAULT),
        batch_size=request["batch"],
        steps=100_000,
        softmax=Softmax(request["softmax"]),
        precision=Precision(request["precision"]),
    )
    model = Relvm.started(model_settings(request["size"]), len(corpus.types), len(corpus.vocabulary), seed=0)
    schedule = Schedule(len(corpus.training_rows), training)
    stepper = Stepper(model, corpus, schedule, start_optimisers(model, training))
    lengths = corpus.contexts.store.lengths
    batches = epoch_batches(corpus.training_rows, lengths, request["batch"], 0, 0)
    longest = max(batches, key=lambda rows: int(lengths[rows].sum()))
    by_length = sorted((b for b in batches if len(b) == request["batch"]), key=lambda rows: int(lengths[rows].sum()))
    n = request["steps"]
    order = [by_length[(2 * place + 1) * len(by_length) // (2 * n)] for place in range(n)]
    steps = count()

    def take() -> dict[str, float]:
        """One step on each of the batches, which together have an epoch's mix of lengths."""
        clock, n_tokens, loss = Clock(), 0, 0.0
        for rows in order:
            batch = ready(corpus, rows)
            loss = float(stepper.take(next(steps), batch).loss)
            n_tokens += batch.n_tokens
        return figures(clock, n_tokens, len(order)) | {"loss": loss}

    stepper.take(next(steps), ready(corpus, longest))
    stepper.take(next(steps), ready(corpus, order[0]))
    return take


def straightforward_rounds(request: dict[str, Any]) -> Round:
    """The straightforward step, on random contexts."""
    corpus = load_corpus(Path(request["corpus"]))
    model = Straightforward.started(model_settings(request["size"]), len(corpus.types), len(corpus.vocabulary), seed=0)
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    generator, random = torch.Generator().manual_seed(0), np.random.default_rng(0)

    def take() -> dict[str, float]:
        rows = random.choice(corpus.training_rows, request["batch"])
        clock = Clock()
        batch = ready(corpus, rows)
        loss = train_step(model, optimiser, batch.whole, generator)
        return figures(clock, batch.n_tokens, 1) | {"loss": loss}

    take()
    return take


def figures(clock: Clock, n_tokens: int, n_steps: int) -> dict[str, float]:
    """What a round tells."""
    return {
        "tokens_per_second": n_tokens / clock.seconds,
        "tokens_per_cpu_second": n_tokens / clock.cpu_seconds,
        "step_seconds": clock.seconds / n_steps,
        "step_cpu_seconds": clock.cpu_seconds / n_steps,
    }


def product_rounds(request: dict[str, Any]) -> Round:
    """Matrix products alone, in billions of multiplications and additions a second."""
    shapes = {"square": (2048, 2048, 2048), "softmax": (512, 300, request["vocabulary"])}
    factors = {
        f"{name}-{kind}": (torch.randn(m, k).to(precision), torch.randn(n, k).to(precision))
        for name, (m, k, n) in shapes.items()
        for kind, precision in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
    }

    def take() -> dict[str, float]:
        rates = {}
        for name, (left, right) in factors.items():
            started, n = time.perf_counter(), 0
            while n < 2 or time.perf_counter() - started < 0.3:
                torch.mm(left, right.T)
                n += 1
            work = 2e-9 * left.shape[0] * left.shape[1] * right.shape[0] * n
            rates[name] = work / (time.perf_counter() - started)
        return rates

    take()
    return take


def corpus_rounds(request: dict[str, Any]) -> Round:
    """Memory after a corpus is open and contexts from all over it have been read."""
    corpus = load_corpus(Path(request["corpus"]))

    def take() -> dict[str, float]:
        clock = Clock()
        rows = rows_of_epoch(corpus, corpus.training_rows, 1.0, (0, 0))
        batches = epoch_batches(rows, corpus.contexts.store.lengths, request["batch"], 0, 0)
        for batch in batches[:: max(1, len(batches) // 500)]:
            ready(corpus, batch)
        return {"seconds": clock.seconds, "open_mb": peak_mb()}

    return take


ROUNDS = {
    "train": train_rounds,
    "straightforward": straightforward_rounds,
    "products": product_rounds,
    "corpus": corpus_rounds,
}
