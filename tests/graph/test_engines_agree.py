"""The embedded engine against a real Neo4j: random small graphs, random reading statements, equal answers.

A few graphs with some statements each run every time; `RELVM_KG_FUZZ_SECONDS=300 pytest -s
tests/graph/test_engines_agree.py` goes on for so many seconds. What the engines are known to answer differently stands
in docs/graph.md and is pinned by a test here.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from relvm_kg.errors import StoreError
from relvm_kg_graph.cypher import Statement, check_reading
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.engine import KgliteEngine
from relvm_kg_graph.neo4j_store import Neo4jStore
from relvm_kg_graph.schema import (
    COMENTION_SCHEMA,
    ENTITY_SCHEMA,
    KNOWN_SCHEMA,
    PREDICTION_BATCH_SCHEMA,
    EdgeType,
    PredictionRun,
    complete_predictions,
)
from relvm_kg_graph.store import BaseGraph, QueryResult, write_predictions

SECONDS = float(os.environ.get("RELVM_KG_FUZZ_SECONDS", "0"))
STATEMENTS_A_GRAPH = 12
TYPES = {
    "Gene": ("NCBIGene:{}", "biolink:Gene"),
    "Disease": ("MESH:D{}", "biolink:Disease"),
    "Chemical": ("MESH:C{}", "biolink:ChemicalEntity"),
}
LABELS = {"DISEASE-GENE": "dg", "GENE-GENE": "gg", "CHEMICAL-GENE": "cg", "CHEMICAL-DISEASE": "cd"}
TEXTS = (
    "",
    "SOD1",
    "sod1",
    "SOD2",
    "it's",
    'a "b" c',
    "β-amyloid",
    "😀",
    "x_y%",
    "back\\slash",
    " tab\t ",
    "10",
    "null",
)
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
EDGE_TYPES = ("ASSOCIATED", "CO_MENTIONED", "PREDICTED")


# Graphs


@dataclass(frozen=True)
class Tables:
    """A small graph as rows of the schema."""

    entities: list[dict[str, Any]]
    known: list[dict[str, Any]]
    comentions: list[dict[str, Any]]
    runs: list[list[dict[str, Any]]]


@st.composite
def graphs(draw: st.DrawFn) -> Tables:
    """Two to seven entities of three types, and edges of every type between them; two prediction runs."""
    entities = []
    for label, (form, category) in TYPES.items():
        for number in range(draw(st.integers(1 if label != "Gene" else 2, 3))):
            entity: dict[str, Any] = {"id": form.format(number + 1), "category": category, "simulated": False}
            entity |= {"name": draw(st.sampled_from(TEXTS)), "n_documents": draw(st.integers(0, 4))}
            entity |= {"synonyms": draw(st.lists(st.sampled_from(TEXTS), max_size=2))}
            entity |= {"document_share": draw(st.sampled_from((None, *QUARTERS)))}
            entities.append(entity | {"depth": draw(st.sampled_from((None, None, 1, 2, 3)))})
    ids = [entity["id"] for entity in entities]
    pairs = [(a, b) for a in ids for b in ids if a < b or (a == b and a.startswith("NCBIGene"))]
    some = st.lists(st.sampled_from(pairs), min_size=2, max_size=10, unique=True)
    known = [
        {
            "subject": a,
            "object": b,
            "relation": draw(st.sampled_from(list(LABELS))),
            "predicate": draw(st.sampled_from(TEXTS)),
            "primary_knowledge_source": "curators",
            "publications": draw(st.lists(st.sampled_from(("PMID:1", "PMID:2")), max_size=2)),
            "simulated": False,
        }
        for a, b in draw(some)
    ]
    comentions = [
        {
            "subject": a,
            "object": b,
            "n_documents": draw(st.integers(1, 3)),
            "n_sentences": draw(st.integers(1, 5)),
            "npmi": draw(st.sampled_from((-0.5, *QUARTERS))),
            "first_year": draw(st.sampled_from((None, 1999, 2005))),
            "simulated": False,
        }
        for a, b in draw(some)
    ]
    return Tables(entities, known, comentions, [[draw(predictions(a, b)) for a, b in draw(some)] for _ in range(2)])


@st.composite
def predictions(draw: st.DrawFn, subject: str, object: str) -> dict[str, Any]:
    """One row of a run."""
    maybe = st.sampled_from((None, *QUARTERS))
    return {
        "subject": subject,
        "object": object,
        "relation": draw(st.sampled_from(list(LABELS))),
        "score": draw(st.sampled_from(QUARTERS)),
        **{name: draw(maybe) for name in ("raw_score", "uncertainty", "training_prevalence")},
        "rank": draw(st.sampled_from((None, 1, 2, 3))),
        **{name: draw(st.booleans()) for name in ("seen", "known")},
        **{name: draw(st.sampled_from((None, True, False))) for name in ("near_known", "general")},
        "evidence_ids": draw(st.lists(st.sampled_from(("PMID:7#2", "PMID:8#0")), max_size=2)),
        "n_evidence": draw(st.integers(0, 2)),
    }


# Statements


@dataclass
class Scope:
    """Names that a clause may use: nodes, relationships with their type, and values by kind."""

    nodes: list[str] = field(default_factory=list)
    edges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    n_names: int = 0

    def new(self, prefix: str) -> str:
        self.n_names += 1
        return f"{prefix}{self.n_names}"


NODE_PROPERTIES = {
    "number": ("n_documents", "depth", "document_share"),
    "text": ("id", "name", "category"),
    "truth": ("simulated",),
    "texts": ("synonyms",),
}
EDGE_PROPERTIES: dict[str, dict[str, tuple[str, ...]]] = {
    "ASSOCIATED": {"text": ("relation", "predicate"), "texts": ("publications",)},
    "CO_MENTIONED": {"number": ("n_documents", "n_sentences", "npmi", "first_year")},
    "PREDICTED": {
        "number": ("score", "raw_score", "uncertainty", "rank", "n_evidence"),
        "text": ("relation", "run_id"),
        "truth": ("seen", "known", "near_known", "general"),
        "texts": ("evidence_ids",),
    },
}
LITERALS = {
    "number": ("0", "1", "2", "-1", "0.5", "0.25", "2.0", "1999", "null"),
    "text": ("''", "'SOD1'", "'s'", '"it\'s"', "'MESH:'", "'1'", "'DISEASE-GENE'", "'run-1'", "'β'", "null"),
    "truth": ("true", "false", "null"),
    "texts": ("[]", "['SOD1', 'x']", "['PMID:1']", "['b', null, 'a']"),
}


class Writer:
    """Writes one random statement clause by clause; `draw` chooses."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def pick(self, *choices: Any) -> Any:
        return self._draw(st.sampled_from(choices))

    def some(self, choices: list[Any], at_least: int = 0, at_most: int = 3) -> list[Any]:
        at_most = min(at_most, len(choices))
        return self._draw(
            st.lists(st.sampled_from(choices), min_size=min(at_least, at_most), max_size=at_most, unique=True)
        )

    def maybe(self, of: int = 2) -> bool:
        return bool(self._draw(st.integers(0, of - 1)) == 0)

    # Expressions

    def leaf(self, kind: str, scope: Scope) -> str:
        leaves = [f"{n}.{p}" for n in scope.nodes for p in NODE_PROPERTIES[kind]]
        for edge, types in scope.edges.items():
            leaves += [f"{edge}.{p}" for t in types for p in EDGE_PROPERTIES[t].get(kind, ())]
        leaves += [name for name, value_kind in scope.values.items() if value_kind == kind]
        return str(self.pick(*(leaves or LITERALS[kind]))) if not self.maybe(4) else str(self.pick(*LITERALS[kind]))

    def expression(self, kind: str, scope: Scope, depth: int = 2) -> str:
        if depth == 0 or self.maybe():
            return self.leaf(kind, scope)
        makers = {"number": self._number, "text": self._text, "truth": self._truth, "texts": self._texts}
        return makers[kind](scope, depth - 1)

    def _number(self, scope: Scope, depth: int) -> str:
        def inner(kind: str = "number") -> str:
            return self.expression(kind, scope, depth)

        forms = (
            lambda: f"({inner()} {self.pick('+', '-', '*')} {inner()})",
            lambda: f"({inner()} {self.pick('/', '%')} {self.pick('2', '3', '0.5')})",
            lambda: f"{self.pick('abs', 'sign', 'toInteger', 'toFloat', 'floor', 'ceil', '-')}({inner()})",
            lambda: f"coalesce({inner()}, {inner()})",
            lambda: f"size({inner(self.pick('text', 'texts'))})",
            lambda: f"toInteger({inner('text')})",
            lambda: f"CASE WHEN {inner('truth')} THEN {inner()} ELSE {inner()} END",
            lambda: f"CASE {inner('text')} WHEN {inner('text')} THEN {inner()} END",
            lambda: f"reduce(s = 0, x IN {inner('texts')} | s + size(x))",
        )
        return str(self.pick(*forms)())

    def _text(self, scope: Scope, depth: int) -> str:
        def inner(kind: str = "text") -> str:
            return self.expression(kind, scope, depth)

        forms = (
            lambda: f"{self.pick('toUpper', 'toLower', 'trim', 'reverse', 'ltrim', 'rtrim')}({inner()})",
            lambda: f"({inner()} + {inner()})",
            lambda: f"substring({inner()}, {self.pick(0, 1, 2)}, {self.pick(1, 3)})",
            lambda: f"{self.pick('left', 'right')}({inner()}, {self.pick(0, 2)})",
            lambda: f"coalesce({inner()}, {inner()})",
            lambda: f"replace({inner()}, 'S', 'z')",
            lambda: f"split({inner()}, ':')[{self.pick(0, 1, -1)}]",
            lambda: f"{self.pick('head', 'last')}({inner('texts')})",
            lambda: f"{inner('texts')}[{self.pick(0, 1, -1)}]",
            lambda: f"toString({inner(self.pick('truth', 'text'))})",
            lambda: f"CASE WHEN {inner('truth')} THEN {inner()} END",
            *((lambda: f"type({self.pick(*scope.edges)})",) if scope.edges else ()),
        )
        return str(self.pick(*forms)())

    def _truth(self, scope: Scope, depth: int) -> str:
        def inner(kind: str = "truth") -> str:
            return self.expression(kind, scope, depth)

        kind = self.pick("number", "text")
        forms = (
            lambda: f"{inner(kind)} {self.pick('=', '<>', '<', '<=', '>', '>=')} {inner(kind)}",
            lambda: f"{inner(self.pick('number', 'text', 'texts', 'truth'))} {self.pick('IS NULL', 'IS NOT NULL')}",
            lambda: f"({inner()} {self.pick('AND', 'OR', 'XOR')} {inner()})",
            lambda: f"NOT ({inner()})",
            lambda: f"{inner('text')} {self.pick('STARTS WITH', 'ENDS WITH', 'CONTAINS')} {inner('text')}",
            lambda: f"{inner('text')} IN {inner('texts')}",
            lambda: f"{inner('number')} IN [{inner('number')}, {inner('number')}]",
            lambda: (
                f"{self.pick('any', 'all', 'none', 'single')}(x IN {inner('texts')} "
                f"WHERE x {self.pick('=', '<>', '>', 'CONTAINS')} {inner('text')})"
            ),
            lambda: f"coalesce({inner()}, false)",
            lambda: f"{inner('texts')} {self.pick('=', '<>')} {inner('texts')}",
            lambda: f"{inner('text')} =~ '{self.pick('S.*', '.*1', '(?i)sod1', '[A-Z]+:.*')}'",
            lambda: f"{inner('number')} {self.pick('=', '<>')} {inner('text')}",
            *((lambda: f"{self.pick(*scope.nodes)}:{self.pick(*TYPES)}",) if scope.nodes else ()),
            *((lambda: f"EXISTS {{ {self.pattern_from(scope)} }}",) if scope.nodes else ()),
            *(
                (lambda: f"COUNT {{ {self.pattern_from(scope)} }} {self.pick('=', '>')} {self.pick(0, 1)}",)
                if scope.nodes
                else ()
            ),
        )
        return str(self.pick(*forms)())

    def _texts(self, scope: Scope, depth: int) -> str:
        def inner(kind: str = "texts") -> str:
            return self.expression(kind, scope, depth)

        forms = (
            lambda: f"[x IN {inner()} WHERE x {self.pick('=', '<>', '>', 'CONTAINS')} {inner('text')}]",
            lambda: f"[x IN {inner()} | {self.pick('toUpper(x)', 'x + x', 'x')}]",
            lambda: f"(coalesce({inner()}, []) + coalesce({inner()}, []))",
            lambda: f"{inner()}[{self.pick('0..1', '1..', '-1..', '..1')}]",
            lambda: f"tail({inner()})",
            lambda: f"split({inner('text')}, {self.pick(':', 'S', ' ')!r})",
            lambda: f"[{inner('text')}, {inner('text')}]",
            lambda: f"coalesce({inner()}, [])",
        )
        return str(self.pick(*forms)())

    # Patterns

    def edge(self, name: str, types: tuple[str, ...], hops: str = "", where: str = "") -> str:
        left, right = self.pick(("-", "->"), ("<-", "-"), ("-", "-"))
        return f"{left}[{name}:{'|'.join(types)}{hops}{where}]{right}"

    def pattern_from(self, scope: Scope) -> str:
        label = f":{self.pick(*TYPES)}" if self.maybe() else ""
        return f"({self.pick(*scope.nodes)}){self.edge('', (self.pick(*EDGE_TYPES),))}({label})"

    def node(self, name: str, *, fresh: bool) -> str:
        if not fresh:
            return f"({name})"
        label = self.pick(":Gene", ":Disease", ":Chemical", *[":Entity"] * 6)
        where = self.pick(*[""] * 9, " {name: 'SOD1'}", " {n_documents: 1}", " {id: $id}")
        return f"({name}{label}{where})"

    def match(self, scope: Scope) -> str:
        """A MATCH of one to two steps, from a known node where there is one; its names join the scope."""
        optional = "OPTIONAL " if scope.nodes and self.maybe() else ""
        fresh = not scope.nodes or self.maybe(3)
        start = scope.new("n") if fresh else self.pick(*scope.nodes)
        text = self.node(start, fresh=fresh)
        found = Scope([start] if fresh else [])
        for _ in range(self.pick(0, 1, 1, 1, 2) if fresh else 1):
            types = tuple(self.some(list(EDGE_TYPES), 1, 2))
            other = scope.new("n")
            if self.maybe(5):
                text += self.edge("", types, self.pick("*1..2", "*2", "*0..1", "*1..3")) + self.node(other, fresh=True)
            else:
                edge = scope.new("r")
                where = " {run_id: 'run-1'}" if types == ("PREDICTED",) and self.maybe(4) else ""
                text += self.edge(edge, types, "", where) + self.node(other, fresh=True)
                found.edges[edge] = types
            found.nodes.append(other)
        scope.nodes += found.nodes
        scope.edges |= found.edges
        where = f" WHERE {self.expression('truth', scope)}" if self.maybe(3) else ""
        return f"{optional}MATCH {text}{where}"

    # Clauses that shape rows

    def items(self, scope: Scope, *, aggregate: bool) -> dict[str, tuple[str, str]]:
        """Columns by name: expression and kind."""
        columns: dict[str, tuple[str, str]] = {}
        for _ in range(self.pick(1, 2, 3)):
            kind = self.pick("number", "text", "truth", "texts")
            columns[scope.new("c")] = (self.expression(kind, scope), kind)
        if aggregate:
            for _ in range(self.pick(1, 2)):
                columns[scope.new("a")] = self.aggregate(scope)
        return columns

    def aggregate(self, scope: Scope) -> tuple[str, str]:
        distinct = self.pick("", "DISTINCT ")
        number, text = self.expression("number", scope, 1), self.expression("text", scope, 1)
        chosen: tuple[str, str] = self.pick(
            ("count(*)", "number"),
            (f"count({distinct}{text})", "number"),
            (f"count({distinct}{number})", "number"),
            (f"{self.pick('sum', 'avg', 'min', 'max')}({distinct}{number})", "number"),
            (f"{self.pick('min', 'max')}({text})", "text"),
            (f"size(collect({distinct}{text}))", "number"),
            *(((f"count({distinct}{self.pick(*scope.nodes)})", "number"),) if scope.nodes else ()),
            *(((f"count({self.pick(*scope.edges)})", "number"),) if scope.edges else ()),
        )
        return chosen

    def order(self, names: list[str]) -> str:
        """By every column, so that the order is total but for equal rows; then rows may be skipped and cut."""
        keys = ", ".join(f"{name}{self.pick('', ' DESC')}" for name in self._draw(st.permutations(names)))
        skip = f" SKIP {self.pick(0, 1, 2)}" if self.maybe(3) else ""
        limit = f" LIMIT {self.pick(0, 1, 3, 5)}" if self.maybe() else ""
        return f" ORDER BY {keys}{skip}{limit}"

    def with_(self, scope: Scope) -> str:
        """WITH: all names kept and some added, or columns alone."""
        if scope.nodes and self.maybe():
            kept = self.pick(*scope.nodes)
            scope.nodes, scope.edges, scope.values = [kept], {}, {}
            name, (expression, kind) = scope.new("a"), self.aggregate(Scope([kept], n_names=scope.n_names))
            scope.values[name] = kind
            text = f"WITH {kept}, {expression} AS {name}"
        else:
            columns = self.items(scope, aggregate=self.maybe())
            scope.nodes, scope.edges = [], {}
            scope.values = {name: kind for name, (_, kind) in columns.items()}
            listed = ", ".join(f"{e} AS {n}" for n, (e, _) in columns.items())
            text = f"WITH {self.pick('', 'DISTINCT ')}{listed}" + (self.order(list(columns)) if self.maybe(3) else "")
        return text + (f" WHERE {self.expression('truth', scope)}" if self.maybe(3) else "")

    def unwind(self, scope: Scope) -> str:
        kind, listed = self.pick(
            ("text", self.expression("texts", scope)), ("number", "range(0, 2)"), ("number", "[1, null, 2]")
        )
        name = scope.new("u")
        text = f"UNWIND {listed} AS {name}"
        scope.values[name] = kind
        return text

    def call(self, scope: Scope) -> str:
        node = self.pick(*scope.nodes)
        inner = Scope([node], n_names=scope.n_names)
        text = f"MATCH ({node}){self.edge('q', (self.pick(*EDGE_TYPES),))}(m)"
        name, (expression, kind) = scope.new("a"), self.aggregate(inner)
        scope.values[name] = kind
        return f"CALL ({node}) {{ {text} RETURN {expression} AS {name} }}"

    def reading(self) -> tuple[str, Scope]:
        scope = Scope()
        clauses = [self.match(scope)] if not self.maybe(8) else [self.unwind(scope)]
        for _ in range(self.pick(0, 0, 1, 2)):
            makers = [self.match, self.with_, self.unwind, *([self.call] if scope.nodes else [])]
            clauses.append(self.pick(*makers)(scope))
        return " ".join(clauses), scope

    def statement(self) -> str:
        """One whole statement; two of equal columns joined by UNION now and then."""
        reading, scope = self.reading()
        columns = self.items(scope, aggregate=self.maybe(3))
        listed = ", ".join(f"{expression} AS {name}" for name, (expression, _) in columns.items())
        text = f"{reading} RETURN {self.pick('', '', 'DISTINCT ')}{listed}"
        if self.maybe(6):
            other, other_scope = self.reading()
            again = ", ".join(f"{self.expression(kind, other_scope)} AS {n}" for n, (_, kind) in columns.items())
            return f"{text} {self.pick('UNION', 'UNION ALL')} {other} RETURN {again}"
        if self.maybe():
            return text + self.order(list(columns))
        if scope.nodes and self.maybe(3):
            return f"{text}, {self.pick(*scope.nodes, *scope.edges)} AS whole"
        return text


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """A reading statement with its parameters."""
    return Statement(Writer(draw).statement(), {"id": "NCBIGene:1"})


# The comparison


def run_of(place: int) -> PredictionRun:
    created = f"2026-01-0{place}T00:00:00Z"
    return PredictionRun(run_id=f"run-{place}", model_id="m", model_version="1", corpus_hash="c", created_at=created)


def batch(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def embedded(tables: Tables) -> KgliteEngine:
    """The engine alone, without the files of its store."""
    runs = [(run_of(place), rows) for place, rows in enumerate(tables.runs, start=1)]
    edges = (
        (EdgeType.ASSOCIATED, [batch(tables.known, KNOWN_SCHEMA)]),
        (EdgeType.CO_MENTIONED, [batch(tables.comentions, COMENTION_SCHEMA)]),
        (EdgeType.PREDICTED, [complete_predictions(batch(r, PREDICTION_BATCH_SCHEMA), run) for run, r in runs]),
    )
    nodes = pa.Table.from_batches([batch(tables.entities, ENTITY_SCHEMA)])
    properties = [{**run.properties(), "n_predictions": len(rows), "complete": True} for run, rows in runs]
    return KgliteEngine.build(nodes, properties, [(t, pa.Table.from_batches(batches)) for t, batches in edges])


def push(tables: Tables, store: Neo4jStore) -> None:
    """The same graph on the server, in place of the one before."""
    for stored in store.runs():
        store.rollback(stored.run.run_id)
    base = BaseGraph(
        entities=[batch(tables.entities, ENTITY_SCHEMA)],
        known=[batch(tables.known, KNOWN_SCHEMA)],
        comentions=[batch(tables.comentions, COMENTION_SCHEMA)],
    )
    store.write_base(base)
    for place, rows in enumerate(tables.runs, start=1):
        write_predictions(store, run_of(place), [batch(rows, PREDICTION_BATCH_SCHEMA)])


def comparable(value: Any) -> Any:
    """A value with floats to nine digits, since sums may be added up in another order, and maps by their keys."""
    if isinstance(value, float):
        return float(f"{value:.9g}") + 0.0
    if isinstance(value, dict):
        return {key: comparable(value[key]) for key in sorted(value)}
    return [comparable(item) for item in value] if isinstance(value, list | tuple) else value


def rows_of(result: QueryResult, *, ordered: bool) -> list[str]:
    rows = [repr(comparable(row)) for row in result.rows]
    return rows if ordered else sorted(rows)


def answer(ask: Callable[[Statement], QueryResult], statement: Statement) -> QueryResult | str:
    """The answer, or the words of a refusal."""
    try:
        return ask(statement)
    except StoreError as error:
        return str(error)


REFUSALS = ("cannot be run: Cypher syntax error", "cannot be run: Type mismatch", "cannot be run: Invalid input")
"""How an engine may say that it does not take a form that the other takes: in words, never by another answer."""
property_test = settings(
    max_examples=100 if SECONDS else 8,
    deadline=None,
    database=None,
    derandomize=not SECONDS,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.neo4j
@pytest.mark.slow
@pytest.mark.timeout(600 + 20 * SECONDS)
def test_both_engines_give_the_same_rows(neo4j_store: Neo4jStore) -> None:
    counts: Counter[str] = Counter()

    @property_test
    @given(graphs(), st.lists(statements(), min_size=STATEMENTS_A_GRAPH, max_size=STATEMENTS_A_GRAPH))
    def check(tables: Tables, asked: list[Statement]) -> None:
        push(tables, neo4j_store)
        engine = embedded(tables)
        for statement in asked:
            ours = answer(lambda s: engine.run(check_reading(s), None, 20), statement)
            theirs = answer(neo4j_store.query, statement)
            counts["statements"] += 1
            if isinstance(ours, str) or isinstance(theirs, str):
                counts["refused"] += 1
                refusal = ours if isinstance(ours, str) else str(theirs)
                assert any(words in refusal for words in REFUSALS), (statement.text, ours, theirs)
                continue
            ordered = " ORDER BY " in statement.text.rpartition("RETURN")[2]
            assert rows_of(ours, ordered=ordered) == rows_of(theirs, ordered=ordered), statement.text
            counts["with rows"] += bool(theirs.rows)

    end = time.monotonic() + SECONDS
    check()
    while time.monotonic() < end:
        check()
    print(f"\n{dict(counts)}")
    assert counts["with rows"] > counts["statements"] / 4
    assert counts["refused"] < counts["statements"] / 10


@pytest.mark.neo4j
def test_the_known_difference_is_a_missing_list_that_is_added_to(
    embedded_store: EmbeddedStore, neo4j_store: Neo4jStore
) -> None:
    embedded_store.write_base(BaseGraph(entities=[]))
    statement = Statement("RETURN null + ['x'] AS x")
    assert embedded_store.query(statement).rows == [([None, "x"],)]
    assert neo4j_store.query(statement).rows == [(None,)]


def test_a_form_that_the_embedded_engine_does_not_take_is_refused_in_words(embedded_store: EmbeddedStore) -> None:
    embedded_store.write_base(BaseGraph(entities=[]))
    with pytest.raises(StoreError, match="cannot be run: Cypher syntax error at line 1, col"):
        embedded_store.query(Statement("RETURN NOT (COUNT { (:Gene)-[:PREDICTED]->() } = 1) AS x"))


@pytest.mark.parametrize(
    "text",
    [
        "RETURN 'a' IN [x IN ['a', 'b'] WHERE x > 'a'] AS x, 'b' IN [x IN ['b'] | x] AS y",
        "RETURN 'a' IN ['a', 'b'][1..] AS x, 1 IN [[1, 2], [3]][0] AS y",
        "RETURN 'b' IN [x IN ['a'] WHERE x IN [y IN ['a'] | y]] AS x, any(x IN ['a'] WHERE x IN ['a']) AS y",
    ],
)
def test_a_list_that_is_made_behind_in_is_understood(embedded_store: EmbeddedStore, text: str) -> None:
    embedded_store.write_base(BaseGraph(entities=[]))
    assert embedded_store.query(Statement(text)).rows == [(False, True)]
