"""`build`: annotated text and curated relations in; a workspace with a corpus, a catalogue and known relations out."""

import hashlib
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from relvm_kg.download.cache import data_path as data_path_of
from relvm_kg.entities.names_file import default_names_path, is_parquet
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.account import BuildAccount
from relvm_kg.pipeline.generation import GenerationWriter
from relvm_kg.pipeline.ingest import (
    Source,
    SourceKind,
    add_sources,
    data_path,
    remembered_sources,
    remove_unused,
    report,
)
from relvm_kg.pipeline.prepare import Preparer
from relvm_kg.pipeline.prepared import PreparedSources
from relvm_kg.pipeline.settings import BuildSettings
from relvm_kg.pipeline.taggers import load_tagger
from relvm_kg.progress import Progress
from relvm_kg.workspace import (
    Workspace,
    atomic_path,
    file_sha256,
    read_json,
    remember_workspace,
    remove,
    remove_leftovers,
)
from relvm_kg_graph.build import write_graph

__all__ = ["BuildAccount", "BuildSettings", "build_workspace", "known_retractions"]

RETRACTIONS_FILE = "pubmed_retractions.tsv"
BUILD_VERSION = 2
"""Raised when the tables change for the same sources; it is part of the corpus hash."""


def build_workspace(
    path: Path,
    corpus: Sequence[str],
    relations: Sequence[str],
    *,
    names: Path | None,
    settings: BuildSettings,
    progress: Progress,
) -> BuildAccount:
    """Make a workspace, or add files to one.

    Args:
        path: folder of the workspace.
        corpus: annotated text: files, folders or globs.
        relations: curated relations: files, folders or globs.
        names: a names table (see `NamesTable`); an earlier build's table stays if None.
        settings: how text becomes a corpus.
        progress: where progress is told.

    Returns:
        The account of the current corpus; the same files and settings as last time build nothing.

    Raises:
        InvalidInputError: if a name leads to no file, a file has no known format, or there is no text at all.
        WorkspaceError: if the folder is no workspace, or another process writes to it.
    """
    started = time.monotonic()
    workspace = Workspace.create(path)
    with workspace.lock():
        for folder in (workspace.path, workspace.path / "corpus", workspace.ingested_dir, workspace.prepared_dir):
            remove_leftovers(folder)
        given = {
            SourceKind.CORPUS: corpus,
            SourceKind.RELATIONS: relations,
            **_tables(workspace, names, settings),
        }
        sources = add_sources(workspace, given, progress)
        corpus_files = [source for source in sources if source.kind is SourceKind.CORPUS]
        if not any(report(workspace, source).n_records for source in corpus_files):
            raise InvalidInputError("a workspace needs text: give --corpus a file that holds documents")
        preparer = _preparer(workspace, sources, settings)
        tagger = preparer.tagger
        prepared = PreparedSources(workspace, tagger.fingerprint if tagger is not None else None)
        account = _current(prepared, sources, settings)
        if account is None:
            prepared.prepare(corpus_files, preparer, settings.jobs, progress)
            del preparer, tagger
            account = _build_generation(prepared, sources, settings, progress, started)
            prepared.remove_unused(corpus_files)
        if not _graph_is_current(workspace):
            write_graph(workspace, progress)
    remember_workspace(path)
    return account


def _tables(workspace: Workspace, names: Path | None, settings: BuildSettings) -> dict[SourceKind, list[str]]:
    """The tables to read: as given; a tagger without one takes the names catalogue of `relvm-kg names build`."""
    known = {source.kind for source in remembered_sources(workspace)}
    if settings.tag and names is None and SourceKind.NAMES not in known:
        names = default_names_path()
        if not names.is_file():
            raise InvalidInputError(
                f"--tag needs a names catalogue, there is none at {names}; make one with `relvm-kg data get names` and "
                "`relvm-kg names build`, or name one with --names"
            )
    given = {SourceKind.NAMES: names, SourceKind.YEARS: settings.years, SourceKind.RETRACTIONS: settings.retractions}
    return {kind: [str(path)] if path is not None else [] for kind, path in given.items()}


def _preparer(workspace: Workspace, sources: Sequence[Source], settings: BuildSettings) -> Preparer:
    """What is done to each document of the text files."""
    if not settings.tag:
        return Preparer()
    source = next(source for source in sources if source.kind is SourceKind.NAMES)
    names = data_path(workspace, source)
    if not is_parquet(names):
        raise InvalidInputError(
            "--tag needs a names catalogue as `relvm-kg names build` writes it; the --names of this workspace are "
            "another table"
        )
    default = default_names_path()
    if default.is_file() and file_sha256(default) == file_sha256(names):
        names = default  # whose compiled form may be there already
    return Preparer(load_tagger(names, settings.type_model))


def known_retractions() -> Path | None:
    """The list of retracted papers of the data set `names`, None if that is not in the cache."""
    folder = data_path_of("names")
    path = folder / RETRACTIONS_FILE if folder is not None else None
    return path if path is not None and path.is_file() else None


def _current(prepared: PreparedSources, sources: Sequence[Source], settings: BuildSettings) -> BuildAccount | None:
    """The account of the generation that these sources and settings give, if it is the current one already."""
    workspace = prepared.workspace
    digest = corpus_hash(prepared, sources, settings)
    manifest = workspace.manifest
    if manifest.corpus_hash != digest or manifest.generation is None or not workspace.corpus_dir.is_dir():
        return None
    return replace(BuildAccount.load(workspace.corpus_dir / "account.json"), rebuilt=False)


def _graph_is_current(workspace: Workspace) -> bool:
    path = workspace.graph_dir / "graph.json"
    return path.is_file() and bool(read_json(path).get("corpus_hash") == workspace.manifest.corpus_hash)


def corpus_hash(prepared: PreparedSources, sources: Sequence[Source], settings: BuildSettings) -> str:
    """Hash of everything that the tables follow from: content and name of each source, settings, splitter, tagger."""
    content = {
        "version": BUILD_VERSION,
        "preparation": prepared.method,
        "sources": sorted([s.kind.value, s.name, report(prepared.workspace, s).content_hash] for s in sources),
        "settings": settings.of_tables,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _build_generation(
    prepared: PreparedSources, sources: Sequence[Source], settings: BuildSettings, progress: Progress, started: float
) -> BuildAccount:
    """Write a generation, make it the current one, and delete all but it and the one before."""
    workspace = prepared.workspace
    digest = corpus_hash(prepared, sources, settings)
    generation, corpus = digest[:12], workspace.path / "corpus"
    with atomic_path(corpus / generation) as folder:
        folder.mkdir(parents=True)
        written = GenerationWriter(prepared, sources, settings, progress).write(folder, digest)
        seconds = round(time.monotonic() - started, 2)
        account = replace(
            written,
            seconds=seconds,
            peak_memory_mib=_peak_memory(resource.RUSAGE_SELF),
            worker_peak_memory_mib=_peak_memory(resource.RUSAGE_CHILDREN),
        )
        account.save(folder / "account.json")
    before = workspace.manifest.generation
    workspace.update_manifest(generation=generation, corpus_hash=digest, simulated=account.simulated)
    for old in corpus.iterdir():
        if old.name not in (generation, before):
            remove(old)
    remove_unused(workspace, sources)
    return account


def _peak_memory(whose: int) -> float:
    """The largest resident set of this process, or of the largest process that it has ended, in MiB."""
    peak = resource.getrusage(whose).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
