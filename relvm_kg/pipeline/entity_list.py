"""Entities from a file, one name or id a line; lines that lead to none are set aside and do not stop the rest."""

from pathlib import Path
from typing import NamedTuple

from relvm_kg.errors import AmbiguousEntityError, InvalidInputError, NoTextError, UnknownEntityError
from relvm_kg.pipeline.session import Session


class SetAside(NamedTuple):
    """A line that leads to no entity that can be scored."""

    line: int
    """From 1."""
    text: str
    reason: str


def read_entities(session: Session, path: Path) -> tuple[list[int], list[SetAside]]:
    """Catalogue indices of the entities that a file names, each once, and the lines that were set aside.

    Empty lines and those that begin with `#` are skipped.

    Raises:
        InvalidInputError: if the file is not UTF-8 text, or no line leads to an entity that can be scored.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} must be UTF-8 text with one name or id a line: {error}") from error
    found: dict[int, None] = {}
    aside: list[SetAside] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            found[session.ground_with_text(text)] = None
        except (UnknownEntityError, AmbiguousEntityError, NoTextError) as error:
            aside.append(SetAside(number, text, str(error)))
    if not found:
        told = f"; line {aside[0].line}: {aside[0].reason}" if aside else ", was: empty"
        raise InvalidInputError(f"{path} must name at least one entity that can be scored{told}")
    return list(found), aside
