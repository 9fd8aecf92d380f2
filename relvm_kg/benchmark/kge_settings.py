"""How knowledge-graph embeddings are trained."""

from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, kw_only=True)
class KgeSettings:
    """How an embedding model is trained: Adam, sampled negatives, early stopping on validation MRR."""

    model: KgeModel
    loss: KgeLoss
    dimensions: int = 128
    """Columns of an embedding; complex numbers for ComplEx and RotatE."""
    learning_rate: float = 1e-3
    batch_size: int = 512
    n_negatives: int = 64
    """Negatives for each training triple."""
    typed_negatives: bool = True
    """Draw negatives from entities that are seen with the relation on that side, as the ranking does."""
    margin: float = 9.0
    """Margin of the self-adversarial loss."""
    temperature: float = 1.0
    """Adversarial temperature of the self-adversarial loss."""
    regularisation: float = 0.0
    """Weight of the squared norm of ComplEx embeddings."""
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

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.evaluate_every < 1 or self.patience < 1:
            raise InvalidInputError(
                "seconds must be above 0, evaluate_every and patience at least 1, was: "
                f"{self.seconds}, {self.evaluate_every}, {self.patience}"
            )


def default_settings(model: KgeModel) -> KgeSettings:
    """Settings that the literature found good for the model, adapted to thousands (not millions) of triples."""
    if model is KgeModel.COMPLEX:
        return KgeSettings(model=model, loss=KgeLoss.CROSS_ENTROPY, learning_rate=5e-3, regularisation=0.01)
    return KgeSettings(model=model, loss=KgeLoss.SELF_ADVERSARIAL)
