"""`build` on small corpora made by hand: numbers, repeats, additions, and being killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.sparse

from relvm_kg.corpus.contexts import context_tokens, tokenize
from relvm_kg.corpus.evidence import EvidenceIndex
from relvm_kg.corpus.jsonl import document_to_json
from relvm_kg.encoding.profiles import load_profiles, tf_idf
from relvm_kg.encoding.token_store import TokenStore
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.grounding import ground
from relvm_kg.errors import InvalidInputError, WorkspaceError
from relvm_kg.pipeline.assemble import TextRules, is_held_out, text_tables
from relvm_kg.pipeline.build import BuildAccount, BuildSettings, build_workspace
from relvm_kg.progress import Silent
from relvm_kg.types import Document, EntityId, EntityType, Mention, Passage
from relvm_kg.workspace import Workspace, locate_workspace

E = EntityId.parse
ALS, SOD1, RILUZOLE, FTD = E("MESH:D000690"), E("NCBIGene:6647"), E("MESH:D019782"), E("MESH:D057180")
SURFACES: dict[str, tuple[EntityType, EntityId]] = {
    "SOD1": (EntityType.GENE, SOD1),
    "ALS": (EntityType.DISEASE, ALS),
    "riluzole": (EntityType.CHEMICAL, RILUZOLE),
    "FTD": (EntityType.DISEASE, FTD),
}


def document(doc_id: str, title: str, abstract: str = "", simulated: bool = False) -> Document:
    """A document in which each surface form is tagged wherever it stands."""
    passages = (Passage("title", 0, title), Passage("abstract", len(title) + 1, abstract))
    text = f"{title} {abstract}"
    mentions = []
    for surface, (entity_type, entity) in SURFACES.items():
        start = text.find(surface)
        while start >= 0:
            mentions.append(Mention(start, start + len(surface), surface, entity_type, (entity,)))
            start = text.find(surface, start + 1)
    return Document(doc_id, None, passages, tuple(sorted(mentions)), (), simulated)


DOCUMENTS = [
    document("101", "SOD1 causes ALS.", "Riluzole helps. We gave riluzole in ALS. SOD1 and ALS and riluzole."),
    document("102", "ALS and FTD", "Nothing here."),
    document("103", "ALS with SOD1 mutations."),
]
RELATIONS = (
    "head\trelation\ttail\tpredicate\tpmids\tsource\n"
    "D000690\tDISEASE-GENE\t6647\tcauses\t101|900\thand\n"
    "D019782\tCHEMICAL-DISEASE\tD057180\t\t\t\n"
    "D019782\tCHEMICAL-GENE\t1\t\t\t\n"
)


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))
    monkeypatch.delenv("RELVM_KG_WORKSPACE", raising=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    write(folder / "corpus" / "a.jsonl", DOCUMENTS)
    (folder / "relations").mkdir()
    (folder / "relations" / "r.tsv").write_text(RELATIONS, encoding="utf-8")
    return folder


def write(path: Path, made: list[Document]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(document_to_json(d) + "\n" for d in made), encoding="utf-8")


def build(workspace: Path, corpus: list[Path], relations: list[Path] | None = None, **settings: Any) -> BuildAccount:
    names = settings.pop("names", None)
    return build_workspace(
        workspace,
        [str(path) for path in corpus],
        [str(path) for path in relations or []],
        names=names,
        settings=BuildSettings(**{"min_count": 1, **settings}),
        progress=Silent(),
    )


def contents(workspace: Path) -> dict[str, bytes]:
    """Every file of the current generation but the account, which holds times."""
    folder = Workspace.open(workspace).corpus_dir
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != "account.json")
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def table(workspace: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(Workspace.open(workspace).corpus_dir / f"{name}.parquet").to_pylist()
    return rows


# --- what is built


def test_a_small_corpus_gives_the_numbers_counted_by_hand(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    account = build(workspace, [files / "corpus"], [files / "relations"])
    assert (account.documents, account.sentences, account.mentions) == (3, 7, 11)
    # 101: SOD1-ALS; riluzole-ALS; SOD1-ALS, SOD1-riluzole, ALS-riluzole. 102: ALS-FTD. 103: ALS-SOD1.
    assert (account.contexts, account.comentions) == (7, 4)
    assert account.entities == {"GENE": 2, "DISEASE": 2, "CHEMICAL": 1}
    assert account.entities_with_text == {"GENE": 1, "DISEASE": 2, "CHEMICAL": 1}
    assert account.relations == {"DISEASE-GENE": 1, "GENE-GENE": 0, "CHEMICAL-GENE": 1, "CHEMICAL-DISEASE": 1}
    assert account.relations_co_mentioned == {
        "DISEASE-GENE": 1,
        "GENE-GENE": 0,
        "CHEMICAL-GENE": 0,
        "CHEMICAL-DISEASE": 0,
    }
    assert account.rebuilt
    assert not account.simulated
    assert any(line.startswith("documents") and " 3 from 1 files" in line for line in account.lines())
    assert BuildAccount.load(Workspace.open(workspace).corpus_dir / "account.json") == account
    assert locate_workspace(None) == workspace.resolve()


def test_every_table_fits_the_others(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    account = build(workspace, [files / "corpus"], [files / "relations"])
    folder = Workspace.open(workspace).corpus_dir
    catalogue = Catalogue.load(folder)
    assert [str(i) for i in catalogue.ids] == sorted(str(i) for i in catalogue.ids)
    sentences, contexts, mentions = (table(workspace, n) for n in ("sentences", "contexts", "mentions"))
    for mention in mentions:
        surface = sentences[mention["sentence_row"]]["text"][mention["start"] : mention["end"]]
        assert SURFACES[surface][1] == catalogue.ids[mention["entity"]]
    assert [m["sentence_row"] for m in mentions] == sorted(m["sentence_row"] for m in mentions)
    store, vocabulary = TokenStore(folder / "tokens"), Vocabulary.load(folder / "vocabulary.json")
    assert len(store) == len(contexts) == account.contexts
    for row, context in enumerate(contexts):
        text = sentences[context["sentence_row"]]["text"]
        spans = [(context[f"{end}_start"], context[f"{end}_end"]) for end in ("head", "tail")]
        assert [SURFACES[text[a:b]][1] for a, b in spans] == [catalogue.ids[context[e]] for e in ("head", "tail")]
        assert spans[0] < spans[1]
        assert vocabulary.decode(store[row]) == context_tokens(text, *spans)
    (relation,) = [r for r in table(workspace, "relations") if r["co_mentioned"]]
    assert (catalogue.ids[relation["head"]], catalogue.ids[relation["tail"]]) == (ALS, SOD1)
    assert (relation["predicates"], relation["pmids"], relation["sources"]) == (["causes"], ["101", "900"], ["hand"])


def test_entity_counts_and_npmi_are_those_of_the_sentences(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    build(workspace, [files / "corpus"])
    entities = {r["id"]: r for r in table(workspace, "entities")}
    assert (entities[str(ALS)]["n_documents"], entities[str(ALS)]["n_sentences"]) == (3, 5)
    assert entities[str(ALS)]["n_training_sentences"] == 5
    assert entities[str(ALS)]["n_training_contexts"] == 6
    catalogue = Catalogue.load(Workspace.open(workspace).corpus_dir)
    pair = sorted((catalogue.index[ALS], catalogue.index[SOD1]))
    (row,) = [r for r in table(workspace, "comentions") if [r["first"], r["second"]] == pair]
    assert (row["n_sentences"], row["n_documents"], row["first_year"]) == (3, 2, None)
    assert row["npmi"] == pytest.approx(np.log((3 / 7) / ((5 / 7) * (3 / 7))) / -np.log(3 / 7))


def test_evidence_of_a_pair_is_found_in_either_order(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    build(workspace, [files / "corpus"])
    folder = Workspace.open(workspace).corpus_dir
    catalogue, index = Catalogue.load(folder), EvidenceIndex(folder)
    als, sod1 = ground("ALS", catalogue), ground("SOD1", catalogue)
    found = index.evidence(als, sod1)
    assert [(e.doc_id, e.sentence_index) for _, e in found] == [("101", 0), ("101", 3), ("103", 0)]
    for _, evidence in found:
        assert evidence.sentence[slice(*evidence.head_span)] == "ALS"
        assert evidence.sentence[slice(*evidence.tail_span)] == "SOD1"
    swapped = index.evidence(sod1, als)
    assert [(row, e.tail_span, e.head_span) for row, e in swapped] == [(r, e.head_span, e.tail_span) for r, e in found]
    assert index.evidence(ground("FTD", catalogue), sod1) == []


def test_held_out_documents_follow_from_their_ids_and_stay_out_of_the_vocabulary(tmp_path: Path) -> None:
    ids = [str(i) for i in range(200)]
    write(tmp_path / "a.jsonl", [document(i, f"SOD1 word{i} ALS") for i in ids])
    account = build(tmp_path / "w", [tmp_path / "a.jsonl"])
    held_out = {i for i in ids if is_held_out(i)}
    assert account.held_out_documents == len(held_out) > 0
    vocabulary = Vocabulary.load(Workspace.open(tmp_path / "w").corpus_dir / "vocabulary.json")
    assert {t for t in vocabulary.tokens if t.startswith("word")} == {f"word{i}" for i in ids if i not in held_out}
    assert {r["doc_id"] for r in table(tmp_path / "w", "sentences") if r["held_out"]} == held_out
    als = next(r for r in table(tmp_path / "w", "entities") if r["id"] == str(ALS))
    assert als["n_sentences"] == 200
    assert als["n_training_sentences"] == als["n_training_contexts"] == 200 - len(held_out)


def test_long_contexts_are_counted_and_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [document("1", "SOD1 " + "x " * 5 + "ALS"), document("2", "SOD1 " + "x " * 6 + "ALS")])
    account = build(tmp_path / "w", [tmp_path / "a.jsonl"], max_tokens=7)
    assert (account.contexts, account.contexts_too_long) == (1, 1)


def test_a_list_of_hundreds_of_genes_does_not_hold_up_the_build(tmp_path: Path) -> None:
    names = [f"GENE{i:03d}" for i in range(500)]
    text = " ".join(names) + " bind."
    mentions = tuple(
        Mention(8 * i, 8 * i + 7, name, EntityType.GENE, (E(f"NCBIGene:{i + 1}"),)) for i, name in enumerate(names)
    )
    write(tmp_path / "a.jsonl", [Document("1", None, (Passage("title", 0, text),), mentions), DOCUMENTS[0]])
    started = time.process_time()
    account = build(tmp_path / "w", [tmp_path / "a.jsonl"])
    assert time.process_time() - started < 20
    assert account.contexts_too_long == 500 * 499 // 2


def test_a_word_of_one_sentence_is_unknown_however_many_pairs_share_it(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [document("1", "SOD1 ALS riluzole FTD rare often"), document("2", "SOD1 ALS often")])
    build(tmp_path / "w", [tmp_path / "a.jsonl"], min_count=2)
    vocabulary = Vocabulary.load(Workspace.open(tmp_path / "w").corpus_dir / "vocabulary.json")
    assert vocabulary.tokens[5:] == ("often",)


def test_simulated_text_marks_everything(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [document("SIM:1", "SOD1 and ALS", simulated=True)])
    (tmp_path / "r.tsv").write_text("head\trelation\ttail\tsimulated\nD000690\tDISEASE-GENE\t6647\ttrue\n", "utf-8")
    account = build(tmp_path / "w", [tmp_path / "a.jsonl"], [tmp_path / "r.tsv"])
    assert account.simulated
    assert Workspace.open(tmp_path / "w").manifest.simulated
    assert any("simulated" in line for line in account.lines())
    for name in ("documents", "sentences", "relations"):
        assert all(row["simulated"] for row in table(tmp_path / "w", name))


def test_years_come_from_the_document_else_from_the_table(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [DOCUMENTS[0]._replace(year=1999), DOCUMENTS[1], document("X", "SOD1 and ALS")])
    (tmp_path / "years.tsv").write_text("pmid\tyear\n101\t1980\n102\t1990\n", "utf-8")
    account = build(tmp_path / "w", [tmp_path / "a.jsonl"], years=tmp_path / "years.tsv")
    assert {r["doc_id"]: r["year"] for r in table(tmp_path / "w", "documents")} == {"101": 1999, "102": 1990, "X": None}
    assert account.documents_with_year == 2
    assert account.corpus_hash != build(tmp_path / "w2", [tmp_path / "a.jsonl"]).corpus_hash


# --- by several processes, and by another way


def many(n: int) -> list[Document]:
    return [
        document(str(i), f"SOD1 w{i % 17} ALS", f"FTD v{i % 7}. " * (i % 4) + "riluzole in ALS and SOD1. It helps.")
        for i in range(n)
    ]


def test_several_processes_build_what_one_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relvm_kg.pipeline.merging.BUCKET_BYTES", 20_000)
    monkeypatch.setattr("relvm_kg.pipeline.contexts.BLOCK", 100)
    write(tmp_path / "a.jsonl", many(400))
    for jobs in (1, 2):
        build(tmp_path / f"w{jobs}", [tmp_path / "a.jsonl"], jobs=jobs)
    assert contents(tmp_path / "w1") == contents(tmp_path / "w2")
    assert account_of(tmp_path / "w1") == account_of(tmp_path / "w2")


def account_of(workspace: Path) -> dict[str, Any]:
    values = json.loads((Workspace.open(workspace).corpus_dir / "account.json").read_text("utf-8"))
    measured = {"seconds", "peak_memory_mib", "worker_peak_memory_mib"}
    return {name: value for name, value in values.items() if name not in measured}


def test_prepared_text_gives_the_tables_that_the_documents_give_by_themselves(tmp_path: Path) -> None:
    made = sorted(many(60), key=lambda d: (len(d.doc_id), d.doc_id))
    write(tmp_path / "a.jsonl", made)
    build(tmp_path / "w", [tmp_path / "a.jsonl"])
    documents, sentences, mentions, done = text_tables(((d, "a.jsonl") for d in made), TextRules())
    folder = Workspace.open(tmp_path / "w").corpus_dir
    assert pq.read_table(folder / "documents.parquet").equals(documents)
    assert pq.read_table(folder / "sentences.parquet").equals(sentences)
    entities, stored = done.entities.ids, Catalogue.load(folder).ids
    assert [stored[m["entity"]] for m in table(tmp_path / "w", "mentions")] == [
        entities[m["entity"]] for m in mentions.to_pylist()
    ]
    rows = ["sentence_row", "start", "end", "source_id"]
    assert pq.read_table(folder / "mentions.parquet").select(rows).equals(mentions.select(rows))


def test_contexts_and_profiles_are_those_of_the_sentences_one_by_one(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", many(200))
    build(tmp_path / "w", [tmp_path / "a.jsonl"], min_count=1)
    folder = Workspace.open(tmp_path / "w").corpus_dir
    vocabulary, store = Vocabulary.load(folder / "vocabulary.json"), TokenStore(folder / "tokens")
    sentences, mentions = table(tmp_path / "w", "sentences"), table(tmp_path / "w", "mentions")
    counts: Counter[str] = Counter()
    for row, context in enumerate(table(tmp_path / "w", "contexts")):
        text = sentences[context["sentence_row"]]["text"]
        spans = [(context[f"{end}_start"], context[f"{end}_end"]) for end in ("head", "tail")]
        tokens = context_tokens(text, *spans)
        assert vocabulary.decode(store[row]) == [t if t in vocabulary.ids else "<UNK>" for t in tokens]
        if not context["held_out"]:
            counts.update(tokens)
    assert dict(zip(vocabulary.tokens[4:], vocabulary.counts[4:], strict=True)) == dict(counts)
    n_entities = len(Catalogue.load(folder))
    words, pairs = np.zeros((n_entities, len(vocabulary))), np.zeros((n_entities, n_entities))
    for row, sentence in enumerate(sentences):
        entities = sorted({m["entity"] for m in mentions if m["sentence_row"] == row})
        if not sentence["held_out"]:
            for entity in entities:
                np.add.at(words[entity], vocabulary.encode(tokenize(sentence["text"])), 1)
            pairs[np.ix_(entities, entities)] += 1
    text, together = load_profiles(folder)
    exact = tf_idf(scipy.sparse.csr_matrix(words)).toarray()
    np.testing.assert_allclose(text @ text.T, exact @ exact.T, atol=1e-4)
    weights = np.log1p(pairs * (1 - np.eye(n_entities)))
    weights /= np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(together @ together.T, weights @ weights.T, atol=1e-4)


# --- building again


def test_the_same_command_again_builds_nothing(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    first = build(workspace, [files / "corpus"], [files / "relations"])
    stamps = {p: p.stat().st_mtime_ns for p in workspace.rglob("*.parquet")}
    assert {p.parent.name for p in stamps} == {first.generation, "graph"}
    again = build(workspace, [files / "corpus"], [files / "relations"])
    assert not again.rebuilt
    assert again.corpus_hash == first.corpus_hash
    assert {p: p.stat().st_mtime_ns for p in workspace.rglob("*.parquet")} == stamps


def test_files_given_in_two_builds_end_as_if_given_in_one(tmp_path: Path, files: Path) -> None:
    write(files / "more" / "b.jsonl", [document("101", DOCUMENTS[0].passages[0].text), document("7", "FTD and SOD1")])
    build(tmp_path / "steps", [files / "more"])
    stepwise = build(tmp_path / "steps", [files / "corpus"], [files / "relations"])
    at_once = build(tmp_path / "once", [files / "corpus", files / "more"], [files / "relations"])
    assert stepwise.corpus_hash == at_once.corpus_hash
    assert contents(tmp_path / "steps") == contents(tmp_path / "once")
    assert at_once.documents == 4
    assert at_once.copies_merged == 1


def test_another_setting_is_another_corpus_and_one_generation_before_it_is_kept(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    accounts = [build(workspace, [files / "corpus"], max_tokens=n) for n in (140, 10, 12)]
    assert len({a.corpus_hash for a in accounts}) == 3
    kept = {p.name for p in (workspace / "corpus").iterdir()}
    assert kept == {accounts[1].generation, accounts[2].generation}
    assert Workspace.open(workspace).manifest.generation == accounts[2].generation


def test_a_changed_file_takes_the_place_of_the_earlier_one(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    build(workspace, [files / "corpus"])
    write(files / "corpus" / "a.jsonl", DOCUMENTS[:1])
    assert build(workspace, [files / "corpus"]).documents == 1
    assert len(list((workspace / "ingested").glob("corpus-*.gz"))) == 1


def test_packing_a_file_otherwise_or_giving_it_twice_changes_nothing(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    first = build(workspace, [files / "corpus"])
    write(files / "copy" / "a.jsonl", DOCUMENTS)
    again = build(workspace, [files / "corpus", files / "copy"])
    assert (again.rebuilt, again.corpus_hash) == (False, first.corpus_hash)


def test_the_sources_may_go_once_they_are_read(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    build(workspace, [files / "corpus"])
    (files / "corpus" / "a.jsonl").unlink()
    write(files / "more" / "b.jsonl", [document("7", "FTD and SOD1")])
    assert build(workspace, [files / "more"]).documents == 4


def test_a_names_table_names_entities_and_stays_for_later_builds(tmp_path: Path, files: Path) -> None:
    workspace = tmp_path / "w"
    (tmp_path / "names.tsv").write_text("id\tname\tsynonyms\nNCBIGene:6647\tSuperoxide\tIPOA|hSod1\n", "utf-8")
    build(workspace, [files / "corpus"], names=tmp_path / "names.tsv")
    build(workspace, [files / "corpus"], [files / "relations"])
    catalogue = Catalogue.load(Workspace.open(workspace).corpus_dir)
    assert catalogue.ids[ground("hSod1", catalogue)] == SOD1
    assert catalogue.names[ground("SOD1", catalogue)] == "Superoxide"
    (tmp_path / "other.tsv").write_text("id\tname\tsynonyms\nNCBIGene:6647\tNew\t\n", "utf-8")
    build(workspace, [], names=tmp_path / "other.tsv")
    catalogue = Catalogue.load(Workspace.open(workspace).corpus_dir)
    assert catalogue.names[ground("SOD1", catalogue)] == "New"
    assert "hsod1" not in catalogue.by_text


# --- what goes wrong


def test_a_workspace_without_text_is_refused(tmp_path: Path, files: Path) -> None:
    with pytest.raises(InvalidInputError, match="a workspace needs text"):
        build(tmp_path / "w", [], [files / "relations"])
    (tmp_path / "empty.txt").touch()
    with pytest.raises(InvalidInputError, match="a workspace needs text"):
        build(tmp_path / "w", [tmp_path / "empty.txt"])
    assert build(tmp_path / "w", [files / "corpus"]).relations["DISEASE-GENE"] == 1


def test_a_named_file_of_no_known_format_is_an_error_and_one_in_a_folder_is_left_out(
    tmp_path: Path, files: Path
) -> None:
    odd = files / "corpus" / "odd.bin"
    odd.write_bytes(b"\x00\x01 rubbish\n" * 10)
    with pytest.raises(InvalidInputError, match=r"odd\.bin must be a corpus file of a known format"):
        build(tmp_path / "w", [odd])
    assert build(tmp_path / "w", [files / "corpus"]).documents == 3


def test_bad_tables_are_refused_before_they_spoil_the_workspace(tmp_path: Path, files: Path) -> None:
    (tmp_path / "bad.tsv").write_text("nothing\n", "utf-8")
    with pytest.raises(InvalidInputError, match="must start with a heading"):
        build(tmp_path / "w", [files / "corpus"], names=tmp_path / "bad.tsv")
    with pytest.raises(InvalidInputError, match="year table must hold"):
        build(tmp_path / "w", [files / "corpus"], years=tmp_path / "bad.tsv")
    assert build(tmp_path / "w", [files / "corpus"]).documents == 3


def test_rejected_and_unmapped_records_are_counted_and_written(tmp_path: Path, files: Path) -> None:
    (files / "corpus" / "b.txt").write_text("9|t|ALS\n9\t1\t2\tFTD\tDisease\tD057180\n", "utf-8")
    (files / "relations" / "r.tsv").write_text(RELATIONS + "6647\tGENE-GENE\t6647\nx\tGENE-GENE\t1\n", "utf-8")
    account = build(tmp_path / "w", [files / "corpus"], [files / "relations"])
    assert account.rejected == {"offsets do not match the text": 1}
    assert account.unmapped == {
        "r.tsv": {
            "an entity id must be PREFIX:LOCAL such as NCBIGene:6506, was: 'x'": 1,
            "relation of an entity with itself": 1,
        }
    }
    lines = (Workspace.open(tmp_path / "w").corpus_dir / "rejected.jsonl").read_text("utf-8").splitlines()
    assert [(r["file"], r["line"]) for r in map(json.loads, lines)] == [("b.txt", 2), ("r.tsv", 6), ("r.tsv", 5)]


def test_a_folder_that_is_no_workspace_is_left_alone(tmp_path: Path, files: Path) -> None:
    with pytest.raises(WorkspaceError, match="holds other files"):
        build(files, [files / "corpus"])


def test_a_second_writer_is_turned_away(tmp_path: Path, files: Path) -> None:
    build(tmp_path / "w", [files / "corpus"])
    with Workspace.open(tmp_path / "w").lock(), pytest.raises(WorkspaceError, match="another relvm-kg process"):
        build(tmp_path / "w", [files / "corpus"])


@pytest.mark.parametrize(("name", "value"), [("vocabulary_size", 5), ("min_count", 0), ("max_tokens", 2)])
def test_settings_out_of_range_are_refused(name: str, value: int) -> None:
    with pytest.raises(InvalidInputError, match=rf"build\.{name} must be at least"):
        BuildSettings(**{name: value})  # type: ignore[arg-type]


# --- being killed


COMMAND = """
import sys
from pathlib import Path
from relvm_kg.pipeline.build import BuildSettings, build_workspace
from relvm_kg.progress import Silent
build_workspace(Path(sys.argv[1]), [sys.argv[2]], [], names=None, settings=BuildSettings(), progress=Silent())
"""


def reading_started(workspace: Path) -> bool:
    return len(list((workspace / "ingested").glob("*.json"))) >= 2


def assembling_started(workspace: Path) -> bool:
    return any((workspace / "corpus").glob(".*.part/sentences.parquet"))


def tokens_started(workspace: Path) -> bool:
    return any((workspace / "corpus").glob(".*.part/tokens/*"))


@pytest.mark.slow
@pytest.mark.parametrize("moment", [reading_started, assembling_started, tokens_started])
def test_a_build_killed_at_any_moment_ends_the_same_when_it_runs_again(
    tmp_path: Path, moment: Callable[[Path], bool]
) -> None:
    given, workspace = tmp_path / "given", tmp_path / "w"
    for part in range(6):
        made = [
            document(
                str(1000 * part + i), f"SOD1 w{i % 97} ALS", f"FTD v{i % 31}. " * 6 + "riluzole in ALS and SOD1. " * 4
            )
            for i in range(400)
        ]
        write(given / f"{part}.jsonl", made)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", COMMAND, str(workspace), str(given)], env=environment)
    deadline = time.monotonic() + 120
    while not moment(workspace):
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    read_before = {p: p.stat().st_mtime_ns for p in (workspace / "ingested").glob("*.jsonl.gz")}
    whole = {p.name.removesuffix(".json") for p in (workspace / "ingested").glob("*.json")}
    account = build(workspace, [given], min_count=2)
    assert contents(workspace) == contents_of_fresh_build(tmp_path / "fresh", given)
    assert account.documents == 2400
    assert not list(workspace.rglob("*.part"))
    kept = {p: stamp for p, stamp in read_before.items() if p.name.removesuffix(".jsonl.gz") in whole}
    assert kept
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())


def contents_of_fresh_build(workspace: Path, given: Path) -> dict[str, bytes]:
    build(workspace, [given], min_count=2)
    return contents(workspace)
