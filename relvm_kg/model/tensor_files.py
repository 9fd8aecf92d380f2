"""Tensors and short texts in one safetensors file: written whole or not at all, and checked by hash when read."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from relvm_kg.errors import DamagedFileError, InvalidInputError
from relvm_kg.files import atomic_path

HASH = "sha256"
"""The note that holds the hash of the tensors and the other notes; safetensors itself has no checksum."""


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str], previous: Path | None = None
) -> None:
    """Write a file atomically; what stood there before goes to `previous`, if one is named.

    Raises:
        OSError: if it cannot be written (a full disk, a limit); `path` and `previous` are as they were.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    notes = dict(notes)
    with atomic_path(path, previous) as temporary:
        try:
            save_file(plain, temporary, {**notes, HASH: _digest(plain, notes)})
        except SafetensorError as error:
            raise OSError(None, str(error), str(path)) from error


def load_tensors(path: Path, *, hashed: bool = False) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `save_tensors` wrote.

    Args:
        path: The file.
        hashed: Whether a file without a hash, as earlier versions wrote them, counts as damaged.

    Raises:
        DamagedFileError: if the file is damaged.
        InvalidInputError: if it is missing.
    """
    if not path.is_file():
        raise InvalidInputError(f"{path} is missing; train or unpack the model again")
    try:
        tensors: dict[str, Tensor] = load_file(path)
        with safe_open(path, framework="pt") as handle:
            notes: dict[str, str] = handle.metadata() or {}
    except (SafetensorError, ValueError, KeyError) as error:
        raise DamagedFileError(f"{path} is damaged: {error}") from error
    written = notes.pop(HASH, None)
    if written is None and hashed:
        raise DamagedFileError(f"{path} is damaged, or another version wrote it: it holds no hash of its contents")
    if written is not None and written != (found := _digest(tensors, notes)):
        raise DamagedFileError(f"{path} is damaged: the hash of its contents must be {written}, was: {found}")
    return tensors, notes


def _digest(tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> str:
    """SHA-256 over names, types, shapes and bytes of the tensors in order of name, and over the notes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    digest.update(json.dumps(dict(notes), sort_keys=True).encode())
    return digest.hexdigest()
