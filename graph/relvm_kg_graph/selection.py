"""Selections as filters over record batches of edges and entities."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from relvm_kg.errors import InvalidInputError
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import GraphStore, Selection


def check_selection(selection: Selection) -> None:
    """Refuse a selection that cannot be meant.

    Raises:
        InvalidInputError: for scores outside [0, 1] and less than one hop.
    """
    if selection.min_score is not None and not 0 <= selection.min_score <= 1:
        raise InvalidInputError(f"the lowest score must be in [0, 1], was: {selection.min_score}")
    if selection.hops < 1:
        raise InvalidInputError(f"hops must be at least 1, was: {selection.hops}")


def edge_filter(edge_type: EdgeType, selection: Selection, inside: pa.Array | None = None) -> pc.Expression | None:
    """The condition that an edge's columns must meet; an end must be among the ids `inside`. Runs are not looked at."""
    conditions = []
    if selection.relations is not None and edge_type is not EdgeType.CO_MENTIONED:
        conditions.append(pc.field("relation").isin(list(selection.relations)))
    if edge_type is EdgeType.PREDICTED and selection.min_score is not None:
        conditions.append(pc.field("score") >= pa.scalar(selection.min_score, pa.float32()))
    if edge_type is EdgeType.PREDICTED and selection.novel_only:
        conditions += [~pc.field("known")]
        conditions += [~pc.coalesce(pc.field(name), pa.scalar(False)) for name in ("near_known", "general")]
    if inside is not None:
        conditions.append(pc.field("subject").isin(inside) | pc.field("object").isin(inside))
    whole = None
    for condition in conditions:
        whole = condition if whole is None else whole & condition
    return whole


def filtered(batches: Iterable[pa.RecordBatch], condition: pc.Expression | None) -> Iterator[pa.RecordBatch]:
    """The rows that meet a condition, empty batches left out."""
    for batch in batches:
        kept = batch if condition is None else pa.Table.from_batches([batch]).filter(condition).combine_chunks()
        for piece in [kept] if condition is None else kept.to_batches():
            if piece.num_rows:
                yield piece


def ends(batches: Iterable[pa.RecordBatch]) -> set[str]:
    """The ids of all ends of edges."""
    found: set[str] = set()
    for batch in batches:
        for column in ("subject", "object"):
            found.update(pc.unique(batch.column(column)).to_pylist())
    return found


def ends_of(store: GraphStore, selection: Selection) -> set[str]:
    """The ids of all ends of a selection's edges, and of the entities it is around."""
    found = set(selection.around or ())
    for edge_type in selection.edge_types:
        found |= ends(store.read_edges(edge_type, selection))
    return found
