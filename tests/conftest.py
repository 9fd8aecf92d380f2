"""Fixtures that many tests share: a small simulated world and a workspace built from it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from relvm_kg.corpus.simulated import SMALL_WORLD, World, simulate, write_world
from relvm_kg.pipeline.build import BuildSettings, build_workspace
from relvm_kg.progress import Silent
from relvm_kg.workspace import ENVIRONMENT_VARIABLE, Workspace


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's data folder and environment out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
        patch.delenv(ENVIRONMENT_VARIABLE, raising=False)
        yield


@pytest.fixture(scope="session")
def world() -> World:
    """A small simulated world."""
    return simulate(SMALL_WORLD, seed=0)


@pytest.fixture(scope="session")
def simulated_workspace(world: World, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace built from the small world, without a model. Tests that write take a copy."""
    folder = tmp_path_factory.mktemp("world")
    write_world(world, folder / "files")
    build_workspace(
        folder / "workspace",
        [str(folder / "files" / "literature.jsonl.gz")],
        [str(folder / "files" / "relations.tsv")],
        names=folder / "files" / "names.tsv",
        settings=BuildSettings(),
        progress=Silent(),
    )
    return Workspace.open(folder / "workspace")


@pytest.fixture
def own_workspace(simulated_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the simulated workspace that a test may write to."""
    shutil.copytree(simulated_workspace.path, tmp_path / "workspace")
    return Workspace.open(tmp_path / "workspace")
