"""The state of an unfinished run on disk: weights, optimisers by name, and the step, from which all else follows."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn
from torch.optim import Optimizer

from relvm_kg.errors import InvalidInputError
from relvm_kg.model.checkpoint import load_tensors, save_tensors

STATE = "state.safetensors"
Optimisers = Mapping[str, Optimizer]


def save_state(folder: Path, model: nn.Module, optimisers: Optimisers, notes: Mapping[str, str]) -> None:
    """Write weights, optimisers and notes to the run's state, atomically."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for optimiser_name, optimiser in optimisers.items():
        for index, values in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{optimiser_name}.{index}.{key}": value for key, value in values.items()}
    save_tensors(folder / STATE, tensors, notes)


def restore_state(folder: Path, model: nn.Module, optimisers: Optimisers, fingerprint: str) -> int | None:
    """Take up the state in a folder.

    Returns:
        The steps done; None where there is no state.

    Raises:
        InvalidInputError: if the state is damaged, or belongs to other settings or another corpus.
    """
    if not (folder / STATE).is_file():
        return None
    tensors, notes = load_tensors(folder / STATE)
    if notes.get("fingerprint") != fingerprint:
        raise InvalidInputError(
            f"{folder} holds an unfinished run of other settings or another corpus; "
            "use the same settings to finish it, or another run name"
        )
    model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    for name, optimiser in optimisers.items():
        _fill(optimiser, tensors, f"optimiser.{name}.")
    return int(notes["step"])


def _fill(optimiser: Optimizer, tensors: Mapping[str, Tensor], prefix: str) -> None:
    state = optimiser.state_dict()
    state["state"] = {}
    for key, value in tensors.items():
        if key.startswith(prefix):
            index, name = key.removeprefix(prefix).split(".")
            state["state"].setdefault(int(index), {})[name] = value
    optimiser.load_state_dict(state)
