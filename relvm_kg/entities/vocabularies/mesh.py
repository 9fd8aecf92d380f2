"""MeSH's headings and supplementary concepts as diseases and chemicals of the catalogue.

A heading in trees C or F03 is a disease, one in tree D a chemical; one in both (there is one, a disease by its name)
is a disease. A supplementary concept is what its headings are; mapped to headings of both types it is a disease, for
NLM maps rare diseases to the substance and the organ that they concern, but no substance to a disease. NLM's XML
states the class of a supplementary concept, which then settles it.
"""

from collections.abc import Iterable, Mapping

from relvm_kg.entities.names_file import NameRow
from relvm_kg.entities.vocabularies.records import Account, MeshHeading, MeshSupplement
from relvm_kg.types import EntityType

_TREES = {EntityType.DISEASE: ("C", "F03"), EntityType.CHEMICAL: ("D",)}
_CLASSES = {"1": EntityType.CHEMICAL, "3": EntityType.DISEASE}
"""NLM's SCRClass of substances and of rare diseases; protocols (2) go by their headings, organisms (4) are none."""
_NO_ENTITY = frozenset({"4", "5", "6"})


def type_of_trees(tree_numbers: Iterable[str]) -> EntityType | None:
    """The type of a heading by its tree numbers; None outside of diseases and chemicals.

    >>> type_of_trees(["F03.600.300"]).value, type_of_trees(["F01.145"])
    ('DISEASE', None)
    """
    numbers = list(tree_numbers)
    for entity_type, trees in _TREES.items():
        if any(number.startswith(trees) for number in numbers):
            return entity_type
    return None


def heading_rows(headings: Iterable[MeshHeading], account: Account) -> dict[str, NameRow]:
    """Rows of the headings that are diseases or chemicals, by bare id."""
    entries = list(headings)
    typed = {h.ui: kind for h in entries if (kind := type_of_trees(h.tree_numbers)) is not None}
    by_tree = {number: h.ui for h in entries for number in h.tree_numbers}
    rows = {}
    for heading in entries:
        kind = typed.get(heading.ui)
        if kind is None:
            account.add("MeSH headings outside of diseases and chemicals")
            continue
        own = [number for number in heading.tree_numbers if number.startswith(_TREES[kind])]
        broader = [by_tree.get(number.rpartition(".")[0]) for number in own]
        parents = sorted({f"MESH:{ui}" for ui in broader if ui is not None and typed.get(ui) is kind})
        rows[heading.ui] = NameRow(
            id=f"MESH:{heading.ui}",
            type=kind,
            name=heading.name,
            synonyms=heading.synonyms,
            tree_numbers=heading.tree_numbers,
            parents=tuple(p for p in parents if p != f"MESH:{heading.ui}"),
            depth=min(number.count(".") + 1 for number in own),
        )
    return rows


def supplement_row(supplement: MeshSupplement, headings: Mapping[str, NameRow], account: Account) -> NameRow | None:
    """The row of a supplementary concept; None where it is neither disease nor chemical."""
    kind = _type_of_supplement(supplement, headings)
    if kind is None:
        account.add("MeSH supplementary concepts that are neither diseases nor chemicals (organisms, groups ...)")
        return None
    broader = [headings[ui] for ui in supplement.mapped if ui in headings and headings[ui].type is kind]
    depths = [row.depth for row in broader if row.depth is not None]
    return NameRow(
        id=f"MESH:{supplement.ui}",
        type=kind,
        name=supplement.name,
        synonyms=supplement.synonyms,
        parents=tuple(sorted({row.id for row in broader})),
        depth=1 + max(depths) if depths else None,
    )


def _type_of_supplement(supplement: MeshSupplement, headings: Mapping[str, NameRow]) -> EntityType | None:
    if supplement.record_class in _NO_ENTITY:
        return None
    if supplement.record_class in _CLASSES:
        return _CLASSES[supplement.record_class]
    kinds = {headings[ui].type for ui in supplement.mapped if ui in headings}
    return next((kind for kind in (EntityType.DISEASE, EntityType.CHEMICAL) if kind in kinds), None)
