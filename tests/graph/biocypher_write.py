"""Writes tuples with the `biocypher` package, without an ontology of the net; run by a Python that has `biocypher`.

    python biocypher_write.py FOLDER

FOLDER holds `nodes.jsonl`, `edges.jsonl` and `schema_config.yaml`; BioCypher writes Parquet to FOLDER/out.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from biocypher import BioCypher

CONFIG = """
biocypher:
  dbms: neo4j
  offline: true
  head_ontology: null
  output_directory: out
"""


def tuples(name: str) -> Iterator[Any]:
    for line in Path(name).read_text(encoding="utf-8").split("\n"):
        if line:
            yield tuple(json.loads(line))


def main() -> None:
    os.chdir(sys.argv[1])
    Path("biocypher_config.yaml").write_text(CONFIG)
    writer = BioCypher(biocypher_config_path="biocypher_config.yaml", schema_config_path="schema_config.yaml")
    sys.exit(not (writer.write_nodes(tuples("nodes.jsonl")) and writer.write_edges(tuples("edges.jsonl"))))


if __name__ == "__main__":
    main()
