"""The read-only guard: attacks by family, and legitimate statements that look like attacks."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.errors import InvalidInputError, QueryRefusedError, StoreError
from relvm_kg_graph.cypher import Statement, check_reading, safe_name
from relvm_kg_graph.queries import EDGES_BETWEEN, NAMED_QUERIES, NEIGHBOURS
from relvm_kg_graph.schema import NODE_LABELS
from relvm_kg_graph.store import GraphStore
from relvm_kg_graph.tokens import MAX_DEPTH, MAX_LENGTH, MAX_TOKENS, tokenise

ATTACKS: dict[str, list[str]] = {
    "writing clauses": [
        "CREATE (n:Gene {id: 'x'})",
        "MERGE (n:Gene {id: 'x'})",
        "MATCH (n) SET n.name = 'x'",
        "MATCH (n) SET n:Evil",
        "MATCH (n) REMOVE n.name",
        "MATCH (n) DELETE n",
        "MATCH (n) DETACH DELETE n",
        "MATCH (n) NODETACH DELETE n",
        "MATCH (n) FOREACH (x IN [1] | SET n.x = x)",
        "INSERT (n:Gene)",
        "MATCH (n) WITH n WHERE true SET n.x = 1 RETURN n",
        "UNWIND [1] AS x CREATE (:Gene {id: x}) RETURN x",
        "MATCH (a), (b) CREATE (a)-[:PREDICTED]->(b)",
        "MATCH (n) RETURN n UNION MATCH (m) DELETE m RETURN m AS n",
        "WITH 1 AS x MERGE (n {id: x}) ON CREATE SET n.a = 1 ON MATCH SET n.b = 1",
    ],
    "letter case and odd spacing": [
        "match (n) sEt n.x = 1",
        "MATCH (n)SET n.x=1",
        "MATCH (n)\tDeTaCh\r\nDeLeTe n",
        "MATCH(n)WITH n SET n.x=1",
        "RETURN[1]CREATE()",
        "\n\n\fcreate (n)",
    ],
    "comments": [
        "/* harmless */ CREATE (n)",
        "MATCH (n) /**/ SET /**/ n.x = 1",
        "// reading\nCREATE (n)",
        "// reading\rCREATE (n)",
        "MATCH (n) // RETURN n\nDELETE n",
        "MATCH (n) RETURN n /* open",
        "RETURN 1 /* a */ */ CREATE (n)",
        "RETURN '/*' CREATE (n) RETURN '*/'",
        "RETURN 1 //*\n CREATE (n) //*/",
    ],
    "escapes": [
        r"\u0043REATE (n)",
        r"MATCH (n) \u0053ET n.x = 1",
        r"MATCH (n) S\u0045T n.x = 1",
        r"RETURN '\u0027 CREATE (n) RETURN \u0027'",
        r"RETURN '\\u0027 CREATE (n) //'",
        r"RETURN '\\\u0027 CREATE (n) //'",
        r"RETURN '\u005c' CREATE (n) //'",
        r'RETURN "\u0022 CREATE (n) //"',
        r"MATCH (n) RETURN n.`\u0060 CREATE (m) //`",
        r"RETURN '\uu0027 CREATE (n) //'",
        r"RETURN '\U00000027 CREATE (n) //'",
        r"RETURN 'a' // \u000a CREATE (n)" + "\nCREATE (n)",
        r"RETURN '\u00'",
        r"RETURN 1 \u003b CREATE (n)",
        "RETURN 'a\x00' CREATE (n)",
    ],
    "quotes and backticks": [
        "RETURN 'a' CREATE (n)",
        "RETURN 'it\\'s' CREATE (n)",
        "RETURN 'a\\\\' CREATE (n) //'",
        "RETURN 'a''b' CREATE (n)",
        'RETURN "\'" CREATE (n) RETURN "\'"',
        "RETURN 1 AS `a` CREATE (n)",
        "RETURN 1 AS `a``b` CREATE (n)",
        "RETURN 1 AS `a\\` CREATE (n) RETURN 1 AS `b`",
        "RETURN 1 AS `` CREATE (n)",
        "RETURN 'open",
        "RETURN 1 AS `open",
        "`CREATE` (n) CREATE (m)",
        "MATCH (n) `SET` n.x = 1",
    ],
    "letters that look like others": [
        "MATCH (n) \u017fET n.x = 1",
        "\uff23\uff32\uff25\uff21\uff34\uff25 (n)",
        "MATCH\u00a0(n) SET n.x = 1",
        "MATCH (n)\u2003SET n.x = 1",
        "MATCH (n) \u200bSET n.x = 1",
        "\ufeffCREATE (n)",
        "MATCH (n) SE\u0301T n.x = 1",
        "MATCH (n) \u2028CREATE (m)",
    ],
    "several statements": [
        "RETURN 1; CREATE (n)",
        "MATCH (n) RETURN n; MATCH (m) DELETE m;",
        "RETURN 1;;RETURN 2",
        "; CREATE (n)",
        "RETURN 1 // ;\n; DROP INDEX x",
    ],
    "procedures": [
        "CALL db.labels()",
        "CALL dbms.listConfig() YIELD name, value RETURN name, value",
        "CALL apoc.load.json('file:///etc/passwd') YIELD value RETURN value",
        "CALL apoc.cypher.doIt('CREATE (n)', {})",
        "MATCH (n) CALL db.create.setNodeVectorProperty(n, 'x', [1.0])",
        "CALL `db`.`labels`()",
        "CALL db . labels ()",
        "CALL dbms.components",
        "CALL (n) db.labels()",
        "OPTIONAL CALL db.labels() YIELD label RETURN label",
        "CALL pagerank() YIELD node RETURN node",
    ],
    "subqueries": [
        "CALL { CREATE (n) }",
        "CALL { MATCH (n) DELETE n } RETURN 1",
        "MATCH (n) CALL { WITH n SET n.x = 1 } RETURN n",
        "MATCH (n) CALL (n) { REMOVE n.x } RETURN n",
        "MATCH (n) CALL { CALL { MERGE (m) RETURN m } RETURN m } RETURN m",
        "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10 ROWS",
        "CALL { MATCH (n) RETURN n } IN 2 CONCURRENT TRANSACTIONS RETURN 1",
        "MATCH (n) WHERE EXISTS { MATCH (n) SET n.x = 1 } RETURN n",
        "RETURN COUNT { CREATE (n) }",
        "RETURN COLLECT { MERGE (n) RETURN n }",
        "CALL { RETURN 1 AS a UNION CREATE (n) RETURN 1 AS a } RETURN a",
        "CALL { }",
        "CALL { (n) }",
    ],
    "files and the server": [
        "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
        "LOAD CSV WITH HEADERS FROM 'http://169.254.169.254/' AS line RETURN line",
        "MATCH (n) LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
        "USING PERIODIC COMMIT LOAD CSV FROM 'x' AS l CREATE (n)",
        "COPY (MATCH (n) RETURN n) TO 'x.csv'",
        "MATCH (n) RETURN n.id LIMIT 1 FORMAT CSV",
        "INSTALL httpfs",
        "ATTACH 'other.db' AS other",
        "EXPORT DATABASE 'x'",
        "RETURN file()",
        "RETURN linenumber()",
        "CHECKPOINT",
    ],
    "schema and administration": [
        "CREATE INDEX FOR (n:Gene) ON (n.id)",
        "DROP CONSTRAINT relvm_kg_entity",
        "CREATE DATABASE other",
        "SHOW USERS",
        "SHOW INDEXES YIELD name RETURN name",
        "ALTER USER neo4j SET PASSWORD 'x'",
        "GRANT ROLE admin TO x",
        "TERMINATE TRANSACTION 'x'",
        "STOP DATABASE neo4j",
        "DEALLOCATE DATABASES FROM SERVER 'x'",
        "USE system MATCH (n) RETURN n",
        "MATCH (n) USE system RETURN n",
    ],
    "statement options and other dialects": [
        "CYPHER 25 MATCH (n) RETURN n",
        "CYPHER runtime=slotted CREATE (n)",
        "EXPLAIN CREATE (n)",
        "PROFILE MATCH (n) RETURN n",
        "FOR VALID_TIME ALL MATCH (n) RETURN n",
        "LET x = 1 RETURN x",
        "MATCH (n) FILTER n.x = 1 RETURN n",
        "MATCH (n) RETURN n NEXT CREATE (m)",
        "FINISH",
        "SELECT * FROM nodes",
        "START n = node(*) RETURN n",
        "BEGIN",
    ],
    "functions that do more than compute": [
        "RETURN apoc.cypher.runFirstColumnSingle('CREATE (n) RETURN n', {})",
        "RETURN apoc.load.json('file:///etc/passwd')",
        "RETURN `apoc`.`util`.`sleep`(1)",
        "RETURN apoc . util . sleep (1)",
        "RETURN n.apoc.load('x')",
        "RETURN text_score(n, 'x')",
        "RETURN date.realtime.evil()",
        "RETURN genai.vector.encode('x', 'y')",
    ],
    "keywords as names": [
        "MATCH (n) WITH n.as SET n.x = 1",
        "WITH 1 AS as MATCH (n) WITH n, as SET n.x = as",
        "MATCH (n) WITH n, 1. SET n.x = 1",
        "MATCH (n:Gene) SET n.x = 1",
        "MATCH (n) WHERE n:Gene SET n.x = 1",
        "MATCH (n)-[r:PREDICTED|SET]->(m) RETURN n",
        "WITH {a: 1} AS m SET m.a = 2",
        "RETURN {a: 1} CREATE (n)",
        "MATCH (n) RETURN * SET n.x = 1",
        "MATCH (n) RETURN count(*) CREATE (m)",
        "MATCH (n) RETURN CASE WHEN true THEN 1 END SET n.x = 1",
        "MATCH (n) RETURN null SET n.x = 1",
        "MATCH (n) RETURN n.x AS set SET n.x = 1",
        "MATCH (n) ORDER BY n.x DESC SET n.x = 1",
        "RETURN $p SET $p.x = 1",
        "RETURN $`p` CREATE (n)",
        "RETURN [x IN [1] | CREATE (n)]",
        "RETURN [1, 2][0] CREATE (n)",
    ],
    "numbers and brackets": [
        "RETURN 1CREATE (n)",
        "RETURN 0x1G CREATE (n)",
        "RETURN 1 )",
        "MATCH (n RETURN n",
        "RETURN [1, (2])",
        "RETURN }CREATE (n){",
        "RETURN 1 @ 2",
        "RETURN $ p",
        "RETURN $(CREATE)",
        "MATCH (n:$(label)) RETURN n",
        "RETURN 1 # CREATE",
    ],
    "nothing at all": ["", "   ", ";", "// only words", "/* only words */"],
}
ALL_ATTACKS = [
    pytest.param(text, id=f"{family}-{n}") for family, texts in ATTACKS.items() for n, text in enumerate(texts)
]

LEGITIMATE = [
    "MATCH (n:Gene) RETURN n.id ORDER BY n.id",
    "match (n:Gene) return n.id order by n.id limit 2",
    "MATCH (n:Entity) WHERE n.name = 'DELETE everything' RETURN n",
    'MATCH (n:Entity) WHERE n.name = "CREATE (n) SET n.x = 1" RETURN count(n) AS n',
    "RETURN 'it\\'s a SET' AS s",
    "RETURN 'a backslash \\\\' AS s",
    "RETURN 'LOAD CSV FROM \"file:///x\"' AS s // CREATE (n)",
    "MATCH (n:Entity) /* DELETE n */ RETURN count(n) AS n",
    "// MERGE (n)\nMATCH (n:Entity) RETURN count(n) AS n",
    "MATCH (n:Entity) // SET n.x = 1\nRETURN count(n) AS n",
    "MATCH (n:Entity) RETURN n.set AS s ORDER BY n.id LIMIT 1",
    "MATCH (n:Entity) WHERE n.delete IS NULL RETURN count(n) AS n",
    "RETURN {set: 1, delete: 2, load: 3} AS m",
    "RETURN {create: 1}.create AS x",
    "WITH {merge: 'x'} AS m RETURN m.merge AS x, m['merge'] AS y",
    "RETURN 1 AS set",
    "RETURN 1 AS `CREATE (n)`",
    "WITH 1 AS `set` RETURN `set` + 1 AS x",
    "MATCH (`delete`:Gene) RETURN `delete`.id AS id ORDER BY id",
    "MATCH (n:`Gene`) RETURN count(n) AS n",
    "MATCH (n:Entity) RETURN n.`name` AS name ORDER BY name LIMIT 1",
    "MATCH ()-[r:`PREDICTED`]->() RETURN count(r) AS n",
    "MATCH (start:Gene)-[:PREDICTED]-(next:Disease) RETURN DISTINCT start.id AS a, next.id AS b ORDER BY a, b",
    "MATCH (a:Gene)-[r:PREDICTED|ASSOCIATED]-(b) RETURN type(r) AS t, count(*) AS n ORDER BY t",
    "MATCH (a:Disease)-[p:PREDICTED]->(b:Gene) WHERE p.score >= 0.5 RETURN a.id, b.id, p.score ORDER BY p.score DESC",
    "MATCH (a)-[p:PREDICTED {run_id: $run}]->(b) RETURN count(p) AS n",
    "MATCH (n:Entity {id: $id}) RETURN n.name AS name, n.synonyms AS synonyms",
    "MATCH (n:Entity) WHERE n.id IN $ids RETURN n.id ORDER BY n.id",
    "RETURN $map.set AS x",
    "MATCH (a:Entity)-[:PREDICTED]->(b:Entity) WHERE NOT (a)-[:ASSOCIATED]-(b) RETURN a.id, b.id ORDER BY a.id, b.id",
    "MATCH (a:Entity) WHERE EXISTS { (a)-[:ASSOCIATED]-(:Disease) } RETURN a.id ORDER BY a.id",
    "MATCH (a:Entity) WHERE EXISTS { MATCH (a)-[r:PREDICTED]-(b) WHERE r.score > 0.8 } RETURN a.id ORDER BY a.id",
    "MATCH (a:Entity) WHERE NOT EXISTS { (a)--(:Gene) } RETURN a.id ORDER BY a.id",
    "MATCH (a:Gene) RETURN a.id, COUNT { (a)-[:PREDICTED]-() } AS n ORDER BY a.id",
    "MATCH (a:Gene) OPTIONAL MATCH (a)-[r:CO_MENTIONED]-(b) RETURN a.id, count(b) AS n ORDER BY a.id",
    "MATCH (a:Gene) CALL (a) { MATCH (a)-[r:PREDICTED]-() RETURN max(r.score) AS m } RETURN a.id, m ORDER BY a.id",
    "CALL { MATCH (n:Gene) RETURN n.id AS id UNION MATCH (n:Disease) RETURN n.id AS id } RETURN id ORDER BY id",
    "MATCH (n:Gene) RETURN n.id AS id UNION ALL MATCH (n:Gene) RETURN n.id AS id",
    "MATCH (n:Gene) RETURN n.id AS id UNION MATCH (n:Chemical) RETURN n.id AS id",
    "UNWIND [3, 1, 2] AS x RETURN x ORDER BY x DESC",
    "UNWIND range(1, 5) AS x WITH x WHERE x % 2 = 1 RETURN collect(x) AS odd",
    "UNWIND [{set: 1}, {set: 2}] AS row RETURN row.set AS x ORDER BY x",
    "MATCH (n:Gene) WITH n ORDER BY n.id SKIP 1 LIMIT 1 RETURN n.id",
    "MATCH (n:Gene) RETURN [x IN n.synonyms WHERE x CONTAINS 'alias' | toUpper(x)] AS up ORDER BY n.id",
    "MATCH (a:Disease {id: 'MESH:D1'}) RETURN size([(a)-[:PREDICTED]->(b:Gene) | b.id]) AS n",
    "MATCH (n:Entity) WHERE n.id STARTS WITH 'MESH:' AND NOT n.id ENDS WITH '1' RETURN n.id ORDER BY n.id",
    "MATCH (n:Entity) WHERE n.name =~ '.*g[12]' RETURN n.id ORDER BY n.id",
    "MATCH (n:Entity) RETURN CASE n.n_documents WHEN 1 THEN 'one' ELSE 'more' END AS c, count(*) AS k ORDER BY c",
    "MATCH (n:Entity) RETURN CASE WHEN n.n_documents > 1 THEN 'many' ELSE 'one' END AS c, count(*) AS k ORDER BY c",
    "MATCH (n:Gene) RETURN n {.id, .set, twice: n.n_documents * 2} AS m ORDER BY n.id",
    "MATCH p = shortestPath((a:Entity {id: 'MESH:C2'})-[*1..4]-(b:Entity {id: 'NCBIGene:3'})) RETURN length(p) AS n",
    "MATCH (a:Entity {id: 'MESH:C1'})-[:ASSOCIATED*1..2]-(b) RETURN DISTINCT b.id ORDER BY b.id",
    "MATCH ()-[r:PREDICTED]->() RETURN avg(r.score) AS m, min(r.score) AS a, max(r.score) AS b, sum(r.rank) AS s",
    "MATCH (a)-[r:PREDICTED]->() RETURN r.run_id AS run, count(DISTINCT a) AS n ORDER BY run",
    "MATCH ()-[r:CO_MENTIONED]->() RETURN coalesce(r.first_year, 0) AS y ORDER BY y",
    "MATCH ()-[r:PREDICTED]->() WHERE r.uncertainty IS NOT NULL AND r.seen = false RETURN count(r) AS n",
    "RETURN any(x IN [1, 2] WHERE x > 1) AS a, all(x IN [1, 2] WHERE x > 1) AS b, none(x IN [1] WHERE x > 1) AS c",
    "RETURN reduce(s = 0, x IN [1, 2, 3] | s + x) AS s",
    "RETURN replace('a-b', '-', '+') AS s, split('a,b', ',') AS l, substring('abc', 1) AS t, trim('  x ') AS u",
    "RETURN 1 + 2 * 3 - 4 / 2 AS a, 7 % 3 AS b, -1.5e3 AS c, .5 AS d, 0x1F AS e, 2 ^ 3 AS f",
    "RETURN null IS NULL AS a, true XOR false AS b, NOT true OR false AS c, 1 <> 2 AS d",
    "RETURN [1, 2, 3][0] AS a, [1, 2, 3][1..3] AS b, 2 IN [1, 2] AS c, [1] + [2] AS d",
    "RETURN toInteger('7') AS a, toFloat('1.5') AS b, toString(3) AS c, abs(-2) AS d, round(2.6) AS e",
    "WITH [1, 2] AS paths UNWIND paths AS count RETURN count ORDER BY count",
    "MATCH (run:PredictionRun) RETURN run.run_id AS id, run.n_predictions AS n ORDER BY id",
    "MATCH (n:Gene) RETURN labels(n) = ['Entity', 'Gene'] OR labels(n) = ['Gene', 'Entity'] AS b LIMIT 1",
    "MATCH (n:Gene) WHERE n:Entity AND n.id <> 'x' RETURN count(n) AS n;",
    "MATCH (n:Entity) WITH n ORDER BY n.id RETURN head(collect(n.id)) AS first ; ",
    "RETURN 'caf\\u00e9' AS s",
    "RETURN 'ſET' AS s, \"naïve `quotes` here\" AS t",
    "RETURN 'one -- two /* three */ // four' AS s",
]
PARAMETERS = {"id": "NCBIGene:1", "ids": ["MESH:D1", "MESH:D2"], "run": "run-1", "map": {"set": 5}}


def in_order(value: Any) -> str:
    """A value as text, maps by the order of their keys."""
    if isinstance(value, dict):
        return str([(key, in_order(value[key])) for key in sorted(value)])
    return str([in_order(item) for item in value]) if isinstance(value, list | tuple) else repr(value)


def refusal_of(text: str) -> str | None:
    """What the guard says of a statement; None lets it pass."""
    try:
        check_reading(Statement(text))
    except QueryRefusedError as refusal:
        return str(refusal)
    return None


def test_there_are_enough_attacks_and_each_is_its_own() -> None:
    texts = [text for family in ATTACKS.values() for text in family]
    assert len(texts) >= 150
    assert len(set(texts)) == len(texts)
    assert len(LEGITIMATE) >= 60


@pytest.mark.parametrize("text", ALL_ATTACKS)
def test_an_attack_is_refused(text: str) -> None:
    with pytest.raises(QueryRefusedError):
        check_reading(Statement(text))


@pytest.mark.parametrize("text", LEGITIMATE)
def test_a_legitimate_statement_passes_the_guard(text: str) -> None:
    check_reading(Statement(text, PARAMETERS))


@pytest.mark.parametrize("query", NAMED_QUERIES.values(), ids=NAMED_QUERIES)
def test_every_named_query_passes_the_guard(query: Any) -> None:
    check_reading(Statement(query.text))


@pytest.mark.parametrize("text", [EDGES_BETWEEN, NEIGHBOURS])
def test_the_stores_own_reads_pass_the_guard(text: str) -> None:
    check_reading(Statement(text))


def test_legitimate_statements_run_on_the_embedded_store(embedded_store: GraphStore, world: Any) -> None:
    world.fill(embedded_store)
    for text in LEGITIMATE:
        embedded_store.query(Statement(text, PARAMETERS))


@pytest.mark.neo4j
def test_legitimate_statements_have_the_same_answer_on_both_stores(both_filled: tuple[GraphStore, GraphStore]) -> None:
    for text in LEGITIMATE:
        embedded, server = (store.query(Statement(text, PARAMETERS)) for store in both_filled)
        assert embedded.columns == server.columns, text
        if "ORDER BY" in text.upper():
            assert embedded.rows == server.rows, text
        else:
            assert sorted(map(in_order, embedded.rows)) == sorted(map(in_order, server.rows)), text


def test_a_refusal_names_the_word_and_its_place() -> None:
    with pytest.raises(QueryRefusedError) as refusal:
        check_reading(Statement("MATCH (n)\nWHERE true\n  SET n.x = 1"))
    assert str(refusal.value) == (
        "SET must not be used (as a name it goes in backticks) (line 3, column 3); only statements that read are run"
    )
    with pytest.raises(
        QueryRefusedError, match=r"CALL must open a subquery, CALL \{ \.\.\. \}; procedures are not run"
    ):
        check_reading(Statement("CALL db.labels()"))
    with pytest.raises(QueryRefusedError, match=r"apoc\.util\.sleep\(\) must be a function of plain Cypher"):
        check_reading(Statement("RETURN apoc.util.sleep(1)"))
    assert refusal.value.exit_code == 7


def test_comments_never_reach_the_engine_and_places_stay() -> None:
    checked = check_reading(Statement("MATCH (n) // one\nRETURN /* two */ n.id;"))
    assert checked.text == "MATCH (n)       \nRETURN           n.id"


def test_a_statement_may_not_be_long_deep_or_endless() -> None:
    with pytest.raises(QueryRefusedError, match=f"at most {MAX_LENGTH} characters"):
        check_reading(Statement("RETURN '" + "x" * MAX_LENGTH + "'"))
    with pytest.raises(QueryRefusedError, match=f"at most {MAX_DEPTH} deep"):
        check_reading(Statement("RETURN " + "(" * 101 + "1" + ")" * 101))
    with pytest.raises(QueryRefusedError, match=f"at most {MAX_TOKENS} words and signs"):
        check_reading(Statement("RETURN 1" + " + 1" * MAX_TOKENS))
    with pytest.raises(QueryRefusedError, match="at most 50 UNION, had 51"):
        check_reading(Statement("RETURN 1 AS x" + " UNION RETURN 1 AS x" * 51))


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (n:Entity) RETURN n" + ".a" * 1_900 + " AS x",
        "RETURN 1 AS x" + " UNION RETURN 1 AS x" * 50,
        "CALL { " * 99 + "RETURN 1 AS x" + " } RETURN x" * 99,
        "MATCH (n) WHERE n.id = 'a'" + " OR n.id = 'a'" * 600 + " RETURN count(n) AS x",
        "WITH 1 AS x" + " WITH x" * 1_900 + " RETURN x",
        "RETURN " + "NOT " * 3_900 + "true AS x",
        "RETURN " + "- " * 3_900 + "1 AS x",
        "RETURN 1" + " + 1" * 1_900 + " AS x",
        "RETURN " + "(" * 99 + "1" + ")" * 99 + " AS x",
        "RETURN " + "[" * 99 + "1" + "]" * 99 + " AS x",
        "RETURN " + "CASE WHEN true THEN " * 700 + "1" + " END" * 700 + " AS x",
        "MATCH (a)" + "-->()" * 700 + " RETURN count(*) AS x",
    ],
)
def test_the_longest_statements_that_pass_do_not_bring_the_engine_down(
    embedded_store: GraphStore, world: Any, text: str
) -> None:
    world.fill(embedded_store)
    check_reading(Statement(text))
    with contextlib.suppress(StoreError):
        embedded_store.query(Statement(text), timeout=5)
    assert embedded_store.query(Statement("RETURN 1 AS x")).rows == [(1,)]


@given(st.text(max_size=60))
def test_no_text_makes_the_guard_fail_in_another_way(text: str) -> None:
    refusal = refusal_of(text)
    if refusal is None:
        assert tokenise(text)[0][0].text.upper() in {"MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN", "CALL"}
    else:
        assert "only statements that read" in refusal


@given(st.text(max_size=40))
def test_any_text_is_safe_inside_a_string(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\x00", "")
    refusal = refusal_of(f"RETURN '{quoted}' AS s")
    if refusal is None:
        assert len(tokenise(f"RETURN '{quoted}' AS s")[0]) == 4
    else:
        assert "escape" in refusal  # a backslash before a u is refused, whatever stands before it


@given(
    st.sampled_from(["CREATE", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "LOAD", "DROP", "FOREACH", "INSERT"]),
    st.sampled_from([text for text in LEGITIMATE if "UNION" not in text and "'" not in text and '"' not in text]),
    st.data(),
)
def test_a_writing_word_put_between_any_two_words_is_refused(word: str, text: str, data: st.DataObject) -> None:
    tokens, clean = tokenise(text)
    ends = [t.start for t in tokens if t.text.upper() in {"MATCH", "RETURN", "WITH", "UNWIND", "WHERE", "ORDER"}]
    place = data.draw(st.sampled_from(ends))
    if clean[:place].rstrip().endswith((".", ":")):
        return
    with pytest.raises(QueryRefusedError):
        check_reading(Statement(f"{clean[:place]} {word} (x) {clean[place:]}"))


@pytest.mark.parametrize("name", ["Gene) DETACH DELETE (n", "gene", "", "Gene:Disease", "`Gene`", "Genе"])
def test_a_label_that_is_written_into_a_statement_is_of_the_schema(name: str) -> None:
    with pytest.raises(InvalidInputError, match="must be one of"):
        safe_name(name, NODE_LABELS)
