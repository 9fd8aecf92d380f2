"""A trained model with entities that its training never saw."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from relvm_kg.model.relvm import Relvm

TABLE = "entities.table.weight"


def with_new_entities(model: Relvm, vectors: Tensor) -> Relvm:
    """The model with more rows of entities, between those it has and those of the types; all other weights are shared.

    Args:
        model: It is not changed.
        vectors: Of any length but 0. *Shape:* (new entities, embedding)
    """
    n = model.n_entities
    state = model.state_dict()
    table = state[TABLE]
    added = F.normalize(vectors.to(table), dim=-1) * math.sqrt(model.config.embedding)
    state[TABLE] = torch.cat([table[:n], added, table[n:]])
    with torch.device("meta"):
        grown = Relvm(model.config, n + len(vectors), len(model.tokens.weight))
    grown.load_state_dict(state, strict=True, assign=True)
    return grown.train(model.training)
