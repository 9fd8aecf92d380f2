import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.evaluate_tagger import TaggerEvaluationPlan, evaluate_tagger
from relvm_kg.pipeline.gold_sets import GOLD_SETS, TEST_SETS, find_gold, read_gold
from relvm_kg.pipeline.tagger_report import markdown, report_tables, summary
from relvm_kg.types import EntityType
from relvm_kg_cli.evaluate_tagger import TESTS
from relvm_kg_cli.main import main

GOLD = """1|t|Riluzole in amyotrophic lateral sclerosis of mice that lack GLT-1.
1|a|Motor wasting was treated.
1\t0\t8\tRiluzole\tChemical\tD019782
1\t12\t41\tamyotrophic lateral sclerosis\tDisease\tD000690
1\t60\t65\tGLT-1\tGene\t20511
1\t67\t80\tMotor wasting\tDisease\tD000690
"""
OTHER = """2|t|Motor wasting of people.
2|a|None.
2\t0\t13\tMotor wasting\tDisease\tD000690
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tagger")
    rows = [
        NameRow("MESH:D000690", EntityType.DISEASE, "Amyotrophic Lateral Sclerosis", tree_numbers=("C10.1",)),
        NameRow("MESH:D019782", EntityType.CHEMICAL, "Riluzole", tree_numbers=("D02.1",)),
        NameRow("NCBIGene:6506", EntityType.GENE, "SLC1A2", "solute carrier family 1 member 2", ("GLT-1",)),
    ]
    write_names(folder / "names.parquet", rows, [])
    (folder / "gold.PubTator").write_text(GOLD, encoding="utf-8")
    (folder / "CDR_TestSet.PubTator.txt").write_text(GOLD, encoding="utf-8")
    (folder / "other.PubTator").write_text(GOLD + "\n" + OTHER, encoding="utf-8")
    return folder


def plan(folder: Path, **changes: object) -> TaggerEvaluationPlan:
    values = {"names": folder / "names.parquet", "gold": (str(folder / "gold.PubTator"),), "n_resamples": 10}
    return TaggerEvaluationPlan(**{**values, **changes})  # type: ignore[arg-type]


def test_the_tagger_finds_what_the_catalogue_names_and_genes_fold(folder: Path) -> None:
    done = evaluate_tagger(plan(folder, errors_wanted=True))
    by_name = {column.name: column for column in done.gold[0].columns}
    rows = ["exact", "exact, any case", "dictionary", "+ abbreviations", "+ context", "+ gathered names"]
    assert list(by_name) == rows
    figures = {f.type: f.concepts for f in by_name["+ context"].figures}
    assert (figures["GENE"].f1, figures["CHEMICAL"].f1, figures["DISEASE"].f1) == (1.0, 1.0, 1.0)
    assert {f.type: f.concepts.f1 for f in by_name["+ context"].as_annotated}["GENE"] == 0.0
    assert [row.surface for row in done.errors["gold.PubTator"]] == []
    mentions = {f.type: f.mentions for f in by_name["+ context"].figures}
    assert mentions["DISEASE"].recall == 0.5


def test_learned_forms_are_a_row_and_documents_under_test_teach_nothing(folder: Path) -> None:
    done = evaluate_tagger(plan(folder, learn=(str(folder / "other.PubTator"),)))
    assert (done.n_learned, done.n_learning_documents, done.n_left_out) == (1, 1, 1)
    last = done.gold[0].columns[-1]
    assert last.name == "+ learned forms"
    assert {f.type: f.mentions.recall for f in last.figures}["DISEASE"] == 1.0
    alone = evaluate_tagger(plan(folder, learn=(str(folder / "gold.PubTator"),)))
    assert (alone.n_learned, alone.n_left_out) == (0, 1)


def test_the_errors_of_a_test_set_are_listed_only_for_those_who_insist(folder: Path) -> None:
    asked = {"gold": ("bc5cdr-test",), "data": folder, "errors_wanted": True}
    with pytest.raises(InvalidInputError, match=r"bc5cdr-test.*--show-test-errors"):
        evaluate_tagger(plan(folder, **asked))
    assert "bc5cdr-test" in evaluate_tagger(plan(folder, **asked, show_test_errors=True)).errors


def test_gold_sets_are_found_by_name_and_others_by_path(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELVM_KG_DATA", raising=False)
    monkeypatch.setenv("RELVM_KG_CACHE", str(tmp_path))
    (known,) = find_gold(["bc5cdr-test"], folder)
    assert (known.path.name, known.is_test) == ("CDR_TestSet.PubTator.txt", True)
    with pytest.raises(InvalidInputError, match="relvm-kg data get biored"):
        find_gold(["biored-dev"], folder)
    with pytest.raises(InvalidInputError, match="a gold set must be a file or one of bc5cdr-test"):
        find_gold(["no-such-set"], folder)


def test_a_file_without_mentions_is_no_gold_set(tmp_path: Path) -> None:
    (tmp_path / "plain.PubTator").write_text("1|t|Title\n1|a|Text\n", encoding="utf-8")
    (file,) = find_gold([str(tmp_path / "plain.PubTator")])
    with pytest.raises(InvalidInputError, match="it has no mention"):
        read_gold(file, ReadLog("plain"))


def test_published_file_names_are_known() -> None:
    published = ["CDR_TestSet.PubTator.txt", "NCBItestset_corpus.txt", "BioRED_Dev.PubTator"]
    published.append("NCBI_Disease_test.PubTator.gz")
    found = [next(s.name for s in GOLD_SETS if re.fullmatch(s.pattern, name)) for name in published]
    assert found == ["bc5cdr-test", "ncbi-disease-test", "biored-dev", "ncbi-disease-test"]
    assert TESTS == TEST_SETS


def test_the_command_writes_what_it_prints(folder: Path, tmp_path: Path) -> None:
    words = ["evaluate-tagger", "--names", str(folder / "names.parquet"), "--gold", str(folder / "gold.PubTator")]
    words += [
        "--resamples",
        "0",
        "--out",
        str(tmp_path / "out.json"),
        "--errors",
        str(tmp_path / "errors.tsv"),
        "--json",
    ]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == result
    assert (tmp_path / "out.md").read_text(encoding="utf-8") == markdown(result)
    assert (
        summary(result).splitlines()[0]
        == "| tagger | gold.PubTator gene | gold.PubTator disease | gold.PubTator chemical |"
    )
    assert [table.title for table in report_tables(result)][-1] == "gold.PubTator, all"
    assert (tmp_path / "errors.tsv").read_text(encoding="utf-8").startswith("gold_set\tkind\ttype")
