from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from relvm_kg.tagging.compiled import compile_names
from relvm_kg.tagging.tagger import Tagger
from relvm_kg.tagging.type_accuracy import AmbiguousMention, ambiguous_mentions, type_accuracy
from relvm_kg.tagging.types import Span
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage

GENE, DISEASE, CHEMICAL = EntityType.GENE, EntityType.DISEASE, EntityType.CHEMICAL


class SaysGeneBeforeTheWordGene:
    """Gene if the word after the name is `gene`, else disease."""

    fingerprint = "test"

    def probabilities(self, sentences: Sequence[str], spans: Sequence[Span]) -> npt.NDArray[np.float32]:
        genes = [sentence[end:].startswith(" gene") for sentence, (_, end) in zip(sentences, spans, strict=True)]
        return np.array([[0.5, 0.1, 0.4] if gene else [0.1, 0.3, 0.6] for gene in genes], dtype=np.float32)


def mention(sentence: str, truth: EntityType) -> AmbiguousMention:
    return AmbiguousMention(sentence, (0, 4), "PCOS", (GENE, DISEASE), DISEASE, truth)


def test_numbers_worked_by_hand() -> None:
    mentions = [
        mention("PCOS gene", GENE),
        mention("PCOS gene", DISEASE),
        mention("PCOS", DISEASE),
        mention("PCOS", GENE),
    ]
    found = type_accuracy(mentions, SaysGeneBeforeTheWordGene())
    assert found is not None
    assert (found.rule, found.majority, found.classifier) == (0.5, 0.5, 0.5)
    assert found.classifier_by_type == {"GENE": 0.5, "DISEASE": 0.5}
    assert (found.n_mentions, found.n_surfaces, found.by_type) == (4, 1, {"GENE": 2, "DISEASE": 2})


def test_a_type_that_the_name_cannot_have_is_never_chosen() -> None:
    class SaysChemical:
        fingerprint = "test"

        def probabilities(self, sentences: Sequence[str], spans: Sequence[Span]) -> npt.NDArray[np.float32]:
            return np.array([[0.3, 0.1, 0.6]] * len(sentences), dtype=np.float32)

    found = type_accuracy([mention("PCOS", GENE)], SaysChemical())
    assert found is not None
    assert found.classifier == 1.0


def test_without_ambiguous_mentions_or_a_classifier_there_is_nothing_to_tell() -> None:
    assert type_accuracy([], None) is None
    found = type_accuracy([mention("PCOS", GENE)], None)
    assert found is not None
    assert found.classifier is None


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    empty: dict[str, object] = {"full_name": None, "synonyms": [], "previous": [], "xrefs": [], "tree_numbers": []}
    empty |= {"parents": [], "depth": None, "merged": []}
    rows: list[dict[str, object]] = [
        {"id": "NCBIGene:6647", "type": "GENE", "name": "SOD1"} | empty | {"synonyms": ["ALSX"]},
        {"id": "MESH:D000690", "type": "DISEASE", "name": "Amyotrophic Lateral Sclerosis"}
        | empty
        | {"synonyms": ["ALSX"]},
    ]
    types = {"full_name": pa.string(), "depth": pa.int16()}
    lists = ("synonyms", "previous", "xrefs", "tree_numbers", "parents", "merged")
    schema = pa.schema(
        [("id", pa.string()), ("type", pa.string()), ("name", pa.string()), *types.items()]
        + [(name, pa.list_(pa.string())) for name in lists]
    )
    return Tagger(compile_names(pa.Table.from_pylist(rows, schema=schema), "test"))


def test_ambiguous_gold_mentions_are_those_that_the_dictionary_knows_with_several_types(tagger: Tagger) -> None:
    text = "In ALSX we found SOD1. ALSX is rare."
    ids = (EntityId("MESH", "D000690"),)
    mentions = (
        Mention(3, 7, "ALSX", DISEASE, ids),
        Mention(3, 7, "ALSX", DISEASE, ()),
        Mention(17, 21, "SOD1", GENE, ids),
        Mention(23, 27, "ALSX", CHEMICAL, ids),
    )
    (found,) = ambiguous_mentions([Document("1", None, (Passage("title", 0, text),), mentions)], tagger)
    assert (found.sentence, found.span, found.truth) == ("In ALSX we found SOD1.", (3, 7), DISEASE)
    assert set(found.types) == {GENE, DISEASE}


def test_in_a_document_the_places_of_a_name_decide_together() -> None:
    places = [mention("PCOS gene", GENE)] * 3 + [mention("PCOS", GENE)]
    found = type_accuracy([m._replace(doc_id="d") for m in places], SaysGeneBeforeTheWordGene())
    assert found is not None
    assert found.classifier == 0.75
    assert found.classifier_in_document == 1.0
