"""A plain LSTM language model p(c), without z and without the pair: what the bound of a run is to be read beside.

It has RELVM's hidden units, token table and output layer. It sees every token that came before, in training too: hiding
tokens makes RELVM's decoder lean on z, and would only weaken a model that has no z.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from relvm_kg.config import settings_to_mapping
from relvm_kg.encoding.batches import epoch_batches
from relvm_kg.encoding.vocabulary import PAD
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import atomic_path, write_json
from relvm_kg.model.checkpoint import load_weights, save_weights
from relvm_kg.model.generative import one_bias_lstm
from relvm_kg.model.objective import chunked_cross_entropy
from relvm_kg.model.precision import training_precision
from relvm_kg.model.relvm import ContextBatch
from relvm_kg.model.sampled_softmax import Proposal, TokenSample, sampled_cross_entropy
from relvm_kg.progress import Progress
from relvm_kg.training.data import IntArray, TrainingCorpus
from relvm_kg.training.held_out import FloatArray, HeldOut

WEIGHTS, SETTINGS = "model.safetensors", "language-model.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class LanguageModelConfig:
    """Size and budget of a language model."""

    hidden: int
    """Units of the LSTM."""
    embedding: int
    """Dimensions of token vectors."""
    n_contexts: int
    """Contexts that its steps see in all."""
    sampled_tokens: int = 0
    """Tokens in a sample of the softmax in training; 0 takes all tokens."""
    batch_size: int = 64
    """Contexts a step."""
    learning_rate: float = 8e-3
    """Of Adam; 0.001, 0.002 and 0.004 were worse after 200 steps, 0.016 as good."""
    decay: float = 0.5
    """Share of the steps, at the end, over which the learning rate falls to zero."""
    gradient_limit: float = 5.0
    """Gradients are scaled down to this norm."""
    seed: int = 0
    """Of first weights and order."""

    @property
    def steps(self) -> int:
        """Steps of its training."""
        return max(1, math.ceil(self.n_contexts / self.batch_size))

    def learning_rate_at(self, step: int) -> float:
        """Constant, then falling to zero."""
        falling = self.decay * self.steps
        return self.learning_rate * (min(1.0, (self.steps - step) / falling) if falling else 1.0)


class LanguageModel(nn.Module):
    """p(c_t|c_<t) proportional to exp((W h_t) . e(c_t)), h_t = LSTM(h_{t-1}, e(c_{t-1})): Eq. 4-5 without z."""

    def __init__(self, config: LanguageModelConfig, n_vocabulary: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(n_vocabulary, config.embedding)
        nn.init.normal_(self.tokens.weight, std=0.1)
        self.lstm = one_bias_lstm(config.embedding, config.hidden)
        self.output = nn.Linear(config.hidden, config.embedding)

    @classmethod
    def started(cls, config: LanguageModelConfig, n_vocabulary: int) -> "LanguageModel":
        """A model with its first weights, the same for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            return cls(config, n_vocabulary)

    def n_parameters(self, embeddings: bool) -> int:
        """Number of trained weights, with or without the table of token vectors."""
        trained = sum(p.numel() for p in self.parameters() if p.requires_grad)
        return trained if embeddings else trained - self.tokens.weight.numel()

    def log_likelihood(
        self, batch: ContextBatch, softmax: tuple[torch.dtype, TokenSample | None] = (torch.float32, None)
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "batch"]]:
        """-log p(c) of all contexts together, which has gradients, and log p(c) of each, in nats."""
        targets = batch.tokens[:, 1:]
        real = targets != PAD
        states, _ = self.lstm(self.tokens(batch.tokens[:, :-1]))
        rows = real.nonzero()[:, 0]
        precision, sample = softmax
        weights = torch.ones(len(rows), device=states.device)
        arguments = (self.output(states[real]), self.tokens.weight, targets[real], weights)
        if sample is None:
            total, losses = chunked_cross_entropy(*arguments, precision)
        else:
            total, losses = sampled_cross_entropy(*arguments, (sample, precision))
        return total, -torch.zeros(len(targets), device=states.device).index_add_(0, rows, losses)


@dataclass(frozen=True)
class KeptLanguageModel:
    """A trained language model of a workspace."""

    key: str
    """Hash of text, vocabulary, size and budget; the name of its folder."""
    config: LanguageModelConfig
    model: LanguageModel

    @torch.no_grad()
    def measure(self, held_out: HeldOut) -> FloatArray:
        """log p(c) of each context of a sample, in nats, by the exact softmax in float32."""
        values = np.zeros(len(held_out))
        for places, batch in held_out.batches(self.model.tokens.weight.device):
            values[places] = self.model.log_likelihood(batch)[1].cpu()
        return values


def keep_language_model(
    folder: Path,
    corpus: TrainingCorpus,
    rows: IntArray,
    config: LanguageModelConfig,
    device: torch.device,
    progress: Progress,
) -> KeptLanguageModel:
    """The language model of these contexts, size and budget: read from `folder`, or trained and kept there.

    Args:
        folder: Holds one folder for each language model, named by its hash.
        corpus: Text and vocabulary.
        rows: Contexts to train on.
        config: Size and budget.
        device: Where to compute.
        progress: Where progress goes.
    """
    key = _key(corpus, rows, config)
    place = folder / key
    model = LanguageModel.started(config, len(corpus.vocabulary))
    if (place / SETTINGS).is_file():
        try:
            load_weights(model, place / WEIGHTS)
            return KeptLanguageModel(key, config, model.to(device))
        except InvalidInputError as error:
            progress.say(f"{error}; the language model is trained again")
            model = LanguageModel.started(config, len(corpus.vocabulary))
    model.to(device)
    _train(model, corpus, rows, config, progress)
    with atomic_path(place) as temporary:
        save_weights(temporary / WEIGHTS, model)
        write_json(
            temporary / SETTINGS,
            {
                "format_version": FORMAT_VERSION,
                "config": settings_to_mapping(config),
                "n_training_contexts": len(rows),
                "n_vocabulary": len(corpus.vocabulary),
            },
        )
    return KeptLanguageModel(key, config, model)


def _train(
    model: LanguageModel, corpus: TrainingCorpus, rows: IntArray, config: LanguageModelConfig, progress: Progress
) -> None:
    device = model.tokens.weight.device
    proposal = Proposal.of(corpus.vocabulary.counts, config.sampled_tokens, device) if config.sampled_tokens else None
    optimiser = torch.optim.Adam(
        (p for p in model.parameters() if p.requires_grad), lr=config.learning_rate, fused=True
    )
    with progress.task("language model", config.steps, "step") as task:
        for step, batch_rows in enumerate(_batches(corpus, rows, config)):
            generator = torch.Generator(device).manual_seed(config.seed * 1_000_003 + step)
            sample = proposal.draw(generator) if proposal else None
            batch = ContextBatch.of(corpus.contexts.batch(batch_rows), device)
            total, _ = model.log_likelihood(batch, (training_precision(device), sample))
            loss = total / len(batch_rows)
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate_at(step)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_limit)
            optimiser.step()
            task.advance(1)


def _batches(corpus: TrainingCorpus, rows: IntArray, config: LanguageModelConfig) -> Iterator[IntArray]:
    lengths = corpus.contexts.store.lengths
    done = epoch = 0
    while done < config.steps:
        batches = epoch_batches(rows, lengths, config.batch_size, config.seed, epoch)[: config.steps - done]
        yield from batches
        done, epoch = done + len(batches), epoch + 1


def _key(corpus: TrainingCorpus, rows: IntArray, config: LanguageModelConfig) -> str:
    """Twenty hexadecimal digits that name text, vocabulary, size and budget."""
    parts = {
        "format_version": FORMAT_VERSION,
        "text": corpus.contexts.store.manifest["sha256"],
        "rows": hashlib.sha256(rows.astype(np.int64).tobytes()).hexdigest(),
        "vocabulary": hashlib.sha256("\n".join(corpus.vocabulary.tokens).encode()).hexdigest(),
        "config": settings_to_mapping(config),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]
