import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.entities.orthologs import OrthologFolder
from relvm_kg.errors import InvalidInputError
from relvm_kg.tagging.evaluation import ALL_TYPES, IdView, TypeFigures, blank, evaluate, gold_facts, tag_all
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage

TEXT = "GLT-1 and SOD1 in ALS, with riluzole, in breast and ovarian cancer of rats."


def mention(surface: str, entity_type: EntityType, *curies: str) -> Mention:
    start = TEXT.index(surface)
    ids = tuple(EntityId.parse(curie) for curie in curies)
    return Mention(start, start + len(surface), surface, entity_type, ids)


def document(*mentions: Mention, doc_id: str = "1") -> Document:
    return Document(doc_id, None, (Passage("title", 0, TEXT),), mentions)


GLT1 = mention("GLT-1", EntityType.GENE, "NCBIGene:20511")
SOD1 = mention("SOD1", EntityType.GENE, "NCBIGene:6647")
ALS = mention("ALS", EntityType.DISEASE, "MESH:D000690")
RILUZOLE = mention("riluzole", EntityType.CHEMICAL, "MESH:D019782")
CANCERS = mention("breast and ovarian cancer", EntityType.DISEASE, "MESH:D001943", "MESH:D010051")
RATS = mention("rats", EntityType.DISEASE)
GOLD = document(GLT1, SOD1, ALS, RILUZOLE, CANCERS, RATS)


def row(figures: tuple[TypeFigures, ...], name: str) -> TypeFigures:
    return next(f for f in figures if f.type == name)


def counts(figures: TypeFigures) -> tuple[tuple[int, int, int], ...]:
    scores = (figures.mentions, figures.concept_mentions, figures.concepts)
    return tuple((s.n_hits, s.n_predicted, s.n_gold) for s in scores)


def test_a_perfect_tagger_scores_one_everywhere() -> None:
    for figures in evaluate([GOLD], [GOLD]):
        for score in (figures.mentions, figures.concept_mentions, figures.concepts):
            assert (score.precision, score.recall, score.f1) == (1.0, 1.0, 1.0)
            assert score.f1_interval == (1.0, 1.0)


def test_an_empty_tagger_scores_nothing() -> None:
    predicted = tag_all(lambda d: d, [GOLD])
    assert predicted == [blank(GOLD)]
    for figures in evaluate([GOLD], predicted):
        for score in (figures.mentions, figures.concept_mentions, figures.concepts):
            assert (score.precision, score.recall, score.f1, score.n_predicted) == (0.0, 0.0, 0.0, 0)
            assert score.n_gold > 0


def test_numbers_worked_by_hand() -> None:
    wrong_id = ALS._replace(ids=(EntityId("MESH", "D008171"),))
    part = mention("ovarian cancer", EntityType.DISEASE, "MESH:D010051")
    no_gold_id = RATS._replace(ids=(EntityId("MESH", "D000001"),))
    figures = evaluate([GOLD], [document(wrong_id, part, no_gold_id)], types=[EntityType.DISEASE])
    # gold diseases: ALS, the two cancers in one mention, rats without id
    # spans: ALS and rats hit of 3 predicted, 3 gold; concept mentions: rats left out on both sides, nothing hit;
    # concepts: predicted D008171, D010051, D000001; gold D000690, D001943, D010051
    assert counts(figures[0]) == ((2, 3, 3), (0, 2, 2), (1, 3, 3))
    assert figures[0].concepts.f1 == pytest.approx(1 / 3)
    assert figures[0].mentions.precision == pytest.approx(2 / 3)
    assert figures[0].n_gold_without_id == 1


def test_one_id_of_a_composite_is_enough_for_the_mention_and_half_of_its_concepts() -> None:
    half = CANCERS._replace(ids=(EntityId("MESH", "D010051"),))
    figures = evaluate([document(CANCERS)], [document(half)])
    assert counts(figures[0]) == ((1, 1, 1), (1, 1, 1), (1, 1, 2))


def test_a_mention_of_another_type_is_no_hit() -> None:
    figures = evaluate([GOLD], [document(SOD1._replace(type=EntityType.CHEMICAL))])
    assert row(figures, "GENE").mentions.n_predicted == 0
    assert counts(row(figures, "CHEMICAL"))[0] == (0, 1, 1)
    assert counts(row(figures, ALL_TYPES))[0] == (0, 1, 6)


def test_types_that_the_gold_set_does_not_annotate_say_nothing() -> None:
    figures = evaluate([document(ALS)], [document(ALS, SOD1)])
    assert [f.type for f in figures] == ["DISEASE"]
    assert figures[0].mentions.n_predicted == 1


def test_unlinked_predictions_count_as_mentions_only() -> None:
    figures = evaluate([document(ALS)], [document(ALS._replace(ids=()))])
    assert counts(figures[0]) == ((1, 1, 1), (0, 0, 1), (0, 0, 1))
    assert figures[0].n_predicted_without_id == 1


def test_genes_meet_after_folding_and_not_before(names_folder: OrthologFolder) -> None:
    predicted = document(GLT1._replace(ids=(EntityId("NCBIGene", "6506"),)), SOD1)
    (unfolded,) = evaluate([GOLD], [predicted], types=[EntityType.GENE])
    (folded,) = evaluate([GOLD], [predicted], IdView(folder=names_folder), types=[EntityType.GENE])
    assert unfolded.concepts.n_hits == 1
    assert folded.concepts.n_hits == 2


def test_equal_ids_meet() -> None:
    omim = ALS._replace(ids=(EntityId("OMIM", "105400"),))
    view = IdView(equal={EntityId("OMIM", "105400"): EntityId("MESH", "D000690")})
    assert evaluate([document(omim)], [document(ALS)])[0].concepts.n_hits == 0
    assert evaluate([document(omim)], [document(ALS)], view)[0].concepts.n_hits == 1


def test_gold_facts_count_foreign_folded_and_unknown_concepts(names_folder: OrthologFolder) -> None:
    unfoldable = mention("riluzole", EntityType.GENE, "NCBIGene:999")
    known = {EntityId("NCBIGene", "6506"), EntityId("NCBIGene", "6647")}
    view = IdView(folder=names_folder)
    genes, diseases = gold_facts([document(GLT1, SOD1, unfoldable, ALS, RATS)], known, names_folder, view)
    assert (genes.n_concepts, genes.n_foreign, genes.n_folded, genes.n_unknown) == (3, 2, 1, 1)
    assert (diseases.n_mentions, diseases.n_without_id, diseases.n_concepts, diseases.n_unknown) == (2, 1, 1, 1)


def test_documents_must_be_the_same_ones() -> None:
    with pytest.raises(InvalidInputError, match="the same ones in the same order"):
        evaluate([GOLD], [document(doc_id="2")])


def test_the_bootstrap_draws_documents_and_keeps_to_its_seed() -> None:
    gold = [document(ALS, doc_id=str(i)) for i in range(20)]
    predicted = [d if i % 2 else blank(d) for i, d in enumerate(gold)]
    (first,), (again,) = evaluate(gold, predicted, seed=3), evaluate(gold, predicted, seed=3)
    assert first == again
    low, high = first.concepts.recall_interval
    assert 0.2 <= low < 0.5 < high <= 0.8
    assert first.concepts.precision_interval == (1.0, 1.0)


@given(st.lists(st.sampled_from([GLT1, SOD1, ALS, RILUZOLE, CANCERS, RATS]), unique=True))
def test_a_tagger_that_finds_a_part_of_the_truth_is_never_wrong(found: list[Mention]) -> None:
    for figures in evaluate([GOLD], [document(*found)], n_resamples=0):
        for score in (figures.mentions, figures.concept_mentions, figures.concepts):
            assert score.n_hits == score.n_predicted <= score.n_gold
