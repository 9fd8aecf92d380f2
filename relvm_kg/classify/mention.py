"""The mention-level classifier: what one sentence says of a pair, from its posterior (Shah and Fauqueur 2020).

Eq. 13-18; x and y are the types of the two entities, so that the sentence alone speaks, whoever the two are.
"""

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from relvm_kg.classify.draws import Draws
from relvm_kg.classify.labels import IntArray
from relvm_kg.config import require, settings_from_mapping, settings_to_mapping
from relvm_kg.encoding.batches import pad_batch, sorted_batches
from relvm_kg.metrics import average_precision
from relvm_kg.model.checkpoint import load_weights, save_weights
from relvm_kg.model.generative import EntityVectors, Gaussian, Prior
from relvm_kg.model.presets import ModelConfig, Preset
from relvm_kg.model.recognition import Recognition
from relvm_kg.model.relvm import TYPE_ROWS, ContextBatch, Relvm
from relvm_kg.progress import Progress
from relvm_kg.types import Relation
from relvm_kg.workspace import read_json, write_json

FloatArray = npt.NDArray[np.float32]
WEIGHTS, SETTINGS = "mention.safetensors", "mention.json"


@dataclass(frozen=True, kw_only=True)
class MentionConfig:
    """How the mention classifier is fine-tuned."""

    samples: int = 4
    """Draws of z a sentence."""
    batch_size: int = 32
    """Sentences a step."""
    learning_rate: float = 1e-3
    """Of Adam, for all weights."""
    max_steps: int = 1500
    """Steps at most."""
    evaluate_steps: int = 100
    """Steps between looks at the validation sentences."""
    patience: int = 4
    """Looks without improvement before it stops."""
    seed: int = 0
    """Of every draw."""

    def __post_init__(self) -> None:
        require(self.samples >= 1, "mention.samples", "be at least 1", self.samples)
        require(self.batch_size >= 1, "mention.batch_size", "be at least 1", self.batch_size)


def mention_config(preset: Preset, seed: int = 0) -> MentionConfig:
    """The settings of a preset; the paper's are batch 8, Adam 1e-5, 3,000 iterations (Shah and Fauqueur 2020)."""
    if preset is Preset.PAPER:
        return MentionConfig(batch_size=8, learning_rate=1e-5, max_steps=3000, patience=30, seed=seed)
    return MentionConfig(seed=seed)


@dataclass(frozen=True)
class LabelledSentences:
    """Contexts with the types of their pair, the label that fits it, and whether the sentence states it."""

    tokens: list[npt.NDArray[np.int32]]
    """Token ids of each context, without begin and end."""
    head_types: IntArray
    """Places in `EntityType`. *Shape:* (sentences)"""
    tail_types: IntArray
    """Places in `EntityType`. *Shape:* (sentences)"""
    columns: IntArray
    """Column of the label that fits the types. *Shape:* (sentences)"""
    positive: npt.NDArray[np.bool_]
    """Whether the relation is stated. *Shape:* (sentences)"""

    def __len__(self) -> int:
        return len(self.tokens)

    def take(self, chosen: IntArray) -> "LabelledSentences":
        """Some of the sentences."""
        return LabelledSentences(
            [self.tokens[i] for i in chosen],
            self.head_types[chosen],
            self.tail_types[chosen],
            self.columns[chosen],
            self.positive[chosen],
        )

    def batch(self, device: torch.device) -> ContextBatch:
        """As one padded batch; heads and tails are rows of the type table."""
        return ContextBatch.of(pad_batch(self.tokens, self.head_types, self.tail_types), device)


@dataclass(frozen=True, kw_only=True)
class MentionReport:
    """What training found; written beside the weights."""

    config: MentionConfig
    model: ModelConfig
    n_vocabulary: int
    training_prevalence: float
    validation_prevalence: float
    validation_average_precision: float
    n_training: int
    n_validation: int
    steps: int


class MentionClassifier(nn.Module):
    """Recognition network, prior and vectors of a representation, with a single layer from z to the labels."""

    def __init__(self, config: ModelConfig, n_vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.types = EntityVectors(len(TYPE_ROWS), config)
        self.tokens = nn.Embedding(n_vocabulary, config.embedding)
        self.prior = Prior(config)
        self.recognition = Recognition(config)
        self.output = nn.Linear(config.latent, len(Relation))

    @classmethod
    def of(cls, model: Relvm) -> "MentionClassifier":
        """Start from a trained representation, whose weights are copied."""
        classifier = cls(model.config, model.tokens.num_embeddings)
        classifier.types.table.weight.data.copy_(model.entities.table.weight[model.n_entities :])
        classifier.tokens.load_state_dict(model.tokens.state_dict())
        classifier.prior.load_state_dict(model.prior.state_dict())
        classifier.recognition.load_state_dict(model.recognition.state_dict())
        with torch.no_grad():
            classifier.output.weight.zero_()
            classifier.output.bias.zero_()
        return classifier.to(model.device)

    def forward(
        self, batch: ContextBatch, columns: Int[Tensor, "batch"], draws: Draws
    ) -> Float[Tensor, "batch samples"]:
        """Log-odds of the fitting label against NO-RELATION at draws z ~ q(u|x,y,c) p(z|x,y,u) (Eq. 13-16)."""
        pair = self.types.pair(batch.heads, batch.tails)
        q = self.recognition(self.tokens(batch.tokens), batch.lengths, pair)
        u = Gaussian(q.mean.unsqueeze(1), q.log_variance.unsqueeze(1)).with_noise(draws.u)
        logits = self.output(self.prior(pair.unsqueeze(1), u).with_noise(draws.noise))
        place = columns.view(-1, 1, 1).expand(-1, logits.shape[1], 1)
        log_odds: Tensor = logits.gather(2, place).squeeze(2) - logits[..., Relation.NO_RELATION.column]
        return log_odds


def train_mention_classifier(
    start: MentionClassifier,
    training: LabelledSentences,
    validation: LabelledSentences,
    config: MentionConfig,
    progress: Progress,
) -> tuple[MentionClassifier, MentionReport]:
    """Fine-tune a copy of a classifier on labelled sentences (Eq. 17-18); keep the best on validation.

    Args:
        start: `MentionClassifier.of` a representation, or one that was fine-tuned before; it is not changed.
        training: Sentences to learn from.
        validation: Sentences to stop on.
        config: Settings.
        progress: Where progress goes.
    """
    classifier = copy.deepcopy(start).train()
    trained = [p for p in classifier.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=config.learning_rate, fused=True)
    random = np.random.default_rng(config.seed)
    best, best_score, best_step, looks = copy.deepcopy(classifier.state_dict()), -1.0, 0, 0
    with progress.task("mention classifier", config.max_steps, "step") as task:
        for step in range(1, config.max_steps + 1):
            chosen = random.integers(0, len(training), config.batch_size)
            loss = _step_loss(classifier, training.take(chosen), step, config)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            task.advance(1, loss=float(loss.detach()))
            if step % config.evaluate_steps and step != config.max_steps:
                continue
            score = _average_precision(classifier, validation, config)
            looks += 1
            if score > best_score or not validation.positive.any():
                best, best_score, best_step, looks = copy.deepcopy(classifier.state_dict()), score, step, 0
            if looks >= config.patience:
                break
    classifier.load_state_dict(best)
    report = MentionReport(
        config=config,
        model=classifier.config,
        n_vocabulary=classifier.tokens.num_embeddings,
        training_prevalence=float(training.positive.mean()),
        validation_prevalence=float(validation.positive.mean()),
        validation_average_precision=_average_precision(classifier, validation, config),
        n_training=len(training),
        n_validation=len(validation),
        steps=best_step,
    )
    return classifier.eval(), report


def _step_loss(classifier: MentionClassifier, sentences: LabelledSentences, step: int, config: MentionConfig) -> Tensor:
    device = classifier.output.weight.device
    generator = torch.Generator(device).manual_seed(config.seed * 1_000_003 + step)
    columns = torch.from_numpy(sentences.columns).to(device)
    draws = Draws.independent(config.samples, classifier.config.latent, generator, rows=len(sentences))
    log_odds = classifier(sentences.batch(device), columns, draws)
    wanted = torch.from_numpy(sentences.positive).to(device, log_odds.dtype).unsqueeze(1).expand_as(log_odds)
    # Shah and Fauqueur (2020), Eq. 17: the mean over draws of log p(r|z)
    return F.binary_cross_entropy_with_logits(log_odds, wanted)


@torch.no_grad()
def sentence_probabilities(
    classifier: MentionClassifier, sentences: LabelledSentences, samples: int, batch_size: int = 64
) -> FloatArray:
    """Probability that each sentence states the relation: the mean over draws, which all sentences share.

    Args:
        classifier: A fine-tuned one.
        sentences: What to read.
        samples: Draws of z a sentence.
        batch_size: Sentences of similar length that are read together.

    Returns:
        *Shape:* (sentences)
    """
    device = classifier.output.weight.device
    lengths = np.fromiter((len(t) for t in sentences.tokens), dtype=np.int64, count=len(sentences))
    result = np.empty(len(sentences), dtype=np.float32)
    generator = torch.Generator("cpu").manual_seed(0)
    draws = Draws.antithetic(samples, classifier.config.latent, generator).to(device)
    for places in sorted_batches(np.arange(len(sentences)), lengths, batch_size):
        part = sentences.take(places)
        log_odds = classifier(part.batch(device), torch.from_numpy(part.columns).to(device), draws)
        result[places] = torch.sigmoid(log_odds).mean(1).cpu().numpy()
    return result


def _average_precision(classifier: MentionClassifier, sentences: LabelledSentences, config: MentionConfig) -> float:
    scores = sentence_probabilities(classifier, sentences, config.samples)
    return average_precision(sentences.positive, scores.astype(np.float64))


def save_mention_classifier(folder: Path, classifier: MentionClassifier, report: MentionReport) -> None:
    """Write weights, then the report that makes them whole."""
    save_weights(folder / WEIGHTS, classifier)
    write_json(folder / SETTINGS, settings_to_mapping(report))


def load_mention_classifier(folder: Path) -> tuple[MentionClassifier, MentionReport]:
    """Read what `save_mention_classifier` wrote.

    Raises:
        InvalidInputError: if a file is missing or does not fit.
    """
    report = settings_from_mapping(MentionReport, read_json(folder / SETTINGS))
    classifier = MentionClassifier(report.model, report.n_vocabulary)
    load_weights(classifier, folder / WEIGHTS)
    return classifier.eval(), report
