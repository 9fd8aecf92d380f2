"""A graph as BioCypher takes it: tuples of nodes and edges, and the schema configuration that names them in Biolink.

Nothing here imports BioCypher. A BioCypher project writes `schema_config()` to its `config/schema_config.yaml` and
calls `write_nodes(nodes(store))` and `write_edges(edges(store))`.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from relvm_kg_graph.schema import CATEGORY_LABELS, EDGE_SCHEMAS, ENTITY_SCHEMA, EdgeType
from relvm_kg_graph.selection import ends_of, filtered
from relvm_kg_graph.store import EVERYTHING, GraphStore, Selection
from relvm_kg_graph.text_columns import edge_ids, joined

NodeTuple = tuple[str, str, dict[str, Any]]
"""Id, label, properties."""
EdgeTuple = tuple[str, str, str, str, dict[str, Any]]
"""Id, id of the source, id of the target, label, properties."""
_NODE_CLASSES = {"Gene": "gene", "Disease": "disease", "Chemical": "chemical entity"}
_EDGE_CLASSES = {
    EdgeType.ASSOCIATED: "known association",
    EdgeType.CO_MENTIONED: "co mention association",
    EdgeType.PREDICTED: "predicted association",
}
_ROWS = 10_000


def nodes(store: GraphStore, selection: Selection = EVERYTHING) -> Iterator[NodeTuple]:
    """Entities, all of them or those that a selection's edges join; a property without a value is None.

    Raises:
        StoreError: if there is no graph, or no such run.
    """
    wanted = None if selection == EVERYTHING else pa.array(sorted(ends_of(store, selection)), pa.string())
    for batch in filtered(store.read_entities(), None if wanted is None else pc.field("id").isin(wanted)):
        for row in _rows(batch):
            yield row.pop("id"), CATEGORY_LABELS[row["category"]].lower(), row


def edges(store: GraphStore, selection: Selection = EVERYTHING) -> Iterator[EdgeTuple]:
    """Edges of a selection, with the ids of a KGX export; a property without a value is None.

    Raises:
        StoreError: if there is no graph, or no such run.
    """
    for edge_type in selection.edge_types:
        for batch in store.read_edges(edge_type, selection):
            ids = joined("relvm-kg:", edge_ids(edge_type, batch)).to_pylist()
            for id, row in zip(ids, _rows(batch), strict=True):
                yield id, row.pop("subject"), row.pop("object"), edge_type.value.lower(), row


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    for start in range(0, batch.num_rows, _ROWS):
        yield from batch.slice(start, _ROWS).to_pylist()


def schema_config() -> str:
    """The text of `schema_config.yaml`: Biolink's classes of entities, and an association for each type of edge."""
    parts = []
    for label, name in _NODE_CLASSES.items():
        parts += _class(name, "node", label.lower(), list(ENTITY_SCHEMA)[1:])
    for edge_type, name in _EDGE_CLASSES.items():
        parts += _class(name, "edge", edge_type.value.lower(), list(EDGE_SCHEMAS[edge_type])[2:])
    return "\n".join(parts) + "\n"


def _class(name: str, kind: str, label: str, fields: list[pa.Field]) -> list[str]:
    parent = ["is_a: association"] if kind == "edge" else []
    lines = [*parent, f"represented_as: {kind}", f"input_label: {label}", "properties:"]
    lines += [f"  {field.name}: {_type(field.type)}" for field in fields]
    return [f"{name}:", *(f"  {line}" for line in lines), ""]


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return "str[]"
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_floating(kind):
        return "float"
    return "int" if pa.types.is_integer(kind) else "str"
