"""Entities left out of training altogether: which vectors they get, and that results are kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from relvm_kg.benchmark.columns.settings import ClassifierSettings, ColumnSettings
from relvm_kg.benchmark.unseen import UnseenSettings, run_unseen
from relvm_kg.benchmark.variants import VARIANTS, Variant
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.new_entities import with_new_entities
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.pipeline.leave_out import leave_out_and_count
from relvm_kg.progress import Silent
from relvm_kg.training.data import load_corpus
from relvm_kg.workspace import Workspace

MODEL = ModelConfig(hidden=8, latent=6, embedding=12)
PAIRS = ColumnSettings(co_mentioned_positives=300, never_positives=300)
SETTINGS = UnseenSettings(
    variant=Variant(name="small", model=MODEL, training=TrainingConfig(epochs=1, batch_size=32, max_contexts=300)),
    n_entities=6,
    pairs=PAIRS,
    classifier=ClassifierSettings(hidden=8, max_epochs=2),
)


def test_new_rows_stand_between_entities_and_types_and_share_all_other_weights(simulated_workspace: Workspace) -> None:
    corpus = load_corpus(simulated_workspace.corpus_dir)
    model = Relvm.started(MODEL, len(corpus.types), len(corpus.vocabulary), seed=0).eval()
    vectors = torch.randn(3, 12, generator=torch.Generator().manual_seed(0))
    grown = with_new_entities(model, vectors)
    new = torch.arange(model.n_entities, model.n_entities + 3)
    torch.testing.assert_close(grown.entities(new), torch.nn.functional.normalize(vectors, dim=1) * 12**0.5)
    types = torch.arange(3)
    torch.testing.assert_close(grown.entities(grown.type_rows(types)), model.entities(model.type_rows(types)))
    assert grown.tokens.weight.data_ptr() == model.tokens.weight.data_ptr()
    assert not grown.training


def test_a_variant_that_starts_at_random_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'start-random' starts entity vectors at random"):
        replace(SETTINGS, variant=VARIANTS["start-random"])


def test_the_whole_comparison_is_kept_and_other_settings_are_refused(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    result = run_unseen(simulated_workspace, tmp_path, SETTINGS, leave_out_and_count, Silent())
    assert len(result["entities"]) == 6
    assert all(n > 0 for n in result["entities"].values())
    assert "co-mentioned" in result["families"]
    for figures in result["families"].values():
        assert 0 < figures["prevalence"] < 1
        assert figures["average_precision"].keys() == {"trained in", "unseen"}
        assert {tuple(d["second"]) for d in figures["differences"]} >= {
            ("trained in", "z mean"),
            ("unseen", "profiles"),
        }
        assert sum(part["n"] for part in figures["by_sentences"]) <= figures["n"]
    assert run_unseen(simulated_workspace, tmp_path, SETTINGS, leave_out_and_count, Silent()) == result
    (tmp_path / "unseen.json").unlink()
    again = run_unseen(simulated_workspace, tmp_path, SETTINGS, leave_out_and_count, Silent())
    assert again["families"] == result["families"]
    with pytest.raises(InvalidInputError, match="holds results of other settings"):
        run_unseen(simulated_workspace, tmp_path, replace(SETTINGS, seed=1), leave_out_and_count, Silent())
