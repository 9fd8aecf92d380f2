"""PubTator and JSONL: round trips, hand-made records, and attacks."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus.annotation import joined_text, locate
from relvm_kg.corpus.jsonl import document_to_json, read_jsonl, trusted_document
from relvm_kg.corpus.pubtator import read_pubtator
from relvm_kg.corpus.read_log import ReadLog, Rejected, read_rejected
from relvm_kg.corpus.sentences import split_text
from relvm_kg.types import Document, DocumentRelation, EntityId, EntityType, Mention, Passage

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\t", exclude_categories=("Cs", "Cc")), max_size=60)
IDS = {
    EntityType.GENE: st.integers(1, 10**6).map(lambda n: EntityId("NCBIGene", str(n))),
    EntityType.DISEASE: st.one_of(
        st.integers(100, 10**6).map(lambda n: EntityId("MESH", f"D{n:06d}")),
        st.integers(100000, 10**6).map(lambda n: EntityId("OMIM", str(n))),
    ),
    EntityType.CHEMICAL: st.integers(100, 10**6).map(lambda n: EntityId("MESH", f"C{n:06d}")),
}
D1, D2, G1 = EntityId("MESH", "D000690"), EntityId("MESH", "D009369"), EntityId("NCBIGene", "6506")


@st.composite
def documents(draw: st.DrawFn) -> Document:
    title, abstract = draw(TEXTS), draw(TEXTS)
    passages = (Passage("title", 0, title), Passage("abstract", len(title) + 1, abstract))
    text = joined_text(passages)
    mentions: set[Mention] = set()
    for passage in (p for p in passages if p.text):
        for _ in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, len(passage.text) - 1)) + passage.offset
            end = draw(st.integers(start + 1, passage.offset + len(passage.text)))
            entity_type = draw(st.sampled_from(EntityType))
            ids = tuple(draw(st.lists(IDS[entity_type], max_size=3, unique=True)))
            mentions.add(Mention(start, end, text[start:end], entity_type, ids))
    ordered = tuple(sorted(mentions, key=lambda m: (m.start, m.end, m.type, m.ids)))
    known = list(dict.fromkeys(entity for mention in ordered for entity in mention.ids))
    relations = (DocumentRelation("Association", known[0], known[1]),) if len(known) > 1 else ()
    return Document(str(draw(st.integers(1, 10**8))), None, passages, ordered, relations)


def to_pubtator(document: Document) -> str:
    lines = [f"{document.doc_id}|{p.section[0]}|{p.text}" for p in document.passages]
    for mention in document.mentions:
        ids = "|".join(str(entity) for entity in mention.ids) or "-"
        cells = [document.doc_id, str(mention.start), str(mention.end), mention.text, mention.type.value, ids]
        lines.append("\t".join(cells))
    lines += ["\t".join([document.doc_id, r.predicate, str(r.first), str(r.second)]) for r in document.relations]
    return "\n".join(lines) + "\n\n"


def pubtator(text: str) -> tuple[list[Document], ReadLog, list[Rejected]]:
    rejected: list[Rejected] = []
    log = ReadLog("made.txt", rejected.append)
    lines = enumerate((line.rstrip("\r") for line in text.split("\n")), start=1)
    return list(read_pubtator(lines, log)), log, rejected


def jsonl(*lines: str) -> tuple[list[Document], list[Rejected]]:
    rejected: list[Rejected] = []
    return list(read_jsonl(enumerate(lines, start=1), ReadLog("made.jsonl", rejected.append))), rejected


# --- round trips


@given(st.lists(documents(), max_size=4, unique_by=lambda d: d.doc_id))
def test_pubtator_text_of_documents_reads_back_as_the_same_documents(made: list[Document]) -> None:
    found, _, rejected = pubtator("\n" + "".join(map(to_pubtator, made)))
    assert found == made
    assert rejected == []


NUMBERS = st.integers(0, 10**6)


@given(documents(), st.none() | st.integers(1, 9999), st.lists(st.booleans(), min_size=5, max_size=5), st.data())
def test_a_document_survives_our_own_form(
    document: Document, year: int | None, flags: list[bool], data: st.DataObject
) -> None:
    document = document._replace(
        year=year,
        simulated=flags[0],
        retracted=flags[1],
        deleted=flags[2],
        revision=data.draw(st.none() | st.tuples(NUMBERS, NUMBERS)),
        annotated=tuple(t for t in EntityType if data.draw(st.booleans())),
        passages=tuple(p._replace(sentences=tuple(split_text(p.text)) if flags[3] else ()) for p in document.passages),
        mentions=tuple(m._replace(tagged=flags[4]) for m in document.mentions),
    )
    line = document_to_json(document)
    assert "\n" not in line
    assert jsonl(line) == ([document], [])
    assert trusted_document(line) == document


def test_a_document_without_the_later_fields_is_written_as_it_always_was() -> None:
    mention = Mention(0, 5, "EAAT2", EntityType.GENE, (G1,))
    document = Document("1", None, (Passage("title", 0, "EAAT2 in ALS."),), (mention,))
    assert document_to_json(document) == (
        '{"id":"1","year":null,"passages":[{"section":"title","offset":0,"text":"EAAT2 in ALS."}],'
        '"mentions":[{"start":0,"end":5,"text":"EAAT2","type":"GENE","ids":["NCBIGene:6506"]}]}'
    )


# --- PubTator, as it is found


TITLE = "1|t|EAAT2 in ALS and cancer.\n"


def test_ids_with_and_without_prefix_joined_or_missing() -> None:
    text = (
        "\n\n1|t|EAAT2 in ALS and cancer.\r\n1|a|ALS again.\r\n"
        "1\t0\t5\tEAAT2\tGeneOrGeneProduct\t6506(Tax:9606)\r\n"
        "1\t9\t12\tALS\tSpecificDisease\t D000690\r\n"
        "1\t9\t23\tALS and cancer\tCompositeMention\tMESH:D000690|D009369\tALS|cancer\r\n"
        "1\t17\t23\tcancer\tModifier\t*D009369+OMIM:114480\r\n"
        "1\t25\t28\tALS\tDisease\t-1\r\n"
        "1\t25\t28\tALS\tDisease\r\n"
        "1\t25\t28\tALS\tSpecies\t9606\r\n"
    )
    (document,), log, rejected = pubtator(text)
    assert rejected == []
    assert [(m.text, m.type, m.ids) for m in document.mentions] == [
        ("EAAT2", EntityType.GENE, (G1,)),
        ("ALS", EntityType.DISEASE, (D1,)),
        ("ALS and cancer", EntityType.DISEASE, (D1, D2)),
        ("cancer", EntityType.DISEASE, (D2, EntityId("OMIM", "114480"))),
        ("ALS", EntityType.DISEASE, ()),
    ]
    assert log.counts == Counter({"annotations of other types": 1, "duplicate annotations merged": 1})


def test_relation_lines_of_four_and_five_columns_read_and_other_types_are_counted() -> None:
    text = TITLE + (
        "1\t0\t5\tEAAT2\tGene\t6506\n1\t9\t12\tALS\tDisease\tD000690\n1\t17\t23\tcancer\tSequenceVariant\trs123\n"
        "1\tCID\tD000690\tD009369\n1\tAssociation\t6506\tD000690\tNovel\n1\tAssociation\trs123\tD000690\tNo\n"
        "1\tBind\t6506\tD000690|D009369\n1\tBind\t6506\t77\n"
    )
    (document,), log, rejected = pubtator(text)
    assert document.relations == (
        DocumentRelation("CID", D1, D2),
        DocumentRelation("Association", G1, D1),
        DocumentRelation("Bind", G1, D1),
        DocumentRelation("Bind", G1, D2),
    )
    assert log.counts["relations of other types"] == 1
    assert [(r.line, r.reason) for r in rejected] == [(9, "relation names an id that the document does not mention")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1\t9\t12\tTDP\tDisease\tD1", "offsets do not match the text"),
        ("1\t9\t99999\tALS again\tDisease\tD1", "offsets do not match the text"),
        ("1\t9\t9\t\tDisease\tD1", "offsets do not match the text"),
        ("2\t9\t12\tALS\tDisease\tD000690", "annotation does not follow its document's text"),
        ("1\t9\t12\tALS", "annotation without a type"),
        ("1\t9\t12\tALS\tGene\tD000690", "no id of type GENE"),
        ("ALS is a disease", "line is neither text, annotation nor relation"),
        ("1\t9\t\tALS", "line is neither text, annotation nor relation"),
        ("1\t19\t27\tcer. ALS\tDisease\tD1", "mention crosses two passages"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_number_and_the_rest_goes_on(line: str, reason: str) -> None:
    text = f"{TITLE}1|a|ALS.\n{line}\n1\t0\t5\tEAAT2\tGene\t6506\n2|t|Next\n"
    found, log, rejected = pubtator(text)
    assert rejected == [Rejected("made.txt", 3, reason, line)]
    assert log.rejected == Counter({reason: 1})
    assert [d.doc_id for d in found] == ["1", "2"]
    assert "EAAT2" in [m.text for m in found[0].mentions]


def test_annotations_before_any_text_are_set_aside() -> None:
    found, _, rejected = pubtator("1\t0\t5\tEAAT2\tGene\t6506\n" + TITLE)
    assert [d.doc_id for d in found] == ["1"]
    assert [r.reason for r in rejected] == ["annotation does not follow its document's text"]


def test_blank_lines_inside_and_missing_between_documents_do_no_harm() -> None:
    text = "1|t|ALS\n\n1|a|More\n\n1\t0\t3\tALS\tDisease\tD000690\n2|t|ALS\n2\t0\t3\tALS\tDisease\tD000690\n1|t|ALS\n"
    found, _, rejected = pubtator(text)
    assert [(d.doc_id, len(d.passages), len(d.mentions)) for d in found] == [("1", 2, 1), ("2", 1, 1), ("1", 1, 0)]
    assert rejected == []


@given(st.text(max_size=200))
def test_no_text_whatever_breaks_the_pubtator_reader(text: str) -> None:
    for document in pubtator(text)[0]:
        whole = joined_text(document.passages)
        assert all(whole[m.start : m.end] == m.text for m in document.mentions)


@given(documents(), st.data())
def test_a_damaged_pubtator_file_never_gives_a_mention_that_is_not_in_the_text(
    document: Document, data: st.DataObject
) -> None:
    text = to_pubtator(document)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    for found in pubtator(text[:start] + data.draw(st.text(max_size=5)) + text[end:])[0]:
        whole = joined_text(found.passages)
        assert all(whole[m.start : m.end] == m.text for m in found.mentions)


# --- repairs


def test_offsets_that_count_bytes_are_repaired_and_counted() -> None:
    title = "β-catenin and ALS, αβγ and tumours of the large bowel in ALS"
    start = len(title[: title.rindex("ALS")].encode())
    (document,), log, rejected = pubtator(f"1|t|{title}\n1\t{start}\t{start + 3}\tALS\tDisease\tD000690\n")
    assert [m.start for m in document.mentions] == [title.rindex("ALS")]
    assert log.counts == Counter({"offsets repaired": 1})
    assert rejected == []


def test_a_mention_that_stands_once_nearby_is_repaired_and_one_that_stands_twice_is_not() -> None:
    assert locate("a tumour and a cyst", 3, 9, "tumour") == 2
    assert locate("cyst or cyst", 3, 7, "cyst") is None
    assert locate("x" * 100 + "cyst", 3, 7, "cyst") is None


@given(TEXTS, st.integers(-5, 80), st.integers(-5, 80), st.text(max_size=4))
def test_a_located_mention_is_in_the_text(text: str, start: int, end: int, surface: str) -> None:
    found = locate(text, start, end, surface)
    assert found is None or text[found : found + len(surface)] == surface != ""


# --- JSONL attacks


RECORD = {
    "id": "1",
    "passages": [{"section": "title", "offset": 0, "text": "EAAT2 in ALS."}],
    "mentions": [{"start": 0, "end": 5, "text": "EAAT2", "type": "Gene", "ids": ["6506"]}],
}


def test_the_least_that_a_record_needs() -> None:
    (document,), rejected = jsonl(json.dumps(RECORD))
    assert document == Document(
        "1", None, (Passage("title", 0, "EAAT2 in ALS."),), (Mention(0, 5, "EAAT2", EntityType.GENE, (G1,)),)
    )
    assert rejected == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": 5}, "the field 'id' must be of type str"),
        ({"id": " "}, "a document's id must not be empty"),
        ({"year": "1998"}, "a document's year must be a whole number or null"),
        ({"year": True}, "a document's year must be a whole number or null"),
        ({"simulated": "no"}, "a document's simulated must be true or false"),
        ({"retracted": 1}, "a document's retracted must be true or false"),
        ({"deleted": None}, "a document's deleted must be true or false"),
        ({"revision": [1, 2, 3]}, "a document's revision must be two whole numbers, not negative"),
        ({"revision": [1, -1]}, "a document's revision must be two whole numbers, not negative"),
        ({"revision": [True, 1]}, "a document's revision must be two whole numbers, not negative"),
        ({"annotated": "GENE"}, "the field 'annotated' must be of type list"),
        ({"annotated": ["GENE", "species"]}, "a document's annotated must list types: GENE, DISEASE, CHEMICAL"),
        ({"mentions": [{**RECORD["mentions"][0], "tagged": 1}]}, "a mention's tagged must be true or false"),  # type: ignore[dict-item]
        (
            {"passages": [{"section": "t", "offset": 0, "text": "EAAT2", "sentences": [[0, 6]]}]},
            "a passage's sentences must be [start, end] inside its text, in order and apart",
        ),
        (
            {"passages": [{"section": "t", "offset": 0, "text": "EAAT2", "sentences": [[2, 4], [3, 5]]}]},
            "a passage's sentences must be [start, end] inside its text, in order and apart",
        ),
        ({"passages": {}}, "the field 'passages' must be of type list"),
        (
            {"passages": [{"section": "t", "offset": -1, "text": ""}]},
            "a passage's offset must be between 0 and 100000000",
        ),
        (
            {"passages": [{"section": "t", "offset": 0, "text": "ab"}, {"section": "a", "offset": 1, "text": ""}]},
            "passages must be in order, apart, and at most 10000 characters apart",
        ),
        (
            {"passages": [{"section": "t", "offset": 90_000_000, "text": "ab"}]},
            "the first passage must start within 10000 characters",
        ),
        ({"mentions": [{"start": 0}]}, "a record lacks its field 'type'"),
        ({"mentions": [{**RECORD["mentions"][0], "ids": [6506]}]}, "a mention's ids must be texts"),  # type: ignore[dict-item]
        ({"mentions": 3}, "the field 'mentions' must be of type list"),
        ({"relations": [{"predicate": "x", "first": "y"}]}, "a record lacks its field 'second'"),
        ({"relations": 1}, "the field 'relations' must be of type list"),
    ],
)
def test_a_record_that_breaks_the_form_is_set_aside_with_the_rule(change: dict[str, object], reason: str) -> None:
    found, rejected = jsonl(json.dumps({**RECORD, **change}), json.dumps({**RECORD, "id": "2"}))
    assert [d.doc_id for d in found] == ["2"]
    assert [(r.line, r.reason) for r in rejected] == [(1, reason)]


def test_half_a_surrogate_pair_is_set_aside() -> None:
    found, rejected = jsonl(json.dumps({**RECORD, "id": "\ud800"}), json.dumps({**RECORD, "id": "😀"}))
    assert [d.doc_id for d in found] == ["😀"]
    assert [r.reason for r in rejected] == ["a text holds half of a surrogate pair"]


@pytest.mark.parametrize("line", ["{", "[1]", "3", "null", '"x"', "NaN", "[" * 100_000])
def test_what_is_no_json_object_is_set_aside(line: str) -> None:
    found, rejected = jsonl(line, json.dumps(RECORD))
    assert len(found) == 1
    assert len(rejected) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "year", "passages", "mentions", "relations", "simulated", "revision", "annotated"]), JSON
    ),
    st.sampled_from(["", "passages", "mentions", "relations"]),
    st.dictionaries(
        st.sampled_from(["section", "offset", "text", "start", "end", "type", "ids", "predicate", "first", "second"]),
        JSON,
    ),
)
def test_no_json_value_breaks_the_jsonl_reader(record: dict[str, object], key: str, inner: dict[str, object]) -> None:
    merged = {**RECORD, **record, **({key: [inner]} if key else {})}
    found, rejected = jsonl(json.dumps(merged))
    assert len(found) + len(rejected) >= 1


def test_rejected_records_are_kept_short_and_read_back(tmp_path: Path) -> None:
    rejected = Rejected("f", 3, "too long", "x\n\u2028" * 3)
    (tmp_path / "rejected.jsonl").write_text(rejected.to_json() + "\n", encoding="utf-8")
    assert read_rejected(tmp_path / "rejected.jsonl") == [rejected]
    seen: list[Rejected] = []
    ReadLog("f", seen.append).reject(1, "long", "y" * 10_000)
    assert len(seen[0].record) == 500


# --- PubTator3


def test_pubtator3_exports_read_with_typed_relations_and_types_beyond_the_three() -> None:
    text = (
        "28483577|t|Metformin and sitagliptin in A549 cells.\n28483577|a|TP53 R175H and inflammation of mice.\n"
        "28483577\t0\t9\tMetformin\tChemical\tMESH:D000068298\n"
        "28483577\t29\t33\tA549\tCellLine\tCVCL_0023\n"
        "28483577\t41\t45\tTP53\tGene\t7157;22059\n"
        "28483577\t46\t51\tR175H\tProteinMutation\ttmVar:p|SUB|R|175|H;HGVS:p.R175H;VariantGroup:0\n"
        "28483577\t56\t68\tinflammation\tDisease\tMESH:D007249\n"
        "28483577\t72\t76\tmice\tSpecies\t10090\n"
        "28483577\t14\t25\tsitagliptin\tChemical\t-\n"
        "28483577\tNegative_Correlation\tChemical|MESH:D000068298\tDisease|MESH:D007249\n"
        "28483577\tCotreatment\tChemical|MESH:D000068298\tChemical|MESH:D000068900\n"
        "28483577\tAssociation\tGene|7157\tDisease|OMIM:151623\n"
        "28483577\tAssociation\tProteinMutation|HGVS:p.R175H\tDisease|MESH:D007249\n"
        "28483577\tBind\tGene|TP53\tChemical|MESH:D000068298\n\n"
    )
    (document,), log, rejected = pubtator(text)
    metformin, inflammation = EntityId("MESH", "D000068298"), EntityId("MESH", "D007249")
    assert [(m.text, m.type.value, [str(i) for i in m.ids]) for m in document.mentions] == [
        ("Metformin", "CHEMICAL", ["MESH:D000068298"]),
        ("sitagliptin", "CHEMICAL", []),
        ("TP53", "GENE", ["NCBIGene:7157", "NCBIGene:22059"]),
        ("inflammation", "DISEASE", ["MESH:D007249"]),
    ]
    assert document.relations == (
        DocumentRelation("Negative_Correlation", metformin, inflammation),
        DocumentRelation("Cotreatment", metformin, EntityId("MESH", "D000068900")),
        DocumentRelation("Association", EntityId("NCBIGene", "7157"), EntityId("OMIM", "151623")),
    )
    assert log.counts == {"annotations of other types": 3, "relations of other types": 1}
    assert [(r.line, r.reason) for r in rejected] == [(14, "relation names an id that the document does not mention")]


def test_documents_of_very_many_parts_take_time_in_proportion() -> None:
    n = 30_000
    started = time.process_time()
    lines = ["1|t|T", *(f"1|s{i}|β {i}" for i in range(n))]
    (document,), _, _ = pubtator("\n".join([*lines, *(f"1\t{i}\t{i + 1}\tβ\tGene\t1" for i in range(n))]))
    assert len(document.passages) == n + 1
    assert jsonl(document_to_json(document)) == ([document], [])
    assert time.process_time() - started < 30


@given(st.lists(st.tuples(st.integers(0, 30), st.text("ab", max_size=5)), max_size=6))
def test_the_joined_text_has_each_passage_at_its_offset_and_the_last_one_wins(parts: list[tuple[int, str]]) -> None:
    passages = tuple(Passage("x", offset, text) for offset, text in parts)
    expected = ""
    for passage in passages:
        expected = expected.ljust(passage.offset)[: passage.offset] + passage.text
    assert joined_text(passages) == expected
