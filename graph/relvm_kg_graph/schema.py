"""The graph's schema: labels, relationship types and the Arrow tables that hold them.

Nodes carry the label `Entity` and one of `Gene`, `Disease`, `Chemical`. Edges are of three types: `ASSOCIATED`
(curated knowledge), `CO_MENTIONED` (pairs that share a sentence) and `PREDICTED` (one for each subject, relation,
object and run). `subject` and `object` are the CURIEs of an edge's two ends; every other column is a property of the
same name.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa

from relvm_kg.errors import InvalidInputError
from relvm_kg.types import EntityType

SCHEMA_NAME = "relvm-kg"
SCHEMA_VERSION = 1
ENTITY_LABEL = "Entity"
RUN_LABEL = "PredictionRun"
VERSION_LABEL = "GraphSchema"
TYPE_LABELS = tuple(t.label for t in EntityType)
NODE_LABELS = (ENTITY_LABEL, *TYPE_LABELS, RUN_LABEL, VERSION_LABEL)
CATEGORY_LABELS = {t.category: t.label for t in EntityType}


class EdgeType(StrEnum):
    """Relationship types."""

    ASSOCIATED = "ASSOCIATED"
    CO_MENTIONED = "CO_MENTIONED"
    PREDICTED = "PREDICTED"


def _schema(*fields: tuple[str, pa.DataType], optional: frozenset[str] = frozenset()) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=name in optional) for name, kind in fields])


_STRINGS = pa.list_(pa.field("element", pa.string()))

ENTITY_SCHEMA = _schema(
    ("id", pa.string()),
    ("name", pa.string()),
    ("category", pa.string()),
    ("synonyms", _STRINGS),
    ("n_documents", pa.int32()),
    ("document_share", pa.float32()),
    ("depth", pa.int32()),
    ("simulated", pa.bool_()),
    optional=frozenset({"document_share", "depth"}),
)
KNOWN_SCHEMA = _schema(
    ("subject", pa.string()),
    ("object", pa.string()),
    ("relation", pa.string()),
    ("predicate", pa.string()),
    ("primary_knowledge_source", pa.string()),
    ("publications", _STRINGS),
    ("simulated", pa.bool_()),
)
COMENTION_SCHEMA = _schema(
    ("subject", pa.string()),
    ("object", pa.string()),
    ("n_documents", pa.int32()),
    ("n_sentences", pa.int32()),
    ("npmi", pa.float32()),
    ("first_year", pa.int32()),
    ("simulated", pa.bool_()),
    optional=frozenset({"first_year"}),
)
_OPTIONAL_IN_PREDICTION = frozenset(
    {"rank", "training_prevalence", "raw_score", "uncertainty", "near_known", "general"}
)
PREDICTION_BATCH_SCHEMA = _schema(
    ("subject", pa.string()),
    ("object", pa.string()),
    ("relation", pa.string()),
    ("score", pa.float32()),
    ("raw_score", pa.float32()),
    ("uncertainty", pa.float32()),
    ("rank", pa.int32()),
    ("seen", pa.bool_()),
    ("known", pa.bool_()),
    ("near_known", pa.bool_()),
    ("general", pa.bool_()),
    ("training_prevalence", pa.float32()),
    ("evidence_ids", _STRINGS),
    ("n_evidence", pa.int32()),
    optional=_OPTIONAL_IN_PREDICTION,
)
"""What a scorer hands over; the run adds the columns that are the same for every row."""
PREDICTED_SCHEMA = _schema(
    *((f.name, f.type) for f in PREDICTION_BATCH_SCHEMA),
    ("uncertainty_kind", pa.string()),
    ("calibrated", pa.bool_()),
    ("model_id", pa.string()),
    ("model_version", pa.string()),
    ("run_id", pa.string()),
    ("corpus_hash", pa.string()),
    ("created_at", pa.string()),
    ("knowledge_level", pa.string()),
    ("agent_type", pa.string()),
    ("simulated", pa.bool_()),
    optional=_OPTIONAL_IN_PREDICTION,
)
EDGE_SCHEMAS: Mapping[EdgeType, pa.Schema] = {
    EdgeType.ASSOCIATED: KNOWN_SCHEMA,
    EdgeType.CO_MENTIONED: COMENTION_SCHEMA,
    EdgeType.PREDICTED: PREDICTED_SCHEMA,
}
NEITHER_NEAR_NOR_GENERAL = "NOT coalesce({0}.near_known, false) AND NOT coalesce({0}.general, false)"
"""In Cypher: a prediction neither follows from a known relation nor has too general an end."""
KNOWLEDGE_LEVEL = "prediction"
AGENT_TYPE = "computational_model"

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def now_text() -> str:
    """The time as ISO 8601 text in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, kw_only=True)
class PredictionRun:
    """What all predictions of one run share. `run_id` names a folder and a node: letters, digits and `._-`."""

    run_id: str
    model_id: str
    model_version: str
    corpus_hash: str
    created_at: str = field(default_factory=now_text)
    uncertainty_kind: str = "mutual_information_nats"
    calibrated: bool = False
    simulated: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Any JSON values that tell how the run was made."""

    def __post_init__(self) -> None:
        if _RUN_ID.fullmatch(self.run_id) is None:
            raise InvalidInputError(f"a run id must be letters, digits and ._- only, was: {self.run_id!r}")

    def constants(self) -> dict[str, Any]:
        """The columns of `PREDICTED_SCHEMA` that a scorer's batch lacks."""
        return {
            "uncertainty_kind": self.uncertainty_kind,
            "calibrated": self.calibrated,
            "model_id": self.model_id,
            "model_version": self.model_version,
            "run_id": self.run_id,
            "corpus_hash": self.corpus_hash,
            "created_at": self.created_at,
            "knowledge_level": KNOWLEDGE_LEVEL,
            "agent_type": AGENT_TYPE,
            "simulated": self.simulated,
        }

    def properties(self) -> dict[str, Any]:
        """The properties of the run's node; the settings as JSON text with sorted keys."""
        names = ("run_id", "model_id", "model_version", "corpus_hash", "created_at")
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        values |= {"uncertainty_kind": self.uncertainty_kind, "calibrated": self.calibrated}
        values |= {"simulated": self.simulated, "settings": json.dumps(dict(self.settings), sort_keys=True)}
        return values

    @classmethod
    def from_properties(cls, values: Mapping[str, Any]) -> "PredictionRun":
        """Read what `properties` wrote; other keys are left alone.

        >>> run = PredictionRun(run_id="r1", model_id="m", model_version="1", corpus_hash="c", settings={"top": 5})
        >>> PredictionRun.from_properties(run.properties()) == run
        True
        """
        fields = {name: values[name] for name in cls.__dataclass_fields__ if name != "settings"}
        return cls(**fields, settings=json.loads(values["settings"]))


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Put a batch's columns in the schema's order and types.

    Raises:
        InvalidInputError: if a column is missing or unknown, holds nulls where none may be, or does not fit its type.
    """
    names = set(batch.schema.names)
    if names != set(schema.names):
        missing, unknown = sorted(set(schema.names) - names), sorted(names - set(schema.names))
        raise InvalidInputError(f"a batch must have the columns {schema.names}; missing: {missing}, unknown: {unknown}")
    columns = []
    for wanted in schema:
        column = batch.column(wanted.name)
        if not wanted.nullable and column.null_count:
            raise InvalidInputError(f"column {wanted.name} must hold no nulls, held {column.null_count}")
        try:
            columns.append(column if column.type == wanted.type else column.cast(wanted.type))
        except pa.ArrowException as error:
            raise InvalidInputError(
                f"column {wanted.name} must be {wanted.type}, was {column.type}: {error}"
            ) from error
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def with_missing_columns(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch that an earlier version wrote, with nulls in the columns that came later and may be null."""
    names = set(batch.schema.names)
    if names >= set(schema.names):
        return batch
    columns = [
        pa.nulls(batch.num_rows, wanted.type) if wanted.nullable and wanted.name not in names else batch[wanted.name]
        for wanted in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def complete_predictions(batch: pa.RecordBatch, run: PredictionRun) -> pa.RecordBatch:
    """A scorer's batch with the run's columns added, as `PREDICTED_SCHEMA`."""
    batch = conform(batch, PREDICTION_BATCH_SCHEMA)
    constants = run.constants()
    columns = list(batch.columns)
    for wanted in list(PREDICTED_SCHEMA)[len(PREDICTION_BATCH_SCHEMA) :]:
        columns.append(pa.repeat(pa.scalar(constants[wanted.name], wanted.type), batch.num_rows))
    return pa.RecordBatch.from_arrays(columns, schema=PREDICTED_SCHEMA)
