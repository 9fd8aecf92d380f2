"""The type classifier: it learns from context, never sees the name, and travels as a checked folder."""

import json
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from relvm_kg.classify.entity_type import CONFIG, VOCABULARY, WEIGHTS, EntityTypeModel, TypeModelConfig
from relvm_kg.classify.type_training import (
    TypeTrainingConfig,
    measure_types,
    train_type_model,
    type_figures,
)
from relvm_kg.classify.type_windows import type_window, window_ids
from relvm_kg.encoding.vocabulary import BEGIN, END, ENTITY, UNKNOWN
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Silent
from relvm_kg.tagging.types import TYPE_COLUMNS, TypeExample
from relvm_kg.types import EntityType

GENE, DISEASE, CHEMICAL = EntityType
PLANTED = {
    GENE: ("the {} gene is expressed in liver", "mutations of {} were found"),
    DISEASE: ("patients with {} were enrolled", "the onset of {} was early"),
    CHEMICAL: ("rats received {} by mouth", "a dose of 5 mg {} was given"),
}
MODEL = TypeModelConfig(window=10, embedding=12, hidden=8, dropout=0.0, token_dropout=0.0)
TRAINING = TypeTrainingConfig(epochs=6, batch_size=8, learning_rate=0.02, min_count=1)


def examples(prefix: str, n: int = 40) -> list[TypeExample]:
    found = []
    for number in range(n):
        for kind, patterns in PLANTED.items():
            surface = f"{prefix}{number}{kind.value[:1]}"
            sentence = f"In this study {patterns[number % 2].format(surface)} ."
            start = sentence.index(surface)
            found.append(TypeExample(f"d{number}", sentence, (start, start + len(surface)), surface, (kind,)))
    return found


def train(seed: int = 0) -> EntityTypeModel:
    config = TypeTrainingConfig(epochs=6, batch_size=8, learning_rate=0.02, min_count=1, seed=seed)
    return train_type_model(examples("x"), MODEL, config, torch.device("cpu"), Silent()).model


@pytest.fixture(scope="module")
def model() -> EntityTypeModel:
    return train()


@pytest.fixture
def folder(model: EntityTypeModel, tmp_path: Path) -> Path:
    (tmp_path / "types").mkdir()
    model.save(tmp_path / "types", {"note": "of a test"})
    return tmp_path / "types"


def ask(model: EntityTypeModel, sentence: str, surface: str) -> list[float]:
    start = sentence.index(surface)
    return [float(p) for p in model.probabilities([sentence], [(start, start + len(surface))])[0]]


def test_it_learns_what_stands_around_names_and_applies_it_to_names_never_seen(model: EntityTypeModel) -> None:
    figures = measure_types(model, examples("never seen ", 6))
    assert figures is not None
    assert figures.accuracy > 0.95
    assert figures.n == {"GENE": 6, "DISEASE": 6, "CHEMICAL": 6}


def test_the_columns_are_the_types_in_their_order_and_rows_sum_to_one(model: EntityTypeModel) -> None:
    for kind, patterns in PLANTED.items():
        row = ask(model, f"In this study {patterns[0].format('ALS')} .", "ALS")
        assert TYPE_COLUMNS[int(np.argmax(row))] is kind
        assert sum(row) == pytest.approx(1, abs=1e-5)


names = st.text("abcXYZ019-αβ", min_size=2, max_size=12).filter(lambda text: text.strip("-") == text)


@given(first=names, second=names)
@settings(max_examples=60, deadline=None)
def test_the_name_itself_makes_no_difference_wherever_it_stands(
    model: EntityTypeModel, first: str, second: str
) -> None:
    def sentence(name: str) -> str:
        return f"Loss of {name}, ({name}) and {name.upper()} in patients with the Q7 gene."

    assert ask(model, sentence(first), first) == ask(model, sentence(second), second)


def test_a_name_inside_another_word_is_not_hidden() -> None:
    window = type_window("AR and ARDS and AR", (0, 2), width=10)
    assert window.right == ["and", "ards", "and", "<ENT>"]


def test_only_words_within_the_window_count(model: EntityTypeModel) -> None:
    near = "one two three four five six seven eight nine ten"
    first = f"patients {near} ALS {near} gene"
    second = f"rats received {near} ALS {near} onset"
    assert ask(model, first, "ALS") == ask(model, second, "ALS")


def test_a_window_knows_whether_the_sentence_goes_on() -> None:
    ids = {"a": 9, "b": 8}
    assert window_ids(type_window("a X b", (2, 3), width=1), ids) == ([BEGIN, 9, ENTITY], [END, 8, ENTITY])
    assert window_ids(type_window("a a X b c", (4, 5), width=1), ids) == ([9, ENTITY], [8, ENTITY])
    assert window_ids(type_window("X", (0, 1), width=1), ids) == ([BEGIN, ENTITY], [END, ENTITY])
    assert window_ids(type_window("z X", (2, 3), width=1), ids)[0] == [BEGIN, UNKNOWN, ENTITY]


@given(text=st.text(max_size=60), data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_place_in_any_text_has_a_window(text: str, data: st.DataObject) -> None:
    text = f"{text}x"
    start = data.draw(st.integers(0, len(text) - 1))
    window = type_window(text, (start, data.draw(st.integers(start + 1, len(text)))), width=3)
    assert len(window.left) <= 3
    assert len(window.right) <= 3


def test_a_sentence_without_end_costs_no_more_than_its_window() -> None:
    text = "word " * 200_000
    window = type_window(text, (500_000, 500_004), width=40)
    assert (len(window.left), len(window.right)) == (40, 40)
    assert window.left_is_cut
    assert window.right_is_cut


def test_many_at_once_and_one_by_one_agree(model: EntityTypeModel) -> None:
    asked = examples("y", 30)
    sentences = [f"{'so ' * (i % 7)}{e.sentence}" for i, e in enumerate(asked)]
    spans = [(e.span[0] + 3 * (i % 7), e.span[1] + 3 * (i % 7)) for i, e in enumerate(asked)]
    together = model.probabilities(sentences, spans)
    alone = np.concatenate([model.probabilities([s], [p]) for s, p in zip(sentences, spans, strict=True)])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert together.dtype == np.float32


def test_nothing_asked_is_nothing_answered(model: EntityTypeModel) -> None:
    assert model.probabilities([], []).shape == (0, 3)


@pytest.mark.parametrize("span", [(0, 0), (3, 2), (-1, 2), (0, 99)])
def test_a_place_outside_its_sentence_is_refused(model: EntityTypeModel, span: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match="a mention must lie inside its sentence of 5 characters, was: "):
        model.probabilities(["ALS x"], [span])


def test_as_many_places_as_sentences_are_needed(model: EntityTypeModel) -> None:
    with pytest.raises(InvalidInputError, match="1 sentences and 0 spans"):
        model.probabilities(["ALS"], [])


def test_a_seed_gives_the_same_model_and_leaves_the_callers_draws_alone(model: EntityTypeModel) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    again = train()
    assert torch.equal(torch.rand(2), expected)
    assert again.fingerprint == model.fingerprint
    assert train(seed=1).fingerprint != model.fingerprint


def test_a_type_without_examples_cannot_be_learned() -> None:
    given_ = [e for e in examples("x") if e.types[0] is not CHEMICAL]
    with pytest.raises(InvalidInputError, match="unambiguous mentions of every type, there is none of CHEMICAL"):
        train_type_model(given_, MODEL, TRAINING, torch.device("cpu"), Silent())


def test_a_rare_type_weighs_as_much_as_a_frequent_one() -> None:
    rare = [e for i, e in enumerate(examples("x")) if e.types[0] is not GENE or i % 30 == 0]
    model = train_type_model(rare, MODEL, TRAINING, torch.device("cpu"), Silent()).model
    nothing_said = ask(model, "ALS", "ALS")
    assert max(nothing_said) < 0.9


def test_figures_worked_by_hand_weigh_types_equally() -> None:
    gene, other = [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]
    probabilities = np.array([gene, other, [0.2, 0.7, 0.1], other, other], dtype=np.float32)
    figures = type_figures(probabilities, np.array([0, 0, 1, 2, 2]))
    assert figures.recall == {"GENE": 0.5, "DISEASE": 1.0, "CHEMICAL": 1.0}
    assert figures.accuracy == pytest.approx((0.5 + 1 + 1) / 3)
    assert figures.precision["CHEMICAL"] == pytest.approx((1 / 3) / (1 / 3 + 1 / 6))
    assert figures.log_loss == pytest.approx(
        -(np.log(0.7) / 2 + np.log(0.1) / 2 + np.log(0.7) + np.log(0.8)) / 3, rel=1e-5
    )
    # confidence 0.7 in weight 1/2, always right; 0.8 in weight 1/2, right in two of three
    assert figures.calibration_error == pytest.approx(0.5 * 0.3 + 0.5 * abs(0.8 - 2 / 3), rel=1e-5)


def test_a_saved_model_is_the_model(model: EntityTypeModel, folder: Path) -> None:
    loaded = EntityTypeModel.load(folder)
    sentences, spans = [e.sentence for e in examples("z", 5)], [e.span for e in examples("z", 5)]
    np.testing.assert_array_equal(loaded.probabilities(sentences, spans), model.probabilities(sentences, spans))
    assert loaded.fingerprint == model.fingerprint
    assert sorted(p.name for p in folder.iterdir()) == sorted((CONFIG, WEIGHTS, VOCABULARY))


def _other_version(folder: Path) -> None:
    values = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**values, "format_version": 99}))


def _other_types(folder: Path) -> None:
    values = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**values, "types": ["GENE"]}))


def _no_hashes(folder: Path) -> None:
    values = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({k: v for k, v in values.items() if k != "sha256"}))


def _unknown_setting(folder: Path) -> None:
    values = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**values, "model": {**values["model"], "layers": 3}}))


def _cut(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-50])


def _exchanged(folder: Path) -> None:
    save_file({"a": torch.zeros(1)}, folder / WEIGHTS)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_other_version, "must have format_version 1, was: 99"),
        (_other_types, r"must have types \['GENE', 'DISEASE', 'CHEMICAL'\], was: \['GENE'\]"),
        (_no_hashes, "must give the sha256 of"),
        (_unknown_setting, "unknown setting model.layers"),
        (_cut, "must be as config.json describes it, its bytes differ"),
        (_exchanged, "must be as config.json describes it, its bytes differ"),
        (lambda folder: (folder / WEIGHTS).unlink(), "model.safetensors is missing"),
        (lambda folder: (folder / VOCABULARY).write_text("{}"), "vocabulary.json must be as config.json"),
        (lambda folder: (folder / CONFIG).unlink(), "must be a type model's folder, it has no config.json"),
        (lambda folder: (folder / CONFIG).write_text("{"), "must be JSON"),
        (lambda folder: (folder / CONFIG).write_text("{}"), "must describe a type model"),
        (shutil.rmtree, "must be a type model's folder"),
    ],
)
def test_a_damaged_folder_is_refused_with_its_place(folder: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(folder)
    with pytest.raises(InvalidInputError, match=said) as error:
        EntityTypeModel.load(folder)
    assert str(folder) in str(error.value) or "setting" in str(error.value)


def _ask_in_child(model: EntityTypeModel, answers: "multiprocessing.SimpleQueue[tuple[int, list[float]]]") -> None:
    answers.put((torch.get_num_threads(), ask(model, "patients with ALS were enrolled", "ALS")))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
def test_a_forked_process_answers_as_its_parent_on_one_thread(model: EntityTypeModel) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        torch.rand(400, 400) @ torch.rand(400, 400)
        expected = ask(model, "patients with ALS were enrolled", "ALS")
        context = multiprocessing.get_context("fork")
        answers = context.SimpleQueue()
        child = context.Process(target=_ask_in_child, args=(model, answers))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        n_threads, found = answers.get()
    finally:
        torch.set_num_threads(threads)
    assert n_threads == 1
    assert found == pytest.approx(expected, abs=1e-6)
