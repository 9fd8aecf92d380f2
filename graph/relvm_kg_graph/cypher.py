"""Statements as values, and the guard that lets only reading statements through.

An engine's own read-only mode is not enough: `LOAD CSV` reads files in it and procedures run. The guard knows the
clauses that read and the functions that compute; a word that stands where a clause or an operator could begin must be
one of them. What may be any name are property names (`n.set`), map keys (`{delete: 1}`), labels (`:Load`), aliases
(`AS create`) and everything in backticks or strings.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from relvm_kg.errors import InvalidInputError
from relvm_kg_graph.tokens import Token, TokenKind, refuse, tokenise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CLAUSES = _words("MATCH OPTIONAL UNWIND WITH RETURN CALL")
_OPERAND_ENDS = _words("END NULL TRUE FALSE ASC ASCENDING DESC DESCENDING")
_OPERATORS = _words(
    "WHERE ORDER BY SKIP LIMIT UNION ALL DISTINCT AS AND OR XOR NOT IN IS STARTS ENDS CONTAINS CASE WHEN THEN ELSE"
)
_KEYWORDS = _CLAUSES | _OPERAND_ENDS | _OPERATORS
_SUBQUERIES = _words("EXISTS COUNT COLLECT")
_PATH_WORDS = _words("ANY SHORTEST PATHS")
_FORBIDDEN = _words(
    """
    CREATE MERGE SET DELETE DETACH NODETACH REMOVE DROP FOREACH INSERT LOAD COPY INSTALL UNINSTALL ATTACH USE USING SHOW
    TERMINATE ALTER GRANT DENY REVOKE DEALLOCATE DRYRUN YIELD CYPHER EXPLAIN PROFILE TRANSACTIONS PERIODIC CHECKPOINT
    LET FINISH
    """
)
_FUNCTIONS = _words(
    """
    abs acos all allshortestpaths any asin atan atan2 avg btrim ceil coalesce collect cos cot count date date.truncate
    datetime datetime.truncate degrees duration duration.between duration.indays duration.inmonths duration.inseconds e
    elementid endnode exists exp floor haversin head id isempty isnan keys labels last left length localdatetime
    localtime log log10 lower ltrim max min nodes none nullif percentilecont percentiledisc pi point point.distance
    properties radians rand range reduce relationships replace reverse right round rtrim shortestpath sign sin single
    size split sqrt startnode stdev stdevp substring sum tail tan time toboolean tobooleanornull tofloat tofloatornull
    tointeger tointegerornull tolower tostring tostringornull toupper trim type upper
    """
)
MAX_UNIONS = 50
"""Engines run a chain of UNION by recursion; a long one can overflow their stack."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Statement:
    """Cypher text that never changes, and the values of its `$parameters` beside it."""

    text: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def safe_name(name: str, allowed: Collection[str]) -> str:
    """A label or relationship type that must be written into a statement, since it cannot be a parameter.

    Raises:
        InvalidInputError: if it is not a plain name of the schema's list.

    >>> safe_name("Gene", ("Gene", "Disease"))
    'Gene'
    """
    if _NAME.fullmatch(name) is None or name not in allowed:
        raise InvalidInputError(f"a label or relationship type must be one of {', '.join(allowed)}, was: {name!r}")
    return name


def check_reading(statement: Statement) -> Statement:
    """The statement as an engine may run it: comments blanked, no closing semicolon.

    Raises:
        QueryRefusedError: if it does anything but read the graph; names the word and its place.

    >>> check_reading(Statement("MATCH (n:Gene) RETURN n.id // all genes")).text.rstrip()
    'MATCH (n:Gene) RETURN n.id'
    """
    tokens, clean = tokenise(statement.text)
    while tokens and tokens[-1].text == ";":
        clean = clean[: tokens.pop().start]
    _Guard(statement.text, tokens).check()
    return replace(statement, text=clean)


class _Role(Enum):
    """What a token is to the rules."""

    KEYWORD = "a clause or operator"
    KEY = "a map key"
    OPERAND_END = "the end of an operand"
    OTHER = "punctuation, or the start of something"


class _Guard:
    """One walk over the tokens of a statement, with the role of each token so far."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._roles: list[_Role] = []
        self._open: list[str] = []
        """Open brackets; `{` of a subquery is kept as `{{`."""

    def check(self) -> None:
        if not self._tokens:
            raise refuse(self._text, 0, "a statement must not be empty")
        for index, token in enumerate(self._tokens):
            if token.kind is TokenKind.WORD:
                self._roles.append(self._word(index))
            elif token.kind is TokenKind.PUNCTUATION:
                self._roles.append(self._punctuation(index))
            else:
                self._roles.append(self._value(index))
        unions = [i for i in range(len(self._tokens)) if self._is_keyword(i, ("UNION",))]
        if len(unions) > MAX_UNIONS:
            where = self._tokens[unions[MAX_UNIONS]].start
            raise refuse(self._text, where, f"a statement must have at most {MAX_UNIONS} UNION, had {len(unions)}")

    def _value(self, index: int) -> _Role:
        token = self._tokens[index]
        self._clause_must_begin(index)
        if token.kind is TokenKind.NAME and self._next(index) == "(":
            raise refuse(self._text, token.start, f"a function's name must stand without backticks, was: {token.text}")
        return _Role.OPERAND_END

    def _punctuation(self, index: int) -> _Role:
        token = self._tokens[index]
        if token.text == ";":
            raise refuse(self._text, token.start, "a statement must stand alone, more text follows the ;")
        if not (token.text == "(" and self._begins_pattern(index)):
            self._clause_must_begin(index)
        if token.text in ("(", "[", "{"):
            self._open.append("{{" if token.text == "{" and self._is_subquery(index) else token.text)
            return _Role.OTHER
        if token.text in (")", "]", "}"):
            self._open.pop()
            return _Role.OPERAND_END
        if token.text == "*" and (index == 0 or self._roles[index - 1] is not _Role.OPERAND_END):
            return _Role.OPERAND_END
        return _Role.OTHER

    def _word(self, index: int) -> _Role:
        token, upper = self._tokens[index], self._tokens[index].text.upper()
        if self._is_property(index) or self._is_label(index) or self._is_alias(index):
            return self._name(index)
        if self._is_key(index):
            return _Role.KEY
        if upper in _FORBIDDEN:
            raise refuse(self._text, token.start, f"{upper} must not be used (as a name it goes in backticks)")
        self._clause_must_begin(index)
        after_operand = index > 0 and self._roles[index - 1] is _Role.OPERAND_END
        if upper == "CALL":
            self._check_call(index)
        if upper == "AS" and not after_operand:
            raise refuse(self._text, token.start, "AS must follow what it names (as a name it goes in backticks)")
        if upper in _KEYWORDS or self._is_soft_keyword(index):
            return _Role.OPERAND_END if upper in _OPERAND_ENDS else _Role.KEYWORD
        if after_operand:
            raise refuse(self._text, token.start, f"{token.text} must be a clause or operator that reads")
        return self._name(index)

    def _name(self, index: int) -> _Role:
        """A word that names something; before a bracket it is a function, which must be one of those known."""
        if self._next(index) == "(":
            name = self._dotted(index)
            if name.lower() not in _FUNCTIONS:
                raise refuse(self._text, self._tokens[index].start, f"{name}() must be a function of plain Cypher")
        return _Role.OPERAND_END

    def _clause_must_begin(self, index: int) -> None:
        """At the start of a statement or subquery, and after UNION, a clause must come."""
        start = index == 0 or (self._previous(index) == "{" and self._open[-1] == "{{") or self._after_union(index)
        token = self._tokens[index]
        if start and not (token.kind is TokenKind.WORD and token.text.upper() in _CLAUSES):
            if self._after_union(index) and token.text.upper() in ("ALL", "DISTINCT"):
                return
            clauses = "MATCH, OPTIONAL MATCH, UNWIND, WITH, RETURN or CALL { }"
            raise refuse(self._text, token.start, f"a statement must begin with {clauses}, began with: {token.text}")

    def _after_union(self, index: int) -> bool:
        words = [self._tokens[i].text.upper() for i in (index - 1, index - 2) if i >= 0]
        roles = [self._roles[i] for i in (index - 1, index - 2) if i >= 0]
        if words[:1] == ["UNION"] and roles[0] is _Role.KEYWORD:
            return True
        return words[1:] == ["UNION"] and roles[1] is _Role.KEYWORD and words[0] in ("ALL", "DISTINCT")

    def _begins_pattern(self, index: int) -> bool:
        """Whether this is the pattern of `EXISTS { (a)-->(b) }`, which needs no MATCH; CALL has no such form."""
        return index > 1 and self._previous(index) == "{" and self._tokens[index - 2].text.upper() in _SUBQUERIES

    def _is_subquery(self, index: int) -> bool:
        previous = index - 1
        if previous < 0:
            return False
        if self._tokens[previous].text == ")":
            previous = self._opening(previous) - 1
            return previous >= 0 and self._is_keyword(previous, {"CALL"})
        return self._is_keyword(previous, _SUBQUERIES | {"CALL"})

    def _check_call(self, index: int) -> None:
        follows = index + 1
        if self._next(index) == "(":
            depth = 0
            for follows in range(index + 1, len(self._tokens)):
                depth += {"(": 1, ")": -1}.get(self._tokens[follows].text, 0)
                if depth == 0:
                    break
            follows += 1
        if follows >= len(self._tokens) or self._tokens[follows].text != "{":
            raise refuse(
                self._text, self._tokens[index].start, "CALL must open a subquery, CALL { ... }; procedures are not run"
            )

    def _is_property(self, index: int) -> bool:
        """After the dot of `n.name`, of a namespaced function, or of the map projection `n {.name}`."""
        if self._previous(index) != "." or index < 2:
            return False
        before = self._tokens[index - 2]
        return (before.kind is not TokenKind.NUMBER and self._roles[index - 2] is _Role.OPERAND_END) or (
            before.text in ("{", ",") and self._open[-1:] == ["{"]
        )

    def _is_label(self, index: int) -> bool:
        return self._previous(index) == ":" and index > 1 and self._roles[index - 2] is not _Role.KEY

    def _is_key(self, index: int) -> bool:
        in_map = self._open[-1:] == ["{"] and self._previous(index) in ("{", ",")
        return in_map and self._next(index) == ":"

    def _is_alias(self, index: int) -> bool:
        return index > 0 and self._is_keyword(index - 1, ("AS",))

    def _is_soft_keyword(self, index: int) -> bool:
        """Words that are keywords by what follows: `EXISTS {`, `SHORTEST 3 PATHS (`; else they are plain names."""
        upper, follows = self._tokens[index].text.upper(), self._next(index)
        if upper in _SUBQUERIES:
            return follows == "{"
        path_follows = follows.upper() in _PATH_WORDS or follows.isdigit() or (follows == "(" and upper != "ANY")
        return upper in _PATH_WORDS and path_follows

    def _is_keyword(self, index: int, words: Collection[str]) -> bool:
        return self._roles[index] is _Role.KEYWORD and self._tokens[index].text.upper() in words

    def _opening(self, index: int) -> int:
        depth = 0
        for place in range(index, -1, -1):
            depth += {")": 1, "(": -1}.get(self._tokens[place].text, 0)
            if depth == 0:
                return place
        return 0

    def _dotted(self, index: int) -> str:
        parts = [self._tokens[index].text]
        while index >= 2 and self._tokens[index - 1].text == ".":
            index -= 2
            parts.insert(0, self._tokens[index].text)
        return ".".join(parts)

    def _previous(self, index: int) -> str:
        return self._tokens[index - 1].text if index else ""

    def _next(self, index: int) -> str:
        return self._tokens[index + 1].text if index + 1 < len(self._tokens) else ""
