"""New text: an entity that training never saw gets a vector from its sentences, is scored, ranked and marked."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import InvalidInputError, NoTextError, UnknownEntityError
from relvm_kg.model.projection_file import PROJECTION
from relvm_kg.model.relvm import TYPE_ROWS
from relvm_kg.pipeline.answers import rank_partners, score_pair
from relvm_kg.pipeline.model_archive import pack_model, unpack_model
from relvm_kg.pipeline.session import Session
from relvm_kg.pipeline.text_session import TextSession
from relvm_kg.training.data import load_corpus
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage
from relvm_kg.workspace import Workspace

NEW = EntityId("NCBIGene", "99999901")
OLD = EntityId("NCBIGene", "6506")
WriteText = Callable[..., Path]


def sentences_of(workspace: Workspace, entity: EntityId, new: EntityId, limit: int | None = None) -> list[Document]:
    """The training sentences of an entity, each a document, as if they were of another one."""
    session, folder = Session(workspace), workspace.corpus_dir
    catalogue = session.catalogue
    mentions = pq.read_table(folder / "mentions.parquet").to_pylist()
    sentences = pq.read_table(folder / "sentences.parquet", columns=["text", "held_out"]).to_pylist()
    wanted = catalogue.index[entity]
    rows = {
        m["sentence_row"] for m in mentions if m["entity"] == wanted and not sentences[m["sentence_row"]]["held_out"]
    }
    by_row: dict[int, list[Mention]] = {row: [] for row in sorted(rows)[:limit]}
    for m in mentions:
        if m["sentence_row"] in by_row:
            text = sentences[m["sentence_row"]]["text"][m["start"] : m["end"]]
            identifier = new if m["entity"] == wanted else catalogue.ids[m["entity"]]
            by_row[m["sentence_row"]].append(
                Mention(m["start"], m["end"], text, catalogue.types[m["entity"]], (identifier,))
            )
    return [
        Document(f"NEW:{row}", 2026, (Passage("text", 0, text, ((0, len(text)),)),), tuple(found))
        for row, found in by_row.items()
        if (text := sentences[row]["text"])
    ]


@pytest.fixture
def write_text(trained_workspace: Workspace, tmp_path: Path) -> WriteText:
    """Writes sentences of the known gene under the new id to a file."""

    def write(limit: int | None = None, entity: EntityId = OLD, new: EntityId = NEW) -> Path:
        path = tmp_path / "new.jsonl"
        documents = sentences_of(trained_workspace, entity, new, limit)
        path.write_text("".join(document_to_json(document) + "\n" for document in documents), encoding="utf-8")
        return path

    return write


def test_sentences_of_a_training_entity_give_a_new_one_its_start_vector(
    trained_workspace: Workspace, write_text: WriteText
) -> None:
    session = TextSession(trained_workspace, [str(write_text())])
    model, entities = session.scorer.bundle.model, session.scorer.entities
    row = entities.rows[str(NEW)]
    start = load_corpus(trained_workspace.corpus_dir).start_vectors(model.config)[session.catalogue.index[OLD]]
    with torch.no_grad():
        found = model.entities(torch.tensor([row]))[0].numpy()
    wanted = start / np.linalg.norm(start)
    np.testing.assert_allclose(found / np.linalg.norm(found), wanted, atol=3e-4)


def test_the_known_rows_and_scores_stay_as_they_are(trained_workspace: Workspace, write_text: WriteText) -> None:
    plain, session = Session(trained_workspace), TextSession(trained_workspace, [str(write_text())])
    before, after = plain.scorer.bundle.model, session.scorer.bundle.model
    n = before.n_entities
    assert after.n_entities == n + 1
    types = torch.tensor([TYPE_ROWS[kind] for kind in EntityType])
    with torch.no_grad():
        torch.testing.assert_close(after.entities(torch.arange(n)), before.entities(torch.arange(n)))
        torch.testing.assert_close(after.entities(after.type_rows(types)), before.entities(before.type_rows(types)))
    pair = ("SLC1A2", "MESH:D000690")
    assert score_pair(session, *pair).answers == score_pair(plain, *pair).answers


def test_a_new_entity_is_scored_and_marked_with_its_sentences(
    trained_workspace: Workspace, write_text: WriteText
) -> None:
    session = TextSession(trained_workspace, [str(write_text())])
    (answer,) = score_pair(session, str(NEW), "MESH:D000690").answers
    assert answer.tail.id == str(NEW)
    n = int(session.catalogue.n_training_sentences[session.catalogue.index[OLD]])
    assert (answer.tail.from_sentences, answer.head.from_sentences) == (n, None)
    assert 0 < answer.probability < 1
    assert answer.known is False
    report = session.report(answer.head.id, answer.tail.id)
    assert [(e.id, e.n_sentences) for e in report.entities] == [(str(NEW), n)]
    assert answer.co_mentioned is bool(answer.n_documents)
    assert len(report.sentences) == (answer.n_documents or n)
    for sentence in report.sentences:
        assert sentence.tail_span is not None
        assert sentence.doc_id.startswith("NEW:")
    assert session.notes == []


def test_a_new_entity_is_ranked_and_is_a_candidate_of_others(
    trained_workspace: Workspace, write_text: WriteText
) -> None:
    session = TextSession(trained_workspace, [str(write_text())])
    ranking = rank_partners(session, str(NEW), partner_type=EntityType.DISEASE, top=5)
    assert ranking.entity.from_sentences == ranking.n_documents > 0
    assert all(answer.tail.id == str(NEW) for answer in ranking.answers)
    back = rank_partners(session, "MESH:D000690", partner_type=EntityType.GENE, top=10_000)
    (own,) = [answer for answer in back.answers if answer.tail.id == str(NEW)]
    assert own == score_pair(session, "MESH:D000690", str(NEW)).answers[0]
    plain = rank_partners(Session(trained_workspace), "MESH:D000690", partner_type=EntityType.GENE, top=10_000)
    assert back.n_candidates == plain.n_candidates + 1


def test_few_sentences_bring_a_caution(trained_workspace: Workspace, write_text: WriteText) -> None:
    session = TextSession(trained_workspace, [str(write_text(limit=1))])
    score_pair(session, str(NEW), "MESH:D000690")
    assert any("rests on 1 sentence only" in note for note in session.notes)


def test_an_entity_that_the_file_does_not_mention_is_refused_with_those_it_mentions(
    trained_workspace: Workspace, write_text: WriteText
) -> None:
    session = TextSession(trained_workspace, [str(write_text())])
    with pytest.raises(UnknownEntityError, match=r"NCBIGene:123.*new\.jsonl mentions .* \(NCBIGene:99999901\)"):
        score_pair(session, "NCBIGene:123", "MESH:D000690")


def test_text_that_mentions_only_known_entities_changes_nothing_and_says_so(
    trained_workspace: Workspace, write_text: WriteText
) -> None:
    session = TextSession(trained_workspace, [str(write_text(new=OLD))])
    plain = Session(trained_workspace)
    assert score_pair(session, str(OLD), "MESH:D000690").answers == score_pair(plain, str(OLD), "MESH:D000690").answers
    assert session.report(str(OLD), "MESH:D000690").entities == ()


def test_text_without_an_entity_or_of_no_known_format_is_refused(trained_workspace: Workspace, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pubtator"
    empty.write_text("1|t|Nothing is named here.\n1|a|Nor here.\n1\t0\t7\tNothing\tGene\t-\n\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="must mention an entity with an id"):
        _ = TextSession(trained_workspace, [str(empty)]).text
    odd = tmp_path / "odd.bin"
    odd.write_bytes(b"\x00\x01")
    with pytest.raises(InvalidInputError, match="must be of a known format"):
        _ = TextSession(trained_workspace, [str(odd)]).text
    raw = tmp_path / "raw.txt"
    raw.write_text("SLC1A2 is lost in amyotrophic lateral sclerosis.", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"raw\.txt must hold annotations, for there is no names catalogue"):
        _ = TextSession(trained_workspace, [str(raw)]).text


def test_a_run_that_kept_nothing_takes_it_from_its_corpus_or_says_that_it_is_gone(
    trained_workspace: Workspace, write_text: WriteText, tmp_path: Path
) -> None:
    shutil.copytree(trained_workspace.path, tmp_path / "own")
    own = Workspace.open(tmp_path / "own")
    path = str(write_text())
    wanted = score_pair(TextSession(own, [path]), str(NEW), "MESH:D000690").answers
    kept = own.run_dir() / PROJECTION
    kept.unlink()
    for name in ("text_weights.npy", "comention_weights.npy", "inverse_frequency.npy"):
        (own.corpus_dir / name).unlink()
    found = score_pair(TextSession(own, [path]), str(NEW), "MESH:D000690").answers
    assert found[0].probability == pytest.approx(wanted[0].probability, abs=1e-3)
    assert kept.is_file()
    kept.unlink()
    (own.corpus_dir / "sentences.parquet").unlink()
    with pytest.raises(NoTextError, match=r"kept nothing that gives a vector .* train again"):
        _ = TextSession(own, [path]).scorer


def test_an_unpacked_model_without_a_corpus_gives_new_entities_the_same_score(
    trained_workspace: Workspace, write_text: WriteText, tmp_path: Path
) -> None:
    pack_model(trained_workspace, None, tmp_path / "model.tar.gz")
    report = unpack_model(tmp_path / "model.tar.gz", tmp_path / "elsewhere")
    assert PROJECTION in report.files
    path = str(write_text())
    (here,) = score_pair(TextSession(trained_workspace, [path]), str(NEW), "MESH:D000690").answers
    (there,) = score_pair(TextSession(Workspace.open(tmp_path / "elsewhere"), [path]), str(NEW), "MESH:D000690").answers
    assert (there.probability, there.tail.from_sentences) == (here.probability, here.tail.from_sentences)
    assert there.known is there.co_mentioned is None


ROWS = [
    NameRow("MESH:D000690", EntityType.DISEASE, "Amyotrophic Lateral Sclerosis"),
    NameRow("NCBIGene:6506", EntityType.GENE, "SLC1A2", synonyms=("EAAT2", "GLT-1")),
    NameRow("NCBIGene:84553", EntityType.GENE, "FAXC", full_name="failed axon connections homolog"),
]


@pytest.fixture
def with_names(trained_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace with a names catalogue beside its corpus."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache-home"))
    shutil.copytree(trained_workspace.path, tmp_path / "named")
    own = Workspace.open(tmp_path / "named")
    write_names(own.corpus_dir / "names.parquet", ROWS, [])
    return own


def test_plain_text_is_tagged_with_the_names_of_the_workspace(with_names: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("FAXC is lost in amyotrophic lateral sclerosis. SLC1A2 binds FAXC.", encoding="utf-8")
    session = TextSession(with_names, [str(path)])
    (answer,) = score_pair(session, "FAXC", "MESH:D000690").answers
    assert (answer.tail.id, answer.tail.from_sentences) == ("NCBIGene:84553", 2)
    assert answer.n_documents == 1
    assert any("its mentions were tagged with" in note for note in session.notes)
    report = session.report(answer.head.id, answer.tail.id)
    assert [e.sentence for e in report.sentences] == ["FAXC is lost in amyotrophic lateral sclerosis."]


def test_genes_of_other_species_are_read_as_the_workspace_reads_them(with_names: Workspace, tmp_path: Path) -> None:
    text = "GLT-1 binds NEWG1."
    mentions = (
        Mention(0, 5, "GLT-1", EntityType.GENE, (EntityId("NCBIGene", "20511"),)),
        Mention(12, 17, "NEWG1", EntityType.GENE, (NEW,)),
    )
    path = tmp_path / "mouse.jsonl"
    path.write_text(document_to_json(Document("1", None, (Passage("title", 0, text),), mentions)) + "\n", "utf-8")
    account = with_names.corpus_dir / "account.json"
    for folded, partners in ((None, 0), ({"folded_mentions": 1}, 1)):
        account.write_text(json.dumps({**json.loads(account.read_text("utf-8")), "orthologs": folded}), "utf-8")
        session = TextSession(with_names, [str(path)])
        (entity,) = session.report(str(NEW)).entities
        assert entity.n_partners == partners
