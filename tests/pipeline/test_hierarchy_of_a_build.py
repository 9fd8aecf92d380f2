"""From a names catalogue to a workspace: depth, shares, one id a disease; what is novel in rank, predict, export."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.grounding import ground
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.pipeline.answers import rank_partners
from relvm_kg.pipeline.build import BuildAccount, BuildSettings, build_workspace
from relvm_kg.pipeline.novelty import NovelRule
from relvm_kg.pipeline.predict import PredictRequest, predict_pairs
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Silent
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage, Relation
from relvm_kg.workspace import Workspace
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import Selection

GENE, DISEASE = EntityType.GENE, EntityType.DISEASE
NAMES = (
    NameRow("MESH:C531617", DISEASE, "ALS 1", xrefs=("OMIM:105400",), parents=("MESH:D000690",), depth=5),
    NameRow("MESH:D000690", DISEASE, "ALS", xrefs=("orphanet:803",), tree_numbers=("C10.574.562.250",), depth=4),
    NameRow("MESH:D009422", DISEASE, "Nervous System Diseases", tree_numbers=("C10",), depth=1),
    NameRow("MESH:D016472", DISEASE, "Motor Neuron Disease", tree_numbers=("C10.574.562",), depth=3),
    NameRow("NCBIGene:6647", GENE, "SOD1"),
)
PHENOTYPES = (
    "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n"
    "6647\tSOD1\tHP:0000006\tAutosomal dominant inheritance\t-\tOMIM:105400\n"
    "6647\tSOD1\tHP:0007354\tAmyotrophic lateral sclerosis\t-\tORPHA:803\n"
    "6647\tSOD1\tHP:0007354\tAmyotrophic lateral sclerosis\t-\tOMIM:618598\n"
)


def document(doc_id: str, disease: str) -> Document:
    mentions = (
        Mention(0, 4, "SOD1", GENE, (EntityId.parse("NCBIGene:6647"),)),
        Mention(9, 12, "ALS", DISEASE, (EntityId.parse(disease),)),
    )
    return Document(doc_id, None, (Passage("title", 0, "SOD1 and ALS meet."),), mentions)


def build(folder: Path, *, names: bool = True) -> tuple[Workspace, BuildAccount]:
    diseases = ("OMIM:105400", "MESH:C531617", "MESH:D016472", "OMIM:618598")
    lines = [document_to_json(document(str(number), disease)) for number, disease in enumerate(diseases, start=101)]
    (folder / "text.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "genes_to_phenotype.txt").write_text(PHENOTYPES, encoding="utf-8")
    write_names(folder / "names.parquet", NAMES, [])
    account = build_workspace(
        folder / "w",
        [str(folder / "text.jsonl")],
        [str(folder / "genes_to_phenotype.txt")],
        names=folder / "names.parquet" if names else None,
        settings=BuildSettings(jobs=1),
        progress=Silent(),
    )
    return Workspace.open(folder / "w"), account


def test_a_build_knows_where_entities_stand_and_in_how_many_documents(tmp_path: Path) -> None:
    workspace, _ = build(tmp_path)
    rows = {row["id"]: row for row in pq.read_table(workspace.corpus_dir / "entities.parquet").to_pylist()}
    als1 = rows["MESH:C531617"]
    assert (als1["depth"], als1["parents"], als1["parent_tree_numbers"]) == (5, ["MESH:D000690"], ["C10.574.562.250"])
    assert (als1["document_share"], rows["NCBIGene:6647"]["document_share"]) == (0.5, 1.0)
    assert (rows["MESH:D016472"]["n_narrower"], rows["OMIM:618598"]["depth"]) == (1, None)
    with EmbeddedStore(workspace.graph_dir) as store:
        text = "MATCH (n:Disease) WHERE n.depth >= 4 RETURN n.id AS id, n.document_share AS share ORDER BY id"
        assert store.query(Statement(text, {})).rows == [("MESH:C531617", 0.5), ("MESH:D000690", 0.0)]


def test_a_disease_has_one_id_in_text_and_relations_and_goes_by_the_other_ones_too(tmp_path: Path) -> None:
    workspace, account = build(tmp_path)
    catalogue = Catalogue.load(workspace.corpus_dir)
    assert [str(i) for i in catalogue.ids if i.prefix != "NCBIGene"] == [
        "MESH:C531617",
        "MESH:D000690",
        "MESH:D016472",
        "OMIM:618598",
    ]
    assert catalogue.ids[ground("OMIM:105400", catalogue)] == EntityId("MESH", "C531617")
    assert account.relations["DISEASE-GENE"] == 3
    assert account.relations_co_mentioned["DISEASE-GENE"] == 2
    assert account.notes["mentions of diseases read as the MeSH disease that their id equals"] == 1
    assert account.notes["relation rows of a disease read as the MeSH disease that its id equals"] == 2


def test_a_build_without_names_leaves_every_id_as_it_is_and_knows_no_depth(tmp_path: Path) -> None:
    workspace, account = build(tmp_path, names=False)
    table = pq.read_table(workspace.corpus_dir / "entities.parquet")
    assert {"OMIM:105400", "orphanet:803", "OMIM:618598"} <= set(table["id"].to_pylist())
    assert all(table[name].null_count == table.num_rows for name in ("depth", "n_narrower", "tree_numbers", "parents"))
    assert not any("equals" in note for note in account.notes)


@pytest.fixture
def with_tree(trained_workspace: Workspace, tmp_path: Path) -> Workspace:
    """The simulated workspace, its catalogue with trees: diseases in twos, one below the other, and one at the top."""
    shutil.copytree(trained_workspace.path, tmp_path / "trained")
    workspace = Workspace.open(tmp_path / "trained")
    path = workspace.corpus_dir / "entities.parquet"
    table = pq.read_table(path)
    diseases = [row for row, kind in enumerate(table["type"].to_pylist()) if kind == "DISEASE"]
    numbers: list[list[str] | None] = [None] * table.num_rows
    depths: list[int | None] = [None] * table.num_rows
    for place, row in enumerate(diseases[1:]):
        numbers[row] = [f"C10.{place // 2}" + (f".{place}" if place % 2 else "")]
        depths[row] = 3 + place % 2
    numbers[diseases[0]], depths[diseases[0]] = ["C04"], 1
    for name, values in (("tree_numbers", numbers), ("depth", depths)):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))
    pq.write_table(table, path)
    return workspace


def test_rank_predict_and_export_mean_the_same_by_novel(with_tree: Workspace) -> None:
    session = Session(with_tree)
    genes = [str(session.catalogue.ids[i]) for i in session.catalogue.of_type(GENE)]
    genes = [gene for gene in genes if session.scorable(np.array([session.ground(gene)]))[0]][:6]
    rule = NovelRule(novel=True)
    rankings = {gene: rank_partners(session, gene, partner_type=DISEASE, top=1000, novel=rule) for gene in genes}
    assert sum(r.n_left_out_related for r in rankings.values()) > 0
    assert sum(r.n_left_out_general for r in rankings.values()) > 0
    novel = {(answer.head.id, answer.tail.id) for ranking in rankings.values() for answer in ranking.answers}
    for leave_out in (True, False):
        request = PredictRequest(
            relations=(Relation.DISEASE_GENE,),
            entities=tuple(genes),
            min_documents=0,
            top=0,
            novel=leave_out,
            samples=2,
        )
        run = predict_pairs(session, request, Silent()).run.run.run_id
        selection = Selection(edge_types=(EdgeType.PREDICTED,), runs=(run,), novel_only=not leave_out)
        with EmbeddedStore(with_tree.graph_dir) as store:
            batches = list(store.read_edges(EdgeType.PREDICTED, selection))
        written = {(row["subject"], row["object"]) for batch in batches for row in batch.to_pylist()}
        assert written == novel


def test_asking_from_the_disease_leaves_out_the_same_pairs_as_asking_from_the_gene(with_tree: Workspace) -> None:
    session = Session(with_tree)
    catalogue, novelty = session.catalogue, session.novelty
    diseases, genes = (catalogue.of_type(kind).astype(np.int64) for kind in (DISEASE, GENE))
    from_genes = np.array([novelty.of(gene, diseases).near_known for gene in genes.tolist()])
    from_diseases = np.array([novelty.of(disease, genes).near_known for disease in diseases.tolist()])
    assert (from_genes == from_diseases.T).all()
    assert 0 < from_genes.mean() < 1
