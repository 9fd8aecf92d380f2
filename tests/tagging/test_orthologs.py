from pathlib import Path

import pyarrow as pa
import pytest

from relvm_kg.entities.names import NamesTable
from relvm_kg.entities.orthologs import OrthologFolder
from relvm_kg.types import EntityId, EntityType, Mention

GENES: list[tuple[str, str, str, list[str], list[str]]] = [
    ("NCBIGene:6506", "SLC1A2", "solute carrier family 1 member 2", ["GLT-1", "EAAT2"], []),
    ("NCBIGene:627", "BDNF", "brain derived neurotrophic factor", [], []),
    ("NCBIGene:3553", "IL1B", "interleukin 1 beta", ["IL-1B", "IL1-BETA"], ["P40"]),
    ("NCBIGene:3593", "IL12B", "interleukin 12B", ["p40"], []),
    ("NCBIGene:2488", "FSHB", "follicle stimulating hormone subunit beta", [], []),
    ("NCBIGene:847", "CAT", "catalase", [], []),
    ("NCBIGene:999001", "XYZ1", "a gene with an alias that is a symbol", ["CAT"], []),
]


def names() -> pa.Table:
    rows: list[dict[str, object]] = [
        {"id": i, "type": "GENE", "name": n, "full_name": f, "synonyms": s, "previous": p} for i, n, f, s, p in GENES
    ]
    rows.append(
        {
            "id": "MESH:D002374",
            "type": "CHEMICAL",
            "name": "Catalase",
            "full_name": None,
            "synonyms": [],
            "previous": [],
        }
    )
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="module")
def folder() -> OrthologFolder:
    return OrthologFolder(names())


def gene(number: int) -> EntityId:
    return EntityId("NCBIGene", str(number))


@pytest.mark.parametrize("mouse_or_rat", [20511, 29482])
def test_glt_1_of_mouse_and_rat_is_the_human_slc1a2(folder: OrthologFolder, mouse_or_rat: int) -> None:
    assert folder.fold(gene(mouse_or_rat), "GLT-1") == gene(6506)
    assert folder.fold(gene(mouse_or_rat), "Glt1") == gene(6506)
    assert folder.fold(gene(mouse_or_rat), "Slc1a2") == gene(6506)


@pytest.mark.parametrize("text", ["brain-derived neurotrophic factor", "rat BDNF", "Bdnf gene", "Bdnf mRNA"])
def test_full_names_species_words_and_kinds_of_product_do_not_matter(folder: OrthologFolder, text: str) -> None:
    assert folder.fold(gene(24225), text) == gene(627)


def test_greek_letters_are_spelled(folder: OrthologFolder) -> None:
    assert folder.fold(gene(16176), "IL1-β") == gene(3553)


def test_greek_letters_are_written_as_symbols_write_them(folder: OrthologFolder) -> None:
    assert folder.fold(gene(14308), "FSHbeta") == gene(2488)


def test_a_human_gene_stays_even_if_its_mention_names_another(folder: OrthologFolder) -> None:
    assert folder.fold(gene(627), "GLT-1") == gene(627)


def test_what_is_no_gene_stays(folder: OrthologFolder) -> None:
    assert folder.fold(EntityId("MESH", "D002374"), "CAT") == EntityId("MESH", "D002374")


def test_an_alias_of_two_human_genes_folds_nowhere_unless_the_stated_name_decides(folder: OrthologFolder) -> None:
    assert folder.fold(gene(16160), "p40") == gene(16160)
    assert folder.fold(gene(16160), "p40", "Il12b") == gene(3593)


def test_an_official_symbol_goes_before_the_alias_of_another_gene(folder: OrthologFolder) -> None:
    assert folder.fold(gene(12359), "Cat") == gene(847)


def test_a_text_that_no_human_gene_has_folds_nowhere(folder: OrthologFolder) -> None:
    assert folder.fold(gene(1), "unc-13") == gene(1)
    assert folder.fold(gene(1), "--") == gene(1)


def test_all_mentions_of_a_gene_in_a_document_fold_together(folder: OrthologFolder) -> None:
    mentions = (
        Mention(0, 5, "GLT-1", EntityType.GENE, (gene(20511),)),
        Mention(9, 30, "the glutamate carrier", EntityType.GENE, (gene(20511), gene(7))),
        Mention(40, 45, "GLT-1", EntityType.DISEASE, (EntityId("MESH", "D1"),)),
    )
    folded = folder.fold_document_mentions(mentions)
    assert [m.ids for m in folded] == [(gene(6506),), (gene(6506), gene(7)), mentions[2].ids]


def test_plain_names_tables_fold_as_well(tmp_path: Path) -> None:
    (tmp_path / "n.tsv").write_text("id\tname\tsynonyms\nNCBIGene:6506\tSLC1A2\tGLT-1|EAAT2\n", encoding="utf-8")
    table = NamesTable()
    table.load(tmp_path / "n.tsv")
    assert OrthologFolder.from_names(table).fold(gene(20511), "GLT-1") == gene(6506)
