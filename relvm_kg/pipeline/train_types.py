"""`train-types`: from text and a names catalogue to a type classifier, without hand labels."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import relvm_kg
from relvm_kg.classify.entity_type import CONFIG, TypeModelConfig
from relvm_kg.classify.type_examples import ExampleSettings, TypeExamples, draw_examples, is_read
from relvm_kg.classify.type_training import (
    TrainedTypes,
    TypeFigures,
    TypeTrainingConfig,
    describe,
    measure_types,
    train_type_model,
)
from relvm_kg.config import settings_to_mapping
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.sources import TextFormat, expand, read_documents, sniff_text_format
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import atomic_path, remove_leftovers
from relvm_kg.progress import Progress
from relvm_kg.tagging.tagger import Tagger
from relvm_kg.tagging.types import TypeExample
from relvm_kg.training.device import Device, torch_device
from relvm_kg.types import EntityType

CARD, TRACE = "MODEL_CARD.md", "trace.jsonl"


@dataclass(frozen=True, kw_only=True)
class TypeTrainingRequest:
    """What to train."""

    out: Path
    """Folder of the bundle; one that is there is replaced when the new one is whole."""
    examples: ExampleSettings = field(default_factory=ExampleSettings)
    model: TypeModelConfig = field(default_factory=TypeModelConfig)
    training: TypeTrainingConfig = field(default_factory=TypeTrainingConfig)
    device: Device = Device.AUTO


@dataclass(frozen=True, kw_only=True)
class TypeTrainingReport:
    """What became of it."""

    out: Path
    fingerprint: str
    tagger: str
    """Fingerprint of the tagger that found the mentions."""
    documents: int
    rejected: dict[str, int]
    """Records set aside, by reason."""
    left_out: tuple[str, ...]
    """Files found in folders that hold no text of a known format."""
    mentions: dict[str, int]
    """What the tagger found, and why mentions did not become examples."""
    training: dict[str, int]
    """Examples of each type."""
    held_out: TypeFigures | None
    """None unless every type has a held-out mention."""
    n_vocabulary: int
    seconds: dict[str, float]


@dataclass
class _Reading:
    """Documents of all files, and what was counted on the way."""

    settings: ExampleSettings
    documents: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)

    def examples(self, patterns: Sequence[str], tagger: Tagger, progress: Progress) -> Iterator[TypeExample]:
        """The tagger's mentions in all files."""
        files = [(file, sniff_text_format(file.path)) for file in expand(patterns)]
        for file, text_format in files:
            if text_format is None and file.named:
                raise InvalidInputError(
                    f"{file.path} must be a text file of a known format; its first lines are of none"
                )
        with progress.task("finding mentions", None, "document") as task:
            for file, text_format in files:
                if text_format is None:
                    self.left_out.append(str(file.path))
                else:
                    for examples in self._of_file(file.path, text_format, tagger):
                        task.advance(1)
                        yield from examples

    def _of_file(self, path: Path, text_format: TextFormat, tagger: Tagger) -> Iterator[Iterator[TypeExample]]:
        log = ReadLog(path.name)
        for document in read_documents(path, text_format, log):
            if not is_read(document.doc_id, self.settings) or document.deleted or document.retracted:
                continue
            self.documents += 1
            yield tagger.type_examples(document)
        self.rejected.update(log.rejected)


def train_types(
    patterns: Sequence[str], tagger: Tagger, request: TypeTrainingRequest, progress: Progress
) -> TypeTrainingReport:
    """Train a type classifier on the mentions whose names have one type, and write it as a bundle.

    Args:
        patterns: Files, folders or globs, in any format that has a reader; annotations in them are not used.
        tagger: Finds the mentions.
        request: What to train, and where to.
        progress: Where progress is told.

    Raises:
        InvalidInputError: if the folder holds something else, a name leads to no file, a named file has no known
            format, or the text holds no unambiguous mention of a type.
    """
    _check_place(request.out)
    device = torch_device(request.device)
    started = time.monotonic()
    reading = _Reading(request.examples)
    examples = draw_examples(reading.examples(patterns, tagger, progress), request.examples)
    read = time.monotonic()
    trained = train_type_model(examples.training, request.model, request.training, device, progress)
    fitted = time.monotonic()
    figures = measure_types(trained.model, examples.held_out)
    report = TypeTrainingReport(
        out=request.out,
        fingerprint=trained.model.fingerprint,
        tagger=tagger.fingerprint,
        documents=reading.documents,
        rejected=dict(reading.rejected),
        left_out=tuple(reading.left_out),
        mentions=dict(examples.counts),
        training=_by_type(examples),
        held_out=figures,
        n_vocabulary=len(trained.model.vocabulary),
        seconds={
            "finding mentions": round(read - started, 1),
            "training": round(fitted - read, 1),
            "measuring": round(time.monotonic() - fitted, 1),
        },
    )
    _write(trained, report, request)
    return report


def _check_place(out: Path) -> None:
    """Refuse to replace a folder that holds anything but a type model."""
    if out.exists() and not (out.is_dir() and ((out / CONFIG).is_file() or not any(out.iterdir()))):
        raise InvalidInputError(
            f"--out must be a new folder or one that holds a type model, {out} holds something else"
        )


def _by_type(examples: TypeExamples) -> dict[str, int]:
    counts = Counter(example.types[0] for example in examples.training)
    return {t.value: counts[t] for t in EntityType}


def _write(trained: TrainedTypes, report: TypeTrainingReport, request: TypeTrainingRequest) -> None:
    request.out.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(request.out.parent)
    with atomic_path(request.out) as folder:
        folder.mkdir()
        (folder / TRACE).write_text("".join(json.dumps(line) + "\n" for line in trained.trace), encoding="utf-8")
        (folder / CARD).write_text(_card(report, request), encoding="utf-8")
        trained.model.save(
            folder,
            {
                "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "program_version": relvm_kg.__version__,
                "tagger": report.tagger,
                "training": settings_to_mapping(request.training),
                "examples": settings_to_mapping(request.examples),
                "n_examples": report.training,
                "n_documents": report.documents,
                "held_out": describe(report.held_out),
            },
        )


def as_mapping(report: TypeTrainingReport) -> dict[str, Any]:
    """A report as plain values."""
    return asdict(report)


def _card(report: TypeTrainingReport, request: TypeTrainingRequest) -> str:
    numbers = ", ".join(f"{n:,} {name.lower()}" for name, n in report.training.items())
    lines = [
        f"# Type classifier {report.fingerprint}",
        "",
        "Says from a sentence whether the name at a place in it is a gene, a disease or a chemical. The name itself is "
        "hidden: only the words around it count.",
        "",
        f"A bidirectional LSTM with {request.model.hidden} units a direction over {request.model.window} tokens on "
        f"each side; {report.n_vocabulary:,} words. Trained by relvm-kg {relvm_kg.__version__} for "
        f"{request.training.epochs} epochs on mentions that the tagger (`{report.tagger}`) found in "
        f"{report.documents:,} documents: {numbers}. No label was given by hand: the names have one type in the "
        "dictionary.",
        "",
        "## Held-out mentions",
        "",
        *_figure_lines(report.held_out),
        "",
        "## Use",
        "",
        "For names with several types in the dictionary. Probabilities hold for types that are equally frequent. The "
        "labels are the dictionary's and not free of error, so the figures measure agreement with the dictionary.",
        "",
    ]
    return "\n".join(lines)


def _figure_lines(figures: TypeFigures | None) -> list[str]:
    if figures is None:
        return ["Not measured: not every type has a mention whose surface and document are held out."]
    rows = [
        f"| {name.lower()} | {n:,} | {figures.recall[name]:.3f} | {figures.precision[name]:.3f} |"
        for name, n in figures.n.items()
    ]
    return [
        "Neither their surface nor their document was seen in training. Types weigh equally.",
        "",
        "| type | mentions | recall | precision |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Accuracy {figures.accuracy:.3f} (one type always: {figures.majority:.3f}), log loss {figures.log_loss:.3f} "
        f"nats, calibration error {figures.calibration_error:.3f}.",
    ]
