"""names build and names info, as a person types them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Relvm = Callable[..., Any]
KEYS = {"path", "rows", "with_xrefs", "names", "sources", "notes"}
HGNC = "hgnc_id\tsymbol\tname\tentrez_id\tprev_symbol\nHGNC:10940\tSLC1A2\tsolute carrier\t6506\tOLD1\n"
WITHDRAWN = "HGNC_ID\tSTATUS\tWITHDRAWN_SYMBOL\tMERGED_INTO_REPORT(S) (i.e HGNC_ID|SYMBOL|STATUS)\n\
HGNC:9\tMerged/Split\tGONE1\tHGNC:10940|SLC1A2|Approved\n"
ENTRIES = "HGNC ID\tApproved symbol\tApproved name\tNCBI Gene ID(supplied by NCBI)\nHGNC:11179\tSOD1\tx\t6647\n"
MESH = "D000690\tAmyotrophic Lateral Sclerosis\tALS\tC10.228.854.139\t\n"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELVM_KG_CACHE", str(tmp_path / "cache"))
    for name, text in {"hgnc_complete_set.txt": HGNC, "withdrawn.txt": WITHDRAWN, "mesh.tsv": MESH}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    indra = tmp_path / "cache" / "data" / "names"
    indra.mkdir(parents=True)
    (indra / "hgnc_entries.tsv").write_text(ENTRIES, encoding="utf-8")
    (indra / "mesh_id_label_mappings.tsv").write_text(MESH, encoding="utf-8")
    return tmp_path


def test_names_are_built_from_the_cache_into_the_cache_and_shown(sources: Path, relvm: Relvm) -> None:
    document = relvm("names", "build", "--json").json
    assert set(document) == KEYS
    assert document["path"] == str(sources / "cache" / "names" / "names.parquet")
    assert document["rows"] == {"GENE": 1, "DISEASE": 1, "CHEMICAL": 0}
    assert relvm("names", "info", "--json").json == document
    again = relvm("names", "build")
    assert (again.code, "was made from these files already" in again.err) == (0, True)
    assert "HGNC (hgnc_entries.tsv)" in again.out
    assert (sources / "cache" / "names" / "names.LICENCES.md").is_file()


def test_given_parts_stand_alone_or_take_the_place_of_indras(sources: Path, relvm: Relvm) -> None:
    out, hgnc = sources / "n.parquet", ("--hgnc", sources / "hgnc_complete_set.txt", "--hgnc", sources / "with*.txt")
    alone = relvm("names", "build", *hgnc, "--out", out, "--json").json
    assert alone["rows"] == {"GENE": 1, "DISEASE": 0, "CHEMICAL": 0}
    indra = ("--indra", sources / "cache" / "data" / "names")
    both = relvm("names", "build", *indra, *hgnc, "--out", out, "--json").json
    assert both["rows"] == {"GENE": 1, "DISEASE": 1, "CHEMICAL": 0}
    assert [source["n"] for source in both["sources"]] == [1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "--hgnc", "/nowhere"), "a vocabulary must be a file, nothing is at /nowhere"),
        (("build", "--mondo", "/nowhere/*.json"), "a vocabulary must be a file, nothing is at /nowhere/*.json"),
        (
            ("info", "/nowhere"),
            "no names file at /nowhere; make one with: relvm-kg data get names, then relvm-kg names",
        ),
    ],
)
def test_what_is_not_there_is_one_sentence(arguments: tuple[str, ...], message: str, relvm: Relvm) -> None:
    outcome = relvm("names", *arguments)
    assert outcome.code == 1
    assert outcome.err.startswith(f"relvm-kg: {message}")


def test_an_empty_cache_says_how_to_fill_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relvm: Relvm) -> None:
    monkeypatch.setenv("RELVM_KG_CACHE", str(tmp_path))
    outcome = relvm("names", "build")
    assert outcome.code == 1
    assert "get them with: relvm-kg data get names" in outcome.err
