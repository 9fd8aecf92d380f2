"""score and rank with new text, as a person types them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Relvm = Callable[..., Any]
NEW = "NCBIGene:99999901"
PUBTATOR = """7001|t|NEWG1 in amyotrophic lateral sclerosis
7001|a|NEWG1 interacts with SLC1A2 in neurons. Riluzole reduces NEWG1 expression.
7001\t0\t5\tNEWG1\tGene\t99999901
7001\t9\t38\tamyotrophic lateral sclerosis\tDisease\tMESH:D000690
7001\t39\t44\tNEWG1\tGene\t99999901
7001\t60\t66\tSLC1A2\tGene\t6506
7001\t79\t87\tRiluzole\tChemical\tMESH:D019782
7001\t96\t101\tNEWG1\tGene\t99999901

"""


@pytest.fixture
def new_text(tmp_path: Path) -> Path:
    path = tmp_path / "new.pubtator"
    path.write_text(PUBTATOR, encoding="utf-8")
    return path


def test_a_score_says_that_the_vector_rests_on_the_given_sentences_and_shows_them(
    predicted: Path, new_text: Path, relvm: Relvm
) -> None:
    outcome = relvm("score", NEW, "DISEASE:D000690", "--text", new_text, "--workspace", predicted)
    assert outcome.code == 0
    assert f"NEWG1 ({NEW}, GENE; vector from 3 sentences of the given text)" in outcome.out
    assert "co-mentioned  yes, in 1 document" in outcome.out
    assert "[[NEWG1]] in [[amyotrophic lateral sclerosis]]" in outcome.out
    assert (
        f"training never saw NEWG1 ({NEW}): its vector rests on 3 sentences of 1 document of {new_text}" in outcome.err
    )
    assert "rests on 3 sentences only, which is very little" in outcome.err


def test_the_json_of_a_score_carries_the_text(predicted: Path, new_text: Path, relvm: Relvm) -> None:
    document = relvm("score", NEW, "SLC1A2", "--text", new_text, "--json", "--workspace", predicted).json
    assert set(document) == {"answers", "known_relation", "notes", "simulated", "text"}
    (answer,) = document["answers"]
    by_id = {answer[end]["id"]: answer[end]["from_sentences"] for end in ("head", "tail")}
    assert by_id == {NEW: 3, "NCBIGene:6506": None}
    assert document["text"]["files"] == [str(new_text)]
    (entity,) = document["text"]["entities"]
    assert entity == {"id": NEW, "name": "NEWG1", "n_sentences": 3, "n_documents": 1, "n_partners": 3}
    (sentence,) = document["text"]["sentences"]
    assert sentence["sentence"] == "NEWG1 interacts with SLC1A2 in neurons."
    assert (sentence["doc_id"], sentence["file"]) == ("7001", str(new_text))
    spans = [sentence["sentence"][slice(*sentence[name])] for name in ("head_span", "tail_span")]
    assert spans == [{NEW: "NEWG1", "NCBIGene:6506": "SLC1A2"}[answer[end]["id"]] for end in ("head", "tail")]


def test_the_name_that_the_text_uses_and_the_id_lead_to_the_same_score(
    predicted: Path, new_text: Path, relvm: Relvm
) -> None:
    end = ("DISEASE:D000690", "--text", new_text, "--json", "--workspace", predicted)
    assert relvm("score", "NEWG1", *end).out == relvm("score", NEW, *end).out


def test_a_new_entity_is_ranked_with_the_number_of_its_documents(predicted: Path, new_text: Path, relvm: Relvm) -> None:
    call = ("rank", "--entity", NEW, "--type", "disease", "--top", "3", "--text", new_text, "--workspace", predicted)
    outcome = relvm(*call)
    assert len(outcome.out.splitlines()) == 1 + 3
    assert "vector from 3 sentences of the given text" in outcome.err
    assert "only 1 document here mentions" in outcome.err
    document = relvm(*call, "--json").json
    assert document["entity"]["from_sentences"] == 3
    assert [len(document["text"][name]) for name in ("files", "entities", "sentences")] == [1, 1, 3]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("score", "NCBIGene:123", "DISEASE:D000690"), 3, "new.pubtator mentions NEWG1 (NCBIGene:99999901)"),
        (("rank", "--entity", "NEWG2"), 3, "new.pubtator mentions NEWG1 (NCBIGene:99999901)"),
    ],
)
def test_an_entity_that_is_nowhere_ends_with_those_that_the_text_mentions(
    predicted: Path, new_text: Path, relvm: Relvm, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    outcome = relvm(*arguments, "--text", new_text, "--workspace", predicted)
    assert outcome.code == code
    assert sentence in outcome.err


def test_text_of_known_entities_changes_no_score_and_says_so(predicted: Path, new_text: Path, relvm: Relvm) -> None:
    pair = ("score", "SLC1A2", "DISEASE:D000690", "--workspace", predicted)
    with_text, plain = relvm(*pair, "--text", new_text), relvm(*pair)
    assert with_text.out == plain.out
    assert "training saw every entity asked for, so that" in with_text.err


def test_a_file_that_is_not_there_is_named(predicted: Path, relvm: Relvm) -> None:
    outcome = relvm("score", NEW, "SLC1A2", "--text", "nothing.pubtator", "--workspace", predicted)
    assert outcome.code == 1
    assert "'nothing.pubtator' must name a file" in outcome.err
