"""score, rank, evidence and find, as a person types them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relvm_kg.pipeline.find import FoundEntity

Relvm = Callable[..., Any]
ANSWER_KEYS = {
    "head",
    "relation",
    "tail",
    "probability",
    "uncertainty",
    "calibrated",
    "training_prevalence",
    "known",
    "co_mentioned",
    "n_documents",
    "simulated",
    "model",
    "stale",
}


@pytest.fixture
def here(predicted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the workspace as `./relvm-workspace`, as the working directory."""
    (tmp_path / "relvm-workspace").symlink_to(predicted)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def known_pair(workspace: Path, relvm: Relvm) -> tuple[str, str]:
    """A pair with a curated relation that text mentions."""
    statement = (
        "MATCH (a)-[:ASSOCIATED]->(b) MATCH (a)-[:CO_MENTIONED]-(b) RETURN a.id AS a, b.id AS b ORDER BY a, b LIMIT 1"
    )
    row = relvm("query", statement, "--json", "--workspace", workspace).json["rows"][0]
    return row["a"], row["b"]


def silent_pair(workspace: Path, relvm: Relvm) -> tuple[str, str]:
    """A gene and a disease that no sentence mentions together."""
    statement = (
        "MATCH (a:Disease), (b:Gene) WHERE NOT (a)-[:CO_MENTIONED]-(b) "
        "RETURN a.id AS a, b.id AS b ORDER BY a, b LIMIT 1"
    )
    row = relvm("query", statement, "--json", "--workspace", workspace).json["rows"][0]
    return row["a"], row["b"]


@pytest.mark.usefixtures("here")
def test_score_and_rank_work_exactly_as_typed(relvm: Relvm) -> None:
    score = relvm("score", "GENE:6506", "DISEASE:D000690")
    assert score.code == 0
    assert "amyotrophic lateral sclerosis (MESH:D000690, DISEASE)" in score.out
    assert "SLC1A2 (NCBIGene:6506, GENE)" in score.out
    rank = relvm("rank", "--entity", "EAAT2")
    assert rank.code == 0
    assert len(rank.out.splitlines()) == 1 + 20
    assert "SLC1A2 (NCBIGene:6506, GENE)" in rank.err


def test_a_score_says_what_it_is_worth_beside_the_probability(predicted: Path, relvm: Relvm) -> None:
    outcome = relvm("score", "GENE:6506", "DISEASE:D000690", "--workspace", predicted)
    rows = dict(line.split(maxsplit=1) for line in outcome.out.splitlines())
    assert "calibrated: false; training prevalence 0." in rows["probability"]
    assert rows["relation"] == "DISEASE-GENE"
    assert rows["simulated"] == "true"
    assert "generated" in outcome.err


def test_the_json_of_a_score_carries_the_documented_keys(predicted: Path, relvm: Relvm) -> None:
    first, second = known_pair(predicted, relvm)
    document = relvm("score", first, second, "--json", "--workspace", predicted).json
    assert set(document) == {"answers", "known_relation", "notes", "simulated"}
    (answer,) = document["answers"]
    assert set(answer) == ANSWER_KEYS
    assert answer["calibrated"] is False
    assert answer["known"] is answer["co_mentioned"] is answer["simulated"] is document["simulated"] is True
    assert set(document["known_relation"]) == {"predicates", "pmids", "sources"}
    assert document["known_relation"]["sources"] == ["simulated literature"]
    help_text = relvm("score", "--help").out
    assert all(key in help_text for key in ANSWER_KEYS)


def test_the_order_of_the_arguments_does_not_matter(predicted: Path, relvm: Relvm) -> None:
    one = relvm("score", "GENE:6506", "DISEASE:D000690", "--json", "--workspace", predicted)
    other = relvm("score", "DISEASE:D000690", "SLC1A2", "--json", "--workspace", predicted)
    assert one.out == other.out


def test_a_known_pair_is_scored_with_its_predicates_and_documents(predicted: Path, relvm: Relvm) -> None:
    outcome = relvm("score", *known_pair(predicted, relvm), "--workspace", predicted)
    assert "(documents SIM:" in outcome.out
    assert "simulated literature" in outcome.out
    assert "co-mentioned  yes, in " in outcome.out


def test_a_ranking_holds_partners_of_the_type_asked_for_best_first(predicted: Path, relvm: Relvm) -> None:
    call = ("rank", "--entity", "EAAT2", "--type", "disease", "--top", "4", "--json", "--workspace", predicted)
    document = relvm(*call).json
    assert set(document) == {
        "entity",
        "n_documents",
        "answers",
        "n_candidates",
        "n_without_text",
        "n_left_out_known",
        "n_left_out_related",
        "n_left_out_general",
        "notes",
        "simulated",
    }
    entity = document["entity"]
    assert {name: entity[name] for name in ("id", "name", "type")} == {
        "id": "NCBIGene:6506",
        "name": "SLC1A2",
        "type": "GENE",
    }
    assert entity["depth"] is None
    assert 0 < entity["document_share"] < 1
    assert {frozenset(a[end]) for a in document["answers"] for end in ("head", "tail")} == {frozenset(entity)}
    probabilities = [answer["probability"] for answer in document["answers"]]
    assert len(probabilities) == 4
    assert probabilities == sorted(probabilities, reverse=True)
    assert {answer["head"]["type"] for answer in document["answers"]} == {"DISEASE"}


def test_a_novel_ranking_leaves_out_known_pairs_and_counts_them(predicted: Path, relvm: Relvm) -> None:
    call = ("rank", "--entity", "EAAT2", "--top", "1000", "--json", "--workspace", predicted)
    everything, novel = relvm(*call).json, relvm(*call, "--novel").json
    n_known = sum(answer["known"] for answer in everything["answers"])
    assert n_known > 0
    assert novel["n_left_out_known"] == n_known
    assert (novel["n_left_out_related"], novel["n_left_out_general"]) == (0, 0)
    assert not any(answer["known"] for answer in novel["answers"])
    kept = relvm(*call, "--novel", "--keep-related", "--keep-general").json
    assert kept["answers"] == novel["answers"]
    assert len(novel["answers"]) + n_known == len(everything["answers"])


def test_evidence_marks_both_mentions_and_names_document_and_year(predicted: Path, relvm: Relvm) -> None:
    first, second = known_pair(predicted, relvm)
    outcome = relvm("evidence", first, second, "--limit", "1", "--workspace", predicted)
    place, sentence = outcome.out.splitlines()
    assert place.startswith("SIM:")
    assert "simulated: true" in place
    assert " 20" in place
    assert "probability 0." in place
    assert sentence.count("[[") == sentence.count("]]") == 2
    assert "sentences that mention" in outcome.err
    assert "not calibrated" in outcome.err


def test_the_spans_of_the_json_are_the_two_mentions(predicted: Path, relvm: Relvm) -> None:
    first, second = known_pair(predicted, relvm)
    document = relvm("evidence", first, second, "--json", "--workspace", predicted).json
    assert set(document) == {"head", "relation", "tail", "n_sentences", "sentences", "notes", "simulated"}
    assert document["n_sentences"] == len(document["sentences"]) > 0
    found = relvm("find", document["head"]["id"], "--json", "--workspace", predicted).json["entity"]
    for sentence in document["sentences"]:
        start, end = sentence["head_span"]
        assert sentence["sentence"][start:end].casefold() in {n.casefold() for n in (found["name"], *found["synonyms"])}
        assert sentence["simulated"] is True


def test_a_pair_without_a_sentence_says_so_and_is_no_error(predicted: Path, relvm: Relvm) -> None:
    first, second = silent_pair(predicted, relvm)
    outcome = relvm("evidence", first, second, "--workspace", predicted)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err.startswith("no sentence mentions both ")
    assert relvm("evidence", first, second, "--json", "--workspace", predicted).json["sentences"] == []


def test_find_shows_the_entity_its_namesakes_and_the_nearest_names(predicted: Path, relvm: Relvm) -> None:
    document = relvm("find", "eaat2", "--json", "--workspace", predicted).json
    assert set(document) == {"text", "entity", "reason", "note", "candidates", "nearest", "nearest_absent"}
    assert document["entity"]["id"] == "NCBIGene:6506"
    assert set(document["entity"]) == set(FoundEntity._fields)
    (candidate,) = document["candidates"]
    assert candidate["text"] == "EAAT2"
    assert candidate["kind"] == "alias"
    unknown = relvm("find", "EAT2", "--workspace", predicted)
    assert unknown.code == 0
    assert "unknown entity 'EAT2'; did you mean EAAT2 (NCBIGene:6506)?" in unknown.err
    assert "EAAT2 (NCBIGene:6506)" in unknown.out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("score", "EAT2", "DISEASE:D000690"), 3, "unknown entity 'EAT2'; did you mean EAAT2 (NCBIGene:6506)?"),
        (("rank", "--entity", "GENE:123"), 3, "no entity of the catalogue has the id 'GENE:123'; "),
        (("score", "riluzole", "dopamine"), 6, "no relation label joins CHEMICAL and CHEMICAL; the labels are "),
        (("rank", "--entity", "riluzole", "--type", "chemical"), 6, "no relation label joins CHEMICAL and CHEMICAL"),
        (("score", "EAAT2", "SLC1A2"), 1, "a pair must be two entities, both are SLC1A2 (NCBIGene:6506)"),
        (("score", "EAAT2", "riluzole", "--run", "nothing"), 8, "no finished run 'nothing'; there are: tiny"),
        (("query", "CREATE (n)"), 7, "CREATE must not be used"),
        (("query", "MATCH (n) RETURN m"), 10, "the statement cannot be run"),
        (("query", "--named", "nothing"), 1, "a named query must be one of novel-edges"),
        (
            ("export", "{folder}", "--run", "nothing"),
            10,
            "there is no whole prediction run 'nothing'; there are: tiny-",
        ),
        (("graph", "rollback", "nothing"), 10, "there is no prediction run 'nothing'; there are: tiny-"),
        (("info", "--use", "nothing"), 8, "no finished run 'nothing'; there are: tiny"),
        (("model", "unpack", "{folder}/none.tar.gz"), 1, "there is no archive "),
        (("score", "EAAT2"), 2, "Missing argument 'B'."),
        (("query",), 2, "a query needs one statement: its text, or a file with --file, or a name with --named"),
        (("query", "RETURN $x", "--param", "x"), 2, "a parameter must be name=value, was: 'x'"),
        (("benchmark", "--models", "relvm,other"), 2, "models must be among relvm, transe, "),
        (("benchmark", "{folder}"), 2, "FILES go with --mention"),
    ],
)
def test_an_error_is_one_sentence_with_an_exit_code_and_json_when_asked(
    arguments: tuple[str, ...], code: int, sentence: str, predicted: Path, relvm: Relvm, tmp_path: Path
) -> None:
    call = [a.format(folder=tmp_path) if a.startswith("{") else a for a in arguments]
    outcome = relvm(*call, "--workspace", predicted)
    assert (outcome.code, outcome.out) == (code, "")
    assert sentence in outcome.err
    assert "Traceback" not in outcome.err
    assert len([line for line in outcome.err.splitlines() if line.startswith(("relvm-kg: ", "Error: "))]) == 1
    as_json = relvm(*call, "--json", "--workspace", predicted)
    assert (as_json.code, as_json.out) == (code, "")
    told = json.loads(as_json.err)
    assert set(told) == {"error", "exit_code"}
    assert told["exit_code"] == code
    assert sentence in told["error"]


def test_verbose_errors_show_where_they_come_from(predicted: Path, relvm: Relvm) -> None:
    assert "Traceback" in relvm("score", "EAT2", "riluzole", "-v", "--workspace", predicted).err


def test_without_a_workspace_the_error_says_how_to_get_one(
    relvm: Relvm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    outcome = relvm("info")
    assert outcome.code == 8
    assert "no workspace: give --workspace, set RELVM_KG_WORKSPACE, or make one with relvm-kg quickstart" in outcome.err
    missing = relvm("score", "EAAT2", "riluzole", "--workspace", tmp_path / "none")
    assert missing.code == 8
    assert "make one with: relvm-kg build --workspace" in missing.err
