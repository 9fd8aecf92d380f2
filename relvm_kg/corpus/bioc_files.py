"""BioC files, XML and JSON, read one document at a time in constant memory."""

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

from relvm_kg.corpus.bioc import Record, bioc_document
from relvm_kg.corpus.json_records import JsonFile
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.xml_records import XmlLayout, flat_text, iterate_records, parse_record
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document

LAYOUT = XmlLayout(
    records={"document": frozenset()}, roots=("collection",), header=("source", "date", "key", "infon", "version")
)
_LISTS = {"annotation": "annotations", "relation": "relations", "sentence": "sentences", "passage": "passages"}


def read_bioc_xml(handle: IO[bytes], log: ReadLog) -> Iterator[Document]:
    """Documents of a BioC XML collection; a damaged one is rejected with its line, and the next is read.

    Raises:
        InvalidInputError: if the file is in an encoding other than UTF-8.
    """
    for record in iterate_records(handle, LAYOUT, log):
        root = parse_record(record, log)
        if root is not None:
            yield from _checked(_as_json(root), record.line, log)


def _as_json(element: Any) -> Record:
    """A document, passage, sentence, annotation or relation element in the shape of BioC JSON."""
    found: Record = {"infons": {}, **dict(element.attrib)}
    for child in element:
        if child.tag == "infon":
            found["infons"][child.get("key", "")] = flat_text(child)
        elif child.tag in _LISTS:
            found.setdefault(_LISTS[child.tag], []).append(_as_json(child))
        elif child.tag == "location":
            found.setdefault("locations", []).append(dict(child.attrib))
        elif child.tag == "node":
            found.setdefault("nodes", []).append(dict(child.attrib))
        elif child.tag in ("id", "offset", "text", "date"):
            found[child.tag] = flat_text(child)
    return found


def read_bioc_lines(lines: Iterable[tuple[int, str]], log: ReadLog) -> Iterator[Document]:
    """Documents of BioC JSON with one object a line."""
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            log.reject(number, "not a JSON object", line)
            continue
        yield from _checked(record, number, log)


def read_bioc_json(handle: IO[bytes], place: str, log: ReadLog) -> Iterator[Document]:
    """Documents of a BioC JSON file: the objects at a place, such as `documents.item`.

    A rejected record's line is that which reading had reached. Where the JSON itself is damaged, the documents before
    the damage are kept and the rest is rejected as a whole.
    """
    file = JsonFile(handle)
    try:
        for record in file.items(place):
            yield from _checked(record, file.line, log)
    except InvalidInputError as error:
        log.reject(file.line, "damaged JSON: what follows is not read", str(error))


def _checked(record: Any, line: int, log: ReadLog) -> Iterator[Document]:
    """The document of a record, or none after rejecting it."""
    try:
        shown = json.dumps(record, ensure_ascii=False, default=str)
        shown.encode()
    except (UnicodeEncodeError, RecursionError) as error:
        what = "a text holds half of a surrogate pair" if isinstance(error, UnicodeEncodeError) else "nested too deeply"
        log.reject(line, what, "")
        return
    try:
        document = bioc_document(record, line, log)
    except InvalidInputError as error:
        log.reject(line, str(error), shown)
    else:
        yield document
