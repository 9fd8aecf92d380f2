from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus.contexts import (
    ENTITY_TOKEN,
    EntityMention,
    PairSpans,
    context_tokens,
    is_surely_longer,
    marked_tokens,
    sentence_pairs,
    tokenize,
)
from relvm_kg.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Dose-dependent up-regulation", ["dose", "-", "dependent", "up-regulation"]),
        ("IL-6-induced TGF-β1", ["il-6", "-", "induced", "tgf-β1"]),
        ("p53-dependent bcl-2, 5-HT", ["p53", "-", "dependent", "bcl-2", ",", "5-ht"]),
        ("1,000 mg at 0.05%", ["1,000", "mg", "at", "0.05", "%"]),
        ("Alzheimer's (AD)", ["alzheimer's", "(", "ad", ")"]),
        ("a_b <ENT>", ["a", "_", "b", "<", "ent", ">"]),
        ("ß Ω 日本", ["ß", "ω", "日本"]),
        ("", []),
    ],
)
def test_words_numbers_and_marks(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens


@given(st.text())
def test_tokens_hold_every_character_but_blanks_in_order(text: str) -> None:
    assert "".join(tokenize(text)) == "".join(text.lower().split())


@given(st.text(alphabet="ab -.<>ENT", max_size=40), st.data())
def test_a_context_holds_two_entity_symbols_and_nothing_of_the_masked_text(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
    a, b, c, d = cuts
    if not a < b <= c < d:
        return
    tokens = context_tokens(text, (c, d), (a, b))
    assert tokens == context_tokens(text, (a, b), (c, d))
    assert tokens.count(ENTITY_TOKEN) == 2
    first, second = (i for i, token in enumerate(tokens) if token == ENTITY_TOKEN)
    assert tokens[:first] == tokenize(text[:a])
    assert tokens[first + 1 : second] == tokenize(text[b:c])
    assert tokens[second + 1 :] == tokenize(text[d:])


@given(
    st.lists(
        st.sampled_from(["dose-dep", "dependent", "a-b-", "c", "-", "'", ".", "1", "1.5", " ", "il-6"]), max_size=30
    ),
    st.data(),
)
def test_the_quick_check_for_length_never_drops_a_context_that_fits(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    a, b, c, d = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
    if a < b <= c < d:
        n_context = len(context_tokens(text, (a, b), (c, d)))
        assert not is_surely_longer(len(tokenize(text)), PairSpans(0, 1, (a, b), (c, d)), n_context)


@pytest.mark.parametrize(
    "spans", [((0, 3), (2, 4)), ((0, 3), (0, 3)), ((-1, 2), (3, 4)), ((0, 1), (3, 9)), ((1, 1), (2, 3))]
)
def test_places_that_overlap_or_leave_the_text_are_refused(spans: tuple[tuple[int, int], tuple[int, int]]) -> None:
    with pytest.raises(InvalidInputError, match="must lie apart inside the text"):
        context_tokens("abcdef", *spans)


def test_marked_sentences_of_gad_and_eu_adr() -> None:
    assert marked_tokens("@DISEASE$ is linked to @GENE$-alleles", "@GENE$", "@DISEASE$") == (
        ["<ENT>", "is", "linked", "to", "<ENT>", "-", "alleles"],
        False,
    )
    with pytest.raises(InvalidInputError, match=r"must hold @GENE\$ and @DISEASE\$"):
        marked_tokens("@DISEASE$ only", "@GENE$", "@DISEASE$")


def test_pairs_stand_in_order_of_mention_whatever_the_order_of_entities() -> None:
    mentions = [EntityMention(7, 0, 4), EntityMention(3, 10, 14), EntityMention(5, 20, 24)]
    pairs, n_overlapping = sentence_pairs(reversed(mentions))
    assert pairs == [
        PairSpans(7, 3, (0, 4), (10, 14)),
        PairSpans(7, 5, (0, 4), (20, 24)),
        PairSpans(3, 5, (10, 14), (20, 24)),
    ]
    assert n_overlapping == 0


def test_pairs_of_a_composite_overlap_and_are_counted() -> None:
    composite = [EntityMention(1, 0, 7), EntityMention(2, 0, 7), EntityMention(3, 10, 12)]
    pairs, n_overlapping = sentence_pairs(composite)
    assert [(p.head, p.tail) for p in pairs] == [(1, 3), (2, 3)]
    assert n_overlapping == 1


def test_the_first_mention_that_does_not_overlap_the_others_counts() -> None:
    nested = [EntityMention(1, 0, 20), EntityMention(2, 5, 9), EntityMention(2, 30, 34)]
    pairs, n_overlapping = sentence_pairs(nested)
    assert pairs == [PairSpans(1, 2, (0, 20), (30, 34))]
    assert n_overlapping == 0


MENTIONS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 20), st.integers(1, 6)).map(
        lambda m: EntityMention(m[0], m[1], m[1] + m[2])
    ),
    max_size=8,
)


@given(MENTIONS)
def test_every_pair_is_a_row_or_overlaps_and_the_order_given_does_not_matter(
    mentions: list[EntityMention],
) -> None:
    pairs, n_overlapping = sentence_pairs(mentions)
    entities = {m.entity for m in mentions}
    assert len(pairs) + n_overlapping == len(entities) * (len(entities) - 1) // 2
    assert len({frozenset((p.head, p.tail)) for p in pairs}) == len(pairs)
    for pair in pairs:
        assert pair.head_span[1] <= pair.tail_span[0]
        assert EntityMention(pair.head, *pair.head_span) in mentions
        assert EntityMention(pair.tail, *pair.tail_span) in mentions
        both = product(*([m for m in mentions if m.entity == e] for e in (pair.head, pair.tail)))
        apart = [a.start + b.start for a, b in both if a.end <= b.start or b.end <= a.start]
        assert pair.head_span[0] + pair.tail_span[0] == min(apart)
    assert sentence_pairs(reversed(mentions)) == (pairs, n_overlapping)
