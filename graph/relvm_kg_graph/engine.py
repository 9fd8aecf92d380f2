"""The embedded Cypher engine: one class that could be replaced by another engine without touching anything else.

The engine is young, so nothing is stored in its format alone: its file is a cache of the Parquet tables.
"""

import re
import warnings
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, Self

import pyarrow as pa

from relvm_kg.errors import StoreError
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.schema import (
    CATEGORY_LABELS,
    ENTITY_LABEL,
    RUN_LABEL,
    SCHEMA_NAME,
    SCHEMA_VERSION,
    VERSION_LABEL,
    EdgeType,
)
from relvm_kg_graph.store import QueryResult
from relvm_kg_graph.tokens import Token, tokenise

ENGINE_VERSION = f"kglite-{version('kglite')}"
_NODE_KEYS, _EDGE_KEYS = {"id", "labels", "properties"}, {"id", "start", "end", "type", "properties"}
_PATH_KEYS = {"nodes", "relationships"}
_ENGINE_PROPERTIES = {"title", "type"}
_CUT_WARNING = "Result truncated by row_limit"
"""Start of the engine's warning of what `QueryResult.truncated` says; it names an option that no caller has."""
_WORK_CEILING = "max_work_units"
_MISSING_PARAMETER = re.compile(r"Missing parameter: \$(\w+)")


def _kglite() -> Any:
    """The engine's library, loaded when the first statement runs.

    Together with PyTorch and scikit-learn it can exceed the room that glibc keeps for thread-local storage of libraries
    loaded late; what does not ask a query should not pay for that.
    """
    try:
        import kglite
    except ImportError as error:
        raise StoreError(
            f"the Cypher engine cannot be loaded: {error}. If it names a static TLS block, start the program with the "
            "environment variable GLIBC_TUNABLES=glibc.rtld.optional_static_tls=4096"
        ) from error
    return kglite


class CypherEngine(Protocol):
    """What the embedded store needs of an engine."""

    def run(self, statement: Statement, limit: int | None, timeout: float) -> QueryResult:
        """Run a statement that the guard has let through; `timeout` in seconds."""

    def save(self, path: Path) -> None:
        """Write the engine's own file."""


class KgliteEngine:
    """The graph in memory in kglite, which answers Cypher."""

    def __init__(self, graph: Any) -> None:
        graph.read_only(True)
        _kglite().set_query_warning_policy("silent")
        self._graph = graph
        self._ids: list[str] | None = None

    @classmethod
    def build(
        cls, entities: pa.Table, runs: Iterable[Mapping[str, Any]], edges: Iterable[tuple[EdgeType, pa.Table]]
    ) -> Self:
        """Load tables of the schema; the ends of every edge must be among the entities."""
        from relvm_kg_graph.frames import frame, frame_of  # loads pandas, which no query needs

        graph = _kglite().KnowledgeGraph()
        graph.add_nodes(frame_of([{"name": SCHEMA_NAME, "version": SCHEMA_VERSION}]), VERSION_LABEL, "name")
        if entities.num_rows:
            graph.add_nodes(frame(entities), ENTITY_LABEL, "id")
            _label_entities(graph, entities)
        if run_rows := list(runs):
            graph.add_nodes(frame_of(run_rows), RUN_LABEL, "run_id")
        for edge_type, table in edges:
            if table.num_rows:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    graph.add_relationships(
                        frame(table), edge_type.value, ENTITY_LABEL, "subject", ENTITY_LABEL, "object"
                    )
        return cls(graph)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file that `save` wrote.

        Raises:
            StoreError: if it is damaged.
        """
        kglite = _kglite()
        try:
            return cls(kglite.load(str(path)))
        except kglite.KgError as error:
            raise StoreError(f"the engine's cache {path} cannot be read: {error}") from error

    def save(self, path: Path) -> None:
        """See `CypherEngine.save`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of columns that a later load holds in memory
            self._graph.save(str(path))

    def run(self, statement: Statement, limit: int | None, timeout: float) -> QueryResult:
        """See `CypherEngine.run`."""
        kglite = _kglite()
        try:
            view = self._graph.cypher(
                _lists_in_brackets(statement.text),
                params=dict(statement.parameters) or None,
                timeout_ms=max(1, int(timeout * 1000)),
                row_limit=limit,
            )
            records = view.to_list()
        except kglite.CypherTimeoutError as error:
            raise StoreError(f"the query must end within {timeout:g} s; give it more time or narrow it") from error
        except (kglite.KgError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise StoreError(_told(str(error))) from error
        columns = tuple(view.columns)
        rows = [tuple(self._plain(record[column]) for column in columns) for record in records]
        told = tuple(warning for warning in view.warnings if not warning.startswith(_CUT_WARNING))
        return QueryResult(columns, rows, view.diagnostics["total_rows"] is not None, told)

    def _plain(self, value: Any) -> Any:
        """The engine's nodes, relationships and paths in the form that `QueryResult` describes."""
        if isinstance(value, list):
            return [self._plain(item) for item in value]
        if not isinstance(value, dict):
            return value
        keys = value.keys()
        if keys == _NODE_KEYS and isinstance(value["properties"], dict) and isinstance(value["labels"], list):
            return _node(value)
        if keys == _EDGE_KEYS and isinstance(value["properties"], dict):
            ends = {"_start": self._id(value["start"]), "_end": self._id(value["end"])}
            return {**value["properties"], "_type": value["type"], **ends}
        if keys == _PATH_KEYS:
            return {f"_{key}": self._plain(items) for key, items in value.items()}
        return {key: self._plain(item) for key, item in value.items()}

    def _id(self, element: int) -> Any:
        """The id of a node that the engine names by its own number."""
        if self._ids is None:
            rows = self._graph.cypher("MATCH (n) RETURN elementId(n) AS element, n.id AS id").to_list()
            ids = {int(row["element"]): row["id"] for row in rows}
            self._ids = [ids.get(number, "") for number in range(max(ids) + 1)]
        return self._ids[element]


def _lists_in_brackets(text: str) -> str:
    """The same statement with `x IN [...]` written `x IN ([...])`: the engine takes no more than a plain list there.

    >>> _lists_in_brackets("RETURN 1 IN [x IN [1, 2] WHERE x > 1][0..1] AS b")
    'RETURN 1 IN ([x IN ([1, 2]) WHERE x > 1][0..1]) AS b'
    >>> _lists_in_brackets("WITH {in: [7]} AS n RETURN n.in[0] AS x")
    'WITH {in: [7]} AS n RETURN n.in[0] AS x'
    """
    tokens, _ = tokenise(text)
    marks: list[tuple[int, str]] = []
    for index, token in enumerate(tokens[1:], start=1):
        is_property = index > 1 and tokens[index - 2].text == "."
        if token.text == "[" and tokens[index - 1].text.upper() == "IN" and not is_property:
            marks += [(token.start, "("), (_end_of_lists(tokens, index), ")")]
    for start, mark in sorted(marks, reverse=True):
        text = text[:start] + mark + text[start:]
    return text


def _end_of_lists(tokens: list[Token], index: int) -> int:
    """Where the list that opens at a token ends, with the `[...]` that take something out of it."""
    depth, end = 0, 0
    for token in tokens[index:]:
        if depth == 0 and token.text != "[":
            break
        depth += {"[": 1, "]": -1}.get(token.text, 0)
        end = token.start + 1
    return end


def _told(message: str) -> str:
    """The engine's error in the words of those who ask."""
    if _WORK_CEILING in message:
        return "the query touches too many rows; name the ends or bound the path, as in -[*..3]-"
    if missing := _MISSING_PARAMETER.search(message):
        name = missing[1]
        return f"the statement needs a value for its parameter ${name}; give it with --param {name}=VALUE"
    return f"the statement cannot be run: {message}"


def _node(value: Mapping[str, Any]) -> dict[str, Any]:
    properties = {k: v for k, v in value["properties"].items() if k not in _ENGINE_PROPERTIES}
    if ENTITY_LABEL not in value["labels"]:
        properties.pop("id", None)
    return {**properties, "_labels": sorted(value["labels"])}


def _label_entities(graph: Any, entities: pa.Table) -> None:
    by_label: dict[str, list[str]] = {}
    for entity, category in zip(entities["id"].to_pylist(), entities["category"].to_pylist(), strict=True):
        by_label.setdefault(CATEGORY_LABELS[category], []).append(entity)
    for label, ids in by_label.items():
        graph.add_label(ENTITY_LABEL, ids, label)
