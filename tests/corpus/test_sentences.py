import time

from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus.sentences import rejoin, split_text, tagged_sentences
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage

PIECES = st.sampled_from(
    ["A drug binds", ". ", "? ", " e.g. ", "E. coli", " (P < 0.05)", "\n", " et al. ", "β", "vs. ", "1.5"]
)


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in split_text(text)]


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=20).map("".join)))
def test_sentences_are_in_order_apart_and_hold_every_character_but_blanks(text: str) -> None:
    spans = split_text(text)
    position = 0
    for start, end in spans:
        assert position <= start < end
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


def test_biomedical_abbreviations_do_not_end_a_sentence() -> None:
    whole = [
        "Drugs (e.g. rapamycin) act on mTOR, i.e. they inhibit it.",
        "Smith et al. showed this in mice.",
        "Treated vs. untreated cells differ.",
        "Rats received 5 mg/kg i.v. and later i.p. injections.",
        "Growth of E. coli and L. monocytogenes stopped.",
        "See Fig. 2 for approx. values.",
        "The enzyme (EC 1.1.1.49) is lacking.",
        "It fell by 6.5 mg. l(-1) in all.",
    ]
    for sentence in whole:
        assert pieces(sentence) == [sentence]
    assert pieces(" ".join(whole)) == whole


def test_plain_sentences_come_apart() -> None:
    assert pieces("SOD1 causes ALS. p53 does not.\n\nNothing else?  No!") == [
        "SOD1 causes ALS.",
        "p53 does not.",
        "Nothing else?",
        "No!",
    ]


def test_sentences_end_after_words_that_the_splitter_takes_for_abbreviations() -> None:
    parts = [
        "EAAT2 is lost in cancer.",
        "No difference was found.",
        "The same holds for AD.",
        "Cells were kept for 48 h.",
        "They rested at 37 degrees C.",
        "It needs protein kinase C.",
        "Growth stopped at stage A2.",
        "It is made by neuronal NOS.",
        "Five per cent belonged to Group A.",
        "This is the method of Schultz et al.",
        "We determined the rest.",
        "Genes differ between A and B.",
        "The rest fell by 5 per cent.",
        "Levels were lower at a pressure of 140 mmHg.",
        "Nobody knows how.",
        "[References: 47]",
    ]
    assert pieces(" ".join(parts)) == parts


def test_names_with_initials_and_abbreviated_titles_stay_whole() -> None:
    whole = [
        "This was shown by W. S. Stiles (1977) in J. Biol. Chem. 274, 7907.",
        "It was Martin L. Smith who found Biochem. Genet. 13, 615.",
        "Serovar S. Typhi and the U.S. Food and Drug Administration agree.",
        "Samples came from St. Louis, from Dr. Lutfu Kirdar and from Prof. Jian Liu.",
        "Group B did better vs. Group A (Fig. S4C).",
        "Streptomyces sp. ISO4 and others (e.g. Bid, i.e. Bax) grew.",
    ]
    for sentence in whole:
        assert pieces(sentence) == [sentence]
    assert pieces("1. The efflux rose. A. Scale bars.") == ["1. The efflux rose.", "A. Scale bars."]


def test_splitting_takes_time_in_proportion_to_the_text() -> None:
    for text in (
        "x" * 300_000,
        "A. " * 30_000,
        "e.g." * 50_000,
        ". " * 50_000,
        " " * 300_000,
        "a.A" * 50_000,
        "a vs. " * 50_000,
    ):
        started = time.process_time()
        split_text(text)
        assert time.process_time() - started < 10


def mention(start: int, end: int) -> Mention:
    return Mention(start, end, "", EntityType.GENE, ())


def test_a_mention_that_spans_a_split_rejoins_it() -> None:
    spans = [(0, 10), (11, 20), (21, 30), (31, 40)]
    assert rejoin(spans, [mention(8, 13)]) == [(0, 20), (21, 30), (31, 40)]
    assert rejoin(spans, [mention(8, 25)]) == [(0, 30), (31, 40)]
    assert rejoin(spans, [mention(8, 10), mention(11, 12)]) == spans
    assert rejoin(spans, [mention(108, 122)], offset=100) == [(0, 30), (31, 40)]


@given(st.lists(PIECES, min_size=1, max_size=20).map("".join), st.data())
def test_every_mention_lies_in_exactly_one_sentence(text: str, data: st.DataObject) -> None:
    document_text = text.strip() or "x"
    mentions = []
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(document_text) - 1))
        end = data.draw(st.integers(start + 1, len(document_text)))
        surface = document_text[start:end]
        if surface.strip() == surface:
            mentions.append(Mention(start, end, surface, EntityType.GENE, (EntityId("NCBIGene", "1"),)))
    document = Document("1", None, (Passage("title", 0, document_text),), tuple(mentions))
    sentences = tagged_sentences(document)
    assert sorted(m for s in sentences for m in s.mentions) == sorted(mentions)
    for index, sentence in enumerate(sentences):
        assert sentence.sentence_index == index
        assert document_text[sentence.start : sentence.start + len(sentence.text)] == sentence.text
        assert all(
            sentence.text[m.start - sentence.start : m.end - sentence.start] == m.text for m in sentence.mentions
        )


def test_title_and_abstract_never_share_a_sentence_and_offsets_count_from_the_document() -> None:
    passages = (Passage("title", 0, "No full stop"), Passage("abstract", 13, "Then text. More"))
    assert [(s.start, s.text) for s in tagged_sentences(Document("1", None, passages, ()))] == [
        (0, "No full stop"),
        (13, "Then text."),
        (24, "More"),
    ]
