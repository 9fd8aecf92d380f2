"""The vocabulary: tokens and their ids, with four symbols of its own and `<ENT>` in front."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from relvm_kg.errors import InvalidInputError
from relvm_kg.workspace import read_json, write_json

PAD, UNKNOWN, BEGIN, END, ENTITY = range(5)
SPECIAL_TOKENS = ("<PAD>", "<UNK>", "<BOS>", "<EOS>", "<ENT>")


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids; the first five are `SPECIAL_TOKENS`."""

    tokens: tuple[str, ...]
    counts: tuple[int, ...]
    """How often each token occurs in the training documents' contexts; 0 for the symbols that text does not hold."""

    def __post_init__(self) -> None:
        if self.tokens[: len(SPECIAL_TOKENS)] != SPECIAL_TOKENS:
            raise InvalidInputError(
                f"a vocabulary must start with {SPECIAL_TOKENS}, was: {self.tokens[: len(SPECIAL_TOKENS)]}"
            )
        if len(self.tokens) != len(self.counts) or len(set(self.tokens)) != len(self.tokens):
            raise InvalidInputError("a vocabulary must hold each token once, with one count for each")

    @cached_property
    def ids(self) -> dict[str, int]:
        """Token to id."""
        return {token: index for index, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Sequence[str]) -> npt.NDArray[np.int32]:
        """Ids of tokens, `<UNK>` where there is none.

        >>> build_vocabulary({"binds": 3}, size=10, min_count=1).encode(["<ENT>", "binds", "x"]).tolist()
        [4, 5, 1]
        """
        ids = self.ids
        return np.fromiter((ids.get(token, UNKNOWN) for token in tokens), dtype=np.int32, count=len(tokens))

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Tokens of ids."""
        return [self.tokens[index] for index in ids]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_json(path, {"tokens": self.tokens, "counts": self.counts})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InvalidInputError: if the file is not a vocabulary.
        """
        values = read_json(path)
        if not isinstance(values, dict) or set(values) != {"tokens", "counts"}:
            raise InvalidInputError(f"{path} must hold tokens and counts")
        return cls(tuple(values["tokens"]), tuple(values["counts"]))


def build_vocabulary(counts: Mapping[str, int], size: int, min_count: int) -> Vocabulary:
    """The `size` most frequent tokens (symbols included) that occur at least `min_count` times; ties by spelling.

    Raises:
        InvalidInputError: if the size leaves no room for a token.
    """
    if size <= len(SPECIAL_TOKENS):
        raise InvalidInputError(f"vocabulary size must be above {len(SPECIAL_TOKENS)}, was: {size}")
    kept = sorted((-n, token) for token, n in counts.items() if n >= min_count and token not in SPECIAL_TOKENS)
    kept = kept[: size - len(SPECIAL_TOKENS)]
    special = tuple(counts.get(token, 0) for token in SPECIAL_TOKENS)
    return Vocabulary(SPECIAL_TOKENS + tuple(t for _, t in kept), special + tuple(-n for n, _ in kept))
