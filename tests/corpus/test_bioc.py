"""BioC XML and JSON in the dialects of PubTator3, BioRED, BC5CDR and PMC."""

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus import json_records
from relvm_kg.corpus.bioc_files import read_bioc_json, read_bioc_lines, read_bioc_xml
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.sources import TextFormat, read_documents, sniff_text_format
from relvm_kg.types import Document, DocumentRelation, EntityId, EntityType, Mention, Passage

METFORMIN, INFLAMMATION, TP53 = EntityId("MESH", "D008687"), EntityId("MESH", "D007249"), EntityId("NCBIGene", "7157")

PUBTATOR3_XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>PubTator</source><date></date><key>BioC.key</key>
<document><id>28483577</id><infon key="tt_version">3</infon>
<passage><infon key="journal">Brain. 2017</infon><infon key="year">2017</infon><infon key="type">title</infon>
<infon key="section">Title</infon><offset>0</offset><text>Metformin &amp; TP53 in mice.</text>
<annotation id="2"><infon key="identifier">MESH:D008687</infon><infon key="type">Chemical</infon>
<location offset="0" length="9"/><text>Metformin</text></annotation>
<annotation id="3"><infon key="identifier">7157</infon><infon key="NCBI Homologene">460</infon>
<infon key="type">Gene</infon><location offset="12" length="4"/><text>TP53</text></annotation>
<annotation id="4"><infon key="identifier">10090</infon><infon key="type">Species</infon>
<location offset="20" length="4"/><text>mice</text></annotation></passage>
<passage><infon key="type">abstract</infon><offset>26</offset><text>It lessens inflammation.</text>
<annotation id="7"><infon key="identifier">MESH:D007249</infon><infon key="type">Disease</infon>
<location offset="37" length="12"/><text>inflammation</text></annotation></passage>
<relation id="R1"><infon key="score">0.9988</infon><infon key="role1">Chemical|MESH:D008687</infon>
<infon key="role2">Disease|MESH:D007249</infon><infon key="type">Negative_Correlation</infon>
<node refid="0" role="0,1"/></relation>
<relation id="R2"><infon key="role1">Chemical|MESH:D008687</infon><infon key="role2">Species|10090</infon>
<infon key="type">Association</infon></relation></document>
</collection>
"""
EXPECTED = Document(
    "28483577",
    2017,
    (Passage("title", 0, "Metformin & TP53 in mice."), Passage("abstract", 26, "It lessens inflammation.")),
    (
        Mention(0, 9, "Metformin", EntityType.CHEMICAL, (METFORMIN,)),
        Mention(12, 16, "TP53", EntityType.GENE, (TP53,)),
        Mention(37, 49, "inflammation", EntityType.DISEASE, (INFLAMMATION,)),
    ),
    (DocumentRelation("Negative_Correlation", METFORMIN, INFLAMMATION),),
)


def annotation(name: str, ids: object, start: int, text: str, number: str = "1") -> dict[str, Any]:
    infons = {"identifier": ids, "type": name, "valid": True, "normalized": [1], "biotype": name.lower()}
    return {"id": number, "infons": infons, "text": text, "locations": [{"offset": start, "length": len(text)}]}


def pubtator3_json() -> dict[str, Any]:
    return {
        "_id": "28483577|None",
        "id": "28483577",
        "infons": {},
        "passages": [
            {
                "infons": {"journal": "Brain. 2017", "year": "2017", "type": "title"},
                "offset": 0,
                "text": "Metformin & TP53 in mice.",
                "sentences": [],
                "annotations": [
                    annotation("Chemical", "MESH:D008687", 0, "Metformin"),
                    annotation("Gene", "7157", 12, "TP53"),
                    annotation("Species", "10090", 20, "mice"),
                ],
                "relations": [],
            },
            {
                "infons": {"type": "abstract"},
                "offset": 26,
                "text": "It lessens inflammation.",
                "sentences": [],
                "annotations": [annotation("Disease", "MESH:D007249", 37, "inflammation")],
                "relations": [],
            },
        ],
        "relations": [
            {
                "id": "R1",
                "infons": {
                    "score": "0.9988",
                    "role1": {"identifier": "MESH:D008687", "type": "Chemical"},
                    "role2": {"identifier": "MESH:D007249", "type": "Disease"},
                    "type": "Negative_Correlation",
                },
                "nodes": [{"refid": "0", "role": "0,1"}],
            }
        ],
        "pmid": 28483577,
        "pmcid": None,
        "meta": {},
        "date": "2017-09-01T00:00:00Z",
        "authors": ["Deng X"],
        "relations_display": [{"name": "negative_correlate|@CHEMICAL_Metformin|@DISEASE_Inflammation"}],
    }


def read_xml(text: str) -> tuple[list[Document], ReadLog, list[Rejected]]:
    rejected: list[Rejected] = []
    log = ReadLog("made.xml", rejected.append)
    return list(read_bioc_xml(io.BytesIO(text.encode()), log)), log, rejected


def read_file(path: Path, text: str) -> tuple[TextFormat | None, list[Document], list[Rejected]]:
    path.write_text(text, encoding="utf-8")
    rejected: list[Rejected] = []
    found = sniff_text_format(path)
    assert found is not None
    return found, list(read_documents(path, found, ReadLog(path.name, rejected.append))), rejected


def one(document: dict[str, Any]) -> tuple[Document, list[Rejected]]:
    rejected: list[Rejected] = []
    (found,) = read_bioc_lines([(1, json.dumps(document))], ReadLog("made.json", rejected.append))
    return found, rejected


# --- dialects


def test_pubtator3_xml_reads(tmp_path: Path) -> None:
    found, log, rejected = read_xml(PUBTATOR3_XML)
    assert (found, rejected) == ([EXPECTED], [])
    assert log.counts == {"annotations of other types": 1, "relations of other types": 1}
    assert read_file(tmp_path / "a", PUBTATOR3_XML) == (TextFormat.BIOC_XML, [EXPECTED], [])


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"PubTator3": [pubtator3_json()]}),
        json.dumps({"source": "x", "infons": {}, "documents": [pubtator3_json()]}, indent=1),
        json.dumps([pubtator3_json()]),
        json.dumps([{"source": "PMC", "key": "pmc.key", "documents": [pubtator3_json()]}], indent=2),
        json.dumps(pubtator3_json()),
        json.dumps(pubtator3_json(), indent=2),
        "\n\n" + json.dumps(pubtator3_json()) + "\n",
    ],
)
def test_bioc_json_reads_as_a_collection_a_list_or_objects(tmp_path: Path, text: str) -> None:
    assert read_file(tmp_path / "a", text) == (TextFormat.BIOC_JSON, [EXPECTED], [])


def test_many_documents_read_from_lines_and_from_collections_behind_each_other(tmp_path: Path) -> None:
    line = json.dumps(pubtator3_json())
    found, documents, rejected = read_file(tmp_path / "a", f"{line}\n{{broken\n\n{line}")
    assert (found, documents) == (TextFormat.BIOC_JSON, [EXPECTED, EXPECTED])
    assert [(r.line, r.reason) for r in rejected] == [(2, "not a JSON object")]
    collection = json.dumps({"PubTator3": [pubtator3_json()] * 3})
    assert read_file(tmp_path / "b", collection + "\n" + collection)[1:] == ([EXPECTED] * 6, [])


def test_bc5cdr_and_biored_dialects_read() -> None:
    bc5cdr = """<collection><source>CTD</source><date>20150313</date><key>BC5CDR.key</key><document><id>227508</id>
    <passage><infon key="type">title</infon><offset>0</offset><text>Naloxone, clonidine and pain</text>
    <annotation id='0'><infon key="type">Chemical</infon><infon key="MESH">D009270</infon>
    <location offset='0' length='8' /><text>Naloxone</text></annotation>
    <annotation id='1'><infon key="type">Disease</infon><infon key="OMIM">105400</infon>
    <location offset='24' length='4' /><text>pain</text></annotation></passage>
    <relation id='R0'><infon key="relation">CID</infon><infon key="Chemical">D009270</infon>
    <infon key="Disease">105400</infon></relation></document></collection>"""
    (document,), _, rejected = read_xml(bc5cdr)
    naloxone, als = EntityId("MESH", "D009270"), EntityId("OMIM", "105400")
    assert [m.ids for m in document.mentions] == [(naloxone,), (als,)]
    assert document.relations == (DocumentRelation("CID", naloxone, als),)
    assert rejected == []
    biored = bc5cdr.replace('key="relation">CID', 'key="type">Association').replace('key="MESH">', 'key="identifier">')
    biored = biored.replace('key="Chemical">D009270</infon>', 'key="entity1">D009270</infon>')
    biored = biored.replace(
        'key="Disease">105400</infon>', 'key="entity2">105400</infon><infon key="novel">Novel</infon>'
    )
    biored = biored.replace(">Chemical<", ">ChemicalEntity<").replace(">Disease<", ">DiseaseOrPhenotypicFeature<")
    (document,), _, rejected = read_xml(biored)
    assert document.relations == (DocumentRelation("Association", naloxone, als),)
    assert rejected == []


def test_relations_may_point_at_annotations_and_sentences_may_hold_the_text() -> None:
    record = {
        "id": 5,
        "passages": [
            {
                "offset": 10,
                "sentences": [
                    {"offset": 10, "text": "TP53 rose.", "annotations": [annotation("Gene", 7157, 10, "TP53", "T1")]},
                    {
                        "offset": 22,
                        "text": "Pain fell.",
                        "annotations": [annotation("Disease", "D010146", 22, "Pain", "T2")],
                    },
                ],
                "relations": [{"infons": {"type": "Bind"}, "nodes": [{"refid": "T1"}, {"refid": "T2"}]}],
            }
        ],
    }
    document, rejected = one(record)
    pain = EntityId("MESH", "D010146")
    assert document.passages == (Passage("passage", 0, "TP53 rose.  Pain fell."),)
    assert document.mentions == (
        Mention(0, 4, "TP53", EntityType.GENE, (TP53,)),
        Mention(12, 16, "Pain", EntityType.DISEASE, (pain,)),
    )
    assert document.relations == (DocumentRelation("Bind", TP53, pain),)
    assert rejected == []


def test_full_text_goes_by_its_pmid_and_a_bare_pmc_number_is_no_pmid() -> None:
    front = {
        "infons": {"section_type": "TITLE", "type": "front", "year": "2006", "article-id_pmc": "1790863"},
        "offset": 0,
    }
    body = {"infons": {"section_type": "INTRO", "type": "paragraph"}, "offset": 900, "text": "A\tb\nc"}
    document, _ = one({"id": "1790863", "passages": [{**front, "text": "T"}, body]})
    assert (document.doc_id, document.year) == ("PMC1790863", 2006)
    assert document.passages == (Passage("title", 0, "T"), Passage("intro", 2, "A b c"))
    front["infons"] = {"article-id_pmid": "17299597", "type": "front"}
    assert one({"id": "1790863", "passages": [{**front, "text": "T"}]})[0].doc_id == "17299597"
    assert one({"id": "PMC1790863", "passages": []})[0].doc_id == "PMC1790863"


def test_offsets_that_count_bytes_and_annotations_beside_their_passage_are_found() -> None:
    record = {
        "id": "1",
        "passages": [
            {"offset": 0, "text": "α-synuclein and αβγ in β cells", "annotations": []},
            {"offset": 37, "text": "β and TP53 rise", "annotations": [annotation("Gene", "7157", 44, "TP53")]},
        ],
        "annotations": [annotation("Gene", "6622", 0, "α-synuclein")],
    }
    document, rejected = one(record)
    assert [(m.start, m.text) for m in document.mentions] == [(0, "α-synuclein"), (37, "TP53")]
    assert rejected == []


# --- damage


def test_annotations_that_do_not_fit_are_rejected_and_the_document_stays() -> None:
    record = pubtator3_json()
    twice = annotation("Gene", "7157", 0, "Metformin TP53")
    twice["locations"].append({"offset": 12, "length": 4})
    extra = [annotation("Gene", "7157", 3, "TP63"), annotation("Gene", "MESH:D1", 12, "TP53"), twice]
    record["passages"][0]["annotations"] += extra
    record["relations"] += [
        {"infons": {"type": "x", "role1": "Gene|7157"}},
        {"infons": {"entity1": "1", "entity2": "D7"}},
    ]
    document, rejected = one(record)
    assert document.mentions[1:] == (EXPECTED.mentions[1]._replace(ids=()), *EXPECTED.mentions[1:])
    assert document.relations == EXPECTED.relations
    assert [r.reason for r in rejected] == [
        "an annotation must have one location",
        "offsets do not match the text",
        "no id of type GENE",
        "a relation must name two entities",
        "relation names an id that the document does not mention",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "a document's id must not be empty"),
        ({"id": None}, "a document's id must not be empty"),
        ({"passages": {}}, "the field 'passages' must be a list"),
        ({"passages": [3]}, "a passage must be a BioC object"),
        ({"passages": [{"offset": "x", "text": ""}]}, "the field 'offset' must be a whole number"),
        ({"passages": [{"offset": 1, "text": 5}]}, "the field 'text' must be a text"),
        (
            {"passages": [{"sentences": [{"offset": 9999, "text": ""}]}]},
            "a passage's sentences must be in order and near each other",
        ),
        ({"annotations": [3]}, "an annotation must be a BioC object"),
        ({"infons": []}, "infons must be a BioC object"),
        (
            {"annotations": [{"infons": {"type": "Gene"}, "locations": [{"offset": True}]}]},
            "the field 'offset' must be a whole number",
        ),
    ],
)
def test_a_record_that_is_no_bioc_is_rejected_with_the_rule(change: dict[str, Any], reason: str) -> None:
    rejected: list[Rejected] = []
    record = {**pubtator3_json(), "pmid": None, **change}
    good = json.dumps(pubtator3_json())
    found = list(read_bioc_lines([(1, json.dumps(record)), (2, good)], ReadLog("a", rejected.append)))
    assert found == [EXPECTED]
    assert [(r.line, r.reason) for r in rejected if "relation" not in r.reason] == [(1, reason)]


def test_damaged_json_keeps_what_came_before_and_says_where_it_stopped(tmp_path: Path) -> None:
    text = json.dumps({"documents": [pubtator3_json()] * 3}, indent=1)
    cut = text[: text.rindex('"R1"')]
    found, documents, rejected = read_file(tmp_path / "a", cut)
    assert (found, documents) == (TextFormat.BIOC_JSON, [EXPECTED] * 2)
    assert [r.reason for r in rejected] == ["damaged JSON: what follows is not read"]
    assert rejected[0].line > 100


def test_a_document_that_never_ends_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_RECORD", 200_000)
    rejected: list[Rejected] = []
    endless = json.dumps({"documents": [pubtator3_json(), {"id": "x" * 1_000_000}]}).encode()
    found = list(read_bioc_json(io.BytesIO(endless), "documents.item", ReadLog("a", rejected.append)))
    assert found == [EXPECTED]
    assert rejected[0].record == "a record must not be longer than 200000 bytes"


@pytest.mark.parametrize("text", ["[" * 1_000_000, '{"documents":' * 100_000, '{"documents": [{"a":' + "[" * 1_000_000])
def test_bottomless_json_is_refused_at_once(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text, encoding="utf-8")
    started = time.process_time()
    sniff_text_format(tmp_path / "a")
    rejected: list[Rejected] = []
    assert list(read_documents(tmp_path / "a", TextFormat.BIOC_JSON, ReadLog("a", rejected.append))) == []
    assert rejected[0].record == "JSON must not be nested deeper than 100 levels"
    assert time.process_time() - started < 5


def test_surrogates_and_deep_nesting_are_rejected() -> None:
    rejected: list[Rejected] = []
    deep = '{"id":"1","passages":' + "[" * 900 + "]" * 900 + "}"
    lone = json.dumps({**pubtator3_json(), "id": "\ud800"})
    lines = [(1, lone), (2, deep), (3, "[" * 100_000), (4, json.dumps(pubtator3_json()))]
    assert list(read_bioc_lines(lines, ReadLog("a", rejected.append))) == [EXPECTED]
    assert [r.line for r in rejected] == [1, 2, 3]
    for record in rejected:
        record.to_json().encode()


def test_malformed_xml_costs_one_document() -> None:
    second = PUBTATOR3_XML[PUBTATOR3_XML.index("<document>") :].replace("</passage>\n<passage>", "\n<passage>")
    text = PUBTATOR3_XML.replace("</collection>", second)
    found, _, rejected = read_xml(text)
    assert found == [EXPECTED]
    assert [(r.line > 25, r.reason) for r in rejected] == [(True, "malformed XML")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KEYS = [
    "id",
    "infons",
    "passages",
    "annotations",
    "relations",
    "sentences",
    "offset",
    "text",
    "locations",
    "nodes",
    "pmid",
]


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.dictionaries(st.sampled_from(KEYS), JSON), st.integers(0, 3))
def test_no_json_value_breaks_the_bioc_reader(record: dict[str, Any], inner: dict[str, Any], depth: int) -> None:
    made = {**pubtator3_json(), **record}
    if depth and isinstance(made["passages"], list) and made["passages"] and isinstance(made["passages"][0], dict):
        target = made["passages"][0]
        if depth > 1 and isinstance(target.get("annotations"), list) and target["annotations"]:
            target = target["annotations"][0]
        if isinstance(target, dict):
            target.update(inner)
    rejected: list[Rejected] = []
    found = list(read_bioc_lines([(1, json.dumps(made))], ReadLog("a", rejected.append)))
    assert found or rejected
