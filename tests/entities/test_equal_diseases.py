"""A disease has one id: MeSH's, where the names catalogue equates exactly one."""

from collections import Counter

import pyarrow as pa

from relvm_kg.entities.equal_diseases import equal_diseases, with_equal_diseases
from relvm_kg.types import Document, DocumentRelation, EntityId, EntityType, Mention, Passage

E = EntityId.parse
ROWS: list[dict[str, object]] = [
    {"id": "MESH:C531617", "type": "DISEASE", "xrefs": ["OMIM:105400", "DOID:0060193", "OMIM:1"]},
    {"id": "MESH:D000690", "type": "DISEASE", "xrefs": ["orphanet:803", "OMIM:1", "OMIM:2"]},
    {"id": "OMIM:2", "type": "DISEASE", "xrefs": ["orphanet:154"]},
    {"id": "NCBIGene:6647", "type": "GENE", "xrefs": ["OMIM:147450"]},
]
EQUAL = equal_diseases(pa.Table.from_pylist(ROWS))


def test_an_id_equals_a_mesh_disease_if_it_refers_to_it_alone_and_is_no_disease_itself() -> None:
    assert {E("OMIM:105400"): E("MESH:C531617"), E("orphanet:803"): E("MESH:D000690")} == EQUAL


def test_mentions_and_relations_of_documents_get_the_mesh_id_and_each_id_once() -> None:
    mentions = (
        Mention(0, 3, "ALS", EntityType.DISEASE, (E("OMIM:105400"), E("MESH:C531617"))),
        Mention(4, 8, "SOD1", EntityType.GENE, (E("NCBIGene:6647"),)),
        Mention(9, 12, "XYZ", EntityType.DISEASE, (E("OMIM:1"),)),
    )
    relation = DocumentRelation("Association", E("NCBIGene:6647"), E("OMIM:105400"))
    document = Document("1", None, (Passage("title", 0, "ALS SOD1 XYZ"),), mentions, (relation,))
    counts: Counter[str] = Counter()
    ((changed, source),) = with_equal_diseases([(document, "f")], EQUAL, counts)
    assert [m.ids for m in changed.mentions] == [(E("MESH:C531617"),), (E("NCBIGene:6647"),), (E("OMIM:1"),)]
    assert changed.relations == (relation._replace(second=E("MESH:C531617")),)
    assert source == "f"
    assert sum(counts.values()) == 1


def test_without_names_a_document_stays_the_same() -> None:
    document = Document("1", None, (Passage("title", 0, "ALS"),), ())
    assert list(with_equal_diseases([(document, "f")], {}, Counter())) == [(document, "f")]
