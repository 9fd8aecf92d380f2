"""Documents written as PubTator come back as they were, as far as the form can hold them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus.pubtator import document_to_pubtator, read_pubtator
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage

_IDS = {
    EntityType.GENE: EntityId("NCBIGene", "6506"),
    EntityType.DISEASE: EntityId("MESH", "D000690"),
    EntityType.CHEMICAL: EntityId("MESH", "C000002"),
}
_WORDS = st.lists(
    st.sampled_from(["SLC1A2", "ALS", "β-actin", "in", "mice;", "a|b", "tab\there", "a\nb", "5"]), min_size=1
)


@st.composite
def _documents(draw: st.DrawFn) -> Document:
    passages: list[Passage] = []
    mentions: list[Mention] = []
    offset = 0
    for section in draw(
        st.sampled_from([["title"], ["title", "abstract"], ["abstract"], ["title", "methods", "body"]])
    ):
        words = draw(_WORDS)
        text = " ".join(words)
        passages.append(Passage(section, offset, text))
        start = offset
        for word in words:
            if draw(st.booleans()):
                kind = draw(st.sampled_from(list(EntityType)))
                mentions.append(
                    Mention(start, start + len(word), word, kind, draw(st.sampled_from([(), (_IDS[kind],)])))
                )
            start += len(word) + 1
        offset += len(text) + draw(st.integers(1, 3))
    return Document("1234", None, tuple(passages), tuple(mentions))


def _read(text: str) -> tuple[list[Document], ReadLog]:
    log = ReadLog("written")
    return list(read_pubtator(enumerate(text.split("\n"), 1), log)), log


@given(_documents())
def test_mentions_survive_the_round_trip(document: Document) -> None:
    (read,), log = _read(document_to_pubtator(document))
    assert not log.rejected
    breaks = str.maketrans("\t\n", "  ")
    assert [(m.text, m.type, m.ids) for m in read.mentions] == [
        (m.text.translate(breaks), m.type, m.ids) for m in document.mentions
    ]
    text = "\n".join(p.text for p in read.passages)
    assert all(text[m.start : m.end] == m.text for m in read.mentions)


@given(st.lists(_documents(), max_size=3))
def test_documents_follow_one_another(documents: list[Document]) -> None:
    named = [d._replace(doc_id=f"{place}x") for place, d in enumerate(documents)]
    read, log = _read("".join(map(document_to_pubtator, named)))
    assert not log.rejected
    assert [d.doc_id for d in read] == [d.doc_id for d in named]


def test_an_id_that_the_form_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"must hold no tab, line end or '\|', was: 'a\|b'"):
        document_to_pubtator(Document("a|b", None, (), ()))
