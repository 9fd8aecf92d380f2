"""Documents split and tagged by several processes: order, failures, being killed, and going on."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.sentences import split_text
from relvm_kg.errors import RelvmKgError, WorkspaceError
from relvm_kg.pipeline.ingest import Source, SourceKind, add_sources, report
from relvm_kg.pipeline.prepare import CHUNK_DOCUMENTS, Preparer, chunked, prepare_documents
from relvm_kg.pipeline.prepared import PART_CHUNKS, PreparedSources
from relvm_kg.progress import Silent
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage
from relvm_kg.workspace import Workspace

SOD1 = EntityId("NCBIGene", "6647")
ALS = EntityId("MESH", "D000690")


class WordTagger:
    """Tags the words SOD1 (a gene), ALS (a disease) and riluzole (a chemical that it finds no id for)."""

    words = (
        ("SOD1", EntityType.GENE, (SOD1,)),
        ("ALS", EntityType.DISEASE, (ALS,)),
        ("riluzole", EntityType.CHEMICAL, ()),
    )

    def __init__(self, fingerprint: str = "words") -> None:
        self.fingerprint = fingerprint

    def tag_many(self, documents: Sequence[Document]) -> list[Document]:
        return [self.tag(document) for document in documents]

    def tag(self, document: Document) -> Document:
        assert all(passage.sentences for passage in document.passages)
        found = list(document.mentions)
        for passage in document.passages:
            for word, kind, ids in self.words:
                if kind not in document.annotated and word in passage.text:
                    start = passage.offset + passage.text.index(word)
                    found.append(Mention(start, start + len(word), word, kind, ids, tagged=True))
        return document._replace(mentions=tuple(sorted(found, key=lambda m: m.start)))


class TroubledTagger(WordTagger):
    """Fails on documents that say `trouble`, and ends its process on those that say `doom`."""

    def tag(self, document: Document) -> Document:
        text = document.passages[0].text
        if "trouble" in text:
            raise ZeroDivisionError("as planned")
        if "doom" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().tag(document)


def document(number: int, text: str = "SOD1 causes ALS. We gave riluzole.", **more: object) -> Document:
    made = Document(str(number), 2000, (Passage("abstract", 0, text),), ())
    return made._replace(**more)  # type: ignore[arg-type]


def many(n: int) -> list[Document]:
    return [document(i, f"Paper {i} is on SOD1 in ALS. We gave riluzole (e.g. {i} mg). It helped.") for i in range(n)]


def prepared(documents: list[Document], preparer: Preparer, jobs: int) -> tuple[list[Document], ReadLog]:
    log = ReadLog("documents")
    return list(prepare_documents(iter(documents), preparer, jobs, log)), log


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "w")


def ingested(workspace: Workspace, documents: list[Document], name: str = "a.jsonl") -> Path:
    path = workspace.path.parent / name
    path.write_text("".join(document_to_json(d) + "\n" for d in documents), encoding="utf-8")
    add_sources(workspace, {SourceKind.CORPUS: [str(path)]}, Silent())
    return path


def prepare(workspace: Workspace, preparer: Preparer, jobs: int = 1) -> PreparedSources:
    done = PreparedSources(workspace, preparer.tagger.fingerprint if preparer.tagger is not None else None)
    done.prepare(sources(workspace), preparer, jobs, Silent())
    return done


def sources(workspace: Workspace) -> list[Source]:
    return add_sources(workspace, {}, Silent())


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- documents


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_documents_come_back_in_their_order_split_and_tagged(jobs: int) -> None:
    given = many(3 * CHUNK_DOCUMENTS + 5)
    done, log = prepared(given, Preparer(WordTagger()), jobs)
    assert [d.doc_id for d in done] == [d.doc_id for d in given]
    assert all(d.passages[0].sentences == tuple(split_text(d.passages[0].text)) for d in done)
    assert [m.text for m in done[-1].mentions] == ["SOD1", "ALS", "riluzole"]
    assert all(m.tagged for d in done for m in d.mentions)
    assert not log.rejected


def test_several_processes_do_what_one_does() -> None:
    given = many(700)
    assert prepared(given, Preparer(WordTagger()), 1)[0] == prepared(given, Preparer(WordTagger()), 2)[0]


def test_sentences_that_are_known_stay_and_earlier_tags_make_room() -> None:
    passage = Passage("abstract", 0, "SOD1 causes ALS. It does.", ((0, 25),))
    given = document(1, mentions=(Mention(0, 4, "SOD1", EntityType.DISEASE, (), tagged=True),))._replace(
        passages=(passage,)
    )
    (split,), _ = prepared([given], Preparer(), 1)
    assert split == given
    (tagged,), _ = prepared([given], Preparer(WordTagger()), 1)
    assert tagged.passages == (passage,)
    assert [(m.text, m.type) for m in tagged.mentions] == [("SOD1", EntityType.GENE), ("ALS", EntityType.DISEASE)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_document_on_which_the_tagger_fails_is_set_aside_and_the_others_go_on(jobs: int) -> None:
    given = many(300)
    given[200] = document(200, "trouble")
    done, log = prepared(given, Preparer(TroubledTagger()), jobs)
    assert [d.doc_id for d in done] == [d.doc_id for d in given if d.doc_id != "200"]
    assert dict(log.rejected) == {"the tagger failed (ZeroDivisionError: as planned)": 1}


def test_a_worker_that_dies_is_an_error_and_no_wait() -> None:
    given = many(600)
    given[400] = document(400, "doom")
    with pytest.raises(RelvmKgError, match="a worker process died"):
        prepared(given, Preparer(TroubledTagger()), 2)


def test_long_documents_go_in_smaller_chunks() -> None:
    assert [len(chunk.lines) for chunk in chunked(iter(["x" * 150_000] * 7))] == [3, 3, 1]


def test_a_stream_that_is_left_early_leaves_no_process_behind() -> None:
    def endless() -> Iterator[Document]:
        number = 0
        while True:
            number += 1
            yield document(number)

    stream = prepare_documents(endless(), Preparer(WordTagger()), 2, ReadLog("documents"))
    assert isinstance(stream, Generator)
    assert next(stream).doc_id == "1"
    stream.close()
    assert multiprocessing.active_children() == []


# --- files of a workspace


def test_the_types_that_a_file_annotates_are_left_to_it(workspace: Workspace) -> None:
    mention = Mention(0, 4, "SOD1", EntityType.GENE, (SOD1,))
    ingested(workspace, [document(1, mentions=(mention,)), document(2)])
    (source,) = sources(workspace)
    assert report(workspace, source).annotated == ["GENE"]
    done = prepare(workspace, Preparer(WordTagger()))
    (log,), counts = [list(done.rejected(source))], done.report(source)
    assert log == []
    assert (counts.documents, counts.sentences) == (2, 4)
    assert counts.mentions == {"CHEMICAL": 2, "DISEASE": 2, "GENE": 1}
    assert counts.tagged == {"CHEMICAL": 2, "DISEASE": 2}
    assert counts.unlinked == {"CHEMICAL": 2}


def test_prepared_files_are_the_same_whatever_the_jobs(tmp_path: Path) -> None:
    contents = []
    for jobs in (1, 2):
        workspace = Workspace.create(tmp_path / str(jobs) / "w")
        ingested(workspace, many(CHUNK_DOCUMENTS * (PART_CHUNKS + 2) + 7))
        prepare(workspace, Preparer(WordTagger()), jobs)
        contents.append(bytes_of(workspace.prepared_dir))
    assert contents[0] == contents[1]
    assert len(contents[0]) == 3


def test_what_is_prepared_is_not_prepared_again_and_another_tagger_starts_anew(workspace: Workspace) -> None:
    ingested(workspace, many(5))
    before = prepare(workspace, Preparer(WordTagger()))
    stamps = {path: path.stat().st_mtime_ns for path in workspace.prepared_dir.iterdir()}
    prepare(workspace, Preparer(WordTagger()))
    assert {path: path.stat().st_mtime_ns for path in workspace.prepared_dir.iterdir()} == stamps
    other = prepare(workspace, Preparer(WordTagger("other words")))
    (source,) = sources(workspace)
    assert before.name(source) != other.name(source)
    other.remove_unused([source])
    assert {path.name.split(".")[0] for path in workspace.prepared_dir.iterdir()} == {other.name(source)}


def test_failed_documents_are_written_with_their_reason(workspace: Workspace) -> None:
    ingested(workspace, [document(1), document(2, "trouble"), document(3)])
    done = prepare(workspace, Preparer(TroubledTagger()))
    (source,) = sources(workspace)
    reason = "the tagger failed (ZeroDivisionError: as planned)"
    assert list(done.rejected(source)) == [Rejected("a.jsonl", 0, reason, "2")]
    assert (done.report(source).documents, done.report(source).failed) == (2, {reason: 1})


COMMAND = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_prepare import Preparer, SlowTagger, Workspace, prepare
workspace = Workspace.open(Path(sys.argv[1]))
with workspace.lock():
    prepare(workspace, Preparer(SlowTagger()), 2)
"""


class CountingTagger(WordTagger):
    n_documents = 0

    def tag_many(self, documents: Sequence[Document]) -> list[Document]:
        self.n_documents += len(documents)
        return super().tag_many(documents)


class SlowTagger(WordTagger):
    def tag_many(self, documents: Sequence[Document]) -> list[Document]:
        time.sleep(0.05)
        return super().tag_many(documents)


@pytest.mark.slow
def test_a_killed_preparation_goes_on_at_the_part_that_was_under_way(tmp_path: Path) -> None:
    given = many(CHUNK_DOCUMENTS * (3 * PART_CHUNKS) + 7)
    fresh, killed = Workspace.create(tmp_path / "fresh" / "w"), Workspace.create(tmp_path / "killed" / "w")
    for workspace in (fresh, killed):
        ingested(workspace, given)
    prepare(fresh, Preparer(WordTagger()), 1)
    process = subprocess.Popen([sys.executable, "-c", COMMAND, str(killed.path), str(Path(__file__).parent)])
    deadline = time.monotonic() + 120
    while not (done := list(killed.prepared_dir.glob("*.parts/00000.json"))):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    process.wait()
    lock_soon(killed)
    n_done = sum(json.loads(path.read_text())["documents"] for path in done[0].parent.glob("*.json"))
    tagger = CountingTagger()
    prepare(killed, Preparer(tagger), 1)
    assert tagger.n_documents == len(given) - n_done < len(given)
    assert bytes_of(fresh.prepared_dir) == bytes_of(killed.prepared_dir)


def lock_soon(workspace: Workspace) -> None:
    """Take the lock once: the workers of a killed process let it go as soon as they see that it is gone."""
    deadline = time.monotonic() + 5
    while True:
        try:
            with workspace.lock():
                return
        except WorkspaceError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
