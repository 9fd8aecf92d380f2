import pytest

from relvm_kg.tagging.called import also_called
from relvm_kg.tagging.composites import with_composites
from relvm_kg.tagging.lexicon import NameKind, Reading
from relvm_kg.tagging.matching import Candidate, Sentence
from relvm_kg.types import EntityType

NAMES = {
    "breast cancer": 1,
    "ovarian cancer": 2,
    "lung cancer": 3,
    "cancer": 4,
    "renal toxicity": 5,
    "hepatic toxicity": 6,
}


def readings_of(text: str) -> tuple[Reading, ...]:
    return (Reading(NAMES[text], EntityType.DISEASE, NameKind.NAME),) if text in NAMES else ()


def found(text: str, *surfaces: str) -> list[tuple[str, list[int]]]:
    candidates = []
    for surface in surfaces:
        start = text.index(surface)
        candidates.append(Candidate(start + 10, start + len(surface) + 10, surface, readings_of(surface), 0))
    done = with_composites([Sentence(10, text)], candidates, readings_of)
    assert all(text[c.start - 10 : c.end - 10] == c.surface for c in done)
    return [(c.surface, [c.readings[0].entity, *(part[0].entity for part in c.also)]) for c in done]


@pytest.mark.parametrize("joined", ["breast and ", "breast or ", "breast/", "breast-", "breast and/or "])
def test_two_diseases_with_one_head_are_one_mention_of_both(joined: str) -> None:
    text = f"In {joined}ovarian cancer it is seen."
    assert found(text, "ovarian cancer") == [(f"{joined}ovarian cancer", [2, 1])]


def test_three_diseases_with_one_head() -> None:
    text = "Breast feeding; lung, breast, and ovarian cancer"
    assert found(text, "ovarian cancer") == [("lung, breast, and ovarian cancer", [2, 3, 1])]


def test_words_that_make_no_disease_with_the_head_stay_out() -> None:
    assert found("mouse and ovarian cancer", "ovarian cancer") == [("ovarian cancer", [2])]
    assert found("the and ovarian cancer", "ovarian cancer") == [("ovarian cancer", [2])]


def test_a_candidate_that_the_longer_one_covers_goes() -> None:
    text = "renal and hepatic toxicity"
    other = Candidate(10, 15, "renal", readings_of("cancer"), 0)
    last = Candidate(20, 36, "hepatic toxicity", readings_of("hepatic toxicity"), 0)
    (only,) = with_composites([Sentence(10, text)], [other, last], readings_of)
    assert only.surface == text


def test_every_name_beside_the_catalogues_stands_with_one_disease_only() -> None:
    names = [name.lower() for group in also_called().values() for name in group]
    assert sorted(names) == sorted(set(names))
