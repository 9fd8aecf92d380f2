import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.tagging.automaton import MAX_TOKENS, PhraseTable, hashes_of

WORDS = st.sampled_from([b"", b"a", b"ab", b"b", b"lung", b"cancer", b"\xce\xb1"])


def brute(forms: list[bytes], limits: list[int], keys: list[bytes]) -> list[tuple[int, int, bytes]]:
    """All stretches whose normal forms run together are a key, by trying each."""
    found = []
    for first in range(len(forms)):
        for end in range(min(limits[first], first + MAX_TOKENS), first, -1):
            if forms[first] and forms[end - 1] and b"".join(forms[first:end]) in keys:
                found.append((first, end, b"".join(forms[first:end])))
    return found


@given(st.lists(WORDS, max_size=60), st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=6), st.integers(1, 60))
def test_the_table_finds_what_trying_each_stretch_finds(
    forms: list[bytes], phrases: list[list[bytes]], boundary: int
) -> None:
    keys = sorted({b"".join(phrase) for phrase in phrases} - {b""})
    table = PhraseTable.build(hashes_of(keys))
    limits = [boundary if place < boundary else len(forms) for place in range(len(forms))]
    limits = [min(limit, len(forms)) for limit in limits]
    rows = {int(row): key for key, row in zip(keys, table.rows(hashes_of(keys)), strict=True)}
    found = [(first, end, rows[row]) for first, end, row in table.find(forms, np.array(limits, dtype=np.int64))]
    assert found == brute(forms, limits, keys)


def test_a_text_longer_than_one_running_hash_is_searched_in_parts() -> None:
    forms = [b"word"] * 30_000 + [b"lung", b"cancer"] + [b"word"] * 10
    table = PhraseTable.build(hashes_of([b"lungcancer"]))
    limits = np.full(len(forms), len(forms), dtype=np.int64)
    limits[:20_000] = 20_000
    assert table.find(forms, limits) == [(30_000, 30_002, 0)]


def test_a_name_never_crosses_the_end_of_a_sentence() -> None:
    table = PhraseTable.build(hashes_of([b"lungcancer"]))
    assert table.find([b"lung", b"cancer"], np.array([1, 2])) == []


def test_a_hash_depends_on_the_key_alone() -> None:
    keys = [b"x" * 40_000, b"lung", b"y" * 40_000, b"lung"]
    hashes = hashes_of(keys)
    assert hashes[1] == hashes[3] == hashes_of([b"lung"])[0]


def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="must have at most 65536 bytes, was: 70000"):
        hashes_of([b"x" * 70_000])
