"""A neighbourhood as a still picture, SVG or PNG."""

from math import degrees, hypot, pi
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relvm_kg.drawing import save_picture
from relvm_kg_graph.draw.layout import Layout, Place, label_of, radial_layout
from relvm_kg_graph.draw.neighbourhood import Neighbourhood, Node
from relvm_kg_graph.draw.style import (
    CO_MENTIONED,
    EDGE_WORDS,
    KNOWN,
    PREDICTED,
    PREDICTED_UNSURE,
    TYPE_COLOURS,
    Stroke,
    notes,
    score_width,
    stroke,
    title,
    uncertainty_range,
)
from relvm_kg_graph.schema import EdgeType

if TYPE_CHECKING:
    from relvm_kg.drawing import Axes

_MARKERS = {"Gene": "o", "Disease": "s", "Chemical": "D"}
_INCHES = 0.155
"""Of a unit of the layout, the height of a line of text."""
_FONT = 8.0
_LEAST_WIDTH = 6.4
"""Inches that the legend and the notes need."""
_BEND = {EdgeType.ASSOCIATED: 0.0, EdgeType.PREDICTED: 0.09, EdgeType.CO_MENTIONED: -0.09}
"""How far an edge bends aside, as a share of its length, where several join two entities."""


def draw_still(around: Neighbourhood, path: Path, form: str) -> None:
    """Draw a neighbourhood.

    Args:
        around: What to draw.
        path: File to write; the caller makes it atomic.
        form: `svg` or `png`.
    """
    layout = radial_layout(around)
    left, right, bottom, top = layout.box
    size = (
        max((right - left) * _INCHES + 0.4, _LEAST_WIDTH),
        (top - bottom) * _INCHES + 1.4 + 0.17 * len(notes(around)),
    )
    save_picture(path, [lambda axes: _draw(axes, around, layout)], 1, size, form=form)


def _draw(axes: "Axes", around: Neighbourhood, layout: Layout) -> None:
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(*layout.box[:2])
    axes.set_ylim(*layout.box[2:])
    _edges(axes, around, layout)
    for node in around.nodes:
        _node(axes, node, layout)
    lines = notes(around)
    axes.set_title("\n".join(lines), fontsize=8.5, color="#444444", parse_math=False)
    axes.annotate(
        title(around),
        (0, 1),
        (0, 6 + 11.5 * len(lines)),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=12,
        fontweight="bold",
        parse_math=False,
    )
    _legend(axes, around)


def _edges(axes: "Axes", around: Neighbourhood, layout: Layout) -> None:
    between = uncertainty_range(around.edges)
    joined: dict[tuple[str, ...], int] = {}
    for edge in around.edges:
        pair = tuple(sorted((edge.subject, edge.object)))
        joined[pair] = joined.get(pair, 0) + 1
    order = [EdgeType.CO_MENTIONED, EdgeType.PREDICTED, EdgeType.ASSOCIATED]
    for edge in sorted(around.edges, key=lambda edge: order.index(edge.type)):
        pair = tuple(sorted((edge.subject, edge.object)))
        bend = _BEND[edge.type] if joined[pair] > 1 else 0.0
        start, end = (layout.places[id] for id in pair)
        _line(axes, start, end, bend, stroke(edge, between))


def _line(axes: "Axes", start: Place, end: Place, bend: float, look: Stroke) -> None:
    """A quadratic curve whose middle lies aside by a share of its length."""
    along = (end.x - start.x, end.y - start.y)
    middle = ((start.x + end.x) / 2 - bend * 2 * along[1], (start.y + end.y) / 2 + bend * 2 * along[0])
    shares = [i / 24 for i in range(25)] if bend else [0.0, 1.0]
    weights = [((1 - t) ** 2, 2 * t * (1 - t), t**2) for t in shares]
    xs = [a * start.x + b * middle[0] + c * end.x for a, b, c in weights]
    ys = [a * start.y + b * middle[1] + c * end.y for a, b, c in weights]
    axes.plot(xs, ys, color=look.colour, linewidth=look.width, linestyle=_dashes(look.width, look.dashed), zorder=1)


def _dashes(width: float, dashed: bool = True) -> Any:
    """Dashes of one length, whatever the width: Matplotlib multiplies by it."""
    return (0, (5.5 / width, 2.5 / width)) if dashed else "-"


def _node(axes: "Axes", node: Node, layout: Layout) -> None:
    place, centre = layout.places[node.id], node.parent is None
    size = (190.0 if centre else 46.0) * (1.0 if _MARKERS[node.type] == "o" else 0.8)
    axes.scatter(
        [place.x],
        [place.y],
        s=size,
        marker=_MARKERS[node.type],
        color=TYPE_COLOURS[node.type],
        edgecolor="white",
        linewidth=1,
        zorder=3,
    )
    words: dict[str, Any] = {"fontsize": _FONT, "zorder": 4, "parse_math": False, "va": "center"}
    halo = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    if centre:
        axes.text(0, -1.5, label_of(node), ha="center", fontweight="bold", bbox=halo, **words)
        return
    left = place.x < 0
    radius = hypot(place.x, place.y)
    x, y = place.x * (1 + 0.75 / radius), place.y * (1 + 0.75 / radius)
    turn = 0.0 if layout.level_labels else degrees(place.angle + (pi if left else 0))
    axes.text(
        x,
        y,
        label_of(node),
        ha="right" if left else "left",
        rotation=turn,
        rotation_mode="anchor",
        bbox=halo,
        **words,
    )


def _legend(axes: "Axes", around: Neighbourhood) -> None:
    """What stands for what: only of what there is."""
    types = {node.type for node in around.nodes}
    for name, marker in _MARKERS.items():
        if name in types:
            look: dict[str, Any] = {"marker": marker, "color": TYPE_COLOURS[name], "linestyle": "none"}
            axes.plot([], [], label=name.lower(), markersize=6, **look)
    present = {edge.type for edge in around.edges}
    if EdgeType.ASSOCIATED in present:
        axes.plot([], [], color=KNOWN, linewidth=1.6, label=EDGE_WORDS[EdgeType.ASSOCIATED])
    if EdgeType.CO_MENTIONED in present:
        axes.plot([], [], color=CO_MENTIONED, linewidth=0.7, label=EDGE_WORDS[EdgeType.CO_MENTIONED])
    if EdgeType.PREDICTED in present:
        _prediction_legend(axes, around)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4, handlelength=2.4, columnspacing=1.4)


def _prediction_legend(axes: "Axes", around: Neighbourhood) -> None:
    scores = sorted(edge.properties["score"] for edge in around.edges if edge.type is EdgeType.PREDICTED)
    for score in dict.fromkeys((scores[0], scores[-1])):
        width, label = score_width(score), f"predicted, score {score:.2f}"
        axes.plot([], [], color=PREDICTED, linewidth=width, linestyle=_dashes(width), label=label)
    between = uncertainty_range(around.edges)
    for colour, value in zip((PREDICTED, PREDICTED_UNSURE), between or (), strict=False):
        axes.plot([], [], color=colour, linewidth=4, label=f"uncertainty {value:.2g} nats")
