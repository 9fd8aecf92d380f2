from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from relvm_kg.entities.names_file import NameRow, read_names, write_names
from relvm_kg.entities.retired import missing_ids, retired_ids
from relvm_kg.types import EntityId, EntityType

GENE, DISEASE, CHEMICAL = EntityType
ROWS = [
    NameRow("MESH:D000069348", CHEMICAL, "Quetiapine Fumarate", synonyms=("Quetiapine", "shared name")),
    NameRow("MESH:D000077152", CHEMICAL, "Olanzapine", synonyms=("shared name", "LY 170053")),
    NameRow("MESH:D003866", DISEASE, "Depressive Disorder"),
]
OLD = EntityId("MESH", "C076029")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    path: Path = tmp_path_factory.mktemp("names") / "n.parquet"
    write_names(path, ROWS, [])
    return read_names(path)


def test_only_supplementary_ids_that_the_catalogue_lacks_are_missing(names: pa.Table) -> None:
    ids = [OLD, EntityId("MESH", "D000077152"), EntityId("MESH", "D999999"), EntityId("OMIM", "1234")]
    assert missing_ids(names, ids) == {OLD}


@pytest.mark.parametrize(
    ("texts", "today"),
    [
        ({"olanzapine": 5, "Olanzipine": 9}, "D000077152"),
        ({"quetiapine": 1}, "D000069348"),
        ({"olanzapine": 2, "quetiapine": 1}, "D000077152"),
        ({"olanzapine": 1, "quetiapine": 1}, None),
        ({"shared name": 4}, None),
        ({"LY 170053": 4}, None),
        ({"depressive disorder": 4}, None),
        ({"unheard of": 4}, None),
    ],
)
def test_a_retired_id_is_what_most_of_its_mentions_name(
    texts: dict[str, int], today: str | None, names: pa.Table
) -> None:
    expected = {} if today is None else {OLD: EntityId("MESH", today)}
    assert retired_ids(names, {(OLD, CHEMICAL): Counter(texts)}) == expected
