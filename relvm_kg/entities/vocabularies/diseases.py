"""Joins MONDO and DOID to MeSH: cross-references, OMIM diseases that MeSH does not have, and their place in MeSH."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from relvm_kg.entities.names_file import NameRow
from relvm_kg.entities.vocabularies.records import Account, OntologyTerm
from relvm_kg.types import EntityType


class DiseaseIndex:
    """The diseases of MeSH (bare id to row) with the terms of MONDO and DOID that name them."""

    def __init__(self, diseases: Mapping[str, NameRow], account: Account) -> None:
        self._diseases = diseases
        self._account = account
        self._xrefs: dict[str, list[str]] = defaultdict(list)
        self._mesh_of_term: dict[str, list[str]] = {}
        self._terms: dict[str, OntologyTerm] = {}
        self._omim: dict[str, list[OntologyTerm]] = defaultdict(list)
        self._settled: set[str] = set()

    def add(self, terms: Iterable[OntologyTerm]) -> int:
        """Take in an ontology; what an earlier one says of an OMIM id stands. Returns the number of terms."""
        fresh: dict[str, list[OntologyTerm]] = defaultdict(list)
        n = 0
        for term in terms:
            n += 1
            self._terms[term.id] = term
            mesh = self._mesh_of(term)
            self._mesh_of_term[term.id] = mesh
            for ui in mesh:
                others = [x for x in term.xrefs if not x.startswith(("MESH:", "OMIM:"))]
                self._xrefs[ui] += [term.id, *others, *term.former]
            for omim in (x for x in term.xrefs if x.startswith("OMIM:")):
                fresh[omim].append(term)
        for omim, named in fresh.items():
            if omim not in self._settled:
                self._settle(omim, named)
        self._settled.update(fresh)
        return n

    def _mesh_of(self, term: OntologyTerm) -> list[str]:
        stated = [x.removeprefix("MESH:") for x in term.xrefs if x.startswith("MESH:")]
        known = [ui for ui in stated if ui in self._diseases]
        self._account.add("MeSH ids of MONDO or DOID that are no disease of this MeSH", len(stated) - len(known))
        return known

    def _settle(self, omim: str, terms: Sequence[OntologyTerm]) -> None:
        """Join an OMIM id to one MeSH id, or keep it as a disease of its own."""
        mesh = {ui: term for term in terms for ui in self._mesh_of_term[term.id]}
        if not mesh:
            self._omim[omim] += terms
            return
        if len(mesh) > 1:
            self._account.add("OMIM ids with several MeSH ids, joined to the one of the same name or the deepest")
        best = max(mesh, key=lambda ui: (self._same_name(ui, mesh[ui]), self._diseases[ui].depth or 0, ui))
        self._xrefs[best].append(omim)

    def _same_name(self, ui: str, term: OntologyTerm) -> int:
        row = self._diseases[ui]
        return len(_folded(row.name, *row.synonyms) & _folded(term.name, *term.synonyms))

    def xrefs(self, ui: str) -> list[str]:
        """What a disease of MeSH is in MONDO, DOID, OMIM and the vocabularies that they know."""
        return list(dict.fromkeys(self._xrefs.get(ui, ())))

    def terms(self, ui: str) -> list[OntologyTerm]:
        """The terms that are joined to a disease of MeSH."""
        return [self._terms[x] for x in self.xrefs(ui) if x in self._terms]

    def omim_rows(self) -> Iterator[NameRow]:
        """Diseases of OMIM that MeSH does not have, with MeSH's nearest broader ones as parents."""
        for omim, terms in self._omim.items():
            first, names = terms[0], [name for term in terms for name in (term.name, *term.synonyms)]
            parents = sorted({ui for term in terms for ui in self._nearest(term.id)})
            depths = [depth for ui in parents if (depth := self._diseases[ui].depth) is not None]
            xrefs = [x for term in terms for x in (term.id, *term.xrefs, *term.former)]
            yield NameRow(
                id=omim,
                type=EntityType.DISEASE,
                name=first.name,
                synonyms=tuple(dict.fromkeys(name for name in names if name != first.name)),
                xrefs=tuple(dict.fromkeys(x for x in xrefs if x != omim and not x.startswith(("MESH:", "OMIM:")))),
                parents=tuple(f"MESH:{ui}" for ui in parents),
                depth=1 + max(depths) if depths else None,
            )

    def _nearest(self, term_id: str) -> set[str]:
        """MeSH ids of the nearest broader terms that have one."""
        found: set[str] = set()
        level, seen = {term_id}, {term_id}
        while level and not found:
            level = {p for t in level for p in (self._terms[t].parents if t in self._terms else ())} - seen
            seen |= level
            found = {ui for term in level for ui in self._mesh_of_term.get(term, ())}
        return found


def _folded(*names: str) -> set[str]:
    return {" ".join(name.casefold().replace(",", " ").replace("-", " ").split()) for name in names}
