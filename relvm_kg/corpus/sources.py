"""From what a user names (files, folders, quoted globs) to documents, with the reader picked by content."""

import glob
import json
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from relvm_kg.corpus.bioc_files import read_bioc_json, read_bioc_lines, read_bioc_xml
from relvm_kg.corpus.json_records import first_keys
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
_BIOC = re.compile(rb"<collection[\s/>]")
_BIOC_LISTS = ("documents", "PubTator3", "item.documents", "item.PubTator3")
_KNOWN_FIELDS = {"passages", "documents", "PubTator3", *TEXT_FIELDS}
_MEDLINE = re.compile(rb"<(?:PubmedArticle|PubmedBookArticle|MedlineCitation)(?:Set)?[\s/>]")
_NOT_DATA = re.compile(r"(readme|licen[cs]e|changelog)(\.|$)|.*\.(md|rst|html?|pdf|png)$", re.IGNORECASE)


class TextFormat(StrEnum):
    """Formats of text, annotated or not, that have a reader."""

    PUBTATOR = "PubTator"
    JSONL = "JSONL"
    RAW_JSONL = "raw JSONL"
    MEDLINE = "MEDLINE XML"
    BIOC_XML = "BioC XML"
    BIOC_JSON = "BioC JSON"

    @property
    def is_annotated(self) -> bool:
        """Whether files of this format may hold annotations."""
        return self not in (TextFormat.RAW_JSONL, TextFormat.MEDLINE)


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
    head = _head(path)
    if head.startswith(b"<"):
        if _MEDLINE.search(head):
            return TextFormat.MEDLINE
        return TextFormat.BIOC_XML if _BIOC.search(head) else None
    record = _record_line(head)
    if record is not None or head.startswith((b"{", b"[")):
        found = _json_format(record or head)
        if found is not None:
            return found
    lines = head.decode("utf-8", "replace").split("\n", _SNIFFED_LINES)[:_SNIFFED_LINES]
    if any(TEXT_LINE.fullmatch(line.rstrip("\r")) for line in lines):
        return TextFormat.PUBTATOR
    name = path.name.lower()
    if ".pubtator" in name:
        return TextFormat.PUBTATOR
    return TextFormat.JSONL if ".jsonl" in name else None


def _head(path: Path) -> bytes:
    with open_bytes(path) as handle:
        return handle.read(_SNIFFED_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()


def _record_line(head: bytes) -> bytes | None:
    """A line that is a JSON object of its own, if the file has one object a line; the first with a field we know."""
    found: list[bytes] = []
    for line in head.split(b"\n", _SNIFFED_LINES)[:_SNIFFED_LINES]:
        if line.startswith(b"{"):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if _KNOWN_FIELDS & record.keys():
                return line
            found.append(line)
    return found[0] if found else None


def _json_format(head: bytes) -> TextFormat | None:
    """The format of a JSON file, told by the keys of its first object; None for a list of something else."""
    if _bioc_prefix(head) is not None:
        return TextFormat.BIOC_JSON
    keys = first_keys(head)
    if head.startswith(b"["):
        return None
    if "passages" not in keys and keys & set(TEXT_FIELDS):
        return TextFormat.RAW_JSONL
    return TextFormat.JSONL


def _bioc_prefix(head: bytes) -> str | None:
    """Where BioC JSON has its documents, such as `documents.item`; empty for each object of the file."""
    keys = first_keys(head)
    for path in _BIOC_LISTS:
        if path in keys:
            return f"{path}.item"
    for prefix in ("", "item"):
        passages = f"{prefix}.passages".lstrip(".")
        own = {f"{prefix}.mentions".lstrip("."), f"{passages}.item.section"}
        if passages in keys and not keys & own:
            bioc = {f"{prefix}.infons".lstrip("."), f"{prefix}.annotations".lstrip("."), f"{passages}.item.infons"}
            return prefix if keys & bioc else None
    return None


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
    if text_format is TextFormat.BIOC_JSON:
        yield from _bioc_json(path, log)
    elif text_format in _STREAM_READERS:
        with open_bytes(path) as handle:
            yield from _STREAM_READERS[text_format](handle, log)
    else:
        yield from _LINE_READERS[text_format](read_lines(path, log), log)


_STREAM_READERS = {TextFormat.MEDLINE: read_medline, TextFormat.BIOC_XML: read_bioc_xml}
_LINE_READERS = {
    TextFormat.PUBTATOR: read_pubtator,
    TextFormat.JSONL: read_jsonl,
    TextFormat.RAW_JSONL: read_raw_jsonl,
}


def _bioc_json(path: Path, log: ReadLog) -> Iterator[Document]:
    head = _head(path)
    record = _record_line(head)
    prefix = _bioc_prefix(record or head)
    if record is not None and not prefix:
        yield from read_bioc_lines(read_lines(path, log), log)
        return
    with open_bytes(path) as handle:
        yield from read_bioc_json(handle, "documents.item" if prefix is None else prefix, log)
