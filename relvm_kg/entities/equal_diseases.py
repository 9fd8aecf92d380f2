"""Ids of diseases that a names catalogue equates with a disease of MeSH.

OMIM and Orphanet name many diseases that MeSH names, too. Text and known relations meet only if both say one id, so a
disease has one: that of MeSH, where the catalogue has the other id as a cross-reference of exactly one disease, that
disease is MeSH's, and the id is no disease of the catalogue itself. All other ids stay as they are.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from relvm_kg.types import Document, EntityId, EntityType

PREFIXES = ("OMIM:", "orphanet:")
COUNTED = "mentions of diseases read as the MeSH disease that their id equals"
NAMES_COLUMNS = ("id", "type", "xrefs")
"""What `equal_diseases` needs of a names catalogue."""


def equal_diseases(names: pa.Table) -> dict[EntityId, EntityId]:
    """The MeSH disease of each OMIM or Orphanet id that means exactly one."""
    claims: dict[str, set[str]] = {}
    known: set[str] = set()
    for entity, kind, xrefs in zip(*(names[name].to_pylist() for name in NAMES_COLUMNS), strict=True):
        if kind == EntityType.DISEASE.value:
            known.add(entity)
            for other in xrefs or ():
                if other.startswith(PREFIXES):
                    claims.setdefault(other, set()).add(entity)
    single = {other: min(owners) for other, owners in claims.items() if len(owners) == 1 and other not in known}
    return {_id(other): _id(owner) for other, owner in single.items() if owner.startswith("MESH:")}


def _id(curie: str) -> EntityId:
    return EntityId(*curie.split(":", 1))


def with_equal_diseases(
    documents: Iterable[tuple[Document, str]], equal: Mapping[EntityId, EntityId], counts: Counter[str]
) -> Iterator[tuple[Document, str]]:
    """Documents, each with its source, whose diseases have MeSH's ids where they equal one; mentions are counted."""
    if not equal:
        yield from documents
        return
    for document, source in documents:
        mentions = tuple(
            m._replace(ids=tuple(dict.fromkeys(equal.get(i, i) for i in m.ids)))
            if m.type is EntityType.DISEASE and any(i in equal for i in m.ids)
            else m
            for m in document.mentions
        )
        relations = tuple(
            r._replace(first=equal.get(r.first, r.first), second=equal.get(r.second, r.second))
            for r in document.relations
        )
        n_changed = sum(new is not old for new, old in zip(mentions, document.mentions, strict=True))
        counts[COUNTED] += n_changed
        yield document._replace(mentions=mentions, relations=relations), source
