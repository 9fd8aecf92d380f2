"""Copies a graph from one store to another: the embedded one to Neo4j, or back."""

from collections.abc import Iterable
from dataclasses import dataclass

from relvm_kg.errors import StoreError
from relvm_kg.progress import Progress
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.schema import PREDICTION_BATCH_SCHEMA, VERSION_LABEL, EdgeType
from relvm_kg_graph.store import SILENT, BaseGraph, GraphCounts, GraphStore, Selection, StoredRun

_ORIGIN = f"MATCH (s:{VERSION_LABEL}) RETURN s.corpus_hash AS corpus_hash, s.simulated AS simulated"


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What a copy did."""

    base: bool
    """Whether entities, known relations and co-mentions were copied."""
    runs: tuple[str, ...]
    """Prediction runs copied."""
    runs_before: tuple[str, ...]
    """Whole prediction runs that the target had already."""
    counts: GraphCounts
    """What the target holds now."""


@dataclass(frozen=True)
class Origin:
    """What entities, known relations and co-mentions of a store were made from."""

    corpus_hash: str
    simulated: bool


def server_origin(store: GraphStore) -> Origin:
    """What a server's graph was made from."""
    rows = store.query(Statement(_ORIGIN)).records()
    values = rows[0] if rows else {}
    return Origin(values.get("corpus_hash") or "", bool(values.get("simulated")))


def copy_base(source: GraphStore, target: GraphStore, origin: Origin, progress: Progress = SILENT) -> GraphCounts:
    """Replace the target's entities, known relations and co-mentions by the source's; predictions stay."""
    base = BaseGraph(
        entities=source.read_entities(),
        known=source.read_edges(EdgeType.ASSOCIATED),
        comentions=source.read_edges(EdgeType.CO_MENTIONED),
        corpus_hash=origin.corpus_hash,
        simulated=origin.simulated,
    )
    return target.write_base(base, progress)


def copy_runs(
    source: GraphStore, target: GraphStore, run_ids: Iterable[str] | None = None, progress: Progress = SILENT
) -> tuple[list[str], list[str]]:
    """Copy whole prediction runs, all of them or those named, oldest first; called again, it goes on.

    Returns:
        The runs copied, and those that the target had already as a whole.

    Raises:
        StoreError: if the source has no whole run of a name.
    """
    whole = {stored.run.run_id: stored for stored in reversed(source.runs()) if stored.complete}
    wanted = list(whole) if run_ids is None else list(run_ids)
    if missing := [name for name in wanted if name not in whole]:
        names = ", ".join(whole) or "none"
        raise StoreError(f"there is no whole prediction run {missing[0]!r} to copy; there are: {names}")
    there = {stored.run.run_id for stored in target.runs() if stored.complete}
    copied = [name for name in wanted if name not in there]
    with progress.task("prediction runs", len(copied), "run") as task:
        for name in copied:
            _copy_run(source, target, whole[name])
            task.advance()
    return copied, [name for name in wanted if name in there]


def _copy_run(source: GraphStore, target: GraphStore, stored: StoredRun) -> None:
    names = PREDICTION_BATCH_SCHEMA.names
    writer = target.prediction_writer(stored.run)
    n_parts = 0
    for batch in source.read_edges(EdgeType.PREDICTED, Selection(runs=(stored.run.run_id,))):
        writer.write_part(n_parts, batch.select(names))
        n_parts += 1
    writer.finish(n_parts)
