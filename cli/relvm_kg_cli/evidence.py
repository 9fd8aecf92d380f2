"""`relvm-kg evidence`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from relvm_kg_cli.answers import entity_text, marked
from relvm_kg_cli.options import epilog, open_session, with_console, with_model
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.answers import EvidenceSentence


@click.command(
    epilog=epilog(
        'relvm-kg evidence riluzole "amyotrophic lateral sclerosis" --limit 5',
        "head, relation, tail, n_sentences, sentences (each: doc_id, sentence_index, year, sentence, head_span, "
        "tail_span, probability, training_prevalence, calibrated, simulated, retracted, head_source_id, "
        "tail_source_id), notes, simulated",
    )
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--limit", type=click.IntRange(min=1), help="Show at most this many sentences.")
@with_model
@with_console
def evidence(console: Console, *, first: str, second: str, limit: int | None, run_id: str | None, device: str) -> None:
    """Show the sentences that mention two entities.

    The likeliest to state their relation come first.

    Sentences of retracted papers are marked RETRACTED; no model learned from them. "tagged as" shows the gene of
    another species that the source named, where it counts as the human gene.

    Both mentions stand out: bold on a terminal, in [[ ]] elsewhere. The probability is the mention-level classifier's.
    """
    from relvm_kg.pipeline.answers import find_evidence, named

    session = open_session(console, run_id, device)
    pair, sentences = find_evidence(session, first, second)
    head, tail = named(session, pair.head), named(session, pair.tail)
    shown = sentences[:limit]
    if console.as_json:
        console.document(
            {
                "head": head._asdict(),
                "relation": pair.relation.value,
                "tail": tail._asdict(),
                "n_sentences": len(sentences),
                "sentences": [asdict(sentence) for sentence in shown],
                "notes": session.notes,
                "simulated": session.workspace.manifest.simulated,
            }
        )
        return
    for note in session.notes:
        console.say(f"note: {note}")
    for sentence in shown:
        console.line(
            f"{_place(sentence)}\n    {marked(sentence.sentence, (sentence.head_span, sentence.tail_span), console)}"
        )
    pair_text = f"{entity_text(head)} and {entity_text(tail)}"
    if not sentences:
        console.say(f"no sentence mentions both {pair_text}")
    else:
        console.say(f"{len(shown):,} of {len(sentences):,} sentences that mention {pair_text}")
    if any(sentence.probability is not None for sentence in shown):
        console.say(
            f"probabilities are not calibrated; training prevalence {shown[0].training_prevalence:.3f} of sentences"
        )


def _place(sentence: "EvidenceSentence") -> str:
    year = f" {sentence.year}" if sentence.year is not None else ""
    probability = "" if sentence.probability is None else f"  probability {sentence.probability:.3f}"
    simulated = "  simulated: true" if sentence.simulated else ""
    retracted = "  RETRACTED" if sentence.retracted else ""
    source_ids = ", ".join(filter(None, (sentence.head_source_id, sentence.tail_source_id)))
    tagged = f"  tagged as {source_ids}" if source_ids else ""
    place = f"{sentence.doc_id}#{sentence.sentence_index}{year}"
    return f"{place}{retracted}{probability}{tagged}{simulated}"
