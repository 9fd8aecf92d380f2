"""`relvm-kg sweep` trains variants once each, keeps what it measured, and says which variants there are."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from relvm_kg.benchmark.columns.settings import Stage
from relvm_kg.benchmark.sweep_tables import mean_over_seeds
from relvm_kg.benchmark.variants import VARIANTS, Budget
from relvm_kg.workspace import Workspace
from relvm_kg_cli.main import main


def order(workspace: Workspace, place: Path) -> list[str]:
    """Draw pairs; the words that train on little and write to `results`."""
    where, pairs = ["--workspace", str(workspace.path)], str(place / "pairs")
    made = CliRunner().invoke(main, ["test-pairs", *where, "--out", pairs, "--co-mentioned", "60"])
    assert made.exit_code == 0, made.stderr
    results = str(place / "results")
    return [*where, "--columns", pairs, "--out", results, "--contexts", "128", "--epochs", "1"]


@pytest.mark.slow
def test_a_sweep_measures_each_variant_once_and_then_prints_what_it_kept(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    words = ["sweep", *order(simulated_workspace, tmp_path)]
    first = CliRunner().invoke(main, [*words, "--variants", "default,paper", "--processes", "2", "--json"])
    assert first.exit_code == 0, first.stderr
    results = json.loads(first.stdout)["results"]
    assert [result["name"] for result in results] == ["default", "paper"]
    assert results[0]["model"]["residual"]
    assert not results[1]["model"]["residual"]
    assert all(len(entrant["columns"]) == 6 for entrant in results[0]["validation"]["entrants"].values())
    tables = ["--tables", str(tmp_path / "tables.md")]
    chosen = CliRunner().invoke(main, [*words, "--variants", "default", "--test", *tables])
    assert chosen.exit_code == 0, chosen.stderr
    written = (tmp_path / "tables.md").read_text()
    assert written.strip() == chosen.stdout.strip()
    assert "## Average precision, test rows" in written
    assert "| default: z, less default, untrained: z; seed 0 |" in written
    assert "| default: all stacked |" in written
    result = json.loads(next(out.glob("default-*.json")).read_text())
    compared = {(found["first"], found["second"]) for found in result["test"]["differences"]}
    assert ("default: z + entity vectors", "both profiles, 300 + 300") in compared
    assert ("default: z", "default, untrained: z") in compared
    files = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    again = CliRunner().invoke(main, [*words, "--variants", "default,paper"])
    assert again.exit_code == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == files
    assert "default: z + entity vectors" in again.stdout


@pytest.mark.slow
def test_the_learning_curve_stands_beside_the_floors_and_is_drawn(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    words = ["learning-curve", *order(simulated_workspace, tmp_path), "--percent", "50,100"]
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == 0, done.stderr
    half, whole = json.loads(done.stdout)["shares"]
    assert 0 < half["training_contexts"] < whole["training_contexts"]
    assert half["entrants"].keys() == whole["entrants"].keys() >= {"text profile", "z + entity vectors"}
    assert (tmp_path / "results" / "learning-curve.svg").read_text().startswith("<?xml")


def test_figures_of_several_seeds_are_averaged_in_the_tables() -> None:
    def result(seed: int, figure: float) -> dict[str, Any]:
        column = {"family": "co-mentioned", "kind": "random", "prevalence": 0.25, "mean_of_labels": None}
        entrant = {"columns": [{**column, "average_precision": figure}]}
        return {"name": "default", "seed": seed, "validation": {"entrants": {"default: z": entrant}}}

    both = [result(0, 0.5), result(1, 0.7)]
    (name, entrant), *_ = mean_over_seeds(both, Stage.VALIDATION).items()
    assert name == "default: z (2 seeds)"
    assert entrant["columns"][0]["average_precision"] == pytest.approx(0.6)
    assert mean_over_seeds(both, Stage.TEST) == {}


def test_an_unknown_variant_is_answered_with_the_known_ones(simulated_workspace: Workspace, tmp_path: Path) -> None:
    where = ["--workspace", str(simulated_workspace.path), "--columns", str(tmp_path), "--out", str(tmp_path)]
    done = CliRunner().invoke(main, ["sweep", *where, "--variants", "defalt"])
    assert done.exit_code == 1
    assert "a variant must be one of default, paper" in done.stderr


def test_the_hash_of_a_result_depends_on_settings_seed_budget_and_corpus() -> None:
    default = VARIANTS["default"]
    digests = {
        default.with_budget(Budget(), 0).digest("a"),
        default.with_budget(Budget(), 1).digest("a"),
        default.with_budget(Budget(epochs=1.0), 0).digest("a"),
        default.with_budget(Budget(), 0).digest("b"),
        VARIANTS["no-residual"].with_budget(Budget(), 0).digest("a"),
    }
    assert len(digests) == 5
