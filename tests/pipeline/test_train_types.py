"""`train-types`: text and a names catalogue in, a type classifier that the tagger uses out."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from relvm_kg.classify.entity_type import EntityTypeModel, TypeModelConfig
from relvm_kg.classify.type_examples import ExampleSettings
from relvm_kg.classify.type_training import TypeTrainingConfig
from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import InvalidInputError
from relvm_kg.pipeline.taggers import load_dictionary_tagger
from relvm_kg.pipeline.train_types import CARD, TRACE, TypeTrainingRequest, train_types
from relvm_kg.progress import Silent
from relvm_kg.tagging.tagger import Tagger
from relvm_kg.training.device import Device
from relvm_kg.types import Document, EntityType, Passage
from relvm_kg_cli.main import main

LETTERS = "abcdefghijklmnopqrstuvwx"
NAMED = [
    *(NameRow(f"MESH:D00{1000 + i}", EntityType.DISEASE, f"maldia{x}sis") for i, x in enumerate(LETTERS)),
    *(NameRow(f"MESH:D01{1000 + i}", EntityType.CHEMICAL, f"chemo{x}zine") for i, x in enumerate(LETTERS)),
    *(NameRow(f"NCBIGene:{1000 + i}", EntityType.GENE, f"GEN{i}A") for i in range(len(LETTERS))),
]
AMBIGUOUS = [
    NameRow("MESH:D099999", EntityType.DISEASE, "zorquixosis", synonyms=("ZQX1",)),
    NameRow("NCBIGene:9", EntityType.GENE, "ZQX1"),
]
PATTERNS = {
    EntityType.GENE: "Mutations of the {} gene change its expression.",
    EntityType.DISEASE: "Patients with {} were enrolled early.",
    EntityType.CHEMICAL: "Rats received {} by mouth every day.",
}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("names") / "names.parquet"
    write_names(path, sorted([*NAMED, *AMBIGUOUS], key=lambda row: row.id), [])
    return path


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "text.jsonl"
    records = [
        {"pmid": str(i * 3 + j + 1), "title": "On names", "abstract": PATTERNS[row.type].format(row.name)}
        for i, row in enumerate(NAMED)
        for j in range(3)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records) + "{broken\n", encoding="utf-8")
    return path


def request(out: Path) -> TypeTrainingRequest:
    return TypeTrainingRequest(
        out=out,
        examples=ExampleSettings(examples=150, held_out_percent=40),
        model=TypeModelConfig(window=8, embedding=12, hidden=8),
        training=TypeTrainingConfig(epochs=20, batch_size=8, learning_rate=0.02, min_count=1),
        device=Device.CPU,
    )


@pytest.fixture(scope="module")
def trained(names: Path, text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "types"
    report = train_types([str(text)], load_dictionary_tagger(names), request(out), Silent())
    assert report.documents == 3 * len(NAMED)
    assert sum(report.rejected.values()) == 1
    assert report.held_out is not None
    assert report.held_out.accuracy > 0.9
    assert all(report.training.values())
    return out


def test_the_folder_says_what_it_is_and_how_good(trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    assert config["n_examples"].keys() == {"GENE", "DISEASE", "CHEMICAL"}
    assert config["held_out"]["accuracy"] > 0.9
    card = (trained / CARD).read_text(encoding="utf-8")
    assert EntityTypeModel.load(trained).fingerprint in card
    assert "| disease |" in card
    steps = [json.loads(line)["step"] for line in (trained / TRACE).read_text(encoding="utf-8").splitlines()]
    assert steps == sorted(steps)
    assert not [p for p in trained.parent.iterdir() if p != trained]


@pytest.mark.parametrize(
    ("sentence", "kind", "curie"),
    [
        (PATTERNS[EntityType.GENE].format("ZQX1"), EntityType.GENE, "NCBIGene:9"),
        (PATTERNS[EntityType.DISEASE].format("ZQX1"), EntityType.DISEASE, "MESH:D099999"),
    ],
)
def test_the_tagger_links_an_ambiguous_name_by_what_is_said_of_it(
    names: Path, trained: Path, sentence: str, kind: EntityType, curie: str
) -> None:
    tagger = Tagger.load(names, type_classifier=EntityTypeModel.load(trained))
    tagged = tagger.tag(Document("1", None, (Passage("abstract", 0, sentence),), ()))
    (found,) = [m for m in tagged.mentions if m.text == "ZQX1"]
    assert found.type is kind
    assert [str(i) for i in found.ids] == [curie]


def test_the_same_call_makes_the_same_model(names: Path, text: Path, trained: Path, tmp_path: Path) -> None:
    train_types([str(text)], load_dictionary_tagger(names), request(tmp_path / "again"), Silent())
    assert EntityTypeModel.load(tmp_path / "again").fingerprint == EntityTypeModel.load(trained).fingerprint


def test_a_folder_with_other_things_is_left_alone(names: Path, text: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="--out must be a new folder or one that holds a type model"):
        train_types([str(text)], load_dictionary_tagger(names), request(tmp_path), Silent())
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_text_without_a_type_says_what_is_missing(names: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.jsonl"
    path.write_text(json.dumps({"pmid": "1", "title": "Nothing", "abstract": "No names."}) + "\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="there is none of GENE, DISEASE, CHEMICAL; give more text"):
        train_types([str(path)], load_dictionary_tagger(names), request(tmp_path / "out"), Silent())
    assert not (tmp_path / "out").exists()


def test_the_command_replaces_an_earlier_model_and_reports_it(names: Path, text: Path, tmp_path: Path) -> None:
    arguments = ["train-types", text, "--names", names, "--out", tmp_path / "types", "--examples", 90, "--json"]
    for _ in range(2):
        result = CliRunner(catch_exceptions=False).invoke(main, [str(a) for a in arguments])
        assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["fingerprint"] == EntityTypeModel.load(tmp_path / "types").fingerprint
    assert report["out"] == str(tmp_path / "types")
