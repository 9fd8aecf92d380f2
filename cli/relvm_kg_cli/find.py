"""`relvm-kg find`."""

from dataclasses import asdict

import click

from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console

_N_SYNONYMS = 8


@click.command(
    epilog=epilog(
        "relvm-kg find EAAT2",
        "text, entity (id, name, type, synonyms, n_documents, n_training_sentences; or null), reason, candidates "
        "(each: entity, text, kind, n_mentions), nearest",
    )
)
@click.argument("text")
@with_console
def find(console: Console, *, text: str) -> None:
    """Show what a name or id leads to.

    The entity, all that go by that name, and the nearest names.

    The exit code is 0 even if there is no such entity.
    """
    from relvm_kg.pipeline.find import find_entity

    found = find_entity(open_workspace(console), text)
    if console.as_json:
        values = asdict(found)
        values["entity"] = None if found.entity is None else found.entity._asdict()
        values["candidates"] = [{**c._asdict(), "entity": c.entity._asdict()} for c in found.candidates]
        console.document(values)
        return
    if found.entity is not None:
        entity = found.entity
        more = f" and {len(entity.synonyms) - _N_SYNONYMS} more" if len(entity.synonyms) > _N_SYNONYMS else ""
        console.line(f"{'entity':<12}{entity.name} ({entity.id}, {entity.type})")
        console.line(f"{'synonyms':<12}{', '.join(entity.synonyms[:_N_SYNONYMS]) or '-'}{more}")
        console.line(f"{'documents':<12}{entity.n_documents:,}")
        if not entity.n_training_sentences:
            console.say("no training sentence mentions it, so that no model can score it")
    else:
        console.say(f"no entity: {found.reason}")
    if found.candidates:
        console.line()
        rows = [(c.entity.id, c.entity.name, c.entity.type, c.text, c.kind, c.n_mentions) for c in found.candidates]
        console.table(("id", "name", "type", "as", "kind", "mentions"), rows)
    if found.nearest:
        console.line()
        console.line(f"{'nearest':<12}{', '.join(found.nearest)}")
