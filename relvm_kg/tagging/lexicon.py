"""The compiled dictionary: which readings (entities of a type) a name has, as flat arrays on disk.

A folder of `.npy` files, mapped into memory when read, and `lexicon.json`. Nothing is unpacked, so it is there in a
fraction of a second, and forked workers share its pages.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from relvm_kg.errors import InvalidInputError
from relvm_kg.tagging.automaton import PhraseTable, hashes_of
from relvm_kg.tagging.types import TYPE_COLUMNS
from relvm_kg.types import EntityId, EntityType

FORMAT = 1
_ARRAYS = (
    "keys",
    "filter",
    "offsets",
    "entity",
    "kind",
    "spelling",
    "texts",
    "text_ends",
    "id_texts",
    "id_ends",
    "types",
)


class NameKind(IntEnum):
    """How an entity comes by a name; the smaller the better the claim."""

    LEARNED = -1
    """People linked this very form."""
    SYMBOL = 0
    NAME = 1
    SYNONYM = 2
    PROTEIN = 3
    """MeSH calls the gene's product so."""
    PREVIOUS = 4
    VARIANT = 5
    """Made by rule from another name."""


class Reading(NamedTuple):
    """One entity that a stretch of text may stand for."""

    entity: int
    type: EntityType
    kind: NameKind


class Entry(NamedTuple):
    """A name on its way into the lexicon; `spelling` is how a symbol must be written, empty if its case is free."""

    key: bytes
    entity: int
    kind: NameKind
    spelling: str


@dataclass(frozen=True)
class LexiconArrays:
    """The arrays of a lexicon, as they lie on disk.

    Row k of the phrase table has the readings offsets[k] to offsets[k + 1]; of each, `entity` is an index, `kind` a
    NameKind and `spelling` the number of a text (0 the empty one).
    """

    keys: npt.NDArray[np.uint64]
    filter: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int32]
    entity: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    spelling: npt.NDArray[np.int32]
    texts: npt.NDArray[np.uint8]
    text_ends: npt.NDArray[np.int64]
    id_texts: npt.NDArray[np.uint8]
    id_ends: npt.NDArray[np.int64]
    types: npt.NDArray[np.int8]


class Lexicon:
    """Names and their readings."""

    def __init__(self, arrays: LexiconArrays, fingerprint: str) -> None:
        self.arrays = arrays
        self.table = PhraseTable(arrays.keys, arrays.filter)
        self.fingerprint = fingerprint

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map a saved lexicon.

        Raises:
            InvalidInputError: if it is not whole, or of another format.
        """
        try:
            facts = json.loads((folder / "lexicon.json").read_text(encoding="utf-8"))
            loaded = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{folder} must be a whole compiled lexicon; remove it: {error}") from error
        if facts.get("format") != FORMAT:
            raise InvalidInputError(f"a lexicon must have format {FORMAT}, was: {facts.get('format')!r} in {folder}")
        plain = {name: np.asarray(array) for name, array in loaded.items()}
        return cls(LexiconArrays(**plain), str(facts["fingerprint"]))

    def save(self, folder: Path) -> None:
        """Write the lexicon; the folder appears when it is whole, and one that is there already stays."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        partial.chmod(0o755)
        for name in _ARRAYS:
            np.save(partial / f"{name}.npy", getattr(self.arrays, name), allow_pickle=False)
        facts = {"format": FORMAT, "fingerprint": self.fingerprint}
        (partial / "lexicon.json").write_text(json.dumps(facts), encoding="utf-8")
        try:
            partial.rename(folder)
        except OSError:
            shutil.rmtree(partial)
            if not folder.is_dir():
                raise

    @property
    def n_names(self) -> int:
        """How many keys it has."""
        return len(self.arrays.keys)

    def readings(self, row: int) -> list[tuple[Reading, str]]:
        """The readings of a row of the phrase table, each with the spelling that its symbol asks for."""
        first, last = self.arrays.offsets[row : row + 2].tolist()
        result = []
        for place in range(first, last):
            entity = int(self.arrays.entity[place])
            kind = NameKind(int(self.arrays.kind[place]))
            reading = Reading(entity, TYPE_COLUMNS[self.arrays.types[entity]], kind)
            result.append((reading, self._text(int(self.arrays.spelling[place]))))
        return result

    def _text(self, number: int) -> str:
        if number == 0:
            return ""
        ends = self.arrays.text_ends
        return self.arrays.texts[ends[number - 1] : ends[number]].tobytes().decode()

    def id_of(self, entity: int) -> EntityId:
        """The id of an entity by its index."""
        ends = self.arrays.id_ends
        start = int(ends[entity - 1]) if entity else 0
        return EntityId.parse(self.arrays.id_texts[start : ends[entity]].tobytes().decode())


def compile_lexicon(
    entries: Sequence[Entry], ids: Sequence[str], types: Sequence[EntityType], fingerprint: str
) -> Lexicon:
    """The lexicon of some names. Of equal names of an entity the best kind counts.

    Args:
        entries: names; `entity` counts into `ids`.
        ids: CURIEs.
        types: the type of each id.
        fingerprint: what the lexicon was made from, for caches.
    """
    hashes = hashes_of([entry.key for entry in entries])
    spellings, numbers = _numbered([entry.spelling for entry in entries])
    entity = np.fromiter((e.entity for e in entries), dtype=np.int32, count=len(entries))
    kind = np.fromiter((e.kind for e in entries), dtype=np.int8, count=len(entries))
    order = np.lexsort((numbers, kind, entity, hashes))
    hashes, entity, kind, numbers = hashes[order], entity[order], kind[order], numbers[order]
    repeated = np.zeros(len(entries), dtype=bool)
    repeated[1:] = (hashes[1:] == hashes[:-1]) & (entity[1:] == entity[:-1]) & (numbers[1:] == numbers[:-1])
    hashes, entity, kind, numbers = hashes[~repeated], entity[~repeated], kind[~repeated], numbers[~repeated]
    table = PhraseTable.build(hashes)
    starts = np.searchsorted(hashes, table.keys)
    columns = {member: place for place, member in enumerate(TYPE_COLUMNS)}
    texts, text_ends = _packed(spellings)
    id_texts, id_ends = _packed(ids)
    arrays = LexiconArrays(
        keys=table.keys,
        filter=table.filter,
        offsets=np.append(starts, len(hashes)).astype(np.int32),
        entity=entity,
        kind=kind,
        spelling=numbers,
        texts=texts,
        text_ends=text_ends,
        id_texts=id_texts,
        id_ends=id_ends,
        types=np.array([columns[t] for t in types], dtype=np.int8),
    )
    return Lexicon(arrays, fingerprint)


def _numbered(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Distinct texts, the empty one first, and the number of each text among them."""
    numbers = {"": 0}
    coded = [numbers.setdefault(text, len(numbers)) for text in texts]
    return list(numbers), np.array(coded, dtype=np.int32)


def _packed(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Texts as one array of bytes, and where each ends."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), ends
