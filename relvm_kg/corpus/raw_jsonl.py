"""Text without annotation as JSON lines: titles, abstracts and bodies.

    {"pmid": "9949209", "year": 1998, "title": "SOD1 in ALS.", "abstract": "Riluzole was given."}
    {"doc_id": "thesis-7", "title": "On motor neurons", "body": ["First paragraph.", "Second paragraph."]}

`abstract` and `body` are a text, in which blank lines part the paragraphs, or a list of paragraphs; each paragraph
becomes a passage. Blanks, tabs and line ends inside a paragraph become one space each run.

A document with a `pmid` is that PubMed record, and merges with its other copies. One that holds a body but no abstract
is something beside it and becomes `9949209#body`; a `doc_id` that says so itself (`PMID:9949209#body`) keeps its
ending. Without a `pmid`, the `doc_id` is the id; one of digits alone becomes `text:7`, since it is no PMID.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document, Passage

TEXT_FIELDS = ("title", "abstract", "body")
"""The fields that hold text, in the order of their passages."""
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_PMID = re.compile(r"(?:PMID:)?\s*0*(?P<number>[1-9]\d{0,8})(?P<part>#\w+)?", re.ASCII | re.IGNORECASE)


def passages_of(parts: Iterable[tuple[str, str]]) -> tuple[Passage, ...]:
    """Passages one after the other, a character apart, from (section, text); white space becomes single spaces, and
    texts of nothing else are left out.

    >>> [(p.section, p.offset, p.text) for p in passages_of([("title", "A  b"), ("abstract", " "), ("body", "c")])]
    [('title', 0, 'A b'), ('body', 4, 'c')]
    """  # noqa: D205
    passages: list[Passage] = []
    offset = 0
    for section, text in parts:
        squeezed = " ".join(text.split())
        if squeezed:
            passages.append(Passage(section, offset, squeezed))
            offset += len(squeezed) + 1
    return tuple(passages)


def read_raw_jsonl(lines: Iterable[tuple[int, str]], log: ReadLog) -> Iterator[Document]:
    """Documents without mentions, one at a time; a record that breaks the format is rejected and the rest goes on."""
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if "\\ud" in line.lower():
                json.dumps(record, ensure_ascii=False).encode()
            yield _document(record)
        except UnicodeEncodeError:
            log.reject(number, "a text holds half of a surrogate pair", line)
        except (ValueError, RecursionError):
            log.reject(number, "not a JSON object", line)
        except InvalidInputError as error:
            log.reject(number, str(error), line)


def _document(record: Any) -> Document:
    if not isinstance(record, dict):
        raise InvalidInputError("a document must be a JSON object")
    year = record.get("year")
    if isinstance(year, str) and year.isascii() and year.isdigit() and len(year) == len("1998"):
        year = int(year)
    if year is not None and not (isinstance(year, int) and not isinstance(year, bool) and 0 < year < 10000):
        raise InvalidInputError("a document's year must be a whole number or null")
    passages = passages_of((name, text) for name in TEXT_FIELDS for text in _paragraphs(record, name))
    if not passages:
        raise InvalidInputError("a document must have a title, an abstract or a body")
    return Document(_doc_id(record, {p.section for p in passages}), year, passages, ())


def _paragraphs(record: dict[str, Any], name: str) -> list[str]:
    value = record.get(name)
    if value is None:
        return []
    if isinstance(value, str):
        return [value] if name == "title" else _PARAGRAPH.split(value)
    if name == "title" or not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise InvalidInputError(
            f"a document's {name} must be a text" + ("" if name == "title" else " or a list of texts")
        )
    return value


def _doc_id(record: dict[str, Any], sections: set[str]) -> str:
    pmid, own = (_text_id(record, name) for name in ("pmid", "doc_id"))
    part = own.rpartition("#")[2] if "#" in own else ""
    if pmid:
        match = _PMID.fullmatch(pmid)
        if match is None:
            raise InvalidInputError("a document's pmid must be a PubMed id: digits")
        if not part and "body" in sections and "abstract" not in sections:
            part = "body"
        return f"{match['number']}#{part}" if part else match["number"]
    if not own:
        raise InvalidInputError("a document must have a pmid or a doc_id")
    if own.upper().startswith("PMID:") and (match := _PMID.fullmatch(own)):
        return match["number"] + (match["part"] or "")
    return f"text:{own}" if own.isdigit() else own


def _text_id(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise InvalidInputError(f"a document's {name} must be a text or a whole number")
    return str(value).strip()
