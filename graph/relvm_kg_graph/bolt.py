"""A connection to Neo4j over Bolt with the official driver, which enters here only."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlsplit

import neo4j
from neo4j import exceptions, graph
from neo4j.time import Date, DateTime, Duration, Time

from relvm_kg.errors import InvalidInputError, StoreError
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.store import QueryResult

DEFAULT_DATABASE = "neo4j"
_SCHEMES = frozenset(f"{name}{tls}" for name in ("bolt", "neo4j") for tls in ("", "+s", "+ssc"))
_FETCH = 10_000
_UNKNOWN_NAMES = frozenset({"01N50", "01N51", "01N52"})
"""GQL statuses for a label, relationship type or property that the database does not have."""
_IDS_OF_ELEMENTS = (
    "MATCH (n) WHERE elementId(n) IN $elements RETURN elementId(n) AS element, coalesce(n.id, n.run_id) AS id"
)


@dataclass(frozen=True, kw_only=True)
class Neo4jSettings:
    """Where the server is and who asks. The password shows in no text made of this record."""

    uri: str
    user: str = "neo4j"
    password: str | None = field(default=None, repr=False)
    """None: the server asks for none."""
    database: str = DEFAULT_DATABASE
    retry_seconds: float = 30.0
    """How long a write is tried again when the server is away for a moment."""
    ask_password: Callable[[str, str], str] | None = field(default=None, repr=False, compare=False)
    """Gets the password from a person, given user and address, where the server asks for one and none is set."""

    @classmethod
    def from_environment(cls, uri: str | None = None, ask_password: Callable[[str, str], str] | None = None) -> Self:
        """Read `RELVM_KG_NEO4J_URI`, `_USER`, `_PASSWORD` and `_DATABASE`; a `uri` given here goes first.

        Raises:
            InvalidInputError: if no address is given.
        """
        address = uri or os.environ.get("RELVM_KG_NEO4J_URI")
        if not address:
            raise InvalidInputError(
                "the address of the Neo4j server must be given (--neo4j bolt://HOST:7687), or set in RELVM_KG_NEO4J_URI"
            )
        return cls(
            uri=address,
            user=os.environ.get("RELVM_KG_NEO4J_USER", "neo4j"),
            password=os.environ.get("RELVM_KG_NEO4J_PASSWORD") or None,
            database=os.environ.get("RELVM_KG_NEO4J_DATABASE") or DEFAULT_DATABASE,
            ask_password=ask_password,
        )


class BoltConnection:
    """Reads and writes of one database; every error of the driver leaves as a `StoreError` in plain words."""

    def __init__(self, settings: Neo4jSettings) -> None:
        if "@" in settings.uri:
            raise InvalidInputError(
                "the address of a Neo4j server must hold no user or password; set RELVM_KG_NEO4J_USER and "
                "RELVM_KG_NEO4J_PASSWORD"
            )
        if not _is_address(settings.uri):
            raise InvalidInputError(
                f"the address of a Neo4j server must be bolt://HOST:PORT, or begin with neo4j://, bolt+s:// or "
                f"neo4j+s://, was: {settings.uri!r}"
            )
        logging.getLogger("neo4j").addHandler(logging.NullHandler())  # what matters is raised, not printed
        logging.getLogger("neo4j.notifications").setLevel(logging.ERROR)
        self._settings = settings
        with self._errors():
            try:
                self._driver = _connected(settings)
            except exceptions.AuthError:
                if settings.password is not None or settings.ask_password is None:
                    raise
                self._settings = replace(settings, password=settings.ask_password(settings.user, settings.uri))
                self._driver = _connected(self._settings)

    def close(self) -> None:
        """Close the driver's connections."""
        self._driver.close()

    def rows(self, text: str, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of one of our own reading statements."""
        with self._errors(), self._session(neo4j.READ_ACCESS) as session:
            return session.execute_read(lambda tx: tx.run(text, parameters).data())

    def stream(self, text: str, **parameters: Any) -> Iterator[neo4j.Record]:
        """Rows of one of our own reading statements as they come."""
        with self._errors(), self._session(neo4j.READ_ACCESS) as session:
            yield from session.run(text, parameters)

    def write(self, *statements: tuple[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Run statements in one managed transaction, tried again by the driver; returns the rows of the first."""

        def work(tx: neo4j.ManagedTransaction) -> list[dict[str, Any]]:
            answers = [tx.run(text, dict(parameters)).data() for text, parameters in statements]
            return answers[0]

        with self._errors(), self._session(neo4j.WRITE_ACCESS) as session:
            return session.execute_write(work)

    def schema_change(self, texts: Iterable[str]) -> None:
        """Run statements that make constraints or indexes, each in a transaction of its own."""
        with self._errors(), self._session(neo4j.WRITE_ACCESS) as session:
            for text in texts:
                session.run(text).consume()
            session.run("CALL db.awaitIndexes(300)").consume()

    def query(self, statement: Statement, limit: int | None, timeout: float) -> QueryResult:
        """Run a statement that the guard has let through, reading only, for at most `timeout` seconds."""

        @neo4j.unit_of_work(timeout=timeout)
        def work(tx: neo4j.ManagedTransaction) -> QueryResult:
            result = tx.run(statement.text, dict(statement.parameters))
            columns = tuple(result.keys())
            records = list(result) if limit is None else result.fetch(limit + 1)
            warnings = _warnings(result.consume())
            kept = records if limit is None else records[:limit]
            ids = _ids_of_bare_ends(tx, kept)
            rows = [tuple(_plain(value, ids) for value in record.values()) for record in kept]
            return QueryResult(columns, rows, len(records) > len(kept), warnings)

        with self._errors(timeout), self._session(neo4j.READ_ACCESS) as session:
            return session.execute_read(work)

    def _session(self, access: str) -> neo4j.Session:
        return self._driver.session(database=self._settings.database, default_access_mode=access, fetch_size=_FETCH)

    @contextmanager
    def _errors(self, timeout: float | None = None) -> Iterator[None]:
        try:
            yield
        except exceptions.AuthError as error:
            settings = self._settings
            if settings.password is None:
                how = "set RELVM_KG_NEO4J_PASSWORD, or type it where the command runs in a terminal"
                raise StoreError(f"{settings.uri} wants the password of {settings.user!r}; {how}") from error
            check = "check RELVM_KG_NEO4J_USER and RELVM_KG_NEO4J_PASSWORD"
            raise StoreError(f"{settings.uri} refuses the user {settings.user!r}; {check}") from error
        except exceptions.Neo4jError as error:
            raise StoreError(self._words(error, timeout)) from error
        except (exceptions.DriverError, OSError) as error:
            raise StoreError(_why_not_reached(self._settings.uri, error)) from error
        except (ValueError, TypeError, OverflowError) as error:
            raise StoreError(f"the statement cannot be run on {self._settings.uri}: {error}") from error

    def _words(self, error: exceptions.Neo4jError, timeout: float | None) -> str:
        code = error.code or ""
        if "DatabaseNotFound" in code:
            return f"{self._settings.uri} has no database {self._settings.database!r}; correct RELVM_KG_NEO4J_DATABASE"
        if "TransactionTimedOut" in code and timeout is not None:
            return f"the query must end within {timeout:g} s; give it more time or narrow it"
        if "ConstraintCreationFailed" in code or "ConstraintValidationFailed" in code:
            holds = f"the database {self._settings.database!r} holds other data that clashes"
            return f"{holds}, use an empty one: {error.message}"
        return f"the statement cannot be run: {error.message}"


def _is_address(uri: str) -> bool:
    """Whether a server can be there.

    >>> [_is_address(uri) for uri in ("bolt://localhost", "neo4j+s://[::1]:7687", "bolt://localhost:99999", "bolt://:7")]
    [True, True, False, False]
    """
    try:
        parts = urlsplit(uri)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or none that there is
        return False


def _connected(settings: Neo4jSettings) -> neo4j.Driver:
    """A driver that has reached the database."""
    auth = None if settings.password is None else (settings.user, settings.password)
    driver = neo4j.GraphDatabase.driver(
        settings.uri, auth=auth, connection_timeout=10, max_transaction_retry_time=settings.retry_seconds
    )
    try:
        driver.verify_connectivity()  # at once: a query would be tried again for `retry_seconds`
        driver.execute_query("RETURN 1", database_=settings.database, routing_=neo4j.RoutingControl.READ)
    except BaseException:
        driver.close()
        raise
    return driver


def _why_not_reached(uri: str, error: BaseException) -> str:
    """What to do where the driver found no server."""
    told = str(error).strip()
    said = told.splitlines()[0].rstrip(":") if told else type(error).__name__
    advice = "start it, or correct --neo4j or RELVM_KG_NEO4J_URI"
    scheme = uri.partition("://")[0]
    if scheme.endswith("+s"):
        advice += "; a certificate that no public authority signed must be named in SSL_CERT_FILE"
        advice += f", or goes unchecked with {scheme}sc://"
    elif "+" not in scheme:
        advice += f"; one that wants TLS goes by {scheme}+s://"
    return f"no Neo4j server answers at {uri} ({said}); {advice}"


def _warnings(summary: neo4j.ResultSummary) -> tuple[str, ...]:
    """What the server says of names that it does not know."""
    return tuple(s.status_description for s in summary.gql_status_objects if s.gql_status in _UNKNOWN_NAMES)


def _ids_of_bare_ends(tx: neo4j.ManagedTransaction, records: Iterable[neo4j.Record]) -> dict[str, str]:
    """Ids of the ends of relationships, which come without properties unless their nodes are in the answer too."""
    elements: set[str] = set()
    for record in records:
        for value in record.values():
            _collect_bare_ends(value, elements)
    if not elements:
        return {}
    rows = tx.run(_IDS_OF_ELEMENTS, {"elements": sorted(elements)})
    return {row["element"]: row["id"] for row in rows}


def _collect_bare_ends(value: Any, elements: set[str]) -> None:
    if isinstance(value, graph.Relationship):
        elements.update(node.element_id for node in value.nodes if node is not None and "id" not in node)
    elif isinstance(value, graph.Path):
        for relationship in value.relationships:
            _collect_bare_ends(relationship, elements)
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _collect_bare_ends(item, elements)


def _plain(value: Any, ids: Mapping[str, str]) -> Any:  # noqa: PLR0911  one return for each kind of value
    """The driver's nodes, relationships, paths and times in the form that `QueryResult` describes."""
    if isinstance(value, list):
        return [_plain(item, ids) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, ids) for key, item in value.items()}
    if isinstance(value, graph.Node):
        return {**dict(sorted(value.items())), "_labels": sorted(value.labels)}
    if isinstance(value, graph.Relationship):
        ends = [None if node is None else node.get("id") or ids.get(node.element_id) for node in value.nodes]
        return {**dict(sorted(value.items())), "_type": value.type, "_start": ends[0], "_end": ends[1]}
    if isinstance(value, graph.Path):
        nodes, relationships = list(value.nodes), list(value.relationships)
        return {"_nodes": _plain(nodes, ids), "_relationships": _plain(relationships, ids)}
    if isinstance(value, Date | DateTime | Time):
        return value.to_native()
    return value.iso_format() if isinstance(value, Duration) else value
