"""From what a user names (files, folders, quoted globs) to documents, with the reader picked by content."""

import glob
import io
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import ijson

from relvm_kg.corpus.jsonl import read_jsonl
from relvm_kg.corpus.lines import open_bytes, read_lines
from relvm_kg.corpus.medline import read_medline
from relvm_kg.corpus.pubtator import TEXT_LINE, read_pubtator
from relvm_kg.corpus.raw_jsonl import TEXT_FIELDS, read_raw_jsonl
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document

_SNIFFED_LINES = 200
_SNIFFED_BYTES = 1 << 20
_MEDLINE = re.compile(rb"<(?:PubmedArticle|PubmedBookArticle|MedlineCitation)(?:Set)?[\s/>]")
_NOT_DATA = re.compile(r"(readme|licen[cs]e|changelog)(\.|$)|.*\.(md|rst|html?|pdf|png)$", re.IGNORECASE)


class TextFormat(StrEnum):
    """Formats of text, annotated or not, that have a reader."""

    PUBTATOR = "PubTator"
    JSONL = "JSONL"
    RAW_JSONL = "raw JSONL"
    MEDLINE = "MEDLINE XML"


class SourceFile(NamedTuple):
    """A file to read; `named` tells whether the user named it, or it was found in a folder or by a glob."""

    path: Path
    named: bool


def expand(patterns: Sequence[str]) -> list[SourceFile]:
    """The files that names stand for, each once: a file, all files under a folder (hidden ones and READMEs left out),
    or those that a glob matches.

    Raises:
        InvalidInputError: if a name leads to no file.
    """  # noqa: D205
    found: dict[Path, SourceFile] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_file():
            matches = [SourceFile(path, True)]
        elif path.is_dir():
            matches = [SourceFile(p, False) for p in _walk(path)]
        else:
            globbed = [Path(p) for p in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207  absolute globs, too
            files = [f for p in globbed for f in (_walk(p) if p.is_dir() else [p])]
            matches = [SourceFile(p, False) for p in files if p.is_file()]
        if not matches:
            raise InvalidInputError(f"{pattern!r} must name a file, a folder with files or a matching glob")
        for source in matches:
            found.setdefault(source.path.resolve(), source)
    return list(found.values())


def _walk(folder: Path) -> list[Path]:
    def visible(path: Path) -> bool:
        return not any(part.startswith(".") for part in path.relative_to(folder).parts)

    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return [p for p in files if visible(p) and not _NOT_DATA.fullmatch(p.name) and not _NOT_DATA.match(p.name)]


def sniff_text_format(path: Path) -> TextFormat | None:
    """The format of a file, told by its beginning, else by its name; None if neither says.

    Raises:
        InvalidInputError: if a gzip or xz file is damaged.
    """
    with open_bytes(path) as handle:
        head = handle.read(_SNIFFED_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        return TextFormat.MEDLINE if _MEDLINE.search(head) else None
    if head.startswith(b"{"):
        return _json_format(head)
    lines = head.decode("utf-8", "replace").split("\n", _SNIFFED_LINES)[:_SNIFFED_LINES]
    if any(TEXT_LINE.fullmatch(line.rstrip("\r")) for line in lines):
        return TextFormat.PUBTATOR
    name = path.name.lower()
    if ".pubtator" in name:
        return TextFormat.PUBTATOR
    return TextFormat.JSONL if ".jsonl" in name else None


def _json_format(head: bytes) -> TextFormat:
    """The format of a JSON file: text without annotation has no `passages`, but a title, an abstract or a body."""
    keys = _first_keys(head)
    if "passages" not in keys and keys & set(TEXT_FIELDS):
        return TextFormat.RAW_JSONL
    return TextFormat.JSONL


def _first_keys(head: bytes) -> set[str]:
    """The keys of the first JSON object, as far as `head` holds them, each under the path to its object."""
    keys: set[str] = set()
    try:
        for prefix, event, value in ijson.parse(io.BytesIO(head), multiple_values=True):
            if event == "map_key":
                keys.add(f"{prefix}.{value}" if prefix else value)
            elif event == "end_map" and not prefix:
                break
    except (ijson.JSONError, UnicodeDecodeError):
        return keys
    return keys


def read_documents(path: Path, text_format: TextFormat, log: ReadLog) -> Iterator[Document]:
    """Documents of a file, one at a time; what cannot be read goes to the log.

    Raises:
        InvalidInputError: if a gzip or xz file is damaged, or an XML file is in an encoding other than UTF-8.
    """
    n_documents = 0
    for document in _documents(path, text_format, log):
        n_documents += 1
        yield document
    if n_documents == 0:
        log.reject(0, "the file holds no document", "")


def _documents(path: Path, text_format: TextFormat, log: ReadLog) -> Iterator[Document]:
    if text_format is TextFormat.MEDLINE:
        with open_bytes(path) as handle:
            yield from read_medline(handle, log)
        return
    reader = {
        TextFormat.PUBTATOR: read_pubtator,
        TextFormat.JSONL: read_jsonl,
        TextFormat.RAW_JSONL: read_raw_jsonl,
    }[text_format]
    yield from reader(read_lines(path, log), log)
