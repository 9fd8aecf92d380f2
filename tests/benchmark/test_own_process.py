"""Runs the checks that load scikit-learn where neither the Cypher engine nor other tests are loaded."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_checks_that_need_scikit_learn_pass_in_a_process_of_their_own(pytestconfig: pytest.Config) -> None:
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--confcutdir={here}"]
    if pytestconfig.inipath is not None:
        command += ["-c", str(pytestconfig.inipath)]
    done = subprocess.run([*command, str(here / "own_process_checks.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "passed" in done.stdout
