"""Documents that people annotated, known by name, and where their files are found."""

import os
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.sources import read_documents, sniff_text_format
from relvm_kg.download.cache import data_folder
from relvm_kg.errors import InvalidInputError
from relvm_kg.types import Document

DATA_VARIABLE = "RELVM_KG_DATA"


class Part(StrEnum):
    """What a gold set is for."""

    TRAIN = "train"
    DEVELOPMENT = "development"
    TEST = "test"
    """Measured at the end; its errors are not looked at."""


class GoldSet(NamedTuple):
    """A known gold set; `pattern` matches its file's name as it is published or packed."""

    name: str
    title: str
    part: Part
    pattern: str
    data_set: str
    """Its name in `relvm-kg data`."""


def _known(name: str, title: str, part: Part, stem: str, data_set: str) -> GoldSet:
    return GoldSet(name, title, part, rf"{stem}(\.PubTator)?(\.txt)?(\.gz)?", data_set)


GOLD_SETS: tuple[GoldSet, ...] = (
    _known("bc5cdr-test", "BC5CDR test", Part.TEST, "CDR_TestSet", "bc5cdr"),
    _known("ncbi-disease-test", "NCBI Disease test", Part.TEST, "NCBI(_Disease_test|testset_corpus)", "ncbi-disease"),
    _known("biored-dev", "BioRED dev", Part.TEST, "(BioRED_)?Dev", "biored"),
    _known("bc5cdr-train", "BC5CDR train", Part.TRAIN, "CDR_TrainingSet", "bc5cdr"),
    _known("bc5cdr-dev", "BC5CDR dev", Part.DEVELOPMENT, "CDR_DevelopmentSet", "bc5cdr"),
    _known(
        "ncbi-disease-train", "NCBI Disease train", Part.TRAIN, "NCBI(_Disease_train|trainset_corpus)", "ncbi-disease"
    ),
    _known(
        "ncbi-disease-devel",
        "NCBI Disease devel",
        Part.DEVELOPMENT,
        "NCBI(_Disease_devel|developset_corpus)",
        "ncbi-disease",
    ),
    _known("biored-train", "BioRED train", Part.TRAIN, "(BioRED_)?Train", "biored"),
    _known("tmvar", "tmVar 3 genes", Part.TRAIN, r"tmVar3Corpus(\.Gene)?", "tmvar3"),
)
"""BioRED's dev part is a test here: nothing is tuned on it, so that its own test part stays untouched."""
TEST_SETS = tuple(s.name for s in GOLD_SETS if s.part is Part.TEST)
_BY_NAME = {s.name: s for s in GOLD_SETS}


class GoldFile(NamedTuple):
    """A gold set that was found, or a file that a person named."""

    name: str
    title: str
    path: Path
    is_test: bool


def find_gold(names: Sequence[str], data: Path | None = None) -> list[GoldFile]:
    """Files of known gold sets or at paths.

    Args:
        names: Names of `GOLD_SETS`, or paths.
        data: Folder to look in, with all folders below; then that of `RELVM_KG_DATA`, then the data cache.

    Raises:
        InvalidInputError: if a name is neither, or a known set's file is in none of the folders.
    """
    return [_find(name, data) for name in names]


def read_gold(file: GoldFile, log: ReadLog) -> list[Document]:
    """All documents of a gold file; of copies of a document the first.

    Raises:
        InvalidInputError: if it is no text file of a known format, or holds no mention.
    """
    text_format = sniff_text_format(file.path)
    if text_format is None:
        raise InvalidInputError(f"{file.path} must hold annotated documents (PubTator, JSONL)")
    documents = {d.doc_id: d for d in reversed(list(read_documents(file.path, text_format, log)))}
    if not any(document.mentions for document in documents.values()):
        raise InvalidInputError(f"{file.path} must hold annotated documents; it has no mention")
    return list(reversed(documents.values()))


def _find(name: str, data: Path | None) -> GoldFile:
    known = _BY_NAME.get(name)
    if known is None:
        path = Path(name).expanduser()
        if not path.is_file():
            raise InvalidInputError(f"a gold set must be a file or one of {', '.join(_BY_NAME)}, was: {name!r}")
        published = next((s for s in GOLD_SETS if re.fullmatch(s.pattern, path.name)), None)
        is_test = published.part is Part.TEST if published is not None else "test" in path.name.lower()
        return GoldFile(path.name, path.name, path, is_test)
    folders = list(_folders(known, data))
    for folder in folders:
        found = sorted(p for p in folder.rglob("*") if p.is_file() and re.fullmatch(known.pattern, p.name))
        if found:
            return GoldFile(known.name, known.title, found[0], known.part is Part.TEST)
    looked = ", ".join(map(str, folders)) or "no folder"
    raise InvalidInputError(
        f"the file of {name} must be in a folder that --data or {DATA_VARIABLE} names, or in the data cache; looked in "
        f"{looked}; fetch it with: relvm-kg data get {known.data_set}"
    )


def _folders(known: GoldSet, data: Path | None) -> Iterator[Path]:
    named = os.environ.get(DATA_VARIABLE)
    for folder in (data, Path(named) if named else None, data_folder(known.data_set)):
        if folder is not None and folder.expanduser().is_dir():
            yield folder.expanduser()
