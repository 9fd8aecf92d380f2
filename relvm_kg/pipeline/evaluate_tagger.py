"""`evaluate-tagger`: the tagger, step by step, against documents that people annotated."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.sentences import split_text
from relvm_kg.entities.equal_diseases import equal_diseases
from relvm_kg.entities.names_file import read_names
from relvm_kg.entities.orthologs import OrthologFolder
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import file_sha256
from relvm_kg.pipeline.gold_sets import find_gold, read_gold
from relvm_kg.pipeline.tagger_columns import Column, columns
from relvm_kg.progress import Progress, Silent
from relvm_kg.tagging.equal_ids import known_ids, replaced_ids
from relvm_kg.tagging.error_rows import ErrorRow, error_rows
from relvm_kg.tagging.evaluation import (
    AS_GIVEN,
    N_RESAMPLES,
    GoldFacts,
    IdView,
    TypeFigures,
    annotated_types,
    blank,
    evaluate,
    gold_facts,
)
from relvm_kg.tagging.learned import learn_forms
from relvm_kg.tagging.tagger import Tagger
from relvm_kg.tagging.type_accuracy import TypeAccuracy, ambiguous_mentions, type_accuracy
from relvm_kg.tagging.types import TypeClassifier
from relvm_kg.types import Document, EntityId


@dataclass(frozen=True, kw_only=True)
class TaggerEvaluationPlan:
    """What to measure on what."""

    names: Path
    """The names catalogue."""
    gold: tuple[str, ...]
    """Known gold sets or files."""
    learn: tuple[str, ...] = ()
    """Known gold sets or files to learn surface forms from; documents of `gold` among them are left out."""
    data: Path | None = None
    """Folder that holds the known gold sets."""
    n_resamples: int = N_RESAMPLES
    seed: int = 0
    errors_wanted: bool = False
    """Whether what is wrong and missed is listed ..."""
    show_test_errors: bool = False
    """... even for test sets."""


@dataclass(frozen=True, kw_only=True)
class ColumnResult:
    """What one tagger achieves on one gold set."""

    name: str
    what: str
    figures: tuple[TypeFigures, ...]
    """Genes folded, diseases of OMIM read as those of MeSH."""
    as_annotated: tuple[TypeFigures, ...]
    """Ids compared as the annotators gave them; only of types for which that differs."""
    documents_per_second: float
    """On one core, sentence splitting not counted."""


@dataclass(frozen=True, kw_only=True)
class GoldResult:
    """All taggers on one gold set."""

    name: str
    title: str
    sha256: str
    is_test: bool
    facts: tuple[GoldFacts, ...]
    type_accuracy: TypeAccuracy | None
    """On ambiguous mentions; None if there are none."""
    rejected: Mapping[str, int]
    columns: tuple[ColumnResult, ...]


@dataclass(frozen=True, kw_only=True)
class TaggerEvaluation:
    """The table."""

    gold: tuple[GoldResult, ...]
    n_learned: int
    n_learning_documents: int
    n_left_out: int
    """Documents of the gold sets that the learning files hold, too."""
    provenance: Mapping[str, Any]
    errors: Mapping[str, tuple[ErrorRow, ...]]
    """What the last column got wrong, by gold set, if asked for."""

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON, without the errors."""
        gold = [_gold_mapping(result) for result in self.gold]
        learned = {
            "n_forms": self.n_learned,
            "n_documents": self.n_learning_documents,
            "n_documents_left_out": self.n_left_out,
        }
        return {"provenance": dict(self.provenance), "learned": learned, "gold": gold}


def evaluate_tagger(
    plan: TaggerEvaluationPlan, classifier: TypeClassifier | None = None, progress: Progress | None = None
) -> TaggerEvaluation:
    """Measure the tagger, step by step, on gold sets.

    Args:
        plan: What to measure on what.
        classifier: The type classifier, which makes a column of its own.
        progress: Where progress is told.

    Raises:
        InvalidInputError: if a file is missing or not of its kind, there is no gold set, or the errors of a test set
            are asked for without saying so.
    """
    files = find_gold(plan.gold, plan.data)
    if not files:
        raise InvalidInputError("at least one gold set must be named")
    if plan.errors_wanted and not plan.show_test_errors and (tests := [f.name for f in files if f.is_test]):
        raise InvalidInputError(
            f"errors are listed for training and development sets, was: {', '.join(tests)}; who reads the errors of a "
            "test set cannot test with it any more; --show-test-errors lists them all the same"
        )
    names = read_names(plan.names)
    views = _Views.of(names)
    logs = [ReadLog(str(file.path)) for file in files]
    golds = [read_gold(file, log) for file, log in zip(files, logs, strict=True)]
    tested = {document.doc_id for gold in golds for document in gold}
    learning = {d.doc_id: d for f in find_gold(plan.learn, plan.data) for d in read_gold(f, ReadLog(str(f.path)))}
    learned = learn_forms(learning.values(), views.read, views.known, tested)
    del names
    results: list[list[ColumnResult]] = [[] for _ in files]
    errors: dict[str, tuple[ErrorRow, ...]] = {}
    blanks = [[_split(blank(document)) for document in gold] for gold in golds]
    task = (progress or Silent()).task("tagging", None, "columns")
    with task:
        for column in columns(plan.names, classifier, learned):
            for place, (file, gold) in enumerate(zip(files, golds, strict=True)):
                result, predicted = _measure(column, gold, blanks[place], views, plan)
                results[place].append(result)
                if plan.errors_wanted:
                    errors[file.name] = error_rows(gold, predicted, views.read, annotated_types(gold), views.known)
            task.advance(1)
    tagger = Tagger.load(plan.names)
    accuracies = [type_accuracy(ambiguous_mentions(gold, tagger), classifier) for gold in golds]
    return TaggerEvaluation(
        gold=tuple(
            GoldResult(
                name=file.name,
                title=file.title,
                sha256=file_sha256(file.path),
                is_test=file.is_test,
                facts=gold_facts(golds[i], views.known, views.folder, views.read),
                type_accuracy=accuracies[i],
                rejected=dict(logs[i].rejected),
                columns=tuple(results[i]),
            )
            for i, file in enumerate(files)
        ),
        n_learned=len(learned),
        n_learning_documents=len(learning.keys() - tested),
        n_left_out=len(learning.keys() & tested),
        provenance=_provenance(plan, classifier),
        errors=errors,
    )


@dataclass(frozen=True)
class _Views:
    read: IdView
    renewed: IdView
    """Replaced ids renewed, nothing else."""
    known: set[EntityId]
    folder: OrthologFolder

    @classmethod
    def of(cls, names: pa.Table) -> "_Views":
        folder, replaced = OrthologFolder(names), replaced_ids(names)
        read = IdView(folder, {**replaced, **equal_diseases(names)})
        return cls(read, IdView(None, replaced) if replaced else AS_GIVEN, known_ids(names), folder)


def _split(document: Document) -> Document:
    passages = tuple(p._replace(sentences=tuple(split_text(p.text))) for p in document.passages)
    return document._replace(passages=passages)


def _measure(
    column: Column, gold: Sequence[Document], blanks: Sequence[Document], views: _Views, plan: TaggerEvaluationPlan
) -> tuple[ColumnResult, list[Document]]:
    column.tag_many(blanks[:1])
    started = time.perf_counter()
    predicted = column.tag_many(blanks)
    seconds = time.perf_counter() - started
    figures, given = (
        evaluate(gold, predicted, view, n_resamples=plan.n_resamples, seed=plan.seed)
        for view in (views.read, views.renewed)
    )
    counts = {f.type: f.concepts[3:6] for f in figures}
    return (
        ColumnResult(
            name=column.name,
            what=column.what,
            figures=figures,
            as_annotated=tuple(f for f in given if f.concepts[3:6] != counts[f.type]),
            documents_per_second=len(blanks) / seconds,
        ),
        predicted,
    )


def _provenance(plan: TaggerEvaluationPlan, classifier: TypeClassifier | None) -> dict[str, Any]:
    return {
        "names_sha256": file_sha256(plan.names),
        "type_classifier": classifier.fingerprint if classifier is not None else None,
        "learn": list(plan.learn),
        "n_resamples": plan.n_resamples,
        "seed": plan.seed,
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
    }


def _gold_mapping(result: GoldResult) -> dict[str, Any]:
    values = asdict(result)
    values["type_accuracy"] = result.type_accuracy._asdict() if result.type_accuracy is not None else None
    values["facts"] = [f._asdict() for f in result.facts]
    values["columns"] = [
        {
            "name": column.name,
            "what": column.what,
            "documents_per_second": round(column.documents_per_second, 1),
            "figures": [figures_mapping(f) for f in column.figures],
            "as_annotated": [figures_mapping(f) for f in column.as_annotated],
        }
        for column in result.columns
    ]
    return values


def figures_mapping(figures: TypeFigures) -> dict[str, Any]:
    """Figures as JSON values."""
    scores = {name: getattr(figures, name)._asdict() for name in ("mentions", "concept_mentions", "concepts")}
    counts = {name: getattr(figures, name) for name in ("n_gold_without_id", "n_predicted_without_id")}
    return {"type": figures.type, **scores, **counts}
