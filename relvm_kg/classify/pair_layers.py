"""The layers of the pair-level classifier, from z to the relation labels (Shah and Fauqueur 2020, Eq. 19)."""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from relvm_kg.types import Relation


class PairClassifier(nn.Module):
    """Two layers of `hidden` units with a skip, from z to the relation labels."""

    def __init__(self, latent: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(latent, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, len(Relation))

    def forward(
        self, z: Float[Tensor, "pairs draws latent"], columns: Int[Tensor, "pairs"]
    ) -> Float[Tensor, "pairs draws"]:
        """Log-odds of the label that fits the pair's types against NO-RELATION, for each draw.

        Other labels cannot hold between the two types, so the softmax is over these two.
        """
        hidden = F.relu(self.first(z))
        logits = self.output(hidden + F.relu(self.second(hidden)))
        place = columns.view(-1, 1, 1).expand(-1, logits.shape[1], 1)
        log_odds: Tensor = logits.gather(2, place).squeeze(2) - logits[..., Relation.NO_RELATION.column]
        return log_odds
