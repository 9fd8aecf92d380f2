"""The public corpora and relation files, where `RELVM_KG_DATA` names the folder that holds them."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from relvm_kg.corpus.annotation import joined_text
from relvm_kg.corpus.evidence import EvidenceIndex
from relvm_kg.corpus.jsonl import document_to_json, read_jsonl
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.relation_files import read_relations, sniff_relation_format
from relvm_kg.corpus.sources import TextFormat, expand, read_documents, sniff_text_format
from relvm_kg.encoding.token_store import TokenStore
from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.grounding import ground
from relvm_kg.pipeline.build import BuildAccount
from relvm_kg.types import EntityType
from relvm_kg.workspace import Workspace

FOLDER = os.environ.get("RELVM_KG_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="RELVM_KG_DATA names no folder with corpora/ and relations/")
DATA = Path(FOLDER or ".")

DOCUMENTS = {
    "BioRED_Dev.PubTator.gz": 100,
    "BioRED_Train.PubTator.gz": 400,
    "CDR_DevelopmentSet.PubTator.txt.gz": 500,
    "CDR_TestSet.PubTator.txt.gz": 500,
    "CDR_TrainingSet.PubTator.txt.gz": 500,
    "ChemDisGene_curated_abstracts.PubTator.txt.gz": 523,
    "ChemDisGene_dev_abstracts.PubTator.txt.gz": 1521,
    "ChemDisGene_test_abstracts.PubTator.txt.gz": 1939,
    "NCBI_Disease_devel.PubTator.gz": 100,
    "NCBI_Disease_test.PubTator.gz": 100,
    "NCBI_Disease_train.PubTator.gz": 593,
    "bioconcepts2pubtator_offsets.sample.big.gz": 999,
    "bioconcepts2pubtator_offsets.sample.new.gz": 651,
    "tmVar3Corpus.Gene.txt.gz": 500,
}
RELATIONS = {
    "CTD_curated_genes_diseases.csv.gz": 34_156,
    "ChemDisGene_curated_ctd.tsv.gz": 1_277,
    "ChemDisGene_dev_relationships.tsv.gz": 3_291,
    "ChemDisGene_test_relationships.tsv.gz": 5_118,
    "ChemDisGene_train_relationships.tsv.gz": 167_016,
    "iRefIndex_protein_interactions.tsv.gz": 98_187,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_corpus_file_reads_and_every_mention_is_in_its_text(name: str) -> None:
    path = DATA / "corpora" / name
    log = ReadLog(name)
    assert sniff_text_format(path) is TextFormat.PUBTATOR
    n_documents = n_mentions = 0
    for document in read_documents(path, TextFormat.PUBTATOR, log):
        n_documents += 1
        n_mentions += len(document.mentions)
        text = joined_text(document.passages)
        assert all(text[m.start : m.end] == m.text for m in document.mentions)
        assert list(read_jsonl([(1, document_to_json(document))], ReadLog("again"))) == [document]
    assert n_documents == DOCUMENTS[name]
    assert log.rejected.total() < 0.005 * n_mentions


def test_offsets_of_the_big_sample_are_repaired_or_rejected_by_count() -> None:
    log = ReadLog("big")
    path = DATA / "corpora" / "bioconcepts2pubtator_offsets.sample.big.gz"
    assert sum(1 for _ in read_documents(path, TextFormat.PUBTATOR, log)) == 999
    assert log.counts["offsets repaired"] == 153
    assert log.rejected == {"offsets do not match the text": 38}


@pytest.mark.parametrize("name", RELATIONS)
def test_every_relation_file_reads_without_a_rejected_row(name: str) -> None:
    path = DATA / "relations" / name
    relation_format = sniff_relation_format(path)
    assert relation_format is not None
    log = ReadLog(name)
    assert sum(1 for _ in read_relations(path, relation_format, log)) == RELATIONS[name]
    assert not log.rejected


def test_the_folder_holds_no_file_that_these_tests_do_not_know() -> None:
    assert {f.path.name for f in expand([str(DATA / "corpora")])} == set(DOCUMENTS)
    assert {f.path.name for f in expand([str(DATA / "relations")])} == set(RELATIONS)


BUILD = """
import sys
from pathlib import Path
from relvm_kg.pipeline.build import BuildSettings, build_workspace
from relvm_kg.progress import Silent
place, data = map(Path, sys.argv[1:])
build_workspace(
    place, [str(data / "corpora")], [str(data / "relations")], names=None, settings=BuildSettings(), progress=Silent()
)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildAccount, float]:
    """The whole build in a process of its own, whose memory and time no other test shares."""
    workspace = tmp_path_factory.mktemp("real") / "w"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", BUILD, str(workspace), str(DATA)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return workspace, BuildAccount.load(Workspace.open(workspace).corpus_dir / "account.json"), seconds


@pytest.mark.slow
def test_the_whole_build_stays_within_three_minutes_and_three_gibibytes(
    built: tuple[Path, BuildAccount, float],
) -> None:
    _, account, seconds = built
    assert seconds < 180, "processor time, so that other work on the machine does not count"
    assert account.peak_memory_mib < 3 * 1024
    assert account.documents == 8_312
    assert account.contexts > 100_000
    assert account.relations_co_mentioned["CHEMICAL-DISEASE"] >= 4_718
    assert account.relations_co_mentioned["CHEMICAL-GENE"] >= 3_287
    assert account.relations_co_mentioned["DISEASE-GENE"] >= 1_083
    assert account.relations_co_mentioned["GENE-GENE"] >= 912


@pytest.mark.slow
def test_the_tables_of_the_whole_build_fit_each_other(built: tuple[Path, BuildAccount, float]) -> None:
    folder = Workspace.open(built[0]).corpus_dir
    contexts, sentences = pq.read_table(folder / "contexts.parquet"), pq.read_table(folder / "sentences.parquet")
    store = TokenStore(folder / "tokens")
    assert len(store) == contexts.num_rows == built[1].contexts
    assert store.lengths.max() <= 140
    assert int(contexts["sentence_row"].to_numpy().max()) < sentences.num_rows
    head, tail = contexts["head"].to_numpy(), contexts["tail"].to_numpy()
    assert (head != tail).all()
    assert (contexts["head_end"].to_numpy() <= contexts["tail_start"].to_numpy()).all()
    comentions = pq.read_table(folder / "comentions.parquet")
    assert comentions["n_sentences"].to_numpy().sum() == contexts.num_rows
    npmi = comentions["npmi"].to_numpy()
    assert np.isfinite(npmi).all()
    assert npmi.min() >= -1
    assert npmi.max() <= 1


@pytest.mark.slow
def test_entities_of_the_whole_build_are_found_by_id_name_and_synonym(
    built: tuple[Path, BuildAccount, float],
) -> None:
    folder = Workspace.open(built[0]).corpus_dir
    catalogue, index = Catalogue.load(folder), EvidenceIndex(folder)
    gene, disease = ground("GENE:6647", catalogue), ground("DISEASE:D000690", catalogue)
    assert gene == ground("SOD1", catalogue)
    assert disease == ground("amyotrophic lateral sclerosis", catalogue)
    assert catalogue.types[gene] is EntityType.GENE
    assert catalogue.ids[ground("EAAT2", catalogue)].local == "6506"
    evidence = index.evidence(gene, disease)
    assert evidence
    assert all("SOD1" in e.sentence or "superoxide" in e.sentence.lower() for _, e in evidence)
