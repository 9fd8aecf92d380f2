"""The taggers that are measured side by side, from a plain look-up to all that the tagger can do."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from relvm_kg.entities.names_file import read_names
from relvm_kg.tagging.exact import ExactTagger
from relvm_kg.tagging.learned import LearnedForm
from relvm_kg.tagging.tagger import Tagger, TaggerSettings
from relvm_kg.tagging.types import TypeClassifier
from relvm_kg.types import Document

TagMany = Callable[[Sequence[Document]], list[Document]]


class Column(NamedTuple):
    """A tagger with its name in the table."""

    name: str
    what: str
    tag_many: TagMany


def columns(
    names: Path, classifier: TypeClassifier | None = None, learned: Sequence[LearnedForm] = ()
) -> Iterator[Column]:
    """The columns of the table, one after the other, so that only one is in memory.

    Each of the later ones adds to the one before: what a document's own abbreviations say, linking by what else the
    document mentions, the type classifier (if there is one), names of diseases gathered from training documents (which
    makes it the tagger that `relvm-kg tag` runs), learned surface forms (if there are some).
    """
    table = read_names(names)
    yield Column("exact", "names letter by letter", _each(ExactTagger(table)))
    yield Column("exact, any case", "names but for capitals", _each(ExactTagger(table, any_case=True)))
    del table
    plain = TaggerSettings(abbreviations=False, context=False, gathered_names=False)
    yield Column("dictionary", "the tagger's dictionary and its rules of spelling", Tagger.load(names, plain).tag_many)
    short = TaggerSettings(abbreviations=True, context=False, gathered_names=False)
    yield Column("+ abbreviations", "abbreviations that the document defines", Tagger.load(names, short).tag_many)
    full = TaggerSettings(gathered_names=False)
    yield Column("+ context", "ambiguous names by what else the document mentions", Tagger.load(names, full).tag_many)
    if classifier is not None:
        tagger = Tagger.load(names, full, classifier)
        yield Column("+ types", "the type classifier for names of several types", tagger.tag_many)
    tagger = Tagger.load(names, TaggerSettings(), classifier)
    yield Column("+ gathered names", "names of diseases gathered by hand from training documents", tagger.tag_many)
    if learned:
        tagger = Tagger.load(names, TaggerSettings(), classifier, learned)
        yield Column("+ learned forms", "surface forms from annotated corpora", tagger.tag_many)


def _each(tagger: ExactTagger) -> TagMany:
    return lambda documents: [tagger.tag(document) for document in documents]
