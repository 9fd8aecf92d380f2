"""Groups of entities, and numbers of pairs: decided by ids and a seed alone, on every machine the same."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from relvm_kg.benchmark.columns.settings import N_FOLDS, VALIDATION_ENTITIES_PERCENT, VALIDATION_GROUP
from relvm_kg.benchmark.triples import IntArray

GroupArray = npt.NDArray[np.int8]


def entity_groups(ids: Sequence[str], seed: int) -> GroupArray:
    """The group of each entity: `VALIDATION_GROUP` for a fifth of them, else one of the folds 0 to 4.

    *Shape:* (entities)

    >>> entity_groups(["NCBIGene:6506", "MESH:D000690"], seed=0).tolist()
    [3, 5]
    """
    numbers = (_number(f"{seed}|entity|{name}") for name in ids)
    return np.fromiter((_group(number) for number in numbers), np.int8, len(ids))


def _group(number: int) -> int:
    rest, percent = divmod(number, 100)
    return VALIDATION_GROUP if percent < VALIDATION_ENTITIES_PERCENT else rest % N_FOLDS


def pair_numbers(ids: Sequence[str], first: IntArray, second: IntArray, purpose: str) -> npt.NDArray[np.uint64]:
    """A number for each unordered pair, evenly spread over 64 bits; another purpose gives another number.

    Args:
        ids: CURIE of each catalogue index.
        first: Catalogue indices. *Shape:* (pairs)
        second: Catalogue indices. *Shape:* (pairs)
        purpose: What the number is for, with the seed.
    """
    low, high = np.minimum(first, second).tolist(), np.maximum(first, second).tolist()
    numbers = (_number(f"{purpose}|{ids[a]}|{ids[b]}") for a, b in zip(low, high, strict=True))
    return np.fromiter(numbers, np.uint64, len(low))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha1(text.encode()).digest()[:8], "big")


def cold_rounds(first: GroupArray, second: GroupArray, numbers: npt.NDArray[np.uint64]) -> GroupArray:
    """The round in which a pair is tested cold: the fold of one of its two entities, chosen by the pair's number.

    -1 for pairs with an entity of the validation group, which are never test. *Shape:* (pairs)
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    chosen = np.where(numbers % np.uint64(2) == 0, low, high)
    return np.where(high == VALIDATION_GROUP, -1, chosen).astype(np.int8)
