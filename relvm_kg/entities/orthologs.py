"""Genes of other species fold onto the human gene that their text names.

Public annotation gives the gene of the organism that a paper worked on: GLT-1 is 20511 in a paper on mice, 29482 in one
on rats, 6506 in one on people. Text and known relations meet only if the three are one gene.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Self

import pyarrow as pa

from relvm_kg.entities.names import NamesTable
from relvm_kg.types import EntityId, EntityType, Mention

GENE_PREFIX = "NCBIGene"
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_SPELL_GREEK = str.maketrans(_GREEK)
_NOT_IN_KEYS = re.compile(r"[^a-z0-9+]+")
_SPECIES = re.compile(r"^(?:mouse|murine|rat|bovine|porcine|zebrafish|human)\s+")
_KIND = re.compile(r"\s+(?:genes?|proteins?|mrnas?)$")
_GREEK_LETTER = re.compile(
    r"(?<=[a-z0-9])(alpha|beta|gamma|delta|epsilon)|(alpha|beta|gamma|delta|epsilon)(?=[a-z0-9])"
)

Key = str
NameRow = tuple[EntityId, str, Iterable[str]]
Forms = dict[Key, set[EntityId]]


def gene_key(text: str) -> Key:
    """What two spellings of a gene's name share: case, hyphens, spaces and Greek letters do not tell genes apart.

    >>> gene_key("GLT-1"), gene_key("IL-1β"), gene_key("rat Il1beta gene")
    ('glt1', 'il1beta', 'il1beta')
    """
    spelled = text.casefold().translate(_SPELL_GREEK).strip()
    spelled = _KIND.sub("", _SPECIES.sub("", spelled))
    return _NOT_IN_KEYS.sub("", spelled)


def letter_key(key: Key) -> Key:
    """A key with Greek letters as symbols write them.

    >>> letter_key("fshbeta"), letter_key("alphaenac")
    ('fshb', 'aenac')
    """
    return _GREEK_LETTER.sub(lambda match: match[0][0], key)


class OrthologFolder:
    """Folds ids of genes that are not human onto human genes, by name.

    A mention's text, or the name that its source states for it, must equal the official symbol of exactly one human
    gene; else an alias, previous symbol or full name of exactly one.

    Args:
        names: The names catalogue; its genes are the human ones.
    """

    def __init__(self, names: pa.Table) -> None:
        self._fill(_rows_of_table(names))

    @classmethod
    def from_names(cls, names: NamesTable) -> Self:
        """A folder that knows the genes of plain names tables."""
        folder = cls.__new__(cls)
        genes = ((i, n) for i, n in names.names.items() if i.prefix == GENE_PREFIX)
        folder._fill((i, n.name, n.aliases) for i, n in genes)
        return folder

    def _fill(self, rows: Iterable[NameRow]) -> None:
        self.human: set[EntityId] = set()
        self._official: Forms = {}
        self._others: Forms = {}
        for entity, symbol, others in rows:
            self.human.add(entity)
            for forms, texts in ((self._official, (symbol,)), (self._others, others)):
                for text in texts:
                    key = gene_key(text)
                    forms.setdefault(key, set()).add(entity)
                    forms.setdefault(letter_key(key), set()).add(entity)
        for forms in (self._official, self._others):
            forms.pop("", None)

    def is_foreign(self, entity_id: EntityId) -> bool:
        """Whether an id is an NCBI gene that the catalogue's human genes do not hold."""
        return entity_id.prefix == GENE_PREFIX and entity_id not in self.human

    def fold(self, entity_id: EntityId, surface: str, stated_name: str | None = None) -> EntityId:
        """The human gene that a mention of another species' gene names, else the id as it is.

        Args:
            entity_id: The id that the source gives; human genes and what is no gene stay as they are.
            surface: The text of the mention.
            stated_name: The gene's symbol according to the source, if it gives one; it goes before the surface.
        """
        if not self.is_foreign(entity_id):
            return entity_id
        spelled = [gene_key(text) for text in (stated_name, surface) if text]
        keys = dict.fromkeys([*spelled, *(letter_key(key) for key in spelled)])
        for forms in (self._official, self._others):
            for key in keys:
                found = forms.get(key, ())
                if len(found) == 1:
                    return next(iter(found))
        return entity_id

    def fold_mentions(self, mentions: Iterable[Mention]) -> dict[EntityId, EntityId]:
        """The folded id of each foreign gene of one document, by all its mentions together.

        A gene that goes by its symbol in one place and by a description in another is one gene in both: each id folds
        onto the human gene that most of its mentions name (of equally many, the first in order of id). Ids that fold
        nowhere are left out.
        """
        votes: dict[EntityId, Counter[EntityId]] = {}
        for mention in mentions:
            if mention.type is not EntityType.GENE:
                continue
            for entity in mention.ids:
                target = self.fold(entity, mention.text)
                if target != entity:
                    votes.setdefault(entity, Counter())[target] += 1
        return {entity: min(found, key=lambda t: (-found[t], t)) for entity, found in votes.items()}

    def fold_document_mentions(self, mentions: Iterable[Mention]) -> tuple[Mention, ...]:
        """The mentions of one document with their genes folded as `fold_mentions` says."""
        given = tuple(mentions)
        folds = self.fold_mentions(given)
        if not folds:
            return given
        return tuple(m._replace(ids=tuple(dict.fromkeys(folds.get(i, i) for i in m.ids))) for m in given)


def _rows_of_table(names: pa.Table) -> Iterable[NameRow]:
    columns = [names.column(c).to_pylist() for c in ("id", "type", "name", "full_name", "synonyms", "previous")]
    for curie, kind, symbol, full_name, synonyms, previous in zip(*columns, strict=True):
        entity = EntityId.parse(curie) if kind == EntityType.GENE.value else None
        if entity is not None and entity.prefix == GENE_PREFIX:
            yield entity, symbol, [*(synonyms or ()), *(previous or ()), *([full_name] if full_name else [])]
