import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.relation_files import RawRelation, RelationFormat, read_relations, sniff_relation_format
from relvm_kg.corpus.relation_rows import row_from_json, row_to_json
from relvm_kg.corpus.relations import GeneIds, RelationMerger, RelationRecord, StatedFacts, majority_type
from relvm_kg.types import DocumentRelation, EntityId, EntityType, Relation

GENE, DISEASE, CHEMICAL = EntityType
E = EntityId.parse
NOBODY = GeneIds({}, {})


def read(path: Path, text: str) -> tuple[list[RawRelation], list[Rejected]]:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    rejected: list[Rejected] = []
    relation_format = sniff_relation_format(path)
    assert relation_format is not None
    return list(read_relations(path, relation_format, ReadLog(path.name, rejected.append))), rejected


def merge(
    rows: list[RawRelation], genes: GeneIds = NOBODY, types: dict[EntityId, EntityType] | None = None
) -> tuple[list[RelationRecord], ReadLog]:
    log = ReadLog("f")
    merger = RelationMerger(types or {}, genes)
    for row in rows:
        merger.add(row, log)
    return list(merger.records()), log


def test_chemdisgene_rows_read_in_every_documented_order(tmp_path: Path) -> None:
    text = (
        "1\tchem_disease:therapeutic\tMESH:D006973\tMESH:D000527\n"
        "1\tchem^disease:therapeutic\tMESH:D000527\tMESH:D006973\n"
        "2\tchem_gene:increases^activity\t2475\tMESH:D019308\n"
        "2\tchem^gene:increases-activity\tMESH:D019308\t2475\n"
        "3\tgene_disease:marker/mechanism\tMESH:D001249\t3569\n"
        "3\tgene^disease:marker/mechanism\t3569\tMESH:D001249\n"
        "3\tgene_disease\tMESH:D001249\t3569\n"
        "4\tchem_gene:affects^binding\tMESH:D001249\tMESH:D1\n"
    )
    rows, rejected = read(tmp_path / "a.tsv.gz", text)
    assert [(r.line, r.reason) for r in rejected] == [
        (7, "row must be PMID, label, id, id"),
        (8, "the local part of a MESH id must match [CD]\\d{3,}, was: 'MESH:D1'"),
    ]
    records, log = merge(rows)
    assert [(str(r.head), r.relation.value, str(r.tail), r.predicates, r.pmids) for r in records] == [
        ("MESH:D000527", "CHEMICAL-DISEASE", "MESH:D006973", ("therapeutic",), ("1",)),
        ("MESH:D001249", "DISEASE-GENE", "NCBIGene:3569", ("marker/mechanism",), ("3",)),
        ("MESH:D019308", "CHEMICAL-GENE", "NCBIGene:2475", ("increases-activity",), ("2",)),
    ]
    assert not log.rejected


def test_ctd_rows_read_with_comments_quotes_and_names(tmp_path: Path) -> None:
    heading = "GeneSymbol,GeneID,DiseaseName,DiseaseID,DirectEvidence,OmimIDs,PubMedIDs\n"
    text = (
        "# Report created: today\n# Fields:\n# "
        + heading
        + '#\nA,50518,"Diabetes Mellitus, Type 2",MESH:D003924,marker/mechanism|therapeutic,,8146154|37769864\n'
        + "A,50518,X\n"
        + "A,,X,MESH:D003924,,,1\n"
    )
    (row,), rejected = read(tmp_path / "ctd.csv", text)
    assert (row.first_name, row.second_name) == ("Diabetes Mellitus, Type 2", "A")
    assert [r.line for r in rejected] == [6, 7]
    (record,), _ = merge([row])
    assert record.predicates == ("marker/mechanism", "therapeutic")
    assert record.pmids == ("8146154", "37769864")
    assert record.sources == ("ctd.csv",)
    assert read(tmp_path / "plain.csv", heading + "A,1,X,OMIM:123456,,,\n")[0][0].first == E("OMIM:123456")


IREF = "source_code\tsource_symbol\ttarget_code\ttarget_symbol\tpubmed\tinteraction_type\tmethod\n"


def test_protein_interactions_map_through_hgnc_ids_then_symbols_and_order_by_id(tmp_path: Path) -> None:
    text = IREF + (
        "HGNC:5\tA1BG\tHGNC:545\tANXA7\t21900206|3, 4\tMI:0915(physical association)|MI:0407(direct interaction)\tx\n"
        "HGNC:545\tANXA7\tHGNC:5\tA1BG\t5\tMI:0407(direct interaction)\tx\n"
        "HGNC:5\tA1BG\tHGNC:9\tNOWHERE\t5\t\tx\n"
        "HGNC:5\tA1BG\tHGNC:5\tA1BG\t5\t\tx\n"
    )
    rows, rejected = read(tmp_path / "i.tsv", text)
    assert rejected == []
    genes = GeneIds({E("HGNC:5"): E("NCBIGene:1")}, {"ANXA7": E("NCBIGene:310")})
    (record,), log = merge(rows, genes)
    assert (record.head, record.relation, record.tail) == (E("NCBIGene:1"), Relation.GENE_GENE, E("NCBIGene:310"))
    assert record.pmids == ("3", "4", "5", "21900206")
    assert record.predicates == ("direct interaction", "physical association")
    assert log.rejected == {
        "no NCBI gene is known for an HGNC id": 1,
        "relation of an entity with itself": 1,
    }


def test_our_own_table_reads_with_columns_in_any_order(tmp_path: Path) -> None:
    text = (
        "# made by hand\nrelation\thead\ttail\tsimulated\tpmids\tsource\tpredicate\n"
        "disease-gene\tD000690\t6647\ttrue\tSIM:1|SIM:2\tme\tcauses\n"
        "CHEMICAL-DISEASE\tCHEBI:1\tOMIM:105400\n"
        "GENE-DISEASE\t6647\tD000690\n"
        "NO-RELATION\t6647\tD000690\n"
        "GENE-GENE\t6647\t\n"
        "GENE-GENE\t6647\t1\tx\tx\tx\tx\tx\n"
    )
    rows, rejected = read(tmp_path / "own.tsv", text)
    assert rows[0] == RawRelation(
        3, "causes", E("MESH:D000690"), DISEASE, "", E("NCBIGene:6647"), GENE, "", ("SIM:1", "SIM:2"), "me", True
    )
    assert (rows[1].source, rows[1].simulated, rows[1].pmids) == ("own.tsv", False, ())
    assert [(r.line, r.reason) for r in rejected] == [
        (5, "relation is not a label"),
        (6, "relation is not a label"),
        (7, "row lacks a value"),
        (8, "row must have at most 7 columns"),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "PMID\tx\n", "a,b,c\n", "\x00\xff"])
def test_an_unknown_relation_file_has_no_format(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text, encoding="utf-8")
    assert sniff_relation_format(tmp_path / "x") is None


@given(relation_format=st.sampled_from(RelationFormat), lines=st.lists(st.text(max_size=60), max_size=5))
def test_no_line_whatever_breaks_a_relation_reader(
    tmp_path_factory: pytest.TempPathFactory, relation_format: RelationFormat, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("relations") / "x"
    path.write_bytes("\n".join([IREF.strip(), *lines]).encode("utf-8", "surrogatepass"))
    for row in read_relations(path, relation_format, ReadLog("x")):
        assert row_from_json(row_to_json(row)) == row


def test_types_in_the_text_turn_a_row_round_and_contradictions_are_rejected() -> None:
    drug, illness = E("MESH:D000001"), E("MESH:D000002")
    stated = RawRelation(1, "p", illness, CHEMICAL, "", drug, DISEASE, "", ("1",), "f", False)
    (record,), log = merge([stated], types={drug: CHEMICAL, illness: DISEASE})
    assert (record.head, record.tail) == (drug, illness)
    assert log.counts == {"arguments swapped to fit the types in the text": 1}
    records, log = merge([stated], types={drug: CHEMICAL, illness: CHEMICAL})
    assert records == []
    assert log.rejected == {"types of the ids in the text do not fit the label": 1}


def test_relations_of_documents_merge_with_those_of_files() -> None:
    drug, illness, gene = E("MESH:D000001"), E("MESH:D000002"), E("NCBIGene:1")
    merger = RelationMerger({drug: CHEMICAL, illness: DISEASE, gene: GENE}, NOBODY)
    log = ReadLog("documents")
    merger.add(RawRelation(1, "p", drug, CHEMICAL, "", illness, DISEASE, "", ("9",), "f", False), log)
    merger.add_from_document(DocumentRelation("CID", illness, drug), "10", "a.txt|b.txt", True, log)
    merger.add_from_document(DocumentRelation("Bind", gene, gene), "10", "a.txt", False, log)
    merger.add_from_document(DocumentRelation("Comparison", drug, E("MESH:D000003")), "10", "a.txt", False, log)
    assert list(merger.records()) == [
        RelationRecord(
            drug, Relation.CHEMICAL_DISEASE, illness, ("CID", "p"), ("9", "10"), ("a.txt", "b.txt", "f"), False
        )
    ]
    assert log.counts == {"document relations of untyped or equal ids": 2}


def test_symbols_with_two_ids_and_types_with_most_votes() -> None:
    facts = StatedFacts()
    for gene, symbol in (("NCBIGene:1", "A"), ("NCBIGene:2", "B"), ("NCBIGene:3", "B")):
        facts.add(RawRelation(1, "", E("MESH:D000001"), DISEASE, "Ill", E(gene), GENE, symbol, (), "f", False))
    assert facts.symbols() == {"A": E("NCBIGene:1")}
    assert facts.types()[E("MESH:D000001")] is DISEASE
    assert majority_type({CHEMICAL: 2, GENE: 2, DISEASE: 1}) is GENE


PHENOTYPES = (
    "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n"
    "6647\tSOD1\tHP:0000006\tAutosomal dominant inheritance\t-\tOMIM:105400\n"
    "6647\tSOD1\tHP:0007354\tAmyotrophic lateral sclerosis\t15/15\tOMIM:105400\n"
    "6647\tSOD1\tHP:0007354\tAmyotrophic lateral sclerosis\t-\tORPHA:803\n"
    "64806\t-\tHP:0000007\tAutosomal recessive inheritance\t-\tOMIM:618852\n"
    "x\tSOD1\tHP:0000006\tAutosomal dominant inheritance\t-\tOMIM:105400\n"
    "6647\tSOD1\tHP:0000006\tAutosomal dominant inheritance\t-\t\n"
)


def test_genes_to_phenotype_gives_each_gene_and_disease_once_and_no_phenotype(tmp_path: Path) -> None:
    rows, rejected = read(tmp_path / "genes_to_phenotype.txt", PHENOTYPES)
    assert sniff_relation_format(tmp_path / "genes_to_phenotype.txt") is RelationFormat.HPO
    assert [(str(r.first), str(r.second), r.second_name, r.predicate, r.pmids, r.source) for r in rows] == [
        ("OMIM:105400", "NCBIGene:6647", "SOD1", "", (), "genes_to_phenotype.txt"),
        ("orphanet:803", "NCBIGene:6647", "SOD1", "", (), "genes_to_phenotype.txt"),
        ("OMIM:618852", "NCBIGene:64806", "", "", (), "genes_to_phenotype.txt"),
    ]
    assert [r.line for r in rejected] == [6, 7]
    records, _ = merge(rows)
    assert {record.relation for record in records} == {Relation.DISEASE_GENE}


def test_genes_to_disease_says_how_they_are_associated(tmp_path: Path) -> None:
    rows, rejected = read(
        tmp_path / "genes_to_disease.txt",
        "ncbi_gene_id\tgene_symbol\tassociation_type\tdisease_id\tsource\n"
        "NCBIGene:6647\tSOD1\tMENDELIAN\tOMIM:105400\tftp://ftp.ncbi.nlm.nih.gov/gene/DATA/mim2gene_medgen\n"
        "NCBIGene:6647\tSOD1\tUNKNOWN\tORPHA:803\thttp://www.orphadata.org/data/xml/en_product6.xml\n",
    )
    assert not rejected
    assert [(str(r.first), str(r.second), r.predicate) for r in rows] == [
        ("OMIM:105400", "NCBIGene:6647", "mendelian"),
        ("orphanet:803", "NCBIGene:6647", ""),
    ]


def test_further_phenotypes_are_counted(tmp_path: Path) -> None:
    log = ReadLog("f")
    list(read_relations(path_with(tmp_path, PHENOTYPES), RelationFormat.HPO, log))
    assert log.counts["further phenotypes of a gene and a disease"] == 1


def path_with(folder: Path, text: str) -> Path:
    path = folder / "file.txt"
    path.write_text(text, encoding="utf-8")
    return path
