"""Finds every name of a table in a text: a rolling hash over the words' normal forms, and one sorted array of keys.

The characters of a text have one running hash, from which the hash of any stretch follows by one subtraction and one
multiplication; all stretches that start and end at words are looked up at once. The table is flat arrays, mapped into
memory from disk, so that it is there at once and forked workers share it. With 535,000 keys it searches 5,000 MEDLINE
abstracts a second on a core. A compiled Aho-Corasick automaton (ahocorasick-rs) runs through 8,000, but takes 2.5 s and
390 MB to build in each process, and finds 25 times as much, most of it inside words, which must be thrown away.

Two keys of 64 bits are equal by chance once in some billion abstracts.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

MAX_TOKENS = 24
"""Longest name, in words and marks, separators included."""
FILTER_BITS = 25

_MULTIPLIER = 0x9E3779B97F4A7C15
_MODULUS = 1 << 64
_CHUNK = 1 << 16

UInt64s = npt.NDArray[np.uint64]
Int64s = npt.NDArray[np.int64]


def _powers(base: int, count: int) -> UInt64s:
    values, value = [], 1
    for _ in range(count):
        values.append(value)
        value = value * base % _MODULUS
    return np.array(values, dtype=np.uint64)


_LETTERS: UInt64s = np.random.default_rng(20200924).integers(1, 1 << 63, 256, dtype=np.uint64)
_FORWARD = _powers(_MULTIPLIER, _CHUNK + 1)
_BACKWARD = _powers(pow(_MULTIPLIER, -1, _MODULUS), _CHUNK + 1)


def running_hash(text: bytes) -> UInt64s:
    """The hash of every beginning of a text of at most 65,536 bytes: (len + 1,)."""
    running = np.zeros(len(text) + 1, dtype=np.uint64)
    np.cumsum(_LETTERS[np.frombuffer(text, dtype=np.uint8)] * _FORWARD[: len(text)], out=running[1:])
    return running


def hashes_of(keys: Sequence[bytes]) -> UInt64s:
    """The hash of each key.

    Raises:
        ValueError: if a key is longer than 65,536 bytes.
    """
    result = np.empty(len(keys), dtype=np.uint64)
    position = 0
    while position < len(keys):
        end, size = position, 0
        while end < len(keys) and (size + len(keys[end]) <= _CHUNK):
            size += len(keys[end])
            end += 1
        if end == position:
            raise ValueError(f"a key must have at most {_CHUNK} bytes, was: {len(keys[position])}")
        running = running_hash(b"".join(keys[position:end]))
        bounds = np.concatenate([[0], np.cumsum([len(key) for key in keys[position:end]])])
        result[position:end] = (running[bounds[1:]] - running[bounds[:-1]]) * _BACKWARD[bounds[:-1]]
        position = end
    return result


class PhraseTable:
    """A set of keys that a text is searched for."""

    def __init__(self, keys: UInt64s, filter_: npt.NDArray[np.uint8]) -> None:
        """Take sorted distinct hashes and their filter, as `build` makes them."""
        self.keys = keys
        self.filter = filter_

    @classmethod
    def build(cls, hashes: UInt64s) -> Self:
        """A table of hashes in any order."""
        keys = np.unique(hashes)
        bits = np.zeros(1 << FILTER_BITS, dtype=bool)
        bits[(keys >> np.uint64(64 - FILTER_BITS)).astype(np.int64)] = True
        return cls(keys, np.packbits(bits, bitorder="little"))

    def rows(self, hashes: UInt64s) -> Int64s:
        """The row of each hash in the table, -1 for those that it lacks."""
        if not len(self.keys):
            return np.full(len(hashes), -1, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self.keys, hashes), len(self.keys) - 1)
        return np.where(self.keys[rows] == hashes, rows, -1)

    def find(self, forms: Sequence[bytes], limits: Int64s) -> list[tuple[int, int, int]]:
        """Every stretch of words whose key is in the table.

        Args:
            forms: normal forms of a text's tokens.
            limits: for each token the number of the token before which a name that starts there must end (the end of
                its sentence).

        Returns:
            First token, token after the last, row of the table; in order of the first token, longest first. No stretch
            starts or ends with a separator.
        """
        n_tokens = len(forms)
        sizes = np.fromiter(map(len, forms), dtype=np.int64, count=n_tokens)
        ends = np.cumsum(sizes)
        if not n_tokens or ends[-1] > _CHUNK:
            return self._find_in_halves(forms, limits) if n_tokens > 1 else []
        running = running_hash(b"".join(forms))
        real = np.flatnonzero(sizes)
        first, last = self._stretches(real, limits)
        start = (ends - sizes)[first]
        hashes = (running[ends[last]] - running[start]) * _BACKWARD[start]
        places = hashes >> np.uint64(64 - FILTER_BITS)
        hit = (self.filter[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8)) & 1
        kept = np.flatnonzero(hit)
        rows = self.rows(hashes[kept])
        found = np.flatnonzero(rows >= 0)
        kept, rows = kept[found], rows[found]
        order = np.lexsort((-last[kept], first[kept]))
        kept = kept[order]
        return list(
            zip(first[kept].tolist(), (last[kept] + 1).tolist(), rows[order].tolist(), strict=True),
        )

    @staticmethod
    def _stretches(real: Int64s, limits: Int64s) -> tuple[Int64s, Int64s]:
        """First and last token of every stretch of up to `MAX_TOKENS` tokens that begins and ends with a real one."""
        position = np.arange(len(real))
        ahead = position[:, None] + np.arange(MAX_TOKENS)
        inside = ahead < len(real)
        last = real[np.minimum(ahead, len(real) - 1)]
        first = np.broadcast_to(real[:, None], last.shape)
        fits = inside & (last < limits[real][:, None]) & (last < first + MAX_TOKENS)
        return first[fits], last[fits]

    def _find_in_halves(self, forms: Sequence[bytes], limits: Int64s) -> list[tuple[int, int, int]]:
        """A text too long for one running hash: cut where a sentence ends, else in the middle."""
        middle = len(forms) // 2
        cut = int(limits[middle])
        cut = cut if cut < len(forms) else middle
        before = self.find(forms[:cut], np.minimum(limits[:cut], cut))
        after = self.find(forms[cut:], limits[cut:] - cut)
        return before + [(first + cut, end + cut, row) for first, end, row in after]
