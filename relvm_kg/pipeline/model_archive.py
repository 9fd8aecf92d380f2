"""A model handed on as one file: weights, ids, names and figures, no text of documents.

The archive is a `.tar.gz` of one flat folder: `manifest.json` first, which names every other file with its size and
SHA-256, then the files of `FILES`. Nothing in it is run or unpickled; what it may hold is fixed, and checked before
anything is kept.
"""

import gzip
import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.download.unpack import GuardedStream
from relvm_kg.errors import InvalidInputError, WorkspaceError
from relvm_kg.workspace import Workspace, atomic_path, file_sha256, read_json, remove_leftovers

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
REQUIRED = (
    "config.json",
    "model.safetensors",
    "vocabulary.json",
    "entities.parquet",
    "synonyms.parquet",
    "pair.json",
    "pair.safetensors",
    "MODEL_CARD.md",
    "trace.jsonl",
    "report.json",
)
OPTIONAL = ("mention.json", "mention.safetensors", "projection.safetensors")
FILES = (*REQUIRED, *OPTIONAL)
MAX_BYTES = 16 * 1024**3
"""Largest content of an archive, unpacked."""
MAX_TEXT_BYTES = 512 * 1024**2
"""Largest file that is not weights or a table."""
_CHUNK = 1024 * 1024
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class PackReport:
    """What was packed or unpacked."""

    run_id: str
    path: Path
    """The archive, or the folder of the unpacked run."""
    files: tuple[str, ...]
    n_bytes: int
    """Of the files' content."""
    simulated: bool
    is_default: bool = False
    """Whether the workspace uses the unpacked run unless told otherwise."""


def pack_model(workspace: Workspace, run_id: str | None, target: Path) -> PackReport:
    """Write a finished run to one archive; the same run gives the same bytes.

    Args:
        workspace: Where the run is.
        run_id: Its name; None takes the default run.
        target: The file to write, replaced when the new one is whole.

    Raises:
        WorkspaceError: if there is no such run, or nothing says what its entities are called.
        InvalidInputError: if the run lacks a file.
    """
    folder = workspace.run_dir(run_id)
    synonyms = _synonyms(workspace, folder)
    contents: dict[str, bytes | Path] = {"synonyms.parquet": synonyms}
    for name in FILES:
        if (folder / name).is_file() and name not in contents:
            contents[name] = folder / name
    if missing := [name for name in REQUIRED if name not in contents]:
        raise InvalidInputError(f"{folder} must hold {missing[0]} to be packed; train the run again")
    entries = {name: _entry(contents[name]) for name in FILES if name in contents}
    config = read_json(folder / "config.json")
    manifest = {
        "format_version": FORMAT_VERSION,
        "run_id": folder.name,
        "simulated": config["simulated"],
        "files": entries,
    }
    with (
        atomic_path(target) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=4) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        _add(archive, MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
        for name in entries:
            _add(archive, name, contents[name])
    return PackReport(
        run_id=folder.name,
        path=target,
        files=tuple(entries),
        n_bytes=sum(entry["bytes"] for entry in entries.values()),
        simulated=config["simulated"],
    )


def _entry(content: bytes | Path) -> dict[str, Any]:
    if isinstance(content, bytes):
        return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return {"bytes": content.stat().st_size, "sha256": file_sha256(content)}


def _add(archive: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    member = tarfile.TarInfo(name)
    member.mode = 0o644
    if isinstance(content, bytes):
        member.size = len(content)
        archive.addfile(member, BytesIO(content))
        return
    member.size = content.stat().st_size
    with content.open("rb") as handle:
        archive.addfile(member, handle)


def _synonyms(workspace: Workspace, folder: Path) -> bytes:
    """`synonyms.parquet` for the rows of the model's own entity table."""
    own = folder / "synonyms.parquet"
    if own.is_file():
        return own.read_bytes()
    corpus_hash = read_json(folder / "config.json")["corpus_hash"]
    generation = workspace.path / "corpus" / corpus_hash[:12]
    source = generation if (generation / "synonyms.parquet").is_file() else workspace.corpus_dir
    here = pq.read_table(folder / "entities.parquet", columns=["id"])["id"].to_pylist()
    there = pq.read_table(source / "entities.parquet", columns=["id"])["id"].to_pylist()
    row_of = {name: row for row, name in enumerate(here)}
    table = pq.read_table(source / "synonyms.parquet")
    rows = [row_of.get(there[entity]) for entity in table["entity"].to_pylist()]
    kept = table.filter(pa.array([row is not None for row in rows]))
    column = table.schema.get_field_index("entity")
    renumbered = pa.array([row for row in rows if row is not None], pa.int32())
    sink = BytesIO()
    pq.write_table(kept.set_column(column, table.schema.field("entity"), renumbered), sink)
    return sink.getvalue()


def unpack_model(archive: Path, path: Path) -> PackReport:
    """Check an archive and put its run into a workspace, which is made if there is none.

    The run becomes the default if the workspace has none.

    Args:
        archive: What `pack_model` wrote, perhaps by somebody else.
        path: Folder of the workspace.

    Raises:
        InvalidInputError: if the archive is damaged, holds anything but a model's files, or they do not fit one
            another.
        WorkspaceError: if the workspace has another run of that name, or another process writes to it.
    """
    if not archive.is_file():
        raise InvalidInputError(f"there is no archive {archive}")
    workspace = Workspace.create(path)
    with workspace.lock():
        workspace.runs_dir.mkdir(exist_ok=True)
        remove_leftovers(workspace.runs_dir)
        with _reading(archive) as tar:
            members = _members(tar)
            manifest = _manifest(tar, members)
            run_id = manifest["run_id"]
            _check_free(workspace, run_id, manifest)
            with atomic_path(workspace.runs_dir / run_id) as folder:
                folder.mkdir()
                _extract(tar, members, manifest, folder)
                _check_model(folder, run_id)
        if workspace.manifest.default_run is None:
            workspace.update_manifest(default_run=run_id)
        return PackReport(
            run_id=run_id,
            path=workspace.runs_dir / run_id,
            files=tuple(manifest["files"]),
            n_bytes=sum(entry["bytes"] for entry in manifest["files"].values()),
            simulated=bool(read_json(workspace.runs_dir / run_id / "config.json")["simulated"]),
            is_default=workspace.manifest.default_run == run_id,
        )


@contextmanager
def _reading(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with gzip.open(path, "rb") as stream:
            guarded = cast(IO[bytes], GuardedStream(stream, MAX_BYTES, "a model archive"))
            with tarfile.open(fileobj=guarded, mode="r:") as tar:
                yield tar
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInputError(f"{path} must be a whole .tar.gz of a model: {error}") from error


def _members(tar: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """The members by name, once it is certain that each is a plain file of an expected name and size."""
    found: dict[str, tarfile.TarInfo] = {}
    total = 0
    for member in tar:
        name = member.name
        if name not in (MANIFEST, *FILES):
            raise InvalidInputError(f"a model archive must hold only {', '.join((MANIFEST, *FILES))}, holds: {name!r}")
        if not member.isreg() or member.issparse():
            raise InvalidInputError(f"a model archive must hold plain files, {name!r} is none")
        if name in found:
            raise InvalidInputError(f"a model archive must hold each file once, holds {name!r} again")
        total += member.size
        limit = MAX_BYTES if name.endswith((".safetensors", ".parquet")) else MAX_TEXT_BYTES
        if member.size > limit or total > MAX_BYTES:
            raise InvalidInputError(f"a model archive must unpack to at most {MAX_BYTES:,} bytes, {name!r} goes beyond")
        if hasattr(tarfile, "data_filter"):
            tarfile.data_filter(member, ".")
        found[name] = member
    if missing := [name for name in (MANIFEST, *REQUIRED) if name not in found]:
        raise InvalidInputError(f"a model archive must hold {missing[0]}, this one does not")
    return found


def _manifest(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> dict[str, Any]:
    handle = tar.extractfile(members[MANIFEST])
    assert handle is not None
    try:
        values = json.loads(handle.read(_CHUNK))
    except ValueError as error:
        raise InvalidInputError(f"{MANIFEST} of a model archive must be JSON: {error}") from error
    if not isinstance(values, dict) or values.get("format_version") != FORMAT_VERSION:
        raise InvalidInputError(f"{MANIFEST} of a model archive must have format_version {FORMAT_VERSION}")
    run_id, files = values.get("run_id"), values.get("files")
    if not isinstance(run_id, str) or _RUN_ID.fullmatch(run_id) is None:
        raise InvalidInputError(f"run_id of a model archive must be letters, digits and ._- only, was: {run_id!r}")
    if not isinstance(files, dict) or set(files) != set(members) - {MANIFEST}:
        raise InvalidInputError(f"{MANIFEST} of a model archive must name exactly the files that the archive holds")
    for name, entry in files.items():
        if not isinstance(entry, dict) or _SHA256.fullmatch(str(entry.get("sha256"))) is None:
            raise InvalidInputError(f"{MANIFEST} of a model archive must give the sha256 of {name}")
        if entry.get("bytes") != members[name].size:
            raise InvalidInputError(f"{name} must have {entry.get('bytes')} bytes, has {members[name].size}")
    return values


def _check_free(workspace: Workspace, run_id: str, manifest: dict[str, Any]) -> None:
    """A run of that name may only be there if an interrupted unpacking, or the same archive, left it."""
    folder = workspace.runs_dir / run_id
    if not folder.exists():
        return
    same = all(
        (folder / name).is_file() and file_sha256(folder / name) == entry["sha256"]
        for name, entry in manifest["files"].items()
    )
    if not same:
        raise WorkspaceError(
            f"{workspace.path} has another run {run_id!r} already; unpack into another workspace, or rename that run's "
            "folder"
        )


def _extract(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], manifest: dict[str, Any], folder: Path) -> None:
    for name, entry in manifest["files"].items():
        source = tar.extractfile(members[name])
        assert source is not None
        digest = hashlib.sha256()
        with (folder / name).open("wb") as target:
            while piece := source.read(_CHUNK):
                digest.update(piece)
                target.write(piece)
        if digest.hexdigest() != entry["sha256"]:
            raise InvalidInputError(f"{name} of the archive must have the SHA-256 of its manifest; it was changed")


def _check_model(folder: Path, run_id: str) -> None:
    """Whether the files are of one model, and of one that loads; sizes are compared before any memory is taken."""
    from relvm_kg.pipeline.model_check import check_model

    check_model(folder, run_id)
