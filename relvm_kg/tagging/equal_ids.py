"""Ids of annotated files that mean an entity of the names catalogue under another id."""

import pyarrow as pa

from relvm_kg.types import EntityId, EntityType

_OMIM = "OMIM"


def replaced_ids(names: pa.Table) -> dict[EntityId, EntityId]:
    """The current id of each id that vocabularies replaced; ids that two entities claim, or that live, stay out."""
    return _unique(names, "merged", None)


def omim_as_mesh(names: pa.Table) -> dict[EntityId, EntityId]:
    """The disease of the catalogue that each OMIM id is a cross-reference of, if there is exactly one."""
    return _unique(names, "xrefs", _OMIM)


def known_ids(names: pa.Table) -> set[EntityId]:
    """The ids of the catalogue."""
    return {EntityId.parse(curie) for curie in names.column("id").to_pylist()}


def _unique(names: pa.Table, column: str, prefix: str | None) -> dict[EntityId, EntityId]:
    claims: dict[EntityId, set[EntityId]] = {}
    columns = (names.column(name).to_pylist() for name in ("id", "type", column))
    for curie, kind, others in zip(*columns, strict=True):
        for other in others or ():
            if prefix is None or (kind == EntityType.DISEASE.value and other.startswith(f"{prefix}:")):
                claims.setdefault(EntityId.parse(other), set()).add(EntityId.parse(curie))
    known = known_ids(names)
    return {other: min(owners) for other, owners in claims.items() if len(owners) == 1 and other not in known}
