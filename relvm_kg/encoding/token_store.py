"""Token ids of all contexts in one flat memory-mapped array, with the offsets of the rows."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from relvm_kg.errors import InvalidInputError
from relvm_kg.workspace import file_sha256, read_json, write_json


def write_token_store(
    folder: Path, tokens: Iterable[npt.NDArray[np.int32]], lengths: npt.NDArray[np.int32], n_vocabulary: int
) -> None:
    """Write `tokens.npy` (int32), `offsets.npy` (int64, rows + 1) and, last, `manifest.json` into a new folder.

    Args:
        folder: where to.
        tokens: token ids of all rows one after another, in stretches of any size.
        lengths: number of tokens of each row. *Shape:* (rows)
        n_vocabulary: size of the vocabulary that the ids are of.
    """
    folder.mkdir(parents=True)
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    n_tokens, place = int(offsets[-1]), 0
    flat = np.lib.format.open_memmap(folder / "tokens.npy", mode="w+", dtype=np.int32, shape=(n_tokens,))
    for stretch in tokens:
        flat[place : place + len(stretch)] = stretch
        place += len(stretch)
    if place != n_tokens:
        raise ValueError(f"the rows' lengths must add up to the number of tokens, were: {n_tokens} and {place}")
    flat.flush()
    del flat
    np.save(folder / "offsets.npy", offsets.astype(np.int64))
    hashes = {name: file_sha256(folder / name) for name in ("tokens.npy", "offsets.npy")}
    counts = {"n_rows": len(lengths), "n_tokens": n_tokens, "n_vocabulary": n_vocabulary}
    write_json(folder / "manifest.json", {**counts, "sha256": hashes})


class TokenStore:
    """Rows of token ids, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        """Open a finished store.

        Raises:
            InvalidInputError: if the arrays do not fit the manifest.
        """
        self.manifest = read_json(folder / "manifest.json")
        self.tokens: npt.NDArray[np.int32] = np.load(folder / "tokens.npy", mmap_mode="r", allow_pickle=False)
        self.offsets: npt.NDArray[np.int64] = np.load(folder / "offsets.npy", mmap_mode="r", allow_pickle=False)
        if len(self.offsets) != self.manifest["n_rows"] + 1 or len(self.tokens) != self.manifest["n_tokens"]:
            raise InvalidInputError(
                f"{folder} must hold {self.manifest['n_rows']} rows of {self.manifest['n_tokens']} tokens in all, "
                f"was: {len(self.offsets) - 1} rows of {len(self.tokens)} tokens; build the workspace again"
            )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        return self.tokens[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of tokens of each row."""
        return np.diff(self.offsets)
