import pyarrow as pa
import pytest

from relvm_kg.entities.orthologs import OrthologFolder


@pytest.fixture(scope="session")
def names_folder() -> OrthologFolder:
    """Knows SLC1A2 and SOD1."""
    rows: list[dict[str, object]] = [
        {
            "id": "NCBIGene:6506",
            "type": "GENE",
            "name": "SLC1A2",
            "full_name": None,
            "synonyms": ["GLT-1"],
            "previous": [],
        },
        {"id": "NCBIGene:6647", "type": "GENE", "name": "SOD1", "full_name": None, "synonyms": [], "previous": []},
    ]
    return OrthologFolder(pa.Table.from_pylist(rows))
