"""The leakage audit: counts of pairs that would let a contender see its test in training."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.benchmark.data import BenchmarkData, SplitTriples
from relvm_kg.benchmark.triples import IntArray, Triples
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError
from relvm_kg.pairs import pair_keys


class LeakageAudit(NamedTuple):
    """Counts that must all be zero.

    What a pair split cannot exclude is not counted: sentences of test pairs are in the training text (their labels are
    not), and the entities of test pairs have training labels with others.
    """

    duplicate_triples: int
    """Positive triples that are there more than once."""
    inverse_triples: int
    """Positive triples whose inverse is another positive triple."""
    pairs_in_two_splits: int
    """Unordered pairs, labelled or not, that are in two splits."""
    positives_among_negatives: int
    """Unlabelled pairs that a known relation joins, co-mentioned or not."""
    duplicate_negatives: int
    """Unlabelled pairs that are there more than once."""
    tests_in_validation_filter: int
    """Test pairs that the filter of the validation ranking holds."""

    @property
    def is_clean(self) -> bool:
        """Whether all counts are zero."""
        return not any(self)


def audit(data: BenchmarkData) -> LeakageAudit:
    """Count what must not be."""
    n = data.n_entities
    triples = data.positives.triples
    keys, positives, negatives = triples.keys(n), _pairs(data.positives), _pairs(data.negatives)
    inverse = Triples(triples.tails, triples.relations, triples.heads).keys(n)
    test = positives[data.positives.splits == Split.TEST]
    filtered = data.training_partners.known
    return LeakageAudit(
        duplicate_triples=len(keys) - len(np.unique(keys)),
        inverse_triples=int(np.isin(inverse, keys).sum()),
        pairs_in_two_splits=_in_two_splits(
            np.concatenate([positives, negatives]), np.concatenate([data.positives.splits, data.negatives.splits])
        ),
        positives_among_negatives=int(np.isin(negatives, pair_keys(data.known.heads, data.known.tails)).sum()),
        duplicate_negatives=len(negatives) - len(np.unique(negatives)),
        tests_in_validation_filter=int(np.isin(test, pair_keys(filtered.heads, filtered.tails)).sum()),
    )


def check_leakage(data: BenchmarkData) -> LeakageAudit:
    """The audit, if it is clean.

    Raises:
        InvalidInputError: if a count is not zero, with the counts.
    """
    found = audit(data)
    if not found.is_clean:
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in found._asdict().items() if count)
        raise InvalidInputError(f"training and test pairs must not overlap, was: {counts}; build the workspace again")
    return found


def _pairs(part: SplitTriples) -> IntArray:
    return pair_keys(part.triples.heads, part.triples.tails)


def _in_two_splits(pairs: IntArray, splits: npt.NDArray[np.int8]) -> int:
    distinct = np.unique(np.stack([pairs, splits.astype(np.int64)]), axis=1)[0]
    return len(distinct) - len(np.unique(distinct))
