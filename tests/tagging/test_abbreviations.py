import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.tagging.abbreviations import definitions, is_short_form


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("Amyotrophic lateral sclerosis (ALS) is fatal.", "ALS", "Amyotrophic lateral sclerosis"),
        ("We gave ALS (amyotrophic lateral sclerosis) patients riluzole.", "ALS", "amyotrophic lateral sclerosis"),
        ("the excitatory amino acid transporter 2 [EAAT2] gene", "EAAT2", "excitatory amino acid transporter 2"),
        ("patients with heparin-induced thrombocytopenia (HIT; n = 12)", "HIT", "heparin-induced thrombocytopenia"),
        ("poly(ADP-ribose) polymerase (PARP)", "PARP", "poly(ADP-ribose) polymerase"),
    ],
)
def test_a_definition_is_found_with_its_long_form(text: str, short: str, long: str) -> None:
    assert [(d.short, text[slice(*d.long_span)]) for d in definitions(text)] == [(short, long)]


@pytest.mark.parametrize(
    "text",
    ["It rose (see below).", "in adults (n = 12)", "a dose (5 mg) of it", "in mice (P < 0.05)", "the gene (Fig. 1)"],
)
def test_other_brackets_define_nothing(text: str) -> None:
    assert list(definitions(text)) == []


@given(st.text("ALSals ()[];,", max_size=80))
def test_spans_hold_the_forms_and_the_first_letter_begins_the_long_one(text: str) -> None:
    for found in definitions(text):
        long = text[slice(*found.long_span)]
        assert text[slice(*found.short_span)] == found.short
        assert is_short_form(found.short)
        assert len(long) > len(found.short)
