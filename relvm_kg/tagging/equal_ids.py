"""Ids of annotated files that mean an entity of the names catalogue under another id."""

import pyarrow as pa

from relvm_kg.types import EntityId


def replaced_ids(names: pa.Table) -> dict[EntityId, EntityId]:
    """The current id of each id that vocabularies replaced; ids that two entities claim, or that live, stay out."""
    claims: dict[EntityId, set[EntityId]] = {}
    for curie, merged in zip(names.column("id").to_pylist(), names.column("merged").to_pylist(), strict=True):
        for other in merged or ():
            claims.setdefault(EntityId.parse(other), set()).add(EntityId.parse(curie))
    known = known_ids(names)
    return {other: min(owners) for other, owners in claims.items() if len(owners) == 1 and other not in known}


def known_ids(names: pa.Table) -> set[EntityId]:
    """The ids of the catalogue."""
    return {EntityId.parse(curie) for curie in names.column("id").to_pylist()}
