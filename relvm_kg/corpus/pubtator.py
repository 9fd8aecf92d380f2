"""Documents of PubTator files: NCBI's own exports, and the corpora published in their form.

    12345|t|Title                                       text lines; the abstract starts at len(title) + 1
    12345|a|Abstract
    12345<TAB>0<TAB>5<TAB>Title<TAB>Disease<TAB>D000690           annotation: start, end (exclusive), text, type, ids
    12345<TAB>CID<TAB>D000527<TAB>D000690                       relation: predicate, first, second, perhaps more columns
    12345<TAB>Association<TAB>Chemical|MESH:D000527<TAB>Disease|MESH:D000690                as PubTator3 writes them

A document starts at its title line. Blank lines mean nothing, so that files with too many or too few of them read.
"""

import re
from collections.abc import Iterable, Iterator

from relvm_kg.corpus.annotation import RawAnnotation, check_mention, distinct, fold_type, joined_text
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.stated_relations import StatedRelation, check_relations
from relvm_kg.errors import InvalidInputError
from relvm_kg.identifiers import split_ids
from relvm_kg.types import Document, Passage

TEXT_LINE = re.compile(r"(?P<id>[^|\s][^|\t]*)\|(?P<section>[A-Za-z]\w*)\|(?P<text>.*)", re.DOTALL)
_ID = re.compile(r"[^|\s][^|\t\r\n]*")
_BREAKS = re.compile(r"[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_SECTIONS = {"t": "title", "a": "abstract"}
_ANNOTATION_COLUMNS = 5
_RELATION_COLUMNS = 4


def read_pubtator(lines: Iterable[tuple[int, str]], log: ReadLog) -> Iterator[Document]:
    """Documents, one at a time; records that break the format are rejected into the log and the rest goes on.

    Annotations of types other than gene, disease and chemical are counted and left out; exact duplicates are merged.
    """
    block: _Block | None = None
    for number, line in lines:
        if not line.strip():
            continue
        match = TEXT_LINE.fullmatch(line)
        if match is None:
            _add_record(block, number, line, log)
        elif block is not None and block.continues_with(match["id"], match["section"]):
            block.add_text(match["section"], match["text"])
        else:
            if block is not None:
                yield block.finish(log)
            block = _Block(match["id"])
            block.add_text(match["section"], match["text"])
    if block is not None:
        yield block.finish(log)


def _add_record(block: "_Block | None", number: int, line: str, log: ReadLog) -> None:
    columns = line.split("\t")
    if len(columns) < _RELATION_COLUMNS:
        log.reject(number, "line is neither text, annotation nor relation", line)
    elif block is None or columns[0].strip() != block.doc_id:
        log.reject(number, "annotation does not follow its document's text", line)
    elif _is_number(columns[1]) and _is_number(columns[2]):
        block.add_annotation(number, line, columns, log)
    elif all(column.strip() for column in columns[1:_RELATION_COLUMNS]):
        predicate, first, second = (column.strip() for column in columns[1:_RELATION_COLUMNS])
        block.relations.append(StatedRelation(number, predicate, first, second, line))
    else:
        log.reject(number, "line is neither text, annotation nor relation", line)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


class _Block:
    """The lines of one document while they are read."""

    def __init__(self, doc_id: str) -> None:
        self.doc_id = doc_id.strip()
        self.passages: list[Passage] = []
        self.annotations: list[RawAnnotation] = []
        self.relations: list[StatedRelation] = []
        self._other_ids: set[str] = set()
        self._sections: set[str] = set()

    def continues_with(self, doc_id: str, section: str) -> bool:
        """Whether a text line belongs to this document: same id, and no title or section that is there already."""
        name = _SECTIONS.get(section, section)
        return doc_id.strip() == self.doc_id and name != "title" and name not in self._sections

    def add_text(self, section: str, text: str) -> None:
        offset = self.passages[-1].offset + len(self.passages[-1].text) + 1 if self.passages else 0
        self.passages.append(Passage(_SECTIONS.get(section, section), offset, text))
        self._sections.add(self.passages[-1].section)

    def add_annotation(self, number: int, line: str, columns: list[str], log: ReadLog) -> None:
        if len(columns) < _ANNOTATION_COLUMNS:
            log.reject(number, "annotation without a type", line)
            return
        start, end, text, type_name = int(columns[1]), int(columns[2]), columns[3], columns[4]
        ids = columns[5] if len(columns) > _ANNOTATION_COLUMNS else ""
        entity_type = fold_type(type_name)
        if entity_type is None:
            log.count("annotations of other types")
            self._other_ids.update((ids.strip(), *split_ids(ids)))
            return
        self.annotations.append(RawAnnotation(number, start, end, text, entity_type, ids, line))

    def finish(self, log: ReadLog) -> Document:
        passages = tuple(self.passages)
        text = joined_text(passages)
        checked = (check_mention(raw, text, passages, log) for raw in self.annotations)
        mentions = distinct([m for m in checked if m is not None], log)
        relations = check_relations(self.relations, mentions, self._other_ids, log)
        return Document(self.doc_id, None, passages, mentions, relations)


def document_to_pubtator(document: Document) -> str:
    """The lines of a document, an empty one last: what `read_pubtator` reads.

    The form has two texts, so that all passages but a title become the abstract, a blank apart; offsets follow. Line
    ends and tabs inside a text become blanks. Years, sections and sentences have no place in it.

    Raises:
        InvalidInputError: if the id holds a character that the form cannot hold.
    """
    if not _ID.fullmatch(document.doc_id):
        raise InvalidInputError(f"a PubTator id must hold no tab, line end or '|', was: {document.doc_id!r}")
    passages = list(document.passages)
    title = passages.pop(0) if passages and passages[0].section == "title" else Passage("title", 0, "")
    starts = {title.offset: 0} if title.text else {}
    abstract = ""
    for passage in passages:
        abstract += " " if abstract else ""
        starts[passage.offset] = len(title.text) + 1 + len(abstract)
        abstract += passage.text
    lines = [f"{document.doc_id}|t|{_one_line(title.text)}", f"{document.doc_id}|a|{_one_line(abstract)}"]
    for mention in document.mentions:
        home = max(offset for offset in starts if offset <= mention.start)
        start = mention.start - home + starts[home]
        ids = "|".join(e.local if e.prefix == "NCBIGene" else str(e) for e in mention.ids) or "-"
        row = (document.doc_id, start, start + len(mention.text), _one_line(mention.text), mention.type.label, ids)
        lines.append("\t".join(map(str, row)))
    lines += [f"{document.doc_id}\t{r.predicate}\t{r.first}\t{r.second}" for r in document.relations]
    return "\n".join(lines) + "\n\n"


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text)
