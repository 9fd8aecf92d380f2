"""Broader and narrower: by tree numbers, by parents, over gaps, and never in a circle."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.entities.catalogue import Catalogue, write_catalogue
from relvm_kg.entities.collect import CatalogueEntry
from relvm_kg.entities.generality import Generality, generality, too_general
from relvm_kg.entities.hierarchy import Hierarchy, Place, read_places
from relvm_kg.types import EntityId, EntityType

ALS, MND, NEURODEGENERATION, NERVOUS, ALS1, BREAST = (
    "MESH:D000690",
    "MESH:D016472",
    "MESH:D019636",
    "MESH:D009422",
    "MESH:C531617",
    "MESH:D001943",
)
TREES = {
    ALS: ["C10.574.562.250", "C10.668.467.250"],
    MND: ["C10.574.562", "C10.668.467"],
    NEURODEGENERATION: ["C10.574"],
    NERVOUS: ["C10"],
    ALS1: [],
    BREAST: ["C04.588.180"],
}
PARENTS: dict[str, list[str]] = {ALS1: [ALS]}


def tree(*ids: str, outside: bool = False) -> Hierarchy:
    parents = [PARENTS.get(i, []) for i in ids]
    beside = [[n for p in above for n in TREES[p]] if outside else [] for above in parents]
    return Hierarchy(ids, [TREES[i] for i in ids], parents, beside)


def test_tree_numbers_and_parents_say_what_is_broader() -> None:
    hierarchy = tree(*TREES)
    assert hierarchy.ancestors(ALS) == {MND, NEURODEGENERATION, NERVOUS}
    assert hierarchy.ancestors(ALS1) == {ALS, MND, NEURODEGENERATION, NERVOUS}
    assert hierarchy.descendants(MND) == {ALS, ALS1}
    assert hierarchy.ancestors(BREAST) == frozenset()
    assert hierarchy.descendants("MESH:D999999") == hierarchy.ancestors("NCBIGene:1") == frozenset()


def test_a_gap_in_the_catalogue_does_not_part_what_is_above_it_from_what_is_below() -> None:
    assert tree(ALS, NERVOUS).ancestors(ALS) == {NERVOUS}
    assert tree(ALS1, MND, NERVOUS, outside=True).ancestors(ALS1) == {ALS, MND, NERVOUS}
    assert tree(ALS1, MND).ancestors(ALS1) == {ALS}


def test_a_parent_that_is_no_row_is_known_by_its_id_and_is_no_row() -> None:
    hierarchy = tree(ALS1, MND)
    assert hierarchy.descendants(ALS) == {ALS1}
    assert hierarchy.above([0]).tolist() == []
    assert tree(ALS1, MND, outside=True).above([0]).tolist() == [1]


def test_a_number_is_below_another_only_from_a_dot_on() -> None:
    assert Hierarchy(["a", "b"], [["C04"], ["C04X.1"]], [[], []]).descendants("a") == frozenset()


def test_a_circle_of_parents_ends_and_nobody_is_above_itself() -> None:
    hierarchy = Hierarchy(["a", "b"], [[], []], [["b"], ["a"]])
    assert hierarchy.ancestors("a") == {"b"}
    assert hierarchy.descendants("a") == {"b"}


NUMBERS = st.lists(st.integers(1, 3), min_size=1, max_size=4).map(lambda steps: "C" + ".".join(map(str, steps)))


@given(
    st.lists(st.tuples(st.sets(NUMBERS, max_size=3), st.sets(st.integers(0, 12), max_size=2)), min_size=1, max_size=10)
)
def test_ancestors_and_descendants_mirror_each_other(rows: list[tuple[set[str], set[int]]]) -> None:
    ids = [f"e{row}" for row in range(len(rows))]
    hierarchy = Hierarchy(ids, [sorted(n) for n, _ in rows], [[f"e{p}" for p in sorted(above)] for _, above in rows])
    for row, entity in enumerate(ids):
        assert entity not in hierarchy.ancestors(entity) | hierarchy.descendants(entity)
        for other in hierarchy.ancestors(entity):
            assert entity in hierarchy.descendants(other)
        for other in hierarchy.descendants(entity):
            assert entity in hierarchy.ancestors(other)
        rows_above = {ids[i] for i in hierarchy.above([row]).tolist()} - {entity}
        assert rows_above == hierarchy.ancestors(entity) & set(ids)
        for other, (numbers, _) in zip(ids, rows, strict=True):
            if other != entity and any(n.startswith(f"{m}.") for n in numbers for m in rows[row][0]):
                assert other in hierarchy.descendants(entity)


def names() -> pa.Table:
    schema = pa.schema(
        [("id", pa.string()), ("type", pa.string()), ("depth", pa.int16())]
        + [(name, pa.list_(pa.string())) for name in ("tree_numbers", "parents", "merged")]
    )
    rows = [
        {
            "id": entity,
            "type": "DISEASE",
            "tree_numbers": numbers,
            "parents": PARENTS.get(entity, []),
            "depth": min((n.count(".") + 1 for n in numbers), default=5),
            "merged": ["MESH:D099999"] if entity == MND else [],
        }
        for entity, numbers in sorted(TREES.items())
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def test_places_are_read_from_a_names_catalogue_also_by_ids_that_it_replaced() -> None:
    places = read_places(names(), [ALS1, "MESH:D099999", NERVOUS, "NCBIGene:1"])
    assert set(places) == {ALS1, "MESH:D099999", NERVOUS}
    assert places[ALS1] == Place(5, 0, (), (ALS,), ("C10.574.562.250", "C10.668.467.250"))
    assert places["MESH:D099999"] == Place(3, 1, ("C10.574.562", "C10.668.467"), (), ())
    assert places[NERVOUS].n_narrower == 3


def test_a_place_below_concepts_without_tree_numbers_is_that_below_the_headings_above_them() -> None:
    table = names()
    below = {"id": "OMIM:1", "type": "DISEASE", "tree_numbers": [], "parents": [ALS1], "depth": 6, "merged": []}
    table = pa.concat_tables([table, pa.Table.from_pylist([below], schema=table.schema)])
    place = read_places(table, ["OMIM:1"])["OMIM:1"]
    assert place == Place(6, 0, (), (ALS1,), ("C10.574.562.250", "C10.668.467.250"))
    hierarchy = Hierarchy(["OMIM:1", MND], [[], TREES[MND]], [place.parents, []], [place.parent_tree_numbers, []])
    assert hierarchy.ancestors("OMIM:1") == {ALS1, MND}


def catalogue_of(folder: Path, *rows: tuple[str, EntityType, int, Place | None], n_documents: int = 1000) -> Catalogue:
    entries = [
        CatalogueEntry(EntityId.parse(i), kind, i, (), n, n, n, ())
        for i, kind, n, _ in sorted(rows, key=lambda r: r[0])
    ]
    places = {i: place for i, _, _, place in rows if place is not None}
    write_catalogue(folder, entries, [0] * len(entries), n_documents, places)
    return Catalogue.load(folder)


def test_a_catalogue_without_names_has_no_hierarchy_and_nothing_too_general(tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path, (ALS, EntityType.DISEASE, 900, None), (MND, EntityType.DISEASE, 1, None))
    assert (catalogue.depth(0), catalogue.tree_numbers[0], int(catalogue.n_narrower[0])) == (None, [], 0)
    assert not too_general(catalogue).any()
    assert catalogue.hierarchy.ancestors(ALS) == frozenset()
    assert np.allclose(catalogue.document_share, [0.9, 0.001])


def test_a_catalogue_of_an_earlier_version_reads_as_one_without_names(tmp_path: Path) -> None:
    now = catalogue_of(tmp_path, (ALS, EntityType.DISEASE, 900, Place(3, 0, ("C10.1",))))
    earlier = Catalogue(now.table.select(now.table.schema.names[:8]), None)
    assert (earlier.depth(0), earlier.tree_numbers, earlier.document_share.tolist()) == (None, [[]], [0.0])
    assert not too_general(earlier).any()


def test_the_place_of_a_term_says_whether_it_is_too_general(tmp_path: Path) -> None:
    disease, chemical, gene = EntityType.DISEASE, EntityType.CHEMICAL, EntityType.GENE
    terms = {
        "MESH:D009369": (disease, 140, Place(1, 698, ("C04",)), Generality.TOP),
        "MESH:D006331": (disease, 14, Place(2, 193, ("C14.280",)), Generality.GROUP),
        "MESH:D013256": (chemical, 10, Place(3, 267, ("D04.210.500",)), Generality.GROUP),
        "MESH:D064420": (disease, 95, Place(2, 25, ("C25.100",)), Generality.COMMON),
        "MESH:D003920": (disease, 21, Place(2, 20, ("C18.452.394.750", "C19.246")), None),
        "MESH:D010146": (disease, 16, Place(4, 48, ("C23.888.592.612", "F02.830.816.444")), Generality.ASPECT),
        "MESH:D005355": (disease, 3, Place(3, 13, ("C23.550.355",)), Generality.ASPECT),
        "MESH:D013577": (disease, 0, Place(4, 0, ("C23.550.288.500",)), Generality.ASPECT),
        "MESH:D004195": (disease, 2, Place(2, 12, ("C22.232",)), Generality.ASPECT),
        "MESH:D008305": (disease, 1, Place(4, 0, ("C23.550.767",)), None),
        "MESH:D010300": (disease, 16, Place(4, 3, ("C10.228.140.079.862.500",)), None),
        "MESH:D012640": (disease, 20, Place(3, 8, ("C10.597.742", "C23.888.592.742")), None),
        "MESH:D001943": (disease, 32, Place(3, 10, ("C04.588.180",)), None),
        "MESH:C000001": (disease, 500, Place(5, 0), None),
        "MESH:D011506": (chemical, 30, Place(2, 900, ("D12.776",)), Generality.GROUP),
        "MESH:D004364": (chemical, 5, Place(1, 40, ("D26",)), Generality.TOP),
        "NCBIGene:7124": (gene, 300, None, None),
    }
    catalogue = catalogue_of(tmp_path, *((i, kind, n, place) for i, (kind, n, place, _) in terms.items()))
    found = {str(i): generality(catalogue, row) for row, i in enumerate(catalogue.ids)}
    assert found == {i: reason for i, (*_, reason) in terms.items()}
    assert too_general(catalogue).tolist() == [found[str(i)] is not None for i in catalogue.ids]
