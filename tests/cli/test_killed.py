"""kill -9 in the middle of a command: what was finished stays, and the same command completes the rest."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

Relvm = Callable[..., Any]
pytestmark = pytest.mark.slow


def kill_when(seen: Callable[[], bool], *words: object) -> int:
    """Start the program and kill it once something is seen; returns its exit code."""
    command = [sys.executable, "-m", "relvm_kg_cli.main", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if seen():
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.001)
        return process.wait()


def predictions(workspace: Path) -> list[dict[str, Any]]:
    parts = sorted(workspace.glob("graph/predictions/*/part-*.parquet"))
    rows = [row for part in parts for row in pq.read_table(part).to_pylist()]
    return [{name: value for name, value in row.items() if name != "created_at"} for row in rows]


def test_predict_goes_on_after_a_kill_and_ends_with_the_same_rows(own: Path, relvm: Relvm) -> None:
    before = relvm("graph", "status", "--json", "--workspace", own).json["runs"][0]["run_id"]
    relvm("graph", "rollback", before, "--workspace", own)
    call = ("predict", "--min-documents", "1", "--top", "0", "--samples", "64", "--device", "cpu", "--workspace", own)

    def first_part() -> bool:
        return any(own.glob("graph/predictions/*/part-00000.parquet"))

    assert kill_when(first_part, *call) == -signal.SIGKILL
    (part,) = own.glob("graph/predictions/*/part-00000.parquet")
    written = part.stat().st_mtime_ns
    status = relvm("graph", "status", "--json", "--workspace", own).json
    assert (status["predictions"], status["runs"][0]["complete"]) == (0, False)
    assert relvm(*call).code == 0
    assert part.stat().st_mtime_ns == written
    resumed = predictions(own)
    run = relvm("graph", "status", "--json", "--workspace", own).json["runs"][0]
    assert run["complete"] is True
    relvm("graph", "rollback", run["run_id"], "--workspace", own)
    assert relvm(*call).code == 0
    assert predictions(own) == resumed


def test_a_shard_that_was_killed_goes_on_and_the_shards_end_with_the_rows_of_one_run(own: Path, relvm: Relvm) -> None:
    before = relvm("graph", "status", "--json", "--workspace", own).json["runs"][0]["run_id"]
    relvm("graph", "rollback", before, "--workspace", own)
    call = ("predict", "--min-documents", "1", "--top", "0", "--samples", "64", "--device", "cpu", "--workspace", own)

    def first_part() -> bool:
        return any(own.glob("graph/predictions/*/part-00000.parquet"))

    assert kill_when(first_part, *call, "--shard", "1/2") == -signal.SIGKILL
    other = relvm(*call, "--shard", "2/2", "--json").json
    assert (other["complete"], other["n_parts_missing"] > 0) == (False, True)
    assert relvm(*call, "--shard", "1/2", "--json").json["complete"] is True
    together = predictions(own)
    relvm("graph", "rollback", other["prediction_run"], "--workspace", own)
    assert relvm(*call).code == 0
    assert predictions(own) == together


def test_export_after_a_kill_leaves_the_old_export_and_the_next_one_is_whole(
    own: Path, relvm: Relvm, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "export"
    call = ("export", target, "--format", "kgx-jsonl", "--workspace", own)
    assert relvm(*call).code == 0
    whole = {path.name: path.read_bytes() for path in target.iterdir() if path.name != "manifest.json"}

    def begun() -> bool:
        return any(target.parent.glob(".export.*.part"))

    assert kill_when(begun, *call) == -signal.SIGKILL
    assert {path.name: path.read_bytes() for path in target.iterdir() if path.name != "manifest.json"} == whole
    assert relvm(*call).code == 0
    assert [path.name for path in target.parent.iterdir()] == ["export"]
    assert {path.name: path.read_bytes() for path in target.iterdir() if path.name != "manifest.json"} == whole


def test_train_after_a_kill_ends_as_if_nothing_had_happened(own: Path, relvm: Relvm) -> None:
    steps = ("--pair-steps", "20", "--mention-steps", "10", "--max-contexts", "500", "--allow-collapse")
    call = ("train", "--epochs", "1", "--batch-size", "32", "--device", "cpu", *steps, "--workspace", own)

    def trained() -> bool:
        return any(own.glob("runs/default-x-small-*/state.safetensors"))

    assert kill_when(trained, *call) == -signal.SIGKILL
    assert relvm("info", "--json", "--workspace", own).json["default_run"] == "tiny"
    resumed = relvm(*call, "--json").json
    assert resumed["finished_before"] is False
    straight = relvm(*call, "--run", "straight", "--json").json
    assert straight["health"] == resumed["health"]
    assert straight["pair_classifier"] == resumed["pair_classifier"]


def test_unpack_after_a_kill_leaves_no_half_of_a_model(own: Path, relvm: Relvm, tmp_path: Path) -> None:
    archive, place = tmp_path / "model.tar.gz", tmp_path / "new"
    assert relvm("model", "pack", "tiny", archive, "--workspace", own).code == 0

    def begun() -> bool:
        return any(place.glob("runs/.tiny.*.part/model.safetensors"))

    assert kill_when(begun, "model", "unpack", archive, "--workspace", place) == -signal.SIGKILL
    assert relvm("info", "--json", "--workspace", place).json["runs"] == []
    assert relvm("model", "unpack", archive, "--workspace", place).code == 0
    assert [path.name for path in (place / "runs").iterdir()] == ["tiny"]
