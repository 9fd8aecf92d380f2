"""Files of a numbered or dated series, as the listing of a server's folder tells them."""

import re
from html import unescape
from urllib.parse import unquote, urljoin

from relvm_kg.download.records import RemoteFile, Selection, Series
from relvm_kg.errors import DownloadError, InvalidInputError

_LINK = re.compile(r"""href\s*=\s*["']([^"'?#]+)["']""", re.IGNORECASE)


def series_files(selection: Selection, listing: str) -> tuple[RemoteFile, ...]:
    """The files that a person asks for, of the latest year there is.

    Args:
        selection: Which numbers.
        listing: The page that lists the folder.

    Raises:
        DownloadError: if the page lists none of the series.
        InvalidInputError: if it lists none of the numbers.
    """
    series = selection.data_set.series
    assert series is not None
    found = _matches(series, listing)
    if not found:
        raise DownloadError(f"{series.url} lists no file like {series.pattern}")
    latest = max(_group(match, "year") for match in found.values())
    current = {name: match for name, match in found.items() if _group(match, "year") == latest}
    if not series.is_numbered:
        return tuple(remote_file(series, name) for name in current)
    numbers = {name: _group(match, "number") for name, match in current.items()}
    chosen = sorted((number, name) for name, number in numbers.items() if selection.takes(number))
    if not chosen:
        raise InvalidInputError(
            f"{selection.data_set.name} has the numbers {min(numbers.values())} to {max(numbers.values())}, none of "
            "them was asked for"
        )
    return tuple(remote_file(series, name) for _, name in chosen)


def series_number(series: Series, name: str) -> int | None:
    """The number of a file of the series (0 where they have none), None if it is no file of it."""
    match = re.fullmatch(series.pattern, name)
    return None if match is None else _group(match, "number")


def remote_file(series: Series, name: str) -> RemoteFile:
    """A file of the series whose name is known."""
    url = urljoin(series.url, name)
    return RemoteFile(
        name=name,
        url=url,
        size=series.size,
        md5_url=f"{url}{series.md5_suffix}" if series.md5_suffix else None,
        members=series.members,
        max_unpacked=series.max_unpacked,
    )


def _matches(series: Series, listing: str) -> dict[str, re.Match[str]]:
    names = (unquote(unescape(link)).rpartition("/")[2] for link in _LINK.findall(listing))
    return {name: match for name in names if (match := re.fullmatch(series.pattern, name))}


def _group(match: re.Match[str], name: str) -> int:
    return int(match[name]) if name in match.re.groupindex else 0
