"""A neighbourhood as a page to explore: one HTML file that needs no network.

The page holds Cytoscape.js 3.35.0 (MIT, `dist/cytoscape.min.js` of the npm package `cytoscape`), which draws the graph.
Its policy lets no script run but the two that are hashed in it, and loads nothing.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from math import cos, pi, sin
from typing import Any

from relvm_kg_graph.draw.layout import Layout, label_of, radial_layout
from relvm_kg_graph.draw.neighbourhood import Neighbourhood, Node
from relvm_kg_graph.draw.style import (
    CO_MENTIONED,
    EDGE_WORDS,
    KNOWN,
    PREDICTED,
    TYPE_COLOURS,
    TYPE_SHAPES,
    notes,
    stroke,
    title,
    uncertainty_range,
)
from relvm_kg_graph.schema import EdgeType

_PIXELS = 17.0
"""Of a unit of the layout."""
_BEND = {EdgeType.ASSOCIATED: 0.0, EdgeType.PREDICTED: 14.0, EdgeType.CO_MENTIONED: -14.0}
_LABEL_GAP = 11.0
_EDGE_COLOURS = {EdgeType.ASSOCIATED: KNOWN, EdgeType.PREDICTED: PREDICTED, EdgeType.CO_MENTIONED: CO_MENTIONED}


def draw_page(around: Neighbourhood) -> str:
    """The page's HTML."""
    folder = files(__package__)
    library, script = (folder.joinpath(name).read_text("utf-8") for name in ("cytoscape.min.js", "page.js"))
    parts = {
        "POLICY": f"default-src 'none'; script-src {_hash(library)} {_hash(script)}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'",
        "TITLE": escape(title(around)),
        "DATA": _json(_data(around)),
        "LIBRARY": library,
        "SCRIPT": script,
    }
    template = folder.joinpath("page.html").read_text("utf-8")
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda match: parts[match[1]], template)


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json(value: Mapping[str, Any]) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(around: Neighbourhood) -> dict[str, Any]:
    layout = radial_layout(around)
    node_types = {node.type for node in around.nodes}
    edge_types = {edge.type for edge in around.edges}
    return {
        "title": title(around),
        "notes": notes(around),
        "uncertainty": uncertainty_range(around.edges),
        "nodeTypes": [
            {"name": name.lower(), "colour": colour, "shape": TYPE_SHAPES[name]}
            for name, colour in TYPE_COLOURS.items()
            if name in node_types
        ],
        "edgeTypes": [
            {"name": word, "colour": _EDGE_COLOURS[kind], "dashed": kind is EdgeType.PREDICTED}
            for kind, word in EDGE_WORDS.items()
            if kind in edge_types
        ],
        "elements": {"nodes": [_node(node, layout) for node in around.nodes], "edges": _edges(around)},
    }


def _node(node: Node, layout: Layout) -> dict[str, Any]:
    place = layout.places[node.id]
    left = place.x < 0
    turn = 0.0 if layout.level_labels else -place.angle + (pi if left else 0.0)
    aside = _LABEL_GAP * (abs(cos(place.angle)) - 0.5)
    return {
        "data": {
            "id": node.id,
            "label": label_of(node),
            "type": node.type.lower(),
            "colour": TYPE_COLOURS[node.type],
            "shape": TYPE_SHAPES[node.type],
            "centre": node.parent is None,
            "side": "left" if left else "right",
            "turn": turn,
            "dx": -aside if left else aside,
            "dy": -_LABEL_GAP * sin(place.angle),
            "home": {"x": place.x * _PIXELS, "y": -place.y * _PIXELS},
            "properties": node.properties,
        }
    }


def _edges(around: Neighbourhood) -> list[dict[str, Any]]:
    between = uncertainty_range(around.edges)
    found = []
    for place, edge in enumerate(around.edges):
        look = stroke(edge, between)
        source, target = sorted((edge.subject, edge.object))
        data = {
            "id": f"edge {place}",
            "source": source,
            "target": target,
            "type": EDGE_WORDS[edge.type],
            "colour": look.colour,
            "width": look.width,
            "dashed": look.dashed,
            "bend": _BEND[edge.type],
            "properties": edge.properties,
        }
        score = {"score": edge.properties["score"]} if edge.type is EdgeType.PREDICTED else {}
        found.append({"data": {**data, **score}})
    return found
