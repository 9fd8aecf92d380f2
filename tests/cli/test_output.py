"""Tables, JSON, progress and the error handler, apart from any command."""

import errno
import json
import time
from collections.abc import Callable
from datetime import date

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from relvm_kg.errors import NoTextError
from relvm_kg_cli.output import Console, Program, plain, table_lines
from relvm_kg_cli.progress_bars import TerminalProgress

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_every_value_becomes_strict_json(value: object) -> None:
    json.loads(json.dumps(plain(value), allow_nan=False))


@given(st.lists(st.lists(VALUES, min_size=2, max_size=2), max_size=5))
def test_a_table_has_one_line_a_row_and_its_header(rows: list[list[object]]) -> None:
    lines = list(table_lines(["first", "second"], rows))
    assert len(lines) == 1 + len(rows)
    assert all("\n" not in line for line in lines)


def test_numbers_stand_on_the_right_and_absent_ones_as_a_dash() -> None:
    assert list(table_lines(["n", "when"], [[1.5, date(2020, 1, 2)], [None, None]])) == [
        "  n  when",
        "1.5  2020-01-02",
        "  -  -",
    ]


def program(action: Callable[[], None]) -> Program:
    group = Program("relvm-kg")

    @group.command()
    @click.option("--json", is_flag=True)
    def act(json: bool) -> None:
        action()

    return group


def raiser(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (NoTextError("no text of X"), 5, "no text of X"),
        (click.ClickException("something"), 1, "something"),
        (KeyboardInterrupt(), 130, "interrupted; run the same command again to go on"),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), 1, "/tmp/x: No space left on device"),
    ],
)
def test_each_kind_of_error_has_its_code_and_its_sentence(error: BaseException, code: int, sentence: str) -> None:
    words = CliRunner().invoke(program(raiser(error)), ["act"])
    assert (words.exit_code, words.stdout) == (code, "")
    assert sentence in words.stderr
    document = CliRunner().invoke(program(raiser(error)), ["act", "--json"])
    assert json.loads(document.stderr.strip().splitlines()[-1]) == {"error": sentence, "exit_code": code}


def test_an_error_that_nobody_foresaw_is_not_hidden() -> None:
    result = CliRunner().invoke(program(raiser(ZeroDivisionError("a bug"))), ["act"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_words_are_kept_out_of_json_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    Console(as_json=True).say("hidden")
    Console(as_json=True, verbose=True).say("asked for")
    Console().say("words")
    assert capsys.readouterr() == ("", "asked for\nwords\n")


def test_progress_without_a_terminal_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, 1.0, 20.0, 30.0])
    monkeypatch.setattr("relvm_kg_cli.progress_bars.time.monotonic", lambda: next(seconds))
    with TerminalProgress().task("train", 100, "step", done=10) as task:
        task.advance(5, loss=9.0)
        task.advance(25, loss=2.5, sentences_per_second=300.0)
    assert capsys.readouterr().err.splitlines() == [
        "train: 40 of 100 step, 40 s left, loss 2.5, sentences/s 300",
        "train: 40 step, done in 30 s",
    ]


def test_a_short_task_without_a_terminal_leaves_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress().task("short", None) as task:
        task.advance()
        time.sleep(0)
    assert capsys.readouterr().err == ""
