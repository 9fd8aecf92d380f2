"""`relvm-kg find`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from relvm_kg_cli.options import epilog, open_workspace, with_console
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.find import FoundEntity

_N_SYNONYMS = 8


@click.command(
    epilog=epilog(
        "relvm-kg find EAAT2",
        "text, entity (id, name, type, synonyms, n_documents, n_training_sentences, in_workspace, full_name, previous, "
        "xrefs, parents, depth; or null), reason, note, candidates (each: entity, text, kind, n_mentions), nearest, "
        "nearest_absent",
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
        _show(console, found.entity)
    if found.note:
        console.say(f"note: {found.note}")
    if found.reason:
        console.say(f"{'not here' if found.entity else 'no entity'}: {found.reason}")
    if found.candidates:
        console.line()
        rows = [(c.entity.id, c.entity.name, c.entity.type, c.text, c.kind, c.n_mentions) for c in found.candidates]
        console.table(("id", "name", "type", "as", "kind", "mentions"), rows)
    if found.nearest:
        console.line()
        console.line(f"{'nearest':<12}{', '.join(found.nearest)}")
    if found.nearest_absent:
        console.line(f"{'not here':<12}{', '.join(found.nearest_absent)}")


def _show(console: Console, entity: "FoundEntity") -> None:
    console.line(f"{'entity':<12}{entity.name} ({entity.id}, {entity.type})")
    if entity.full_name:
        console.line(f"{'full name':<12}{entity.full_name}")
    console.line(f"{'synonyms':<12}{_listed(entity.synonyms) or '-'}")
    for label, values in (("formerly", entity.previous), ("elsewhere", entity.xrefs), ("broader", entity.parents)):
        if values:
            console.line(f"{label:<12}{_listed(values)}")
    if entity.depth is not None:
        console.line(f"{'depth':<12}{entity.depth}")
    console.line(f"{'documents':<12}{entity.n_documents:,}")
    if entity.in_workspace and not entity.n_training_sentences:
        console.say("no training sentence mentions it, so that no model can score it")


def _listed(values: Sequence[str]) -> str:
    more = f" and {len(values) - _N_SYNONYMS} more" if len(values) > _N_SYNONYMS else ""
    return ", ".join(values[:_N_SYNONYMS]) + more
