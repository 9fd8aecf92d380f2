"""`relvm-kg score`."""

import click

from relvm_kg_cli.answers import answer_rows, notes
from relvm_kg_cli.options import epilog, open_session, with_console, with_model
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        "relvm-kg score GENE:6506 DISEASE:D000690",
        "answers (each: head and tail with id, name, type, depth, document_share; relation, probability, "
        "uncertainty, calibrated, training_prevalence, known, co_mentioned, n_documents, simulated, model, stale), "
        "known_relation (predicates, pmids, sources; or null), notes, simulated",
    )
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@with_model
@with_console
def score(console: Console, *, first: str, second: str, run_id: str | None, device: str) -> None:
    """Score the relation between two entities.

    It does not matter whether any text mentions them together.

    A and B are ids (NCBIGene:6506, GENE:6506, MESH:D000690, DISEASE:D000690), symbols, names or synonyms.
    """
    from relvm_kg.pipeline.answers import score_pair

    session = open_session(console, run_id, device)
    answer = score_pair(session, first, second)
    if console.as_json:
        answers = [one.as_mapping() for one in answer.answers]
        simulated = any(one.simulated for one in answer.answers)
        console.document(
            {
                "answers": answers,
                "known_relation": answer.known_relation,
                "notes": session.notes,
                "simulated": simulated,
            }
        )
        return
    for note in session.notes:
        console.say(f"note: {note}")
    for one in answer.answers:
        for label, text in answer_rows(one, answer.known_relation):
            console.line(f"{label:<14}{text}")
        for note in notes(one):
            console.say(note)
