"""Publication years of PubMed ids, from a table of anchors.

PubMed ids grow with time, so the years of the nearest ids that are known tell the year of one that is not.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from statistics import median_low
from typing import Self

import numpy as np

from relvm_kg.corpus.lines import read_lines
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError

_NEIGHBOURS = 5


class YearTable:
    """Years by PubMed id: as stated, else the median of the nearest ids that are known."""

    def __init__(self, years: dict[int, int]) -> None:
        if not years:
            raise InvalidInputError("a year table must hold at least one PMID with a year")
        pmids = np.fromiter(years, dtype=np.int64, count=len(years))
        order = np.argsort(pmids)
        self._pmids = pmids[order]
        self._years = np.fromiter(years.values(), dtype=np.int64, count=len(years))[order]

    @classmethod
    def load(cls, paths: Sequence[Path]) -> Self:
        """Read tab-separated tables (plain or gzip) whose first two columns are PMID and year; a heading may be there.

        Raises:
            InvalidInputError: if they hold no such row.
        """
        years: dict[int, int] = {}
        for path in paths:
            lines = (line for _, line in read_lines(path, ReadLog(path.name)))
            for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                if len(row) > 1 and _is_number(row[0]) and _is_number(row[1]):
                    years[int(row[0])] = int(row[1])
        return cls(years)

    def year(self, doc_id: str) -> int | None:
        """The year of a document whose id is a PMID; None for other ids.

        >>> YearTable({100: 1990, 110: 1990, 200: 2001}).year("104")
        1990
        """
        if not _is_number(doc_id):
            return None
        pmid = int(doc_id)
        place = int(np.searchsorted(self._pmids, pmid))
        if place < len(self._pmids) and self._pmids[place] == pmid:
            return int(self._years[place])
        low, high = max(0, place - _NEIGHBOURS), place + _NEIGHBOURS
        near = np.argsort(np.abs(self._pmids[low:high] - pmid), kind="stable")[:_NEIGHBOURS]
        return int(median_low(self._years[low:high][near].tolist()))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
