"""A model folder whose parts do not belong together, or are not whole, is refused."""

import shutil
from pathlib import Path

import pytest
import torch

from relvm_kg.errors import DamagedFileError, InvalidInputError
from relvm_kg.model.checkpoint import CONFIG, VOCABULARY, WEIGHTS, Bundle
from relvm_kg.workspace import Workspace, read_json, write_json

CPU = torch.device("cpu")


@pytest.fixture
def folder(trained_workspace: Workspace, tmp_path: Path) -> Path:
    shutil.copytree(trained_workspace.run_dir(), tmp_path / "run")
    return tmp_path / "run"


def test_another_vocabulary_of_the_same_size_is_refused(folder: Path) -> None:
    vocabulary = read_json(folder / VOCABULARY)
    vocabulary["tokens"][-2:] = reversed(vocabulary["tokens"][-2:])
    write_json(folder / VOCABULARY, vocabulary)
    with pytest.raises(InvalidInputError, match=r"must be the one that the model was trained with .*unpack or train"):
        Bundle.load(folder, CPU)


def test_a_model_from_before_hashes_still_loads(folder: Path) -> None:
    config = read_json(folder / CONFIG)
    del config["vocabulary_sha256"]
    write_json(folder / CONFIG, config)
    assert Bundle.load(folder, CPU).config.vocabulary_sha256 == ""


def test_another_format_version_is_refused(folder: Path) -> None:
    write_json(folder / CONFIG, {**read_json(folder / CONFIG), "format_version": 99})
    with pytest.raises(InvalidInputError, match="must have format_version 1, was: 99"):
        Bundle.load(folder, CPU)


@pytest.mark.parametrize("harm", ["flip", "cut"])
def test_damaged_weights_are_refused(folder: Path, harm: str) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(data if harm == "flip" else data[:-100])
    with pytest.raises(DamagedFileError, match=r"model\.safetensors is damaged"):
        Bundle.load(folder, CPU)


def test_a_finished_run_says_which_weights_it_took_and_keeps_no_state(trained_workspace: Workspace) -> None:
    folder = trained_workspace.run_dir()
    weights = read_json(folder / "report.json")["weights"]
    assert weights["from_step"] > 0
    assert weights["chosen_by"] in ("last step", "last step, which no other passed", "best held-out bound")
    assert not list(folder.glob("*state*"))
    assert not list(folder.glob("best*"))
