"""The whole path: a tiny quickstart twice, and the session of somebody with files of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from relvm_kg.classify.mention import MentionConfig
from relvm_kg.classify.sampling import PairConfig
from relvm_kg.corpus.simulated import SMALL_WORLD, WorldSettings, simulate, write_world
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.pipeline import quickstart
from relvm_kg.pipeline.predict import PredictRequest
from relvm_kg.pipeline.quickstart import QuickstartReport, QuickstartSettings, run_quickstart
from relvm_kg.progress import Silent

Relvm = Callable[..., Any]
TINY = QuickstartSettings(
    world=WorldSettings(
        n_mechanisms=4,
        n_members=4,
        held_out_per_entity=1,
        uncurated_per_entity=0,
        unrelated_per_related=2,
        mean_sentences_per_pair=1.5,
    ),
    model=ModelConfig(hidden=8, latent=8, embedding=16),
    training=TrainingConfig(epochs=0.5),
    pair=PairConfig(hidden=16, max_steps=20, evaluate_steps=10, batch_size=32, n_positive=8),
    mention=MentionConfig(max_steps=10, evaluate_steps=5),
    predictions=PredictRequest(min_documents=1, samples=2),
    top=3,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> QuickstartReport:
    return run_quickstart(tmp_path_factory.mktemp("quickstart") / "demo", Silent(), TINY)


def test_a_quickstart_shows_a_ranking_a_score_with_evidence_a_query_and_an_export(tiny: QuickstartReport) -> None:
    assert tiny.tour.ranking.entity.name == "SLC1A2"
    assert len(tiny.tour.ranking.answers) == 3
    assert len(tiny.tour.novel_edges.rows) <= 3
    assert tiny.tour.known.answers[0].known
    assert tiny.tour.evidence
    assert tiny.tour.export.rows == tiny.predictions.run.n_predictions > 0
    assert 0 <= tiny.held_out_auc <= 1
    assert tiny.n_held_out > 0


def test_everything_that_a_quickstart_makes_says_that_it_is_simulated(tiny: QuickstartReport) -> None:
    assert tiny.as_mapping()["simulated"] is True
    assert all(answer.simulated for answer in (*tiny.tour.ranking.answers, *tiny.tour.known.answers))
    assert all(sentence.simulated for sentence in tiny.tour.evidence)
    assert tiny.tour.export.simulated
    tables = [pq.read_table(path) for path in tiny.tour.export.files]
    assert all(set(table["simulated"].to_pylist()) == {True} for table in tables)
    for manifest in ("quickstart.json", "literature/manifest.json", "export/manifest.json", "workspace/workspace.json"):
        assert json.loads((tiny.folder / manifest).read_text())["simulated"] is True, manifest
    assert "simulated" in (tiny.workspace / "runs" / "quickstart" / "MODEL_CARD.md").read_text()


def test_a_quickstart_that_is_finished_just_answers_again(tiny: QuickstartReport) -> None:
    again = run_quickstart(tiny.folder, Silent(), TINY)
    assert again.account.rebuilt is False
    assert again.predictions.n_scored == 0
    assert again.tour.ranking == tiny.tour.ranking
    assert again.tour.known == tiny.tour.known
    assert again.training["config"]["created_at"] == tiny.training["config"]["created_at"]


def test_a_quickstart_leaves_other_files_and_other_worlds_alone(tiny: QuickstartReport, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="needs an empty or absent folder"):
        run_quickstart(tmp_path, Silent(), TINY)
    with pytest.raises(InvalidInputError, match="holds a quickstart of other settings"):
        run_quickstart(tiny.folder, Silent(), QuickstartSettings(world=SMALL_WORLD))


def test_the_commands_that_a_quickstart_names_work_as_they_are_typed(
    tiny: QuickstartReport, relvm: Relvm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.folder)
    for command in tiny.commands():
        program, *words = command.split()
        assert program == "relvm-kg"
        outcome = relvm(*words)
        assert outcome.code == 0, (command, outcome.err)
        assert outcome.out, command


def test_the_command_prints_the_answers_and_what_to_type_next(
    tiny: QuickstartReport, relvm: Relvm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quickstart, "QuickstartSettings", lambda: TINY)
    outcome = relvm("quickstart", "--folder", tiny.folder)
    assert outcome.code == 0
    assert outcome.out.startswith("SIMULATED: ")
    assert all(f"\n  {command}\n" in outcome.out for command in tiny.commands())
    assert outcome.out.count("[[") == 2 * len(tiny.tour.evidence)
    document = relvm("quickstart", "--folder", tiny.folder, "--json").json
    assert document.keys() == tiny.as_mapping().keys()
    assert document["simulated"] is True
    help_text = " ".join(relvm("quickstart", "--help").out.split())
    assert all(key in help_text for key in document)


@pytest.mark.slow
def test_a_small_quickstart_tells_planted_pairs_that_it_never_saw_from_others(tmp_path: Path) -> None:
    report = run_quickstart(tmp_path / "demo", Silent(), QuickstartSettings(world=SMALL_WORLD))
    assert report.held_out_auc > 0.85
    assert report.training["health"]["carries_pair"] is True


@pytest.mark.slow
def test_a_session_from_files_to_a_model_handed_on(tmp_path: Path) -> None:
    write_world(simulate(TINY.world, 0), tmp_path / "files")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_DATA_HOME": str(tmp_path / "home")}

    def run(*words: str) -> Any:
        command = [sys.executable, "-m", "relvm_kg_cli.main", *words, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
        assert done.returncode == 0, (words, done.stderr)
        assert done.stderr == "", words
        return json.loads(done.stdout)

    built = run(
        "build", "--corpus", "files/*.jsonl.gz", "--relations", "files/relations.tsv", "--names", "files/names.tsv"
    )
    assert built["workspace"] == "relvm-workspace"
    assert built["simulated"] is True
    training = ("train", "--epochs", "0.5", "--pair-steps", "20", "--mention-steps", "10", "--allow-collapse")
    trained = run(*training)
    assert trained["finished_before"] is False
    assert Path(tmp_path, trained["model_card"]).is_file()
    assert run(*training)["finished_before"] is True
    assert run("score", "GENE:6506", "DISEASE:D000690")["answers"][0]["model"] == trained["run_id"]
    assert len(run("rank", "--entity", "EAAT2", "--top", "3")["answers"]) == 3
    predicted = run("predict", "--min-documents", "1", "--top", "0", "--samples", "2")
    edges = "MATCH (a)-[p:PREDICTED]->(b) WHERE NOT (a)-[:ASSOCIATED]-(b) RETURN count(p) AS n"
    n_novel = run("query", edges)["rows"][0]["n"]
    assert 0 < n_novel < predicted["n_predictions"]
    assert run("export", "out", "--edges", "predicted", "--novel")["rows"] == n_novel
    bench = run("benchmark", "--models", "relvm,entity-rate,degree-product")
    assert [row["name"] for row in bench["rows"]][1:] == ["entity rate + count", "degree product"]
    assert Path(tmp_path, bench["written"]).is_file()
    run("model", "pack", trained["run_id"], "model.tar.gz")
    run("model", "unpack", "model.tar.gz", "--workspace", "elsewhere")
    alone = run("score", "GENE:6506", "DISEASE:D000690", "--workspace", "elsewhere")["answers"][0]
    here = run("score", "GENE:6506", "DISEASE:D000690")["answers"][0]
    assert alone["probability"] == here["probability"]
    assert alone["known"] is alone["co_mentioned"] is None
    assert run("info")["default_run"] == trained["run_id"]
