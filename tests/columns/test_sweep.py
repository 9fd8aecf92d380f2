"""`relvm-kg sweep` trains variants once each, keeps what it measured, and says which variants there are."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from relvm_kg.benchmark.variants import VARIANTS, Budget
from relvm_kg.workspace import Workspace
from relvm_kg_cli.main import main


@pytest.mark.slow
def test_a_sweep_measures_each_variant_once_and_then_prints_what_it_kept(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    pairs, out = tmp_path / "pairs", tmp_path / "results"
    where = ["--workspace", str(simulated_workspace.path)]
    made = CliRunner().invoke(main, ["test-pairs", *where, "--out", str(pairs), "--co-mentioned", "60"])
    assert made.exit_code == 0, made.stderr
    words = ["sweep", *where, "--columns", str(pairs), "--out", str(out), "--contexts", "128", "--epochs", "1"]
    first = CliRunner().invoke(main, [*words, "--variants", "default,paper", "--processes", "2", "--json"])
    assert first.exit_code == 0, first.stderr
    results = json.loads(first.stdout)["results"]
    assert [result["name"] for result in results] == ["default", "paper"]
    assert results[0]["model"]["residual"]
    assert not results[1]["model"]["residual"]
    assert all(len(entrant["columns"]) == 6 for entrant in results[0]["validation"]["entrants"].values())
    files = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    again = CliRunner().invoke(main, [*words, "--variants", "default,paper"])
    assert again.exit_code == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == files
    assert "default: z + entity vectors" in again.stdout


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
