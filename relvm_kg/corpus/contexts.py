"""The contexts of pairs: a sentence with two mentions replaced by `<ENT>`, as the model reads it."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from relvm_kg.errors import InvalidInputError

ENTITY_TOKEN = "<ENT>"
MAX_TOKENS = 140
"""Longest context, as in the paper."""

_TOKEN = re.compile(
    r"""\d+(?:[.,]\d+)+                                             # 0.05, 1,000
    | [^\W\d_]{1,3}-[^\W_]+(?:[-'’][^\W_]{1,3}(?![^\W_]))*         # up-regulated, il-1β, nf-kappab
    | [^\W_]+(?:[-'’][^\W_]{1,3}(?![^\W_]))*                       # words, numbers, Greek; bcl-2, follow-up, 5-ht
    | [^\w\s] | _                                                # each other character by itself""",
    re.VERBOSE,
)
"""A hyphen stays inside a word beside a short part; longer compounds come apart (`dose`, `-`, `dependent`), as they
must where one part is a masked mention (`<ENT>`, `-`, `dependent`)."""

_LOST_AT_CUTS = 12
"""More than the tokens that four cuts through words can join."""

Span = tuple[int, int]


class EntityMention(NamedTuple):
    """Where a sentence mentions an entity (catalogue index), in characters of the sentence."""

    entity: int
    start: int
    end: int


class PairSpans(NamedTuple):
    """A pair of a sentence: head is mentioned before tail."""

    head: int
    tail: int
    head_span: Span
    tail_span: Span


def tokenize(text: str) -> list[str]:
    """Words, numbers and marks of a text, in lower case.

    >>> tokenize("IL-1β up-regulated p53 (P < 0.05).")
    ['il-1β', 'up-regulated', 'p53', '(', 'p', '<', '0.05', ')', '.']
    """
    return _TOKEN.findall(text.lower())


def context_tokens(text: str, first: Span, second: Span) -> list[str]:
    """Tokens of a text with two stretches (character offsets) replaced by `<ENT>`.

    Raises:
        InvalidInputError: if the stretches overlap or leave the text.

    >>> context_tokens("Riluzole inhibits SOD1-induced death", (18, 22), (0, 8))
    ['<ENT>', 'inhibits', '<ENT>', '-', 'induced', 'death']
    """
    (a, b), (c, d) = sorted((first, second))
    if not 0 <= a < b <= c < d <= len(text):
        raise InvalidInputError(f"two places must lie apart inside the text, were: {first} and {second} of {len(text)}")
    return [*tokenize(text[:a]), ENTITY_TOKEN, *tokenize(text[b:c]), ENTITY_TOKEN, *tokenize(text[d:])]


def is_surely_longer(n_tokens: int, pair: "PairSpans", limit: int) -> bool:
    """Whether the context of a pair has more than `limit` tokens, told from the number of tokens of the whole sentence.

    A mention holds at most as many tokens as characters, and a cut through a word loses no more than a few; so this may
    say no where the context is longer, but never yes where it is not.
    """
    masked = pair.head_span[1] - pair.head_span[0] + pair.tail_span[1] - pair.tail_span[0]
    return n_tokens - masked - _LOST_AT_CUTS > limit


def marked_tokens(text: str, first_marker: str, second_marker: str) -> tuple[list[str], bool]:
    """Tokens of a sentence whose two entities are already masked, such as `@GENE$` and `@DISEASE$`.

    Returns:
        The tokens, and whether the first marker comes before the second.

    Raises:
        InvalidInputError: if a marker is missing.

    >>> marked_tokens("Loss of @GENE$ causes @DISEASE$.", "@GENE$", "@DISEASE$")
    (['loss', 'of', '<ENT>', 'causes', '<ENT>', '.'], True)
    """
    first, second = text.find(first_marker), text.find(second_marker)
    if first < 0 or second < 0:
        raise InvalidInputError(f"a marked sentence must hold {first_marker} and {second_marker}, was: {text!r}")
    spans = (first, first + len(first_marker)), (second, second + len(second_marker))
    return context_tokens(text, *spans), first < second


def sentence_pairs(mentions: Iterable[EntityMention]) -> tuple[list[PairSpans], int]:
    """One row for each pair of distinct entities of a sentence, in order of mention.

    Of an entity that is mentioned several times, the first mention counts that does not overlap the other's.

    Returns:
        The pairs, and the number of pairs left out because all their mentions overlap (composites, nested mentions).
    """
    by_entity: dict[int, list[Span]] = {}
    for mention in sorted(set(mentions), key=lambda m: (m.start, m.end)):
        by_entity.setdefault(mention.entity, []).append((mention.start, mention.end))
    entities = sorted(by_entity)
    pairs: list[PairSpans] = []
    n_overlapping = 0
    for position, first in enumerate(entities):
        for second in entities[position + 1 :]:
            spans = _first_apart(by_entity[first], by_entity[second])
            if spans is None:
                n_overlapping += 1
            elif spans[0] < spans[1]:
                pairs.append(PairSpans(first, second, *spans))
            else:
                pairs.append(PairSpans(second, first, spans[1], spans[0]))
    pairs.sort(key=lambda p: (p.head_span, p.tail_span, p.head, p.tail))
    return pairs, n_overlapping


def _first_apart(first: Sequence[Span], second: Sequence[Span]) -> tuple[Span, Span] | None:
    """The earliest two spans, one of each, that do not overlap; both lists rise."""
    if first[0][1] <= second[0][0] or second[0][1] <= first[0][0]:
        return first[0], second[0]
    apart = [(a, b) for a in first for b in second if a[1] <= b[0] or b[1] <= a[0]]
    return min(apart, key=lambda ab: (ab[0][0] + ab[1][0], min(ab))) if apart else None
