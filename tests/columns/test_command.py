"""`relvm-kg test-pairs` writes the files and says what is in them."""

import json
from pathlib import Path

from click.testing import CliRunner

from relvm_kg.benchmark.columns.files import FILES, MANIFEST
from relvm_kg.workspace import Workspace
from relvm_kg_cli.main import main


def test_the_command_writes_what_its_json_says(simulated_workspace: Workspace, tmp_path: Path) -> None:
    words = ["test-pairs", "--workspace", str(simulated_workspace.path), "--out", str(tmp_path), "--co-mentioned", "90"]
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    manifest = json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))
    assert {name: document[name] for name in manifest} == manifest
    assert document["written"] == str(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*FILES.values(), MANIFEST}
    assert manifest["settings"]["co_mentioned_positives"] == 90
    printed = CliRunner().invoke(main, words)
    assert printed.stdout.count("both cold") == 4
