"""Examples for the type classifier: fair draws, held out by surface and document, the same in any order."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from relvm_kg.classify.type_examples import ExampleSettings, draw_examples, is_telling, surface_key
from relvm_kg.tagging.types import TypeExample
from relvm_kg.types import EntityType

GENE, DISEASE, CHEMICAL = EntityType


def example(doc: int, surface: str, *types: EntityType) -> TypeExample:
    return TypeExample(f"d{doc}", f"{surface} in {doc}", (0, len(surface)), surface, types)


def many(n: int = 900) -> list[TypeExample]:
    kinds = list(EntityType)
    return [example(i % 90, f"{kinds[i % 3].value.lower()}name{i % 61}", kinds[i % 3]) for i in range(n)]


def test_names_with_several_types_and_bare_gene_symbols_teach_nothing() -> None:
    assert not is_telling(example(1, "insulin", GENE, CHEMICAL))
    assert not is_telling(example(1, "PAD", GENE))
    assert is_telling(example(1, "SOD1", GENE))
    assert is_telling(example(1, "COPD", DISEASE))
    drawn = draw_examples([example(1, "PAD", GENE), example(1, "ALS", GENE, DISEASE)], ExampleSettings())
    assert drawn.counts == {"bare gene symbols": 1, "ambiguous": 1}


def test_training_shares_neither_surface_nor_document_with_what_is_held_out() -> None:
    drawn = draw_examples(many(), ExampleSettings(held_out_percent=30))
    assert drawn.training
    assert drawn.held_out
    for part in (lambda e: e.doc_id, lambda e: surface_key(e.surface)):
        assert not {part(e) for e in drawn.training} & {part(e) for e in drawn.held_out}
    assert drawn.counts["candidates"] + drawn.counts["surface or document held out"] == 900


@given(seed=st.integers(0, 5), shuffle=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_draw_does_not_depend_on_the_order(seed: int, shuffle: int) -> None:
    chosen = ExampleSettings(examples=30, for_each_surface=2, held_out_percent=30, seed=seed)
    mixed = many()
    random.Random(shuffle).shuffle(mixed)
    first, second = draw_examples(many(), chosen), draw_examples(mixed, chosen)
    assert first.training == second.training
    assert first.held_out == second.held_out


def test_no_surface_and_no_type_has_more_than_its_share() -> None:
    drawn = draw_examples(many(), ExampleSettings(examples=60, for_each_surface=3))
    for kind in EntityType:
        of_kind = [e.surface for e in drawn.training if e.types == (kind,)]
        assert 0 < len(of_kind) <= 20
        assert max(of_kind.count(surface) for surface in of_kind) <= 3


def test_fewer_mentions_than_wanted_are_all_taken() -> None:
    drawn = draw_examples(many(90), ExampleSettings(for_each_surface=90, held_out_percent=1))
    assert len(drawn.training) + len(drawn.held_out) == drawn.counts["candidates"]


def test_spellings_of_a_name_are_held_out_together() -> None:
    assert surface_key("IL-6") == surface_key("il6")
    assert surface_key("Tumors") == surface_key("tumor")
    assert surface_key("ALS") == "als"
