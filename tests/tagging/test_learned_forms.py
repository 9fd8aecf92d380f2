import pyarrow as pa

from relvm_kg.tagging.evaluation import AS_GIVEN, blank
from relvm_kg.tagging.exact import ExactTagger
from relvm_kg.tagging.learned import LearnedForm, learn_forms
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage

ALS, PAIN = EntityId("MESH", "D000690"), EntityId("MESH", "D010146")
DISEASE = EntityType.DISEASE


def document(doc_id: str, text: str, *marked: tuple[str, tuple[EntityId, ...]]) -> Document:
    mentions = [
        Mention(text.index(surface), text.index(surface) + len(surface), surface, DISEASE, ids)
        for surface, ids in marked
    ]
    return Document(doc_id, None, (Passage("title", 0, text),), tuple(mentions))


def learnt(*documents: Document, left_out: tuple[str, ...] = ()) -> tuple[LearnedForm, ...]:
    return learn_forms(documents, AS_GIVEN, {ALS, PAIN}, left_out)


def test_a_form_is_learned_with_its_counts() -> None:
    one = document("1", "Motor neurone loss in mice.", ("Motor neurone loss", (ALS,)))
    two = document("2", "Motor neurone loss, Motor neurone loss.", ("Motor neurone loss", (ALS,)))
    assert learnt(one, two) == (LearnedForm("Motor neurone loss", DISEASE, ALS, 2, 3),)


def test_a_form_that_annotators_mostly_leave_alone_is_not_learned() -> None:
    text = "aches and aches and aches, ALS"
    assert learnt(document("1", text, ("aches", (PAIN,)), ("ALS", (ALS,)))) == (LearnedForm("ALS", DISEASE, ALS, 1, 1),)


def test_text_that_does_not_annotate_the_type_says_nothing_of_a_form() -> None:
    plain = document("2", "aches and aches and aches")
    assert learnt(document("1", "aches", ("aches", (PAIN,))), plain)[0].n_occurrences == 1


def test_a_form_of_two_ids_is_learned_only_if_most_mentions_agree() -> None:
    given = [document(str(i), "sclerosis", ("sclerosis", (ALS if i else PAIN,))) for i in range(4)]
    assert learnt(*given)[0].n_mentions == 3
    assert learnt(*given[:3]) == ()


def test_composites_unlinked_mentions_and_ids_without_a_name_teach_nothing() -> None:
    unknown = EntityId("MESH", "D999999")
    given = document("1", "aa bb cc", ("aa", (ALS, PAIN)), ("bb", ()), ("cc", (unknown,)))
    assert learnt(given) == ()


def test_documents_of_the_test_are_left_out_and_copies_count_once() -> None:
    one = document("1", "pangs", ("pangs", (PAIN,)))
    assert learnt(one, left_out=("1",)) == ()
    assert learnt(one, one)[0].n_mentions == 1


def names() -> pa.Table:
    rows: list[dict[str, object]] = [
        {"id": "MESH:D000690", "type": "DISEASE", "name": "Amyotrophic Lateral Sclerosis", "full_name": None}
        | {"synonyms": ["ALS", "lateral sclerosis"], "previous": []},
        {"id": "NCBIGene:3482", "type": "GENE", "name": "IGFALS", "full_name": "insulin like growth factor subunit"}
        | {"synonyms": [], "previous": ["ALS"]},
    ]
    return pa.Table.from_pylist(rows)


def test_the_floor_finds_the_longest_exact_name() -> None:
    text = "Amyotrophic Lateral Sclerosis, lateral sclerosis, als, xALS; IGFALS"
    found = ExactTagger(names()).tag(document("1", text)).mentions
    assert [m.text for m in found] == ["Amyotrophic Lateral Sclerosis", "lateral sclerosis", "IGFALS"]
    assert all(text[m.start : m.end] == m.text and m.tagged for m in found)


def test_the_floor_takes_a_synonym_before_a_previous_name_and_leaves_annotated_types_alone() -> None:
    given = document("1", "ALS")
    assert [m.ids for m in ExactTagger(names()).tag(given).mentions] == [(ALS,)]
    assert ExactTagger(names()).tag(blank(given)._replace(annotated=(DISEASE,))).mentions == ()


def test_the_floor_without_case_finds_more() -> None:
    found = ExactTagger(names(), any_case=True).tag(document("1", "als, igfals")).mentions
    assert [m.text for m in found] == ["als", "igfals"]
