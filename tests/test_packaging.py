"""The installed distribution is exactly the three packages, and every package has its place in the layers."""

import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

PACKAGES = {"relvm_kg", "relvm_kg_graph", "relvm_kg_cli"}
PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def test_the_wheel_holds_exactly_the_three_packages() -> None:
    files = distribution("relvm-kg").files or []
    if any(str(file).endswith(".pth") for file in files):
        pytest.skip("installed in place, not as a wheel")
    tops = {file.parts[0] for file in files if ".dist-info" not in file.parts[0] and ".." not in file.parts}
    assert tops == PACKAGES


def test_every_part_of_the_science_package_stands_in_the_layers() -> None:
    if not PYPROJECT.is_file():
        pytest.skip("pyproject.toml is not beside the tests")
    contracts = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    listed = {name.strip() for layer in layers for name in layer.split("|")}
    folder = Path(str(distribution("relvm-kg").locate_file("relvm_kg")))
    if not folder.is_dir():
        folder = PYPROJECT.parent / "relvm_kg"
    parts = {p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()} - {"__init__"}
    assert {f"relvm_kg.{part}" for part in parts} <= listed


@pytest.mark.parametrize("module", ["relvm_kg_cli.main", "relvm_kg_graph.embedded", "relvm_kg.entities.grounding"])
def test_what_needs_no_model_does_not_load_pytorch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
