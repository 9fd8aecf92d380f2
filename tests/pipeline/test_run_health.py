"""The end of training: figures beside a language model, pictures that are there, and the gate."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relvm_kg.classify.mention import MentionConfig
from relvm_kg.classify.sampling import PairConfig
from relvm_kg.errors import CollapseError, InvalidInputError, WorkspaceError
from relvm_kg.model.presets import ModelConfig, Preset, TrainingConfig
from relvm_kg.pipeline.health_text import health_rows, show_gap
from relvm_kg.pipeline.run_health import check_collapse
from relvm_kg.pipeline.run_info import run_figures
from relvm_kg.pipeline.run_pictures import draw_run
from relvm_kg.pipeline.train import TrainRequest, train_run
from relvm_kg.progress import Silent
from relvm_kg.training.device import Device
from relvm_kg.workspace import Workspace, read_json

PICTURES = ["report/gaps.svg", "report/kl-by-unit.svg", "report/training.svg"]
REQUEST = TrainRequest(
    run_id="run",
    preset=Preset.DEFAULT,
    model=ModelConfig(hidden=8, latent=6, embedding=12),
    training=TrainingConfig(epochs=1, batch_size=32, max_contexts=600),
    pair=PairConfig(hidden=8, samples=2, max_steps=10, evaluate_steps=10, batch_size=64, n_positive=16),
    mention=MentionConfig(samples=2, max_steps=4, evaluate_steps=2),
    device=Device.CPU,
    allow_collapse=True,
)


class Heard(Silent):
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def say(self, message: str) -> None:
        self.words.append(message)


@pytest.fixture
def collapsed_workspace(own_workspace: Workspace) -> Workspace:
    """A workspace whose contexts belong to pairs drawn by lot, so that no pair says anything of its text."""
    path = own_workspace.corpus_dir / "contexts.parquet"
    table = pq.read_table(path)
    order = np.random.default_rng(0).permutation(table.num_rows)
    for name in ("head", "tail"):
        shuffled = table[name].take(pa.array(order))
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), shuffled)
    pq.write_table(table, path)
    return own_workspace


def drawn_text(path: Path) -> str:
    """The words in a picture, which must be whole XML of an image."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return " ".join(root.itertext())


def test_a_run_has_figures_a_language_model_and_pictures(trained_workspace: Workspace) -> None:
    figures = run_figures(trained_workspace, "tiny")
    health, beside = figures.health, figures.language_model
    assert health is not None
    assert beside is not None
    assert {"mutual_information", "u_worth", "likelihood", "gap_head", "gap_tail", "gap_two_sided"} <= set(health)
    assert health["likelihood"]["log_likelihood_per_token"] >= health["likelihood"]["bound_per_token"]
    assert 0 <= health["mutual_information"] <= health["kl"] + 1e-6
    assert beside["share"] == 0.25
    assert beside["n_contexts"] == health["n_contexts"]
    assert beside["perplexity"] == pytest.approx(np.exp(-beside["log_likelihood_per_token"]))
    assert (trained_workspace.language_models_dir / beside["key"] / "model.safetensors").is_file()
    assert list(figures.pictures) == PICTURES
    folder = trained_workspace.run_dir("tiny")
    for name in PICTURES:
        assert str(trained_workspace.path) not in (folder / name).read_text(encoding="utf-8")
    training = drawn_text(folder / "report/training.svg")
    for words in ("bound, nats a token", "language model", "active units of u", "learning rate", "Var(z)", "gap"):
        assert words in training
    assert "worth of u" in drawn_text(folder / "report/gaps.svg")
    assert "KL of u by dimension" in drawn_text(folder / "report/kl-by-unit.svg")


def test_the_trace_holds_what_the_probe_measured(trained_workspace: Workspace) -> None:
    lines = (trained_workspace.run_dir("tiny") / "trace.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    assert {"held_out_bound_per_token", "held_out_kl", "mutual_information", "active_units"} <= set(last)
    assert {"gap_head", "gap_tail", "pair_share", "learning_rate"} <= set(last)


@pytest.mark.slow
def test_a_language_model_is_trained_once_for_all_runs_of_a_text_and_size(own_workspace: Workspace) -> None:
    first = train_run(own_workspace, REQUEST, Silent())
    (kept,) = own_workspace.language_models_dir.iterdir()
    written = (kept / "model.safetensors").stat().st_mtime_ns
    training = replace(REQUEST.training, learning_rate=0.002)
    second = train_run(own_workspace, replace(REQUEST, run_id="other", training=training), Silent())
    assert [path.name for path in own_workspace.language_models_dir.iterdir()] == [kept.name]
    assert (kept / "model.safetensors").stat().st_mtime_ns == written
    assert second["language_model"] == first["language_model"]
    assert second["health"] != first["health"]
    without = train_run(own_workspace, replace(REQUEST, run_id="bare", language_model_share=0), Silent())
    assert without["language_model"] is None
    assert without["health"] == first["health"]


def test_a_share_of_more_than_all_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"language_model_share must be in \[0, 1\], was: 1.5"):
        replace(REQUEST, language_model_share=1.5)


@pytest.mark.slow
def test_a_run_whose_pairs_say_nothing_of_their_text_fails_with_its_figures_kept(
    collapsed_workspace: Workspace,
) -> None:
    strict = replace(REQUEST, allow_collapse=False, language_model_share=0)
    with pytest.raises(CollapseError, match="must tell a pair from another of the same types") as caught:
        train_run(collapsed_workspace, strict, Silent())
    message = str(caught.value)
    assert message.count("[") == 3
    assert "both sides" in message
    assert "--allow-collapse" in message
    assert caught.value.exit_code == 9
    figures = run_figures(collapsed_workspace, "run")
    assert not figures.run.is_finished
    assert figures.health is not None
    assert figures.health["carries_pair"] is False
    assert list(figures.pictures) == PICTURES
    heard = Heard()
    report = train_run(collapsed_workspace, replace(REQUEST, language_model_share=0), heard)
    assert report["health"] == figures.health
    assert any("kept, as --allow-collapse asks" in words for words in heard.words)
    assert "carries the pair: NO" in (collapsed_workspace.run_dir("run") / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_command_ends_with_exit_code_nine(
    collapsed_workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    from relvm_kg_cli.main import main

    words = ["train", "--workspace", str(collapsed_workspace.path), "--max-contexts", "100", "--epochs", "1"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--no-language-model", "--device", "cpu", "--run", "gate"])
    assert left.value.code == 9
    assert "one-sided shuffled-pair gaps" in capfd.readouterr().err


def sound(**changes: Any) -> dict[str, Any]:
    above = {"mean": 2.0, "low": 1.0, "high": 3.0}
    figures = {
        "n_contexts": 10,
        "n_documents": 9,
        "bound_per_token": -5.0,
        "kl": 1.5,
        "mutual_information": 1.0,
        "active_units": 4,
        "u_worth": above,
        "pair_share": 0.4,
        "gap_two_sided": above,
        "gap_head": above,
        "gap_tail": above,
        "likelihood": {
            "n_contexts": 5,
            "samples": 64,
            "bound_per_token": -5.0,
            "log_likelihood_per_token": -4.9,
        },
        "kl_by_unit": [0.5, 0.3, 0.0],
        "carries_pair": True,
        "carries_sentence": True,
    }
    return figures | changes


def test_the_gate_says_when_nothing_could_be_measured(tmp_path: Path) -> None:
    for figures in (None, sound(gap_head=None, carries_pair=None)):
        heard = Heard()
        check_collapse(figures, tmp_path, allowed=False, progress=heard)
        assert "too few held-out documents or entities" in heard.words[0]


def test_the_gate_lets_a_sound_run_pass_without_a_word(tmp_path: Path) -> None:
    heard = Heard()
    check_collapse(sound(), tmp_path, allowed=False, progress=heard)
    assert heard.words == []


def test_a_sleeping_u_is_told_and_lets_the_run_pass(own_workspace: Workspace) -> None:
    heard = Heard()
    request = replace(REQUEST, training=replace(REQUEST.training, learning_rate=1e-9), language_model_share=0)
    report = train_run(own_workspace, request, heard)
    assert report["health"]["carries_sentence"] is False
    assert any(words.startswith("u is asleep") for words in heard.words)


def test_pictures_are_the_same_bytes_for_the_same_figures(tmp_path: Path) -> None:
    trace = [{"step": step, "kl": 1 / step, "learning_rate": 1e-3} for step in range(1, 2000)]
    names = draw_run(tmp_path / "a", trace, sound(), None)
    assert sorted(names) == PICTURES
    draw_run(tmp_path / "b", trace, sound(), None)
    shutil.move(tmp_path / "b", tmp_path / "other")
    draw_run(tmp_path / "other" / "a", trace, sound(), None)
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "other" / "a" / name).read_bytes()
    assert (tmp_path / "a" / "report/training.svg").stat().st_size < 200_000


def test_a_gap_that_was_not_measured_is_drawn_and_told_as_such(tmp_path: Path) -> None:
    figures = sound(gap_head=None, carries_pair=None)
    draw_run(tmp_path, [], figures, None)
    assert "not measured" in drawn_text(tmp_path / "report/gaps.svg")
    rows = dict(health_rows(figures, None))
    assert rows["gap, other head"].startswith("not measured")
    assert rows["carries the pair"].startswith("not known")


def test_small_means_keep_their_digits() -> None:
    assert show_gap({"mean": 0.0012, "low": 0.0003, "high": 0.0021}) == "0.0012 [0.0003, 0.0021]"
    assert show_gap({"mean": 18.2, "low": 16.7, "high": 19.9}) == "18.20 [16.70, 19.90]"


def test_figures_of_an_unknown_run_name_those_that_there_are(trained_workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match=r"no run 'nope'; there are: tiny"):
        run_figures(trained_workspace, "nope")


def test_info_of_a_run_prints_every_figure_and_the_pictures(
    trained_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    from relvm_kg_cli.main import main

    def told(*words: str) -> str:
        with pytest.raises(SystemExit) as left:
            main(["info", "tiny", "--workspace", str(trained_workspace.path), *words])
        assert left.value.code == 0
        return capsys.readouterr().out

    text = told()
    for label in ("bound", "IWAE-64", "language model, no z", "KL of u", "worth of u", "gap, other tail", "pictures"):
        assert f"\n{label}" in text
    assert "runs/tiny/report/training.svg" in text
    assert str(trained_workspace.path) not in text
    values = json.loads(told("--json"))
    assert values["health"]["likelihood"]["samples"] == 64
    assert values["pictures"] == PICTURES
    assert "kl_by_unit" not in values["health"]
    stored = read_json(trained_workspace.run_dir("tiny") / "health.json")
    assert len(stored["kl_by_unit"]) == 6
