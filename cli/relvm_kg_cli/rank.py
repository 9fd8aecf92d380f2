"""`relvm-kg rank`."""

import click

from relvm_kg.types import EntityType
from relvm_kg_cli.answers import RANKING_COLUMNS, entity_text, notes, ranking_rows, scant_text, text_words
from relvm_kg_cli.options import (
    epilog,
    open_session,
    open_text_session,
    with_console,
    with_model,
    with_novel,
    with_text,
)
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        "relvm-kg rank --entity EAAT2 --type disease --top 10 --novel",
        "entity (id, name, type, depth, document_share, from_sentences), n_documents, answers (as in score, best "
        "first), n_candidates, n_without_text, n_left_out_known, n_left_out_related, n_left_out_general, notes, "
        "simulated; with --text, text (as in score)",
    )
)
@click.option("--entity", required=True, metavar="NAME", help="An id, symbol, name or synonym.")
@click.option(
    "--type", "partner_type", type=click.Choice([t.value.lower() for t in EntityType]), help="Only partners of a type."
)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@with_novel
@with_text
@with_model
@with_console
def rank(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    entity: str,
    partner_type: str | None,
    top: int,
    text: tuple[str, ...],
    run_id: str | None,
    device: str,
    **novel: bool,
) -> None:
    """Rank the likeliest partners of an entity.

    Entities that no training text mentions are left out and counted, and so is what --novel leaves out. Of an entity
    in fewer than 10 documents a warning tells that its ranking says little.

    With --text, entities that training never saw get vectors from the sentences of the given files, as in score: they
    can be asked about, and they are candidates.
    """
    from relvm_kg.pipeline.answers import rank_partners
    from relvm_kg.pipeline.novelty import NovelRule

    kind = None if partner_type is None else EntityType(partner_type.upper())
    with_text = open_text_session(console, run_id, device, text)
    session = with_text or open_session(console, run_id, device)
    ranking = rank_partners(session, entity, partner_type=kind, top=top, novel=NovelRule(**novel))
    report = with_text and with_text.report(ranking.entity.id)
    if console.as_json:
        console.document(
            {
                "entity": ranking.entity._asdict(),
                "n_documents": ranking.n_documents,
                "answers": [answer.as_mapping() for answer in ranking.answers],
                "n_candidates": ranking.n_candidates,
                "n_without_text": ranking.n_without_text,
                "n_left_out_known": ranking.n_left_out_known,
                "n_left_out_related": ranking.n_left_out_related,
                "n_left_out_general": ranking.n_left_out_general,
                "notes": session.notes,
                "simulated": session.simulated,
                **({"text": report.as_mapping()} if report else {}),
            }
        )
        return
    for note in session.notes:
        console.say(f"note: {note}")
    console.table(RANKING_COLUMNS, ranking_rows(ranking.answers, ranking.entity.id))
    left_out = f"; left out: {ranking.n_without_text:,} without text"
    if novel["novel"]:
        left_out += (
            f", {ranking.n_left_out_known:,} known, {ranking.n_left_out_related:,} above or below what is known, "
            f"{ranking.n_left_out_general:,} too general"
        )
    console.say(f"{entity_text(ranking.entity)}: {ranking.n_candidates:,} candidates{left_out}")
    if ranking.is_scant:
        console.say(f"warning: {scant_text(ranking)}")
    for words in text_words(report) if report else ():
        console.say(words)
    for note in notes(ranking.answers[0]) if ranking.answers else ():
        console.say(note)
