"""Names that MeSH's tables lack: MONDO's and DOID's for its diseases, and the substances of headings named for salts.

A name is added only where no other entity of the type goes by it. Measured on the training files of BC5CDR, NCBI
Disease and BioRED, exact look-up of annotated disease mentions then finds the right id for 55, 51 and 50 % of them
instead of 48, 32 and 36 %; names of CHEBI for chemicals were measured too and added as many wrong as right ones.
"""

import re
from collections.abc import Iterable, Mapping

from relvm_kg.entities.names_file import NameRow
from relvm_kg.entities.vocabularies.diseases import DiseaseIndex
from relvm_kg.entities.vocabularies.records import Account
from relvm_kg.types import EntityType

_MARKS = re.compile(r"[\s,\-]+")
_SALT = re.compile(
    r"(?P<base>\w{5,}) (?:(?:di|tri|hemi)?(?:hydrochloride|fumarate|hydrobromide|hydrate)|monohydrate|sodium|disodium"
    r"|calcium|potassium|magnesium|mesylate|maleate|tartrate|sulfate|phosphate|citrate|bromide|acetate|succinate"
    r"|malate|besylate|chloride|nitrate|tosylate|medoxomil|etexilate|cilexetil|disoproxil|furoate|propionate|pamoate"
    r"|palmitate)",
    re.IGNORECASE,
)


def name_key(name: str) -> str:
    """What spellings of a name share: case, commas, hyphens and spaces do not tell names apart.

    >>> name_key("Non-Small Cell") == name_key("non small-cell")
    True
    """
    return _MARKS.sub(" ", name.casefold()).strip()


def add_ontology_names(mesh: Mapping[str, NameRow], index: DiseaseIndex, account: Account) -> dict[str, NameRow]:
    """The MeSH rows (by bare id) with the names of the ontology terms that are joined to them."""
    taken = _keys([*(row for row in mesh.values() if row.type is EntityType.DISEASE), *index.omim_rows()])
    result = dict(mesh)
    for ui, row in mesh.items():
        if row.type is not EntityType.DISEASE:
            continue
        names = [name for term in index.terms(ui) for name in (term.name, *term.synonyms)]
        fresh = {key: name for name in reversed(names) if (key := name_key(name)) and key not in taken}
        if fresh:
            account.add("names of MONDO and DOID added to diseases of MeSH", len(fresh))
            result[ui] = row._replace(synonyms=(*row.synonyms, *reversed(fresh.values())))
    return result


def add_salt_bases(mesh: Mapping[str, NameRow], account: Account) -> dict[str, NameRow]:
    """The MeSH rows with the substance as a synonym of a heading that is named for its salt.

    MeSH's own entry terms have it (`Quetiapine` for `Quetiapine Fumarate`), but in a narrower concept, which tables of
    the preferred concept's terms leave out.
    """
    taken = _keys(row for row in mesh.values() if row.type is EntityType.CHEMICAL)
    result = dict(mesh)
    for ui, row in mesh.items():
        match = _SALT.fullmatch(row.name) if row.type is EntityType.CHEMICAL and row.tree_numbers else None
        if match is not None and name_key(match["base"]) not in taken:
            account.add("substances added as names of headings that are named for a salt")
            result[ui] = row._replace(synonyms=(*row.synonyms, match["base"]))
    return result


def _keys(rows: Iterable[NameRow]) -> set[str]:
    return {name_key(name) for row in rows for name in (row.name, *row.synonyms)}
