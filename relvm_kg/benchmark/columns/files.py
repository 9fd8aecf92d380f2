"""The columns on disk: one Parquet file a family, and a manifest of counts and hashes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relvm_kg.benchmark.columns.audit import check_columns
from relvm_kg.benchmark.columns.draw import draw_families
from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.columns.settings import ColumnSettings, Family, Kind, Stage
from relvm_kg.benchmark.columns.sources import load_source
from relvm_kg.benchmark.triples import IntArray
from relvm_kg.config import settings_to_mapping
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import atomic_path, file_sha256, read_json, write_json
from relvm_kg.types import POSITIVE_RELATIONS, Relation
from relvm_kg.workspace import Workspace

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
FILES = {Family.CO_MENTIONED: "co_mentioned.parquet", Family.NEVER: "never_co_mentioned.parquet"}
SCHEMA = pa.schema(
    [
        pa.field("head", pa.string(), nullable=False),
        pa.field("tail", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("positive", pa.bool_(), nullable=False),
        pa.field("head_group", pa.int8(), nullable=False),
        pa.field("tail_group", pa.int8(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("round", pa.int8(), nullable=False),
    ]
)


@dataclass(frozen=True, eq=False)
class PairColumns:
    """The pairs of both families, as catalogue indices of a corpus."""

    families: Mapping[Family, FamilyPairs]
    sha256: str
    """Of the manifest's hashes: names these very pairs."""
    corpus_hash: str
    """Corpus that they were drawn from."""


def write_columns(workspace: Workspace, folder: Path, settings: ColumnSettings) -> dict[str, Any]:
    """Draw the pairs, check that nothing leaks, write the files; the same settings and corpus give the same bytes.

    Returns:
        The manifest.

    Raises:
        InvalidInputError: if the audit finds a pair where it must not be.
        WorkspaceError: if there is no corpus or nothing known in it.
    """
    source = load_source(workspace)
    families = draw_families(source, settings)
    audit = check_columns(families, source)
    for family, pairs in families.items():
        with atomic_path(folder / FILES[family]) as temporary:
            pq.write_table(_table(pairs, source.ids), temporary)
    hashes = {name: file_sha256(folder / name) for name in FILES.values()}
    manifest = {
        "format_version": FORMAT_VERSION,
        "sha256": _digest(hashes),
        "corpus_hash": source.corpus_hash,
        "simulated": source.simulated,
        "settings": settings_to_mapping(settings),
        "files": {
            name: {"sha256": hashes[name], "family": family, "rows": len(families[family])}
            for family, name in FILES.items()
        },
        "available": {
            "co-mentioned pairs": len(source.co_mentioned),
            "co-mentioned pairs with a known relation": int(source.known(source.co_mentioned).sum()),
            "known pairs in no document together": len(source.apart),
        },
        "columns": [_counts(pairs, stage, kind) for pairs in families.values() for stage in Stage for kind in Kind],
        "audit": audit._asdict(),
    }
    write_json(folder / MANIFEST, manifest)
    return manifest


def load_columns(folder: Path, ids: list[str]) -> PairColumns:
    """Read the columns of a folder.

    Args:
        folder: What `write_columns` wrote.
        ids: CURIE of each catalogue index of the corpus in use; it need not be the one that pairs were drawn from.

    Raises:
        InvalidInputError: if a file is missing, changed or of another version, or an entity is not in the catalogue.
    """
    manifest = read_json(folder / MANIFEST) if (folder / MANIFEST).is_file() else {}
    if manifest.get("format_version") != FORMAT_VERSION:
        raise InvalidInputError(
            f"{folder / MANIFEST} must have format_version {FORMAT_VERSION}, was: {manifest.get('format_version')}"
        )
    families = {}
    for family, name in FILES.items():
        if not (folder / name).is_file() or file_sha256(folder / name) != manifest["files"][name]["sha256"]:
            raise InvalidInputError(f"{folder / name} must be as {MANIFEST} says; write the columns again")
        families[family] = _pairs(family, pq.read_table(folder / name), pa.array(ids))
    return PairColumns(families, manifest["sha256"], manifest["corpus_hash"])


def _digest(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{name} {value}\n" for name, value in sorted(hashes.items())).encode()).hexdigest()


def _table(pairs: FamilyPairs, ids: tuple[str, ...]) -> pa.Table:
    names, labels = pa.array(ids), pa.array([r.value for r in Relation])
    splits = pa.array([split.name.lower() for split in Split])
    return pa.table(
        [
            names.take(pa.array(pairs.heads)),
            names.take(pa.array(pairs.tails)),
            labels.take(pa.array(pairs.relations)),
            pa.array(pairs.positive),
            pa.array(pairs.head_groups),
            pa.array(pairs.tail_groups),
            splits.take(pa.array(pairs.splits)),
            pa.array(pairs.rounds),
        ],
        schema=SCHEMA,
    )


def _pairs(family: Family, table: pa.Table, ids: pa.Array) -> FamilyPairs:
    return FamilyPairs(
        family=family,
        heads=_places(table["head"], ids),
        tails=_places(table["tail"], ids),
        relations=_places(table["label"], pa.array([r.value for r in Relation])),
        positive=table["positive"].to_numpy().astype(np.bool_),
        head_groups=table["head_group"].to_numpy(),
        tail_groups=table["tail_group"].to_numpy(),
        splits=_places(table["split"], pa.array([split.name.lower() for split in Split])).astype(np.int8),
        rounds=table["round"].to_numpy(),
    )


def _places(values: pa.ChunkedArray, among: pa.Array) -> IntArray:
    found = pc.index_in(values, value_set=among)
    if found.null_count:
        missing = values.filter(pc.is_null(found))
        raise InvalidInputError(
            f"the columns' pairs must be of this corpus, was: {missing[0].as_py()} and {len(missing) - 1} others "
            "that are not in it; write the columns again"
        )
    places: IntArray = found.to_numpy().astype(np.int64)
    return places


def _counts(pairs: FamilyPairs, stage: Stage, kind: Kind) -> dict[str, Any]:
    rows = pairs.rows(stage, kind)
    positive, relations = pairs.positive[rows], pairs.relations[rows]
    return {
        "stage": stage.value,
        "family": pairs.family.value,
        "kind": kind.value,
        "n": len(rows),
        "n_positive": int(positive.sum()),
        "prevalence": round(float(positive.mean()), 4) if len(rows) else None,
        "labels": {
            r.value: {
                "n": int((relations == r.column).sum()),
                "n_positive": int(positive[relations == r.column].sum()),
            }
            for r in POSITIVE_RELATIONS
        },
    }
