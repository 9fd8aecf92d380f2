"""The tables of a sweep in Markdown: average precision, differences, health."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from relvm_kg.benchmark.bootstrap import Difference
from relvm_kg.benchmark.columns.evaluate import Column
from relvm_kg.benchmark.columns.report import average_precision_table, difference_table
from relvm_kg.benchmark.columns.settings import Family, Kind, Stage

Result = Mapping[str, Any]
"""What the sweep keeps of one variant from one seed."""
COMPARED = ("z", "z mean", "z + entity vectors")
"""Representations whose differences are shown ..."""
BASES = ("both profiles, 300 + 300", "both profiles, 150 + 150")
"""... from these floors, and from themselves without training."""
_INTERVALS = ("u_worth", "gap_head", "gap_tail")


def sweep_tables(results: Sequence[Result], floors: Mapping[str, Mapping[str, Any]]) -> str:
    """All tables as one Markdown text.

    Args:
        results: Of all variants and seeds.
        floors: For each stage that was measured, the floors' figures.
    """
    parts = []
    for stage in Stage:
        if stage.value in floors:
            own = {r["name"]: r for r in results if stage.value in r}
            parts += [f"## Average precision, {stage.value} rows", _precision(results, stage, floors[stage.value])]
            if own:
                parts += [f"## Differences, {stage.value} rows", _differences(results, stage)]
    return "\n\n".join(part.strip() for part in (*parts, "## Health", health_table(results))) + "\n"


def mean_over_seeds(results: Sequence[Result], stage: Stage) -> dict[str, Any]:
    """Entrants with the mean of their figures over seeds; a name says over how many where there are several."""
    listed: dict[str, list[Sequence[Mapping[str, Any]]]] = defaultdict(list)
    for result in results:
        for name, entrant in result.get(stage.value, {"entrants": {}})["entrants"].items():
            listed[name].append(entrant["columns"])
    return {
        f"{name} ({len(columns)} seeds)" if len(columns) > 1 else name: {"columns": _mean(columns)}
        for name, columns in listed.items()
    }


def health_table(results: Sequence[Result]) -> str:
    """One row for each variant and seed that was measured on held-out documents."""
    heading = ("variant, seed", "bound, nats a token", "IWAE-64", "KL", "MI", "active units", "worth of *u*")
    lines = [_line([*heading, "pair share", "gap, other head", "gap, other tail"]), "|---" * 10 + "|"]
    for result in results:
        if not (health := result.get("health")):
            continue
        likelihood = (health.get("likelihood") or {}).get("log_likelihood_per_token")
        worth, *gaps = (_interval(health.get(name)) for name in _INTERVALS)
        cells = [
            f"`{result['name']}`, {result['seed']}",
            f"{health['bound_per_token']:.3f}",
            "-" if likelihood is None else f"{likelihood:.3f}",
            f"{health['kl']:.2f}",
            f"{health['mutual_information']:.2f}",
            str(health["active_units"]),
            worth,
            f"{health['pair_share']:.2f}",
            *gaps,
        ]
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def _precision(results: Sequence[Result], stage: Stage, floors: Mapping[str, Any]) -> str:
    own = {n: e for n, e in mean_over_seeds(results, stage).items() if n.split(" (")[0] not in floors["entrants"]}
    return average_precision_table({"entrants": {**floors["entrants"], **own}})


def _differences(results: Sequence[Result], stage: Stage) -> str:
    found: dict[str, dict[Column, Difference]] = defaultdict(dict)
    for result in results:
        for row in result.get(stage.value, {}).get("differences", ()):
            if _is_shown(result["name"], row):
                name = f"{row['first']}, less {row['second']}; seed {result['seed']}"
                found[name][Family(row["family"]), Kind(row["kind"])] = Difference(
                    *(row[figure] for figure in Difference._fields)
                )
    return difference_table(found)


def _is_shown(variant: str, row: Mapping[str, Any]) -> bool:
    representation = row["first"].removeprefix(f"{variant}: ")
    if representation not in COMPARED:
        return representation == "all stacked" and row["second"] in BASES
    return row["second"] in BASES or row["second"] == f"{variant}, untrained: {representation}"


def _mean(columns: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    def figures(name: str) -> Iterator[list[float]]:
        return ([column[name] for column in of_one] for of_one in zip(*columns, strict=True))

    pooled, labels = (
        [None if None in values else float(np.mean(values)) for values in figures(name)]
        for name in ("average_precision", "mean_of_labels")
    )
    return [
        {**column, "average_precision": one, "mean_of_labels": other}
        for column, one, other in zip(columns[0], pooled, labels, strict=True)
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _interval(values: Mapping[str, float] | None) -> str:
    return "-" if values is None else f"{values['mean']:.2f} [{values['low']:.2f}, {values['high']:.2f}]"
