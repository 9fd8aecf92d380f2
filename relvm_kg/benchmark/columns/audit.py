"""The leakage audit of the columns: counts that must all be zero."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from relvm_kg.benchmark.columns.pairs import FamilyPairs, fits
from relvm_kg.benchmark.columns.settings import Family, Kind, Stage
from relvm_kg.benchmark.columns.sources import PairSource, share_document
from relvm_kg.errors import InvalidInputError


class ColumnAudit(NamedTuple):
    """Counts of pairs, over both families and all trainings, that would let a classifier see its test."""

    duplicate_pairs: int
    """Unordered pairs that stand in a family more than once."""
    pairs_in_both_families: int
    pairs_in_two_parts: int
    """Rows that a training both learns from and stops on or is scored on."""
    cold_entities_in_training: int
    """Entities that should be cold in a scored or stopping row, with a labelled pair in that training."""
    tests_read_twice: int
    """Test rows that the six trainings score twice in one column."""
    tests_not_read: int
    """Test rows of a column that no training scores."""
    validation_entities_in_test: int
    """Test rows with an entity of the validation group."""
    never_pairs_in_a_document: int
    """Pairs of the never co-mentioned family that a document mentions together."""
    unlabelled_pairs_known: int
    """Unlabelled pairs that a known relation joins."""

    @property
    def is_clean(self) -> bool:
        """Whether all counts are zero."""
        return not any(self)


def audit_columns(families: Mapping[Family, FamilyPairs], source: PairSource) -> ColumnAudit:
    """Count what must not be."""
    keys = {family: pairs.keys for family, pairs in families.items()}
    never = families[Family.NEVER]
    return ColumnAudit(
        duplicate_pairs=sum(len(own) - len(np.unique(own)) for own in keys.values()),
        pairs_in_both_families=len(np.intersect1d(keys[Family.CO_MENTIONED], keys[Family.NEVER])),
        pairs_in_two_parts=sum(_in_two_parts(pairs) for pairs in families.values()),
        cold_entities_in_training=sum(_warm(pairs) for pairs in families.values()),
        tests_read_twice=sum(_read(pairs)[0] for pairs in families.values()),
        tests_not_read=sum(_read(pairs)[1] for pairs in families.values()),
        validation_entities_in_test=sum(
            int((pairs.n_validation_entities[pairs.rows(Stage.TEST, kind)] > 0).sum())
            for pairs in families.values()
            for kind in Kind
        ),
        never_pairs_in_a_document=int(share_document(source.documents, never.heads, never.tails).sum()),
        unlabelled_pairs_known=sum(
            int(np.isin(keys[family][~pairs.positive], source.known_keys).sum()) for family, pairs in families.items()
        ),
    )


def check_columns(families: Mapping[Family, FamilyPairs], source: PairSource) -> ColumnAudit:
    """The audit, if it is clean.

    Raises:
        InvalidInputError: if a count is not zero, with the counts.
    """
    found = audit_columns(families, source)
    if not found.is_clean:
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in found._asdict().items() if count)
        raise InvalidInputError(f"training and test pairs must not overlap, was: {counts}; write the columns again")
    return found


def _in_two_parts(pairs: FamilyPairs) -> int:
    found = 0
    for stage in Stage:
        for fit in fits(pairs, stage):
            learned = pairs.keys[fit.training]
            others = np.concatenate([*fit.stops.values(), *fit.reads.values()])
            found += int(np.isin(pairs.keys[others], learned).sum())
            if stage is Stage.TEST:
                stopped, read = np.concatenate([*fit.stops.values()]), np.concatenate([*fit.reads.values()])
                found += int(np.isin(pairs.keys[stopped], pairs.keys[read]).sum())
    return found


def _warm(pairs: FamilyPairs) -> int:
    """Rows with more entities known to the training than their column says."""
    found = 0
    for stage in Stage:
        for fit in fits(pairs, stage):
            warm = np.union1d(pairs.heads[fit.training], pairs.tails[fit.training])
            for parts in (fit.stops, fit.reads):
                for kind, most in ((Kind.ONE_COLD, 1), (Kind.BOTH_COLD, 0)):
                    rows = parts.get(kind, np.zeros(0, np.int64))
                    n_warm = np.isin(pairs.heads[rows], warm).astype(int) + np.isin(pairs.tails[rows], warm)
                    found += int((n_warm > most).sum())
    return found


def _read(pairs: FamilyPairs) -> tuple[int, int]:
    """Test rows that are scored more than once in a column, and not at all."""
    twice = missing = 0
    for kind in Kind:
        empty = np.zeros(0, np.int64)
        rows = np.concatenate([fit.reads.get(kind, empty) for fit in fits(pairs, Stage.TEST)])
        twice += len(rows) - len(np.unique(rows))
        missing += len(np.setdiff1d(pairs.rows(Stage.TEST, kind), rows))
    return twice, missing
