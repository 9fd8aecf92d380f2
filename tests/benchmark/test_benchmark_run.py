"""A whole benchmark on the planted world: the table, the cache, the refusals."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from relvm_kg.benchmark.contender import TrainedContender, TrainingRecord
from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.evaluator import Evaluation, evaluate
from relvm_kg.benchmark.kge_process import evaluate_embedding
from relvm_kg.benchmark.kge_settings import KgeModel, default_settings
from relvm_kg.benchmark.run import run_benchmark
from relvm_kg.benchmark.settings import BenchmarkSettings, Entry, ProfileSettings
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError, RelvmKgError, WorkspaceError
from relvm_kg.progress import Progress, Silent
from relvm_kg.types import Relation
from relvm_kg.workspace import Workspace, WorkspaceManifest, write_json

SETTINGS = BenchmarkSettings(
    models=(Entry.RELVM, Entry.TEXT_PROFILE, Entry.COMENTION_PROFILE, Entry.ENTITY_RATE, Entry.DEGREE_PRODUCT),
    profiles=ProfileSettings(hidden=16, max_epochs=3),
    n_resamples=20,
    command="relvm-kg benchmark",
)


class Oracle:
    """Knows the planted clusters; stands where RELVM's own contender stands."""

    name = "RELVM"

    def __init__(self, clusters: npt.NDArray[np.int64]) -> None:
        self.clusters = clusters
        self.calls = 0

    def score_tails(self, head: int, relation: Relation, candidates: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        self.calls += 1
        return np.asarray(self.clusters[candidates] == self.clusters[head], np.float64)

    def score_heads(self, tail: int, relation: Relation, candidates: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        return self.score_tails(tail, relation, candidates)

    def score_pairs(
        self, heads: npt.NDArray[np.int64], tails: npt.NDArray[np.int64], relation: Relation
    ) -> npt.NDArray[Any]:
        return np.asarray(self.clusters[heads] == self.clusters[tails], np.float64)


@pytest.fixture
def own_world(make_world: Callable[..., Any], tmp_path: Path) -> Any:
    made = make_world(tmp_path / "W")
    np.save(made.workspace.corpus_dir / "text_profile.npy", made.profiles)
    np.save(made.workspace.corpus_dir / "comention_profile.npy", made.profiles[:, ::-1].copy())
    return made


def test_a_benchmark_ranks_the_oracle_first_and_writes_its_report(own_world: Any) -> None:
    report = run_benchmark(own_world.workspace, run_id="r1", settings=SETTINGS, relvm=Oracle(own_world.clusters))
    assert [row.name for row in report.rows] == [entry.value for entry in SETTINGS.models]
    first = report.rows[0].ranking[0]
    assert all(first.amri > row.ranking[0].amri for row in report.rows[1:])
    degree = report.rows[-1]
    assert degree.mrr_difference is not None
    assert degree.mrr_difference.low > 0
    [markdown] = (own_world.workspace.path / "benchmark").glob("*/report-r1.md")
    text = markdown.read_text(encoding="utf-8")
    assert text == report.markdown() + "\n"
    assert "SIMULATED literature" in text
    assert f"{first.n // 2} test relations ranked on both sides" in text
    values = json.loads(markdown.with_suffix(".json").read_text(encoding="utf-8"))
    assert values["provenance"]["command"] == "relvm-kg benchmark"
    assert values["provenance"]["corpus_hash"] == "world-0"
    assert values["provenance"]["versions"]["pykeen"]
    assert values["rows"][0]["ranking"][0]["mrr"] == first.mrr
    assert set(values["leakage"].values()) == {0}


def test_every_row_of_the_table_has_the_same_width(own_world: Any) -> None:
    settings = replace(SETTINGS, models=(Entry.ENTITY_RATE, Entry.DEGREE_PRODUCT))
    report = run_benchmark(own_world.workspace, run_id="r1", settings=settings)
    for table in report.markdown().split("\n\n"):
        lines = [line for line in table.splitlines() if line.startswith("|")]
        assert len({len(line) for line in lines}) <= 1
        assert len({line.count("|") for line in lines}) <= 1


def test_a_finished_contender_is_not_scored_again(own_world: Any) -> None:
    oracle = Oracle(own_world.clusters)
    report = run_benchmark(own_world.workspace, run_id="r1", settings=SETTINGS, relvm=oracle)
    calls = oracle.calls
    again = run_benchmark(own_world.workspace, run_id="r1", settings=SETTINGS, relvm=oracle)
    assert oracle.calls == calls
    assert again.markdown() == report.markdown()
    run_benchmark(own_world.workspace, run_id="r2", settings=SETTINGS, relvm=oracle)
    assert oracle.calls == 2 * calls


def test_an_interrupted_benchmark_goes_on_after_the_last_finished_contender(own_world: Any) -> None:
    def fails(data: BenchmarkData, progress: Progress) -> TrainedContender:
        raise KeyboardInterrupt

    reordered = replace(SETTINGS, models=(Entry.DEGREE_PRODUCT, Entry.RELVM))
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(own_world.workspace, run_id="r1", settings=reordered, relvm=fails)
    [kept] = (own_world.workspace.path / "benchmark").glob("*/*.json")
    assert kept.name == "degree-product.json"
    written = kept.stat().st_mtime_ns
    run_benchmark(own_world.workspace, run_id="r1", settings=reordered, relvm=Oracle(own_world.clusters))
    assert kept.stat().st_mtime_ns == written


def test_a_retrained_run_is_scored_again(own_world: Any) -> None:
    settings, oracle = replace(SETTINGS, models=(Entry.RELVM,)), Oracle(own_world.clusters)
    run_benchmark(own_world.workspace, run_id="r1", settings=settings, relvm=oracle)
    calls = oracle.calls
    folder = own_world.workspace.runs_dir / "r1"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"other weights")
    run_benchmark(own_world.workspace, run_id="r1", settings=settings, relvm=oracle)
    assert oracle.calls == 2 * calls


def test_an_evaluation_survives_json(own_world: Any) -> None:
    trained = TrainedContender(Oracle(own_world.clusters), TrainingRecord(seconds=1.5, n_parameters=3, epochs=2))
    evaluation = evaluate(trained, own_world.data)
    read = Evaluation.from_dict(json.loads(json.dumps(evaluation.as_dict())))
    assert read.ranking() == evaluation.ranking()
    assert read.co_mentioned_ranking() == evaluation.co_mentioned_ranking()
    assert read.classification() == evaluation.classification()
    assert read.record == evaluation.record


@pytest.mark.slow
def test_embeddings_take_part_from_a_process_of_their_own(own_world: Any) -> None:
    settings = replace(
        SETTINGS,
        models=(Entry.TRANSE,),
        embeddings=(replace(default_settings(KgeModel.TRANSE), dimensions=8, evaluate_every=2, max_epochs=6),),
        seconds_per_model=2,
    )
    [row] = run_benchmark(own_world.workspace, run_id="r1", settings=settings).rows
    assert row.record.settings["seconds"] == 2
    assert row.record.stopped_by in ("epochs", "time budget")
    assert row.ranking[0].n == 2 * len(own_world.data.positives.part(Split.TEST))


@pytest.mark.slow
def test_a_failing_embedding_process_is_an_error_with_its_words(own_world: Any) -> None:
    settings = replace(default_settings(KgeModel.TRANSE), device="no-such-device")
    with pytest.raises(RelvmKgError, match=r"training TransE failed with exit code 1: "):
        evaluate_embedding(own_world.workspace, 0, settings, Silent())


def test_relvm_must_be_given_when_it_takes_part(own_world: Any) -> None:
    with pytest.raises(InvalidInputError, match="a benchmark with RELVM needs its contender"):
        run_benchmark(own_world.workspace, run_id="r1", settings=SETTINGS)


def test_models_are_named_once() -> None:
    with pytest.raises(InvalidInputError, match="models must name each contender once"):
        BenchmarkSettings(models=(Entry.RELVM, Entry.RELVM))
    with pytest.raises(InvalidInputError, match="embeddings must hold settings for TransE, was: 0 others"):
        BenchmarkSettings(embeddings=()).embedding(KgeModel.TRANSE)


def test_a_workspace_without_a_corpus_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "workspace.json", WorkspaceManifest().__dict__)
    with pytest.raises(WorkspaceError, match="holds no corpus yet"):
        run_benchmark(Workspace.open(tmp_path), run_id="r1", settings=replace(SETTINGS, models=(Entry.ENTITY_RATE,)))
