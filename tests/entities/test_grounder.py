from collections import Counter
from pathlib import Path

import pytest

from relvm_kg.entities.catalogue import Catalogue, write_catalogue
from relvm_kg.entities.collect import EntityCollector
from relvm_kg.entities.grounder import Grounder
from relvm_kg.entities.lookup import NAMES_FILE, NamesLookup, keep_names
from relvm_kg.entities.names import NamesTable
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import AmbiguousEntityError, NoTextError, RelvmKgError, UnknownEntityError
from relvm_kg.types import EntityId, EntityType

GENE, DISEASE, CHEMICAL = EntityType
ROWS = [
    NameRow("MESH:C531617", DISEASE, "Amyotrophic lateral sclerosis 1", xrefs=("OMIM:105400",), depth=5),
    NameRow("MESH:D000690", DISEASE, "Amyotrophic Lateral Sclerosis", synonyms=("ALS",), xrefs=("DOID:332",), depth=4),
    NameRow("MESH:D010300", DISEASE, "Parkinson Disease", synonyms=("PD",)),
    NameRow("MESH:D012964", CHEMICAL, "Sodium", synonyms=("Na",), xrefs=("HGNC:6692",)),
    NameRow(
        "NCBIGene:4035",
        GENE,
        "LRP1",
        "LDL receptor related protein 1",
        synonyms=("CD91",),
        previous=("A2MR", "APR"),
        xrefs=("HGNC:6692",),
        merged=("HGNC:9",),
    ),
    NameRow("NCBIGene:6506", GENE, "SLC1A2", "solute carrier family 1 member 2", synonyms=("EAAT2", "GLT-1")),
    NameRow("NCBIGene:6507", GENE, "SLC1A3", synonyms=("EAAT1",), previous=("OLDGENE",)),
    NameRow("NCBIGene:6647", GENE, "SOD1", previous=("ALS", "ALS1")),
    NameRow("NCBIGene:7157", GENE, "TP53", synonyms=("p53", "shared"), previous=("OLDGENE",)),
    NameRow("NCBIGene:999", GENE, "APR", synonyms=("shared",)),
]
HERE = {"NCBIGene:4035": "LRP1", "NCBIGene:6647": "SOD1", "MESH:D010300": "Parkinson's disease", "MESH:C531617": "ALS1"}
HELD = "NCBIGene:4035"
TYPES = {row.id: row.type for row in ROWS}


def entity(curie: str) -> EntityId:
    return EntityId.parse(curie)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generation whose text names LRP1, SOD1, Parkinson's disease and ALS1 once each."""
    path = tmp_path_factory.mktemp("generation")
    write_names(path / "given.parquet", ROWS, [])
    keep_names(path / "given.parquet", path)
    table = NamesTable()
    table.load(path / NAMES_FILE)
    collector = EntityCollector()
    for curie, surface in HERE.items():
        index = collector.index(entity(curie))
        collector.add_mention(index, TYPES[curie], surface, alone=True)
        collector.add_document([index])
    entries, _ = collector.entries({entity(c): TYPES[c] for c in HERE}, table.names, {entity(HELD): Counter[str]()})
    write_catalogue(path, entries, [0] * len(entries))
    return path


@pytest.fixture(scope="module")
def grounder(folder: Path) -> Grounder:
    return Grounder(Catalogue.load(folder), NamesLookup.in_folder(folder))


@pytest.fixture(scope="module")
def nameless(folder: Path) -> Grounder:
    return Grounder(Catalogue.load(folder))


def ground(text: str, grounder: Grounder) -> tuple[str, str | None]:
    place, note = grounder.ground(text)
    return str(grounder._catalogue.ids[place]), note


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("LRP1", ("NCBIGene:4035", None)),
        ("cd91", ("NCBIGene:4035", None)),
        ("LDL receptor related protein 1", ("NCBIGene:4035", None)),
        ("GENE:4035", ("NCBIGene:4035", None)),
        ("A2MR", ("NCBIGene:4035", "A2MR is now called LRP1 (NCBIGene:4035)")),
        ("GENE:a2mr", ("NCBIGene:4035", "a2mr is now called LRP1 (NCBIGene:4035)")),
        ("HGNC:9", ("NCBIGene:4035", "HGNC:9 was replaced by LRP1 (NCBIGene:4035)")),
        ("HGNC:6692", ("NCBIGene:4035", "HGNC:6692 is, in this catalogue, LRP1 (NCBIGene:4035)")),
        (
            "DISEASE:105400",
            ("MESH:C531617", "OMIM:105400 is, in this catalogue, Amyotrophic lateral sclerosis 1 (MESH:C531617)"),
        ),
        ("PD", ("MESH:D010300", None)),
        ("ALS1", ("MESH:C531617", None)),
    ],
)
def test_names_of_today_lead_silently_and_others_with_a_note(
    text: str, found: tuple[str, str | None], grounder: Grounder
) -> None:
    assert ground(text, grounder) == found


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "EAAT2",
            NoTextError,
            "SLC1A2 (NCBIGene:6506, solute carrier family 1 member 2, GENE) is known, but no text or relation of this "
            "workspace mentions it, so nothing can be said of it",
        ),
        (
            "DOID:332",
            NoTextError,
            "Amyotrophic Lateral Sclerosis (MESH:D000690, DISEASE) is known, but no text or relation of this workspace "
            "mentions it, so nothing can be said of it; DOID:332 is, in this catalogue, Amyotrophic Lateral Sclerosis "
            "(MESH:D000690)",
        ),
        (
            "ALS",
            AmbiguousEntityError,
            "'ALS' names 2 entities; give the id of one: NCBIGene:6647 SOD1 (GENE, 1 document); MESH:D000690 "
            "Amyotrophic Lateral Sclerosis (DISEASE, 0 documents)",
        ),
        (
            "OLDGENE",
            AmbiguousEntityError,
            "'OLDGENE' names 2 entities; give the id of one: NCBIGene:6507 SLC1A3 (GENE, 0 documents); "
            "NCBIGene:7157 TP53 (GENE, 0 documents)",
        ),
        (
            "APR",
            AmbiguousEntityError,
            "'APR' names 2 entities; give the id of one: NCBIGene:4035 LRP1 (GENE, 1 document); NCBIGene:999 APR "
            "(GENE, 0 documents)",
        ),
        (
            "Parkinsons diseas",
            UnknownEntityError,
            "unknown entity 'Parkinsons diseas'; did you mean Parkinson's disease (MESH:D010300)?",
        ),
        (
            "EAAT3",
            UnknownEntityError,
            "unknown entity 'EAAT3'; no name is spelled like it; try a symbol or a name; not written of here: "
            "EAAT2 (NCBIGene:6506), EAAT1 (NCBIGene:6507)",
        ),
        (
            "MESH:D999999",
            UnknownEntityError,
            "no entity of the catalogue has the id 'MESH:D999999'; no name is spelled like it; try a symbol or a name",
        ),
    ],
)
def test_an_error_says_what_the_text_means_and_what_is_not_written_here(
    text: str, error: type[RelvmKgError], message: str, grounder: Grounder
) -> None:
    with pytest.raises(error) as caught:
        ground(text, grounder)
    assert str(caught.value) == message


def test_without_a_names_file_only_the_workspace_is_known(nameless: Grounder) -> None:
    assert ground("A2MR", nameless) == ("NCBIGene:4035", None)
    with pytest.raises(UnknownEntityError, match=r"^unknown entity 'EAAT2'; no name is spelled like it"):
        ground("EAAT2", nameless)


def test_a_generation_built_without_a_names_catalogue_has_none(tmp_path: Path) -> None:
    (tmp_path / "table.tsv").write_text("id\tname\tsynonyms\n", encoding="utf-8")
    keep_names(tmp_path / "table.tsv", tmp_path)
    assert NamesLookup.in_folder(tmp_path) is None
