"""`relvm-kg score`."""

import click

from relvm_kg_cli.answers import answer_rows, notes, text_lines, text_words
from relvm_kg_cli.options import epilog, open_session, open_text_session, with_console, with_model, with_text
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        "relvm-kg score GENE:6506 DISEASE:D000690",
        "answers (each: head and tail with id, name, type, depth, document_share, from_sentences; relation, "
        "probability, uncertainty, calibrated, training_prevalence, known, co_mentioned, n_documents, simulated, "
        "model, stale), known_relation (predicates, pmids, sources; or null), notes, simulated; with --text, text "
        "(files; entities that training never saw, each with id, name, n_sentences, n_documents, n_partners; "
        "sentences, each with file, doc_id, sentence_index, year, sentence, head_span, tail_span, simulated)",
    )
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@with_text
@with_model
@with_console
def score(console: Console, *, first: str, second: str, text: tuple[str, ...], run_id: str | None, device: str) -> None:
    """Score the relation between two entities.

    It does not matter whether any text mentions them together.

    A and B are ids (NCBIGene:6506, GENE:6506, MESH:D000690, DISEASE:D000690), symbols, names or synonyms.

    With --text, A, B or both may be entities that the model's training never saw: their vectors come from the sentences
    of the given files (PubTator, BioC, MEDLINE XML, JSON lines, plain .txt; quoted globs and folders, too), without
    retraining. Files without annotations are tagged with the names catalogue.
    """
    from relvm_kg.pipeline.answers import score_pair

    with_text = open_text_session(console, run_id, device, text)
    session = with_text or open_session(console, run_id, device)
    answer = score_pair(session, first, second)
    report = with_text and with_text.report(answer.answers[0].head.id, answer.answers[0].tail.id)
    if console.as_json:
        answers = [one.as_mapping() for one in answer.answers]
        simulated = any(one.simulated for one in answer.answers)
        console.document(
            {
                "answers": answers,
                "known_relation": answer.known_relation,
                "notes": session.notes,
                "simulated": simulated,
                **({"text": report.as_mapping()} if report else {}),
            }
        )
        return
    for note in session.notes:
        console.say(f"note: {note}")
    for one in answer.answers:
        for label, words in answer_rows(one, answer.known_relation):
            console.line(f"{label:<14}{words}")
        for note in notes(one):
            console.say(note)
    for line in text_lines(report, console) if report else ():
        console.line(line)
    for words in text_words(report) if report else ():
        console.say(words)
