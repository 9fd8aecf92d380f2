"""From a corpus generation's tables to the graph of the workspace: entities, known relations, co-mentions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relvm_kg.errors import WorkspaceError
from relvm_kg.progress import Progress
from relvm_kg.types import EntityType
from relvm_kg.workspace import Workspace
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import COMENTION_SCHEMA, ENTITY_SCHEMA, KNOWN_SCHEMA
from relvm_kg_graph.store import SILENT, BaseGraph, GraphCounts
from relvm_kg_graph.tables import read_parquet

SEPARATOR = "|"
"""Joins several predicates, or several sources, of one relation."""


def write_graph(workspace: Workspace, progress: Progress = SILENT) -> GraphCounts:
    """Write the workspace's graph from its current corpus; prediction runs stay. The caller holds the lock.

    Raises:
        WorkspaceError: if the corpus lacks a table.
    """
    manifest, corpus = workspace.manifest, workspace.corpus_dir
    files = [corpus / f"{name}.parquet" for name in ("entities", "relations", "comentions")]
    if missing := [file for file in files if not file.is_file()]:
        raise WorkspaceError(f"the corpus must hold {missing[0]}; build it again")
    ids = pq.read_table(files[0], columns=["id"])["id"].combine_chunks()
    base = BaseGraph(
        entities=_entities(files[0], simulated=manifest.simulated),
        known=_known(files[1], ids, simulated=manifest.simulated),
        comentions=_comentions(files[2], ids, simulated=manifest.simulated),
        corpus_hash=manifest.corpus_hash or "",
        simulated=manifest.simulated,
    )
    with EmbeddedStore(workspace.graph_dir) as store:
        return store.write_base(base, progress)


def _entities(file: Path, *, simulated: bool) -> Iterator[pa.RecordBatch]:
    categories = {t.value: t.category for t in EntityType}
    for batch in read_parquet([file]):
        columns = {
            "id": batch.column("id"),
            "name": batch.column("name"),
            "category": pa.array([categories[t] for t in batch.column("type").to_pylist()], pa.string()),
            "synonyms": _without_nulls(batch.column("synonyms")),
            "n_documents": batch.column("n_documents"),
            **{name: _if_there(batch, name) for name in ("document_share", "depth")},
            "simulated": pa.repeat(pa.scalar(simulated), batch.num_rows),
        }
        yield _batch(columns, ENTITY_SCHEMA)


def _known(file: Path, ids: pa.Array, *, simulated: bool) -> Iterator[pa.RecordBatch]:
    """Subject is the head, object the tail; PMIDs become CURIEs; an edge is simulated if its row or the corpus is."""
    for batch in read_parquet([file]):
        columns = {
            "subject": ids.take(batch.column("head")),
            "object": ids.take(batch.column("tail")),
            "relation": batch.column("relation"),
            "predicate": _joined(batch.column("predicates")),
            "primary_knowledge_source": _joined(batch.column("sources")),
            "publications": _publications(batch.column("pmids")),
            "simulated": pc.or_(pc.fill_null(batch.column("simulated"), False), simulated),
        }
        yield _batch(columns, KNOWN_SCHEMA)


def _comentions(file: Path, ids: pa.Array, *, simulated: bool) -> Iterator[pa.RecordBatch]:
    for batch in read_parquet([file]):
        columns = {
            "subject": ids.take(batch.column("first")),
            "object": ids.take(batch.column("second")),
            **{name: batch.column(name) for name in ("n_documents", "n_sentences", "npmi", "first_year")},
            "simulated": pa.repeat(pa.scalar(simulated), batch.num_rows),
        }
        yield _batch(columns, COMENTION_SCHEMA)


def _batch(columns: dict[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [columns[wanted.name].cast(wanted.type) for wanted in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _if_there(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column that the corpus of an earlier version lacks."""
    return batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows)


def _without_nulls(lists: pa.Array) -> pa.Array:
    return pa.array([[item for item in row or () if item] for row in lists.to_pylist()], pa.list_(pa.string()))


def _joined(lists: pa.Array) -> pa.Array:
    return pa.array([SEPARATOR.join(sorted({item for item in row or () if item})) for row in lists.to_pylist()])


def _publications(lists: pa.Array) -> pa.Array:
    """PMIDs as CURIEs (`PMID:123`); what is a CURIE already stays."""
    rows = [[p if ":" in p else f"PMID:{p}" for p in row or () if p] for row in lists.to_pylist()]
    return pa.array(rows, pa.list_(pa.string()))
