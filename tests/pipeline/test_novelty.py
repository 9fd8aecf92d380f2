"""What is news, on a hand-made tree of diseases with hand-made relations."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relvm_kg.corpus.tables import RELATIONS
from relvm_kg.entities.catalogue import Catalogue, write_catalogue
from relvm_kg.entities.collect import CatalogueEntry
from relvm_kg.entities.hierarchy import Place
from relvm_kg.pipeline.facts import PairFacts
from relvm_kg.pipeline.novelty import LeftOut, NovelRule, Novelty
from relvm_kg.types import EntityId, EntityType

NERVOUS = Place(1, 900, ("C10",))
NEURODEGENERATION = Place(2, 77, ("C10.574",))
MND = Place(3, 4, ("C10.574.562",))
ALS = Place(4, 0, ("C10.574.562.250",))
ALS1 = Place(5, 0, (), ("MESH:D000690",), ("C10.574.562.250",))
ALZHEIMER = Place(4, 0, ("C10.574.945.249",))
SARCOMA = Place(4, 39, ("C04.557.450.795",))
NEUROFIBROSARCOMA = Place(6, 0, ("C04.557.450.795.455.500",))
NEOPLASMS = Place(1, 698, ("C04",))
BREAST = Place(3, 10, ("C04.588.180",))
ENTITIES: dict[str, tuple[str, Place | None]] = {
    "als1": ("MESH:C531617", ALS1),
    "als": ("MESH:D000690", ALS),
    "alzheimer": ("MESH:D000544", ALZHEIMER),
    "breast": ("MESH:D001943", BREAST),
    "mnd": ("MESH:D016472", MND),
    "neoplasms": ("MESH:D009369", NEOPLASMS),
    "neurofibrosarcoma": ("MESH:D018319", NEUROFIBROSARCOMA),
    "sarcoma": ("MESH:D012509", SARCOMA),
    "nervous": ("MESH:D009422", NERVOUS),
    "neurodegeneration": ("MESH:D019636", NEURODEGENERATION),
    "SOD1": ("NCBIGene:6647", None),
    "SLC1A2": ("NCBIGene:6506", None),
}
WIDE = {"sarcoma", "neurofibrosarcoma"}
DISEASES = [name for name, (_, place) in ENTITIES.items() if place is not None and name not in WIDE]


class Case:
    """A catalogue with known relations, asked by name."""

    def __init__(self, folder: Path, *known: tuple[str, str], names: bool = True) -> None:
        folder.mkdir(exist_ok=True)
        self.rows = {name: row for row, name in enumerate(sorted(ENTITIES, key=lambda name: ENTITIES[name][0]))}
        entries = [
            CatalogueEntry(
                EntityId.parse(ENTITIES[name][0]),
                EntityType.DISEASE if ENTITIES[name][1] is not None else EntityType.GENE,
                name,
                (),
                1,
                1,
                1,
                (),
            )
            for name in self.rows
        ]
        places = {entity: place for entity, place in ENTITIES.values() if place is not None and names}
        write_catalogue(folder, entries, [0] * len(entries), 1000, places)
        ends = [(self.rows[a], self.rows[b]) for a, b in known]
        rows = [
            {
                "head": head,
                "relation": "DISEASE-GENE",
                "tail": tail,
                "predicates": [],
                "pmids": [],
                "sources": [],
                "co_mentioned": False,
                "simulated": False,
            }
            for head, tail in ends
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=RELATIONS), folder / "relations.parquet")
        self.novelty = Novelty(Catalogue.load(folder), PairFacts(folder))

    def news(self, entity: str, partners: list[str], **rule: bool) -> tuple[set[str], LeftOut]:
        """Which partners are news of an entity, and what was left out."""
        rows = np.array([self.rows[name] for name in partners])
        kept, left_out = self.novelty.select(self.rows[entity], rows, NovelRule(novel=True, **rule))
        return {name for name in partners if self.rows[name] in kept.tolist()}, left_out


def test_what_is_above_and_below_a_known_partner_is_no_news(tmp_path: Path) -> None:
    case = Case(tmp_path, ("als", "SOD1"))
    kept, left_out = case.news("SOD1", DISEASES)
    assert kept == {"alzheimer", "breast"}
    assert left_out == LeftOut(known=1, related=4, general=1)
    kept, left_out = case.news("SOD1", DISEASES, keep_related=True)
    assert kept == {"alzheimer", "breast", "als1", "mnd"}
    assert left_out == LeftOut(known=1, general=3)
    kept, left_out = case.news("SOD1", DISEASES, keep_general=True)
    assert kept == {"alzheimer", "breast", "neoplasms"}
    kept, left_out = case.news("SOD1", DISEASES, keep_general=True, keep_related=True)
    assert (kept, left_out) == (set(DISEASES) - {"als"}, LeftOut(known=1))


def test_it_is_no_news_from_the_other_side_either(tmp_path: Path) -> None:
    case = Case(tmp_path, ("als", "SOD1"))
    for disease in ("mnd", "als1", "als"):
        assert case.news(disease, ["SOD1", "SLC1A2"])[0] == {"SLC1A2"}
    for disease in ("alzheimer", "breast"):
        assert case.news(disease, ["SOD1", "SLC1A2"])[0] == {"SOD1", "SLC1A2"}


@pytest.mark.parametrize("general", ["neoplasms", "nervous", "neurodegeneration"])
def test_a_known_general_term_leaves_what_is_below_it_news(general: str, tmp_path: Path) -> None:
    case = Case(tmp_path, (general, "SOD1"))
    assert case.news("SOD1", DISEASES)[0] == {"als", "als1", "alzheimer", "breast", "mnd"}
    assert case.news("breast", ["SOD1"])[0] == {"SOD1"}
    assert case.news("als", ["SOD1"])[0] == {"SOD1"}


def test_a_known_wide_term_leaves_what_is_below_it_news_but_not_what_is_above(tmp_path: Path) -> None:
    case = Case(tmp_path / "1", ("sarcoma", "SOD1"))
    assert case.news("SOD1", ["sarcoma", "neurofibrosarcoma"])[0] == {"neurofibrosarcoma"}
    case = Case(tmp_path / "2", ("neurofibrosarcoma", "SOD1"))
    assert case.news("SOD1", ["sarcoma", "neurofibrosarcoma"])[0] == set()


def test_whoever_asks_for_a_general_term_gets_its_partners(tmp_path: Path) -> None:
    case = Case(tmp_path, ("als", "SOD1"))
    assert case.news("neoplasms", ["SOD1", "SLC1A2"])[0] == {"SOD1", "SLC1A2"}
    assert case.news("nervous", ["SOD1", "SLC1A2"])[0] == {"SLC1A2"}


def test_without_a_names_catalogue_only_known_pairs_are_no_news(tmp_path: Path) -> None:
    case = Case(tmp_path, ("als", "SOD1"), names=False)
    assert case.news("SOD1", DISEASES) == (set(DISEASES) - {"als"}, LeftOut(known=1))


def test_a_rule_that_is_not_for_news_keeps_everything(tmp_path: Path) -> None:
    case = Case(tmp_path, ("als", "SOD1"))
    rows = np.arange(len(ENTITIES))
    kept, left_out = case.novelty.select(case.rows["SOD1"], rows, NovelRule.of(False))
    assert (kept.tolist(), left_out) == (rows.tolist(), LeftOut())
    assert NovelRule.of(True) == NovelRule(novel=True)


def test_without_a_corpus_only_general_terms_are_no_news(tmp_path: Path) -> None:
    case = Case(tmp_path)
    novelty = Novelty(Catalogue.load(tmp_path), None)
    news = novelty.of(case.rows["SOD1"], np.array([case.rows["als"], case.rows["neoplasms"]]))
    assert not news.known.any()
    assert not news.near_known.any()
    assert news.general.tolist() == [False, True]


def test_partners_are_found_in_both_directions(tmp_path: Path) -> None:
    case = Case(tmp_path, ("als", "SOD1"), ("mnd", "SOD1"), ("als", "SLC1A2"))
    facts = PairFacts(tmp_path)
    rows = case.rows
    assert facts.partners(np.array([rows["SOD1"]])).tolist() == sorted([rows["als"], rows["mnd"]])
    assert facts.partners(np.array([rows["als"], rows["mnd"]])).tolist() == sorted([rows["SOD1"], rows["SLC1A2"]])
    assert facts.partners(np.array([rows["breast"]])).tolist() == []
    assert facts.partners(np.zeros(0, dtype=np.int64)).tolist() == []
