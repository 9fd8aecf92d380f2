"""Training of the type classifier, and its figures on held-out mentions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from relvm_kg.classify.entity_type import (
    EntityTypeModel,
    Sides,
    TypeModelConfig,
    TypeNetwork,
    network_logits,
    sides_probabilities,
)
from relvm_kg.classify.type_windows import TypeWindow, type_windows, window_ids
from relvm_kg.config import require
from relvm_kg.encoding.batches import IntArray, epoch_batches
from relvm_kg.encoding.vocabulary import Vocabulary, build_vocabulary
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Progress
from relvm_kg.tagging.types import TypeExample
from relvm_kg.types import EntityType

FloatArray = npt.NDArray[np.float32]
TRACE_STEPS = 50
N_BINS = 10
_GRADIENT_LIMIT = 5.0


@dataclass(frozen=True, kw_only=True)
class TypeTrainingConfig:
    """How the type classifier is trained."""

    epochs: int = 2
    """Passes over the examples."""
    batch_size: int = 64
    """Mentions a step."""
    learning_rate: float = 2e-3
    """Of Adam; it falls to zero over the second half."""
    vocabulary_size: int = 20_000
    """Entries of the vocabulary."""
    min_count: int = 3
    """Windows in which a word must stand to enter the vocabulary."""
    seed: int = 0
    """Of weights, order and dropout."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "min_count"):
            require(getattr(self, name) >= 1, f"types.{name}", "be at least 1", getattr(self, name))
        require(self.learning_rate > 0, "types.learning_rate", "be above 0", self.learning_rate)


@dataclass(frozen=True, kw_only=True)
class TypeFigures:
    """How well the type of held-out mentions is told; all but `n` weigh the types equally."""

    n: dict[str, int]
    """Mentions of each type."""
    accuracy: float
    """Mean of the recalls."""
    majority: float
    """What saying one type always gives."""
    recall: dict[str, float]
    precision: dict[str, float]
    log_loss: float
    """In nats."""
    calibration_error: float
    """Mean distance between confidence and accuracy over ten bins of confidence."""
    bins: tuple[dict[str, float], ...]
    """Of each bin that holds a mention: mean confidence, accuracy, share."""


@dataclass(frozen=True)
class TrainedTypes:
    """A trained classifier and what training wrote down."""

    model: EntityTypeModel
    trace: list[dict[str, float | int]]


def train_type_model(
    examples: Sequence[TypeExample],
    model: TypeModelConfig,
    config: TypeTrainingConfig,
    device: torch.device,
    progress: Progress,
) -> TrainedTypes:
    """Learn types from mentions that have one; types weigh equally, however many examples each has.

    Args:
        examples: Mentions with one type each.
        model: The shape of the network.
        config: How to train.
        device: Where to compute.
        progress: Where progress is told.

    Raises:
        InvalidInputError: if a type has no example.
    """
    types = example_types(examples)
    weights = _class_weights(types)
    windows = list(type_windows([e.sentence for e in examples], [e.span for e in examples], model.window))
    vocabulary = _vocabulary(windows, config)
    sides = [window_ids(window, vocabulary.ids) for window in windows]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        network = TypeNetwork(model, len(vocabulary)).to(device)
        trace = _fit(network, sides, types, weights, config, progress)
    return TrainedTypes(EntityTypeModel(network, vocabulary), trace)


def example_types(examples: Sequence[TypeExample]) -> IntArray:
    """Columns of the examples' types. *Shape:* (examples)"""
    columns = {t: column for column, t in enumerate(EntityType)}
    return np.fromiter((columns[e.types[0]] for e in examples), dtype=np.int64, count=len(examples))


def _class_weights(types: IntArray) -> Tensor:
    counts = np.bincount(types, minlength=len(EntityType))
    if missing := [t.value for t, n in zip(EntityType, counts, strict=True) if not n]:
        raise InvalidInputError(
            f"training needs unambiguous mentions of every type, there is none of {', '.join(missing)}; give more "
            "text, or a names catalogue that holds all types"
        )
    return torch.from_numpy((len(types) / len(EntityType) / counts).astype(np.float32))


def _vocabulary(windows: Sequence[TypeWindow], config: TypeTrainingConfig) -> Vocabulary:
    counts: Counter[str] = Counter()
    for window in windows:
        counts.update({*window.left, *window.right})
    return build_vocabulary(counts, config.vocabulary_size, config.min_count)


def _fit(
    network: TypeNetwork,
    sides: Sequence[Sides],
    types: IntArray,
    weights: Tensor,
    config: TypeTrainingConfig,
    progress: Progress,
) -> list[dict[str, float | int]]:
    device = network.output.weight.device
    weights, wanted = weights.to(device), torch.from_numpy(types).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
    lengths = np.fromiter((len(left) + len(right) for left, right in sides), dtype=np.int64, count=len(sides))
    n_steps = config.epochs * len(epoch_batches(np.arange(len(sides)), lengths, config.batch_size, config.seed, 0))
    trace: list[dict[str, float | int]] = []
    network.train()
    step, recent = 0, []
    with progress.task("type classifier", n_steps, "step") as task:
        for epoch in range(config.epochs):
            for rows in epoch_batches(np.arange(len(sides)), lengths, config.batch_size, config.seed, epoch):
                for group in optimiser.param_groups:
                    group["lr"] = config.learning_rate * min(1.0, 2 * (1 - step / n_steps))
                logits = network_logits(network, [sides[row] for row in rows])
                loss = F.cross_entropy(logits, wanted[torch.from_numpy(rows).to(device)], weight=weights)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_LIMIT)
                optimiser.step()
                step += 1
                recent.append(float(loss.detach()))
                task.advance(1, loss=recent[-1])
                if step % TRACE_STEPS == 0 or step == n_steps:
                    trace.append({"step": step, "epoch": epoch, "loss": round(float(np.mean(recent)), 5)})
                    recent.clear()
    network.eval()
    return trace


def measure_types(model: EntityTypeModel, examples: Sequence[TypeExample]) -> TypeFigures | None:
    """Figures on held-out mentions; None unless every type has one."""
    types = example_types(examples)
    if len(np.unique(types)) < len(EntityType):
        return None
    sides = model.sides([e.sentence for e in examples], [e.span for e in examples])
    return type_figures(sides_probabilities(model.network, sides), types)


def type_figures(probabilities: FloatArray, types: IntArray) -> TypeFigures:
    """Figures of probabilities against the types that hold.

    Args:
        probabilities: *Shape:* (mentions, types)
        types: Columns of the types; each occurs. *Shape:* (mentions)
    """
    counts = np.bincount(types, minlength=len(EntityType))
    weights = 1 / len(EntityType) / counts[types]
    told = probabilities.argmax(1)
    table = np.zeros((len(EntityType), len(EntityType)))
    np.add.at(table, (types, told), weights)
    right = np.diag(table)
    log_loss = -np.log(np.clip(probabilities[np.arange(len(types)), types].astype(np.float64), 1e-12, None))
    bins = _bins(probabilities.max(1), told == types, weights)
    names = [t.value for t in EntityType]
    return TypeFigures(
        n=dict(zip(names, counts.tolist(), strict=True)),
        accuracy=float(right.sum()),
        majority=1 / len(EntityType),
        recall=dict(zip(names, (right / table.sum(1)).tolist(), strict=True)),
        precision=dict(zip(names, (right / np.maximum(table.sum(0), 1e-12)).tolist(), strict=True)),
        log_loss=float((log_loss * weights).sum()),
        calibration_error=sum(b["share"] * abs(b["confidence"] - b["accuracy"]) for b in bins),
        bins=bins,
    )


def _bins(
    confidence: FloatArray, right: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64]
) -> tuple[dict[str, float], ...]:
    places = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    found: list[dict[str, float]] = []
    for place in np.unique(places):
        inside = places == place
        share = float(weights[inside].sum())
        found.append(
            {
                "confidence": float((confidence[inside] * weights[inside]).sum() / share),
                "accuracy": float((right[inside] * weights[inside]).sum() / share),
                "share": share,
            }
        )
    return tuple(found)


def describe(figures: TypeFigures | None) -> dict[str, Any] | None:
    """Figures as plain values."""
    return None if figures is None else asdict(figures)
