"""A workspace with a little model and a prediction run, and the program in this process."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from relvm_kg.pipeline.predict import PredictRequest, predict_pairs
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Silent
from relvm_kg.training.device import Device
from relvm_kg.workspace import Workspace
from relvm_kg_cli.main import main


class Outcome(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)


Relvm = Callable[..., Outcome]


@pytest.fixture(scope="session")
def relvm() -> Relvm:
    """`relvm-kg` with these arguments; an error that is none of the program's own is raised."""

    def run(*arguments: object) -> Outcome:
        result = CliRunner(catch_exceptions=False).invoke(main, [str(a) for a in arguments])
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="session")
def predicted(trained_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with corpus, run `tiny` and one prediction run. Read only."""
    path = tmp_path_factory.mktemp("cli") / "workspace"
    shutil.copytree(trained_workspace.path, path)
    session = Session(Workspace.open(path), device=Device.CPU)
    predict_pairs(session, PredictRequest(min_documents=1, top=5, samples=2), Silent())
    return path


@pytest.fixture
def own(predicted: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may write to."""
    shutil.copytree(predicted, tmp_path / "own")
    return tmp_path / "own"
