"""Pictures of a run in its `report/` folder: what the trace and the health figures say, at a glance."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relvm_kg.drawing import COLOURS, Panel, save_picture
from relvm_kg.pipeline.health_text import show_gap
from relvm_kg.workspace import atomic_path

if TYPE_CHECKING:
    from relvm_kg.drawing import Axes

FOLDER = "report"
TRAINING, GAPS, UNITS = "training.svg", "gaps.svg", "kl-by-unit.svg"
MOST_POINTS = 400
"""Points of a curve; a longer trace is thinned evenly."""
GREY = "#555555"
Line = Mapping[str, float]

_INTERVALS = {
    "gap: other pair": "gap_two_sided",
    "gap: other head": "gap_head",
    "gap: other tail": "gap_tail",
    "worth of u": "u_worth",
}
_INTERVAL_COLOURS = (COLOURS[3], COLOURS[0], COLOURS[0], COLOURS[2])


def draw_run(
    folder: Path, trace: Sequence[Line], health: Mapping[str, Any] | None, language_model: Mapping[str, Any] | None
) -> tuple[str, ...]:
    """Draw what there is to draw; returns the names of the pictures, relative to the run's folder."""
    drawn = []

    def save(name: str, panels: list[Panel], columns: int, size: tuple[float, float], title: str) -> None:
        with atomic_path(folder / FOLDER / name) as temporary:
            save_picture(temporary, panels, columns, size, title)
        drawn.append(f"{FOLDER}/{name}")

    if trace:
        panels = _training_panels(trace, health, language_model)
        save(TRAINING, panels, 3, (3.6, 2.5), f"Training of {folder.name}")
    if health is not None:
        save(GAPS, [lambda axes: _gaps(axes, health)], 1, (6.4, 2.6), "")
        save(UNITS, [lambda axes: _units(axes, health)], 1, (6.4, 3.0), "")
    return tuple(drawn)


def _training_panels(
    trace: Sequence[Line], health: Mapping[str, Any] | None, language_model: Mapping[str, Any] | None
) -> list[Panel]:
    """The fields of the picture of training; a figure that the trace lacks leaves its field empty."""

    def bound(axes: "Axes") -> None:
        _curves(axes, trace, "bound, nats a token", {"held out, small sample": "held_out_bound_per_token"})
        if language_model is not None:
            level = language_model["log_likelihood_per_token"]
            axes.axhline(level, color=COLOURS[4], linestyle="--", linewidth=1.1, label="language model, at the end")
        if health is not None:
            end = trace[-1]["step"], health["bound_per_token"]
            axes.plot(*end, "o", color=COLOURS[0], ms=4, label="held out, at the end")

    def kl(axes: "Axes") -> None:
        names = {"KL, held out": "held_out_kl", "KL, training": "kl", "I(c; u), held out": "mutual_information"}
        _curves(axes, trace, "KL and mutual information, nats", names)
        axes.set_ylim(bottom=0)

    def gaps(axes: "Axes") -> None:
        names = {"other head": "gap_head", "other tail": "gap_tail"}
        _curves(axes, trace, "shuffled-pair gap, nats", names)
        axes.axhline(0, color=GREY, linewidth=0.8)

    def one(name: str, title: str, top: float | None = None) -> Panel:
        def draw(axes: "Axes") -> None:
            _curves(axes, trace, title, {title: name})
            axes.set_ylim(0, top)

        return draw

    several = [_with_legend(draw) for draw in (bound, gaps, kl)]
    return [
        several[0],
        several[1],
        one("pair_share", "pair's share of Var(z)", 1.0),
        several[2],
        one("active_units", "active units of u"),
        one("learning_rate", "learning rate"),
    ]


def _with_legend(draw: Panel) -> Panel:
    def both(axes: "Axes") -> None:
        draw(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()

    return both


def _curves(axes: "Axes", trace: Sequence[Line], title: str, names: Mapping[str, str]) -> None:
    """Curves of figures of the trace by step, under their labels."""
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.set_xlim(0, 1.02 * trace[-1]["step"])
    for colour, (label, name) in zip(COLOURS, names.items(), strict=False):
        known = [(line["step"], line[name]) for line in trace if name in line]
        if not known:
            continue
        stride = -(-len(known) // MOST_POINTS)
        thinned = known[::-1][::stride][::-1]
        axes.plot(*zip(*thinned, strict=True), color=colour, label=label, marker="o" if len(known) < 30 else "", ms=2.5)


def _gaps(axes: "Axes", health: Mapping[str, Any]) -> None:
    """The gaps and what u is worth, each a point with its interval."""
    for place, (name, colour) in enumerate(zip(_INTERVALS.values(), _INTERVAL_COLOURS, strict=True)):
        values = health[name]
        if values is None:
            axes.text(0, place, " not measured", va="center", color=GREY)
            continue
        axes.plot(
            [values["low"], values["high"]], [place, place], color=colour, linewidth=5, solid_capstyle="butt", alpha=0.4
        )
        axes.plot(values["mean"], place, "o", color=colour, ms=5)
        axes.annotate(show_gap(values), (values["high"], place), xytext=(8, 0), textcoords="offset points", va="center")
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(_INTERVALS)), list(_INTERVALS))
    axes.set_ylim(len(_INTERVALS) - 0.5, -0.5)
    ends = [0.0, *(health[name][end] for name in _INTERVALS.values() if health[name] for end in ("low", "high"))]
    span = max(ends) - min(ends) or 1.0
    axes.set_xlim(min(ends) - 0.04 * span, max(ends) + 0.32 * span)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("nats a context, 95 % interval over documents")
    axes.set_title(f"Shuffled-pair gaps and the worth of u, {health['n_contexts']:,} held-out contexts")


def _units(axes: "Axes", health: Mapping[str, Any]) -> None:
    """KL of each dimension of u, largest first."""
    values = health["kl_by_unit"]
    axes.fill_between(range(1, len(values) + 1), values, step="mid", color=COLOURS[0], alpha=0.35, linewidth=0)
    axes.step(range(1, len(values) + 1), values, where="mid", color=COLOURS[0])
    axes.set_ylim(bottom=0)
    axes.set_xlim(0.5, len(values) + 0.5)
    axes.set_xlabel("dimension of u, largest first")
    axes.set_ylabel("KL, nats a context")
    axes.set_title(
        f"KL of u by dimension: {health['kl']:.3g} nats in all, {health['active_units']} active units, "
        f"I(c; u) {health['mutual_information']:.3g}"
    )
