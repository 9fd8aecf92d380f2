"""The split of pairs: order and label do not matter, the seed does."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.encoding.split import Split, pair_split
from relvm_kg.errors import InvalidInputError

IDS = st.from_regex(r"(NCBIGene|MESH):[A-Z0-9]{1,8}", fullmatch=True)


@given(st.lists(st.tuples(IDS, IDS), max_size=30), st.integers(0, 1000))
def test_a_pair_is_in_one_split_whatever_its_order_and_company(pairs: list[tuple[str, str]], seed: int) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    together = pair_split(first, second, seed)
    assert together.dtype == np.int8
    assert together.tolist() == pair_split(second, first, seed).tolist()
    assert together.tolist() == [int(pair_split([a], [b], seed)[0]) for a, b in pairs]


def test_the_split_follows_the_documented_hash() -> None:
    percent = int(hashlib.sha1(b"3|MESH:D1|NCBIGene:1").hexdigest()[:8], 16) % 100
    expected = Split.TEST if percent < 10 else Split.VALIDATION if percent < 20 else Split.TRAIN
    assert pair_split(["NCBIGene:1"], ["MESH:D1"], seed=3)[0] == expected


def test_shares_are_80_10_10_and_seeds_differ() -> None:
    first = [f"NCBIGene:{i}" for i in range(20_000)]
    second = [f"MESH:D{i % 977}" for i in range(20_000)]
    split = pair_split(first, second, seed=0)
    shares = np.bincount(split, minlength=3) / len(split)
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    other = pair_split(first, second, seed=1)
    assert float(np.mean(split == other)) == pytest.approx(0.66, abs=0.02)


def test_sides_of_unequal_length_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"lists of the same length, was: \(2,\) and \(1,\)"):
        pair_split(["A:1", "A:2"], ["B:1"], seed=0)
