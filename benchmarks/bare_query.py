"""What `graph_queries.py` measures `relvm-kg query` against: one statement sent straight to an engine.

    python benchmarks/bare_query.py ORDER

ORDER is JSON: `text`, `parameters`, and `file` of the embedded engine or `uri` of a Neo4j server. Rows go to stdout.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any


def bare_call(order: Mapping[str, Any]) -> Callable[[], list[Any]]:
    """The statement on an open engine or connection."""
    text, parameters = order["text"], order["parameters"]
    if "file" in order:
        import kglite

        graph = kglite.load(order["file"])
        graph.read_only(True)
        return lambda: list(graph.cypher(text, params=parameters or None, timeout_ms=300_000).to_list())
    import neo4j

    driver = neo4j.GraphDatabase.driver(order["uri"], auth=None)

    def ask() -> list[Any]:
        found = driver.execute_query(text, parameters, database_="neo4j", routing_=neo4j.RoutingControl.READ)
        return [record.data() for record in found.records]

    return ask


if __name__ == "__main__":
    json.dump(bare_call(json.loads(sys.argv[1]))(), sys.stdout)
