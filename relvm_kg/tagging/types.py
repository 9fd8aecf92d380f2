"""What passes between the tagger and a classifier of entity types, which the tagger does not import."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from relvm_kg.types import EntityType

TYPE_COLUMNS: tuple[EntityType, ...] = tuple(EntityType)
"""The order of a type classifier's columns."""

Span = tuple[int, int]


class TypeClassifier(Protocol):
    """Tells from a sentence which type the name at a place in it has."""

    @property
    def fingerprint(self) -> str:
        """A string that changes when the answers may."""

    def probabilities(self, sentences: Sequence[str], spans: Sequence[Span]) -> npt.NDArray[np.float32]:
        """The probability of each type for one place in each sentence.

        Args:
            sentences: one sentence for each place; a sentence with several ambiguous names comes several times.
            spans: start and end of the name in its sentence, in characters.

        Returns:
            (n, 3), columns in the order of `TYPE_COLUMNS`; rows sum to 1.
        """


class TypeExample(NamedTuple):
    """A name in a sentence and the types that the dictionary knows for it; one type makes it an example to learn."""

    doc_id: str
    sentence: str
    span: Span
    surface: str
    types: tuple[EntityType, ...]

    @property
    def is_ambiguous(self) -> bool:
        """Whether the dictionary knows the name with several types."""
        return len(self.types) > 1
