"""The learning curve: one variant of the representation on growing shares of the text, beside the profiles' floors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relvm_kg.benchmark.columns.settings import Family, Kind, Stage
from relvm_kg.benchmark.sweep import SweepPlace, measure_floors, run_sweep, sweep_jobs
from relvm_kg.benchmark.variants import Budget, Variant
from relvm_kg.config import require
from relvm_kg.drawing import COLOURS, Panel, save_picture
from relvm_kg.files import atomic_path, read_json, write_json
from relvm_kg.progress import Progress
from relvm_kg.training.data import load_corpus
from relvm_kg.workspace import Workspace

if TYPE_CHECKING:
    from relvm_kg.drawing import Axes

KeepDocuments = Callable[[Workspace, int, Path, Progress], Workspace]
"""Makes a workspace of a percentage of the documents (`relvm_kg.pipeline.leave_out.keep_documents`)."""
RESULT, PICTURE = "learning-curve.json", "learning-curve.svg"
WHOLE = 100
FLOORS = ("text profile", "co-mention profile", "both profiles, 300 + 300")
REPRESENTATIONS = ("z", "z + entity vectors")


def run_learning_curve(
    place: SweepPlace,
    keep_documents: KeepDocuments,
    percentages: Sequence[int],
    variant: Variant,
    budget: Budget,
    progress: Progress,
) -> dict[str, Any]:
    """Train and measure a variant on each share of the text, and draw it; what is there already is not done again.

    The pairs, the catalogue and the budget in contexts stay the same; a smaller share is part of a larger one.

    Args:
        place: The sweep's; `learning-curve.json` and the picture go to its results.
        keep_documents: Makes the workspaces of the shares, in a folder beside the sweep's runs.
        percentages: Shares of the documents, whole percentages.
        variant: Settings of the representation.
        budget: Contexts that each training reads.
        progress: Where progress goes.

    Returns:
        The result as JSON values.

    Raises:
        InvalidInputError: if a percentage is out of bounds.
    """
    for percent in percentages:
        require(1 <= percent <= WHOLE, "learning-curve.percentages", "be from 1 to 100", percent)
    shares = [_measure_share(place, keep_documents, percent, variant, budget, progress) for percent in percentages]
    result = {"variant": variant.name, "simulated": place.workspace.manifest.simulated, "shares": shares}
    write_json(place.results / RESULT, result)
    with atomic_path(place.results / PICTURE) as temporary:
        draw_learning_curve(result, temporary)
    return result


def _measure_share(
    place: SweepPlace,
    keep_documents: KeepDocuments,
    percent: int,
    variant: Variant,
    budget: Budget,
    progress: Progress,
) -> dict[str, Any]:
    """Figures of one share; those of all the text are the sweep's own."""
    if percent != WHOLE:
        workspace = keep_documents(place.workspace, percent, place.runs.with_name(f"share-{percent}"), progress)
        results = place.results / f"share-{percent}"
        place = replace(place, workspace=workspace, results=results, runs=workspace.path / "sweep")
    (path,) = run_sweep(place, sweep_jobs(place, [variant], budget, (0,)), 1, progress)
    floors, own = measure_floors(place, Stage.VALIDATION, progress), read_json(path)[Stage.VALIDATION.value]
    entrants = {
        **{name: floors["entrants"][name]["columns"] for name in FLOORS},
        **{name: own["entrants"][f"{variant.name}: {name}"]["columns"] for name in REPRESENTATIONS},
    }
    corpus = load_corpus(place.workspace.corpus_dir)
    return {
        "percent": percent,
        "training_contexts": len(corpus.training_rows),
        "entities_with_text": int(corpus.has_text.sum()),
        "result": path.name,
        "entrants": entrants,
    }


def draw_learning_curve(result: Mapping[str, Any], path: Path) -> None:
    """Average precision over the number of training contexts, a field for each column of pairs, as SVG."""
    panels = [_panel(result["shares"], family, kind) for family in Family for kind in Kind]
    save_picture(path, panels, 3, (3.3, 2.4), "Average precision over the number of training contexts")


def _panel(shares: Sequence[Mapping[str, Any]], family: Family, kind: Kind) -> Panel:
    def draw(axes: "Axes") -> None:
        axes.set_title(f"{family.value}, {kind.value}")
        styles = [*((name, "--") for name in FLOORS), *((name, "-") for name in REPRESENTATIONS)]
        for (name, style), colour in zip(styles, (COLOURS[4], COLOURS[3], "#555555", *COLOURS[:2]), strict=True):
            points = [
                (share["training_contexts"], column["average_precision"])
                for share in shares
                for column in share["entrants"][name]
                if (column["family"], column["kind"]) == (family.value, kind.value)
            ]
            axes.plot(*zip(*points, strict=True), style, marker="o", markersize=3, color=colour, label=name)
        axes.set_xscale("log")
        if (family, kind) == (Family.CO_MENTIONED, Kind.RANDOM):
            axes.legend()

    return draw
