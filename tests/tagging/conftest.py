import pyarrow as pa
import pytest

from relvm_kg.entities.names_file import NAMES_SCHEMA
from relvm_kg.entities.orthologs import OrthologFolder
from relvm_kg.tagging.compiled import compile_names
from relvm_kg.tagging.tagger import Tagger


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


EMPTY: dict[str, object] = {
    "full_name": None,
    "synonyms": [],
    "previous": [],
    "xrefs": [],
    "tree_numbers": [],
    "parents": [],
    "depth": None,
    "merged": [],
}
ROWS: list[dict[str, object]] = [
    {"id": "MESH:D000690", "type": "DISEASE", "name": "Amyotrophic Lateral Sclerosis", "synonyms": ["ALS"]},
    {"id": "MESH:D001943", "type": "DISEASE", "name": "Breast Neoplasms", "tree_numbers": ["C04.588.180"]},
    {"id": "MESH:D002945", "type": "CHEMICAL", "name": "Cisplatin", "tree_numbers": ["D01.210.375"]},
    {"id": "MESH:D004194", "type": "DISEASE", "name": "Disease"},
    {"id": "MESH:D009369", "type": "DISEASE", "name": "Neoplasms", "synonyms": ["Cancer", "Tumors"]},
    {"id": "MESH:D010051", "type": "DISEASE", "name": "Ovarian Neoplasms", "tree_numbers": ["C04.588.322.455"]},
    {"id": "MESH:D014409", "type": "CHEMICAL", "name": "Tumor Necrosis Factor-alpha", "tree_numbers": ["D12.776.467"],
     "synonyms": ["Cachectin"], "xrefs": ["HGNC:11892"]},
    {"id": "MESH:D019782", "type": "CHEMICAL", "name": "Riluzole", "tree_numbers": ["D02.886.675"]},
    {"id": "MESH:D018698", "type": "CHEMICAL", "name": "Glutamic Acid", "tree_numbers": ["D12.125.067"]},
    {"id": "NCBIGene:1", "type": "GENE", "name": "A1BG", "synonyms": ["XYZ4"]},
    {"id": "NCBIGene:2", "type": "GENE", "name": "A2M", "synonyms": ["XYZ4", "CAS"]},
    {"id": "NCBIGene:5594", "type": "GENE", "name": "MAPK1", "synonyms": ["ERK2"]},
    {"id": "NCBIGene:5595", "type": "GENE", "name": "MAPK3", "synonyms": ["ERK1"]},
    {"id": "NCBIGene:6506", "type": "GENE", "name": "SLC1A2", "full_name": "solute carrier family 1 member 2",
     "synonyms": ["GLT-1", "EAAT2"]},
    {"id": "NCBIGene:7124", "type": "GENE", "name": "TNF", "full_name": "tumor necrosis factor",
     "synonyms": ["TNF-alpha"], "xrefs": ["HGNC:11892"]},
    {"id": "NCBIGene:7454", "type": "GENE", "name": "WAS", "full_name": "WASP actin nucleation promoting factor"},
]  # fmt: skip


@pytest.fixture(scope="session")
def small_names() -> pa.Table:
    """A names catalogue of a few entities."""
    rows = [EMPTY | row for row in ROWS]
    return pa.Table.from_pylist(rows, schema=NAMES_SCHEMA)


@pytest.fixture(scope="session")
def small_tagger(small_names: pa.Table) -> Tagger:
    """The tagger that knows them."""
    return Tagger(compile_names(small_names, "small"))
