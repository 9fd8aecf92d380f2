import pyarrow as pa

from relvm_kg.tagging.equal_ids import known_ids, replaced_ids
from relvm_kg.types import EntityId

ROWS: list[dict[str, object]] = [
    {"id": "MESH:D000690", "type": "DISEASE", "xrefs": ["OMIM:105400", "DOID:332", "OMIM:1"], "merged": ["MESH:C1"]},
    {"id": "MESH:D000691", "type": "DISEASE", "xrefs": ["OMIM:1"], "merged": ["MESH:D000690"]},
    {"id": "NCBIGene:6647", "type": "GENE", "xrefs": ["OMIM:147450"], "merged": []},
]
NAMES = pa.Table.from_pylist(ROWS)
ALS = EntityId("MESH", "D000690")


def test_a_replaced_id_is_the_one_of_today_unless_it_still_lives() -> None:
    assert replaced_ids(NAMES) == {EntityId("MESH", "C1"): ALS}


def test_all_ids_are_known() -> None:
    assert known_ids(NAMES) == {ALS, EntityId("MESH", "D000691"), EntityId("NCBIGene", "6647")}
