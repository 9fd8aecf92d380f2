"""A workspace on disk: atomic writes, one writer, and how commands find it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.config import settings_from_mapping, settings_to_mapping
from relvm_kg.errors import InvalidInputError, WorkspaceError
from relvm_kg.model.presets import Bound, EntityStart, ModelConfig, Preset, Size, TrainingConfig, model_config
from relvm_kg.workspace import (
    ENVIRONMENT_VARIABLE,
    Workspace,
    atomic_path,
    locate_workspace,
    remember_workspace,
    remove_leftovers,
    write_json,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "value.json"
    write_json(target, {"old": True})

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert json.loads(target.read_text()) == {"old": True}
    assert list(tmp_path.iterdir()) == [target]


def test_leftovers_of_a_killed_writer_are_swept(tmp_path: Path) -> None:
    (tmp_path / ".corpus.123.part").mkdir()
    (tmp_path / ".file.9.part").write_text("half")
    (tmp_path / "kept").write_text("whole")
    remove_leftovers(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def test_only_one_writer_at_a_time(tmp_path: Path) -> None:
    first, second = Workspace.create(tmp_path), Workspace.open(tmp_path)
    with first.lock(), pytest.raises(WorkspaceError, match="another relvm-kg process is writing"), second.lock():
        pass
    with second.lock():
        pass


def test_a_folder_with_other_files_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("precious")
    with pytest.raises(WorkspaceError, match="holds other files"):
        Workspace.create(tmp_path)


def test_another_format_version_is_refused(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path)
    write_json(workspace.manifest_path, {"format_version": 99})
    with pytest.raises(WorkspaceError, match="must have format_version 1, was: 99"):
        Workspace.open(tmp_path)


def test_a_workspace_is_named_or_in_the_environment_or_here_or_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    with pytest.raises(WorkspaceError, match="no workspace: give --workspace"):
        locate_workspace(None)
    Workspace.create(tmp_path / "last")
    remember_workspace(tmp_path / "last")
    assert locate_workspace(None) == tmp_path / "last"
    Workspace.create(tmp_path / "relvm-workspace")
    assert locate_workspace(None) == Path("relvm-workspace")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "/from/environment")
    assert locate_workspace(None) == Path("/from/environment")
    assert locate_workspace(Path("named")) == Path("named")


def test_a_run_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path)
    with pytest.raises(WorkspaceError, match="holds no trained model"):
        workspace.run_dir()
    write_json(workspace.runs_dir / "first" / "config.json", {})
    with pytest.raises(WorkspaceError, match="no finished run 'other'; there are: first"):
        workspace.run_dir("other")


@given(
    hidden=st.integers(1, 2000),
    start=st.sampled_from(EntityStart),
    bound=st.sampled_from(Bound),
    dropout=st.floats(0, 0.99),
)
def test_settings_come_back_from_json_as_they_went(
    hidden: int, start: EntityStart, bound: Bound, dropout: float
) -> None:
    for settings in (
        ModelConfig(hidden=hidden, entity_start=start),
        TrainingConfig(bound=bound, token_dropout=dropout),
        model_config(Preset.PAPER, Size.LARGE),
    ):
        text = json.dumps(settings_to_mapping(settings))
        assert settings_from_mapping(type(settings), json.loads(text)) == settings


def test_an_unknown_setting_is_refused_by_its_path() -> None:
    with pytest.raises(InvalidInputError, match=r"unknown setting model\.hiden; known are"):
        settings_from_mapping(ModelConfig, {"hiden": 3}, "model.")


def test_a_setting_out_of_range_states_the_rule_and_the_value() -> None:
    with pytest.raises(InvalidInputError, match=r"training\.token_dropout must be in \[0, 1\), was: 1\.4"):
        TrainingConfig(token_dropout=1.4)
