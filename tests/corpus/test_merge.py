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
    kept = Document("1", None, TEXT, (DISEASE,))
    other = Document("1", None, (Passage("title", 0, "X"),), (Mention(0, 1, "X", EntityType.GENE, ()),))
    assert merge_documents([other, kept], ReadLog("merged", rejected.append)) == kept
    assert [r.reason for r in rejected] == ["mention is not in the text that another copy of the document has"]


def tagged(mention: Mention) -> Mention:
    return mention._replace(tagged=True)


def test_only_the_newest_medline_record_counts_and_other_sources_beside_it() -> None:
    log = ReadLog("merged")
    old = Document("1", 2001, (Passage("title", 0, "An old and much longer title"),), (), revision=(210003, 7))
    new = Document("1", 2002, TEXT, (), retracted=True, revision=(211298, 1))
    own = Document("1", None, TEXT, (GENE,), annotated=(EntityType.GENE,))
    for order in permutations([old, new, own]):
        merged = merge_documents(order, log)
        assert merged == Document(
            "1", 2002, TEXT, (GENE,), retracted=True, revision=(211298, 1), annotated=(EntityType.GENE,)
        )
    assert merge_documents([old, new], ReadLog("merged")) == new
    assert log.counts["earlier MEDLINE revisions left out"] == 6


def test_a_deleted_medline_record_goes_and_takes_the_document_with_it_if_nothing_else_is_left() -> None:
    log = ReadLog("merged")
    record = Document("1", 2001, TEXT, (), revision=(210003, 7))
    deletion = Document("1", None, (), (), revision=(211298, 1), deleted=True)
    own = Document("1", None, TEXT, (GENE,))
    assert merge_documents([record, deletion], log) is None
    assert merge_documents([deletion], log) is None
    assert merge_documents([record, deletion, own], log) == own
    assert log.counts["deleted MEDLINE records left out"] == 3
    back = record._replace(revision=(211300, 1))
    assert merge_documents([record, deletion, back], log) == back


def test_annotated_copies_choose_the_text_and_raw_ones_do_not() -> None:
    raw = (Passage("title", 0, "EAAT2 in ALS, as raw copies have it"),)
    copies = [
        Document("1", None, raw, (tagged(GENE),)),
        Document("1", None, raw, (tagged(GENE),)),
        Document("1", None, TEXT, (DISEASE,), annotated=(EntityType.DISEASE,)),
    ]
    for order in permutations(copies):
        merged = merge_documents(order, ReadLog("merged"))
        assert merged == Document("1", None, TEXT, (tagged(GENE), DISEASE), annotated=(EntityType.DISEASE,))


def test_tagged_mentions_give_way_to_what_any_source_annotates() -> None:
    log = ReadLog("merged")
    other = EntityId("MESH", "D009369")
    first = Document("1", None, TEXT, (tagged(DISEASE._replace(ids=(other,))), GENE), annotated=(EntityType.GENE,))
    second = Document("1", None, TEXT, (tagged(GENE), DISEASE), annotated=(EntityType.DISEASE,))
    merged = merge_documents([first, second], log)
    assert merged is not None
    assert merged.mentions == (GENE, DISEASE)
    assert merged.annotated == (EntityType.GENE, EntityType.DISEASE)
    assert log.counts["tagged mentions that gave way to annotations"] == 2
    alone = Document("1", None, TEXT, (tagged(GENE), DISEASE), annotated=(EntityType.GENE,))
    assert merge_documents([alone], log) == alone._replace(mentions=(DISEASE,))


def test_a_tagged_mention_gives_way_to_an_annotated_one_of_the_same_place() -> None:
    copies = [Document("1", None, TEXT, (GENE,)), Document("1", None, TEXT, (tagged(GENE._replace(ids=())),))]
    merged = merge_documents(copies, ReadLog("merged"))
    assert merged is not None
    assert merged.mentions == (GENE,)


def test_tagging_of_the_kept_text_counts_and_that_of_another_text_does_not() -> None:
    longer = (Passage("title", 0, "[EAAT2 in ALS]"),)
    elsewhere = Document("1", None, longer, (tagged(Mention(10, 13, "ALS", EntityType.DISEASE, ())),))
    here = Document("1", None, TEXT, (GENE, tagged(DISEASE)))
    merged = merge_documents([elsewhere, here], ReadLog("merged"))
    assert merged is not None
    assert merged.mentions == (GENE, tagged(DISEASE))
    untagged = merge_documents([elsewhere, Document("1", None, TEXT, (GENE,))], ReadLog("merged"))
    assert untagged is not None
    assert untagged.mentions == (GENE, tagged(DISEASE._replace(ids=())))


def test_known_sentences_do_not_make_another_text() -> None:
    split = (TEXT[0]._replace(sentences=((0, 12),)),)
    longest = (Passage("title", 0, "Another title, a good deal longer"),)
    copies = [Document("1", None, TEXT, ()), Document("1", None, split, ()), Document("1", None, longest, ())]
    for order in permutations(copies):
        merged = merge_documents(order, ReadLog("merged"))
        assert merged is not None
        assert merged.passages == split


def test_years_are_exact_where_known_else_the_median_of_the_nearest() -> None:
    table = YearTable({100: 1980, 101: 1981, 102: 1981, 200: 1999, 201: 2000, 202: 2000, 203: 1970})
    assert table.year("101") == 1981
    assert table.year("103") == 1981
    assert table.year("199") == 1999
    assert table.year("1") == 1981
    assert table.year("PMC12") is None
