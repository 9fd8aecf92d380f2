"""InfoNCE between pair and context (van den Oord et al. 2018): which of several pairs does a context belong to?

The others share one entity with the context's own pair, so that topic alone does not tell (as in pair2vec, Joshi et al.
2019). The pair's side is a draw of z from the prior, which is what link prediction uses.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from relvm_kg.model.presets import ModelConfig


class Contrast(nn.Module):
    """Scores a draw of z against the summary of a context."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.context = nn.Linear(2 * config.hidden, config.latent)
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(
        self, summary: Float[Tensor, "batch summary"], z: Float[Tensor, "batch candidates latent"]
    ) -> Float[Tensor, "batch candidates"]:
        """Logits of the candidates, by the cosine of z and the projected context."""
        context = F.normalize(self.context(summary), dim=-1).unsqueeze(-1)
        scores: Tensor = (F.normalize(z, dim=-1) @ context).squeeze(-1) * (10.0 * self.log_scale.exp())
        return scores


def others_of_type(
    rows: Int[Tensor, "batch"], types: Int[Tensor, "batch"], n: int, generator: torch.Generator
) -> Int[Tensor, "batch others"]:
    """For each entity of a batch, `n` of the batch's entities of its type, as often as they stand there.

    The entity itself may be among them.
    """
    same = (types.unsqueeze(0) == types.unsqueeze(1)).float()
    return rows[torch.multinomial(same, n, replacement=True, generator=generator)]
