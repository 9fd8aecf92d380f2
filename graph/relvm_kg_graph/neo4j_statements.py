"""The statements of the Neo4j store: fixed text, or text made from the schema's own names."""

from collections.abc import Iterable

import pyarrow as pa

from relvm_kg_graph.cypher import safe_name
from relvm_kg_graph.schema import (
    EDGE_SCHEMAS,
    ENTITY_SCHEMA,
    NEITHER_NEAR_NOR_GENERAL,
    PREDICTED_SCHEMA,
    PREDICTION_BATCH_SCHEMA,
    TYPE_LABELS,
    EdgeType,
)
from relvm_kg_graph.store import Selection

CONSTRAINTS = (
    "CREATE CONSTRAINT relvm_kg_entity IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT relvm_kg_run IF NOT EXISTS FOR (n:PredictionRun) REQUIRE n.run_id IS UNIQUE",
    "CREATE CONSTRAINT relvm_kg_schema IF NOT EXISTS FOR (n:GraphSchema) REQUIRE n.name IS UNIQUE",
)
INDEXES = (
    *(f"CREATE INDEX relvm_kg_{t.lower()}_id IF NOT EXISTS FOR (n:{t}) ON (n.id)" for t in TYPE_LABELS),
    "CREATE INDEX relvm_kg_entity_name IF NOT EXISTS FOR (n:Entity) ON (n.name)",
    "CREATE INDEX relvm_kg_prediction_run IF NOT EXISTS FOR ()-[r:PREDICTED]-() ON (r.run_id)",
    "CREATE INDEX relvm_kg_prediction_score IF NOT EXISTS FOR ()-[r:PREDICTED]-() ON (r.score)",
)
READ_STATE = "MATCH (s:GraphSchema {name: $name}) RETURN s.version AS version, s.whole AS whole"
BEGIN_BASE = "MERGE (s:GraphSchema {name: $name}) SET s.version = $version, s.whole = false RETURN s.version AS version"
FINISH_BASE = (
    "MATCH (s:GraphSchema {name: $name}) SET s.whole = true, s.corpus_hash = $corpus_hash, s.simulated = $simulated "
    "RETURN s.version AS version"
)
ENTITY_IDS = "MATCH (n:Entity) RETURN n.id AS id"
DELETE_ENTITIES = """UNWIND $ids AS id MATCH (n:Entity {id: id}) WHERE NOT (n)-[:PREDICTED]-() DETACH DELETE n
RETURN count(*) AS n"""

READ_RUNS = "MATCH (run:PredictionRun) RETURN run ORDER BY run.created_at DESC, run.run_id DESC"
BEGIN_RUN = """MERGE (run:PredictionRun {run_id: $properties.run_id})
ON CREATE SET run = $properties, run.n_predictions = 0, run.complete = false, run.finished_parts = []
RETURN run"""
READ_RUN = "MATCH (run:PredictionRun {run_id: $run_id}) RETURN run"
OPEN_PART = "MATCH (run:PredictionRun {run_id: $run_id}) SET run.open_part = $part RETURN run.run_id AS run_id"
CLOSE_PART = """MATCH (run:PredictionRun {run_id: $run_id})
SET run.finished_parts = run.finished_parts + $part, run.open_part = null
RETURN run.run_id AS run_id"""
COUNT_RUN = "MATCH ()-[r:PREDICTED {run_id: $run_id}]->() RETURN count(r) AS n"
FINISH_RUN = """MATCH (run:PredictionRun {run_id: $run_id})
SET run.n_predictions = $n, run.complete = true REMOVE run.finished_parts, run.open_part
RETURN run"""
HIDE_RUN = "MATCH (run:PredictionRun {run_id: $run_id}) SET run.complete = false RETURN run.run_id AS run_id"
DELETE_RUN_EDGES = """MATCH ()-[r:PREDICTED {run_id: $run_id}]->() WITH r LIMIT $batch DELETE r
RETURN count(*) AS n"""
DELETE_RUN = "MATCH (run:PredictionRun {run_id: $run_id}) DELETE run RETURN count(*) AS n"


def _rows_to_ends() -> str:
    return "UNWIND $rows AS row MATCH (a:Entity {id: row[0]}) MATCH (b:Entity {id: row[1]})"


def _row_values(schema: pa.Schema) -> list[str]:
    return [f"{name}: row[{place}]" for place, name in enumerate(schema.names) if name not in ("subject", "object")]


def write_entities(label: str) -> str:
    """Add or replace entities of one type; a row is a list of `ENTITY_SCHEMA`'s columns."""
    values = ", ".join(f"{name}: row[{place}]" for place, name in enumerate(ENTITY_SCHEMA.names))
    others = "".join(f" REMOVE n:{other}" for other in TYPE_LABELS if other != label)
    return (
        f"UNWIND $rows AS row MERGE (n:Entity {{id: row[0]}}) SET n = {{{values}}} "
        f"SET n:{safe_name(label, TYPE_LABELS)}{others} RETURN count(n) AS n"
    )


def add_edges(edge_type: EdgeType) -> str:
    """Add edges between entities that are there; a row is a list of the type's columns."""
    values = ", ".join(_row_values(EDGE_SCHEMAS[edge_type]))
    return f"{_rows_to_ends()} CREATE (a)-[r:{edge_type.value} {{{values}}}]->(b) RETURN count(r) AS n"


def add_predictions(*, again: bool) -> str:
    """Add predictions; a row is a list of `PREDICTION_BATCH_SCHEMA`'s columns, `$run` holds the run's constants.

    `again` writes over what an interrupted try may have left: one edge for each subject, relation and object.
    """
    constants = PREDICTED_SCHEMA.names[len(PREDICTION_BATCH_SCHEMA) :]
    values = ", ".join(_row_values(PREDICTION_BATCH_SCHEMA) + [f"{name}: $run.{name}" for name in constants])
    place = PREDICTION_BATCH_SCHEMA.names.index("relation")
    if again:
        key = f"{{run_id: $run.run_id, relation: row[{place}]}}"
        return f"{_rows_to_ends()} MERGE (a)-[r:PREDICTED {key}]->(b) SET r = {{{values}}} RETURN count(r) AS n"
    return f"{_rows_to_ends()} CREATE (a)-[r:PREDICTED {{{values}}}]->(b) RETURN count(r) AS n"


def delete_edges(edge_type: EdgeType) -> str:
    """Delete `$batch` edges of a type."""
    return f"MATCH ()-[r:{edge_type.value}]->() WITH r LIMIT $batch DELETE r RETURN count(*) AS n"


def read_edges(edge_type: EdgeType, selection: Selection) -> str:
    """Edges of a type, all columns in order; `$inside`, `$relations`, `$min_score` and `$runs` narrow them."""
    conditions = []
    if selection.around is not None:
        conditions.append("(a.id IN $inside OR b.id IN $inside)")
    if selection.relations is not None and edge_type is not EdgeType.CO_MENTIONED:
        conditions.append("r.relation IN $relations")
    if edge_type is EdgeType.PREDICTED:
        conditions.append("r.run_id IN $runs")
        if selection.min_score is not None:
            conditions.append("r.score >= $min_score")
        if selection.novel_only:
            conditions.append(f"NOT r.known AND {NEITHER_NEAR_NOR_GENERAL.format('r')}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    columns = ["a.id AS subject", "b.id AS object", *_properties("r", list(EDGE_SCHEMAS[edge_type])[2:])]
    return f"MATCH (a:Entity)-[r:{edge_type.value}]->(b:Entity){where} RETURN {', '.join(columns)}"


def read_entities(*, narrowed: bool) -> str:
    """Entities, all columns in order; those of `$ids` if narrowed."""
    where = " WHERE n.id IN $ids" if narrowed else ""
    return f"MATCH (n:Entity){where} RETURN {', '.join(_properties('n', ENTITY_SCHEMA))}"


def count_edges(edge_type: EdgeType) -> str:
    """How many edges of a type there are."""
    return f"MATCH ()-[r:{edge_type.value}]->() RETURN count(r) AS n"


COUNT_ENTITIES = "MATCH (n:Entity) RETURN count(n) AS n"


def _properties(variable: str, fields: Iterable[pa.Field]) -> list[str]:
    """Columns for properties; `neo4j-admin` imports an empty list as no property at all."""
    values = {f.name: f"{variable}.{f.name}" for f in fields}
    lists = {f.name: f"coalesce({values[f.name]}, [])" for f in fields if pa.types.is_list(f.type)}
    return [f"{value} AS {name}" for name, value in (values | lists).items()]
