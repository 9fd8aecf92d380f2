from relvm_kg.tagging.error_rows import Cause, ErrorKind, ErrorRow, error_rows
from relvm_kg.tagging.evaluation import AS_GIVEN
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage

TEXT = "ALS and motor neuron disease, pain, SOD1, Pain."
ALS, MND, PAIN = (EntityId("MESH", i) for i in ("D000690", "D016472", "D010146"))
DISEASE = EntityType.DISEASE


def mention(surface: str, *ids: EntityId, entity_type: EntityType = DISEASE) -> Mention:
    start = TEXT.index(surface)
    return Mention(start, start + len(surface), surface, entity_type, ids)


def rows(gold: list[Mention], predicted: list[Mention]) -> list[ErrorRow]:
    documents = [Document("7", None, (Passage("title", 0, TEXT),), tuple(m)) for m in (gold, predicted)]
    return list(error_rows(documents[:1], documents[1:], AS_GIVEN, [DISEASE], {ALS, MND}))


def test_a_truth_without_errors_has_no_rows() -> None:
    assert rows([mention("ALS", ALS)], [mention("ALS", ALS)]) == []


def test_another_id_at_the_same_span_is_missed_and_wrong() -> None:
    missed, wrong = rows([mention("ALS", ALS)], [mention("ALS", MND)])
    assert missed[:7] == (ErrorKind.MISSED, DISEASE, Cause.OTHER_ID, "als", "MESH:D000690", "MESH:D016472", 1)
    assert wrong[:7] == (ErrorKind.WRONG, DISEASE, Cause.OTHER_ID, "als", "MESH:D000690", "MESH:D016472", 1)
    assert missed.example == "7: [[ALS]] and motor neuron disease, pain, SOD1, Pain."


def test_causes_tell_what_the_other_side_has_there() -> None:
    gold = [mention("motor neuron disease", MND), mention("pain", PAIN)]
    predicted = [mention("neuron disease", ALS), mention("SOD1", MND)]
    found = {(row.kind, row.surface): row.cause for row in rows(gold, predicted)}
    assert found == {
        (ErrorKind.MISSED, "pain"): Cause.NOT_IN_CATALOGUE,
        (ErrorKind.WRONG, "neuron disease / motor neuron disease"): Cause.OTHER_SPAN,
    }
    (other_type,) = rows([mention("ALS", ALS)], [mention("ALS", ALS, entity_type=EntityType.GENE)])
    assert other_type.cause is Cause.OTHER_TYPE
    assert [row.cause for row in rows([mention("ALS", ALS)], [mention("ALS")])] == [Cause.NO_ID]


def test_a_concept_counts_once_a_document_with_all_its_mentions() -> None:
    (row,) = rows([], [mention("pain", PAIN), mention("Pain", PAIN)])
    assert (row.surface, row.n_concepts, row.n_mentions, row.cause) == ("pain", 1, 2, Cause.NOTHING)
