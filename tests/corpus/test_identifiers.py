import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.errors import InvalidInputError
from relvm_kg.identifiers import canonical_id, split_ids
from relvm_kg.types import EntityType

GENE, DISEASE, CHEMICAL = EntityType


@pytest.mark.parametrize(
    ("text", "entity_type", "curie"),
    [
        ("6506", GENE, "NCBIGene:6506"),
        ("6506(Tax:9606)", GENE, "NCBIGene:6506"),
        ("ncbigene:6506", GENE, "NCBIGene:6506"),
        (" D008661", DISEASE, "MESH:D008661"),
        ("*D008661", DISEASE, "MESH:D008661"),
        ("MESH:C535662", DISEASE, "MESH:C535662"),
        ("mesh:d000690", DISEASE, "MESH:D000690"),
        ("OMIM:106210 ", DISEASE, "OMIM:106210"),
        ("105400", DISEASE, "OMIM:105400"),
        ("D000527", CHEMICAL, "MESH:D000527"),
        ("CHEBI:29036", CHEMICAL, "CHEBI:29036"),
        ("HGNC:5", GENE, "HGNC:5"),
    ],
)
def test_ids_of_every_public_form_become_curies(text: str, entity_type: EntityType, curie: str) -> None:
    assert str(canonical_id(text, entity_type)) == curie


@pytest.mark.parametrize(
    ("text", "entity_type"),
    [
        ("D007333", GENE),
        ("OMIM:105400", CHEMICAL),
        ("CHEBI:1", DISEASE),
        ("5", CHEMICAL),
        ("0", GENE),
        ("NCBIGene:X", GENE),
        ("MESH:X1", DISEASE),
        ("insulin", GENE),
        ("", GENE),
        (":", DISEASE),
    ],
)
def test_an_id_of_another_type_or_no_id_at_all_is_refused(text: str, entity_type: EntityType) -> None:
    with pytest.raises(InvalidInputError):
        canonical_id(text, entity_type)


@given(st.text(max_size=30), st.sampled_from(EntityType))
def test_canonical_ids_stay_as_they_are(text: str, entity_type: EntityType) -> None:
    try:
        found = canonical_id(text, entity_type)
    except InvalidInputError:
        return
    assert canonical_id(str(found), entity_type) == found


def test_joined_ids_come_apart_and_missing_ones_vanish() -> None:
    assert split_ids("D002544|-1") == ["D002544"]
    assert split_ids("5595;5594") == ["5595", "5594"]
    assert split_ids("OMIM:300322+OMIM:102600, D1") == ["OMIM:300322", "OMIM:102600", "D1"]
    assert [split_ids(field) for field in ("-", "-1", "", " ")] == [[], [], [], []]
