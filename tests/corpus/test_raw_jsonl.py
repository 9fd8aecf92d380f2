"""Text without annotation as JSON lines."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus.raw_jsonl import passages_of, read_raw_jsonl
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.types import Document, Passage

RECORD = {"pmid": "9949209", "year": 1998, "title": "SOD1 in ALS.", "abstract": "Riluzole was given."}


def read(*records: object) -> tuple[list[Document], list[Rejected]]:
    rejected: list[Rejected] = []
    log = ReadLog("made.jsonl", rejected.append)
    lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
    return list(read_raw_jsonl(enumerate(lines, start=1), log)), rejected


def test_title_abstract_and_body_become_passages_a_character_apart() -> None:
    (document,), rejected = read({**RECORD, "body": ["First  one.\n", "", "Second\tone."], "source": "somewhere"})
    assert rejected == []
    assert document == Document(
        "9949209",
        1998,
        (
            Passage("title", 0, "SOD1 in ALS."),
            Passage("abstract", 13, "Riluzole was given."),
            Passage("body", 33, "First one."),
            Passage("body", 44, "Second one."),
        ),
        (),
    )


def test_blank_lines_part_the_paragraphs_of_a_text() -> None:
    (document,), _ = read({"doc_id": "a", "title": "T", "body": "One\nline.\n \n\nTwo."})
    assert [(p.section, p.text) for p in document.passages] == [("title", "T"), ("body", "One line."), ("body", "Two.")]


@pytest.mark.parametrize(
    ("ids", "body", "expected"),
    [
        ({"pmid": "9949209"}, False, "9949209"),
        ({"pmid": 9949209, "doc_id": "PMID:9949209"}, False, "9949209"),
        ({"pmid": " PMID:09949209", "doc_id": "mine"}, False, "9949209"),
        ({"pmid": None, "doc_id": "PMID:9949209"}, False, "9949209"),
        ({"pmid": "9949209", "doc_id": "PMID:9949209#body"}, True, "9949209#body"),
        ({"pmid": "9949209"}, True, "9949209#body"),
        ({"doc_id": "PMID:9949209#methods"}, False, "9949209#methods"),
        ({"pmid": None, "doc_id": "text:0a1b"}, False, "text:0a1b"),
        ({"doc_id": "thesis-7"}, True, "thesis-7"),
        ({"pmid": "", "doc_id": "7"}, False, "text:7"),
        ({"doc_id": 7}, False, "text:7"),
        ({"doc_id": "PMID:none"}, False, "PMID:none"),
    ],
)
def test_a_pmid_is_the_id_and_other_ids_cannot_be_taken_for_one(
    ids: dict[str, object], body: bool, expected: str
) -> None:
    text = {"title": "T", "body": ["B"]} if body else {"title": "T", "abstract": "A"}
    (document,), _ = read({**ids, **text})
    assert document.doc_id == expected


@pytest.mark.parametrize("year", [None, "1998", 1998])
def test_a_year_may_be_absent_a_number_or_four_digits(year: object) -> None:
    (document,), rejected = read({**RECORD, "year": year})
    assert document.year == (year and int(str(year)))
    assert rejected == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pmid": "PMC12"}, "a document's pmid must be a PubMed id: digits"),
        ({"pmid": 1.5}, "a document's pmid must be a text or a whole number"),
        ({"pmid": None}, "a document must have a pmid or a doc_id"),
        ({"pmid": None, "doc_id": True}, "a document's doc_id must be a text or a whole number"),
        ({"year": "98"}, "a document's year must be a whole number or null"),
        ({"year": 1998.5}, "a document's year must be a whole number or null"),
        ({"title": " ", "abstract": None}, "a document must have a title, an abstract or a body"),
        ({"title": ["a"]}, "a document's title must be a text"),
        ({"abstract": 5}, "a document's abstract must be a text or a list of texts"),
        ({"body": ["a", 5]}, "a document's body must be a text or a list of texts"),
        ({"title": "\ud800"}, "a text holds half of a surrogate pair"),
    ],
)
def test_a_record_that_breaks_the_form_is_set_aside_with_the_rule(change: dict[str, object], reason: str) -> None:
    found, rejected = read({**RECORD, **change}, {**RECORD, "pmid": 2})
    assert [d.doc_id for d in found] == ["2"]
    assert [(r.line, r.reason) for r in rejected] == [(1, reason)]


@pytest.mark.parametrize("line", ["{", "[1]", "3", "null", '"x"', "NaN", "[" * 100_000])
def test_what_is_no_json_object_is_set_aside(line: str) -> None:
    found, rejected = read(line, RECORD)
    assert len(found) == len(rejected) == 1


@given(st.lists(st.tuples(st.sampled_from(["title", "body"]), st.text(max_size=20)), max_size=5))
def test_passages_lie_one_behind_the_other_and_lose_nothing_but_white_space(parts: list[tuple[str, str]]) -> None:
    passages = passages_of(parts)
    assert "".join("".join(text.split()) for _, text in parts) == "".join(p.text.replace(" ", "") for p in passages)
    for before, after in pairwise(passages):
        assert after.offset == before.offset + len(before.text) + 1
