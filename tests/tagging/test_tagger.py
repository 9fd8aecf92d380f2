from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.corpus.sentences import split_text
from relvm_kg.errors import InvalidInputError
from relvm_kg.tagging.compiled import compile_names
from relvm_kg.tagging.lexicon import Lexicon
from relvm_kg.tagging.tagger import Tagger, TaggerSettings
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage

Span = tuple[int, int]
GENE, DISEASE, CHEMICAL = EntityType


def document(text: str, annotated: tuple[EntityType, ...] = (), mentions: tuple[Mention, ...] = ()) -> Document:
    passage = Passage("abstract", 0, text, tuple(split_text(text)))
    return Document("1", None, (passage,), mentions, annotated=annotated)


def found(tagger: Tagger, text: str) -> list[tuple[str, str]]:
    """The text and ids of each mention."""
    return [(m.text, " ".join(map(str, m.ids))) for m in tagger.tag(document(text)).mentions]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("Riluzole slows it.", [("Riluzole", "MESH:D019782")]),
        ("Loss of EAAT2 and GLT1 was seen.", [("EAAT2", "NCBIGene:6506"), ("GLT1", "NCBIGene:6506")]),
        ("Slc1a2 of mice", [("Slc1a2", "NCBIGene:6506")]),
        ("It was seen. Was it?", []),
        ("TNFα and TNF-alpha rose.", [("TNFα", "NCBIGene:7124"), ("TNF-alpha", "NCBIGene:7124")]),
        ("Cachectin is a protein.", [("Cachectin", "NCBIGene:7124")]),
        ("Tumours and breast cancers", [("Tumours", "MESH:D009369"), ("breast cancers", "MESH:D001943")]),
        ("The disease is rare.", []),
        ("glutamate", [("glutamate", "MESH:D018698")]),
        ("ERK1/2 were active.", [("ERK1/2", "NCBIGene:5595 NCBIGene:5594")]),
        ("in breast and ovarian cancer", [("breast and ovarian cancer", "MESH:D010051 MESH:D001943")]),
        ("cisplatin-induced", [("cisplatin", "MESH:D002945")]),
        ("non-cisplatin", []),
    ],
)
def test_names_are_found_as_text_writes_them(small_tagger: Tagger, text: str, mentions: list[tuple[str, str]]) -> None:
    assert found(small_tagger, text) == mentions


def test_the_longest_name_wins(small_tagger: Tagger) -> None:
    assert found(small_tagger, "ovarian cancer cells") == [("ovarian cancer", "MESH:D010051")]


def test_an_abbreviation_means_what_the_document_defines(small_tagger: Tagger) -> None:
    text = "Ovarian cancer (OC) is treated. OC responds to cisplatin."
    assert [ids for surface, ids in found(small_tagger, text) if surface == "OC"] == ["MESH:D010051"] * 2


def test_an_abbreviation_defined_as_something_else_loses_its_reading(small_tagger: Tagger) -> None:
    assert found(small_tagger, "Riluzole for ALS.")[1:] == []
    assert ("ALS", "MESH:D000690") not in found(small_tagger, "The acid-labile subunit (ALS) binds it. ALS rose.")


def test_a_short_name_needs_a_better_one_beside_it(small_tagger: Tagger) -> None:
    alone = found(small_tagger, "ALS was seen.")
    beside = found(small_tagger, "ALS was seen; amyotrophic lateral sclerosis is rare.")
    assert alone == []
    assert beside[0] == ("ALS", "MESH:D000690")


def test_an_alias_of_several_genes_is_kept_without_an_id(small_names: pa.Table) -> None:
    tagger = Tagger(compile_names(small_names, "t"), TaggerSettings(context=False))
    assert found(tagger, "XYZ4 rose.") == [("XYZ4", "")]


def test_an_alias_of_several_genes_means_the_one_that_the_document_names(small_tagger: Tagger) -> None:
    assert found(small_tagger, "A2M, also called XYZ4, rose.")[1] == ("XYZ4", "NCBIGene:2")


def test_types_that_the_source_annotates_are_left_alone(small_tagger: Tagger) -> None:
    text = "Cisplatin for ovarian cancer."
    given_ = Mention(0, 9, "Cisplatin", CHEMICAL, (EntityId("MESH", "D002945"),))
    tagged = small_tagger.tag(document(text, (CHEMICAL,), (given_,)))
    assert [(m.text, m.tagged) for m in tagged.mentions] == [("Cisplatin", False), ("ovarian cancer", True)]


def test_offsets_count_from_the_start_of_the_document(small_tagger: Tagger) -> None:
    passages = Passage("title", 0, "Riluzole."), Passage("abstract", 10, "It is riluzole.")
    tagged = small_tagger.tag(Document("1", None, passages, ()))
    assert [(m.start, m.end) for m in tagged.mentions] == [(0, 8), (16, 24)]


PIECES = st.sampled_from(
    ["ALS", " (", ") ", "amyotrophic lateral sclerosis", "ovarian", " and ", "breast", " cancer", ". ", "ERK1", "/2",
     " XYZ4", " Riluzole", "TNF", "-", "α", " it", " was", "é", ", ", "\u2003", "\n"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@given(TEXTS)
def test_mentions_match_the_text_lie_in_one_sentence_and_do_not_overlap(small_tagger: Tagger, text: str) -> None:
    mentions = small_tagger.tag(document(text)).mentions
    sentences = split_text(text)
    reach = 0
    for mention in mentions:
        assert mention.text == text[mention.start : mention.end]
        assert mention.tagged
        assert any(start <= mention.start and mention.end <= end for start, end in sentences)
        assert mention.start >= reach
        reach = mention.end


@given(st.lists(TEXTS, max_size=5))
def test_many_documents_are_tagged_as_each_alone(small_tagger: Tagger, texts: list[str]) -> None:
    documents = [document(text) for text in texts]
    assert small_tagger.tag_many(documents) == [small_tagger.tag(one) for one in documents]


class AlwaysDisease:
    """A classifier of one opinion that counts how often it is asked."""

    fingerprint = "always-disease"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def probabilities(self, sentences: Sequence[str], spans: Sequence[Span]) -> npt.NDArray[np.float32]:
        self.asked.append(len(sentences))
        assert all(0 <= start < end <= len(text) for text, (start, end) in zip(sentences, spans, strict=True))
        column = [t is DISEASE for t in EntityType]
        return np.tile(np.array(column, dtype=np.float32), (len(sentences), 1))


@pytest.fixture(scope="module")
def ambiguous_names(small_names: pa.Table) -> pa.Table:
    rows = small_names.to_pylist()
    next(row for row in rows if row["id"] == "MESH:D001943")["synonyms"] = ["EAAT2"]
    return pa.Table.from_pylist(rows, schema=small_names.schema)


def test_the_type_classifier_is_asked_once_for_all_documents(ambiguous_names: pa.Table) -> None:
    classifier = AlwaysDisease()
    tagger = Tagger(compile_names(ambiguous_names, "t"), None, classifier)
    tagged = tagger.tag_many([document("EAAT2 rose."), document("cisplatin"), document("No EAAT2.")])
    assert classifier.asked == [2]
    assert [m.type for one in tagged for m in one.mentions] == [DISEASE, CHEMICAL, DISEASE]


def test_the_fingerprint_tells_settings_and_classifiers_apart(small_names: pa.Table) -> None:
    lexicon = compile_names(small_names, "t")
    fingerprints = {
        Tagger(lexicon).fingerprint,
        Tagger(lexicon, TaggerSettings(abbreviations=False)).fingerprint,
        Tagger(lexicon, None, AlwaysDisease()).fingerprint,
        Tagger(compile_names(small_names, "u")).fingerprint,
    }
    assert len(fingerprints) == 4
    assert Tagger(lexicon).fingerprint == Tagger(lexicon).fingerprint


def test_examples_for_the_type_classifier_say_which_types_a_name_has(ambiguous_names: pa.Table) -> None:
    tagger = Tagger(compile_names(ambiguous_names, "t"))
    examples = list(tagger.type_examples(document("Riluzole and EAAT2.")))
    assert [(e.surface, e.sentence[slice(*e.span)], e.is_ambiguous) for e in examples] == [
        ("Riluzole", "Riluzole", False),
        ("EAAT2", "EAAT2", True),
    ]


def write(names: pa.Table, path: Path) -> None:
    from pyarrow import parquet

    parquet.write_table(names, path)


def test_a_lexicon_comes_back_from_disk_as_it_was(small_names: pa.Table, tmp_path: Path) -> None:
    lexicon = compile_names(small_names, "t")
    lexicon.save(tmp_path / "lexicon")
    loaded = Lexicon.load(tmp_path / "lexicon")
    assert loaded.fingerprint == lexicon.fingerprint
    assert loaded.n_names == lexicon.n_names
    for row in range(lexicon.n_names):
        assert loaded.readings(row) == lexicon.readings(row)
    text = "EAAT2 and cisplatin in breast cancer"
    assert found(Tagger(loaded), text) == found(Tagger(lexicon), text)


def test_a_damaged_lexicon_is_refused_with_what_to_do(small_names: pa.Table, tmp_path: Path) -> None:
    compile_names(small_names, "t").save(tmp_path / "lexicon")
    (tmp_path / "lexicon" / "kind.npy").write_bytes(b"no array")
    with pytest.raises(InvalidInputError, match="must be a whole compiled lexicon; remove it"):
        Lexicon.load(tmp_path / "lexicon")
