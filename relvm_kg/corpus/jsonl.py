"""Documents as JSON lines: the form in which a workspace keeps what it read, and one that users may bring.

One object a line; `passages`, `mentions` and `id` are all a record needs:

    {"id": "9949209", "year": 1998,
     "passages": [{"section": "title", "offset": 0, "text": "SOD1 in ALS."}],
     "mentions": [{"start": 0, "end": 4, "text": "SOD1", "type": "GENE", "ids": ["NCBIGene:6647"]}],
     "relations": [{"predicate": "Association", "first": "NCBIGene:6647", "second": "MESH:D000690"}],
     "simulated": true, "retracted": true, "annotated": ["GENE"]}

Offsets count characters from the start of the document; ends are exclusive; a passage starts at its `offset`. A passage
may say where its sentences are (`"sentences": [[0, 12]]`, characters of the passage), a mention that a tagger found it
(`"tagged": true`), and a copy of a MEDLINE record which one it is (`"revision": [211298, 17]`, `"deleted": true`).
"""

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from relvm_kg.corpus.annotation import TYPES, RawAnnotation, check_mention, distinct, fold_type, joined_text
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document, DocumentRelation, EntityId, EntityType, Mention, Passage

MAX_GAP = 10_000
"""Characters between two passages."""
MAX_OFFSET = 100_000_000
"""Characters of a document."""
_FLAGS = ("simulated", "retracted", "deleted")


def document_to_json(document: Document) -> str:
    """One line, without its end; what `read_jsonl` turns back into the same document."""
    record: dict[str, Any] = {
        "id": document.doc_id,
        "year": document.year,
        "passages": [_passage_record(p) for p in document.passages],
        "mentions": [_mention_record(m) for m in document.mentions],
    }
    if document.relations:
        record["relations"] = [
            {"predicate": r.predicate, "first": str(r.first), "second": str(r.second)} for r in document.relations
        ]
    record.update({flag: True for flag in _FLAGS if getattr(document, flag)})
    if document.revision is not None:
        record["revision"] = document.revision
    if document.annotated:
        record["annotated"] = [entity_type.value for entity_type in document.annotated]
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _passage_record(passage: Passage) -> dict[str, Any]:
    record = passage._asdict()
    if not passage.sentences:
        del record["sentences"]
    return record


def _mention_record(m: Mention) -> dict[str, Any]:
    ids = [str(entity) for entity in m.ids]
    record: dict[str, Any] = {"start": m.start, "end": m.end, "text": m.text, "type": m.type.value, "ids": ids}
    if m.tagged:
        record["tagged"] = True
    return record


def read_jsonl(lines: Iterable[tuple[int, str]], log: ReadLog) -> Iterator[Document]:
    """Documents, one at a time; a record that breaks the format, or a mention that does not match, is rejected."""
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if "\\ud" in line.lower():
                json.dumps(record, ensure_ascii=False).encode()
            yield _document(number, record, log)
        except UnicodeEncodeError:
            log.reject(number, "a text holds half of a surrogate pair", line)
        except (ValueError, RecursionError):
            log.reject(number, "not a JSON object", line)
        except InvalidInputError as error:
            log.reject(number, str(error), line)


def trusted_document(line: str) -> Document:
    """A document from a line that `document_to_json` wrote, without checking it against its text again."""
    record = json.loads(line)
    return Document(
        record["id"],
        record["year"],
        tuple(_trusted_passage(p) for p in record["passages"]),
        tuple(_trusted_mention(m) for m in record["mentions"]),
        tuple(_relation(r) for r in record.get("relations", ())),
        record.get("simulated", False),
        record.get("retracted", False),
        tuple(record["revision"]) if "revision" in record else None,
        record.get("deleted", False),
        tuple(EntityType(name) for name in record.get("annotated", ())),
    )


def _trusted_passage(record: dict[str, Any]) -> Passage:
    sentences = tuple((start, end) for start, end in record.get("sentences", ()))
    return Passage(record["section"], record["offset"], record["text"], sentences)


def _trusted_mention(record: dict[str, Any]) -> Mention:
    ids = tuple(EntityId(*curie.split(":", 1)) for curie in record["ids"])
    entity_type = TYPES[record["type"].lower()]
    return Mention(record["start"], record["end"], record["text"], entity_type, ids, record.get("tagged", False))


def _document(number: int, record: Any, log: ReadLog) -> Document:
    if not isinstance(record, dict):
        raise InvalidInputError("a document must be a JSON object")
    doc_id = _field(record, "id", str)
    if not doc_id.strip():
        raise InvalidInputError("a document's id must not be empty")
    year = record.get("year")
    if year is not None and not (isinstance(year, int) and not isinstance(year, bool) and 0 < year < 10000):
        raise InvalidInputError("a document's year must be a whole number or null")
    passages = tuple(_passage(p) for p in _field(record, "passages", list))
    for before, after in pairwise(passages):
        if not 0 <= after.offset - before.offset - len(before.text) <= MAX_GAP:
            raise InvalidInputError(f"passages must be in order, apart, and at most {MAX_GAP} characters apart")
    if passages and passages[0].offset > MAX_GAP:
        raise InvalidInputError(f"the first passage must start within {MAX_GAP} characters")
    text = joined_text(passages)
    mentions = []
    for entry in _optional_list(record, "mentions"):
        raw = _annotation(number, entry, log)
        mention = check_mention(raw, text, passages, log) if raw is not None else None
        if mention is not None:
            mentions.append(mention._replace(tagged=_flag(entry, "tagged", "a mention")))
    relations = tuple(dict.fromkeys(_relation(r) for r in _optional_list(record, "relations")))
    simulated, retracted, deleted = (_flag(record, flag, "a document") for flag in _FLAGS)
    return Document(
        doc_id,
        year,
        passages,
        distinct(mentions, log),
        relations,
        simulated,
        retracted,
        _revision(record),
        deleted,
        _annotated(record),
    )


def _flag(record: dict[str, Any], name: str, what: str) -> bool:
    value = record.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInputError(f"{what}'s {name} must be true or false")
    return value


def _revision(record: dict[str, Any]) -> tuple[int, int] | None:
    value = record.get("revision")
    if value is None:
        return None
    if not _is_pair(value) or min(value) < 0:
        raise InvalidInputError("a document's revision must be two whole numbers, not negative")
    return value[0], value[1]


def _annotated(record: dict[str, Any]) -> tuple[EntityType, ...]:
    names = _optional_list(record, "annotated")
    types = {fold_type(name) if isinstance(name, str) else None for name in names}
    if None in types:
        raise InvalidInputError("a document's annotated must list types: GENE, DISEASE, CHEMICAL")
    return tuple(entity_type for entity_type in EntityType if entity_type in types)


def _passage(entry: Any) -> Passage:
    offset = _field(entry, "offset", int)
    if not 0 <= offset < MAX_OFFSET:
        raise InvalidInputError(f"a passage's offset must be between 0 and {MAX_OFFSET}")
    section, text = _field(entry, "section", str), _field(entry, "text", str)
    sentences: list[tuple[int, int]] = []
    for span in _optional_list(entry, "sentences"):
        if not _is_pair(span) or not (sentences[-1][1] if sentences else 0) <= span[0] < span[1] <= len(text):
            raise InvalidInputError("a passage's sentences must be [start, end] inside its text, in order and apart")
        sentences.append((span[0], span[1]))
    return Passage(section, offset, text, tuple(sentences))


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and [type(number) for number in value] == [int, int]


def _annotation(number: int, entry: Any, log: ReadLog) -> RawAnnotation | None:
    shown = json.dumps(entry, ensure_ascii=False)
    entity_type = fold_type(_field(entry, "type", str))
    if entity_type is None:
        log.count("annotations of other types")
        return None
    ids = _optional_list(entry, "ids")
    if not all(isinstance(curie, str) for curie in ids):
        raise InvalidInputError("a mention's ids must be texts")
    start, end = _field(entry, "start", int), _field(entry, "end", int)
    return RawAnnotation(number, start, end, _field(entry, "text", str), entity_type, "|".join(ids), shown)


def _relation(entry: Any) -> DocumentRelation:
    first, second = _field(entry, "first", str), _field(entry, "second", str)
    return DocumentRelation(_field(entry, "predicate", str), EntityId.parse(first), EntityId.parse(second))


def _optional_list(record: dict[str, Any], name: str) -> list[Any]:
    found: list[Any] = _field(record, name, list) if name in record else []
    return found


def _field(record: Any, name: str, kind: type) -> Any:
    if not isinstance(record, dict) or name not in record:
        raise InvalidInputError(f"a record lacks its field {name!r}")
    value = record[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidInputError(f"the field {name!r} must be of type {kind.__name__}")
    return value
