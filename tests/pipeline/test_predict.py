"""Bulk predictions: which pairs, which are kept, in which parts, by how many shards."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from relvm_kg.errors import InvalidInputError, StoreError, UnknownEntityError, WorkspaceError
from relvm_kg.pipeline import predict_parts
from relvm_kg.pipeline.predict import Plan, PredictRequest, Shard, predict_pairs
from relvm_kg.pipeline.predict_parts import Per
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Silent
from relvm_kg.training.device import Device
from relvm_kg.types import EntityType, Relation
from relvm_kg.workspace import Workspace
from relvm_kg_graph.embedded import EmbeddedStore

Row = dict[str, Any]
Pair = tuple[str, str, str]


@pytest.fixture
def own(trained_workspace: Workspace, tmp_path: Path) -> Workspace:
    return copied(trained_workspace, tmp_path / "own")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts so small that the little world has many."""
    monkeypatch.setattr(predict_parts, "PAIRS_A_PART", 300)


def copied(workspace: Workspace, path: Path) -> Workspace:
    shutil.copytree(workspace.path, path)
    return Workspace.open(path)


def session_of(workspace: Workspace) -> Session:
    return Session(workspace, device=Device.CPU)


def request(**changes: Any) -> PredictRequest:
    return PredictRequest(**{"min_documents": 1, "samples": 2, "relations": (Relation.DISEASE_GENE,), **changes})


def rows_of(workspace: Workspace, wanted: PredictRequest) -> list[Row]:
    report = predict_pairs(session_of(workspace), wanted, Silent())
    return stored_rows(workspace, report.run.run.run_id)


def stored_rows(workspace: Workspace, run_id: str) -> list[Row]:
    files = sorted((workspace.graph_dir / "predictions" / run_id).glob("part-*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return [{name: value for name, value in row.items() if name != "created_at"} for row in rows]


def pair(row: Row) -> Pair:
    return row["subject"], row["relation"], row["object"]


def by_end(rows: list[Row], end: str) -> dict[str, list[Row]]:
    ends: dict[str, list[Row]] = {}
    for row in rows:
        ends.setdefault(row[end], []).append(row)
    return ends


def best(rows: list[Row], end: str, top: int) -> set[Pair]:
    groups = by_end(rows, end).values()
    return {pair(row) for group in groups for row in sorted(group, key=lambda row: -row["score"])[:top]}


def test_known_and_co_mentioned_pairs_are_left_out_each_by_its_own_option(own: Workspace) -> None:
    everything = rows_of(own, request(top=0))
    by_option = {
        ("never_known",): [row for row in everything if not row["known"]],
        ("never_co_mentioned",): [row for row in everything if not row["seen"]],
        ("never_known", "never_co_mentioned"): [r for r in everything if not r["known"] and not r["seen"]],
        ("novel", "never_known"): [
            row for row in everything if not (row["known"] or row["near_known"] or row["general"])
        ],
    }
    assert 0 < min(len(rows) for rows in by_option.values()) < len(everything)
    for options, expected in by_option.items():
        found = rows_of(own, request(top=0, **dict.fromkeys(options, True)))
        assert [pair(row) for row in found] == [pair(row) for row in expected]
        assert all(row["evidence_ids"] == [] for row in found if not row["seen"])


def test_the_lowest_probability_keeps_all_pairs_above_it(own: Workspace) -> None:
    everything = rows_of(own, request(top=0))
    bound = float(np.median([row["score"] for row in everything]))
    found = rows_of(own, request(top=0, min_probability=bound))
    assert [pair(row) for row in found] == [pair(row) for row in everything if row["score"] >= np.float32(bound)]


def test_the_best_are_kept_of_each_head_of_each_tail_or_of_either(own: Workspace) -> None:
    everything = rows_of(own, request(top=0))
    heads, tails = best(everything, "subject", 3), best(everything, "object", 3)
    assert {pair(row) for row in rows_of(own, request(top=3))} == heads
    assert {pair(row) for row in rows_of(own, request(top=3, per=Per.TAIL))} == tails
    either = [pair(row) for row in rows_of(own, request(top=3, per=Per.EITHER))]
    assert len(either) == len(set(either))
    assert set(either) == heads | tails


def test_a_run_without_a_pair_is_whole_and_empty(own: Workspace) -> None:
    report = predict_pairs(session_of(own), request(min_documents=1_000_000, per=Per.EITHER), Silent())
    assert (report.run.complete, report.run.n_predictions, report.n_parts) == (True, 0, 0)


def test_of_two_genes_either_means_the_best_of_each_gene(own: Workspace, small_parts: None) -> None:
    genes = (Relation.GENE_GENE,)
    everything = rows_of(own, request(top=0, relations=genes))
    both = everything + [{**r, "subject": r["object"], "object": r["subject"]} for r in everything]
    wanted = {frozenset((s, o)) for s, _, o in best(both, "subject", 2)}
    found = [pair(row) for row in rows_of(own, request(top=2, relations=genes, per=Per.EITHER))]
    assert len(found) == len({frozenset((s, o)) for s, _, o in found})
    assert {frozenset((s, o)) for s, _, o in found} == wanted
    firsts = rows_of(own, request(top=1000, relations=genes, per=Per.TAIL))
    assert {pair(row) for row in firsts} == {pair(row) for row in everything}


def test_labels_count_once_in_any_order(own: Workspace) -> None:
    labels = (Relation.DISEASE_GENE, Relation.GENE_GENE)
    once = predict_pairs(session_of(own), request(relations=labels, top=1), Silent())
    again = predict_pairs(session_of(own), request(relations=(*labels[::-1], labels[0]), top=1), Silent())
    assert (again.run, again.n_scored) == (once.run, 0)
    rows = [pair(row) for row in stored_rows(own, once.run.run.run_id)]
    assert len(rows) == len(set(rows)) > 0


def test_entities_come_from_a_file_and_lines_that_lead_to_none_are_set_aside(own: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "entities.txt"
    file.write_text("# mine\n\nEAAT2\nnobody knows me\nDISEASE:D000690\nSLC1A2\n", encoding="utf-8")
    session = session_of(own)
    report = predict_pairs(session, request(top=2, entities_file=file), Silent())
    assert (report.n_named, [(one.line, one.text) for one in report.set_aside]) == (2, [(4, "nobody knows me")])
    assert "nobody knows me" in report.set_aside[0].reason
    typed = predict_pairs(session, request(top=2, entities=("MESH:D000690", "NCBIGene:6506")), Silent())
    assert (typed.run, typed.n_scored) == (report.run, 0)
    assert all(
        {row["subject"], row["object"]} & {"MESH:D000690", "NCBIGene:6506"}
        for row in stored_rows(own, report.run.run.run_id)
    )


def test_a_file_without_one_entity_is_refused(own: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "entities.txt"
    file.write_text("nobody knows me\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"one entity that can be scored; line 1: .*nobody knows me"):
        predict_pairs(session_of(own), request(entities_file=file), Silent())
    file.write_text("", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="was: empty"):
        predict_pairs(session_of(own), request(entities_file=file), Silent())
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match="must be UTF-8 text"):
        predict_pairs(session_of(own), request(entities_file=file), Silent())
    with pytest.raises(UnknownEntityError):
        predict_pairs(session_of(own), request(entities=("nobody knows me",)), Silent())


def test_within_keeps_to_pairs_of_two_named_entities(own: Workspace) -> None:
    session = session_of(own)
    catalogue = session.catalogue
    named = [
        catalogue.curies[i]
        for kind in EntityType
        for i in catalogue.of_type(kind)[:4]
        if session.scorable(np.array([i]))[0]
    ]
    relations = (Relation.DISEASE_GENE, Relation.GENE_GENE)
    rows = rows_of(own, request(top=0, entities=tuple(named), within=True, relations=relations))
    wide = rows_of(own, request(top=0, entities=tuple(named), relations=relations))
    inside = {pair(row) for row in wide if {row["subject"], row["object"]} <= set(named)}
    assert {pair(row) for row in rows} == inside
    assert len(rows) == len(inside) > 0


@pytest.mark.parametrize("within", [False, True])
def test_the_best_are_kept_of_each_named_entity(own: Workspace, within: bool) -> None:
    catalogue = session_of(own).catalogue
    named = tuple(
        catalogue.curies[i] for kind in (EntityType.DISEASE, EntityType.GENE) for i in catalogue.of_type(kind)[:4]
    )
    relations = (Relation.DISEASE_GENE, Relation.GENE_GENE)
    everything = rows_of(own, request(top=0, entities=named, within=within, relations=relations))
    wanted = {
        one
        for relation in relations
        for name in named
        for one in best([r for r in everything if r["relation"] == relation and name in pair(r)], "relation", 2)
    }
    found = [pair(row) for row in rows_of(own, request(top=2, entities=named, within=within, relations=relations))]
    assert len(found) == len(set(found))
    assert set(found) == wanted


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"within": True}, "predict.within must go with named entities"),
        ({"entities": ("EAAT2",), "per": Per.TAIL}, "predict.per must be left out with named entities"),
        ({"top": 0, "per": Per.EITHER}, "predict.per must be left out with a top of 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        request(**changes)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/2/3", "a/b", "-1/2", ""])
def test_a_shard_is_i_of_n(text: str) -> None:
    with pytest.raises(InvalidInputError, match="a shard must be i/n with i from 1 to n, such as 1/4"):
        Shard.parse(text)


@pytest.mark.parametrize("per", list(Per))
@pytest.mark.parametrize("entities", [(), ("EAAT2", "MESH:D000690", "NCBIGene:6647")])
def test_parts_are_bounded_and_hold_each_pair_once_for_whom_it_is_ranked(
    own: Workspace, small_parts: None, per: Per, entities: tuple[str, ...]
) -> None:
    if entities and per is not Per.HEAD:
        pytest.skip("named entities are ranked for themselves")
    relations = (Relation.DISEASE_GENE, Relation.GENE_GENE)
    plan = Plan.of(session_of(own), request(relations=relations, entities=entities, per=per, top=5))
    ranked: list[tuple[str, int, int]] = []
    for index, part in enumerate(plan.parts):
        partners = [part.partners(anchor) for anchor in part.anchors.tolist()]
        assert part.n_partners().tolist() == [len(found) for found in partners]
        assert all(len(found) for found in partners)
        assert plan.n_pairs(index) <= 300 or len(part.anchors) == 1
        pairs = ((a, p) for a, found in zip(part.anchors.tolist(), partners, strict=True) for p in found.tolist())
        ranked += [(part.relation.value, *sorted(ends)) for ends in pairs]
    named = set(plan.parts[0].chosen.tolist())
    for (_, *ends), times in Counter(ranked).items():
        assert times == (2 if per is Per.EITHER or set(ends) <= named else 1)


@pytest.mark.parametrize("per", [Per.HEAD, Per.EITHER])
def test_shards_write_the_rows_of_one_run_together(
    own: Workspace, trained_workspace: Workspace, tmp_path: Path, small_parts: None, per: Per
) -> None:
    wanted = request(top=4, per=per)
    other = copied(trained_workspace, tmp_path / "other")
    reports = []
    for number in (2, 3, 1):
        reports.append(predict_pairs(session_of(other), wanted, Silent(), shard=Shard(number, 3)))
        with EmbeddedStore(other.graph_dir) as store:
            assert (store.counts().predictions > 0) == (number == 1)
    assert [report.run.complete for report in reports] == [False, False, True]
    assert [report.n_parts_missing == 0 for report in reports] == [False, False, True]
    alone = predict_pairs(session_of(own), wanted, Silent())
    assert alone.n_scored == sum(report.n_scored for report in reports)
    run_id = alone.run.run.run_id
    assert stored_rows(other, run_id) == stored_rows(own, run_id)
    again = predict_pairs(session_of(other), wanted, Silent(), shard=Shard(2, 3))
    assert (again.run.n_predictions, again.n_scored) == (alone.run.n_predictions, 0)


def test_shards_of_separate_folders_are_joined_by_copying_their_parts(
    own: Workspace, trained_workspace: Workspace, tmp_path: Path, small_parts: None
) -> None:
    wanted = request(top=4)
    other = copied(trained_workspace, tmp_path / "other")
    first = predict_pairs(session_of(own), wanted, Silent(), shard=Shard(1, 2))
    predict_pairs(session_of(other), wanted, Silent(), shard=Shard(2, 2))
    folder = Path("predictions") / first.run.run.run_id
    for file in (other.graph_dir / folder).glob("part-*.parquet"):
        shutil.copy(file, own.graph_dir / folder)
    whole = predict_pairs(session_of(own), wanted, Silent())
    assert (whole.run.complete, whole.n_scored) == (True, 0)
    alone = copied(trained_workspace, tmp_path / "alone")
    assert stored_rows(own, first.run.run.run_id) == rows_of(alone, wanted)


def test_shards_run_beside_one_another_and_nobody_else_writes_meanwhile(own: Workspace) -> None:
    with own.lock(shared=True):
        report = predict_pairs(
            session_of(own),
            request(top=1, relations=(Relation.DISEASE_GENE, Relation.GENE_GENE)),
            Silent(),
            shard=Shard(1, 2),
        )
        assert not report.run.complete
        with pytest.raises(WorkspaceError, match="another relvm-kg process is writing"):
            predict_pairs(session_of(own), request(top=1), Silent())
    with own.lock(), pytest.raises(WorkspaceError, match="another relvm-kg process is writing"):
        predict_pairs(session_of(own), request(top=1), Silent(), shard=Shard(1, 2))


def test_a_part_of_another_layout_is_noticed(own: Workspace, small_parts: None) -> None:
    wanted = request(top=4)
    report = predict_pairs(session_of(own), wanted, Silent(), shard=Shard(1, 2))
    folder = own.graph_dir / "predictions" / report.run.run.run_id
    shutil.copy(folder / "part-00000.parquet", folder / "part-09999.parquet")
    with pytest.raises(StoreError, match=r"must have the parts .*too many: \[9999\]"):
        predict_pairs(session_of(own), wanted, Silent())
