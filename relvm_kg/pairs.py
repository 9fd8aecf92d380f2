"""Unordered pairs of catalogue indices as one integer each, for look-ups and set operations over arrays."""

import numpy as np
import numpy.typing as npt


def pair_keys(first: npt.NDArray[np.integer], second: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """One integer for each unordered pair: the lower index times 2^32, plus the higher. *Shape:* (pairs).

    >>> pair_keys(np.array([2, 1]), np.array([1, 2])).tolist() == [(1 << 32) + 2] * 2
    True
    """
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second).astype(np.int64)
    keys: npt.NDArray[np.int64] = (low << 32) | high
    return keys


def pair_ends(keys: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Lower and higher index of each key. *Shape:* (pairs) each.

    >>> [end.tolist() for end in pair_ends(pair_keys(np.array([7]), np.array([3])))]
    [[3], [7]]
    """
    return keys >> 32, keys & 0xFFFFFFFF
