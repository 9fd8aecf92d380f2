"""The mention-level classifier on sentences that others labelled, in the format of GAD and EU-ADR.

`train.tsv` holds sentence and label without a header, `test.tsv` index, sentence and label with one; the two entities
of each sentence are masked as `@GENE$` and `@DISEASE$` (Bravo et al. 2015; van Mulligen et al. 2012; folds of BioBERT).
"""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from relvm_kg.classify.mention import (
    LabelledSentences,
    MentionClassifier,
    MentionConfig,
    MentionReport,
    load_mention_classifier,
    sentence_probabilities,
    train_mention_classifier,
)
from relvm_kg.corpus.contexts import marked_tokens
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.errors import InvalidInputError
from relvm_kg.metrics import average_precision, roc_auc
from relvm_kg.model.checkpoint import Bundle
from relvm_kg.progress import Progress
from relvm_kg.training.device import Device, torch_device
from relvm_kg.types import EntityType, Relation
from relvm_kg.workspace import Workspace

GENE_MARKER, DISEASE_MARKER = "@GENE$", "@DISEASE$"
THRESHOLD = 0.5
_VALIDATION_TENTH = 10


class MarkedSentence(NamedTuple):
    """A sentence with both entities masked, and whether it states their relation."""

    text: str
    positive: bool


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How well yes and no are told apart; precision, recall, F1 and MCC at a threshold of one half."""

    precision: float
    recall: float
    f1: float
    mcc: float
    auroc: float | None
    """None if all test sentences are of one kind."""
    average_precision: float


@dataclass(frozen=True, kw_only=True)
class MentionBenchmark:
    """Figures on the test sentences beside those of always saying yes."""

    run_id: str
    simulated_model: bool
    train_file: str
    test_file: str
    n_train: int
    n_validation: int
    n_test: int
    n_test_in_train: int
    """Test sentences that the training file holds word for word."""
    test_prevalence: float
    relvm: Figures
    always_positive: Figures
    training: MentionReport

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def _start(folder: Path, bundle: Bundle) -> MentionClassifier:
    """The run's mention classifier, which has seen curated sentences, or its bare representation."""
    if (folder / "mention.json").is_file():
        return load_mention_classifier(folder)[0].to(bundle.model.device)
    return MentionClassifier.of(bundle.model)


def run_mention_benchmark(
    workspace: Workspace,
    run_id: str | None,
    files: tuple[Path, ...],
    *,
    config: MentionConfig | None = None,
    device: Device = Device.AUTO,
    progress: Progress,
) -> MentionBenchmark:
    """Fine-tune a run's mention classifier on `train.tsv`, a tenth of it kept for stopping; measure it on `test.tsv`.

    A run without a mention classifier starts from its representation.

    Args:
        workspace: Where the run is.
        run_id: Its name; None takes the default run.
        files: Training and test file, or one folder that holds `train.tsv` and `test.tsv`.
        config: How to fine-tune.
        device: Where to compute.
        progress: Where progress goes.

    Raises:
        InvalidInputError: if a file does not have the format, or training or validation lack one of the two labels.
        WorkspaceError: if there is no such run.
    """
    train_file, test_file = fold_files(files)
    folder = workspace.run_dir(run_id)
    bundle = Bundle.load(folder, torch_device(device))
    train, test = read_marked(train_file, has_header=False), read_marked(test_file, has_header=True)
    parts = {
        "training": [s for s in train if not _is_validation(s.text)],
        "validation": [s for s in train if _is_validation(s.text)],
    }
    for name, sentences in parts.items():
        if len({s.positive for s in sentences}) < 2:
            raise InvalidInputError(f"the {name} sentences of {train_file} must hold both labels, hold fewer")
    labelled = {name: _encode(sentences, bundle.vocabulary) for name, sentences in parts.items()}
    classifier, report = train_mention_classifier(
        _start(folder, bundle), labelled["training"], labelled["validation"], config or MentionConfig(), progress
    )
    tested = _encode(test, bundle.vocabulary)
    scores = sentence_probabilities(classifier, tested, report.config.samples)
    known = {s.text for s in train}
    return MentionBenchmark(
        run_id=bundle.config.run_id,
        simulated_model=bundle.config.simulated,
        train_file=str(train_file),
        test_file=str(test_file),
        n_train=len(parts["training"]),
        n_validation=len(parts["validation"]),
        n_test=len(test),
        n_test_in_train=sum(s.text in known for s in test),
        test_prevalence=float(tested.positive.mean()),
        relvm=figures(tested.positive, scores.astype(np.float64)),
        always_positive=figures(tested.positive, np.ones(len(test))),
        training=report,
    )


def fold_files(files: tuple[Path, ...]) -> tuple[Path, Path]:
    """Training and test file, from two files or from a folder that holds both.

    Raises:
        InvalidInputError: if that is not what was given.
    """
    pair = (files[0] / "train.tsv", files[0] / "test.tsv") if len(files) == 1 and files[0].is_dir() else files
    if len(pair) != 2 or not all(path.is_file() for path in pair):
        shown = " ".join(map(str, files)) or "nothing"
        raise InvalidInputError(
            "a mention benchmark needs a training and a test file, or a folder with train.tsv and test.tsv; was: "
            + shown
        )
    return pair[0], pair[1]


def read_marked(path: Path, *, has_header: bool) -> list[MarkedSentence]:
    """Sentences of a file; with a header, the first column is an index.

    Raises:
        InvalidInputError: if a row has other columns, a label that is not 0 or 1, or lacks a marker.
    """
    sentences = []
    n_columns = 3 if has_header else 2
    with path.open(encoding="utf-8", newline="\n") as handle:
        for number, line in enumerate(handle, start=1):
            fields = line.rstrip("\r\n").split("\t")
            if (has_header and number == 1) or fields == [""]:
                continue
            if len(fields) != n_columns or fields[-1] not in ("0", "1"):
                raise InvalidInputError(
                    f"{path}, line {number}: a row must have {n_columns} columns, the last 0 or 1, was: {line[:80]!r}"
                )
            text = fields[-2]
            if GENE_MARKER not in text or DISEASE_MARKER not in text:
                raise InvalidInputError(
                    f"{path}, line {number}: a sentence must hold {GENE_MARKER} and {DISEASE_MARKER}, was: "
                    f"{text[:80]!r}"
                )
            sentences.append(MarkedSentence(text, fields[-1] == "1"))
    if not sentences:
        raise InvalidInputError(f"{path} must hold sentences, holds none")
    return sentences


def figures(positive: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> Figures:
    """Figures of scores from 0 to 1. *Shape:* both (sentences)

    >>> figures(np.array([True, True, False, False]), np.ones(4)).f1
    0.6666666666666666
    """
    said = scores >= THRESHOLD
    right, wrong = int((said & positive).sum()), int((said & ~positive).sum())
    missed, passed = int((~said & positive).sum()), int((~said & ~positive).sum())
    spread = (right + wrong) * (right + missed) * (passed + wrong) * (passed + missed)
    return Figures(
        precision=right / max(right + wrong, 1),
        recall=right / max(right + missed, 1),
        f1=2 * right / max(2 * right + wrong + missed, 1),
        mcc=(right * passed - wrong * missed) / math.sqrt(spread) if spread else 0.0,
        auroc=roc_auc(positive, scores) if 0 < positive.sum() < len(positive) else None,
        average_precision=average_precision(positive, scores),
    )


def _is_validation(text: str) -> bool:
    return int(hashlib.sha1(text.encode()).hexdigest()[:8], 16) % _VALIDATION_TENTH == 0


def _encode(sentences: list[MarkedSentence], vocabulary: Vocabulary) -> LabelledSentences:
    """Contexts as the model reads them: the entity mentioned first is the head."""
    kinds = list(EntityType)
    gene, disease = kinds.index(EntityType.GENE), kinds.index(EntityType.DISEASE)
    masked = [marked_tokens(s.text, GENE_MARKER, DISEASE_MARKER) for s in sentences]
    gene_first = np.array([first for _, first in masked], dtype=bool)
    return LabelledSentences(
        [vocabulary.encode(tokens) for tokens, _ in masked],
        np.where(gene_first, gene, disease),
        np.where(gene_first, disease, gene),
        np.full(len(sentences), Relation.DISEASE_GENE.column),
        np.array([s.positive for s in sentences], dtype=bool),
    )
