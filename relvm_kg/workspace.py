"""A workspace: a folder that holds a corpus, its catalogue, model runs and the graph, with manifests and a lock.

    workspace.json              which corpus generation and which run are current
    ingested/                   one normalised file for each source file already read (resumable by file)
    prepared/                   the same documents split into sentences and tagged (resumable by part of a file)
    corpus/<generation>/        tables of one build: entities, sentences, contexts, tokens, relations ...
    runs/<run_id>/              model bundles with their traces and checkpoints
    language-models/<hash>/     language models that the runs are read beside
    graph/                      the graph's Parquet tables (source of truth) and caches

Writers take the lock. Readers need none: a generation never changes once `workspace.json` names it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import platformdirs
from filelock import FileLock, Timeout

from relvm_kg.errors import WorkspaceError
from relvm_kg.files import (
    atomic_path,
    file_sha256,
    is_leftover,
    read_json,
    remove,
    remove_leftovers,
    write_json,
)

__all__ = [
    "DEFAULT_FOLDER",
    "ENVIRONMENT_VARIABLE",
    "FORMAT_VERSION",
    "Workspace",
    "WorkspaceManifest",
    "atomic_path",
    "file_sha256",
    "is_leftover",
    "locate_workspace",
    "read_json",
    "remember_workspace",
    "remove",
    "remove_leftovers",
    "write_json",
]

FORMAT_VERSION = 1
ENVIRONMENT_VARIABLE = "RELVM_KG_WORKSPACE"
DEFAULT_FOLDER = "relvm-workspace"
_LOCK_PATIENCE = 1.0
"""Seconds to wait for the lock: the workers of a process that was killed hold it until they see that it is gone."""


@dataclass(frozen=True, kw_only=True)
class WorkspaceManifest:
    """What `workspace.json` holds."""

    format_version: int = FORMAT_VERSION
    generation: str | None = None
    """Name of the current folder under `corpus/`."""
    corpus_hash: str | None = None
    """Hash of documents, catalogue, relations and build settings of that generation."""
    default_run: str | None = None
    """Run that scoring uses unless told otherwise."""
    simulated: bool = False
    """Whether any text in it comes from the simulator."""


class Workspace:
    """One workspace on disk; cheap to open, reads its manifest at each access."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing workspace.

        Raises:
            WorkspaceError: if there is none, or another version of the program wrote it.
        """
        workspace = cls(path)
        workspace.manifest  # noqa: B018  reads and checks it
        return workspace

    @classmethod
    def create(cls, path: Path) -> Self:
        """Open a workspace, or make an empty one where there is none.

        Raises:
            WorkspaceError: if the folder holds something else, or the workspace is of another version.
        """
        workspace = cls(path)
        if not workspace.manifest_path.exists():
            if path.exists() and (
                not path.is_dir() or any(p.name != ".lock" and not is_leftover(p.name) for p in path.iterdir())
            ):
                raise WorkspaceError(f"a new workspace needs an empty or absent folder, {path} holds other files")
            write_json(workspace.manifest_path, asdict(WorkspaceManifest()))
        return cls.open(path)

    @property
    def manifest_path(self) -> Path:
        """`workspace.json`."""
        return self.path / "workspace.json"

    @property
    def manifest(self) -> WorkspaceManifest:
        """The manifest as it stands on disk now."""
        if not self.manifest_path.is_file():
            raise WorkspaceError(f"no workspace at {self.path}; make one with: relvm-kg build --workspace {self.path}")
        values = read_json(self.manifest_path)
        if values.get("format_version") != FORMAT_VERSION:
            raise WorkspaceError(
                f"{self.manifest_path} must have format_version {FORMAT_VERSION}, was: {values.get('format_version')}"
            )
        return WorkspaceManifest(**values)

    def update_manifest(self, **changes: Any) -> None:
        """Replace fields of the manifest atomically; the caller holds the lock."""
        write_json(self.manifest_path, asdict(replace(self.manifest, **changes)))

    @property
    def corpus_dir(self) -> Path:
        """The current corpus generation.

        Raises:
            WorkspaceError: if nothing was built yet.
        """
        generation = self.manifest.generation
        if generation is None:
            raise WorkspaceError(f"{self.path} holds no corpus yet; run: relvm-kg build --workspace {self.path}")
        return self.path / "corpus" / generation

    @property
    def ingested_dir(self) -> Path:
        """Normalised copies of source files, one for each content hash."""
        return self.path / "ingested"

    @property
    def prepared_dir(self) -> Path:
        """Documents of source files, split and tagged."""
        return self.path / "prepared"

    @property
    def runs_dir(self) -> Path:
        """Model bundles."""
        return self.path / "runs"

    @property
    def language_models_dir(self) -> Path:
        """Language models, one folder for each hash of text, vocabulary, size and budget."""
        return self.path / "language-models"

    @property
    def graph_dir(self) -> Path:
        """The graph's tables."""
        return self.path / "graph"

    def run_dir(self, run_id: str | None = None) -> Path:
        """The folder of a finished run, the default one if none is named.

        Raises:
            WorkspaceError: if there is no such run.
        """
        name = run_id or self.manifest.default_run
        if name is None:
            raise WorkspaceError(f"{self.path} holds no trained model; run: relvm-kg train --workspace {self.path}")
        folder = self.runs_dir / name
        if not (folder / "config.json").is_file():
            finished = sorted(p.parent.name for p in self.runs_dir.glob("*/config.json"))
            raise WorkspaceError(f"no finished run {name!r}; there are: {', '.join(finished) or 'none'}")
        return folder

    @contextmanager
    def lock(self, *, shared: bool = False, patience: float = _LOCK_PATIENCE) -> Iterator[None]:
        """Hold the writer's lock; a process that dies lets it go (its workers follow it within a moment).

        Args:
            shared: Whether other processes may hold it at the same time, if they share it too.
            patience: Seconds to wait for it.

        Raises:
            WorkspaceError: if another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        path = self.path / ".lock"
        with ExitStack() as held:
            try:
                held.enter_context(_shared_lock(path, patience) if shared else FileLock(path, timeout=patience))
            except Timeout:
                raise WorkspaceError(
                    f"another relvm-kg process is writing to {self.path}; wait for it to end"
                ) from None
            yield


@contextmanager
def _shared_lock(path: Path, patience: float) -> Iterator[None]:
    """Hold the lock of a `FileLock` together with others who share it.

    Raises:
        Timeout: if somebody holds it alone.
    """
    with path.open("a+b") as handle:
        last = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
            except (BlockingIOError, PermissionError):  # some network file systems say EACCES, as FileLock knows
                if time.monotonic() > last:
                    raise Timeout(str(path)) from None
                time.sleep(0.05)
        yield


def _memory_path() -> Path:
    return Path(platformdirs.user_data_dir("relvm-kg")) / "last-workspace"


def remember_workspace(path: Path) -> None:
    """Note the workspace built last, for commands that name none."""
    with atomic_path(_memory_path()) as temporary:
        temporary.write_text(str(path.resolve()) + "\n", encoding="utf-8")


def locate_workspace(explicit: Path | None) -> Path:
    """The workspace to use: named, else in the environment, else `./relvm-workspace`, else the one built last.

    Raises:
        WorkspaceError: if none of these leads anywhere.
    """
    if explicit is not None:
        return explicit
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(named)
    if Path(DEFAULT_FOLDER, "workspace.json").is_file():
        return Path(DEFAULT_FOLDER)
    if _memory_path().is_file():
        return Path(_memory_path().read_text(encoding="utf-8").strip())
    raise WorkspaceError(
        f"no workspace: give --workspace, set {ENVIRONMENT_VARIABLE}, or make one with relvm-kg quickstart or build"
    )
