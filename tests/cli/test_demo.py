"""The demonstration on real literature, here on a simulated one without its annotations: the same path, no network."""

import json
from pathlib import Path

import pytest

from relvm_kg.classify.type_examples import ExampleSettings
from relvm_kg.corpus.simulated import World, write_world
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.demo import DemoReport, DemoSettings, DemoSources, run_demo
from relvm_kg.pipeline.predict import PredictRequest
from relvm_kg.progress import Silent
from relvm_kg.types import Relation
from relvm_kg_cli.demo import _show
from relvm_kg_cli.output import Console

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(world: World, tmp_path_factory: pytest.TempPathFactory) -> DemoSettings:
    """Documents without annotations, and the names that the annotations had."""
    folder = tmp_path_factory.mktemp("demo-sources")
    write_world(world, folder)
    text = folder / "abstracts.jsonl"
    with text.open("w", encoding="utf-8") as handle:
        for document in world.documents:
            words = " ".join(passage.text for passage in document.passages)
            handle.write(json.dumps({"doc_id": document.doc_id, "year": 2001, "title": "", "abstract": words}) + "\n")
    rows = [NameRow(str(e.id), e.type, e.name, synonyms=tuple(e.synonyms)) for e in world.entities]
    write_names(folder / "names.parquet", sorted(rows, key=lambda row: row.id), [])
    return DemoSettings(
        sources=DemoSources(
            text=(str(text),), relations=(str(folder / "relations.tsv"),), names=folder / "names.parquet"
        ),
        type_model=folder / "type-model",
        type_examples=ExampleSettings(examples=300),
        allow_collapse=True,
        training={"epochs": 0.2, "max_contexts": 300, "pair_steps": 20, "pair_scope": "with-text", "batch_size": 16},
        predictions=PredictRequest(relations=(Relation.DISEASE_GENE,), min_documents=1, samples=2),
        entity="EAAT2",
        top=3,
    )


@pytest.fixture(scope="module")
def report(settings: DemoSettings, tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    return run_demo(tmp_path_factory.mktemp("demo") / "here", Silent(), settings)


def test_the_demo_goes_from_plain_text_to_answers(report: DemoReport) -> None:
    assert sum(report.account.tagged_mentions.values()) > 1000
    assert report.tour.ranking.entity.name == "SLC1A2"
    assert len(report.tour.ranking.answers) == 3
    assert report.tour.evidence
    assert report.tour.export.rows == report.predictions.run.n_predictions > 0
    held_out = report.held_out
    assert held_out.n_training_known > 0
    assert held_out.all_pairs.n_known == held_out.co_mentioned.n_known + held_out.never_co_mentioned.n_known
    assert 0 <= held_out.all_pairs.average_precision <= 1


def test_a_second_demo_starts_from_what_is_there(report: DemoReport, settings: DemoSettings) -> None:
    again = run_demo(report.folder, Silent(), settings)
    assert again.account.rebuilt is False
    assert again.predictions.n_scored == 0
    assert again.training["config"]["created_at"] == report.training["config"]["created_at"]
    assert again.tour.ranking == report.tour.ranking
    assert again.held_out == report.held_out


def test_what_the_demo_prints_shows_each_command_above_its_answer(
    report: DemoReport, capsys: pytest.CaptureFixture[str]
) -> None:
    _show(Console(), report)
    shown = capsys.readouterr().out
    for command in [report.scant_command(), *report.commands()[:5]]:
        assert f"$ {command}\n" in shown
    assert "area under precision-recall" in shown


def test_a_folder_with_other_files_is_refused(settings: DemoSettings, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="needs an empty or absent folder"):
        run_demo(tmp_path, Silent(), settings)
