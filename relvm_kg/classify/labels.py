"""Labelled pairs: pairs with and without a known relation, split by the hash of the pair."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from relvm_kg.encoding.split import Split, pair_split
from relvm_kg.errors import NoRelationForTypesError, WorkspaceError
from relvm_kg.model.presets import PairScope
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


N_SHUFFLED = 4
"""Unlabelled pairs that stand beside each known pair that was never co-mentioned."""


def load_labelled_pairs(
    folder: Path, types: IntArray, has_text: npt.NDArray[np.bool_], scope: PairScope = PairScope.COMENTIONED
) -> LabelledPairs:
    """Pairs whose types a label joins and whose entities have text; positive = a relation is known.

    A pair without a known relation is unlabelled, which is not the same as false. In the wider scope, each known pair
    that was never co-mentioned brings `N_SHUFFLED` unlabelled ones that were not either: its head beside tails of other
    such pairs, so that how often an entity has known partners says little. Labels of which nothing is known are left
    out: there is nothing to learn of them.

    Args:
        folder: A corpus generation.
        types: Place of each entity's type in `EntityType`.
        has_text: Whether an entity has training text.
        scope: Which pairs.

    Raises:
        WorkspaceError: if no pair is positive, so that there is nothing to learn.
    """
    mentioned = _typed(folder / "comentions.parquet", ("first", "second"), types, has_text)
    known = _typed(folder / "relations.parquet", ("head", "tail"), types, has_text)
    known_keys = pair_keys(known[0], known[1])
    mentioned_keys = pair_keys(mentioned[0], mentioned[1])
    parts = [(*mentioned, np.isin(mentioned_keys, known_keys))]
    if scope is PairScope.WITH_TEXT:
        _, first_of_key = np.unique(known_keys, return_index=True)
        apart = np.sort(first_of_key[~np.isin(known_keys[first_of_key], mentioned_keys)])
        unseen = (known[0][apart], known[1][apart], known[2][apart])
        parts.append((*unseen, np.ones(len(apart), dtype=bool)))
        parts.append(_shuffled(unseen, np.union1d(known_keys, mentioned_keys)))
    pairs = LabelledPairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    if not pairs.positive.any():
        where = "co-mentioned in the text" if scope is PairScope.COMENTIONED else "between two entities with text"
        raise WorkspaceError(f"no known relation is {where}; build with --relations that fit the corpus")
    return pairs.take(np.isin(pairs.columns, pairs.columns[pairs.positive]))


def _typed(
    path: Path, names: tuple[str, str], types: IntArray, has_text: npt.NDArray[np.bool_]
) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs of a table in the argument order of their label, with its column; others are left out."""
    table = pq.read_table(path, columns=list(names))
    first, second = (np.asarray(table[name].to_numpy()).astype(np.int64) for name in names)
    columns = RELATION_COLUMNS[types[first], types[second]]
    kept = (columns > 0) & has_text[first] & has_text[second]
    first, second, columns = first[kept], second[kept], columns[kept]
    turned = types[first] != _HEAD_TYPES[columns]
    return np.where(turned, second, first), np.where(turned, first, second), columns


def _shuffled(
    pairs: tuple[IntArray, IntArray, IntArray], taken: IntArray
) -> tuple[IntArray, IntArray, IntArray, npt.NDArray[np.bool_]]:
    """Heads beside tails of other pairs of the label; those that are `taken` are left out, each pair stands once."""
    _, tails, columns = pairs
    random = np.random.default_rng(0)
    drawn_heads, drawn_tails, drawn_columns = (np.repeat(values, N_SHUFFLED) for values in pairs)
    for column in np.unique(columns).tolist():
        places = drawn_columns == column
        drawn_tails[places] = random.choice(tails[columns == column], size=int(places.sum()))
    keys = pair_keys(drawn_heads, drawn_tails)
    _, first_of_key = np.unique(keys, return_index=True)
    kept = np.sort(first_of_key)
    kept = kept[(drawn_heads[kept] != drawn_tails[kept]) & ~np.isin(keys[kept], taken)]
    return drawn_heads[kept], drawn_tails[kept], drawn_columns[kept], np.zeros(len(kept), dtype=bool)


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
