"""MEDLINE XML: what a record becomes, and what damage costs."""

import gzip
import io
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus import xml_records
from relvm_kg.corpus.medline import file_number, read_medline
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.sources import TextFormat, read_documents, sniff_text_format
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document, Passage

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2019//EN" "https://dtd.nlm.nih.gov/a.dtd">
<PubmedArticleSet>
"""
TAIL = "</PubmedArticleSet>\n"
DATE = "<PubDate><Year>1998</Year><Month>May</Month></PubDate>"


def citation(
    pmid: object, title: str = "SOD1 in ALS.", abstract: str = "", date: str = DATE, more: str = "", kinds: str = ""
) -> str:
    return f"""<PubmedArticle>
    <MedlineCitation Status="MEDLINE" Owner="NLM">
      <PMID Version="1">{pmid}</PMID>
      <DateCompleted><Year>2001</Year></DateCompleted>
      <Article PubModel="Print">
        <Journal><JournalIssue CitedMedium="Print">{date}</JournalIssue></Journal>
        <ArticleTitle>{title}</ArticleTitle>
        {abstract}
        <VernacularTitle>Autre chose.</VernacularTitle>
        <PublicationTypeList><PublicationType>Journal Article</PublicationType>{kinds}</PublicationTypeList>
      </Article>
      <CommentsCorrectionsList>{more}</CommentsCorrectionsList>
      <OtherAbstract Type="Publisher" Language="fre"><AbstractText>Autre texte.</AbstractText></OtherAbstract>
    </MedlineCitation>
    <PubmedData><ReferenceList><Reference><ArticleIdList><ArticleId IdType="pubmed">77</ArticleId></ArticleIdList>
    </Reference></ReferenceList></PubmedData>
  </PubmedArticle>
"""


def read(text: str | bytes, name: str = "pubmed21n1298.xml") -> tuple[list[Document], list[Rejected]]:
    rejected: list[Rejected] = []
    raw = text.encode() if isinstance(text, str) else text
    return list(read_medline(io.BytesIO(raw), ReadLog(name, rejected.append))), rejected


def one(record: str) -> Document:
    (document,), rejected = read(HEAD + record + TAIL)
    assert rejected == []
    return document


# --- what a record becomes


def test_title_and_labelled_parts_become_passages_with_markup_flattened() -> None:
    abstract = """<Abstract>
      <AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Ca<sup>2+</sup> and <i>E.  coli</i>
         &lt; 5&#x2009;mM.</AbstractText>
      <AbstractText Label="MATERIALS AND METHODS">We <b>did<sub>1</sub></b> it.<!-- no --></AbstractText>
      <AbstractText Label="UNLABELLED">Then.</AbstractText>
      <AbstractText/>
      <CopyrightInformation>Copyright 1998</CopyrightInformation>
    </Abstract>"""
    assert one(citation(9949209, "<i>SOD1</i> in ALS.", abstract)) == Document(
        "9949209",
        1998,
        (
            Passage("title", 0, "SOD1 in ALS."),
            Passage("background", 13, "Ca2+ and E. coli < 5 mM."),
            Passage("materials and methods", 38, "We did1 it."),
            Passage("abstract", 50, "Then."),
        ),
        (),
        revision=(211298, 1),
    )


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("<PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate>", 1998),
        ("<PubDate><MedlineDate>Winter 20041 2005</MedlineDate></PubDate>", 2005),
        ("<PubDate><Year>2020</Year><Season>Spring</Season></PubDate>", 2020),
        ("<PubDate></PubDate>", 2001),
        ("", 2001),
    ],
)
def test_the_year_is_that_of_the_issue_else_that_of_completion(date: str, year: int) -> None:
    assert one(citation(1, date=date)).year == year


def test_a_missing_title_is_none_and_a_record_without_text_is_kept_and_counted() -> None:
    log = ReadLog("a.xml")
    text = HEAD + citation(1, "[Not Available].") + citation(2, "<b/>") + TAIL
    assert [d.passages for d in read_medline(io.BytesIO(text.encode()), log)] == [(), ()]
    assert log.counts == {"records without text": 2}


def test_retracted_papers_are_marked_and_retraction_notices_are_not() -> None:
    marked = citation(1, kinds='<PublicationType UI="D016441">Retracted Publication</PublicationType>')
    noted = citation(
        2, more='<CommentsCorrections RefType="RetractionIn"><RefSource>x</RefSource></CommentsCorrections>'
    )
    notice = citation(
        3,
        more='<CommentsCorrections RefType="RetractionOf"><PMID>1</PMID></CommentsCorrections>',
        kinds="<PublicationType>Retraction of Publication</PublicationType>",
    )
    found, _ = read(HEAD + marked + noted + notice + TAIL)
    assert [(d.doc_id, d.retracted) for d in found] == [("1", True), ("2", True), ("3", False)]


def test_deletions_come_as_deleted_documents_after_the_records_and_revisions_count_places() -> None:
    deletions = '<DeleteCitation>\n<PMID Version="1">8</PMID><PMID Version="1">9</PMID><PMID>x</PMID></DeleteCitation>'
    found, rejected = read(HEAD + citation(7) + deletions + "<DeleteDocument/>" + TAIL)
    assert [(d.doc_id, d.revision, d.deleted, d.passages != ()) for d in found] == [
        ("7", (211298, 1), False, True),
        ("8", (211298, 2), True, False),
        ("9", (211298, 3), True, False),
    ]
    assert [r.reason for r in rejected] == ["a deleted record must be a PMID: digits"]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("pubmed21n1298.xml.gz", 211298),
        ("/x/pubmed26n0001.xml", 260001),
        ("medline17n0892.xml", 170892),
        ("pubmed21n12.xml", 0),
        ("mine.xml", 0),
    ],
)
def test_later_files_have_higher_numbers(name: str, number: int) -> None:
    assert file_number(name) == number


def test_books_and_bare_citations_read_too() -> None:
    book = """<PubmedBookArticle><BookDocument><PMID Version="1">20301372</PMID>
      <Book><BookTitle>GeneReviews</BookTitle><PubDate><Year>1993</Year></PubDate></Book>
      <ArticleTitle>SOD1 disease</ArticleTitle><Abstract><AbstractText>It is rare.</AbstractText></Abstract>
      </BookDocument><PubmedBookData/></PubmedBookArticle>"""
    document = one(book)
    assert (document.doc_id, document.year) == ("20301372", 1993)
    assert [p.text for p in document.passages] == ["SOD1 disease", "It is rare."]
    bare = citation(5).partition("<MedlineCitation")[2].partition("</MedlineCitation>")[0]
    text = f"<MedlineCitationSet><MedlineCitation{bare}</MedlineCitation></MedlineCitationSet>"
    assert [d.doc_id for d in read(text)[0]] == ["5"]


# --- damage


def damaged(record: str) -> tuple[list[str], list[tuple[int, str]]]:
    """Ids and rejections of a file that holds a record between two good ones; it begins in line 21 of the file."""
    found, rejected = read(HEAD + citation(1) + record + citation(3) + TAIL)
    return [d.doc_id for d in found], [(r.line, r.reason) for r in rejected]


def test_a_malformed_record_is_rejected_with_its_lines_and_the_next_is_read() -> None:
    ids, rejected = damaged(citation(2).replace("</ArticleTitle>", "</Title>"))
    assert ids == ["1", "3"]
    assert rejected == [(27, "malformed XML")]


NO_RECORD = "content that belongs to no record"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (citation(2).replace("</PubmedArticle>", ""), [(21, "record without its end")]),
        (citation(2)[:400], [(21, "record without its end")]),
        ("&nothing;<x>y</x>", [(21, NO_RECORD)]),
        ("\n\n</PubmedArticle>", [(23, NO_RECORD)]),
        (citation(""), [(21, "a record's PMID must be digits")]),
        (citation("0012"), [(21, "a record's PMID must be digits")]),
        ("<PubmedArticle></PubmedArticle>", [(21, "a record must hold one citation")]),
        ("<PubmedArticle/>", [(21, "a record must hold one citation")]),
        (citation(2, "&bomb;"), [(27, "malformed XML")]),
        (citation(2, "\x0b"), [(27, "malformed XML")]),
        (citation(2, "<a>" * 500 + "</a>" * 500), [(27, "malformed XML")]),
    ],
)
def test_any_damage_costs_its_own_record_only(record: str, expected: list[tuple[int, str]]) -> None:
    assert damaged(record) == (["1", "3"], expected)


def test_a_record_whose_start_is_damaged_is_found_again_by_its_citation() -> None:
    ids, rejected = damaged(citation(2).replace("<PubmedArticle>", "<PubmedArtcle>"))
    assert ids == ["1", "2", "3"]
    assert [reason for _, reason in rejected] == [NO_RECORD] * 2


def test_bytes_that_are_no_utf8_are_rejected_and_other_encodings_refused() -> None:
    text = HEAD + citation(1, "\u00e9") + citation(2) + TAIL
    found, rejected = read(text.encode("latin-1"))
    assert [d.doc_id for d in found] == ["2"]
    assert [r.line for r in rejected] == [10]
    for raw in (text.replace("utf-8", "iso-8859-1").encode("latin-1"), text.encode("utf-16")):
        with pytest.raises(InvalidInputError, match=r"the XML file pubmed21n1298\.xml must be UTF-8, was: "):
            read(raw)


def test_a_file_that_is_cut_says_so() -> None:
    whole = HEAD + citation(1) + citation(2)
    assert [r.reason for r in read(whole)[1]] == ["the file ends before the end of its root element"]
    found, rejected = read(whole[:-300])
    assert [d.doc_id for d in found] == ["1"]
    assert [(r.line, r.reason) for r in rejected] == [(21, "the file ends inside a record")]


def test_entities_that_blow_up_are_never_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f"<!ENTITY {name} '{f'&{inner};' * 10}'>" for inner, name in pairwise("abcdefghi")
    )
    text = f'<?xml version="1.0"?>\n{bomb}]>\n<PubmedArticleSet>{citation(1)}{citation(2, "&i;")}{TAIL}'
    found, rejected = read(text)
    assert [d.doc_id for d in found] == ["1"]
    assert len(rejected) == 1
    assert "Entity 'i' not defined" in rejected[0].record


def test_comments_and_cdata_are_no_records_and_an_open_comment_swallows_nothing() -> None:
    hidden = f"<!-- {citation(8)} -->"
    text = HEAD + hidden + citation(1, "<![CDATA[</PubmedArticle> & more]]>") + hidden * 20 + citation(2) + TAIL
    found, rejected = read(text)
    assert [(d.doc_id, d.passages[0].text) for d in found] == [("1", "</PubmedArticle> & more"), ("2", "SOD1 in ALS.")]
    assert rejected == []
    ids, reasons = damaged("<!-- ")
    assert ids == ["1", "3"]
    assert [reason for _, reason in reasons] == [NO_RECORD]


def test_overlong_records_and_rubbish_are_passed_over_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_records, "MAX_RECORD", 1 << 16)
    ids, rejected = damaged(citation(2, "x" * (1 << 20)))
    assert ids == ["1", "3"]
    assert rejected == [(21, "record longer than 65536 bytes")]
    ids, rejected = damaged("rubbish " * (1 << 17))
    assert ids == ["1", "3"]
    assert rejected == [(21, NO_RECORD)]


@given(st.integers(1, 200), st.integers(0, 60))
def test_records_do_not_depend_on_where_the_file_is_read_in_pieces(chunk: int, shift: int) -> None:
    text = (
        HEAD
        + " " * shift
        + citation(1)
        + "<!-- a -->"
        + citation(2)
        + "<DeleteCitation><PMID>3</PMID></DeleteCitation>"
        + TAIL
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_records, "_CHUNK", 100 + chunk)
        assert read(text) == read(text)
        found, rejected = read(text)
    assert [d.doc_id for d in found] == ["1", "2", "3"]
    assert rejected == []


# --- files


def test_medline_files_are_known_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress((HEAD + citation(1) + TAIL).encode()))
    assert sniff_text_format(tmp_path / "a") is TextFormat.MEDLINE
    log = ReadLog("a")
    assert [d.doc_id for d in read_documents(tmp_path / "a", TextFormat.MEDLINE, log)] == ["1"]
    (tmp_path / "b").write_text("<html><body>Not found</body></html>", encoding="utf-8")
    assert sniff_text_format(tmp_path / "b") is None


@pytest.mark.slow
@pytest.mark.skipif("RELVM_KG_MEDLINE" not in os.environ, reason="RELVM_KG_MEDLINE names no folder of MEDLINE files")
def test_the_sample_files_of_medline_read_whole() -> None:
    folder = Path(os.environ["RELVM_KG_MEDLINE"])
    counts = {}
    for name in ("pubmed20n0014.xml.gz", "pubmed21n1298.xml.gz"):
        log = ReadLog(name)
        found = list(read_documents(folder / name, TextFormat.MEDLINE, log))
        counts[name] = (
            sum(not d.deleted for d in found),
            sum(any(p.section != "title" for p in d.passages) for d in found),
            sum(d.deleted for d in found),
            sum(d.retracted for d in found),
        )
        assert not log.rejected
        assert all(d.year for d in found if not d.deleted)
    assert counts == {"pubmed20n0014.xml.gz": (30000, 14832, 0, 2), "pubmed21n1298.xml.gz": (20788, 18445, 20, 4)}
