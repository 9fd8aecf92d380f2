"""Fixtures that many tests share: a small simulated world and a workspace built from it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from relvm_kg.classify.mention import MentionConfig
from relvm_kg.classify.sampling import PairConfig
from relvm_kg.corpus.simulated import SMALL_WORLD, World, simulate, write_world
from relvm_kg.model.presets import ModelConfig, Preset, TrainingConfig
from relvm_kg.pipeline.build import BuildSettings, build_workspace
from relvm_kg.pipeline.train import TrainRequest, train_run
from relvm_kg.progress import Silent
from relvm_kg.training.device import Device
from relvm_kg.workspace import ENVIRONMENT_VARIABLE, Workspace


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's data folder, cache and environment out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
        patch.setenv("RELVM_KG_CACHE", str(tmp_path_factory.mktemp("cache-home")))
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


@pytest.fixture(scope="session")
def trained_workspace(simulated_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The simulated workspace with a run `tiny` of little training: it answers, but not well. Read only."""
    folder = tmp_path_factory.mktemp("trained") / "workspace"
    shutil.copytree(simulated_workspace.path, folder)
    workspace = Workspace.open(folder)
    request = TrainRequest(
        run_id="tiny",
        preset=Preset.DEFAULT,
        model=ModelConfig(hidden=8, latent=6, embedding=12),
        training=TrainingConfig(epochs=1, batch_size=32, max_contexts=600),
        pair=PairConfig(hidden=8, samples=2, max_steps=40, evaluate_steps=20, batch_size=64, n_positive=16),
        mention=MentionConfig(samples=2, max_steps=10, evaluate_steps=5),
        device=Device.CPU,
        allow_collapse=True,
    )
    train_run(workspace, request, Silent())
    return workspace


@pytest.fixture
def own_workspace(simulated_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the simulated workspace that a test may write to."""
    shutil.copytree(simulated_workspace.path, tmp_path / "workspace")
    return Workspace.open(tmp_path / "workspace")
