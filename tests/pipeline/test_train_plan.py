"""Names of runs: the same wish leads to the same run, another to another."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from relvm_kg.errors import InvalidInputError, WorkspaceError
from relvm_kg.model.presets import Bound, Preset, Size
from relvm_kg.pipeline.train_plan import plan_training
from relvm_kg.workspace import Workspace


def test_a_run_is_named_by_preset_size_settings_and_corpus(simulated_workspace: Workspace) -> None:
    plan = plan_training(simulated_workspace, Preset.DEFAULT, Size.X_SMALL)
    assert re.fullmatch(r"default-x-small-[0-9a-f]{8}", plan.run_id)
    assert plan == plan_training(simulated_workspace, Preset.DEFAULT, Size.X_SMALL, None, {"epochs": None})


def test_each_setting_gives_another_name(simulated_workspace: Workspace) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"epochs": 3.0},
        {"seed": 1},
        {"bound": "per-token"},
        {"pair_steps": 10},
        {"mention_steps": 10},
    ]
    plans = [plan_training(simulated_workspace, Preset.DEFAULT, Size.X_SMALL, None, c) for c in changes]
    plans.append(plan_training(simulated_workspace, Preset.PAPER, Size.X_SMALL))
    plans.append(plan_training(simulated_workspace, Preset.DEFAULT, Size.SMALL))
    assert len({plan.run_id for plan in plans}) == len(plans)
    assert plans[3].training.bound is Bound.PER_TOKEN
    assert (plans[2].training.seed, plans[2].pair.seed, plans[2].mention.seed) == (1, 1, 1)
    assert (plans[4].pair.max_steps, plans[5].mention.max_steps) == (10, 10)


def test_another_corpus_gives_another_name(simulated_workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(simulated_workspace.path, tmp_path / "grown")
    grown = Workspace.open(tmp_path / "grown")
    grown.update_manifest(corpus_hash="0" * 64)
    plans = [plan_training(w, Preset.DEFAULT, Size.X_SMALL) for w in (simulated_workspace, grown)]
    assert plans[0].run_id != plans[1].run_id


def test_a_name_of_ones_own_and_a_finished_run_are_told(trained_workspace: Workspace) -> None:
    assert plan_training(trained_workspace, Preset.DEFAULT, Size.X_SMALL, "tiny").is_finished
    plan = plan_training(trained_workspace, Preset.DEFAULT, Size.X_SMALL, "mine")
    assert not plan.is_finished
    assert plan.request().run_id == "mine"


def test_a_setting_out_of_range_and_a_workspace_without_corpus_are_refused(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match=r"training.epochs must be positive, was: -1"):
        plan_training(simulated_workspace, Preset.DEFAULT, Size.X_SMALL, None, {"epochs": -1})
    with pytest.raises(WorkspaceError, match="holds no corpus yet; run: relvm-kg build"):
        plan_training(Workspace.create(tmp_path / "empty"), Preset.DEFAULT, Size.X_SMALL)
