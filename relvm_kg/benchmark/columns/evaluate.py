"""Average precision of representations in each column, kept by hash; differences by a paired bootstrap."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from relvm_kg.benchmark.bootstrap import Difference, average_precision_difference
from relvm_kg.benchmark.classification import PairTable
from relvm_kg.benchmark.columns.entrants import Entrant
from relvm_kg.benchmark.columns.files import PairColumns
from relvm_kg.benchmark.columns.pairs import FamilyPairs, fits
from relvm_kg.benchmark.columns.settings import ClassifierSettings, Family, Kind, Stage
from relvm_kg.benchmark.triples import FloatArray
from relvm_kg.config import settings_to_mapping
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import atomic_path, write_json
from relvm_kg.metrics import average_precision
from relvm_kg.progress import Progress
from relvm_kg.types import POSITIVE_RELATIONS

SCORES_VERSION = 1
"""Part of the hash of stored scores: raised when the classifier or the fits change."""

Column = tuple[Family, Kind]
ColumnScores = Mapping[Column, FloatArray]
"""Scores of the rows of each column (`FamilyPairs.rows`), in their order."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """What is measured, on which rows, and where results are kept."""

    columns: PairColumns
    stage: Stage
    folder: Path
    """Results of earlier evaluations are found here, new ones are added."""
    classifier: ClassifierSettings = field(default_factory=ClassifierSettings)

    def as_mapping(self) -> dict[str, Any]:
        """What is measured on which pairs, for the report and for hashes."""
        return {
            "version": SCORES_VERSION,
            "columns": self.columns.sha256,
            "classifier": settings_to_mapping(self.classifier),
            "stage": self.stage.value,
        }

    def path(self, entrant: Entrant) -> Path:
        """Where the scores of an entrant are, named by the hash of all that they depend on."""
        made_of = {**self.as_mapping(), "entrant": entrant.key}
        digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{self.stage.value}-{digest[:16]}.parquet"


def evaluate_representations(
    evaluation: Evaluation, representations: Sequence[Entrant], progress: Progress
) -> dict[str, Any]:
    """Average precision of each representation in each column; what is stored already is not trained again.

    Returns:
        What was measured (`Evaluation.as_mapping`) and `entrants`: for each name its `columns`, a list of figures.
    """
    entrants = {}
    with progress.task(f"{evaluation.stage.value} columns", len(representations), "representation") as task:
        for entrant in representations:
            scores = column_scores(evaluation, entrant)
            path = evaluation.path(entrant)
            figures = {
                "key": entrant.key,
                "scores": path.name,
                "columns": [_figures(evaluation, column, values) for column, values in scores.items()],
            }
            if not path.with_suffix(".json").is_file():
                write_json(path.with_suffix(".json"), {"name": entrant.name, **evaluation.as_mapping(), **figures})
            entrants[entrant.name] = figures
            task.advance(1)
    return {**evaluation.as_mapping(), "entrants": entrants}


def column_scores(evaluation: Evaluation, entrant: Entrant) -> ColumnScores:
    """An entrant's scores: read from the folder, or computed and stored there."""
    path = evaluation.path(entrant)
    if path.is_file():
        return load_scores(path, evaluation, entrant.families)
    scores: dict[Column, FloatArray] = {}
    for family in entrant.families:
        pairs = evaluation.columns.families[family]
        score = entrant.scorer(pairs, evaluation.classifier)
        found = {kind: np.full(len(pairs), np.nan) for kind in Kind}
        for fit in fits(pairs, evaluation.stage):
            for kind, values in score(fit).items():
                found[kind][fit.reads[kind]] = values
        scores.update({(family, kind): found[kind][pairs.rows(evaluation.stage, kind)] for kind in Kind})
    save_scores(path, scores)
    return scores


def save_scores(path: Path, scores: ColumnScores) -> None:
    """Write the scores of all columns, one row a score."""
    table = pa.table(
        {
            "family": pa.array([family.value for (family, _), v in scores.items() for _ in v], pa.string()),
            "kind": pa.array([kind.value for (_, kind), v in scores.items() for _ in v], pa.string()),
            "score": np.concatenate(list(scores.values())) if scores else np.zeros(0),
        }
    )
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def load_scores(path: Path, evaluation: Evaluation, families: Sequence[Family] = tuple(Family)) -> ColumnScores:
    """Read what `save_scores` wrote of some families.

    Raises:
        InvalidInputError: if the number of scores is not that of the columns' rows.
    """
    table = pq.read_table(path)
    of_family, of_kind = (np.array(table[name].to_pylist(), dtype=object) for name in ("family", "kind"))
    values = table["score"].to_numpy()
    scores = {}
    for family in families:
        for kind in Kind:
            own = values[(of_family == family.value) & (of_kind == kind.value)]
            wanted = len(evaluation.columns.families[family].rows(evaluation.stage, kind))
            if len(own) != wanted:
                raise InvalidInputError(
                    f"{path} must hold {wanted} scores of {family.value}, {kind.value}, was: {len(own)}"
                )
            scores[family, kind] = own
    return scores


def column_differences(
    evaluation: Evaluation, first: Entrant, second: Entrant, n_resamples: int = 1000, seed: int = 0
) -> dict[Column, Difference]:
    """First minus second in pooled average precision, in each column that both score; entities are resampled."""
    one, two = column_scores(evaluation, first), column_scores(evaluation, second)
    return {
        column: average_precision_difference(
            _table(evaluation, column, one[column]), _table(evaluation, column, two[column]), n_resamples, seed
        )
        for column in one
        if column in two
    }


def _rows(evaluation: Evaluation, column: Column) -> FamilyPairs:
    family, kind = column
    pairs = evaluation.columns.families[family]
    return pairs.take(pairs.rows(evaluation.stage, kind))


def _table(evaluation: Evaluation, column: Column, scores: FloatArray) -> PairTable:
    pairs = _rows(evaluation, column)
    return PairTable(pairs.heads, pairs.relations, pairs.tails, pairs.positive, scores)


def _figures(evaluation: Evaluation, column: Column, scores: FloatArray) -> dict[str, Any]:
    pairs = _rows(evaluation, column)
    labels = {}
    for relation in POSITIVE_RELATIONS:
        own = pairs.relations == relation.column
        if len(np.unique(pairs.positive[own])) == 2:
            labels[relation.value] = round(average_precision(pairs.positive[own], scores[own]), 4)
    return {
        "family": column[0].value,
        "kind": column[1].value,
        "n": len(pairs),
        "prevalence": round(float(pairs.positive.mean()), 4) if len(pairs) else None,
        "average_precision": round(average_precision(pairs.positive, scores), 4),
        "mean_of_labels": round(float(np.mean(list(labels.values()))), 4) if labels else None,
        "labels": labels,
    }
