"""A model as one file: what goes round is the same, and what somebody made to harm is refused."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relvm_kg.errors import InvalidInputError, WorkspaceError
from relvm_kg.pipeline import model_archive
from relvm_kg.pipeline.answers import rank_partners, score_pair
from relvm_kg.pipeline.find import find_entity
from relvm_kg.pipeline.model_archive import FILES, MANIFEST, pack_model, unpack_model
from relvm_kg.pipeline.session import Session
from relvm_kg.training.device import Device
from relvm_kg.workspace import Workspace

Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture(scope="session")
def archive(trained_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("archive") / "model.tar.gz"
    pack_model(trained_workspace, None, target)
    return target


def members(path: Path) -> Members:
    with tarfile.open(path) as tar:
        return [(m, handle.read()) for m in tar if (handle := tar.extractfile(m)) is not None]


def write(path: Path, content: Members, format: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w:gz", format=format) as tar:
        for member, data in content:
            if member.isreg():
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def changed(archive: Path, path: Path, name: str, data: bytes) -> Path:
    """The archive with other bytes in one file, and a manifest that agrees with them."""
    content = members(archive)
    manifest = json.loads({m.name: d for m, d in content}[MANIFEST])
    manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    new = {name: data, MANIFEST: json.dumps(manifest).encode()}
    return write(path, [(m, new.get(m.name, d)) for m, d in content])


def with_manifest(archive: Path, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = members(archive)
    manifest = json.loads(content[0][1])
    change(manifest)
    return write(path, [(content[0][0], json.dumps(manifest).encode()), *content[1:]])


def test_a_workspace_that_holds_only_an_unpacked_model_scores_and_ranks_alike(
    trained_workspace: Workspace, archive: Path, tmp_path: Path
) -> None:
    report = unpack_model(archive, tmp_path / "new")
    assert (report.run_id, report.is_default, report.simulated) == ("tiny", True, True)
    here = Session(Workspace.open(tmp_path / "new"), device=Device.CPU)
    there = Session(trained_workspace, device=Device.CPU)
    ours, theirs = (score_pair(s, "GLT-1", "DISEASE:D000690").answers[0] for s in (here, there))
    assert ours.probability == theirs.probability
    assert (ours.known, ours.co_mentioned, ours.n_documents) == (None, None, None)
    assert (theirs.known, theirs.co_mentioned) == (False, False)
    rankings = [[(a.head.id, a.tail.id) for a in rank_partners(s, "EAAT2", top=50).answers] for s in (here, there)]
    assert rankings[0] == rankings[1]


def test_names_ground_in_the_unpacked_model_as_in_the_corpus(
    trained_workspace: Workspace, archive: Path, tmp_path: Path
) -> None:
    unpack_model(archive, tmp_path / "new")
    for text in ("eaat2", "paralysis agitans", "GENE:6506", "nothing of the kind", "EAT2"):
        assert find_entity(Workspace.open(tmp_path / "new"), text) == find_entity(trained_workspace, text)


def test_the_same_run_packs_to_the_same_bytes_also_after_a_journey(
    trained_workspace: Workspace, archive: Path, tmp_path: Path
) -> None:
    pack_model(trained_workspace, "tiny", tmp_path / "again.tar.gz")
    unpack_model(archive, tmp_path / "new")
    pack_model(Workspace.open(tmp_path / "new"), None, tmp_path / "travelled.tar.gz")
    assert (tmp_path / "again.tar.gz").read_bytes() == archive.read_bytes()
    assert (tmp_path / "travelled.tar.gz").read_bytes() == archive.read_bytes()


def test_an_archive_holds_no_sentence_of_the_corpus(trained_workspace: Workspace, archive: Path) -> None:
    names = [m.name for m, _ in members(archive)]
    assert names[0] == MANIFEST
    assert set(names[1:]) <= set(FILES)
    sentences = pq.read_table(trained_workspace.corpus_dir / "sentences.parquet")["text"].to_pylist()[:200]
    packed = b"".join(data for _, data in members(archive))
    assert not any(sentence.encode() in packed for sentence in sentences)


def test_names_of_a_grown_corpus_are_numbered_by_the_model(trained_workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(trained_workspace.path, tmp_path / "grown")
    workspace = Workspace.open(tmp_path / "grown")
    corpus = workspace.corpus_dir
    entities, synonyms = (pq.read_table(corpus / f"{n}.parquet") for n in ("entities", "synonyms"))
    first = entities.slice(0, 1).set_column(0, entities.schema.field("id"), pa.array(["AAAA:1"]))
    pq.write_table(pa.concat_tables([first, entities]), corpus / "entities.parquet")
    moved = pa.array(np.asarray(synonyms["entity"]) + 1, pa.int32())
    pq.write_table(synonyms.set_column(0, synonyms.schema.field("entity"), moved), corpus / "synonyms.parquet")
    pack_model(workspace, None, tmp_path / "model.tar.gz")
    unpack_model(tmp_path / "model.tar.gz", tmp_path / "new")
    unpacked = pq.read_table(tmp_path / "new" / "runs" / "tiny" / "synonyms.parquet")
    assert unpacked.equals(synonyms)


def test_unpacking_again_changes_nothing_and_another_run_of_the_name_is_kept(archive: Path, tmp_path: Path) -> None:
    unpack_model(archive, tmp_path / "new")
    assert unpack_model(archive, tmp_path / "new").run_id == "tiny"
    card = tmp_path / "new" / "runs" / "tiny" / "MODEL_CARD.md"
    card.write_text("mine")
    with pytest.raises(WorkspaceError, match="has another run 'tiny' already; unpack into another workspace"):
        unpack_model(archive, tmp_path / "new")
    assert card.read_text() == "mine"


def test_an_unpacked_run_does_not_take_the_place_of_the_default(
    trained_workspace: Workspace, archive: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained_workspace.path, tmp_path / "own")
    workspace = Workspace.open(tmp_path / "own")
    (workspace.runs_dir / "tiny").rename(workspace.runs_dir / "mine")
    workspace.update_manifest(default_run="mine")
    assert unpack_model(archive, workspace.path).is_default is False
    assert workspace.manifest.default_run == "mine"


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def test_members_that_are_not_a_models_files_are_refused(archive: Path, tmp_path: Path) -> None:
    good = members(archive)
    fifo = tarfile.TarInfo("config.json")
    fifo.type = tarfile.FIFOTYPE
    attacks: dict[str, tuple[Members, str]] = {
        "absolute": ([*good, (tarfile.TarInfo("/tmp/pwned"), b"x")], "must hold only"),
        "parent": ([*good, (tarfile.TarInfo("../pwned"), b"x")], "must hold only"),
        "inside": ([*good, (tarfile.TarInfo("sub/config.json"), b"x")], "must hold only"),
        "dot": ([*good, (tarfile.TarInfo("./config.json"), b"x")], "must hold only"),
        "pickle": ([*good, (tarfile.TarInfo("model.pkl"), b"x")], "must hold only"),
        "twice": ([*good, good[1]], "must hold each file once, holds 'config.json' again"),
        "symlink": ([link("config.json", "/etc/passwd")], "'config.json' is none"),
        "hard link": ([link("config.json", "/etc/passwd", tarfile.LNKTYPE)], "'config.json' is none"),
        "folder": ([link("config.json", "", tarfile.DIRTYPE)], "'config.json' is none"),
        "fifo": ([(fifo, b"")], "'config.json' is none"),
        "empty": ([], "must hold manifest.json, this one does not"),
        "no weights": ([m for m in good if m[0].name != "model.safetensors"], "must hold model.safetensors"),
    }
    for name, (content, sentence) in attacks.items():
        path = write(tmp_path / f"{name}.tar.gz", content)
        with pytest.raises(InvalidInputError, match=sentence):
            unpack_model(path, tmp_path / "new")
        assert not list((tmp_path / "new" / "runs").iterdir())
    assert not Path("/tmp/pwned").exists()
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("run_id", ["../evil", "/tmp/evil", "", ".hidden", "a/b", "a" * 65, 7, None])
def test_a_run_id_that_is_no_plain_name_is_refused(run_id: object, archive: Path, tmp_path: Path) -> None:
    path = with_manifest(archive, tmp_path / "evil.tar.gz", lambda m: m.update(run_id=run_id))
    with pytest.raises(InvalidInputError, match=r"run_id of a model archive must be letters, digits and ._- only"):
        unpack_model(path, tmp_path / "new")


def test_a_manifest_that_does_not_fit_its_files_is_refused(archive: Path, tmp_path: Path) -> None:
    def lose(manifest: dict[str, Any]) -> None:
        del manifest["files"]["trace.jsonl"]

    def unhash(manifest: dict[str, Any]) -> None:
        manifest["files"]["config.json"]["sha256"] = "x"

    def shrink(manifest: dict[str, Any]) -> None:
        manifest["files"]["config.json"]["bytes"] = 1

    def age(manifest: dict[str, Any]) -> None:
        manifest["format_version"] = 99

    for change, sentence in (
        (lose, "must name exactly the files that the archive holds"),
        (unhash, "must give the sha256 of config.json"),
        (shrink, "config.json must have 1 bytes, has"),
        (age, "must have format_version 1"),
    ):
        with pytest.raises(InvalidInputError, match=sentence):
            unpack_model(with_manifest(archive, tmp_path / "bad.tar.gz", change), tmp_path / "new")


def test_a_changed_byte_is_found(archive: Path, tmp_path: Path) -> None:
    content = [(m, d[:-1] + b"!" if m.name == "model.safetensors" else d) for m, d in members(archive)]
    with pytest.raises(InvalidInputError, match=r"model.safetensors of the archive must have the SHA-256"):
        unpack_model(write(tmp_path / "bad.tar.gz", content), tmp_path / "new")
    assert not list((tmp_path / "new" / "runs").iterdir())


def test_an_archive_that_is_cut_off_or_none_at_all_is_refused(archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"not gzip", gzip.compress(b"not a tar" * 200)):
        (tmp_path / "bad.tar.gz").write_bytes(content)
        with pytest.raises(InvalidInputError, match=r"must be a whole \.tar\.gz of a model|must hold manifest\.json"):
            unpack_model(tmp_path / "bad.tar.gz", tmp_path / "new")


def test_a_header_that_claims_more_than_there_may_be_is_refused(archive: Path, tmp_path: Path) -> None:
    huge = tarfile.TarInfo("model.safetensors")
    huge.size = 1 << 40
    body = huge.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
    (tmp_path / "huge.tar.gz").write_bytes(gzip.compress(body))
    with pytest.raises(InvalidInputError, match="must unpack to at most"):
        unpack_model(tmp_path / "huge.tar.gz", tmp_path / "new")
    extended = tarfile.TarInfo("././@LongLink")
    extended.type, extended.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    (tmp_path / "name.tar.gz").write_bytes(gzip.compress(extended.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    with pytest.raises(InvalidInputError, match="a header of unusual size"):
        unpack_model(tmp_path / "name.tar.gz", tmp_path / "new")


def test_too_much_content_is_refused_before_it_is_written(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_archive, "MAX_BYTES", 10_000)
    with pytest.raises(InvalidInputError, match="must unpack to at most 10,000 bytes"):
        unpack_model(archive, tmp_path / "new")


def test_a_small_file_cannot_ask_for_a_large_model(archive: Path, tmp_path: Path) -> None:
    content = {m.name: d for m, d in members(archive)}
    config = json.loads(content["config.json"])
    config["model"]["hidden"] = 10_000_000
    path = changed(archive, tmp_path / "large.tar.gz", "config.json", json.dumps(config).encode())
    with pytest.raises(InvalidInputError, match=r"model.safetensors must hold the weights that its settings describe"):
        unpack_model(path, tmp_path / "new")
    pair = json.loads(content["pair.json"])
    pair["config"]["hidden"] = 10_000_000
    path = changed(archive, tmp_path / "large.tar.gz", "pair.json", json.dumps(pair).encode())
    with pytest.raises(InvalidInputError, match=r"pair.safetensors must hold the weights that its settings describe"):
        unpack_model(path, tmp_path / "new")


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "pair.json", "mention.json", "report.json"])
@pytest.mark.parametrize("data", [b"", b"[]", b'"x"', b"{}", b"{", b"\xff\xfe", b"[" * 100_000])
def test_json_of_another_form_is_refused_in_words(name: str, data: bytes, archive: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        unpack_model(changed(archive, tmp_path / "bad.tar.gz", name, data), tmp_path / "new")
    assert not list((tmp_path / "new" / "runs").iterdir())


@pytest.mark.parametrize("name", ["entities.parquet", "synonyms.parquet", "model.safetensors", "pair.safetensors"])
@pytest.mark.parametrize("data", [b"", b"PAR1", b"\xff" * 64, b"\xff\xff\xff\xff\xff\xff\xff\x7f{}"])
def test_tables_and_weights_of_another_form_are_refused_in_words(
    name: str, data: bytes, archive: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError):
        unpack_model(changed(archive, tmp_path / "bad.tar.gz", name, data), tmp_path / "new")
    assert not list((tmp_path / "new" / "runs").iterdir())


def test_synonyms_of_entities_that_the_model_lacks_are_refused(archive: Path, tmp_path: Path) -> None:
    content = {m.name: d for m, d in members(archive)}
    table = pq.read_table(io.BytesIO(content["synonyms.parquet"]))
    column = pa.array([10**6] * table.num_rows, pa.int32())
    sink = io.BytesIO()
    pq.write_table(table.set_column(0, table.schema.field("entity"), column), sink)
    path = changed(archive, tmp_path / "bad.tar.gz", "synonyms.parquet", sink.getvalue())
    with pytest.raises(InvalidInputError, match=r"synonyms.parquet must name rows of entities.parquet"):
        unpack_model(path, tmp_path / "new")


def test_a_run_without_a_file_is_not_packed(trained_workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(trained_workspace.path, tmp_path / "own")
    workspace = Workspace.open(tmp_path / "own")
    (workspace.run_dir() / "trace.jsonl").unlink()
    with pytest.raises(InvalidInputError, match=r"must hold trace.jsonl to be packed"):
        pack_model(workspace, None, tmp_path / "model.tar.gz")
    assert not (tmp_path / "model.tar.gz").exists()
