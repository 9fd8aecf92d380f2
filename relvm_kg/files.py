"""Files that are whole or not there: temporary names, replaced in one step; JSON; hashes."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from relvm_kg.errors import InvalidInputError


@contextmanager
def atomic_path(target: Path, previous: Path | None = None) -> Iterator[Path]:
    """A temporary path beside `target` (file or folder) that takes its place when the block ends without an error.

    Args:
        target: What is written.
        previous: Where a file that stood at `target` goes. At every moment one of the two is whole.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        if temporary.is_file():
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
        elif target.is_dir():
            remove(target)
        if previous is not None and target.is_file():
            _keep(target, previous)
        temporary.replace(target)
    finally:
        remove(temporary)


def _keep(target: Path, previous: Path) -> None:
    """Let `previous` be the file at `target`, which stays there too where the file system knows hard links."""
    second = previous.with_name(f".{previous.name}.{os.getpid()}.part")
    remove(second)
    try:
        os.link(target, second)
    except OSError:
        target.replace(previous)
        return
    second.replace(previous)
    remove(second)


def remove(path: Path) -> None:
    """Delete a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Delete what interrupted `atomic_path` blocks left in a folder; the caller holds the lock."""
    for path in folder.glob(".*.part"):
        remove(path)


def is_leftover(name: str) -> bool:
    """Whether a file name is that of what a killed writer leaves."""
    return name.startswith(".") and name.endswith(".part")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically, keys in the given order."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InvalidInputError: if it is not JSON, with the place.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} must be JSON: {error}") from error


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
