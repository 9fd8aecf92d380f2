"""Which split a pair of entities belongs to: decided by its two ids and a seed, whatever its label or order."""

import hashlib
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from relvm_kg.errors import InvalidInputError

TEST_PERCENT = 10
VALIDATION_PERCENT = 10


class Split(IntEnum):
    """The three parts of the labelled pairs: 80, 10 and 10 of a hundred."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


def pair_split(first: npt.ArrayLike, second: npt.ArrayLike, seed: int) -> npt.NDArray[np.int8]:
    """The split of each unordered pair, from the SHA-1 of its ids and the seed.

    The same pair is in the same split on every machine, in either order and under any label, and stays there when the
    corpus grows.

    Args:
        first: Id strings (CURIEs). *Shape:* (pairs)
        second: Id strings (CURIEs). *Shape:* (pairs)
        seed: Seed of the split.

    Returns:
        Values of `Split`. *Shape:* (pairs)

    Raises:
        InvalidInputError: if the two are not one-dimensional and of the same length.

    >>> pair_split(["NCBIGene:1", "MESH:D1"], ["MESH:D1", "NCBIGene:1"], seed=0).tolist()
    [2, 2]
    """
    left, right = np.asarray(first, dtype=object), np.asarray(second, dtype=object)
    if left.ndim != 1 or left.shape != right.shape:
        raise InvalidInputError(
            f"the two sides of pairs must be lists of the same length, was: {left.shape} and {right.shape}"
        )
    percent = np.fromiter((_percent(a, b, seed) for a, b in zip(left, right, strict=True)), np.int8, len(left))
    split = np.full(len(left), Split.TRAIN, dtype=np.int8)
    split[percent < TEST_PERCENT + VALIDATION_PERCENT] = Split.VALIDATION
    split[percent < TEST_PERCENT] = Split.TEST
    return split


def _percent(first: str, second: str, seed: int) -> int:
    low, high = sorted((str(first), str(second)))
    digest = hashlib.sha1(f"{seed}|{low}|{high}".encode()).hexdigest()
    return int(digest[:8], 16) % 100
