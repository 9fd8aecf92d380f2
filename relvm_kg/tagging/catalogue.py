"""What the tagger reads of the names catalogue."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from relvm_kg.types import EntityType


class CatalogueRow(NamedTuple):
    """A row of the names catalogue; the fields are its columns."""

    id: str
    type: EntityType
    name: str
    full_name: str | None
    synonyms: list[str]
    previous: list[str]
    xrefs: list[str]
    tree_numbers: list[str]
    parents: list[str]


def catalogue_rows(names: pa.Table) -> Iterator[CatalogueRow]:
    """The rows of a names catalogue, one by one."""
    for batch in names.select(list(CatalogueRow._fields)).to_batches(max_chunksize=20_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield CatalogueRow(row[0], EntityType(row[1]), *row[2:])
