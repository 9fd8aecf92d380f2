import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.tagging.normalise import cased, key_of, uninverted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TNF-α", "TNF alpha"),
        ("IL-1β", "IL1beta"),
        ("Alzheimer's disease", "Alzheimer Diseases"),
        ("leukaemia", "leukemias"),
        ("tumours", "tumor"),
        ("Sjögren syndrome", "Sjogren's syndrome"),
        ("metastases", "metastasis"),
        ("BRCA1/2", "BRCA1-2"),
        ("diabetes type II", "diabetes type 2"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(("one", "other"), [("HRAS", "HRA"), ("Kras", "Kra"), ("p53", "p5"), ("mass", "mas")])
def test_different_names_keep_different_keys(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


def test_an_inverted_heading_is_turned_round_unless_its_commas_are_chemistry() -> None:
    assert uninverted("Leukemia, Myeloid, Acute") == "Acute Myeloid Leukemia"
    assert uninverted("1,2-Dichloroethane") == "1,2-Dichloroethane"


@given(st.text(max_size=30), st.text(max_size=30))
def test_keys_of_parts_run_together(one: str, other: str) -> None:
    assert key_of(f"{one} {other}") == key_of(one) + key_of(other)


@given(st.text("ABab12αβ- ", max_size=20))
def test_the_cased_form_differs_from_the_key_in_case_only_where_nothing_is_plural(text: str) -> None:
    assert cased(text).lower().encode() == key_of(text)
