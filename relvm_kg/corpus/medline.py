"""MEDLINE/PubMed XML: baseline and update files, and what E-utilities export in the same form.

A record becomes a document of its title and one passage for each labelled part of its abstract. Markup is flattened
(`Ca<sup>2+</sup>` is `Ca2+`), runs of white space become one space. Titles and abstracts in other languages
(`VernacularTitle`, `OtherAbstract`) are left out, and so is NLM's `[Not Available].` for a missing title.

Each record is parsed on its own with lxml; pubmed-parser reads the same files, but ends at the first malformed record.
"""

import re
from collections.abc import Iterator
from typing import IO, Any

from relvm_kg.corpus.raw_jsonl import passages_of
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.xml_records import XmlLayout, XmlRecord, flat_text, iterate_records, parse_record
from relvm_kg.types import Document

_INNER = frozenset({"MedlineCitation", "BookDocument"})
LAYOUT = XmlLayout(
    records={
        "PubmedArticle": _INNER,
        "PubmedBookArticle": _INNER,
        "MedlineCitation": frozenset(),
        "BookDocument": frozenset(),
        "DeleteCitation": frozenset(),
        "DeleteDocument": frozenset(),
    },
    roots=("PubmedArticleSet", "PubmedBookArticleSet", "MedlineCitationSet"),
)
_FILE = re.compile(r"(?:pubmed|medline)(?P<year>\d\d)n(?P<number>\d{4})(?!\d)", re.IGNORECASE)
_PMID = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)", re.ASCII)
_YEARS = {
    "MedlineCitation": (
        "Article/Journal/JournalIssue/PubDate/Year",
        "Article/Journal/JournalIssue/PubDate/MedlineDate",
        "Article/ArticleDate/Year",
        "DateCompleted/Year",
    ),
    "BookDocument": ("Book/PubDate/Year", "Book/PubDate/MedlineDate", "ContributionDate/Year"),
}
_TITLES = {"MedlineCitation": ("Article/ArticleTitle",), "BookDocument": ("ArticleTitle", "Book/BookTitle")}
_ABSTRACT = {"MedlineCitation": "Article/Abstract/AbstractText", "BookDocument": "Abstract/AbstractText"}
_UNTITLED = re.compile(r"\[?\s*not available\s*\]?\s*\.?", re.IGNORECASE)
_UNLABELLED = frozenset({"", "unlabelled", "unlabeled", "abstract", "title"})


def file_number(name: str) -> int:
    """The number that tells which of two MEDLINE files is the later, from the file's name; 0 if it has none.

    >>> file_number("pubmed21n1298.xml.gz"), file_number("export.xml")
    (211298, 0)
    """
    match = _FILE.search(name)
    return int(match["year"] + match["number"]) if match else 0


def read_medline(handle: IO[bytes], log: ReadLog) -> Iterator[Document]:
    """Documents, one at a time, each with its revision: the file's number (by the log's file name) and its place.

    A deleted record is a document without passages, marked `deleted`. A damaged record is rejected with its line, and
    reading goes on at the next.

    Raises:
        InvalidInputError: if the file is in an encoding other than UTF-8.
    """
    number, place = file_number(log.file), 0
    for record in iterate_records(handle, LAYOUT, log):
        root = parse_record(record, log)
        if root is None:
            place += 1
            continue
        found = _deleted(record, root, log) if record.name.startswith("Delete") else _document(record, root, log)
        for document in found:
            place += 1
            yield document._replace(revision=(number, place))


def _deleted(record: XmlRecord, root: Any, log: ReadLog) -> Iterator[Document]:
    for element in root:
        pmid = flat_text(element).strip()
        if element.tag == "PMID" and _PMID.fullmatch(pmid):
            yield Document(pmid, None, (), (), deleted=True)
        else:
            log.reject(record.line, "a deleted record must be a PMID: digits", pmid or str(element.tag))


def _document(record: XmlRecord, root: Any, log: ReadLog) -> Iterator[Document]:
    citations = [root] if root.tag in _YEARS else [child for child in root if child.tag in _YEARS]
    pmids = [flat_text(citation.find("PMID")).strip() for citation in citations]
    if len(citations) != 1:
        log.reject(record.line, "a record must hold one citation", record.shown)
    elif not _PMID.fullmatch(pmids[0]):
        log.reject(record.line, "a record's PMID must be digits", record.shown)
    else:
        (citation,) = citations
        parts = [("title", _title(citation))]
        parts += [(_section(part), flat_text(part)) for part in citation.iterfind(_ABSTRACT[citation.tag])]
        passages = passages_of(parts)
        if not passages:
            log.count("records without text")
        yield Document(pmids[0], _year(citation), passages, (), retracted=_is_retracted(citation))


def _title(citation: Any) -> str:
    texts = (flat_text(citation.find(path)).strip() for path in _TITLES[citation.tag])
    title = next((text for text in texts if text), "")
    return "" if _UNTITLED.fullmatch(title) else title


def _section(part: Any) -> str:
    label = " ".join((part.get("Label") or "").lower().split())
    return "abstract" if label in _UNLABELLED else label


def _year(citation: Any) -> int | None:
    for path in _YEARS[citation.tag]:
        match = _YEAR.search(flat_text(citation.find(path)))
        if match is not None:
            return int(match.group())
    return None


def _is_retracted(citation: Any) -> bool:
    kinds = (flat_text(kind).strip().lower() for kind in citation.iterfind(".//PublicationType"))
    notes = (note.get("RefType") for note in citation.iterfind("CommentsCorrectionsList/CommentsCorrections"))
    return "retracted publication" in kinds or "RetractionIn" in notes
