"""BioC documents: what BioC XML and BioC JSON have in common once they are parsed.

Dialects that are read: PubTator3's exports, the BioC forms of BioRED, BC5CDR and NLM-Chem, and PMC's. Both forms are
brought to the shape of BioC JSON first, which this module takes:

    {"id": "28483577", "infons": {}, "passages": [
       {"infons": {"type": "title"}, "offset": 0, "text": "SOD1 in ALS.", "annotations": [
          {"id": "1", "infons": {"type": "Gene", "identifier": "6647"}, "text": "SOD1",
           "locations": [{"offset": 0, "length": 4}]}]}],
     "relations": [{"infons": {"type": "Association", "role1": "Gene|6647", "role2": "Disease|MESH:D000690"}}]}

Passages are laid out anew, a character apart, and mentions are found at their place in their passage: whether a file
counts characters or UTF-8 bytes, and whether its offsets fit its texts, matters only inside a passage.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from relvm_kg.corpus.annotation import RawAnnotation, check_mention, distinct, fold_type, joined_text, locate
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.stated_relations import StatedRelation, check_relations
from relvm_kg.errors import InvalidInputError
from relvm_kg.identifiers import split_ids
from relvm_kg.types import Document, Passage

_ID_KEYS = {
    "identifier": "",
    "ncbigene": "",
    "entrezgene": "",
    "geneid": "",
    "mesh": "MESH:",
    "omim": "OMIM:",
    "mim": "OMIM:",
    "chebi": "CHEBI:",
}
"""Infons that hold ids, in lower case without blanks, and the prefix that a bare id in them lacks."""
_END_KEYS = (("role1", "role2"), ("entity1", "entity2"))
_PREDICATE_KEYS = ("relation", "type", "relation type", "relation_type")
_SECTION_KEYS = ("section_type", "section", "type")
_SECTIONS = {"front": "title", "t": "title", "a": "abstract"}
_BREAKS = str.maketrans("\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029", " " * 11)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d", re.ASCII)
_TYPE_BEFORE = re.compile(r"^[A-Za-z_]{2,}\|")
_PMID = re.compile(r"[1-9]\d{0,8}", re.ASCII)
Record = dict[str, Any]


class _Home(NamedTuple):
    """A passage as the file has it (offset, text) and as the document gets it."""

    offset: int
    text: str
    passage: Passage


def bioc_document(record: Any, line: int, log: ReadLog) -> Document:
    """A document from a record in the shape of BioC JSON.

    Annotations of types other than the three are counted, those that do not match the text rejected.

    Raises:
        InvalidInputError: if the record is no BioC document.
    """
    record = _object(record, "a document")
    passages = [_object(entry, "a passage") for entry in _list(record, "passages")]
    homes = _lay_out(passages)
    reader = _Annotations(homes, line, log)
    for entry, home in zip(passages, homes, strict=True):
        for part in (entry, *(_object(s, "a sentence") for s in _list(entry, "sentences"))):
            reader.add(part, home)
    reader.add(record, None)
    kept = tuple(home.passage for home in homes if home.passage.text)
    return reader.document(_doc_id(record, passages), _year(record, passages), kept)


def _lay_out(passages: list[Record]) -> list[_Home]:
    homes: list[_Home] = []
    offset = 0
    for entry in passages:
        text = _passage_text(entry)
        homes.append(_Home(_number(entry, "offset"), text, Passage(_section(entry), offset, text)))
        offset += len(text) + 1 if text else 0
    return homes


def _passage_text(entry: Record) -> str:
    """The text of a passage, or of its sentences at their offsets; line ends and tabs become blanks."""
    if entry.get("text") is not None:
        return _text(entry, "text").translate(_BREAKS)
    start, text = _number(entry, "offset"), ""
    for sentence in _list(entry, "sentences"):
        place = _number(_object(sentence, "a sentence"), "offset") - start
        if not len(text) <= place <= len(text) + 1000:
            raise InvalidInputError("a passage's sentences must be in order and near each other")
        text = text.ljust(place) + _text(sentence, "text").translate(_BREAKS)
    return text


def _section(entry: Record) -> str:
    infons = _infons(entry)
    name = next((infons[key] for key in _SECTION_KEYS if infons.get(key)), "passage").lower()
    return _SECTIONS.get(name, name)


def _doc_id(record: Record, passages: list[Record]) -> str:
    """The PMID where the record tells it, else its id; a bare PMC number is no PMID."""
    places = [record, _infons(record), *(_infons(passage) for passage in passages[:1])]
    for place in places:
        for key in ("pmid", "article-id_pmid"):
            if _PMID.fullmatch(str(place.get(key))):
                return str(place[key])
    own = str(record["id"]).strip() if isinstance(record.get("id"), str | int) else ""
    if not own:
        raise InvalidInputError("a document's id must not be empty")
    is_pmc = any(str(place.get("article-id_pmc", "")).removeprefix("PMC") == own for place in places)
    return f"PMC{own}" if is_pmc else own


def _year(record: Record, passages: list[Record]) -> int | None:
    stated = [_infons(passage).get("year", "") for passage in passages[:1]]
    stated += [_infons(record).get("year", ""), str(record.get("date") or "")[: len("1998")]]
    return next((int(year) for year in stated if _YEAR.fullmatch(year)), None)


class _Annotations:
    """The annotations and relations of one document while they are read."""

    def __init__(self, homes: list[_Home], line: int, log: ReadLog) -> None:
        self._homes, self._line, self._log = sorted(homes, key=lambda h: h.offset), line, log
        self._raw: list[RawAnnotation] = []
        self._relations: list[Record] = []
        self._other_ids: set[str] = set()
        self._by_ref: dict[str, str] = {}

    def add(self, part: Record, home: _Home | None) -> None:
        """Take the annotations and relations of a passage, a sentence or the document."""
        for entry in _list(part, "annotations"):
            self._add_annotation(_object(entry, "an annotation"), home)
        for entry in _list(part, "relations"):
            self._relations.append(_object(entry, "a relation"))

    def _add_annotation(self, entry: Record, home: _Home | None) -> None:
        infons = _infons(entry)
        type_name = infons.get("type", "")
        entity_type, ids = fold_type(type_name), _ids(infons)
        if entry.get("id") is not None:
            self._by_ref[str(entry["id"])] = f"{type_name}|{ids}" if ids else ""
        if entity_type is None:
            self._log.count("annotations of other types")
            self._other_ids.update((ids, *split_ids(ids)))
            return
        shown = json.dumps(entry, ensure_ascii=False, default=str)
        places = [_object(place, "a location") for place in _list(entry, "locations")]
        if len(places) != 1:
            self._log.reject(self._line, "an annotation must have one location", shown)
            return
        start, length = _number(places[0], "offset"), _number(places[0], "length")
        surface = _text(entry, "text").translate(_BREAKS)
        place = self._place(start, start + length, surface, home)
        end = start + length if place is None else place + len(surface)
        raw = RawAnnotation(self._line, start if place is None else place, end, surface, entity_type, ids, shown)
        self._raw.append(raw)

    def _place(self, start: int, end: int, surface: str, home: _Home | None) -> int | None:
        """Where an annotation starts in the document: in its own passage, or in that which its offset falls into."""
        beside = self._homes[bisect_right(self._homes, start, key=lambda h: h.offset) - 1] if self._homes else None
        for candidate in (home, beside):
            if candidate is None:
                continue
            found = locate(candidate.text, start - candidate.offset, end - candidate.offset, surface)
            if found is not None:
                if found != start - candidate.offset:
                    self._log.count("offsets repaired")
                return candidate.passage.offset + found
        return None

    def _stated(self) -> Iterator[StatedRelation]:
        for entry in self._relations:
            infons = _infons(entry)
            shown = json.dumps(entry, ensure_ascii=False, default=str)
            predicate = next((infons[key] for key in _PREDICATE_KEYS if infons.get(key)), "relation")
            pairs = list(self._pairs(entry, infons))
            if not pairs:
                self._log.reject(self._line, "a relation must name two entities", shown)
            for first, second in pairs:
                yield StatedRelation(self._line, predicate, first, second, shown)

    def _pairs(self, entry: Record, infons: dict[str, str]) -> Iterator[tuple[str, str]]:
        for first, second in _END_KEYS:
            if infons.get(first) and infons.get(second):
                yield infons[first], infons[second]
                return
        typed = [f"{key}|{value}" for key, value in infons.items() if fold_type(key) is not None and value]
        if len(typed) > 1:
            yield typed[0], typed[1]
            return
        refs = [str(_object(node, "a node").get("refid")) for node in _list(entry, "nodes")]
        ends = [self._by_ref.get(ref, "") for ref in refs]
        if len(ends) == len(("first", "second")) and all(ends):
            yield ends[0], ends[1]

    def document(self, doc_id: str, year: int | None, passages: tuple[Passage, ...]) -> Document:
        text = joined_text(passages)
        checked = (check_mention(raw, text, passages, self._log) for raw in self._raw)
        mentions = distinct([m for m in checked if m is not None], self._log)
        relations = check_relations(self._stated(), mentions, self._other_ids, self._log)
        return Document(doc_id, year, passages, mentions, relations)


def _ids(infons: dict[str, str]) -> str:
    """The ids of an annotation's infons, joined; `identifier` comes before the database's own key."""
    found: dict[str, str] = {}
    for key, value in infons.items():
        name = re.sub(r"[\s_]", "", key).lower()
        if name in _ID_KEYS and split_ids(value):
            found[name] = value
    if "identifier" in found:
        return _TYPE_BEFORE.sub("", found["identifier"])
    parts = [part if ":" in part else _ID_KEYS[name] + part for name in found for part in split_ids(found[name])]
    return "|".join(parts)


def _infons(entry: Record) -> dict[str, str]:
    """Infons as texts: numbers and lists are written out, PubTator3's `{"identifier", "type"}` becomes `type|id`."""
    found = entry.get("infons")
    if found is None:
        return {}
    return {key: _infon(value) for key, value in _object(found, "infons").items() if value is not None}


def _infon(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value.get('type')}|{value['identifier']}" if value.get("identifier") else ""
    if isinstance(value, list):
        return "|".join(str(part) for part in value if isinstance(part, str | int))
    return str(value).strip() if isinstance(value, str | int) else ""


def _object(value: Any, what: str) -> Record:
    if not isinstance(value, dict):
        raise InvalidInputError(f"{what} must be a BioC object")
    return value


def _list(entry: Record, name: str) -> list[Any]:
    value = entry.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInputError(f"the field {name!r} must be a list")
    return value


def _text(entry: Record, name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise InvalidInputError(f"the field {name!r} must be a text")
    return value


def _number(entry: Record, name: str) -> int:
    value = entry.get(name, 0)
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,9}\s*", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 10**9:
        raise InvalidInputError(f"the field {name!r} must be a whole number")
    return value
