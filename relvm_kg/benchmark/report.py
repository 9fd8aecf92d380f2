"""The table: contenders by metrics, with what a reader needs to judge it, as Markdown and JSON."""

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from relvm_kg.benchmark.bootstrap import Difference, average_precision_difference, mrr_difference
from relvm_kg.benchmark.classification import MEAN_OF_LABELS, ClassificationFigures
from relvm_kg.benchmark.contender import TrainingRecord
from relvm_kg.benchmark.data import BenchmarkData, count_by_relation
from relvm_kg.benchmark.evaluator import Evaluation
from relvm_kg.benchmark.leakage import LeakageAudit
from relvm_kg.benchmark.ranking import BOTH_SIDES, TOTAL, RankingFigures
from relvm_kg.benchmark.settings import BenchmarkSettings
from relvm_kg.encoding.split import Split
from relvm_kg.types import POSITIVE_RELATIONS

PACKAGES = ("relvm-kg", "torch", "pykeen", "numpy", "scikit-learn")
PRECISION_AT = 100


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportRow:
    """One contender's figures; differences are the first contender's minus this one's."""

    name: str
    ranking: tuple[RankingFigures, ...]
    """Among all typed candidates."""
    co_mentioned_ranking: tuple[RankingFigures, ...]
    """Among the co-mentioned ones of them."""
    classification: tuple[ClassificationFigures, ...]
    record: TrainingRecord
    evaluation_seconds: float
    mrr_difference: Difference | None = None
    co_mentioned_mrr_difference: Difference | None = None
    average_precision_difference: Difference | None = None

    def ranking_of(self, relation: str, side: str = BOTH_SIDES) -> RankingFigures | None:
        """Ranking figures of a label (or `total`) and side."""
        return next((f for f in self.ranking if (f.relation, f.side) == (relation, side)), None)

    def classification_of(self, relation: str) -> ClassificationFigures | None:
        """Classification figures of a label, `total` or `mean of labels`."""
        return next((f for f in self.classification if f.relation == relation), None)

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "ranking": [f._asdict() for f in self.ranking],
            "co_mentioned_ranking": [f._asdict() for f in self.co_mentioned_ranking],
            "classification": [f._asdict() for f in self.classification],
            "training": self.record.as_dict(),
            "evaluation_seconds": self.evaluation_seconds,
            "mrr_difference": _named(self.mrr_difference),
            "co_mentioned_mrr_difference": _named(self.co_mentioned_mrr_difference),
            "average_precision_difference": _named(self.average_precision_difference),
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class BenchmarkReport:
    """All rows with the facts about data, settings and machine."""

    rows: tuple[ReportRow, ...]
    data: dict[str, Any]
    leakage: LeakageAudit
    provenance: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "provenance": self.provenance,
            "data": self.data,
            "leakage": self.leakage._asdict(),
            "rows": [row.as_dict() for row in self.rows],
        }

    def markdown(self) -> str:
        """Three tables and the words that go with them."""
        parts = [self._caption(), _overall(self.rows), "Filtered MRR by label, both sides:", _mrr_by_label(self.rows)]
        parts += ["Average precision by label (prevalence below each label's name):", _precision_by_label(self.rows)]
        if any(row.mrr_difference for row in self.rows):
            words = "minus each other contender, 95 % intervals of a paired bootstrap over entities:"
            parts += [f"{self.rows[0].name} {words}", _differences(self.rows)]
        return "\n\n".join(parts)

    def _caption(self) -> str:
        total = self.rows[0].ranking_of(TOTAL)
        assert total is not None
        together = self.rows[0].co_mentioned_ranking[0]
        pairs = self.rows[0].classification_of(TOTAL)
        tests = (
            f"{pairs.n_positive} known and {pairs.n - pairs.n_positive} unlabelled co-mentioned test pairs, prevalence "
            f"{pairs.prevalence:.3f}"
            if pairs
            else "no unlabelled test pairs"
        )
        simulated = " SIMULATED literature." if self.data["simulated"] else ""
        return (
            f"{total.n // 2} test relations ranked on both sides among {total.mean_candidates:.0f} typed candidates on "
            f"average, all known relations filtered, realistic ranks. {tests[0].upper()}{tests[1:]}. Unlabelled is not "
            f"proven false. Test pairs are mentioned together in text that contenders may read; their labels are "
            f"held out. Most candidates are never mentioned together with the query's entity, so that co-mention alone "
            f"ranks well; the co-mentioned columns rank among the {together.mean_candidates:.0f} on average that "
            f"are.{simulated} Split seed {self.provenance['split_seed']}, seed {self.provenance['seed']}, corpus "
            f"{self.provenance['corpus_hash'][:12]}."
        )


def make_report(
    evaluations: Sequence[Evaluation], data: BenchmarkData, leakage: LeakageAudit, settings: BenchmarkSettings
) -> BenchmarkReport:
    """Put evaluations side by side; the first is compared with every other one."""
    rows = tuple(_row(evaluation, evaluations[0], settings) for evaluation in evaluations)
    return BenchmarkReport(rows=rows, data=_data_facts(data), leakage=leakage, provenance=_provenance(data, settings))


def _row(evaluation: Evaluation, first: Evaluation, settings: BenchmarkSettings) -> ReportRow:
    mrr = co_mentioned = precision = None
    if evaluation is not first:
        how = (settings.n_resamples, settings.seed)
        mrr = mrr_difference(first.ranks, evaluation.ranks, *how)
        co_mentioned = mrr_difference(first.co_mentioned_ranks, evaluation.co_mentioned_ranks, *how)
        precision = average_precision_difference(first.pairs, evaluation.pairs, *how)
    return ReportRow(
        name=evaluation.name,
        ranking=tuple(evaluation.ranking()),
        co_mentioned_ranking=tuple(evaluation.co_mentioned_ranking()),
        classification=tuple(evaluation.classification()),
        record=evaluation.record,
        evaluation_seconds=evaluation.evaluation_seconds,
        mrr_difference=mrr,
        co_mentioned_mrr_difference=co_mentioned,
        average_precision_difference=precision,
    )


def _data_facts(data: BenchmarkData) -> dict[str, Any]:
    facts: dict[str, Any] = {"simulated": data.simulated}
    for split in Split:
        facts[f"{split.name.lower()}_positives"] = count_by_relation(data.positives.part(split))
        facts[f"{split.name.lower()}_unlabelled"] = count_by_relation(data.negatives.part(split))
    facts["candidates"] = {kind.value: len(entities) for kind, entities in data.candidates.items()}
    facts["account"] = dict(data.account)
    facts["negatives"] = "co-mentioned pairs without a known relation"
    return facts


def _provenance(data: BenchmarkData, settings: BenchmarkSettings) -> dict[str, Any]:
    return {
        "command": settings.command,
        "seed": settings.seed,
        "split_seed": settings.split_seed,
        "seconds_per_model": settings.seconds_per_model,
        "n_resamples": settings.n_resamples,
        "device": settings.device,
        "corpus_hash": data.corpus_hash,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "machine": {"platform": sys.platform, "processor": platform.machine(), "cores": os.cpu_count()},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _named(difference: Difference | None) -> dict[str, float] | None:
    return difference._asdict() if difference else None


def _overall(rows: Sequence[ReportRow]) -> str:
    header = ["contender", "MRR", "adjusted MRR", "Hits@1", "Hits@3", "Hits@10", "AMRI"]
    header += [
        "co-mentioned MRR",
        "co-mentioned AMRI",
        "AP",
        "AP by label",
        "AUROC",
        f"P@{PRECISION_AT}",
        "parameters",
        "training s",
        "ranking s",
    ]
    return _table(header, [_overall_cells(row) for row in rows])


def _overall_cells(row: ReportRow) -> list[str]:
    ranked = row.ranking_of(TOTAL)
    assert ranked is not None
    together = row.co_mentioned_ranking[0]
    cells = [row.name]
    cells += [
        f"{value:.3f}"
        for value in (
            ranked.mrr,
            ranked.adjusted_mrr,
            ranked.hits_at_1,
            ranked.hits_at_3,
            ranked.hits_at_10,
            ranked.amri,
            together.mrr,
            together.amri,
        )
    ]
    pooled, mean = row.classification_of(TOTAL), row.classification_of(MEAN_OF_LABELS)
    if pooled and mean:
        cells += [f"{v:.3f}" for v in (pooled.average_precision, mean.average_precision, pooled.roc_auc)]
        cells.append(f"{pooled.precision_at[PRECISION_AT]:.2f}" if PRECISION_AT in pooled.precision_at else "-")
    else:
        cells += ["-"] * 4
    n_parameters, seconds = row.record.n_parameters, row.record.seconds
    cells += [
        "-" if n_parameters is None else f"{n_parameters:,}",
        "-" if seconds is None else f"{seconds:.0f}",
        f"{row.evaluation_seconds:.0f}",
    ]
    return cells


def _mrr_by_label(rows: Sequence[ReportRow]) -> str:
    first = rows[0]
    labels = [r.value for r in POSITIVE_RELATIONS if first.ranking_of(r.value)]
    cells = []
    for row in rows:
        found = [row.ranking_of(label) for label in labels]
        cells.append([row.name, *(f"{f.mrr:.3f}" if f else "-" for f in found)])
    counted = [(label, first.ranking_of(label)) for label in labels]
    header = ["contender", *(f"{label} ({f.n // 2})" for label, f in counted if f)]
    return _table(header, cells)


def _precision_by_label(rows: Sequence[ReportRow]) -> str:
    first = rows[0]
    labels = [r.value for r in POSITIVE_RELATIONS if first.classification_of(r.value)]
    cells = [["(prevalence)"]]
    for label in labels:
        found = first.classification_of(label)
        cells[0].append(f"{found.prevalence:.3f}" if found else "-")
    for row in rows:
        by_label = [row.classification_of(label) for label in labels]
        cells.append([row.name, *(f"{f.average_precision:.3f}" if f else "-" for f in by_label)])
    return _table(["contender", *labels], cells)


def _differences(rows: Sequence[ReportRow]) -> str:
    cells = []
    for row in rows[1:]:
        found = (row.mrr_difference, row.co_mentioned_mrr_difference, row.average_precision_difference)
        cells.append([row.name, *(f"{d.estimate:+.3f} [{d.low:+.3f}, {d.high:+.3f}]" if d else "-" for d in found)])
    return _table(["other contender", "MRR", "co-mentioned MRR", "AP"], cells)


def _table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with aligned columns: readable as plain text too."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: list[str]) -> str:
        padded = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(header), rule, *(line(row) for row in rows)])
