"""How knowledge-graph embeddings are trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from relvm_kg.errors import InvalidInputError


class KgeModel(StrEnum):
    """The embedding models that the benchmark trains."""

    TRANSE = "TransE"
    COMPLEX = "ComplEx"
    ROTATE = "RotatE"


class KgeLoss(StrEnum):
    """Loss over a positive and its sampled negatives."""

    SELF_ADVERSARIAL = "self-adversarial"
    """Sun et al. (2019), 1902.10197, Eq. 5."""
    CROSS_ENTROPY = "cross-entropy"
    """Softmax over the positive and its negatives (Ruffinelli et al. 2020; Lacroix et al. 2018)."""


class Negatives(StrEnum):
    """What a training triple is compared with."""

    UNIFORM = "uniform"
    """`n_negatives` random entities in place of head or tail."""
    TYPED = "typed"
    """`n_negatives` random entities that are seen with the relation on that side, as the ranking does."""
    ALL = "all"
    """Every entity in place of the tail, with a reciprocal relation for the head (Lacroix et al. 2018)."""


@dataclass(frozen=True, kw_only=True)
class KgeSettings:
    """How an embedding model is trained: Adam, sampled negatives, early stopping on validation MRR."""

    model: KgeModel
    loss: KgeLoss
    dimensions: int = 128
    """Columns of an embedding; complex numbers for ComplEx and RotatE."""
    learning_rate: float = 1e-3
    batch_size: int = 512
    negatives: Negatives = Negatives.TYPED
    n_negatives: int = 64
    """Negatives for each training triple, where they are sampled."""
    margin: float = 9.0
    """Margin of the self-adversarial loss."""
    temperature: float = 1.0
    """Adversarial temperature of the self-adversarial loss."""
    regularisation: float = 0.0
    """Weight of the cubed norm of ComplEx embeddings (N3, Lacroix et al. 2018)."""
    seconds: float = 600.0
    """Wall-clock budget of training and validation together."""
    max_epochs: int = 2000
    evaluate_every: int = 10
    """Epochs between two validations."""
    patience: int = 8
    """Validations without a better MRR before training ends."""
    n_validation: int = 300
    """Validation triples that early stopping ranks, drawn by the seed."""
    seed: int = 0
    device: str = "cpu"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `dataclasses.asdict` and JSON made of the settings."""
        chosen: dict[str, Any] = dict(values)
        chosen["model"] = KgeModel(values["model"])
        chosen["loss"] = KgeLoss(values["loss"])
        chosen["negatives"] = Negatives(values["negatives"])
        return cls(**chosen)

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.evaluate_every < 1 or self.patience < 1:
            raise InvalidInputError(
                "seconds must be above 0, evaluate_every and patience at least 1, was: "
                f"{self.seconds}, {self.evaluate_every}, {self.patience}"
            )


def default_settings(model: KgeModel) -> KgeSettings:
    """Settings that the literature found good, chosen among a few by validation MRR on some 10,000 training triples."""
    if model is KgeModel.COMPLEX:
        return KgeSettings(
            model=model,
            loss=KgeLoss.CROSS_ENTROPY,
            negatives=Negatives.ALL,
            learning_rate=1e-2,
            batch_size=256,
            regularisation=0.1,
        )
    return KgeSettings(
        model=model,
        loss=KgeLoss.SELF_ADVERSARIAL,
        negatives=Negatives.UNIFORM,
        n_negatives=16,
        learning_rate=5e-2 if model is KgeModel.ROTATE else 1e-2,
    )
