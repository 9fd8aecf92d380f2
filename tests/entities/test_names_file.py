import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relvm_kg.entities.names_file import (
    NAMES_SCHEMA,
    NameRow,
    NamesSource,
    default_names_path,
    describe_names,
    licences_path,
    read_metadata,
    read_names,
    write_names,
)
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import EntityType

SOURCE = NamesSource(name="HGNC (x.tsv)", version="2024", licence="CC0 1.0", home="https://x.org", sha256="0" * 64, n=2)
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
ROWS = st.builds(
    NameRow,
    id=st.integers(1, 10**6).map(lambda n: f"MESH:D{n:07}"),
    type=st.sampled_from(EntityType),
    name=TEXT,
    full_name=st.none() | TEXT,
    synonyms=TEXTS,
    previous=TEXTS,
    xrefs=TEXTS,
    tree_numbers=TEXTS,
    parents=TEXTS,
    depth=st.none() | st.integers(1, 20),
    merged=TEXTS,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(rows=st.lists(ROWS, max_size=6, unique_by=lambda row: row.id))
def test_rows_come_back_as_they_were_written(rows: list[NameRow], tmp_path: Path) -> None:
    rows.sort(key=lambda row: row.id)
    path = tmp_path / "n.parquet"
    assert write_names(path, rows, [SOURCE], notes={"left out": 3}) == len(rows)
    table = read_names(path)
    assert table.schema.equals(NAMES_SCHEMA)
    found = [NameRow._make(tuple(v) if isinstance(v, list) else v for v in row.values()) for row in table.to_pylist()]
    assert found == rows
    metadata = read_metadata(path)
    assert (metadata.sources, metadata.notes, metadata.format) == ((SOURCE,), {"left out": 3}, 1)
    info = describe_names(path)
    assert sum(info.rows.values()) == len(rows)
    assert sum(info.with_xrefs.values()) == sum(bool(row.xrefs) for row in rows)
    n_names = sum(1 + (row.full_name is not None) + len(row.synonyms) + len(row.previous) for row in rows)
    assert sum(info.names.values()) == n_names


@pytest.mark.parametrize("ids", [("MESH:D2", "MESH:D1"), ("MESH:D1", "MESH:D1")])
def test_rows_must_rise_and_nothing_is_left_behind_otherwise(ids: tuple[str, str], tmp_path: Path) -> None:
    rows = [NameRow(identifier, EntityType.DISEASE, "x") for identifier in ids]
    with pytest.raises(
        InvalidInputError, match=f"rows must be sorted by id, each id once, was: {ids[1]} after {ids[0]}"
    ):
        write_names(tmp_path / "n.parquet", rows, [])
    assert list(tmp_path.iterdir()) == []


def test_the_licences_of_the_sources_lie_beside_the_file(tmp_path: Path) -> None:
    write_names(tmp_path / "names.parquet", [], [SOURCE])
    assert licences_path(tmp_path / "names.parquet") == tmp_path / "names.LICENCES.md"
    text = (tmp_path / "names.LICENCES.md").read_text(encoding="utf-8")
    assert f"| HGNC (x.tsv) | 2024 | CC0 1.0 | https://x.org | 2 | {'0' * 64} |\n" in text


def test_the_same_names_give_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    rows = [NameRow("MESH:D1", EntityType.DISEASE, "x")]
    write_names(tmp_path / "one.parquet", rows, [SOURCE])
    time.sleep(1.1)
    write_names(tmp_path / "two.parquet", rows, [SOURCE])
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_the_default_place_is_in_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELVM_KG_CACHE", str(tmp_path))
    assert default_names_path() == tmp_path / "names" / "names.parquet"


def test_what_is_no_names_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    with pytest.raises(InvalidInputError, match=r"no names file at .*; make one with: relvm-kg data get names, then"):
        read_names(path)
    path.write_text("id\tname\n", encoding="utf-8")
    with pytest.raises(
        InvalidInputError, match=r"must be a names file \(Parquet\): .*; make one with: relvm-kg names build"
    ):
        read_names(path)
    pq.write_table(pa.table({"id": ["x"]}), path)
    with pytest.raises(InvalidInputError, match="is a Parquet file but no names file"):
        read_names(path)
    write_names(path, [NameRow("MESH:D1", EntityType.DISEASE, "x")], [])
    metadata = pq.read_schema(path).metadata
    other = read_names(path).drop_columns(["depth"])
    pq.write_table(other.replace_schema_metadata(metadata), path)
    with pytest.raises(
        InvalidInputError, match="must have the columns of a names file, was: depth absent; build it again"
    ):
        read_names(path)
    pq.write_table(other.replace_schema_metadata({b"relvm_kg.names": b'{"format": 9}'}), path)
    with pytest.raises(InvalidInputError, match="must be a names file of format 1, was: 9; build it again"):
        read_names(path)


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.99])
def test_a_truncated_file_is_refused(kept: float, tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    write_names(path, [NameRow(f"MESH:D{i:06}", EntityType.DISEASE, f"name {i}") for i in range(999)], [])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(InvalidInputError, match="must be a names file"):
        read_names(path)
