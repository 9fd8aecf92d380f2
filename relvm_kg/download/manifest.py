"""What a data set's folder in the cache holds, and what was checked of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from relvm_kg.download.records import DataSet, RemoteFile
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import atomic_path, read_json, write_json

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
LICENCE = "LICENCE.txt"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One fetched file."""

    source: str
    """Address or package; `placed by hand` is added to it where a person put the file there."""
    sha256: str
    bytes: int
    date: str
    """When it was taken in, ISO 8601."""
    checked: str
    """`sha256` or `md5` where its bytes were compared with a known checksum, else what speaks for them."""
    outputs: Mapping[str, int]
    """Files in the folder that come of it, with their bytes."""
    members: tuple[tuple[str, str], ...] = ()
    """What was taken out of it: pattern and name, as the registry had them then."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The whole folder."""

    name: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    """By the name of the fetched file."""
    selections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Which files a choice of numbers stood for."""

    @classmethod
    def read(cls, folder: Path, name: str) -> Self:
        """The manifest of a folder, an empty one if there is none.

        Raises:
            InvalidInputError: if it is damaged.
        """
        path = folder / MANIFEST
        if not path.is_file():
            return cls(name=name)
        values = read_json(path)
        try:
            if values["format_version"] != FORMAT_VERSION:
                raise InvalidInputError(
                    f"{path} must have format_version {FORMAT_VERSION}; relvm-kg data remove {name}"
                )
            entries = {key: _entry(value) for key, value in values["files"].items()}
            selections = {key: tuple(value) for key, value in values["selections"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidInputError(f"{path} must be a manifest of a data set; relvm-kg data remove {name}") from error
        return cls(name=name, entries=entries, selections=selections)

    def write(self, folder: Path) -> None:
        """Write it in one step."""
        values = asdict(self)
        entries = {key: {**entry, "members": list(entry["members"])} for key, entry in values["entries"].items()}
        write_json(
            folder / MANIFEST,
            {
                "format_version": FORMAT_VERSION,
                "name": self.name,
                "selections": {key: list(names) for key, names in self.selections.items()},
                "files": entries,
            },
        )

    def with_entry(self, name: str, entry: Entry) -> Self:
        """The same with one more file."""
        return replace(self, entries={**self.entries, name: entry})

    def with_selection(self, key: str, names: tuple[str, ...]) -> Self:
        """The same with one more choice of numbers."""
        return replace(self, selections={**self.selections, key: names})

    def holds(self, file: RemoteFile, folder: Path) -> bool:
        """Whether a file was taken in as the registry wants it today, and what came of it is still there."""
        entry = self.entries.get(file.name)
        return (
            entry is not None
            and entry.members == tuple((member.pattern, member.name) for member in file.members)
            and file.sha256 in {None, entry.sha256}
            and self.is_whole(file.name, folder)
        )

    def is_whole(self, name: str, folder: Path) -> bool:
        """Whether what came of a file is still there."""
        entry = self.entries.get(name)
        return entry is not None and all(
            (folder / output).is_file() and (folder / output).stat().st_size == size
            for output, size in entry.outputs.items()
        )


def _entry(values: Mapping[str, object]) -> Entry:
    entry = Entry(**values)  # type: ignore[arg-type]  # a file that is none raises TypeError
    return replace(entry, members=tuple((pattern, name) for pattern, name in entry.members))


def licence_text(data_set: DataSet) -> str:
    """What a person is told of a set before it is fetched, and finds beside it."""
    return (
        f"{data_set.name}: {data_set.what}\n"
        f"Home: {data_set.home}\n"
        f"Licence: {data_set.licence}\n"
        f"Terms: {data_set.licence_url}\n"
    )


def write_licence(data_set: DataSet, folder: Path) -> None:
    """Write `LICENCE.txt`."""
    with atomic_path(folder / LICENCE) as temporary:
        temporary.write_text(licence_text(data_set), encoding="utf-8")
