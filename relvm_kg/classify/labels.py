"""Labelled pairs: co-mentioned pairs with and without a known relation, split by the hash of the pair."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from relvm_kg.encoding.split import Split, pair_split
from relvm_kg.errors import NoRelationForTypesError, WorkspaceError
from relvm_kg.pairs import pair_keys
from relvm_kg.types import POSITIVE_RELATIONS, EntityType, Relation, relation_for_types

IntArray = npt.NDArray[np.int64]


def _column(first: EntityType, second: EntityType) -> int:
    try:
        return relation_for_types(first, second).column
    except NoRelationForTypesError:
        return Relation.NO_RELATION.column


RELATION_COLUMNS = np.array([[_column(x, y) for y in EntityType] for x in EntityType], dtype=np.int64)
"""Column of the label that joins two types (places in `EntityType`); 0, NO-RELATION, where none does."""


_HEAD_TYPES = np.array(
    [0, *(list(EntityType).index(relation.argument_types[0]) for relation in POSITIVE_RELATIONS)], dtype=np.int64
)
"""Place of the head's type in `EntityType`, for each column (meaningless for NO-RELATION)."""


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs in the argument order of their label, with the column of that label and whether the relation is known.

    *Shape:* (pairs) each
    """

    heads: IntArray
    tails: IntArray
    columns: IntArray
    positive: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.heads)

    def take(self, chosen: IntArray | npt.NDArray[np.bool_]) -> "LabelledPairs":
        """Some of the pairs."""
        return LabelledPairs(self.heads[chosen], self.tails[chosen], self.columns[chosen], self.positive[chosen])

    def describe(self) -> dict[str, dict[str, int]]:
        """Positives and negatives by label."""
        return {
            relation.value: {
                "positive": int((self.positive & (self.columns == relation.column)).sum()),
                "unlabelled": int((~self.positive & (self.columns == relation.column)).sum()),
            }
            for relation in Relation
            if relation is not Relation.NO_RELATION
        }


def load_comentioned_pairs(folder: Path, types: IntArray, has_text: npt.NDArray[np.bool_]) -> LabelledPairs:
    """All co-mentioned pairs whose types a label joins and whose entities have text; positive = a relation is known.

    A pair without a known relation is unlabelled, which is not the same as false.

    Args:
        folder: A corpus generation.
        types: Place of each entity's type in `EntityType`.
        has_text: Whether an entity has training text.

    Raises:
        WorkspaceError: if no pair is positive, so that there is nothing to learn.
    """
    comentions = pq.read_table(folder / "comentions.parquet", columns=["first", "second"])
    first, second = (np.asarray(comentions[name].to_numpy()).astype(np.int64) for name in ("first", "second"))
    columns = RELATION_COLUMNS[types[first], types[second]]
    kept = (columns > 0) & has_text[first] & has_text[second]
    first, second, columns = first[kept], second[kept], columns[kept]
    turned = types[first] != _HEAD_TYPES[columns]
    first, second = np.where(turned, second, first), np.where(turned, first, second)
    relations = pq.read_table(folder / "relations.parquet", columns=["head", "tail"])
    known_head, known_tail = (np.asarray(relations[name].to_numpy()).astype(np.int64) for name in ("head", "tail"))
    positive = np.isin(pair_keys(first, second), pair_keys(known_head, known_tail))
    if not positive.any():
        raise WorkspaceError(
            "no known relation is co-mentioned in the text; build with --relations that fit the corpus"
        )
    return LabelledPairs(first, second, columns, positive)


def taken_keys(folder: Path, pairs: LabelledPairs) -> IntArray:
    """Keys of all co-mentioned pairs of any split and label, and of all known relations.

    A random negative must be none of them. Test pairs are co-mentioned, so leaving all co-mentioned pairs out says
    nothing of their labels.
    """
    relations = pq.read_table(folder / "relations.parquet", columns=["head", "tail"])
    ends = (np.asarray(relations[name].to_numpy()).astype(np.int64) for name in ("head", "tail"))
    return np.union1d(pair_keys(pairs.heads, pairs.tails), pair_keys(*ends))


def split_pairs(pairs: LabelledPairs, ids: list[str], seed: int) -> dict[Split, LabelledPairs]:
    """The pairs of each split."""
    names = np.asarray(ids)
    splits = pair_split(names[pairs.heads], names[pairs.tails], seed)
    return {split: pairs.take(splits == split) for split in Split}
