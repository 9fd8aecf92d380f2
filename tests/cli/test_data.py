"""`relvm-kg data`, with a set that lies on this machine."""

import hashlib
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from relvm_kg.download.records import DataSet, RemoteFile
from relvm_kg.download.registry import REGISTRY
from relvm_kg_cli.main import main

Relvm = Callable[..., Any]
DATA = b"some text\n"


@pytest.fixture
def placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with the file of the set `sample` placed by hand."""
    file = RemoteFile(name="one.txt", url="https://127.0.0.1:1/one.txt", sha256=hashlib.sha256(DATA).hexdigest())
    made = DataSet(
        name="sample",
        what="a sample",
        home="https://example.org",
        licence="CC0 1.0",
        licence_url="https://example.org/licence",
        size=2_500_000,
        files=(file,),
        next="relvm-kg build --corpus {path}",
    )
    monkeypatch.setitem(REGISTRY, "sample", made)
    folder = tmp_path / "cache" / "data" / "sample"
    folder.mkdir(parents=True)
    (folder / "one.txt").write_bytes(DATA)
    return tmp_path / "cache"


def test_a_list_shows_size_licence_and_what_is_here(relvm: Relvm, placed: Path) -> None:
    rows = relvm("data", "list", "--cache", placed).out.splitlines()
    assert rows[0].split() == ["name", "size", "here", "licence", "what"]
    assert {row.split()[0] for row in rows[1:]} == set(REGISTRY)
    assert next(row for row in rows if row.startswith("sample")).split()[:5] == ["sample", "2.5", "MB", "no", "CC0"]
    document = relvm("data", "list", "--cache", placed, "--json").json
    sample = next(record for record in document["sets"] if record["name"] == "sample")
    assert (sample["is_here"], sample["path"], sample["bytes"]) == (False, None, 2_500_000)


def test_get_takes_in_what_was_placed_then_path_finds_it_and_remove_frees_it(relvm: Relvm, placed: Path) -> None:
    missing = relvm("data", "path", "sample", "--cache", placed)
    assert (missing.code, "fetch it with: relvm-kg data get sample" in missing.err) == (11, True)
    answer = relvm("data", "get", "sample", "--cache", placed)
    folder = placed / "data" / "sample"
    assert answer.out == f"sample: {folder} (1 files, 10 B)\n"
    assert "Licence: CC0 1.0" in answer.err
    assert f"next: relvm-kg build --corpus {folder}" in answer.err
    assert relvm("data", "path", "sample", "--cache", placed).out == f"{folder}\n"
    assert relvm("data", "path", "sample", "--cache", placed, "--json").json["files"] == [str(folder / "one.txt")]
    again = relvm("data", "get", "sample", "--cache", placed, "--json")
    assert again.json["sets"][0]["bytes_here"] == 10
    assert relvm("data", "remove", "sample", "--cache", placed).out.startswith("sample: ")
    assert not folder.exists()


def test_without_a_network_every_set_that_failed_is_told_and_the_others_are_fetched(relvm: Relvm, placed: Path) -> None:
    answer = relvm("data", "get", "hgnc", "sample", "medline-baseline:1", "--offline", "--cache", placed)
    assert answer.code == 11
    assert answer.out.startswith("sample: ")
    assert answer.err.count("could not be fetched") == 2
    assert f"{placed / 'data' / 'hgnc' / 'hgnc_complete_set.txt'}  from https://storage.googleapis.com/" in answer.err
    as_json = relvm("data", "get", "hgnc", "--offline", "--cache", placed, "--json")
    assert json.loads(as_json.err)["exit_code"] == 11


def test_an_unknown_set_is_wrong_input(relvm: Relvm, placed: Path) -> None:
    answer = relvm("data", "get", "pubmed", "--cache", placed)
    assert (answer.code, "there is no data set 'pubmed'; there are: medline-sample" in answer.err) == (1, True)


@pytest.mark.parametrize("name", REGISTRY)
def test_the_command_that_takes_a_set_next_is_one_of_the_program(name: str, tmp_path: Path) -> None:
    words = shlex.split(REGISTRY[name].next.format(path=tmp_path))[1:]
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    for word in words:
        if word.startswith(str(tmp_path)) and "*" not in word and word != str(tmp_path):
            Path(word).touch()
    command.make_context(command.name, words)
