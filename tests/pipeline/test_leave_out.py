"""Entities left out of training: nothing of them is left, everything else stays, and sentences give a profile back."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from relvm_kg.encoding.profiles import COMENTION_WEIGHTS, INVERSE_FREQUENCY, TEXT_WEIGHTS, load_profiles, unit_rows
from relvm_kg.encoding.projection import Projector
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import ModelConfig
from relvm_kg.pipeline.leave_out import catalogue_rows, count_sentences, keep_documents, leave_entities_out
from relvm_kg.pipeline.profiles import corpus_projector
from relvm_kg.progress import Silent
from relvm_kg.training.data import load_corpus, start_dimensions
from relvm_kg.workspace import Workspace

OUT = ("NCBIGene:6506", "MESH:D000690")
MODEL = ModelConfig(hidden=8, latent=6, embedding=20)


@pytest.fixture(scope="module")
def without(simulated_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return leave_entities_out(simulated_workspace, OUT, tmp_path_factory.mktemp("out") / "without", Silent())


def test_nothing_is_left_of_an_entity_that_is_left_out(simulated_workspace: Workspace, without: Workspace) -> None:
    before, after = load_corpus(simulated_workspace.corpus_dir), load_corpus(without.corpus_dir)
    rows = catalogue_rows(without.corpus_dir, OUT)
    assert before.has_text[rows].all()
    assert not after.has_text[rows].any()
    assert len(after.contexts.heads) == len(before.contexts.heads)
    trained = after.training_rows
    assert 0 < len(trained) < len(before.training_rows)
    assert not np.isin(after.contexts.heads[trained], rows).any()
    assert not np.isin(after.contexts.tails[trained], rows).any()
    mentions = pq.read_table(without.corpus_dir / "mentions.parquet")
    named = mentions["sentence_row"].to_numpy()[np.isin(mentions["entity"].to_numpy(), rows)]
    assert not np.isin(after.sentence_rows[trained], named).any()
    assert not any(profile[rows].any() for profile in load_profiles(without.corpus_dir))
    kept = Projector.load(without.corpus_dir)
    assert kept is not None
    assert not kept.comention[rows].any()


def test_words_that_only_their_sentences_hold_leave_the_vocabulary(
    simulated_workspace: Workspace, without: Workspace
) -> None:
    before = Vocabulary.load(simulated_workspace.corpus_dir / "vocabulary.json")
    after = Vocabulary.load(without.corpus_dir / "vocabulary.json")
    assert set(after.tokens) <= set(before.tokens)
    assert sum(after.counts) < sum(before.counts)


def test_leaving_nobody_out_gives_the_tables_of_the_build(simulated_workspace: Workspace, tmp_path: Path) -> None:
    same = leave_entities_out(simulated_workspace, (), tmp_path / "same", Silent())
    before, after = load_corpus(simulated_workspace.corpus_dir), load_corpus(same.corpus_dir)
    assert after.vocabulary == before.vocabulary
    assert after.entities.equals(before.entities)
    assert after.training_rows.tolist() == before.training_rows.tolist()
    assert after.contexts.store.manifest == before.contexts.store.manifest
    for one, other in zip(load_profiles(before.folder), load_profiles(after.folder), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_share_of_the_documents_is_part_of_a_larger_share(simulated_workspace: Workspace, tmp_path: Path) -> None:
    def training_documents(workspace: Workspace) -> set[str]:
        table = pq.read_table(workspace.corpus_dir / "sentences.parquet", columns=["doc_id", "held_out"])
        return set(table.filter(table["held_out"].to_numpy() == 0)["doc_id"].to_pylist())

    shares = [keep_documents(simulated_workspace, n, tmp_path / str(n), Silent()) for n in (20, 60, 100)]
    fifth, most, whole = map(training_documents, shares)
    assert fifth < most < whole == training_documents(simulated_workspace)
    assert 0.1 < len(fifth) / len(whole) < 0.3


def test_the_same_call_does_nothing_and_an_unknown_entity_is_refused(
    simulated_workspace: Workspace, without: Workspace, tmp_path: Path
) -> None:
    generation = without.corpus_dir
    written = (generation / "entities.parquet").stat().st_mtime_ns
    leave_entities_out(simulated_workspace, OUT[::-1], without.path, Silent())
    assert without.corpus_dir == generation
    assert (generation / "entities.parquet").stat().st_mtime_ns == written
    with pytest.raises(InvalidInputError, match="must be in the catalogue, 'MESH:X1' is not"):
        leave_entities_out(simulated_workspace, ["MESH:X1"], tmp_path / "none", Silent())


def test_an_entity_of_the_training_gets_its_start_back_from_its_own_sentences(simulated_workspace: Workspace) -> None:
    corpus = load_corpus(simulated_workspace.corpus_dir)
    projector = Projector.load(corpus.folder)
    assert projector is not None
    rows = np.flatnonzero(corpus.has_text)
    counts = count_sentences(corpus.folder, rows, corpus.vocabulary)
    assert counts.n_sentences.tolist() == corpus.entities["n_training_sentences"].to_numpy()[rows].tolist()
    found = projector.cut(*start_dimensions(MODEL)).start_vectors(counts)
    np.testing.assert_allclose(found, corpus.start_vectors(MODEL)[rows], atol=1e-4)


def test_a_generation_that_kept_no_weights_gives_the_same_profiles(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "generation"
    shutil.copytree(simulated_workspace.corpus_dir, folder)
    for name in (TEXT_WEIGHTS, COMENTION_WEIGHTS, INVERSE_FREQUENCY):
        (folder / name).unlink()
    corpus = load_corpus(folder)
    rows = np.flatnonzero(corpus.has_text)
    counts = count_sentences(folder, rows, corpus.vocabulary)
    found = corpus_projector(folder, Silent()).profiles(counts)
    for own, stored in zip(found, load_profiles(folder), strict=True):
        np.testing.assert_allclose(unit_rows(own, 20), unit_rows(stored[rows], 20), atol=1e-4)


def test_sentences_of_an_entity_left_out_give_it_a_vector_near_the_one_it_had(
    simulated_workspace: Workspace, without: Workspace
) -> None:
    rows = catalogue_rows(without.corpus_dir, OUT)
    vocabulary = Vocabulary.load(without.corpus_dir / "vocabulary.json")
    counts = count_sentences(simulated_workspace.corpus_dir, rows, vocabulary)
    projector = Projector.load(without.corpus_dir)
    assert projector is not None
    text, _ = projector.profiles(counts)
    others, _ = load_profiles(without.corpus_dir)
    before, _ = load_profiles(simulated_workspace.corpus_dir)
    for row, own in zip(rows, unit_rows(text, 300), strict=True):
        here = unit_rows(others, 300) @ own
        there = unit_rows(before, 300) @ unit_rows(before, 300)[row]
        known = (np.abs(others).sum(axis=1) > 0) & (np.arange(len(others)) != row)
        assert np.corrcoef(here[known], there[known])[0, 1] > 0.85
