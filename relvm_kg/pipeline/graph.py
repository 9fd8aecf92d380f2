"""What the commands ask of the graph: queries, and copies between the workspace and a Neo4j server."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.grounder import Grounder
from relvm_kg.entities.lookup import NamesLookup
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Progress
from relvm_kg.workspace import Workspace, read_json
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.queries import NamedQuery, named_query
from relvm_kg_graph.store import DEFAULT_TIMEOUT, GraphCounts, GraphStore, QueryResult, StoredRun
from relvm_kg_graph.transfer import Origin, Transfer, copy_base, copy_runs, server_origin

if TYPE_CHECKING:
    from relvm_kg_graph.bolt import Neo4jSettings

__all__ = ["GraphStatus", "QueryAnswer", "Transfer"]

Place = Union[Workspace, "Neo4jSettings"]
"""Where a graph is: the embedded store of a workspace, or a Neo4j server."""

ENTITY_PARAMETERS = ("id", "disease", "gene", "chemical", "entity")
"""Parameters of named queries that stand for an entity."""


@dataclass(frozen=True, kw_only=True)
class QueryAnswer:
    """Rows of a query, and whether the graph they come from is simulated."""

    result: QueryResult
    store: str
    simulated: bool


@dataclass(frozen=True, kw_only=True)
class GraphStatus:
    """What a store holds."""

    store: str
    counts: GraphCounts
    runs: tuple[StoredRun, ...]
    corpus_hash: str
    simulated: bool


def open_graph(place: Place) -> GraphStore:
    """The store of a place.

    Raises:
        StoreError: if a server does not answer.
    """
    if isinstance(place, Workspace):
        return EmbeddedStore(place.graph_dir)
    from relvm_kg_graph.neo4j_store import Neo4jStore

    return Neo4jStore(place)


def origin(place: Place, store: GraphStore) -> Origin:
    """What a store's entities, known relations and co-mentions were made from."""
    if not isinstance(place, Workspace):
        return server_origin(store)
    path = place.graph_dir / "graph.json"
    values = read_json(path) if path.is_file() else {}
    return Origin(values.get("corpus_hash", ""), bool(values.get("simulated", place.manifest.simulated)))


def make_statement(
    text: str | None, name: str | None, parameters: Mapping[str, Any], workspace: Workspace | None = None
) -> Statement:
    """A statement of one's own or of the library.

    Args:
        text: One's own statement, or None.
        name: The name of a statement of the library, or None.
        parameters: Values by name. In a named query an entity may be an id, symbol, name or synonym.
        workspace: Whose catalogue names entities; without one, or without a corpus in it, they must be ids.

    Raises:
        InvalidInputError: if there is neither or both, no such named query, or a parameter does not fit it.
        UnknownEntityError: if an entity is not in the catalogue.
        AmbiguousEntityError: if a name is that of several entities.
        NoTextError: if an entity is known by name, and nothing is written of it in the workspace.
    """
    if (text is None) == (name is None):
        raise InvalidInputError("a query needs one statement: its text, a file with --file, or a name with --named")
    if name is not None:
        query = named_query(name)
        return query.statement(_fitting(query, query.statement(parameters).parameters, workspace))
    assert text is not None
    return Statement(text, dict(parameters))


def _fitting(query: NamedQuery, values: Mapping[str, Any], workspace: Workspace | None) -> dict[str, Any]:
    """The parameters of a named query, checked, with its entities grounded as those of a score are."""
    for name, default in query.defaults.items():
        if _is_number(default) and not _is_number(values[name]):
            raise InvalidInputError(f"{name} must be a number, was: {values[name]!r}")
    fitting = dict(values)
    entities = [name for name in query.defaults if name in ENTITY_PARAMETERS]
    if workspace is not None:
        found = ground_ids(workspace, [str(values[name]) for name in entities])
        fitting |= {name: id for name, (id, _) in zip(entities, found, strict=True)}
    return fitting


def ground_ids(workspace: Workspace, texts: Sequence[str]) -> list[tuple[str, str | None]]:
    """The ids that texts mean, each with what to tell of the name; where there is no corpus, texts must be ids.

    Raises:
        UnknownEntityError: if an entity is not in the catalogue.
        AmbiguousEntityError: if a name is that of several entities.
        NoTextError: if an entity is known by name, and nothing is written of it in the workspace.
    """
    if not texts or workspace.manifest.generation is None:
        return [(text, None) for text in texts]
    catalogue = Catalogue.load(workspace.corpus_dir)
    grounder = Grounder(catalogue, NamesLookup.in_folder(workspace.corpus_dir))
    found = [grounder.ground(text) for text in texts]
    return [(str(catalogue.ids[one.entity]), one.note) for one in found]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def ask(
    place: Place, statement: Statement, *, limit: int | None = None, timeout: float = DEFAULT_TIMEOUT
) -> QueryAnswer:
    """Run a reading statement in a workspace's graph or on a server.

    Raises:
        QueryRefusedError: if the statement does more than read.
        StoreError: if it is not valid, takes too long, or there is no graph.
    """
    with open_graph(place) as store:
        result = store.query(statement, limit=limit, timeout=timeout)
        return QueryAnswer(result=result, store=store.name, simulated=origin(place, store).simulated)


def graph_status(place: Place) -> GraphStatus:
    """What a workspace's graph, or a server's, holds."""
    with open_graph(place) as store:
        made_from = origin(place, store)
        return GraphStatus(
            store=store.name,
            counts=store.counts(),
            runs=tuple(store.runs()),
            corpus_hash=made_from.corpus_hash,
            simulated=made_from.simulated,
        )


def roll_back(place: Place, run_id: str) -> int:
    """Remove a prediction run from a workspace's graph, or from a server; returns how many predictions went.

    Raises:
        StoreError: if there is no such run.
        WorkspaceError: if another process writes to the workspace.
    """
    lock = place.lock() if isinstance(place, Workspace) else nullcontext()
    with lock, open_graph(place) as store:
        return store.rollback(run_id)


def push_graph(
    workspace: Workspace, server: "Neo4jSettings", run_ids: Iterable[str] | None, progress: Progress
) -> Transfer:
    """Copy the workspace's graph to the server: entities, known relations, co-mentions, and prediction runs it lacks.

    Args:
        workspace: One with a graph.
        server: Where to copy to.
        run_ids: Prediction runs; None takes all whole ones.
        progress: Where progress goes.
    """
    with EmbeddedStore(workspace.graph_dir) as source, open_graph(server) as target:
        copy_base(source, target, origin(workspace, source), progress)
        copied, before = copy_runs(source, target, run_ids, progress)
        return Transfer(base=True, runs=tuple(copied), runs_before=tuple(before), counts=target.counts())


def pull_graph(
    workspace: Workspace, server: "Neo4jSettings", run_ids: Iterable[str] | None, progress: Progress
) -> Transfer:
    """Copy prediction runs from the server to the workspace; the rest of the graph only where the workspace has none.

    A run that an earlier pull left half-written is copied anew, since a server's rows come in any order.

    Args:
        workspace: Where to copy to.
        server: Where to copy from.
        run_ids: Prediction runs; None takes all whole ones.
        progress: Where progress goes.
    """
    with workspace.lock(), EmbeddedStore(workspace.graph_dir) as target, open_graph(server) as source:
        base = not (workspace.graph_dir / "graph.json").is_file()
        if base:
            copy_base(source, target, server_origin(source), progress)
        offered = {stored.run.run_id for stored in source.runs() if stored.complete}
        for stored in target.runs():
            if not stored.complete and stored.run.run_id in (offered if run_ids is None else set(run_ids) & offered):
                target.rollback(stored.run.run_id)
        copied, before = copy_runs(source, target, run_ids, progress)
        return Transfer(base=base, runs=tuple(copied), runs_before=tuple(before), counts=target.counts())
