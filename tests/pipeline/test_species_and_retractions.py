"""Genes of other species that become human genes, and papers that were retracted, on files made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from relvm_kg.corpus.evidence import EvidenceIndex
from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.encoding.profiles import load_profiles
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.grounding import ground
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.answers import find_evidence
from relvm_kg.pipeline.assemble import is_held_out
from relvm_kg.pipeline.build import BuildAccount, BuildSettings, build_workspace
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Silent
from relvm_kg.training.data import load_corpus
from relvm_kg.types import Document, DocumentRelation, EntityId, EntityType, Mention, Passage
from relvm_kg.workspace import Workspace

HUMAN, MOUSE, RAT, OTHER = (EntityId("NCBIGene", number) for number in ("6506", "20511", "29482", "11111"))
ALS = EntityId("MESH", "D000690")
NAMES = "id\tname\tsynonyms\nNCBIGene:6506\tSLC1A2\tEAAT2|GLT-1\nNCBIGene:6647\tSOD1\tIPOA\n"


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))


def sentence(doc_id: str, surface: str, *genes: EntityId, words: str = "is lost in") -> Document:
    """`SURFACE is lost in ALS.`"""
    text = f"{surface} {words} ALS."
    end = text.index("ALS")
    mentions = (
        Mention(0, len(surface), surface, EntityType.GENE, genes),
        Mention(end, end + 3, "ALS", EntityType.DISEASE, (ALS,)),
    )
    return Document(doc_id, 2001, (Passage("title", 0, text),), mentions)


def build(folder: Path, documents: list[Document], relations: str = "", **settings: Any) -> tuple[BuildAccount, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.jsonl").write_text("".join(document_to_json(d) + "\n" for d in documents), "utf-8")
    files = []
    if relations:
        (folder / "r.csv").write_text(relations, "utf-8")
        files.append(str(folder / "r.csv"))
    names = settings.pop("names", NAMES)
    if names is not None:
        (folder / "names.tsv").write_text(names, "utf-8")
    account = build_workspace(
        folder / "w",
        [str(folder / "a.jsonl")],
        files,
        names=folder / "names.tsv" if names is not None else None,
        settings=BuildSettings(**{"min_count": 1, "jobs": 1, **settings}),
        progress=Silent(),
    )
    return account, Workspace.open(folder / "w").corpus_dir


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / f"{name}.parquet").to_pylist()
    return found


# --- species


def test_genes_of_mouse_and_rat_become_the_human_gene_that_they_are_called(tmp_path: Path) -> None:
    documents = [
        sentence("1", "GLT-1", MOUSE),
        sentence("2", "Slc1a2", RAT),
        sentence("3", "EAAT2", HUMAN),
        sentence("4", "Odd1", OTHER),
    ]
    account, folder = build(tmp_path, documents)
    catalogue = Catalogue.load(folder)
    assert set(catalogue.ids) == {ALS, HUMAN, OTHER}
    assert account.orthologs == {
        "folded_mentions": 2,
        "folded_ids": 2,
        "folded_relations": 0,
        "other_mentions": 1,
        "other_ids": 1,
    }
    assert any("2 mentions of 2 genes" in line and "1 mentions of 1 genes stay" in line for line in account.lines())
    human = catalogue.index[HUMAN]
    kept = {r["source_id"] for r in rows(folder, "mentions") if r["entity"] == human}
    assert kept == {str(MOUSE), str(RAT), None}
    assert int(catalogue.n_documents[human]) == 3
    found = EvidenceIndex(folder).evidence(human, catalogue.index[ALS])
    assert [(e.doc_id, e.head_source_id, e.tail_source_id) for _, e in found] == [
        ("1", str(MOUSE), None),
        ("2", str(RAT), None),
        ("3", None, None),
    ]
    turned = EvidenceIndex(folder).evidence(catalogue.index[ALS], human)
    assert [e.tail_source_id for _, e in turned] == [str(MOUSE), str(RAT), None]
    assert catalogue.ids[ground("Slc1a2", catalogue)] == HUMAN


def test_evidence_says_what_the_source_named(tmp_path: Path) -> None:
    build(tmp_path, [sentence("1", "GLT-1", MOUSE)])
    _, (found,) = find_evidence(Session(Workspace.open(tmp_path / "w")), "SLC1A2", "ALS")
    assert {found.head_source_id, found.tail_source_id} == {str(MOUSE), None}


def test_a_composite_of_ids_that_are_one_human_gene_is_one_mention_of_it(tmp_path: Path) -> None:
    _, folder = build(tmp_path, [sentence("1", "GLT-1", MOUSE, HUMAN), sentence("2", "GLT-1", RAT, MOUSE)])
    human = Catalogue.load(folder).index[HUMAN]
    found = [r["source_id"] for r in rows(folder, "mentions") if r["entity"] == human]
    assert found == [None, str(RAT)]
    assert len(rows(folder, "contexts")) == 2


def test_genes_of_other_species_stay_apart_when_asked_or_without_names(tmp_path: Path) -> None:
    documents = [sentence("1", "GLT-1", MOUSE), sentence("3", "EAAT2", HUMAN)]
    apart, folder = build(tmp_path / "apart", documents, fold_orthologs=False)
    assert set(Catalogue.load(folder).ids) == {ALS, HUMAN, MOUSE}
    assert (apart.orthologs, apart.orthologs_unfolded_because) == (None, "--no-fold-orthologs")
    nameless, folder = build(tmp_path / "nameless", documents, names=None)
    assert set(Catalogue.load(folder).ids) == {ALS, HUMAN, MOUSE}
    assert any("not folded onto human ones: no names table" in line for line in nameless.lines())
    folded, _ = build(tmp_path / "apart", documents)
    assert folded.corpus_hash != apart.corpus_hash


CTD = "GeneSymbol,GeneID,DiseaseName,DiseaseID,DirectEvidence,PubMedIDs\n"


def test_relations_follow_by_the_name_that_they_state_else_by_the_text(tmp_path: Path) -> None:
    stated = CTD + f"Eaat2,{MOUSE.local},ALS,MESH:D000690,,5\n"
    account, folder = build(tmp_path / "stated", [sentence("1", "EAAT2", HUMAN)], stated)
    (relation,) = rows(folder, "relations")
    assert Catalogue.load(folder).ids[relation["tail"]] == HUMAN
    assert relation["co_mentioned"]
    assert account.orthologs is not None
    assert account.orthologs["folded_relations"] == 1
    nameless = CTD + f"Unheard,{RAT.local},ALS,MESH:D000690,,5\n"
    _, folder = build(tmp_path / "by text", [sentence("1", "GLT-1", RAT)], nameless)
    (relation,) = rows(folder, "relations")
    assert Catalogue.load(folder).ids[relation["tail"]] == HUMAN


def test_relations_that_a_document_states_follow_its_mentions(tmp_path: Path) -> None:
    made = sentence("1", "GLT-1", MOUSE)._replace(relations=(DocumentRelation("Association", MOUSE, ALS),))
    _, folder = build(tmp_path, [made])
    (relation,) = rows(folder, "relations")
    assert Catalogue.load(folder).ids[relation["tail"]] == HUMAN


# --- retraction


def standing(n: int) -> list[Document]:
    return [sentence(str(i), "SOD1", EntityId("NCBIGene", "6647"), words=f"stood{i} in") for i in range(n)]


def fallen(doc_id: str = "900") -> Document:
    return sentence(doc_id, "EAAT2", HUMAN, words="fell beside")._replace(retracted=True)


def test_a_retracted_paper_is_shown_and_marked_and_in_no_statistic(tmp_path: Path) -> None:
    stated = fallen()._replace(relations=(DocumentRelation("Association", HUMAN, ALS),))
    account, folder = build(tmp_path, [*standing(3), stated])
    counts = account.retracted_documents, account.retracted_sentences, account.retracted_contexts
    assert counts == (1, 1, 1)
    assert [r["doc_id"] for r in rows(folder, "documents") if r["retracted"]] == ["900"]
    assert [r["doc_id"] for r in rows(folder, "sentences") if r["retracted"]] == ["900"]
    catalogue = Catalogue.load(folder)
    human, als = catalogue.index[HUMAN], catalogue.index[ALS]
    (found,) = EvidenceIndex(folder).evidence(human, als)
    assert found[1].retracted
    assert "fell" not in Vocabulary.load(folder / "vocabulary.json").tokens
    for counted in (catalogue.n_documents, catalogue.n_sentences, catalogue.n_training_sentences):
        assert counted[human] == 0
        assert counted[als] == 3
    assert catalogue.n_training_contexts[human] == 0
    assert [{r["first"], r["second"]} for r in rows(folder, "comentions")] == [
        {als, catalogue.index[EntityId("NCBIGene", "6647")]}
    ]
    assert rows(folder, "comentions")[0]["npmi"] == pytest.approx(1.0)
    text, together = load_profiles(folder)
    assert not text[human].any()
    assert not together[human].any()
    assert rows(folder, "relations") == []
    assert account.notes == {"relations stated in retracted documents left out": 1}


def test_training_and_its_measure_leave_retracted_papers_out(tmp_path: Path) -> None:
    held_out = next(str(i) for i in range(1000, 2000) if is_held_out(str(i)))
    _, folder = build(tmp_path, [*standing(3), fallen("900"), fallen(held_out)])
    corpus = load_corpus(folder)
    assert corpus.retracted.sum() == 2
    assert not corpus.retracted[corpus.training_rows].any()
    assert len(corpus.training_rows) + len(corpus.held_out_rows) == 3
    assert not corpus.retracted[corpus.held_out_rows].any()


def test_a_list_of_retracted_papers_marks_them_and_stays_for_later_builds(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("1\nPMID:2\treason\n00003\nX\n", "utf-8")
    account, _ = build(tmp_path, standing(5), retractions=tmp_path / "list.tsv")
    assert account.retracted_documents == 3
    again, folder = build(tmp_path, standing(6))
    assert again.retracted_documents == 3
    assert [r["doc_id"] for r in rows(folder, "documents") if r["retracted"]] == ["1", "2", "3"]
    (tmp_path / "list.tsv").write_text("4\n", "utf-8")
    assert build(tmp_path, standing(6), retractions=tmp_path / "list.tsv")[0].retracted_documents == 1


def test_a_list_without_pubmed_ids_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("nothing\n", "utf-8")
    with pytest.raises(InvalidInputError, match="must be a list of retracted papers"):
        build(tmp_path, standing(1), retractions=tmp_path / "list.tsv")


def test_predictions_do_not_name_sentences_of_retracted_papers(tmp_path: Path) -> None:
    _, folder = build(tmp_path, [*standing(2), sentence("3", "SLC1A2", HUMAN), fallen()])
    session, catalogue = Session(Workspace.open(tmp_path / "w")), Catalogue.load(folder)
    rows = session.evidence_index.rows(catalogue.index[HUMAN], catalogue.index[ALS])
    assert session.sentence_names(rows).to_pylist() == ["3#0", "900#0"]
    assert session.sentence_names(rows[session.stands(rows)]).to_pylist() == ["3#0"]
    assert catalogue.document_share[catalogue.index[ALS]] == 1.0


# --- the account's counts of contexts


def test_contexts_are_counted_by_label_file_and_year(tmp_path: Path) -> None:
    documents = [*standing(2), sentence("7", "GLT-1", HUMAN)._replace(year=None), sentence("8", "IPOA", HUMAN)]
    documents[3] = documents[3]._replace(year=2007)
    account, _ = build(tmp_path, documents)
    assert account.contexts_by_label == {
        "DISEASE-GENE": 4,
        "GENE-GENE": 0,
        "CHEMICAL-GENE": 0,
        "CHEMICAL-DISEASE": 0,
        "other": 0,
    }
    assert account.contexts_by_source == {"a.jsonl": 4}
    assert account.contexts_by_year == {"2000-2004": 2, "2005-2009": 1, "unknown": 1}
    assert sum(np.array(list(account.contexts_by_year.values()))) == account.contexts
