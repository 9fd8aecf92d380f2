"""Which terms are too general to be news: their place in MeSH says it, and how many documents mention them.

Depth and share of documents alone do not separate them: in 8,312 annotated abstracts Pain (4 deep, 1.6 % of the
documents) and Parkinson Disease (4 deep, 1.6 %) are alike, and so are Disease and Asthma. What separates them is where
they stand and how much stands below them. The numbers were settled on those abstracts, see docs/concepts.md.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.types import EntityType

TYPE_TREES = {EntityType.DISEASE: ("C", "F03"), EntityType.CHEMICAL: ("D",)}
"""Trees of MeSH in which the entities of a type stand; genes stand in none."""
ASPECT_TREES = ("C23", "D26", "D27")
"""Pathological conditions, signs and symptoms; pharmaceutical preparations; chemical actions and uses: what a disease
shows or a chemical is used for, rather than a disease or a chemical."""
ATTRIBUTE_TREES = ("C22.232", "C23.550.288", "C23.550.291")
"""Disease Models, Animal; Disease; attributes of diseases: Syndrome, Chronic Disease, Recurrence."""
MANY_NARROWER = 60
"""Headings below a term from which it is the name of a group (Heart Diseases 193, Steroids 267; Leukemia 41)."""
FEW_NARROWER = 10
"""Headings below a term up to which what is known of it is known of them (Motor Neuron Disease 4; Sarcoma 39)."""
SHALLOW = 1
"""Depth of the headings at the top of a tree (Neoplasms, Lipids)."""
SHALLOW_GROUP = 2
GROUP_SHARE = 0.05
"""Share of documents from which a heading next below the top is too general (Drug-Related Side Effects)."""
ASPECT_SHARE = 0.005
"""Share of documents from which an aspect is too general (Pain, Fever) ..."""
SHALLOW_ASPECT = 3
SHALLOW_ASPECT_SHARE = 0.001
"""... and from which one is that is at most so deep (Death, Fibrosis, Edema)."""


class Generality(StrEnum):
    """Why a term is too general."""

    TOP = "top of a tree"
    GROUP = "name of a large group"
    COMMON = "shallow and in many documents"
    ASPECT = "sign, process or use"


def generality(catalogue: Catalogue, index: int) -> Generality | None:
    """Why an entity is too general; None if it is not, or stands in no tree of its type."""
    trees = TYPE_TREES.get(catalogue.types[index], ())
    numbers = [number for number in catalogue.tree_numbers[index] if number.startswith(trees)]
    depth, share = catalogue.depth(index), float(catalogue.document_share[index])
    if not numbers or depth is None:
        return None
    if depth <= SHALLOW:
        return Generality.TOP
    if catalogue.n_narrower[index] >= MANY_NARROWER:
        return Generality.GROUP
    if depth <= SHALLOW_GROUP and share >= GROUP_SHARE:
        return Generality.COMMON
    return Generality.ASPECT if _is_general_aspect(numbers, depth, share) else None


def _is_general_aspect(numbers: list[str], depth: int, share: float) -> bool:
    if all(number.startswith(ATTRIBUTE_TREES) for number in numbers):
        return True
    often = share >= ASPECT_SHARE or (depth <= SHALLOW_ASPECT and share >= SHALLOW_ASPECT_SHARE)
    return often and all(number.startswith(ASPECT_TREES) for number in numbers)


def too_general(catalogue: Catalogue) -> npt.NDArray[np.bool_]:
    """Which entities are too general. *Shape:* (entities,)"""
    return np.array([generality(catalogue, index) is not None for index in range(len(catalogue))], dtype=bool)


def specific(catalogue: Catalogue) -> npt.NDArray[np.bool_]:
    """Which entities are so narrow that what is known of one is no news of those below it. *Shape:* (entities,)"""
    return ~too_general(catalogue) & (catalogue.n_narrower <= FEW_NARROWER)
