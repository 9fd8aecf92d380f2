"""Token ids of all contexts in one flat memory-mapped array, with the offsets of the rows."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.errors import InvalidInputError
from relvm_kg.workspace import file_sha256, read_json, write_json


class TokenStoreWriter:
    """Writes `tokens.npy` (int32), `offsets.npy` (int64, rows + 1) and `manifest.json` into a new folder."""

    def __init__(self, folder: Path, vocabulary: Vocabulary) -> None:
        self._folder = folder
        self._vocabulary = vocabulary
        folder.mkdir(parents=True)
        self._raw = folder / "tokens.raw"
        self._handle = self._raw.open("wb")
        self._offsets = [0]

    def append(self, tokens: Sequence[str]) -> None:
        """Add one row."""
        self._handle.write(self._vocabulary.encode(tokens).tobytes())
        self._offsets.append(self._offsets[-1] + len(tokens))

    def close(self) -> None:
        """Finish the files; the manifest comes last."""
        self._handle.close()
        n_tokens = self._offsets[-1]
        flat = np.lib.format.open_memmap(self._folder / "tokens.npy", mode="w+", dtype=np.int32, shape=(n_tokens,))
        if n_tokens:
            flat[:] = np.memmap(self._raw, dtype=np.int32, mode="r", shape=(n_tokens,))
            flat.flush()
        self._raw.unlink()
        np.save(self._folder / "offsets.npy", np.asarray(self._offsets, dtype=np.int64))
        hashes = {name: file_sha256(self._folder / name) for name in ("tokens.npy", "offsets.npy")}
        write_json(
            self._folder / "manifest.json",
            {
                "n_rows": len(self._offsets) - 1,
                "n_tokens": n_tokens,
                "n_vocabulary": len(self._vocabulary),
                "sha256": hashes,
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._handle.close()


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
