"""The look-up from a pair to the sentences that mention it."""

from bisect import bisect_left
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relvm_kg.corpus.tables import CONTEXTS, MENTIONS, SENTENCES
from relvm_kg.errors import WorkspaceError
from relvm_kg.pairs import pair_keys
from relvm_kg.types import Evidence

IntArray = npt.NDArray[np.int64]
KEYS_FILE = "pair_keys.npy"
ROWS_FILE = "pair_rows.npy"
_Place = tuple[int, int, int]
"""Sentence row, entity, start."""


def write_pair_index(folder: Path) -> None:
    """Write the sorted pair keys of `contexts.parquet` and the context row of each, for `EvidenceIndex`."""
    table = pq.read_table(folder / "contexts.parquet", columns=["head", "tail"])
    keys = pair_keys(table["head"].to_numpy(), table["tail"].to_numpy())
    rows = np.argsort(keys, kind="stable")
    np.save(folder / KEYS_FILE, keys[rows])
    np.save(folder / ROWS_FILE, rows.astype(np.int64))


class EvidenceIndex:
    """Contexts of pairs, found by binary search in a memory-mapped index; the sentences are read when asked for."""

    def __init__(self, folder: Path) -> None:
        """Open the index of a corpus generation.

        Raises:
            WorkspaceError: if the folder holds none.
        """
        try:
            self._keys: npt.NDArray[np.int64] = np.load(folder / KEYS_FILE, mmap_mode="r", allow_pickle=False)
            self._rows: npt.NDArray[np.int64] = np.load(folder / ROWS_FILE, mmap_mode="r", allow_pickle=False)
            self._contexts = pq.ParquetFile(folder / "contexts.parquet")
            self._sentences = pq.ParquetFile(folder / "sentences.parquet")
            self._mentions = pq.ParquetFile(folder / "mentions.parquet")
        except (OSError, ValueError) as error:
            raise WorkspaceError(f"{folder} must hold a corpus: {error}; build the workspace again") from error
        for file, schema in ((self._contexts, CONTEXTS), (self._sentences, SENTENCES), (self._mentions, MENTIONS)):
            if missing := set(schema.names) - set(file.schema_arrow.names):
                raise WorkspaceError(f"{folder} lacks the column {min(missing)!r}; build the workspace again")

    def rows(self, first: int, second: int) -> npt.NDArray[np.int64]:
        """Context rows of a pair of catalogue indices, in either order of mention, rising. *Shape:* (contexts,)."""
        key = pair_keys(np.array([first], dtype=np.int32), np.array([second], dtype=np.int32))[0]
        low, high = np.searchsorted(self._keys, key, side="left"), np.searchsorted(self._keys, key, side="right")
        return np.array(self._rows[low:high])

    def rows_of_many(self, first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
        """Context rows of pairs, one pair after the other, and how many each has. *Shape:* (contexts,), (pairs,)"""
        keys = pair_keys(first, second)
        low, high = (np.searchsorted(self._keys, keys, side=side) for side in ("left", "right"))
        counts = high - low
        begins = np.cumsum(counts) - counts
        places = np.arange(counts.sum()) + np.repeat(low - begins, counts)
        return np.asarray(self._rows[places]), counts

    def evidence(self, first: int, second: int) -> list[tuple[int, Evidence]]:
        """Each context of a pair: its row, and where it stands. `head_span` is that of `first` in either order."""
        rows = self.rows(first, second).tolist()
        contexts = _fetch(self._contexts, rows, CONTEXTS.names)
        sentence_rows = sorted({context["sentence_row"] for context in contexts})
        sentences = dict(zip(sentence_rows, _fetch(self._sentences, sentence_rows, SENTENCES.names), strict=True))
        source_ids = self._source_ids(sentence_rows)
        return [
            (row, _evidence(c, sentences[c["sentence_row"]], first, source_ids))
            for row, c in zip(rows, contexts, strict=True)
        ]

    def _source_ids(self, sentence_rows: list[int]) -> dict[_Place, str]:
        """The source's ids of folded genes in some sentences (rows rising)."""
        found: dict[_Place, str] = {}
        column = self._mentions.schema_arrow.get_field_index("sentence_row")
        wanted = pa.array(sentence_rows, pa.int32())
        for group in range(self._mentions.num_row_groups):
            bounds = self._mentions.metadata.row_group(group).column(column).statistics
            place = bisect_left(sentence_rows, bounds.min)
            if place < len(sentence_rows) and sentence_rows[place] <= bounds.max:
                table = self._mentions.read_row_group(group, columns=MENTIONS.names)
                folded = pc.and_(pc.is_valid(table["source_id"]), pc.is_in(table["sentence_row"], wanted))
                for row in table.filter(folded).to_pylist():
                    found[row["sentence_row"], row["entity"], row["start"]] = row["source_id"]
        return found


def _evidence(context: dict[str, Any], sentence: dict[str, Any], first: int, source_ids: dict[_Place, str]) -> Evidence:
    ends = [
        (
            (context[f"{end}_start"], context[f"{end}_end"]),
            source_ids.get((context["sentence_row"], context[end], context[f"{end}_start"])),
        )
        for end in (("head", "tail") if context["head"] == first else ("tail", "head"))
    ]
    (head_span, head_source), (tail_span, tail_source) = ends
    place = sentence["doc_id"], sentence["sentence_index"], sentence["year"], sentence["text"]
    flags = sentence["simulated"], sentence["retracted"]
    return Evidence(*place, head_span, tail_span, *flags, head_source, tail_source)


def _fetch(file: pq.ParquetFile, rows: list[int], columns: list[str]) -> list[dict[str, Any]]:
    """Rows (rising) of a Parquet file; only the row groups that hold them are read."""
    found: list[dict[str, Any]] = []
    start = position = 0
    for group in range(file.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        inside = position
        while inside < len(rows) and rows[inside] < end:
            inside += 1
        if inside > position:
            table = file.read_row_group(group, columns=columns)
            found += table.take([row - start for row in rows[position:inside]]).to_pylist()
        start, position = end, inside
    return found
