"""Whether a stretch of text may be a symbol, by its case."""

from itertools import pairwise

from relvm_kg.tagging.normalise import cased
from relvm_kg.tagging.terms import word_list
from relvm_kg.types import EntityType

_SHORTEST_FREE = 4


def may_be(surface: str, spelling: str, entity_type: EntityType) -> bool:
    """Whether a stretch of text, equal to a symbol but for case and separators, may be that symbol.

    Written as in the catalogue it may be, unless it is a well-known abbreviation of something else. Otherwise a symbol
    needs four characters and a digit, or a capital first letter (mouse spelling) and to be no word of running text.

    >>> GENE = EntityType.GENE
    >>> may_be("SLC1A2", "SLC1A2", GENE), may_be("Slc1a2", "SLC1A2", GENE), may_be("Was", "WAS", GENE)
    (True, True, False)
    """
    written = cased(surface)
    if len(written) < 2 or written in word_list("acronyms") or (" " in surface and not _joins_at_digits(surface)):
        return False
    if written == spelling:
        return not written.islower() or (len(written) >= 3 and written not in word_list("lower"))
    if written.lower() != spelling.lower():
        return _is_plural(written, spelling) or (not written.islower() and not written.endswith("s"))
    return _may_be_otherwise(surface, written, entity_type)


def _may_be_otherwise(surface: str, written: str, entity_type: EntityType) -> bool:
    """Whether a symbol may be written in another case than the catalogue's."""
    if len(written) < _SHORTEST_FREE - (entity_type is EntityType.GENE and not written.islower()):
        return False
    if written.lower() in word_list("lower") or (" " in surface and written.islower()):
        return False
    if any(c.isdigit() for c in written):
        return not written.islower() or len(written) >= _SHORTEST_FREE
    return any(c.isupper() for c in written)


def _is_plural(written: str, spelling: str) -> bool:
    """Whether a stretch is a symbol in the plural, its case kept (`NSAIDs`)."""
    return written == f"{spelling}s" and len(spelling) > 1 and spelling[-1].isupper()


def _joins_at_digits(surface: str) -> bool:
    """Whether all blanks stand beside a digit or a Greek letter (`IL 2`, `TNF alpha`)."""
    parts = surface.split(" ")
    return all(
        before[-1:].isdigit() or after[:1].isdigit() or len(after) > 3 or not after.isascii()
        for before, after in pairwise(parts)
    )
