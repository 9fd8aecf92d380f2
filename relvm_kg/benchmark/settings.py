"""What a benchmark compares and how long it trains."""

from dataclasses import dataclass, replace
from enum import StrEnum

from relvm_kg.benchmark.kge_settings import KgeModel, KgeSettings, default_settings
from relvm_kg.errors import InvalidInputError


class Entry(StrEnum):
    """Who can take part; the value is the name in the table (RELVM's row may carry more words)."""

    RELVM = "RELVM"
    TRANSE = "TransE"
    COMPLEX = "ComplEx"
    ROTATE = "RotatE"
    TEXT_PROFILE = "text profile"
    COMENTION_PROFILE = "co-mention profile"
    ENTITY_RATE = "entity rate + count"
    COMENTION_COUNT = "co-mention count"
    COMENTION_NPMI = "co-mention NPMI"
    DEGREE_PRODUCT = "degree product"


@dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """How a profile classifier is trained: the pair classifier's size, Adam, early stopping."""

    hidden: int = 300
    """Units of both hidden layers."""
    dropout: float = 0.3
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    batch_size: int = 512
    random_negatives: int = 1
    """Random pairs of the right types for each positive, beside the co-mentioned unlabelled ones: without them a
    classifier knows nothing of pairs that are never mentioned together, which most candidates of a ranking are."""
    max_epochs: int = 60
    patience: int = 5
    """Epochs without a better validation figure before training ends."""
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class BenchmarkSettings:
    """What to compare and how long to train."""

    models: tuple[Entry, ...] = tuple(Entry)
    """Contenders, in the order of the table."""
    seconds_per_model: float = 600.0
    """Wall-clock budget of each embedding model; early stopping on validation may end it sooner."""
    seed: int = 0
    """Seed of the contenders' training and of the bootstrap."""
    split_seed: int = 0
    """Seed of the pair split; RELVM's classifier must have been trained with the same."""
    n_resamples: int = 1000
    """Bootstrap samples for each difference from the first contender."""
    device: str = "cpu"
    """Where embeddings and profile classifiers train: `cpu` or `cuda`."""
    command: str = ""
    """The command that asked for this, for the report."""
    embeddings: tuple[KgeSettings, ...] = tuple(default_settings(model) for model in KgeModel)
    """How each embedding model trains; budget, seed and device are those of the benchmark."""
    profiles: ProfileSettings = ProfileSettings()
    """How the profile classifiers train; seed and device are those of the benchmark."""

    def embedding(self, model: KgeModel) -> KgeSettings:
        """The settings of one embedding model.

        Raises:
            InvalidInputError: if `embeddings` has none.
        """
        for found in self.embeddings:
            if found.model is model:
                return replace(found, seconds=self.seconds_per_model, seed=self.seed, device=self.device)
        raise InvalidInputError(f"embeddings must hold settings for {model.value}, was: {len(self.embeddings)} others")

    def __post_init__(self) -> None:
        if not self.models or len(set(self.models)) != len(self.models):
            raise InvalidInputError(f"models must name each contender once, at least one, was: {list(self.models)}")
        if self.seconds_per_model <= 0:
            raise InvalidInputError(f"seconds_per_model must be above 0, was: {self.seconds_per_model}")
