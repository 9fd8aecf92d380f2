"""The cache of public data sets: one folder a set, filled from the set's home or from files placed there by hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from relvm_kg.download.acquire import Acquirer
from relvm_kg.download.http import Downloader, HttpSettings
from relvm_kg.download.listing import remote_file, series_files, series_number
from relvm_kg.download.manifest import Manifest, licence_text, write_licence
from relvm_kg.download.places import cache_root, data_folder
from relvm_kg.download.records import DataSet, RemoteFile, Selection, parse_selection
from relvm_kg.download.registry import REGISTRY
from relvm_kg.errors import DownloadError, InvalidInputError
from relvm_kg.files import remove, remove_leftovers
from relvm_kg.progress import Progress, Silent

__all__ = [
    "FetchOptions",
    "Status",
    "cache_root",
    "data_files",
    "data_folder",
    "data_path",
    "fetch",
    "fetch_selection",
    "inventory",
    "remove_data",
    "status",
]

_MAX_FAILURES = 3


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """How a set is fetched."""

    cache: Path | None = None
    """The cache folder, see `cache_root`."""
    offline: bool = False
    """Take only what is there: nothing is asked of any network."""
    http: HttpSettings = field(default_factory=HttpSettings)


@dataclass(frozen=True, kw_only=True)
class Status:
    """A data set and what of it is here."""

    data_set: DataSet
    folder: Path
    is_here: bool
    """Whole; of a numbered series, some of it."""
    n_files: int
    n_bytes: int


def data_path(name: str, cache: Path | None = None) -> Path | None:
    """The folder of a set that is whole and checked, None if it is not here.

    Args:
        name: A name of `relvm-kg data list`. `medline-baseline:1-3` asks for these files, `medline-baseline` for any.
        cache: The cache folder, see `cache_root`.

    Raises:
        InvalidInputError: if there is no such set.
    """
    selection = parse_selection(name, REGISTRY)
    folder = data_folder(selection.data_set.name, cache)
    return folder if _files_here(selection, folder) is not None else None


def data_files(name: str, cache: Path | None = None) -> tuple[Path, ...]:
    """The files of a set that is here, without its licence and manifest; empty if it is not."""
    selection = parse_selection(name, REGISTRY)
    folder = data_folder(selection.data_set.name, cache)
    names = _files_here(selection, folder) or ()
    manifest = Manifest.read(folder, selection.data_set.name)
    return tuple(folder / output for name in names for output in manifest.entries[name].outputs)


def fetch(name: str, progress: Progress | None = None, options: FetchOptions | None = None) -> Path:
    """Get a set into the cache, unless it is there already.

    Args:
        name: As for `data_path`; a numbered series must say its numbers, or `:all`.
        progress: Told the bytes.
        options: Cache, network.

    Returns:
        The folder of the set.

    Raises:
        DownloadError: if a file cannot be had, or is not what it should be; the message says what was tried and how to
            place the file by hand.
        InvalidInputError: if there is no such set, or an archive may not be trusted.
    """
    selection = parse_selection(name, REGISTRY)
    if selection.data_set.is_numbered and ":" not in name:
        raise InvalidInputError(f"{name} must be given numbers: {name}:1-3 or {name}:all")
    return fetch_selection(selection, progress or Silent(), options or FetchOptions())


def fetch_selection(selection: Selection, progress: Progress, options: FetchOptions) -> Path:
    """`fetch` for a set that is known."""
    data_set = selection.data_set
    folder = data_folder(data_set.name, options.cache)
    if _files_here(selection, folder) is not None:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder, progress), Downloader(progress, options.http) as downloader:
        if _files_here(selection, folder) is not None:
            return folder
        remove_leftovers(folder)
        progress.say(licence_text(data_set).rstrip())
        write_licence(data_set, folder)
        acquirer = Acquirer(folder, downloader, progress, offline=options.offline)
        files = _wanted(selection, folder, None if options.offline else downloader)
        _fill(selection, files, folder, acquirer)
    return folder


def _fill(selection: Selection, files: tuple[RemoteFile, ...], folder: Path, acquirer: Acquirer) -> None:
    """Take in what is missing."""
    manifest = Manifest.read(folder, selection.data_set.name)
    failures: dict[str, str] = {}
    missing: list[RemoteFile] = []
    for file in files:
        if manifest.holds(file, folder):
            continue
        if len(failures) >= _MAX_FAILURES:
            missing.append(file)
            continue
        try:
            manifest = manifest.with_entry(file.name, acquirer.acquire(file))
        except DownloadError as error:
            failures[file.name] = str(error)
            missing.append(file)
            continue
        manifest.write(folder)
    if missing:
        raise DownloadError(_explain(selection, failures, missing, folder))
    manifest.with_selection(_key(selection), tuple(file.name for file in files)).write(folder)


def _wanted(selection: Selection, folder: Path, downloader: Downloader | None) -> tuple[RemoteFile, ...]:
    """The files of a set; those of a series are asked of its server, without one they are what was placed by hand."""
    series = selection.data_set.series
    if series is None:
        return selection.data_set.files
    reason = f"{series.url}: not asked, since --offline was given"
    if downloader is not None:
        try:
            return series_files(selection, downloader.text(series.url))
        except DownloadError as error:
            reason = str(error)
    placed = [path.name for path in sorted(folder.iterdir()) if series_number(series, path.name) is not None]
    numbers = {series_number(series, name): name for name in placed}
    if placed and all(number in numbers for first, last in selection.ranges for number in range(first, last + 1)):
        chosen = [name for number, name in numbers.items() if number is not None and selection.takes(number)]
        return tuple(remote_file(series, name) for name in (chosen if series.is_numbered else placed))
    raise DownloadError(
        f"{selection.data_set.name} could not be fetched:\n  {reason}\n"
        f"To place its files by hand, fetch those you want from {series.url} into {folder}, then run: "
        f"relvm-kg data get {_shown(selection)}"
    )


def _explain(selection: Selection, failures: Mapping[str, str], missing: list[RemoteFile], folder: Path) -> str:
    """What was tried, and how to go on without a network."""
    lines = [f"{selection.data_set.name} could not be fetched:"]
    lines += [f"  {name}: {reason}" for name, reason in failures.items()]
    if len(missing) > len(failures):
        lines.append(f"  and {len(missing) - len(failures)} more files were not tried")
    lines.append("To place it by hand, put these files there, as they are, under these names:")
    for file in missing:
        address = file.url
        if file.package is not None:
            address = f"https://pypi.org/project/{file.package.project}/{file.package.version}/#files"
        known = f" (SHA-256 {file.sha256})" if file.sha256 else ""
        lines.append(f"  {folder / file.name}  from {address}{known}")
    lines.append(f"then run: relvm-kg data get {_shown(selection)}")
    return "\n".join(lines)


def _files_here(selection: Selection, folder: Path) -> tuple[str, ...] | None:
    """Names of the fetched files if all that is asked for is here."""
    data_set = selection.data_set
    manifest = Manifest.read(folder, data_set.name)
    if data_set.series is None:
        names = tuple(file.name for file in data_set.files)
        return names if all(manifest.holds(file, folder) for file in data_set.files) else None
    whole = [name for name in manifest.entries if manifest.is_whole(name, folder)]
    numbers = {series_number(data_set.series, name): name for name in whole}
    if selection.ranges:
        wanted = [number for first, last in selection.ranges for number in range(first, last + 1)]
        if all(number in numbers for number in wanted):
            return tuple(numbers[number] for number in wanted)
    names = manifest.selections.get(_key(selection), ())
    return names if names and set(names) <= set(whole) else None


def remove_data(name: str, cache: Path | None = None) -> int:
    """Delete a set from the cache, half-fetched files included.

    Returns:
        Bytes that were freed.

    Raises:
        InvalidInputError: if there is no such set.
        DownloadError: if it is being fetched.
    """
    if name not in REGISTRY:
        raise InvalidInputError(f"there is no data set {name!r}; there are: {', '.join(REGISTRY)}")
    folder = data_folder(name, cache)
    if not folder.is_dir():
        return 0
    with _lock(folder, Silent(), wait=False):
        n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        remove(folder)
    return n_bytes


def inventory(cache: Path | None = None) -> tuple[Status, ...]:
    """Every set of the registry, and what of it is here."""
    return tuple(status(name, cache) for name in REGISTRY)


def status(name: str, cache: Path | None = None) -> Status:
    """One set of the registry, and what of it is here."""
    data_set = REGISTRY[name]
    folder = data_folder(name, cache)
    manifest = Manifest.read(folder, name)
    whole = [entry for key, entry in manifest.entries.items() if manifest.is_whole(key, folder)]
    is_here = bool(whole) if data_set.is_numbered else _files_here(Selection(data_set), folder) is not None
    return Status(
        data_set=data_set,
        folder=folder,
        is_here=is_here,
        n_files=sum(len(entry.outputs) for entry in whole),
        n_bytes=sum(size for entry in whole for size in entry.outputs.values()),
    )


@contextmanager
def _lock(folder: Path, progress: Progress, *, wait: bool = True) -> Iterator[None]:
    """One process at a time fills a folder; a process that dies lets it go."""
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            raise DownloadError(f"another relvm-kg process is fetching into {folder}; wait for it to end") from None
        progress.say(f"another relvm-kg process is fetching into {folder}; waiting for it to end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _key(selection: Selection) -> str:
    return ",".join(f"{first}-{last}" for first, last in selection.ranges) or "all"


def _shown(selection: Selection) -> str:
    return f"{selection.data_set.name}:{_key(selection)}" if selection.data_set.is_numbered else selection.data_set.name
