"""The state of an unfinished run on disk.

`state.safetensors` holds the weights, what each optimiser remembers of each weight, and the step: the schedules, every
random draw and the place in the data follow from the step and the settings. `state.previous.safetensors` is the state
before it, `best.safetensors` the weights that did best on held-out contexts.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from relvm_kg.errors import DamagedFileError, InvalidInputError, WorkspaceError
from relvm_kg.model.tensor_files import load_tensors, save_tensors

STATE, PREVIOUS, BEST = "state.safetensors", "state.previous.safetensors", "best.safetensors"
STATE_VERSION = 2
Optimisers = Mapping[str, Optimizer]


@dataclass(frozen=True)
class Best:
    """The best weights so far on held-out contexts."""

    step: int
    bound_per_token: float
    """In nats; higher is better."""


@dataclass(frozen=True)
class Resumed:
    """Where a run goes on."""

    step: int
    """Steps done."""
    best: Best | None = None
    """The best weights among those steps; the file of the best may already hold those of a later one."""
    words: tuple[str, ...] = ()
    """What a person should know: which file was damaged, and what is used instead."""


class RunState:
    """The states of one run in its folder."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Open a folder, which need not exist yet.

        Args:
            folder: Of the run.
            settings: What the run is of, as JSON values; a state of other settings is refused.
        """
        self.folder, self.settings = folder, dict(settings)
        self._last_is_whole = True

    def save(self, model: nn.Module, optimisers: Optimisers, step: int, best: Best | None) -> None:
        """Write weights, optimisers, step and what is known of the best; the state before stays as the previous one.

        Raises:
            WorkspaceError: if it cannot be written; the states before are intact.
        """
        tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        numbers: dict[str, float] = {}
        for place, value in _memory(model, optimisers).items():
            if isinstance(value, Tensor):
                tensors[place] = value
            else:
                numbers[place] = value
        previous = self.folder / PREVIOUS if self._last_is_whole else None
        notes = {"step": str(step), "numbers": json.dumps(numbers), "best": json.dumps(asdict(best) if best else None)}
        self._write(STATE, tensors, notes, previous)
        self._last_is_whole = True

    def restore(self, model: nn.Module, optimisers: Optimisers) -> Resumed | None:
        """Take up the last state, or the one before it where the last is damaged; None where there is none.

        Raises:
            InvalidInputError: if all there is is damaged, or is of another version, other settings or another corpus.
        """
        damaged: list[str] = []
        for name in (STATE, PREVIOUS):
            if not (self.folder / name).is_file():
                continue
            try:
                tensors, notes = self._read(name)
            except DamagedFileError as error:
                damaged.append(str(error))
                continue
            _fill(model, optimisers, tensors, notes, self.folder / name)
            step, best = int(notes["step"]), json.loads(notes["best"])
            self._last_is_whole = name == STATE
            words = tuple(f"{text}; going on from the checkpoint before it, step {step}" for text in damaged)
            return Resumed(step, Best(**best) if best else None, words)
        if damaged:
            raise InvalidInputError(
                f"{'; '.join(damaged)}. No other checkpoint is left: delete {self.folder} to begin the run anew"
            )
        return None

    def save_best(self, model: nn.Module, best: Best) -> None:
        """Write the weights as the best so far.

        Raises:
            WorkspaceError: if they cannot be written; the best before is intact.
        """
        notes = {"step": str(best.step), "bound_per_token": repr(best.bound_per_token)}
        self._write(BEST, model.state_dict(), notes, None)

    def best(self, model: nn.Module | None = None) -> Best | None:
        """The best so far, None where there is none; its weights go into `model` if one is given.

        Raises:
            InvalidInputError: if it is damaged, or is of another version, other settings or another corpus.
        """
        if not (self.folder / BEST).is_file():
            return None
        tensors, notes = self._read(BEST)
        if model is not None:
            _fill(model, {}, {f"model.{name}": tensor for name, tensor in tensors.items()}, {}, self.folder / BEST)
        return Best(int(notes["step"]), float(notes["bound_per_token"]))

    def _write(self, name: str, tensors: Mapping[str, Tensor], notes: Mapping[str, str], previous: Path | None) -> None:
        own = {"format_version": str(STATE_VERSION), "settings": json.dumps(self.settings)}
        try:
            save_tensors(self.folder / name, tensors, {**own, **notes}, previous)
        except OSError as error:
            raise WorkspaceError(
                f"{self.folder / name} cannot be written: {error.strerror or error}; the checkpoint before it stands: "
                "make room and run the same command to go on from it"
            ) from error

    def _read(self, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
        tensors, notes = load_tensors(self.folder / name, hashed=True)
        if notes.get("format_version") != str(STATE_VERSION):
            raise InvalidInputError(
                f"{self.folder / name} must have format_version {STATE_VERSION}, was: {notes.get('format_version')}; "
                "finish the run with the version of relvm-kg that began it, or delete the folder to begin it anew"
            )
        if differences := _differences(json.loads(notes["settings"]), self.settings):
            raise InvalidInputError(
                f"{self.folder} holds an unfinished run of other settings or another corpus: "
                f"{'; '.join(differences)}; use the same settings to finish it, or another run name"
            )
        return tensors, notes


def remove_states(folder: Path) -> None:
    """Delete the states of a run that is finished."""
    for name in (STATE, PREVIOUS, BEST):
        (folder / name).unlink(missing_ok=True)


def _memory(model: nn.Module, optimisers: Optimisers) -> dict[str, Tensor | float]:
    """What optimisers remember, as `optimiser/weight/key`."""
    names: dict[Tensor, str] = {weight: name for name, weight in model.named_parameters()}
    return {
        f"{label}/{names[weight]}/{key}": value
        for label, optimiser in optimisers.items()
        for weight, values in optimiser.state.items()
        for key, value in values.items()
    }


def _fill(
    model: nn.Module, optimisers: Optimisers, tensors: Mapping[str, Tensor], notes: Mapping[str, str], path: Path
) -> None:
    """Put a state into a model and its optimisers, all of it or none."""
    weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    memory: dict[str, Tensor | float] = {k: v for k, v in tensors.items() if not k.startswith("model.")}
    memory |= json.loads(notes.get("numbers", "{}"))
    parameters = dict(model.named_parameters())
    per_optimiser: dict[str, dict[str, dict[str, Tensor | float]]] = {label: {} for label in optimisers}
    for place, value in memory.items():
        label, name, key = place.split("/")
        if label not in optimisers or name not in parameters:
            raise InvalidInputError(f"{path} does not fit the optimisers: it holds {place}; begin the run anew")
        per_optimiser[label].setdefault(name, {})[key] = value
    found, wanted = ({name: list(v.shape) for name, v in t.items()} for t in (weights, model.state_dict()))
    if differences := _differences(found, wanted):
        raise InvalidInputError(f"{path} does not fit the model: {'; '.join(differences)}")
    model.load_state_dict(weights, strict=True)
    for label, optimiser in optimisers.items():
        _fill_optimiser(optimiser, parameters, per_optimiser[label])


def _fill_optimiser(
    optimiser: Optimizer, parameters: Mapping[str, Tensor], memory: Mapping[str, Mapping[str, Tensor | float]]
) -> None:
    """Not through `load_state_dict`, which would make whole numbers fractions."""
    optimiser.state.clear()
    on_device = bool(optimiser.defaults.get("fused") or optimiser.defaults.get("capturable"))
    for name, values in memory.items():
        weight = parameters[name]
        optimiser.state[weight] = {
            key: value.to(weight.device) if isinstance(value, Tensor) and (on_device or value.dim()) else value
            for key, value in values.items()
        }


def _differences(stored: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What differs between two trees of settings, in words."""
    found: list[str] = []
    for name in sorted({*stored, *wanted}):
        before, now = stored.get(name), wanted.get(name)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            found += _differences(before, now, f"{prefix}{name}.")
        elif before != now:
            found.append(f"{prefix}{name} must be {before}, was: {now}")
    return found
