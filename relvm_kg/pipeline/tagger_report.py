"""The tables of `evaluate-tagger`, from what its JSON file holds: one a gold set and type."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from relvm_kg.tagging.evaluation import ALL_TYPES

HEADINGS = (
    "tagger",
    "mention F1",
    "concept mention F1",
    "concept P",
    "concept R",
    "concept F1",
    "95 %",
    "as annotated F1",
    "abstracts/s",
)


class ReportTable(NamedTuple):
    """The taggers' figures for one type of one gold set."""

    title: str
    facts: str
    rows: tuple[tuple[str | float | None, ...], ...]


def report_tables(result: Mapping[str, Any]) -> Iterator[ReportTable]:
    """The tables of a result, as `TaggerEvaluation.as_mapping` gives it or JSON brings it back."""
    for gold in result["gold"]:
        facts = {fact["type"]: fact for fact in gold["facts"]}
        for place, figures in enumerate(gold["columns"][0]["figures"]):
            kind = figures["type"]
            rows = tuple(_row(column, place) for column in gold["columns"])
            words = _facts(facts[kind]) if kind in facts else "all types together"
            yield ReportTable(f"{gold['title']}, {kind.lower()}", words, rows)


def summary(result: Mapping[str, Any]) -> str:
    """F1 of concepts of every tagger on every gold set and type, as a Markdown table."""
    headings, cells = ["tagger"], [[column["name"]] for column in result["gold"][0]["columns"]]
    for gold in result["gold"]:
        for place, kind in enumerate(f["type"] for f in gold["columns"][0]["figures"]):
            if kind == ALL_TYPES:
                continue
            headings.append(f"{gold['title']} {kind.lower()}")
            for row, column in zip(cells, gold["columns"], strict=True):
                row.append(f"{column['figures'][place]['concepts']['f1']:.3f}")
    return "\n".join(_lines(headings, cells)) + "\n"


def type_table(result: Mapping[str, Any]) -> str:
    """How often the type of an ambiguous mention is told right, as a Markdown table."""
    headings = ["gold set", "ambiguous mentions", "surface forms", "by type", "majority", "rule"]
    headings += ["classifier, each mention", "classifier, each document"]
    cells = []
    for gold in result["gold"]:
        found = gold["type_accuracy"]
        if found is not None:
            by_type = ", ".join(f"{kind.lower()} {n}" for kind, n in found["by_type"].items())
            shares = (found["majority"], found["rule"], found["classifier"], found["classifier_in_document"])
            row = (gold["title"], str(found["n_mentions"]), str(found["n_surfaces"]), by_type)
            cells.append([*row, *(_cell(share) for share in shares)])
    return "\n".join(_lines(headings, cells)) + "\n"


def markdown(result: Mapping[str, Any]) -> str:
    """All tables as Markdown."""
    parts = [f"F1 of concepts\n\n{summary(result)}", f"Types of ambiguous mentions\n\n{type_table(result)}"]
    for table in report_tables(result):
        lines = _lines(HEADINGS, [[_cell(value) for value in row] for row in table.rows])
        parts.append("\n".join([f"**{table.title}** ({table.facts})", "", *lines]) + "\n")
    return "\n".join(parts)


def _lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head = ["| " + " | ".join(headings) + " |", "|---" * len(headings) + "|"]
    return head + ["| " + " | ".join(row) + " |" for row in rows]


def _row(column: Mapping[str, Any], place: int) -> tuple[str | float | None, ...]:
    figures = column["figures"][place]
    given = {other["type"]: other["concepts"]["f1"] for other in column["as_annotated"]}
    concepts = figures["concepts"]
    low, high = concepts["f1_interval"]
    unlike = given.get(figures["type"])
    return (
        column["name"],
        round(figures["mentions"]["f1"], 3),
        round(figures["concept_mentions"]["f1"], 3),
        round(concepts["precision"], 3),
        round(concepts["recall"], 3),
        round(concepts["f1"], 3),
        f"{low:.3f}-{high:.3f}",
        None if unlike is None else round(unlike, 3),
        round(column["documents_per_second"]),
    )


def _facts(fact: Mapping[str, Any]) -> str:
    words = f"{fact['n_documents']:,} abstracts, {fact['n_mentions']:,} mentions, {fact['n_concepts']:,} concepts"
    if fact["n_without_id"]:
        words += f"; {fact['n_without_id']:,} mentions without id"
    if fact["n_unknown"]:
        words += f"; {fact['n_unknown']:,} concepts not in the names catalogue"
    if fact["n_foreign"]:
        share, folded = fact["n_foreign"] / fact["n_concepts"], fact["n_folded"] / fact["n_foreign"]
        words += f"; {share:.0%} of the concepts are not human, {folded:.0%} of these fold onto a human gene"
    return words


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
