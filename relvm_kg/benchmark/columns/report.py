"""Tables of the six columns, in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from relvm_kg.benchmark.bootstrap import Difference
from relvm_kg.benchmark.columns.evaluate import Column
from relvm_kg.benchmark.columns.settings import Family, Kind

COLUMNS: tuple[Column, ...] = tuple((family, kind) for family in Family for kind in Kind)
_NONE = "-"


def average_precision_table(result: Mapping[str, Any], figure: str = "average_precision") -> str:
    """One row for each entrant, best of each column in bold, the prevalence above.

    Args:
        result: What `evaluate_representations` gave.
        figure: `average_precision` (pooled) or `mean_of_labels`.
    """
    rows = {name: _by_column(entry["columns"]) for name, entry in result["entrants"].items()}
    best = {c: max((row[c][figure] for row in rows.values() if c in row), default=None) for c in COLUMNS}
    lines = _heading()
    prevalence = {c: row[c]["prevalence"] for row in rows.values() for c in row}
    lines.append(_line("(prevalence)", [_number(prevalence.get(c)) for c in COLUMNS]))
    for name, row in rows.items():
        cells = [_number(row[c][figure]) if c in row else _NONE for c in COLUMNS]
        marked = [
            f"**{cell}**" if c in row and row[c][figure] == best[c] else cell
            for c, cell in zip(COLUMNS, cells, strict=True)
        ]
        lines.append(_line(name, marked))
    return "\n".join(lines) + "\n"


def difference_table(differences: Mapping[str, Mapping[Column, Difference]]) -> str:
    """One row for each named difference, with its 95 % interval; in bold where that excludes zero."""
    lines = _heading()
    for name, found in differences.items():
        lines.append(_line(name, [_difference(found[c]) if c in found else _NONE for c in COLUMNS]))
    return "\n".join(lines) + "\n"


def _by_column(figures: Sequence[Mapping[str, Any]]) -> dict[Column, Mapping[str, Any]]:
    return {(Family(entry["family"]), Kind(entry["kind"])): entry for entry in figures}


def _heading() -> list[str]:
    names = [f"{'never: ' if family is Family.NEVER else ''}{kind.value}" for family, kind in COLUMNS]
    return [_line("", names), "|" + "---|" * (len(COLUMNS) + 1)]


def _line(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3f}"


def _difference(found: Difference) -> str:
    text = f"{found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    return f"**{text}**" if found.low > 0 or found.high < 0 else text
