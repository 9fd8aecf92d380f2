"""One way to read ids: annotated files, relation files and what people type all pass through here.

An id is canonical when it is a CURIE with a Biolink prefix: `NCBIGene:6506`, `MESH:D000690`, `OMIM:105400`.
"""

import re
from functools import lru_cache

from relvm_kg.errors import InvalidInputError
from relvm_kg.types import EntityId, EntityType

_PREFIXES = {
    "ncbigene": "NCBIGene",
    "entrezgene": "NCBIGene",
    "geneid": "NCBIGene",
    "mesh": "MESH",
    "omim": "OMIM",
    "mim": "OMIM",
    "chebi": "CHEBI",
    "hgnc": "HGNC",
    "doid": "DOID",
    "mondo": "MONDO",
    "hp": "HP",
    "umls": "UMLS",
    "orphanet": "orphanet",
    "orpha": "orphanet",
    "uniprotkb": "UniProtKB",
    "ensembl": "ENSEMBL",
    "drugbank": "DRUGBANK",
    "chembl.compound": "CHEMBL.COMPOUND",
    "pubchem.compound": "PUBCHEM.COMPOUND",
}
_LOCALS = {
    "NCBIGene": re.compile(r"[1-9]\d*"),
    "MESH": re.compile(r"[CD]\d{3,}"),
    "OMIM": re.compile(r"\d{3,}"),
    "CHEBI": re.compile(r"\d+"),
    "HGNC": re.compile(r"\d+"),
}
_TYPES = {
    "NCBIGene": (EntityType.GENE,),
    "HGNC": (EntityType.GENE,),
    "MESH": (EntityType.DISEASE, EntityType.CHEMICAL),
    "OMIM": (EntityType.DISEASE,),
    "CHEBI": (EntityType.CHEMICAL,),
}
_BARE = re.compile(r"(?P<mesh>[CDcd]\d{3,})|(?P<number>\d+)")
_SEPARATORS = re.compile(r"[|;,+]")
_MISSING = frozenset({"", "-", "-1"})
_TAXON = re.compile(r"\(Tax:\d+\)$")


@lru_cache(maxsize=1 << 16)
def canonical_id(text: str, entity_type: EntityType) -> EntityId:
    """The CURIE of an id in any of the forms that public files use.

    A bare number is an NCBI gene or an OMIM disease, a bare `D` or `C` and digits a MeSH disease or chemical. A leading
    `*` and PubTator's `(Tax:9606)` are dropped.

    Raises:
        InvalidInputError: if it is no id, or not one of that type.

    >>> str(canonical_id("6506(Tax:9606)", EntityType.GENE)), str(canonical_id("D000690", EntityType.DISEASE))
    ('NCBIGene:6506', 'MESH:D000690')
    """
    bare = _TAXON.sub("", text.strip().lstrip("*").strip())
    match = _BARE.fullmatch(bare)
    if match is None:
        found = EntityId.parse(bare)
        prefix = _PREFIXES.get(found.prefix.lower(), found.prefix)
        local = found.local
    elif match["mesh"]:
        prefix, local = "MESH", bare
    else:
        prefix = {EntityType.GENE: "NCBIGene", EntityType.DISEASE: "OMIM"}.get(entity_type, "")
        local = bare
    if prefix == "MESH":
        local = local.upper()
    if prefix in _LOCALS and _LOCALS[prefix].fullmatch(local) is None:
        raise InvalidInputError(f"the local part of a {prefix} id must match {_LOCALS[prefix].pattern}, was: {text!r}")
    if not prefix or entity_type not in _TYPES.get(prefix, tuple(EntityType)):
        raise InvalidInputError(f"an id of type {entity_type.value} must have a prefix of that type, was: {text!r}")
    return EntityId(prefix, local)


def split_ids(field: str) -> list[str]:
    """The ids of a field that may join several by `|`, `;`, `+` or `,`; missing ids (`-1`, `-`, empty) left out.

    >>> split_ids("D002544|-1"), split_ids(" D008661"), split_ids("-")
    (['D002544'], ['D008661'], [])
    """
    parts = (part.strip() for part in _SEPARATORS.split(field))
    return [part for part in parts if part not in _MISSING]
