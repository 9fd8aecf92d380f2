from itertools import permutations

from relvm_kg.corpus.merge import merge_documents
from relvm_kg.corpus.read_log import ReadLog, Rejected
from relvm_kg.corpus.years import YearTable
from relvm_kg.types import Document, DocumentRelation, EntityId, EntityType, Mention, Passage

ALS, EAAT2 = EntityId("MESH", "D000690"), EntityId("NCBIGene", "6506")
TEXT = (Passage("title", 0, "EAAT2 in ALS"),)
GENE = Mention(0, 5, "EAAT2", EntityType.GENE, (EAAT2,))
DISEASE = Mention(9, 12, "ALS", EntityType.DISEASE, (ALS,))


def test_two_copies_become_one_with_the_annotations_of_both_and_duplicates_once() -> None:
    log = ReadLog("merged")
    first = Document("1", None, TEXT, (GENE,), (DocumentRelation("CID", ALS, EAAT2),))
    second = Document("1", 2003, TEXT, (GENE, DISEASE), simulated=True)
    merged = merge_documents([first, second], log)
    assert merged == Document("1", 2003, TEXT, (GENE, DISEASE), (DocumentRelation("CID", ALS, EAAT2),), True)
    assert log.counts == {"copies of a document merged": 1, "duplicate annotations merged": 1}


def test_copies_with_other_text_are_aligned_and_the_order_of_files_does_not_matter() -> None:
    longer = (Passage("title", 0, "[EAAT2 in ALS]"),)
    copies = [
        Document("1", None, TEXT, (GENE,)),
        Document("1", None, longer, (Mention(10, 13, "ALS", EntityType.DISEASE, (ALS,)),)),
        Document("1", None, TEXT, ()),
    ]
    for order in permutations(copies):
        assert merge_documents(order, ReadLog("merged")) == Document("1", None, TEXT, (GENE, DISEASE))


def test_a_mention_that_the_kept_text_lacks_is_rejected() -> None:
    rejected: list[Rejected] = []
    short = Document("1", None, TEXT, ())
    other = Document("1", None, (Passage("title", 0, "X"),), (Mention(0, 1, "X", EntityType.GENE, ()),))
    assert merge_documents([other, short], ReadLog("merged", rejected.append)) == short
    assert [r.reason for r in rejected] == ["mention is not in the text that another copy of the document has"]


def test_years_are_exact_where_known_else_the_median_of_the_nearest() -> None:
    table = YearTable({100: 1980, 101: 1981, 102: 1981, 200: 1999, 201: 2000, 202: 2000, 203: 1970})
    assert table.year("101") == 1981
    assert table.year("103") == 1981
    assert table.year("199") == 1999
    assert table.year("1") == 1981
    assert table.year("PMC12") is None
