"""The names catalogue: one Parquet file of genes, diseases and chemicals with all that vocabularies say of them.

Rows are sorted by id; `NAMES_SCHEMA` lists the columns. The schema's metadata holds, under `relvm_kg.names`, the
format version, the time of the build and the sources; `<stem>.LICENCES.md` beside the file says whose each part is.

Depth counts levels below the root of a hierarchy: `C04` (Neoplasms) is 1 deep, since the tree `C` itself is its root;
the smallest of an entity's tree numbers counts, and of a supplementary concept one more than its deepest parent's.
Parents are always of the entity's own type.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relvm_kg.download.places import cache_root
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import atomic_path
from relvm_kg.types import EntityType

NAMES_FORMAT = 1
METADATA_KEY = b"relvm_kg.names"
_BATCH = 50_000
_MAGIC = b"PAR1"


def _texts(name: str) -> pa.Field:
    return pa.field(name, pa.list_(pa.string()), nullable=False)


NAMES_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("full_name", pa.string()),
        _texts("synonyms"),
        _texts("previous"),
        _texts("xrefs"),
        _texts("tree_numbers"),
        _texts("parents"),
        pa.field("depth", pa.int16()),
        _texts("merged"),
    ]
)


class NameRow(NamedTuple):
    """What the vocabularies say of one entity; the fields are the file's columns, ids are CURIEs."""

    id: str
    type: EntityType
    name: str
    full_name: str | None = None
    """The approved name of a gene, whose `name` is the symbol."""
    synonyms: tuple[str, ...] = ()
    previous: tuple[str, ...] = ()
    """Symbols and names that were official once."""
    xrefs: tuple[str, ...] = ()
    tree_numbers: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    """Broader entities of the same type; of a supplementary concept, the headings it is mapped to."""
    depth: int | None = None
    merged: tuple[str, ...] = ()
    """Ids that this one replaced."""


@dataclass(frozen=True, kw_only=True)
class NamesSource:
    """A file that a names catalogue was made from."""

    name: str
    version: str
    licence: str
    home: str
    sha256: str
    n: int
    """Entities that it named, or cross-references that it gave."""


@dataclass(frozen=True, kw_only=True)
class NamesMetadata:
    """What the file says of itself."""

    format: int
    sources: tuple[NamesSource, ...]
    builder: int = 0
    """Version of the builder's rules; 0: made by hand."""
    notes: dict[str, int] = field(default_factory=dict)
    """What the build left out, joined or added, by reason."""


def default_names_path() -> Path:
    """Where the names catalogue lies unless told otherwise: `names/names.parquet` in the cache folder."""
    return cache_root() / "names" / "names.parquet"


def licences_path(path: Path) -> Path:
    """The licences file beside a names file."""
    return path.with_name(f"{path.stem}.LICENCES.md")


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet files do."""
    with path.open("rb") as handle:
        return handle.read(len(_MAGIC)) == _MAGIC


def write_names(
    path: Path,
    rows: Iterable[NameRow],
    sources: Sequence[NamesSource],
    *,
    builder: int = 0,
    notes: Mapping[str, int] | None = None,
) -> int:
    """Write a names file and its licences, atomically; returns the number of rows.

    The same rows and sources give the same bytes, at any time: what is tagged by the file goes by their hash.

    Args:
        path: Where to write.
        rows: Sorted by id, each id once.
        sources: What the rows were made from.
        builder: Version of the rules by which.
        notes: What was left out, joined or added.

    Raises:
        InvalidInputError: if the ids are not rising.
    """
    metadata = NamesMetadata(
        format=NAMES_FORMAT,
        sources=tuple(sources),
        builder=builder,
        notes=dict(notes or {}),
    )
    schema = NAMES_SCHEMA.with_metadata({METADATA_KEY: json.dumps(asdict(metadata), ensure_ascii=False).encode()})
    remaining, last, n_rows = iter(rows), "", 0
    with atomic_path(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            while batch := list(islice(remaining, _BATCH)):
                for row in batch:
                    if row.id <= last:
                        raise InvalidInputError(f"rows must be sorted by id, each id once, was: {row.id} after {last}")
                    last = row.id
                writer.write_table(_table(batch, schema))
                n_rows += len(batch)
        with atomic_path(licences_path(path)) as licences:
            licences.write_text(_licences(path, sources), encoding="utf-8")
    return n_rows


def _table(batch: Sequence[NameRow], schema: pa.Schema) -> pa.Table:
    columns = zip(*batch, strict=True)
    arrays = [pa.array(list(column), type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _licences(path: Path, sources: Sequence[NamesSource]) -> str:
    head = f"# Sources and licences of {path.name}\n\nThe names in that file come from public vocabularies:\n\n"
    rows = ["| source | version | licence | home | entries | SHA-256 |", "|---|---|---|---|---|---|"]
    rows += [f"| {s.name} | {s.version} | {s.licence} | {s.home} | {s.n:,} | {s.sha256} |" for s in sources]
    return head + "\n".join(rows) + "\n"


def read_metadata(path: Path) -> NamesMetadata:
    """What a names file says of itself.

    Raises:
        InvalidInputError: if it is no names file, or one of another format.
    """
    return _metadata(_open(path), path)


def read_names(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a names file, of `NAMES_SCHEMA`; only the columns that are named, if some are.

    Raises:
        InvalidInputError: if it is no names file, one of another format, or damaged.
    """
    file = _open(path)
    _metadata(file, path)
    wanted = {field.name: field.type for field in NAMES_SCHEMA}
    given = {field.name: field.type for field in file.schema_arrow}
    if wrong := [name for name, kind in wanted.items() if given.get(name) != kind]:
        shown = ", ".join(f"{name} {given.get(name, 'absent')}" for name in wrong)
        raise InvalidInputError(
            f"{path} must have the columns of a names file, was: {shown}; build it again with: relvm-kg names build"
        )
    try:
        return file.read(columns=list(columns or NAMES_SCHEMA.names))
    except (pa.ArrowException, OSError) as error:
        raise InvalidInputError(f"{path} must be a whole Parquet file: {error}") from error


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError:
        raise InvalidInputError(
            f"no names file at {path}; make one with: relvm-kg data get names, then relvm-kg names build"
        ) from None
    except (pa.ArrowException, OSError) as error:
        raise InvalidInputError(
            f"{path} must be a names file (Parquet): {error}; make one with: relvm-kg names build"
        ) from error


def _metadata(file: pq.ParquetFile, path: Path) -> NamesMetadata:
    stored = (file.schema_arrow.metadata or {}).get(METADATA_KEY)
    if stored is None:
        raise InvalidInputError(f"{path} is a Parquet file but no names file; make one with: relvm-kg names build")
    values = json.loads(stored)
    if values.get("format") != NAMES_FORMAT:
        raise InvalidInputError(
            f"{path} must be a names file of format {NAMES_FORMAT}, was: {values.get('format')}; build it again"
        )
    return NamesMetadata(
        format=values["format"],
        sources=tuple(NamesSource(**source) for source in values["sources"]),
        builder=values.get("builder", 0),
        notes=values.get("notes", {}),
    )


@dataclass(frozen=True, kw_only=True)
class NamesInfo:
    """What a names file holds."""

    path: str
    rows: dict[str, int]
    """Entities by type."""
    with_xrefs: dict[str, int]
    """Entities that have cross-references, by type."""
    names: dict[str, int]
    """Names, synonyms and previous names, by type."""
    sources: tuple[NamesSource, ...]
    notes: dict[str, int]


def describe_names(path: Path) -> NamesInfo:
    """Count what a names file holds.

    Raises:
        InvalidInputError: see `read_names`.
    """
    metadata = read_metadata(path)
    table = read_names(path, ("type", "full_name", "synonyms", "previous", "xrefs"))
    lengths = {name: pc.list_value_length(table[name]).to_numpy() for name in ("synonyms", "previous", "xrefs")}
    names = 1 + pc.is_valid(table["full_name"]).to_numpy().astype(np.int64) + lengths["synonyms"] + lengths["previous"]
    places = {kind.value: pc.equal(table["type"], kind.value).to_numpy() for kind in EntityType}
    return NamesInfo(
        path=str(path),
        rows={kind: int(is_kind.sum()) for kind, is_kind in places.items()},
        with_xrefs={kind: int((lengths["xrefs"][is_kind] > 0).sum()) for kind, is_kind in places.items()},
        names={kind: int(names[is_kind].sum()) for kind, is_kind in places.items()},
        sources=metadata.sources,
        notes=metadata.notes,
    )
