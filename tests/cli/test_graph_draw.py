"""`relvm-kg graph draw` on a workspace with predictions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Relvm = Callable[..., Any]


def test_every_kind_of_picture_is_drawn_by_its_suffix(predicted: Path, tmp_path: Path, relvm: Relvm) -> None:
    files = [tmp_path / f"picture{suffix}" for suffix in (".svg", ".png", ".HTML")]
    outs = [word for file in files for word in ("--out", file)]
    document = relvm("graph", "draw", "--entity", "EAAT2", *outs, "--json", "--workspace", predicted).json
    assert document["entity"] == {"id": "NCBIGene:6506", "name": "SLC1A2", "type": "GENE"}
    assert document["files"] == [str(file) for file in files]
    starts = [file.read_bytes()[:15] for file in files]
    assert [start[:5] for start in starts] == [b"<?xml", b"\x89PNG\r", b"<!doc"]
    assert (document["simulated"], document["calibrated"]) == (True, False)
    assert document["predicted"] > 0
    assert document["entities"] <= document["pairs"] + 1
    assert "SLC1A2" in files[0].read_text()
    assert "simulated: this literature is generated" in files[2].read_text()


def test_without_a_file_an_svg_and_a_page_are_named_after_the_id(
    predicted: Path, tmp_path: Path, relvm: Relvm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = relvm("graph", "draw", "--entity", "EAAT2", "--limit", "2", "--workspace", predicted)
    assert told.out.splitlines() == ["NCBIGene-6506.svg", "NCBIGene-6506.html"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["NCBIGene-6506.html", "NCBIGene-6506.svg"]
    assert "pairs left out; --limit 2 takes the best of each type in turn" in told.err
    assert "are not calibrated" in told.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--entity", "EAAT22"), 3, "did you mean EAAT2"),
        (("--entity", "EAAT2", "--out", "a.pdf"), 1, "must end in one of .svg, .png, .html, was: a.pdf"),
        (("--entity", "EAAT2", "--run", "nope"), 10, "no whole prediction run 'nope'"),
        ((), 2, "Missing option '--entity'"),
    ],
)
def test_what_cannot_be_drawn_is_told_and_no_file_is_left(  # noqa: PLR0917
    words: tuple[str, ...],
    code: int,
    message: str,
    predicted: Path,
    tmp_path: Path,
    relvm: Relvm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    told = relvm("graph", "draw", *words, "--workspace", predicted)
    assert told.code == code
    assert message in told.err
    assert list(tmp_path.iterdir()) == []
