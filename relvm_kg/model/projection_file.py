"""What a model folder keeps so that an entity that training never saw gets a vector from its sentences.

`projection.safetensors`: `inverse` (vocabulary) in float32; in float16, as far as entity vectors start from them,
`text` (vocabulary, text dimensions) and `comention` (entities, co-mention dimensions). That is 21 MB for 20,000 tokens
and 50,000 entities. Half precision changes a component of a start vector of length 1 by about 1e-4 at most.
"""

from pathlib import Path

import numpy as np
import torch

from relvm_kg.encoding.projection import Projector
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import ModelConfig
from relvm_kg.model.tensor_files import load_tensors, save_tensors

PROJECTION = "projection.safetensors"


def save_projection(folder: Path, projector: Projector) -> None:
    """Write what makes start vectors."""
    parts = {"text": projector.text, "comention": projector.comention}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(values)).half() for name, values in parts.items()}
    save_tensors(folder / PROJECTION, {"inverse": torch.from_numpy(projector.inverse), **tensors}, {})


def load_projection(folder: Path, n_vocabulary: int, n_entities: int, model: ModelConfig) -> Projector:
    """Read it, and check that it fits the model.

    Raises:
        InvalidInputError: if it is missing or damaged, or does not fit.
    """
    tensors, _ = load_tensors(folder / PROJECTION)
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    shapes = [found.get(name, ()) for name in ("inverse", "text", "comention")]
    fits = (
        set(found) == {"inverse", "text", "comention"}
        and [shape[:1] for shape in shapes] == [(n_vocabulary,), (n_vocabulary,), (n_entities,)]
        and [len(shape) for shape in shapes] == [1, 2, 2]
        and shapes[1][1] + shapes[2][1] == model.embedding
    )
    if not fits:
        raise InvalidInputError(
            f"{folder / PROJECTION} must hold inverse ({n_vocabulary}), text ({n_vocabulary}, n) and comention "
            f"({n_entities}, {model.embedding} - n), was: {found}"
        )
    return Projector(*(tensors[name].float().numpy() for name in ("inverse", "text", "comention")))
