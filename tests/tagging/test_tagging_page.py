import json
from pathlib import Path

import pytest

from relvm_kg.pipeline.tagger_report import markdown, summary, type_table

DOCS = Path(__file__).parent.parent.parent / "docs"
RESULT = DOCS / "results" / "tagger-evaluation.json"

pytestmark = pytest.mark.skipif(not RESULT.is_file(), reason="the documentation is not beside the tests")


def test_the_figures_on_the_page_are_those_of_the_result() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    page = (DOCS / "tagging.md").read_text(encoding="utf-8")
    assert summary(result) in page
    assert type_table(result) in page


def test_the_tables_are_those_of_the_result() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    assert RESULT.with_suffix(".md").read_text(encoding="utf-8") == markdown(result)


def test_the_figures_are_of_test_sets_and_learned_from_others() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    assert all(gold["is_test"] for gold in result["gold"])
    assert not {gold["name"] for gold in result["gold"]} & set(result["provenance"]["learn"])
