"""Places of a neighbourhood's entities: the centre, its neighbours on a ring by type, theirs on the next ring.

The unit of length is the height of a line of text, so that labels fit by construction.
"""

from collections.abc import Mapping
from math import cos, pi, sin
from typing import NamedTuple

from relvm_kg_graph.draw.neighbourhood import Neighbourhood, Node

LABEL_LENGTH = 30
"""Characters of a label; a longer one is cut."""
_CHARACTER = 0.42
"""Mean width of a character."""
_SMALLEST_RING = 7.5
_MOST_LEVEL_LABELS = 14
"""A ring of at most so many leaves has level labels, a fuller one has labels along its rays."""
_TYPES = ("Gene", "Disease", "Chemical")


class Place(NamedTuple):
    """Where an entity stands: `x` to the right, `y` upwards, `angle` in radians from the right, counter-clockwise."""

    x: float
    y: float
    angle: float


class Layout(NamedTuple):
    """Where everything stands."""

    places: Mapping[str, Place]
    level_labels: bool
    """Whether labels are level; else they lie along the ray from the centre."""
    box: tuple[float, float, float, float]
    """Left, right, bottom and top of what is drawn, labels included."""


def label_of(node: Node) -> str:
    """An entity's name in one line, cut to `LABEL_LENGTH`, without what no picture can hold."""
    name = " ".join("".join(c if c.isprintable() else " " for c in node.name).split()) or node.id
    return name if len(name) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1].rstrip()}…"


def radial_layout(around: Neighbourhood) -> Layout:
    """Place the entities of a neighbourhood."""
    children: dict[str, list[Node]] = {node.id: [] for node in around.nodes}
    for node in around.nodes[1:]:
        assert node.parent is not None
        children[node.parent].append(node)
    slots = _slots(around.centre, children)
    n_slots = max(slots.values(), default=0.0) + 1
    steps = max(node.step for node in around.nodes)
    level = steps <= 1 and n_slots <= _MOST_LEVEL_LABELS
    rings = _rings(steps, n_slots)
    places = {around.centre.id: Place(0.0, 0.0, 0.0)}
    for node in around.nodes[1:]:
        angle = pi / 2 - 2 * pi * (slots[node.id] + 0.5) / n_slots
        radius = rings[node.step]
        places[node.id] = Place(radius * cos(angle), radius * sin(angle), angle)
    return Layout(places, level, _box(around, places, level))


def _box(around: Neighbourhood, places: Mapping[str, Place], level: bool) -> tuple[float, float, float, float]:
    xs, ys = [-4.0, 4.0], [-2.0, 2.0]
    for node in around.nodes[1:]:
        place, length = places[node.id], 1.2 + _CHARACTER * len(label_of(node))
        along = (1.0 if place.x >= 0 else -1.0, 0.0) if level else (cos(place.angle), sin(place.angle))
        xs.append(place.x + length * along[0])
        ys += [place.y + length * along[1] + 0.8, place.y + length * along[1] - 0.8]
    return min(xs), max(xs), min(ys) - 0.5, max(ys) + 0.5


def _slots(centre: Node, children: Mapping[str, list[Node]]) -> dict[str, float]:
    """The place of each entity around the circle: leaves one apart, types a little more; parents amid theirs."""
    slots: dict[str, float] = {}
    following = 0.0

    def place(node: Node) -> None:
        nonlocal following
        below = children[node.id]
        for child in below:
            place(child)
        if below:
            slots[node.id] = (slots[below[0].id] + slots[below[-1].id]) / 2
        else:
            slots[node.id] = following
            following += 1

    previous = None
    for node in sorted(children[centre.id], key=lambda node: _TYPES.index(node.type)):
        if previous not in (None, node.type):
            following += 0.7
        previous = node.type
        place(node)
    return slots


def _rings(steps: int, n_slots: float) -> list[float]:
    """The radius of each ring: the labels of the outermost fit side by side, those of the others before the next."""
    gap = _CHARACTER * LABEL_LENGTH + 2.5
    rings = [0.0, *(_SMALLEST_RING + gap * step for step in range(steps))]
    wanted = n_slots * 1.1 / (2 * pi)
    return [0.0, *(max(radius, wanted - gap * (steps - step)) for step, radius in enumerate(rings[1:], start=1))]
