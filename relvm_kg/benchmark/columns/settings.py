"""How many pairs are drawn for the six columns, and how the classifier on a representation is trained."""

from dataclasses import dataclass
from enum import StrEnum

from relvm_kg.config import require

N_FOLDS = 5
"""Folds of test entities."""
VALIDATION_GROUP = N_FOLDS
"""The group of entities that are never test."""
VALIDATION_ENTITIES_PERCENT = 20


class Family(StrEnum):
    """Which pairs are told apart."""

    CO_MENTIONED = "co-mentioned"
    """Pairs that a training sentence mentions together, with a known relation against without."""
    NEVER = "never co-mentioned"
    """Known pairs that no document mentions together, against the same heads and tails shuffled."""


class Kind(StrEnum):
    """How much of a test pair's entities the training labels hold."""

    RANDOM = "random"
    """Both entities have labelled pairs in training."""
    ONE_COLD = "one cold"
    """One of the two has none."""
    BOTH_COLD = "both cold"
    """Neither has any."""


class Stage(StrEnum):
    """What is read: variants are chosen on validation rows; test rows are read once, at the end."""

    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, kw_only=True)
class ColumnSettings:
    """How many pairs are drawn, and by which seed."""

    seed: int = 0
    """Of the groups of entities, of the random split and of every draw."""
    co_mentioned_positives: int = 15_000
    """Most co-mentioned pairs with a known relation."""
    unlabelled_per_positive: int = 3
    """Co-mentioned pairs without a known relation beside each, of the same label and column."""
    never_positives: int = 15_000
    """Most known pairs that no document mentions together."""
    shuffled_per_positive: int = 2
    """Pairs of shuffled heads and tails beside each."""

    def __post_init__(self) -> None:
        for name in (
            "co_mentioned_positives",
            "unlabelled_per_positive",
            "never_positives",
            "shuffled_per_positive",
        ):
            require(getattr(self, name) >= 1, f"columns.{name}", "be at least 1", getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings:
    """The classifier that every representation gets: the pair classifier's size, Adam, early stopping."""

    hidden: int = 300
    """Units of both layers."""
    dropout: float = 0.3
    """Share of the units of both layers that a training step hides."""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    batch_size: int = 512
    max_epochs: int = 30
    patience: int = 4
    """Epochs in which no column's validation figure gets better before training ends."""
    seed: int = 0

    def __post_init__(self) -> None:
        require(0 <= self.dropout < 1, "classifier.dropout", "be in [0, 1)", self.dropout)
        for name in ("hidden", "batch_size", "max_epochs", "patience"):
            require(getattr(self, name) >= 1, f"classifier.{name}", "be at least 1", getattr(self, name))
