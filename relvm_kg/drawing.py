"""The one door to matplotlib, which is loaded only when a picture is drawn: quiet figures, saved as SVG or PNG.

The same figures give the same bytes: no date, no random ids. Text stays text, so a picture can be searched.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "Axes", "Panel", "save_picture"]

COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8d6a9f", "#c98a1b")
"""Blue, red, green, violet, ochre: of like darkness, apart for most colour-blind readers."""

Panel = Callable[["Axes"], None]
"""Draws into one field of a picture."""

_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "relvm-kg",
}


def save_picture(
    path: Path, panels: list[Panel], columns: int, size: tuple[float, float], title: str = "", form: str = "svg"
) -> None:
    """Draw fields in rows of `columns` and save them.

    Args:
        path: File to write; the caller makes it atomic.
        panels: The fields, row by row.
        columns: Fields in a row.
        size: Width and height of one field, in inches.
        title: Of the whole picture.
        form: `svg` or `png`.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
        FigureCanvasAgg(figure)
        fields = figure.subplots(rows, columns, squeeze=False).ravel()
        for field, draw in zip(fields, panels, strict=False):
            draw(field)
        for field in fields[len(panels) :]:
            field.remove()
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
        metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        with warnings.catch_warnings():
            if form == "svg":  # the viewer's fonts draw its text
                warnings.filterwarnings("ignore", r"Glyph \d+", UserWarning)
            figure.savefig(path, format=form, dpi=200, metadata=metadata)
