"""The type of an ambiguous name from what a classifier says of each of its places in a document."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.tagging.types import TYPE_COLUMNS
from relvm_kg.types import EntityType

RULE_WEIGHT = 3.0
"""Nats for the type that the dictionary's rule says; tuned on training and development files of BioRED, BC5CDR and NCBI
Disease."""
_LEAST = 1e-6


class AmbiguousName(NamedTuple):
    """A place where a name stands that has several types."""

    document: int
    """A number that all names of its document share."""
    surface: str
    types: tuple[EntityType, ...]
    """What it may be."""
    by_rule: EntityType
    """What it is taken for when nothing but the dictionary is asked."""


def choose_types(names: Sequence[AmbiguousName], probabilities: npt.NDArray[np.float32]) -> list[EntityType]:
    """One type for all places of a name in a document: the likeliest, if places were independent of one another.

    Args:
        names: The places.
        probabilities: What the classifier says of each place. *Shape:* (places, 3)

    >>> gene, disease, _ = EntityType
    >>> names = [AmbiguousName(0, surface, (gene, disease), disease) for surface in ("FUS", "fus")]
    >>> [t.value for t in choose_types(names, np.array([[0.4, 0.6, 0.0], [0.99, 0.01, 0.0]]))]
    ['GENE', 'GENE']
    """
    places: dict[tuple[int, str, tuple[EntityType, ...]], list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        places[name.document, name.surface.lower(), name.types].append(row)
    support = np.log(np.maximum(probabilities, _LEAST).astype(np.float64))
    chosen: dict[int, EntityType] = {}
    for rows in places.values():
        total = support[rows].sum(0)
        name = names[rows[0]]
        total[TYPE_COLUMNS.index(name.by_rule)] += RULE_WEIGHT
        columns = [TYPE_COLUMNS.index(t) for t in name.types]
        chosen.update(dict.fromkeys(rows, name.types[int(total[columns].argmax())]))
    return [chosen[row] for row in range(len(names))]
