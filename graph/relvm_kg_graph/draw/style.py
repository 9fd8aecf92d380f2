"""How entities and edges look, the same in every kind of picture, and the words beside them.

The colours of types are those of Okabe and Ito, which colour-blind readers tell apart; shapes say the same again.
"""

from collections.abc import Iterable
from typing import NamedTuple

from relvm_kg_graph.draw.neighbourhood import Neighbourhood
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import Edge

TYPE_COLOURS = {"Gene": "#0072b2", "Disease": "#d55e00", "Chemical": "#009e73"}
TYPE_SHAPES = {"Gene": "ellipse", "Disease": "rectangle", "Chemical": "diamond"}
"""In Cytoscape's words."""
KNOWN, CO_MENTIONED = "#222222", "#b8b8b8"
PREDICTED, PREDICTED_UNSURE = "#6a1b9a", "#d9b8ea"
EDGE_WORDS = {
    EdgeType.ASSOCIATED: "known",
    EdgeType.PREDICTED: "predicted",
    EdgeType.CO_MENTIONED: "co-mentioned",
}


class Stroke(NamedTuple):
    """How an edge is drawn."""

    colour: str
    width: float
    """In points."""
    dashed: bool


def uncertainty_range(edges: Iterable[Edge]) -> tuple[float, float] | None:
    """The least and the greatest uncertainty of the predictions; None if none has one."""
    values = [float(e.properties["uncertainty"]) for e in edges if e.properties.get("uncertainty") is not None]
    return (min(values), max(values)) if values else None


def stroke(edge: Edge, between: tuple[float, float] | None) -> Stroke:
    """How an edge is drawn: a prediction wider by score, and paler by where its uncertainty lies in a range."""
    if edge.type is EdgeType.ASSOCIATED:
        return Stroke(KNOWN, 1.6, dashed=False)
    if edge.type is EdgeType.CO_MENTIONED:
        return Stroke(CO_MENTIONED, 0.7, dashed=False)
    return Stroke(_faded(edge.properties.get("uncertainty"), between), score_width(edge.properties["score"]), True)


def score_width(score: float) -> float:
    """Points of a prediction's line."""
    return 0.7 + 2.3 * score


def _faded(uncertainty: float | None, between: tuple[float, float] | None) -> str:
    if uncertainty is None or between is None:
        return PREDICTED
    low, high = between
    share = (uncertainty - low) / (high - low) if high > low else 0.0
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (PREDICTED, PREDICTED_UNSURE)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(*ends, strict=True))


def title(around: Neighbourhood) -> str:
    """Whose neighbourhood it is."""
    centre = around.centre
    name = " ".join("".join(c if c.isprintable() else " " for c in centre.name).split())
    return f"{name if len(name) <= 60 else name[:59] + '…'} ({centre.id}, {centre.type.lower()})"


def notes(around: Neighbourhood) -> list[str]:
    """What to know of a picture: how much it shows, which run it shows, what is not calibrated or simulated."""
    counts = {word: sum(edge.type is edge_type for edge in around.edges) for edge_type, word in EDGE_WORDS.items()}
    shown = ", ".join(f"{n:,} {word}" for word, n in counts.items() if n) or "no edges"
    if around.n_pairs_left_out:
        shown += f"; the best {around.n_pairs:,} of {around.n_pairs + around.n_pairs_left_out:,} pairs"
    lines = [shown]
    if around.run is not None:
        calibrated = "calibrated" if around.run.calibrated else "not calibrated, they only rank"
        lines.append(f"predictions of run {around.run.run_id}: scores are {calibrated}")
    if around.simulated:
        lines.append("simulated: this literature is generated, the picture says nothing about the world")
    return lines
