"""Labelled sentences in the format of GAD and EU-ADR: reading them, figures by hand, and a whole run."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from relvm_kg.classify.mention import MentionConfig
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.mention_benchmark import (
    MarkedSentence,
    figures,
    fold_files,
    read_marked,
    run_mention_benchmark,
)
from relvm_kg.progress import Silent
from relvm_kg.training.device import Device
from relvm_kg.workspace import Workspace

CONFIG = MentionConfig(max_steps=20, evaluate_steps=10, batch_size=16, samples=2)


def write_fold(folder: Path, n: int = 120) -> Path:
    """A fold in which one verb decides."""
    draw = random.Random(0)
    rows = []
    for number in range(n):
        label = number % 2
        verb = "causes" if label else "spares"
        first, second = draw.sample(["@GENE$", "@DISEASE$"], 2)
        rows.append((f"In cohort {number} loss of {first} {verb} {second} .", label))
    cut = n * 3 // 4
    (folder / "train.tsv").write_text("".join(f"{text}\t{label}\n" for text, label in rows[:cut]))
    tests = "".join(f"{i}\t{text}\t{label}\n" for i, (text, label) in enumerate(rows[cut:]))
    (folder / "test.tsv").write_text("index\tsentence\tlabel\n" + tests)
    return folder


def test_figures_agree_with_numbers_worked_by_hand() -> None:
    positive = np.array([True, True, True, False, False])
    found = figures(positive, np.array([0.9, 0.6, 0.2, 0.7, 0.1]))
    assert (found.precision, found.recall, found.f1) == (2 / 3, 2 / 3, 2 / 3)
    assert found.mcc == pytest.approx((2 * 1 - 1 * 1) / (3 * 3 * 2 * 2) ** 0.5)
    assert found.auroc == pytest.approx(4 / 6)


def test_always_yes_has_full_recall_and_says_nothing() -> None:
    found = figures(np.array([True, False, False, True]), np.ones(4))
    assert (found.precision, found.recall, found.mcc, found.auroc) == (0.5, 1.0, 0.0, 0.5)
    assert figures(np.array([True, True]), np.ones(2)).auroc is None


def test_a_fold_is_a_folder_or_two_files(tmp_path: Path) -> None:
    write_fold(tmp_path)
    pair = (tmp_path / "train.tsv", tmp_path / "test.tsv")
    assert fold_files((tmp_path,)) == fold_files(pair) == pair
    for wrong in ((), (tmp_path / "train.tsv",), (tmp_path / "train.tsv", tmp_path / "none.tsv")):
        with pytest.raises(InvalidInputError, match="needs a training and a test file, or a folder"):
            fold_files(wrong)


def test_rows_are_read_with_and_without_a_header(tmp_path: Path) -> None:
    write_fold(tmp_path, 8)
    train = read_marked(tmp_path / "train.tsv", has_header=False)
    assert len(train) == 6
    assert train[1] == MarkedSentence(train[1].text, True)
    assert len(read_marked(tmp_path / "test.tsv", has_header=True)) == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("@GENE$ and @DISEASE$\t2", "line 1: a row must have 2 columns, the last 0 or 1"),
        ("0\t@GENE$ and @DISEASE$\t1", "line 1: a row must have 2 columns"),
        ("@GENE$ alone\t1", r"line 1: a sentence must hold @GENE\$ and @DISEASE\$, was: '@GENE\$ alone'"),
        ("", "must hold sentences, holds none"),
    ],
)
def test_a_row_of_another_form_is_named(line: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text(f"{line}\n")
    with pytest.raises(InvalidInputError, match=sentence):
        read_marked(tmp_path / "train.tsv", has_header=False)


def test_a_run_is_fine_tuned_and_measured_beside_always_positive(trained_workspace: Workspace, tmp_path: Path) -> None:
    fold = write_fold(tmp_path)
    call = (trained_workspace, None, (fold,))
    done = run_mention_benchmark(*call, config=CONFIG, device=Device.CPU, progress=Silent())
    assert (done.run_id, done.simulated_model, done.n_test) == ("tiny", True, 30)
    assert done.n_train + done.n_validation == 90
    assert done.n_validation > 0
    assert done.n_test_in_train == 0
    assert done.always_positive.recall == 1.0
    assert done.always_positive.precision == done.test_prevalence == 0.5
    again = run_mention_benchmark(*call, config=CONFIG, device=Device.CPU, progress=Silent())
    assert again.relvm == done.relvm


def test_sentences_of_one_label_only_are_refused(trained_workspace: Workspace, tmp_path: Path) -> None:
    write_fold(tmp_path)
    text = (tmp_path / "train.tsv").read_text().replace("\t0\n", "\t1\n")
    (tmp_path / "train.tsv").write_text(text)
    with pytest.raises(InvalidInputError, match="must hold both labels"):
        run_mention_benchmark(trained_workspace, None, (tmp_path,), config=CONFIG, progress=Silent())


@pytest.mark.slow
def test_the_folds_of_eu_adr_and_gad_read() -> None:
    data = os.environ.get("RELVM_KG_DATA")
    if data is None:
        pytest.skip("RELVM_KG_DATA is not set: the folder that holds mention/")
    for name, n, n_positive in (("euadr", 355, 262), ("GAD", 5330, 2801)):
        for fold in range(1, 11):
            train, test = fold_files((Path(data, "mention", name, str(fold)),))
            sentences = [*read_marked(train, has_header=False), *read_marked(test, has_header=True)]
            assert abs(len(sentences) - n) <= 2
            assert abs(sum(s.positive for s in sentences) - n_positive) <= 2
