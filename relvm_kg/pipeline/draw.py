"""What `graph draw` asks: the neighbourhood of an entity that a person names, in files of several kinds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.graph import ground_ids
from relvm_kg.workspace import Workspace, atomic_path
from relvm_kg_graph.draw.neighbourhood import DEFAULT_LIMIT, Neighbourhood, neighbourhood
from relvm_kg_graph.draw.page import draw_page
from relvm_kg_graph.draw.still import draw_still
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.selection import check_selection
from relvm_kg_graph.store import Selection

__all__ = ["DEFAULT_LIMIT", "SUFFIXES", "Drawn", "draw_neighbourhood"]

SUFFIXES = (".svg", ".png", ".html")
"""Kinds of pictures, by the end of the file's name."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Pictures that were drawn, and what they show."""

    files: tuple[Path, ...]
    shown: Neighbourhood
    note: str | None
    """What to tell of the name that was asked for, if anything."""


def draw_neighbourhood(
    workspace: Workspace, entity: str, targets: Sequence[Path], selection: Selection, limit: int = DEFAULT_LIMIT
) -> Drawn:
    """Draw the neighbourhood of an entity.

    Args:
        workspace: One with a graph.
        entity: Id, symbol, name or synonym; an id where the workspace has no corpus.
        targets: Files to write, of `SUFFIXES`; without one, an SVG and a page named after the id, in this folder.
        selection: Which edges count, and how many steps; without a run, predictions are those of the newest.
        limit: Pairs that each step adds.

    Raises:
        InvalidInputError: if a file's name ends otherwise.
        UnknownEntityError: if the graph has no such entity.
        AmbiguousEntityError: if a name is that of several entities.
        NoTextError: if an entity is known by name, and nothing is written of it in the workspace.
        StoreError: if there is no graph, or no such run.
    """
    check_selection(selection)
    for target in targets:
        if target.suffix.lower() not in SUFFIXES:
            raise InvalidInputError(f"a picture's file must end in one of {', '.join(SUFFIXES)}, was: {target}")
    [(id, note)] = ground_ids(workspace, [entity])
    with EmbeddedStore(workspace.graph_dir) as store:
        if selection.runs is None:
            newest = [stored.run.run_id for stored in store.runs() if stored.complete][:1]
            selection = replace(selection, runs=tuple(newest))
        around = neighbourhood(store, id, selection, limit)
    files = tuple(targets) or tuple(Path(re.sub(r"[^\w.-]", "-", id) + suffix) for suffix in (".svg", ".html"))
    for target in files:
        _draw(around, target)
    return Drawn(files=files, shown=around, note=note)


def _draw(around: Neighbourhood, target: Path) -> None:
    with atomic_path(target) as temporary:
        if target.suffix.lower() == ".html":
            temporary.write_text(draw_page(around), encoding="utf-8")
        else:
            draw_still(around, temporary, target.suffix.lower().removeprefix("."))
