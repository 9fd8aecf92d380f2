r"""Cypher text as tokens, read so strictly that no engine can read another statement into the same text.

Escapes (`\u0027`) that become a quote, comments that one engine ends where another does not, letters that turn into
ASCII when upper-cased: what two parsers may see differently is refused here, before any rule about clauses is applied.
"""

import re
from enum import Enum
from typing import NamedTuple

from relvm_kg.errors import QueryRefusedError

MAX_LENGTH = 100_000
MAX_TOKENS = 4_000
"""Engines parse by recursion; a longer chain of operators or clauses can overflow their stack."""
MAX_DEPTH = 100


class TokenKind(Enum):
    """What a token is."""

    WORD = "word"
    NAME = "name in backticks"
    STRING = "string"
    NUMBER = "number"
    PARAMETER = "parameter"
    PUNCTUATION = "punctuation"


class Token(NamedTuple):
    """A piece of a statement; `start` is its offset in the text."""

    kind: TokenKind
    text: str
    start: int


_PATTERN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+)
  | (?P<comment>//[^\r\n]*|/\*.*?\*/)
  | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
  | (?P<name>`(?:[^`]|``)*+`)
  | (?P<parameter>\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|`(?:[^`]|``)*+`))
  | (?P<number>0[xX][0-9A-Fa-f]+|0[oO][0-7]+|(?:[0-9]+\.[0-9]+|(?<!\.)\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<punctuation>\.\.|<=|>=|<>|=~|!=|::|\|\||[-()\[\]{}.,:;|=<>+*/%^!&])
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS = {kind.name.lower(): kind for kind in TokenKind}
_ESCAPE = re.compile(r"\\[uU]+(?P<code>[0-9A-Fa-f]{0,8})")
_BREAKING = frozenset("'\"`\\\n\r\x00")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def place(text: str, offset: int) -> str:
    """Where an offset is, in words.

    >>> place("RETURN 1 SET", 9)
    'line 1, column 10'
    """
    before = text[:offset]
    return f"line {before.count(chr(10)) + 1}, column {offset - (before.rfind(chr(10)) + 1) + 1}"


def refuse(text: str, offset: int, why: str) -> QueryRefusedError:
    """The error for something at an offset of a statement."""
    return QueryRefusedError(f"{why} ({place(text, offset)}); only statements that read are run")


def tokenise(text: str) -> tuple[list[Token], str]:
    """The tokens of a statement, and its text with each comment blanked, so that engines need not agree on comments.

    Raises:
        QueryRefusedError: for anything that two engines may read differently, and for what no token begins with.
    """
    if len(text) > MAX_LENGTH:
        raise QueryRefusedError(f"a statement must have at most {MAX_LENGTH} characters, had {len(text)}")
    _check_escapes(text)
    tokens: list[Token] = []
    clean: list[str] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise refuse(text, position, _why_no_token(text, position))
        group, piece = str(match.lastgroup), match[0]
        position = match.end()
        if group in ("space", "comment"):
            clean.append(re.sub(r"[^\n]", " ", piece))
            continue
        _check_piece(text, match)
        clean.append(piece)
        tokens.append(Token(_KINDS[group], piece, match.start()))
    if len(tokens) > MAX_TOKENS:
        had = f"had {len(tokens)}; give long lists as parameters"
        raise QueryRefusedError(f"a statement must have at most {MAX_TOKENS} words and signs, {had}")
    _check_brackets(text, tokens)
    return tokens, "".join(clean)


def _check_escapes(text: str) -> None:
    """Refuse Unicode escapes that could end a string or name, however many backslashes stand before them."""
    for match in _ESCAPE.finditer(text):
        code = match["code"]
        numbers = [int(code[:length], 16) for length in (4, 8) if len(code) >= length]
        if not numbers:
            raise refuse(text, match.start(), rf"{match[0]} must be an escape of four hexadecimal digits, as in \u00e9")
        if any(number < 128 and chr(number) in _BREAKING for number in numbers):
            raise refuse(
                text, match.start(), f"the escape {match[0]} must not stand for a quote, backslash or line end"
            )


def _check_piece(text: str, match: re.Match[str]) -> None:
    piece, group = match[0], match.lastgroup
    if group in ("name", "parameter") and ("\\" in piece or piece in ("``", "$``")):
        raise refuse(text, match.start(), f"a name in backticks must be non-empty and hold no backslash, was: {piece}")
    if group == "string" and "\x00" in piece:
        raise refuse(text, match.start(), "a string must hold no NUL character")
    if group == "number" and re.match(r"[A-Za-z0-9_]", text[match.end() : match.end() + 1]):
        raise refuse(text, match.start(), f"the number {piece} must be followed by a space or a sign")


def _why_no_token(text: str, position: int) -> str:
    character = text[position]
    if character in "'\"`":
        return f"the text opened by {character} must be closed"
    if text.startswith("/*", position):
        return "the comment opened by /* must be closed"
    if character == "\\":
        return "escapes must stand inside strings"
    if ord(character) > 126:
        return f"outside of strings, comments and backticks letters must be ASCII, was: {character!r}"
    return f"the sign {character!r} must stand inside a string"


def _check_brackets(text: str, tokens: list[Token]) -> None:
    open_brackets: list[Token] = []
    for token in tokens:
        if token.kind is not TokenKind.PUNCTUATION:
            continue
        if token.text in _CLOSING:
            open_brackets.append(token)
            if len(open_brackets) > MAX_DEPTH:
                raise refuse(text, token.start, f"brackets must be nested at most {MAX_DEPTH} deep")
        elif token.text in _CLOSING.values() and (
            not open_brackets or _CLOSING[open_brackets.pop().text] != token.text
        ):
            raise refuse(text, token.start, f"the bracket {token.text} must close one that is open")
    if open_brackets:
        raise refuse(text, open_brackets[-1].start, f"the bracket {open_brackets[-1].text} must be closed")
