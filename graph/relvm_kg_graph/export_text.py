"""Exports as text: KGX (JSON lines and TSV, in the Biolink model), GraphML and N-Triples."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from relvm_kg.types import Relation
from relvm_kg_graph.schema import EDGE_SCHEMAS, ENTITY_SCHEMA, EdgeType
from relvm_kg_graph.text_columns import (
    as_json,
    as_line_text,
    as_text,
    as_xml,
    edge_ids,
    encoded,
    joined,
    lines,
    ntriples_literal,
)

INFORES = "infores:relvm-kg"
_PREDICATES = {
    Relation.DISEASE_GENE.value: "biolink:condition_associated_with_gene",
    Relation.GENE_GENE.value: "biolink:associated_with",
    Relation.CHEMICAL_GENE.value: "biolink:associated_with",
    Relation.CHEMICAL_DISEASE.value: "biolink:associated_with",
}
_CO_MENTION_PREDICATE = "biolink:occurs_together_in_literature_with"
_SOURCES: Mapping[EdgeType, tuple[str, str]] = {
    EdgeType.ASSOCIATED: ("not_provided", "not_provided"),
    EdgeType.CO_MENTIONED: ("statistical_association", "text_mining_agent"),
}
"""Biolink's `knowledge_level` and `agent_type`; predictions carry their own."""
Columns = dict[str, pa.Array]


def kgx_entities(batch: pa.RecordBatch) -> Columns:
    """Entities under the names of KGX and Biolink; columns of lists stay lists."""
    return {
        "id": batch.column("id"),
        "category": _lists(batch.column("category")),
        "name": batch.column("name"),
        "synonym": batch.column("synonyms"),
        "n_documents": batch.column("n_documents"),
        "document_share": batch.column("document_share"),
        "depth": batch.column("depth"),
        "simulated": batch.column("simulated"),
    }


def kgx_edges(edge_type: EdgeType, batch: pa.RecordBatch) -> Columns:
    """Edges under the names of KGX and Biolink, our own properties under their own names."""
    own = {name: batch.column(name) for name in batch.schema.names if name not in ("subject", "object")}
    columns: Columns = {
        "id": joined("relvm-kg:", edge_ids(edge_type, batch)),
        "subject": batch.column("subject"),
        "predicate": _predicates(edge_type, batch),
        "object": batch.column("object"),
        "category": _lists(_constant("biolink:Association", batch)),
        "edge_type": _constant(edge_type.value, batch),
    }
    if edge_type is EdgeType.ASSOCIATED:
        sources = own.pop("primary_knowledge_source")
        columns["original_predicate"] = pc.replace_substring(own.pop("predicate"), "|", "; ")
        columns["primary_knowledge_source"] = encoded(sources, _infores)
        columns["supporting_data_source"] = pc.split_pattern(sources, "|")
    else:
        columns["primary_knowledge_source"] = _constant(INFORES, batch)
    if edge_type in _SOURCES:
        for name, value in zip(("knowledge_level", "agent_type"), _SOURCES[edge_type], strict=True):
            columns[name] = _constant(value, batch)
    return columns | own


def _infores(sources: str) -> str:
    """The first source as an information resource.

    >>> _infores("CTD human|DisGeNET")
    'infores:ctd-human'
    """
    slug = "-".join(sources.split("|", maxsplit=1)[0].lower().split())
    return f"infores:{slug}" if slug else "infores:not-provided"


def _predicates(edge_type: EdgeType, batch: pa.RecordBatch) -> pa.Array:
    if edge_type is EdgeType.CO_MENTIONED:
        return _constant(_CO_MENTION_PREDICATE, batch)
    return encoded(batch.column("relation"), _PREDICATES.__getitem__)


def _constant(value: str, batch: pa.RecordBatch) -> pa.Array:
    return pa.repeat(pa.scalar(value), batch.num_rows)


def _lists(column: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(range(len(column) + 1), pa.int32()), column)


class KgxJsonlExport:
    """`nodes.jsonl` and `edges.jsonl`; what has no value is left out."""

    n_changed = 0

    def __init__(self, folder: Path) -> None:
        self._nodes: BinaryIO = (folder / "nodes.jsonl").open("wb")
        self._edges: BinaryIO = (folder / "edges.jsonl").open("wb")

    def add_entities(self, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_entities`."""
        self._nodes.write(_json_lines(kgx_entities(batch)))

    def add_edges(self, edge_type: EdgeType, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_edges`."""
        self._edges.write(_json_lines(kgx_edges(edge_type, batch)))

    def close(self) -> None:
        """See `GraphWriter.close`."""
        self._nodes.close()
        self._edges.close()


def _json_lines(columns: Columns) -> bytes:
    parts: list[pa.Array | str] = ["{"]
    for place, (name, column) in enumerate(columns.items()):
        comma = "," if place else ""
        parts.append(pc.binary_join_element_wise(f'{comma}"{name}":', as_json(column), "", null_handling="emit_null"))
    return lines([*parts, "}"])


class KgxTsvExport:
    """`nodes.tsv` and `edges.tsv`: the same columns for every edge, lists joined by `|`; see `as_line_text`."""

    def __init__(self, folder: Path) -> None:
        self.n_changed = 0
        self._nodes: BinaryIO = (folder / "nodes.tsv").open("wb")
        self._edges: BinaryIO = (folder / "edges.tsv").open("wb")
        self._node_names = list(kgx_entities(_empty(ENTITY_SCHEMA)))
        names = [name for t in EdgeType for name in kgx_edges(t, _empty(EDGE_SCHEMAS[t]))]
        self._edge_names = list(dict.fromkeys(names))
        self._nodes.write("\t".join(self._node_names).encode() + b"\n")
        self._edges.write("\t".join(self._edge_names).encode() + b"\n")

    def add_entities(self, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_entities`."""
        self._nodes.write(self._tabbed(kgx_entities(batch), self._node_names))

    def add_edges(self, edge_type: EdgeType, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_edges`."""
        self._edges.write(self._tabbed(kgx_edges(edge_type, batch), self._edge_names))

    def _tabbed(self, columns: Columns, names: Iterable[str]) -> bytes:
        texts: dict[str, pa.Array] = {}
        for name, column in columns.items():
            texts[name], n_changed = as_line_text(column)
            self.n_changed += n_changed
        parts: list[pa.Array | str] = []
        for name in names:
            parts += [texts.get(name, ""), "\t"]
        return lines(parts[:-1])

    def close(self) -> None:
        """See `GraphWriter.close`."""
        self._nodes.close()
        self._edges.close()


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)


class GraphmlExport:
    """`graph.graphml`, for graphs small enough to be read as a whole; every property is a `data` element."""

    def __init__(self, folder: Path) -> None:
        self.n_changed = 0
        self._file: BinaryIO = (folder / "graph.graphml").open("wb")
        self._file.write(
            b'<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
        )
        edges = {"type": pa.string(), **{f.name: f.type for s in EDGE_SCHEMAS.values() for f in list(s)[2:]}}
        for kind, fields in (("node", {f.name: f.type for f in list(ENTITY_SCHEMA)[1:]}), ("edge", edges)):
            for name, data_type in fields.items():
                key = f'<key id="{kind}-{name}" for="{kind}" attr.name="{name}" attr.type="{_xml_type(data_type)}"/>\n'
                self._file.write(key.encode())
        self._file.write(b'<graph edgedefault="directed">\n')

    def add_entities(self, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_entities`."""
        data = [self._data("node", name, batch.column(name)) for name in ENTITY_SCHEMA.names[1:]]
        self._file.write(lines(['<node id="', self._xml(batch.column("id")), '">', *data, "</node>"]))

    def add_edges(self, edge_type: EdgeType, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_edges`."""
        names = EDGE_SCHEMAS[edge_type].names[2:]
        data = [self._data("edge", name, batch.column(name)) for name in names]
        ends = [f'" {side}="' for side in ("source", "target")]
        parts = ['<edge id="', edge_ids(edge_type, batch), ends[0], self._xml(batch.column("subject"))]
        parts += [ends[1], self._xml(batch.column("object")), f'"><data key="edge-type">{edge_type.value}</data>']
        self._file.write(lines([*parts, *data, "</edge>"]))

    def _data(self, kind: str, name: str, column: pa.Array) -> pa.Array:
        start = f'<data key="{kind}-{name}">'
        return pc.binary_join_element_wise(start, self._xml(column), "</data>", "", null_handling="emit_null")

    def _xml(self, column: pa.Array) -> pa.Array:
        text, n_changed = as_xml(column)
        self.n_changed += n_changed
        return text

    def close(self) -> None:
        """See `GraphWriter.close`."""
        self._file.write(b"</graph>\n</graphml>\n")
        self._file.close()


def _xml_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_floating(kind):
        return "float"
    return "int" if pa.types.is_integer(kind) else "string"


_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS_LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_BIOLINK = "https://w3id.org/biolink/vocab/"
_ENTITY = "https://bioregistry.io/"
_PROPERTY = "urn:relvm-kg:property:"
_EDGE = "urn:relvm-kg:edge:"


class NtriplesExport:
    """`graph.nt`: each edge is a triple, and an `rdf:Statement` about it that carries the properties."""

    n_changed = 0

    def __init__(self, folder: Path) -> None:
        self._file: BinaryIO = (folder / "graph.nt").open("wb")

    def add_entities(self, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_entities`."""
        subject = joined(f"<{_ENTITY}", batch.column("id"), ">")
        category = encoded(batch.column("category"), lambda c: f"<{_BIOLINK}{c.removeprefix('biolink:')}>")
        self._file.write(lines([subject, f" <{_RDF}type> ", category, " ."]))
        self._file.write(lines([subject, f" {_RDFS_LABEL} ", encoded(batch.column("name"), ntriples_literal), " ."]))
        for name in ("synonyms", "n_documents", "document_share", "depth", "simulated"):
            self._property(subject, name, batch.column(name))

    def add_edges(self, edge_type: EdgeType, batch: pa.RecordBatch) -> None:
        """See `GraphWriter.add_edges`."""
        ends = [joined(f"<{_ENTITY}", batch.column(name), ">") for name in ("subject", "object")]
        predicate = encoded(_predicates(edge_type, batch), lambda p: f"<{_BIOLINK}{p.removeprefix('biolink:')}>")
        statement = joined(f"<{_EDGE}", edge_ids(edge_type, batch), ">")
        self._file.write(lines([ends[0], " ", predicate, " ", ends[1], " ."]))
        self._file.write(lines([statement, f" <{_RDF}type> <{_RDF}Statement> ."]))
        for name, value in (("subject", ends[0]), ("predicate", predicate), ("object", ends[1])):
            self._file.write(lines([statement, f" <{_RDF}{name}> ", value, " ."]))
        self._property(statement, "type", _constant(edge_type.value, batch))
        for name in EDGE_SCHEMAS[edge_type].names[2:]:
            self._property(statement, name, batch.column(name))

    def _property(self, subject: pa.Array, name: str, column: pa.Array) -> None:
        if pa.types.is_list(column.type):
            subject, column = subject.take(pc.list_parent_indices(column)), pc.list_flatten(column)
        valid = pc.is_finite(column) if pa.types.is_floating(column.type) else pc.is_valid(column)
        subject, column = subject.filter(valid), column.filter(valid)
        self._file.write(lines([subject, f" <{_PROPERTY}{name}> ", _literal(column), " ."]))

    def close(self) -> None:
        """See `GraphWriter.close`."""
        self._file.close()


def _literal(column: pa.Array) -> pa.Array:
    if pa.types.is_string(column.type):
        return encoded(column, ntriples_literal)
    kind = (
        "boolean" if pa.types.is_boolean(column.type) else "float" if pa.types.is_floating(column.type) else "integer"
    )
    return joined('"', as_text(column), f'"^^<{_XSD}{kind}>')
