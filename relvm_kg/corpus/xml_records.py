"""Records of an XML file, found in a stream of bytes without parsing the file as a whole.

The files are long lists of records (`<PubmedArticle>`, `<document>`), each of a few kilobytes. They are cut apart here
and parsed one by one. So memory stays constant, a damaged record costs no more than itself, and nothing that a file
declares before its records (a document type, entities that blow up when they are expanded) ever reaches a parser.
"""

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple

from lxml import etree

from relvm_kg.corpus.read_log import MAX_RECORD as MAX_SHOWN
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.errors import InvalidInputError

MAX_RECORD = 16 * 1024 * 1024
"""Bytes of the longest record that is read; a long full-text article with its annotations takes a tenth of it."""
MAX_COMMENT = 1024 * 1024
"""Bytes of the longest comment or CDATA section that may hold what looks like a record."""
_CHUNK = 1 << 17
_TAIL = 64
_MAX_GAP = 16 * 1024
_CLOSERS = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"'<>]{1,40})[\"']")
_NAMESPACE = re.compile(rb"""\s(xmlns:[A-Za-z][\w.-]*)\s*=\s*("[^"<&]*"|'[^'<&]*')""")
_PROLOG = re.compile(rb"\xef\xbb\xbf|<\?[^>]*>|<!DOCTYPE[^\[>]*(?:\[[^\]]*\])?\s*>", re.IGNORECASE)


class XmlLayout(NamedTuple):
    """How a kind of file is built.

    Attributes:
        records: names of the elements that are records; each with the names of records that may lie inside it.
        roots: names of the elements around them.
        header: names of elements that may stand between them, with text, and mean nothing.
    """

    records: Mapping[str, frozenset[str]]
    roots: tuple[str, ...]
    header: tuple[str, ...] = ()


class XmlRecord(NamedTuple):
    """A record: the line it starts in, its element's name, its bytes, and the namespaces that the root declares."""

    line: int
    name: str
    raw: bytes
    namespaces: bytes = b""

    @property
    def shown(self) -> str:
        """Its beginning, for the list of rejected records."""
        return self.raw[:MAX_SHOWN].decode("utf-8", "replace")


def iterate_records(handle: IO[bytes], layout: XmlLayout, log: ReadLog) -> Iterator[XmlRecord]:
    """The records of a file, in constant memory.

    Rejected, each with its line: a record without its end, an overlong one, one that the file ends in, content between
    records that belongs to none, and a file that ends before the end of its root element.

    Raises:
        InvalidInputError: if the file is in an encoding other than UTF-8.
    """
    return _Splitter(handle, layout, log).run()


def parse_record(record: XmlRecord, log: ReadLog) -> Any | None:
    """The record as an element tree; None after rejecting it, with the line of the damage, if it is not well-formed.

    Comments and processing instructions are dropped; entities other than XML's own five are errors, and so are depths
    above 256 and texts above 10 MB (the limits of libxml2).
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, encoding="utf-8"
    )
    try:
        return etree.fromstring(b"<records" + record.namespaces + b">" + record.raw + b"</records>", parser)[0]
    except (etree.XMLSyntaxError, IndexError) as error:
        line = record.line + max(0, (getattr(error, "lineno", None) or 1) - 1)
        message = re.sub(r", line \d+, column \d+.*", "", str(getattr(error, "msg", error)).partition("\n")[0])
        log.reject(line, "malformed XML", f"{message}: {record.shown}")
        return None


def flat_text(element: Any) -> str:
    """The text of an element and of all inside it: `Ca<sup>2+</sup>` is `Ca2+`; that of None is empty."""
    return "" if element is None else "".join(element.itertext())


class _Gap:
    """What stands between two records; only its beginning and its end are kept."""

    def __init__(self, layout: XmlLayout) -> None:
        self.line = 1
        self.namespaces = b""
        self.root_open = False
        self._head = self._end = b""
        self._root = _elements(layout.roots, rb"<(?P<end>/?)(?:%s)(?:\s[^<>]*)?/?>")
        self._header = _elements(layout.header, rb"<(?P<name>%s)(?:\s[^<>]*)?(?:/>|>[^<]*</(?P=name)\s*>)")

    def add(self, data: bytes) -> None:
        self._head += data[: max(0, _MAX_GAP - len(self._head))]
        self._end = (self._end + data[-_TAIL:])[-_TAIL:]

    def close(self, log: ReadLog, *, told: bool) -> None:
        """Reject content that belongs to no record, unless the gap follows a damaged record that was told already."""
        for tag in self._root.finditer(self._head + self._end):
            self.root_open = not tag["end"]
            for name, value in _NAMESPACE.findall(tag.group()):
                if name + b"=" not in self.namespaces:
                    self.namespaces += b" " + name + b"=" + value
        rest = self._header.sub(b"", self._root.sub(b"", _PROLOG.sub(b"", self._head)))
        if rest.strip() and not told:
            before = self._head[: max(0, self._head.find(rest.split()[0]))]
            shown = rest.strip()[:MAX_SHOWN].decode("utf-8", "replace")
            log.reject(self.line + before.count(b"\n"), "content that belongs to no record", shown)
        self._head = self._end = b""


def _elements(names: tuple[str, ...], pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern % "|".join(map(re.escape, names)).encode() if names else rb"(?!)")


class _Splitter:
    """The state of cutting one file apart; `data` always begins where the current record, or gap, begins or goes on."""

    def __init__(self, handle: IO[bytes], layout: XmlLayout, log: ReadLog) -> None:
        self._handle, self._records, self._log = handle, layout.records, log
        names = "|".join(map(re.escape, layout.records)).encode()
        self._token = re.compile(
            rb"<!--|<!\[CDATA\[|</(?P<end>%s)\s{0,16}>|<(?P<start>%s)(?=[\s/>])(?P<empty>[^<>]{0,4096}/>)?"
            % (names, names)
        )
        self._data, self._ended, self._line = handle.read(_CHUNK), False, 1
        self._at = 0
        self._inside: str | None = None
        self._gap = _Gap(layout)
        self._told = False
        self._unclosed = dict.fromkeys(_CLOSERS, 0)

    def run(self) -> Iterator[XmlRecord]:
        self._check_encoding()
        while True:
            token = self._token.search(self._data, self._at)
            if not self._ended and (token is None or token.end() > len(self._data) - _TAIL):
                self._read_on(token.start() if token else len(self._data) - _TAIL)
            elif token is None:
                break
            elif token.group() in _CLOSERS:
                self._skip(token)
            elif token["start"]:
                yield from self._start(token)
            elif token["end"].decode() == self._inside:
                yield self._record(token.end())
            else:
                self._at = token.end()
        self._finish()

    def _check_encoding(self) -> None:
        declared = _ENCODING.search(self._data[:300])
        name = declared[1].decode("ascii", "replace") if declared else "utf-8"
        if self._data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in self._data[:4]:
            name = "UTF-16 or UTF-32"
        if name.lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            raise InvalidInputError(f"the XML file {self._log.file} must be UTF-8, was: {name}")

    def _drop(self, n: int) -> bytes:
        """Take the first bytes out of the window."""
        taken, self._data = self._data[:n], self._data[n:]
        self._line += taken.count(b"\n")
        self._at = max(0, self._at - n)
        self._unclosed = {opener: max(0, until - n) for opener, until in self._unclosed.items()}
        return taken

    def _read_on(self, done: int) -> None:
        """Read more; all before `done` is searched, and of a gap no longer needed."""
        self._at = max(self._at, done)
        if self._inside is None:
            self._gap.add(self._drop(self._at))
        elif self._at > MAX_RECORD:
            self._damage(f"record longer than {MAX_RECORD} bytes", self._at)
        chunk = self._handle.read(_CHUNK)
        self._data += chunk
        self._ended = not chunk

    def _skip(self, token: re.Match[bytes]) -> None:
        """Pass over a comment or a CDATA section; one that does not end is no more than the bytes it is."""
        opener = token.group()
        closer = _CLOSERS[opener]
        found = self._data.find(closer, max(token.end(), self._unclosed[opener] - len(closer)))
        if found < 0:
            self._unclosed[opener] = len(self._data)
            if self._ended or len(self._data) - token.start() > MAX_COMMENT:
                self._at = token.end()
            else:
                self._at = token.start()
                chunk = self._handle.read(_CHUNK)
                self._data += chunk
                self._ended = not chunk
        elif self._inside is None and opener == b"<!--":
            self._gap.add(self._drop(token.start()))
            self._drop(found + len(closer) - token.start())
        else:
            self._at = found + len(closer)

    def _start(self, token: re.Match[bytes]) -> Iterator[XmlRecord]:
        name, place, length = token["start"].decode(), token.start(), token.end() - token.start()
        if self._inside is not None:
            if name in self._records[self._inside]:
                self._at = token.end()
                return
            self._damage("record without its end", place)
            place = 0
        self._gap.add(self._drop(place))
        self._gap.close(self._log, told=self._told)
        self._inside, self._told, self._at = name, False, length
        self._gap.line = self._line
        if token["empty"]:
            yield self._record(length)

    def _record(self, end: int) -> XmlRecord:
        assert self._inside is not None
        line, name = self._line, self._inside
        raw = self._drop(end)
        self._inside, self._gap.line = None, self._line
        return XmlRecord(line, name, raw, self._gap.namespaces)

    def _damage(self, reason: str, end: int) -> None:
        """Reject the current record; it reaches to `end`, and what follows up to the next record goes with it."""
        line = self._line
        raw = self._drop(end)
        self._log.reject(line, reason, raw[:MAX_SHOWN].decode("utf-8", "replace"))
        self._inside, self._told = None, True

    def _finish(self) -> None:
        if self._inside is not None:
            self._damage("the file ends inside a record", len(self._data))
            return
        self._gap.add(self._drop(len(self._data)))
        self._gap.close(self._log, told=self._told)
        if self._gap.root_open and not self._told:
            self._log.reject(self._line, "the file ends before the end of its root element", "")
