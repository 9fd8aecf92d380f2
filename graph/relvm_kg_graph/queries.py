"""Named statements, the same text for every store, each with what it answers and its parameters' defaults."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from relvm_kg.errors import InvalidInputError
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.schema import NEITHER_NEAR_NOR_GENERAL

EDGES_BETWEEN = """
MATCH (a:Entity {id: $first})-[r]-(b:Entity {id: $second})
WHERE NOT coalesce(r.run_id, '') IN $hidden_runs
RETURN a.id AS first, startNode(r).id AS subject, type(r) AS type, endNode(r).id AS object, r AS edge
ORDER BY type, subject, r.run_id, r.relation
"""
NEIGHBOURS = """
MATCH (a:Entity {id: $id})-[r]-(b:Entity)
WHERE type(r) IN $types AND NOT coalesce(r.run_id, '') IN $hidden_runs
RETURN startNode(r).id AS subject, type(r) AS type, endNode(r).id AS object, r AS edge
ORDER BY coalesce(r.score, -1.0) DESC, type, b.id
"""


class NamedQuery(NamedTuple):
    """A statement with a name, a sentence on what it answers, and the values its parameters have unless given."""

    name: str
    answers: str
    text: str
    defaults: Mapping[str, Any]

    def statement(self, parameters: Mapping[str, Any] | None = None) -> Statement:
        """The statement with its defaults, changed by `parameters`.

        Raises:
            InvalidInputError: if a parameter is unknown, or one without a default is missing.
        """
        given = dict(parameters or {})
        unknown = sorted(given.keys() - self.defaults.keys())
        if unknown:
            known = ", ".join(self.defaults)
            raise InvalidInputError(f"{self.name} takes the parameters {known}; unknown: {', '.join(unknown)}")
        values = {**self.defaults, **given}
        missing = [name for name, value in values.items() if value is REQUIRED]
        if missing:
            raise InvalidInputError(f"{self.name} needs a value for: {', '.join(missing)}")
        return Statement(self.text, values)


class _Required:
    def __repr__(self) -> str:
        return "(required)"


REQUIRED: Any = _Required()
"""Stands for the default of a parameter that must be given."""

_QUERIES = (
    NamedQuery(
        "novel-edges",
        "Predicted pairs that no curated relation joins or implies, general terms left out, best first.",
        f"""MATCH (a:Entity)-[p:PREDICTED]->(b:Entity)
WHERE p.score >= $min_score AND NOT (a)-[:ASSOCIATED]-(b) AND {NEITHER_NEAR_NOR_GENERAL.format("p")}
RETURN a.id AS subject, a.name AS subject_name, p.relation AS relation, b.id AS object, b.name AS object_name,
       p.score AS score, p.uncertainty AS uncertainty, p.seen AS seen, p.run_id AS run
ORDER BY score DESC, subject, object LIMIT $top""",
        {"min_score": 0.5, "top": 100},
    ),
    NamedQuery(
        "top-predictions",
        "The best predictions of one entity, in either direction.",
        """MATCH (a:Entity {id: $id})-[p:PREDICTED]-(b:Entity)
RETURN b.id AS entity, b.name AS name, b.category AS category, p.relation AS relation, p.score AS score,
       p.uncertainty AS uncertainty, p.known AS known, p.seen AS seen, p.run_id AS run
ORDER BY score DESC, entity, run LIMIT $top""",
        {"id": REQUIRED, "top": 20},
    ),
    NamedQuery(
        "repurposing-paths",
        "Chemicals that reach a disease through a gene, and are not known to act on the disease.",
        """MATCH (c:Chemical)-[x:PREDICTED|ASSOCIATED]-(g:Gene)-[y:PREDICTED|ASSOCIATED]-(d:Disease {id: $disease})
WHERE coalesce(x.score, 1.0) >= $min_score AND coalesce(y.score, 1.0) >= $min_score AND NOT (c)-[:ASSOCIATED]-(d)
RETURN c.id AS chemical, c.name AS chemical_name, count(DISTINCT g) AS n_genes, collect(DISTINCT g.name)[0..5] AS genes,
       max(coalesce(x.score, 1.0) * coalesce(y.score, 1.0)) AS best
ORDER BY best DESC, n_genes DESC, chemical LIMIT $top""",
        {"disease": REQUIRED, "min_score": 0.5, "top": 50},
    ),
    NamedQuery(
        "contradictions",
        "Curated relations that the model finds unlikely: where text and curation disagree.",
        """MATCH (a:Entity)-[p:PREDICTED]->(b:Entity)
WHERE p.known AND p.score <= $max_score
RETURN a.id AS subject, a.name AS subject_name, p.relation AS relation, b.id AS object, b.name AS object_name,
       p.score AS score, p.n_evidence AS n_evidence, p.run_id AS run
ORDER BY score, subject, object LIMIT $top""",
        {"max_score": 0.1, "top": 100},
    ),
    NamedQuery(
        "uncertain-hubs",
        "Entities with many predictions, those that the model is least sure of first.",
        """MATCH (a:Entity)-[p:PREDICTED]-(:Entity)
WITH a, count(p) AS n_predictions, avg(p.uncertainty) AS mean_uncertainty
WHERE n_predictions >= $min_predictions
RETURN a.id AS entity, a.name AS name, n_predictions, mean_uncertainty
ORDER BY mean_uncertainty DESC, entity LIMIT $top""",
        {"min_predictions": 10, "top": 50},
    ),
    NamedQuery(
        "newest-predictions",
        "The best predictions of each run, newest run first.",
        """MATCH (a:Entity)-[p:PREDICTED]->(b:Entity)
WHERE p.score >= $min_score
RETURN p.created_at AS created_at, p.run_id AS run, a.id AS subject, p.relation AS relation, b.id AS object,
       p.score AS score
ORDER BY created_at DESC, run, score DESC, subject, object LIMIT $top""",
        {"min_score": 0.5, "top": 100},
    ),
    NamedQuery(
        "disagreements",
        "Pairs to which two runs give the most different scores.",
        """MATCH (a:Entity)-[p:PREDICTED {run_id: $first_run}]->(b:Entity)
MATCH (a)-[q:PREDICTED {run_id: $second_run}]->(b)
WHERE p.relation = q.relation
RETURN a.id AS subject, p.relation AS relation, b.id AS object, p.score AS first_score, q.score AS second_score,
       abs(p.score - q.score) AS difference
ORDER BY difference DESC, subject, object LIMIT $top""",
        {"first_run": REQUIRED, "second_run": REQUIRED, "top": 100},
    ),
    NamedQuery(
        "degrees",
        "Entities by how many curated relations and predictions they have.",
        """MATCH (a:Entity)
WITH a, COUNT { (a)-[:ASSOCIATED]-() } AS n_known, COUNT { (a)-[:PREDICTED]-() } AS n_predicted
RETURN a.id AS entity, a.name AS name, n_known, n_predicted
ORDER BY n_known DESC, n_predicted DESC, entity LIMIT $top""",
        {"top": 50},
    ),
)
NAMED_QUERIES: Mapping[str, NamedQuery] = {query.name: query for query in _QUERIES}


def named_query(name: str) -> NamedQuery:
    """A query of the library.

    Raises:
        InvalidInputError: if there is none of that name, with those there are.
    """
    if name not in NAMED_QUERIES:
        raise InvalidInputError(f"a named query must be one of {', '.join(NAMED_QUERIES)}, was: {name!r}")
    return NAMED_QUERIES[name]
