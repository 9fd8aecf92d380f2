"""The form in which a workspace keeps rows of relation files: one JSON array a line."""

import json
from functools import lru_cache

from relvm_kg.corpus.relation_files import RawRelation
from relvm_kg.types import EntityId, EntityType


def row_to_json(row: RawRelation) -> str:
    """One line, without its end."""
    ends = (
        str(row.first),
        row.first_type.value,
        row.first_name,
        str(row.second),
        row.second_type.value,
        row.second_name,
    )
    record = [row.line, row.predicate, *ends, list(row.pmids), row.source, row.simulated]
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


_TYPES = {entity_type.value: entity_type for entity_type in EntityType}


@lru_cache(maxsize=1 << 16)
def _entity(curie: str) -> EntityId:
    return EntityId(*curie.split(":", 1))


def row_from_json(line: str) -> RawRelation:
    """The row that `row_to_json` wrote."""
    number, predicate, first, first_type, first_name, second, second_type, second_name, *rest = json.loads(line)
    pmids, source, simulated = rest
    return RawRelation(
        number,
        predicate,
        _entity(first),
        _TYPES[first_type],
        first_name,
        _entity(second),
        _TYPES[second_type],
        second_name,
        tuple(pmids),
        source,
        simulated,
    )
