"""Validates KGX files with the `kgx` package and prints what it found as JSON; run by a Python that has `kgx`.

    python kgx_check.py jsonl nodes.jsonl edges.jsonl

The Biolink model is that of the `biolink-model` package, which comes with `kgx`, so nothing is fetched.
"""

import contextlib
import importlib.resources
import json
import os
import sys
from pathlib import Path
from typing import Any

import bmt.toolkit
import yaml

SCHEMA = str(importlib.resources.files("biolink_model") / "schema" / "biolink_model.yaml")
bmt.toolkit.Toolkit.__init__.__defaults__ = (SCHEMA, {"predicate mappings": []})

import kgx.config  # noqa: E402  kgx loads a model when it is imported

MODEL = yaml.safe_load(Path(SCHEMA).read_text(encoding="utf-8"))
PREFIXES = {prefix for one in MODEL["classes"].values() for prefix in one.get("id_prefixes", [])} | set(
    MODEL["prefixes"]
)
kgx.config.jsonld_context_map["biolink"] = {prefix: f"https://bioregistry.io/{prefix}:" for prefix in PREFIXES}

from kgx.transformer import Transformer  # noqa: E402
from kgx.utils.kgx_utils import GraphEntityType  # noqa: E402
from kgx.validator import Validator  # noqa: E402


def main() -> None:
    form, *files = sys.argv[1:]
    rows: dict[Any, list[Any]] = {GraphEntityType.NODE: [], GraphEntityType.EDGE: []}

    def keep(kind: Any, record: list[Any]) -> None:
        rows[kind].append(record[-1])

    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        validator = Validator(progress_monitor=keep)
        source = {"filename": files, "format": form}
        Transformer(stream=True).transform(source, {"format": "null"}, inspector=validator)
    found = {"model": validator.get_validation_model_version(), "errors": validator.get_errors()}
    print(json.dumps(found | {"nodes": rows[GraphEntityType.NODE], "edges": rows[GraphEntityType.EDGE]}, default=str))


if __name__ == "__main__":
    main()
