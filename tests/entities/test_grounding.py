from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from relvm_kg.entities.catalogue import Catalogue, write_catalogue
from relvm_kg.entities.collect import EntityCollector, FormKind
from relvm_kg.entities.grounding import ground, nearest_names
from relvm_kg.entities.names import NamesTable, OfficialName
from relvm_kg.errors import AmbiguousEntityError, InvalidInputError, UnknownEntityError, WorkspaceError
from relvm_kg.types import EntityId, EntityType

GENE, DISEASE, CHEMICAL = EntityType
E = EntityId.parse
SLC1A2, MOUSE, INS = E("NCBIGene:6506"), E("NCBIGene:20511"), E("NCBIGene:3630")
ALS, CANCER, GRAND_MAL, ACETAMIPRID = E("MESH:D000690"), E("MESH:D008113"), E("OMIM:600669"), E("MESH:C464485")
ACE, LEGACY = E("NCBIGene:1636"), E("NCBIGene:19412")

MENTIONS: list[tuple[EntityId, EntityType, str, int]] = [
    (SLC1A2, GENE, "GLT-1", 1),
    (SLC1A2, GENE, "EAAT2", 2),
    (MOUSE, GENE, "GLT-1", 1),
    (MOUSE, GENE, "GLT1", 2),
    (INS, GENE, "insulin", 9),
    (INS, GENE, "Insulin", 3),
    (CANCER, DISEASE, "ALS", 6),
    (CANCER, DISEASE, "liver cancer", 8),
    (ALS, DISEASE, "ALS", 12),
    (ALS, DISEASE, "motor neuron disease", 1),
    (GRAND_MAL, DISEASE, "epilepsy, grand mal", 1),
    (GRAND_MAL, DISEASE, "insulin", 1),
    (ACETAMIPRID, CHEMICAL, "Ace", 1),
    (ACE, GENE, "ACE", 5),
    (INS, GENE, "ras", 4),
]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    collector = EntityCollector()
    for entity, entity_type, surface, n in MENTIONS:
        index = collector.index(entity)
        for _ in range(n):
            collector.add_mention(index, entity_type, surface, alone=True)
        collector.add_sentence([index], held_out=False)
        collector.add_document([index])
    collector.index(LEGACY)
    official = {
        SLC1A2: OfficialName("SLC1A2", ("solute carrier family 1 member 2", "EAAT2", "GLT-1")),
        INS: OfficialName("INS", ("insulin",)),
        ACE: OfficialName("ACE", ()),
    }
    stated = {ALS: Counter({"Amyotrophic Lateral Sclerosis": 3, "ALS1": 1}), LEGACY: Counter({"RAS": 1})}
    types = {e: t for e, t, _, _ in MENTIONS} | {LEGACY: GENE}
    entries, rows = collector.entries(types, official, stated)
    assert [entry.id for entry in entries] == sorted(collector.ids, key=str)
    assert [entries[row].id for row in rows] == collector.ids
    folder = tmp_path_factory.mktemp("catalogue")
    write_catalogue(folder, entries, [0] * len(entries))
    return Catalogue.load(folder)


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("NCBIGene:6506", SLC1A2),
        ("GENE:6506", SLC1A2),
        ("gene:6506", SLC1A2),
        (" DISEASE:D000690 ", ALS),
        ("DISEASE:600669", GRAND_MAL),
        ("CHEMICAL:C464485", ACETAMIPRID),
        ("D000690", ALS),
        ("6506", SLC1A2),
        ("SLC1A2", SLC1A2),
        ("slc1a2", SLC1A2),
        ("EAAT2", SLC1A2),
        ("eaat2", SLC1A2),
        ("GENE:EAAT2", SLC1A2),
        ("Solute  carrier family 1 member 2", SLC1A2),
        ("amyotrophic lateral sclerosis", ALS),
        ("ALS1", ALS),
        ("insulin", INS),
        ("ACE", ACE),
        ("ace", ACE),
        ("CHEMICAL:ace", ACETAMIPRID),
        ("epilepsy, grand mal", GRAND_MAL),
        ("RAS", LEGACY),
        ("ras", INS),
    ],
)
def test_ids_names_and_unambiguous_synonyms_lead_to_the_entity(
    text: str, entity: EntityId, catalogue: Catalogue
) -> None:
    assert catalogue.ids[ground(text, catalogue)] == entity


def test_an_ambiguous_synonym_lists_its_entities_most_mentioned_first(catalogue: Catalogue) -> None:
    with pytest.raises(AmbiguousEntityError) as caught:
        ground("ALS", catalogue)
    assert str(caught.value) == (
        "'ALS' names 2 entities; give the id of one: "
        "MESH:D000690 Amyotrophic Lateral Sclerosis (DISEASE, 2 documents); "
        "MESH:D008113 liver cancer (DISEASE, 2 documents)"
    )
    assert caught.value.exit_code == 4


def test_a_table_decides_between_entities_of_equal_mentions(catalogue: Catalogue) -> None:
    assert catalogue.ids[ground("GLT-1", catalogue)] == SLC1A2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EAT2", "unknown entity 'EAT2'; did you mean EAAT2 (NCBIGene:6506)?"),
        (
            "GENE:123",
            "no entity of the catalogue has the id 'GENE:123'; no name is spelled like it; try a symbol or a name",
        ),
        ("GENE:6560", "no entity of the catalogue has the id 'GENE:6560'; did you mean NCBIGene:6506 (SLC1A2)?"),
        ("GENE:EAAT3", "unknown entity 'GENE:EAAT3'; did you mean EAAT2 (NCBIGene:6506)?"),
        ("DISEASE:slc1a2", "unknown entity 'DISEASE:slc1a2'; no name is spelled like it; try a symbol or a name"),
        (
            "MESH:D999999",
            "no entity of the catalogue has the id 'MESH:D999999'; no name is spelled like it; try a symbol or a name",
        ),
        ("", "unknown entity ''; no name is spelled like it; try a symbol or a name"),
        (":", "unknown entity ':'; no name is spelled like it; try a symbol or a name"),
    ],
)
def test_an_unknown_name_or_id_gets_the_nearest_names(text: str, message: str, catalogue: Catalogue) -> None:
    with pytest.raises(UnknownEntityError) as caught:
        ground(text, catalogue)
    assert str(caught.value) == message
    assert caught.value.exit_code == 3


def test_nearest_names_keep_to_the_type_and_list_each_entity_once(catalogue: Catalogue) -> None:
    assert nearest_names("insuline", catalogue, GENE) == ["insulin (NCBIGene:3630)"]
    assert nearest_names("insuline", catalogue, DISEASE) == ["insulin (OMIM:600669)"]
    assert nearest_names("12345", catalogue) == []


def test_names_come_from_tables_then_relation_files_then_text(catalogue: Catalogue) -> None:
    names = dict(zip(catalogue.ids, catalogue.names, strict=True))
    assert names[SLC1A2] == "SLC1A2"
    assert names[ALS] == "Amyotrophic Lateral Sclerosis"
    assert names[MOUSE] == "GLT1"
    assert catalogue.synonyms(catalogue.index[ALS]) == ["ALS", "motor neuron disease", "ALS1"]
    forms = {
        (form.text, form.n_mentions, form.kind) for i, form in catalogue.by_text["insulin"] if catalogue.ids[i] == INS
    }
    assert forms == {("insulin", 9, FormKind.ALIAS), ("Insulin", 3, FormKind.TEXT)}


def test_every_name_and_id_of_the_catalogue_grounds_to_itself_where_nothing_shares_it(catalogue: Catalogue) -> None:
    for index, entity in enumerate(catalogue.ids):
        assert ground(str(entity), catalogue) == index
        for text in (catalogue.names[index], *catalogue.synonyms(index)):
            named = {i for i, _ in catalogue.by_text[text.casefold()]}
            assert index in named
            if len(named) == 1:
                assert ground(text, catalogue) == index


def test_entities_by_type_partition_the_catalogue(catalogue: Catalogue) -> None:
    found = sorted(int(i) for t in EntityType for i in catalogue.of_type(t))
    assert found == list(range(len(catalogue)))
    assert all(catalogue.types[i] is DISEASE for i in catalogue.of_type(DISEASE))


def test_a_catalogue_without_its_synonym_table_still_grounds(tmp_path: Path, catalogue: Catalogue) -> None:
    pq.write_table(catalogue.table, tmp_path / "entities.parquet")
    alone = Catalogue.load(tmp_path)
    assert alone.ids[ground("EAAT2", alone)] == SLC1A2
    with pytest.raises(AmbiguousEntityError):
        ground("ALS", alone)


def test_a_folder_without_a_catalogue_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="must hold a catalogue"):
        Catalogue.load(tmp_path)


HGNC = (
    "HGNC ID\tApproved symbol\tApproved name\tStatus\tAlias symbols\tNCBI Gene ID(supplied by NCBI)\tPrevious symbols\n"
    "HGNC:10940\tSLC1A2\tsolute carrier family 1 member 2\tApproved\tEAAT2, GLT-1\t6506\tOLD1, EAAT2\n"
    "HGNC:6\tA1S9T\tsymbol withdrawn\tSymbol Withdrawn\t\t\t\n"
)


def test_the_three_forms_of_names_tables(tmp_path: Path) -> None:
    (tmp_path / "hgnc.tsv").write_text(HGNC, encoding="utf-8")
    (tmp_path / "mesh.tsv").write_text('D000690\t"ALS", the\tLou Gehrig|MND\tC10\nD1\tX\n', encoding="utf-8")
    (tmp_path / "own.tsv").write_text("id\ttype\tname\tsynonyms\nCHEBI:1\tCHEMICAL\tone\ta|b|one|\n", encoding="utf-8")
    table = NamesTable()
    for name in ("hgnc", "mesh", "own"):
        table.load(tmp_path / f"{name}.tsv")
    assert table.names == {
        SLC1A2: OfficialName("SLC1A2", ("solute carrier family 1 member 2", "EAAT2", "GLT-1", "OLD1")),
        ALS: OfficialName('"ALS", the', ("Lou Gehrig", "MND")),
        EntityId("MESH", "D1"): OfficialName("X", ()),
        E("CHEBI:1"): OfficialName("one", ("a", "b")),
    }
    assert table.by_hgnc == {E("HGNC:10940"): SLC1A2}
    assert table.by_symbol == {"SLC1A2": SLC1A2}


def test_a_damaged_names_table_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_bytes(b"id\tname\tsynonyms\nMESH:D1\t\xff\t\n")
    with pytest.raises(InvalidInputError, match=r"x\.tsv must be a whole tab-separated table in UTF-8"):
        NamesTable().load(tmp_path / "x.tsv")


@pytest.mark.parametrize("text", ["", "x\ty\n", "id\tname\n"])
def test_an_unknown_names_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match="must start with a heading"):
        NamesTable().load(tmp_path / "x.tsv")
