"""What `quickstart` and `demo` print at their end."""

from typing import TYPE_CHECKING

from relvm_kg_cli.answers import RANKING_COLUMNS, answer_rows, entity_text, marked, ranking_rows
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.answers import Ranking
    from relvm_kg.pipeline.tour import Tour


def show_tour(console: Console, tour: "Tour", commands: list[str]) -> None:
    """The answers, each below the command that leads to it."""
    simulated = tour.export.simulated
    mark = "  simulated: true" if simulated else ""
    console.line(f"\n$ {commands[0]}")
    show_ranking(console, tour.ranking, simulated)
    console.line(f"\n$ {commands[1]}")
    for label, text in answer_rows(tour.known.answers[0], tour.known.known_relation):
        console.line(f"{label:<14}{text}")
    console.line(f"\n$ {commands[2]}")
    for sentence in tour.evidence:
        probability = "" if sentence.probability is None else f"  probability {sentence.probability:.3f}"
        place = f"{sentence.doc_id}#{sentence.sentence_index} {sentence.year or ''}{probability}{mark}"
        spans = sentence.head_span, sentence.tail_span
        console.line(f"{place}\n    {marked(sentence.sentence, spans, console)}")
    console.line(f"\n$ {commands[3]}")
    console.table(tour.novel_edges.columns, tour.novel_edges.rows)
    console.line(f"\n$ {commands[4]}")
    console.line(
        f"{tour.export.folder}: {tour.export.rows:,} predictions, "
        f"{tour.export.rows_per_second:,.0f} rows a second{',' if mark else ''}{mark}"
    )


def show_ranking(console: Console, ranking: "Ranking", simulated: bool) -> None:
    """A ranking as a table, each row marked where the text is simulated."""
    rows = ranking_rows(ranking.answers, ranking.entity.id)
    if not simulated:
        console.table(RANKING_COLUMNS, rows)
        return
    marks = [answer.simulated for answer in ranking.answers]
    console.table((*RANKING_COLUMNS, "simulated"), [[*row, mark] for row, mark in zip(rows, marks, strict=True)])


def show_next(console: Console, tour: "Tour", commands: list[str], n_entities: int) -> None:
    """What to type next."""
    console.line(f"\nType these next; {entity_text(tour.ranking.entity)} is one of {n_entities:,} entities:")
    for command in commands:
        console.line(f"  {command}")
