"""What every store does: one suite, run on the embedded store and on a real Neo4j."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from relvm_kg.errors import InvalidInputError, QueryRefusedError, StoreError
from relvm_kg_graph.cypher import Statement
from relvm_kg_graph.networks import from_networkx, read_tables, to_networkx
from relvm_kg_graph.queries import NAMED_QUERIES, REQUIRED
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import BaseGraph, GraphCounts, GraphStore, Selection, write_predictions


def rows(store: GraphStore, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
    return store.query(Statement(text, parameters)).rows


def edge_rows(store: GraphStore, edge_type: EdgeType, selection: Selection | None = None) -> list[dict[str, Any]]:
    batches = store.read_edges(edge_type, selection or Selection())
    return sorted(
        (row for batch in batches for row in batch.to_pylist()), key=lambda row: str(sorted(row.items(), key=str))
    )


def test_counts_are_those_of_what_was_written(filled: GraphStore) -> None:
    assert filled.counts() == GraphCounts(entities=8, known=4, comentions=3, predictions=7, runs=2)


def test_an_edge_comes_with_all_its_properties(filled: GraphStore) -> None:
    found = filled.edges("NCBIGene:1", "MESH:D1")
    assert [(e.type.value, e.subject, e.object, e.properties.get("run_id")) for e in found] == [
        ("ASSOCIATED", "MESH:D1", "NCBIGene:1", None),
        ("CO_MENTIONED", "MESH:D1", "NCBIGene:1", None),
        ("PREDICTED", "MESH:D1", "NCBIGene:1", "run-1"),
        ("PREDICTED", "MESH:D1", "NCBIGene:1", "run-2"),
    ]
    assert found[0].properties == {
        "relation": "DISEASE-GENE",
        "predicate": "associated|causes",
        "primary_knowledge_source": "curators",
        "publications": ["PMID:1", "PMID:22"],
        "simulated": False,
    }
    assert found[1].properties == {
        "n_documents": 2,
        "n_sentences": 3,
        "npmi": 0.25,
        "first_year": 1999,
        "simulated": False,
    }
    assert found[3].properties == {
        "relation": "DISEASE-GENE",
        "score": 0.125,
        "raw_score": 0.0625,
        "uncertainty": 0.125,
        "rank": 1,
        "seen": False,
        "known": False,
        "training_prevalence": 0.25,
        "evidence_ids": [],
        "n_evidence": 0,
        "uncertainty_kind": "mutual_information_nats",
        "calibrated": True,
        "model_id": "model-1",
        "model_version": "0.1.0",
        "run_id": "run-2",
        "corpus_hash": "abc",
        "created_at": "2026-01-02T00:00:00Z",
        "knowledge_level": "prediction",
        "agent_type": "computational_model",
        "simulated": False,
    }


def test_a_value_that_is_missing_stays_missing(filled: GraphStore) -> None:
    assert "first_year" not in filled.edges("NCBIGene:1", "NCBIGene:3")[0].properties
    assert "uncertainty" not in filled.edges("MESH:D1", "NCBIGene:2")[0].properties


def test_pairs_without_edges_and_unknown_ids_have_none(filled: GraphStore) -> None:
    assert filled.edges("MESH:D2", "MESH:C3") == []
    assert filled.edges("MESH:D2", "no:such") == []
    assert filled.neighbours("no:such") == []


def test_neighbours_are_the_best_predictions_first(filled: GraphStore) -> None:
    found = filled.neighbours("MESH:D1")
    assert [(e.type.value, e.properties.get("score"), e.object) for e in found] == [
        ("PREDICTED", 0.875, "NCBIGene:1"),
        ("PREDICTED", 0.75, "NCBIGene:2"),
        ("PREDICTED", 0.25, "MESH:D1"),
        ("PREDICTED", 0.125, "NCBIGene:1"),
        ("ASSOCIATED", None, "MESH:D1"),
        ("ASSOCIATED", None, "NCBIGene:1"),
        ("CO_MENTIONED", None, "NCBIGene:1"),
    ]


def test_neighbours_keep_to_the_edge_types_and_the_limit(filled: GraphStore) -> None:
    only = filled.neighbours("MESH:D1", [EdgeType.ASSOCIATED])
    assert {e.type for e in only} == {EdgeType.ASSOCIATED}
    assert len(filled.neighbours("MESH:D1", limit=2)) == 2


def test_runs_are_told_newest_first_with_their_settings(filled: GraphStore) -> None:
    newest, oldest = filled.runs()
    assert (newest.run.run_id, newest.n_predictions, newest.complete) == ("run-2", 2, True)
    assert (oldest.run.run_id, oldest.n_predictions, oldest.complete) == ("run-1", 5, True)
    assert newest.run.calibrated
    assert oldest.run.settings == {"top": 5, "types": ["GENE"]}


def test_a_rollback_removes_one_run_as_a_whole(filled: GraphStore) -> None:
    assert filled.rollback("run-1") == 5
    assert filled.counts() == GraphCounts(8, 4, 3, 2, 1)
    assert rows(filled, "MATCH ()-[r:PREDICTED]->() RETURN DISTINCT r.run_id") == [("run-2",)]
    with pytest.raises(StoreError, match="no prediction run 'run-1'; there are: run-2"):
        filled.rollback("run-1")


def test_a_run_can_be_written_again_after_its_rollback(filled: GraphStore, world: Any) -> None:
    filled.rollback("run-1")
    stored = write_predictions(filled, world.run("run-1", model_id="other"), [world.predictions(d2_g3=0.5)])
    assert stored.n_predictions == 1
    assert filled.counts().predictions == 3


def test_a_whole_run_is_not_written_over(filled: GraphStore, world: Any) -> None:
    with pytest.raises(StoreError, match="'run-1' is whole already"):
        filled.prediction_writer(world.run("run-1"))


def test_a_run_that_is_not_finished_is_not_counted_and_not_seen(filled: GraphStore, world: Any) -> None:
    writer = filled.prediction_writer(world.run("run-3"))
    writer.write_part(0, world.predictions(d2_g2=0.99))
    assert filled.counts() == GraphCounts(8, 4, 3, 7, 2)
    assert [(s.run.run_id, s.complete) for s in filled.runs()] == [("run-3", False), ("run-2", True), ("run-1", True)]
    assert filled.edges("MESH:D2", "NCBIGene:2") == []
    assert "run-3" not in {e.properties.get("run_id") for e in filled.neighbours("MESH:D2")}
    assert "run-3" not in {row["run_id"] for row in edge_rows(filled, EdgeType.PREDICTED)}
    with pytest.raises(StoreError, match="no whole prediction run 'run-3'"):
        edge_rows(filled, EdgeType.PREDICTED, Selection(runs=("run-3",)))


def test_an_interrupted_run_goes_on_with_the_parts_that_are_missing(filled: GraphStore, world: Any) -> None:
    parts = [world.predictions(d2_g2=0.99), world.predictions(d2_g3=0.5), world.predictions(c3_g1=0.25)]
    first = filled.prediction_writer(world.run("run-3"))
    first.write_part(2, parts[2])
    first.write_part(0, parts[0])
    again = filled.prediction_writer(world.run("run-3", created_at="2027-01-01T00:00:00Z"))
    assert again.finished_parts() == {0, 2}
    for place, part in enumerate(parts):
        again.write_part(place, part)
    stored = again.finish(3)
    assert (stored.n_predictions, stored.run.created_at) == (3, "2026-01-03T00:00:00Z")
    assert filled.counts().predictions == 10
    created = rows(filled, "MATCH ()-[r:PREDICTED {run_id: 'run-3'}]->() RETURN DISTINCT r.created_at")
    assert created == [("2026-01-03T00:00:00Z",)]


def test_a_part_is_written_once(filled: GraphStore, world: Any) -> None:
    writer = filled.prediction_writer(world.run("run-3"))
    writer.write_part(0, world.predictions(d2_g2=0.99))
    writer.write_part(0, world.predictions(d2_g2=0.99, d2_g3=0.5))
    assert writer.finish(1).n_predictions == 1


def test_a_run_with_missing_parts_is_not_finished(filled: GraphStore, world: Any) -> None:
    writer = filled.prediction_writer(world.run("run-3"))
    writer.write_part(1, world.predictions(d2_g2=0.99))
    with pytest.raises(StoreError, match=r"must have the parts 0 to 1; missing: \[0\]"):
        writer.finish(2)
    with pytest.raises(StoreError, match=r"too many: \[1\]"):
        writer.finish(1)


def test_an_interrupted_run_does_not_go_on_with_other_settings(filled: GraphStore, world: Any) -> None:
    filled.prediction_writer(world.run("run-3")).write_part(0, world.predictions(d2_g2=0.99))
    with pytest.raises(StoreError, match="'run-3' was begun with another model_id, settings"):
        filled.prediction_writer(world.run("run-3", model_id="other", settings={}))


def test_an_unfinished_run_can_be_rolled_back(filled: GraphStore, world: Any) -> None:
    filled.prediction_writer(world.run("run-3")).write_part(0, world.predictions(d2_g2=0.99))
    assert filled.rollback("run-3") == 1
    assert filled.counts() == GraphCounts(8, 4, 3, 7, 2)


def test_an_empty_run_is_a_run(filled: GraphStore, world: Any) -> None:
    assert filled.prediction_writer(world.run("run-3")).finish(0).n_predictions == 0
    assert filled.counts().runs == 3


def test_predictions_need_a_graph(store: GraphStore, world: Any) -> None:
    with pytest.raises(StoreError, match="whole graph"):
        store.prediction_writer(world.run("run-1"))


def test_a_batch_must_have_the_columns_of_the_schema(filled: GraphStore, world: Any) -> None:
    batch = world.predictions(d2_g2=0.99)
    writer = filled.prediction_writer(world.run("run-3"))
    with pytest.raises(InvalidInputError, match=r"missing: \['score'\]"):
        writer.write_part(0, batch.drop_columns(["score"]))
    nulls = batch.set_column(3, "score", pa.array([None], pa.float32()))
    with pytest.raises(InvalidInputError, match="column score must hold no nulls"):
        writer.write_part(0, nulls)
    assert 0 not in writer.finished_parts()


def test_writing_the_base_again_replaces_it_and_keeps_predictions(filled: GraphStore, world: Any) -> None:
    names = ("g1", "g2", "g3", "d1", "d2", "c1", "c2", "c3", "g9")
    base = BaseGraph(entities=[world.entities(*names)], known=[world.known("d2-g9")])
    assert filled.write_base(base) == GraphCounts(9, 1, 0, 7, 2)
    assert [(e.subject, e.object) for e in filled.neighbours("NCBIGene:9")] == [("MESH:D2", "NCBIGene:9")]
    assert len(filled.edges("MESH:D1", "NCBIGene:1")) == 2


def test_an_entity_changes_its_name_and_type_with_the_base(filled: GraphStore, world: Any) -> None:
    batch = world.entities("g1", "g2", "g3", "d1", "d2", "c1", "c2", "c3").to_pylist()
    batch[0] |= {"name": "renamed", "category": "biolink:Disease", "synonyms": []}
    changed = pa.RecordBatch.from_pylist(batch, schema=world.entities("g1").schema)
    filled.write_base(BaseGraph(entities=[changed]))
    answer = rows(filled, "MATCH (n:Entity {id: 'NCBIGene:1'}) RETURN n.name, n.synonyms, n:Gene, n:Disease")
    assert answer == [("renamed", [], False, True)]


def test_entities_that_nothing_names_go_with_the_base(filled: GraphStore, world: Any) -> None:
    filled.rollback("run-1")
    filled.rollback("run-2")
    filled.write_base(BaseGraph(entities=[world.entities("g1")]))
    assert filled.counts() == GraphCounts(1, 0, 0, 0, 0)
    assert rows(filled, "MATCH (n:Entity) RETURN n.id") == [("NCBIGene:1",)]


def test_a_graph_of_entities_alone_answers(store: GraphStore, world: Any) -> None:
    store.write_base(BaseGraph(entities=[world.entities("g1", "d1")]))
    assert rows(store, "MATCH (a:Gene) WHERE NOT (a)-[:ASSOCIATED]-() RETURN a.id") == [("NCBIGene:1",)]
    assert store.neighbours("NCBIGene:1") == []


def test_an_empty_graph_answers(store: GraphStore) -> None:
    assert store.write_base(BaseGraph(entities=[])) == GraphCounts(0, 0, 0, 0, 0)
    assert rows(store, "MATCH (n:Entity) RETURN count(n)") == [(0,)]


def test_a_query_answers_with_columns_rows_and_parameters(filled: GraphStore) -> None:
    text = "MATCH (a:Gene {id: $id})<-[p:PREDICTED]-(b) RETURN b.id AS other, p.score ORDER BY p.score DESC"
    result = filled.query(Statement(text, {"id": "NCBIGene:1"}))
    assert result.columns == ("other", "p.score")
    assert result.rows == [("MESH:D1", 0.875), ("MESH:C1", 0.625), ("MESH:D2", 0.5), ("MESH:D1", 0.125)]
    assert not result.truncated


def test_a_limit_cuts_rows_and_says_so(filled: GraphStore) -> None:
    result = filled.query(Statement("UNWIND range(1, 10) AS x RETURN x"), limit=3)
    assert (result.rows, result.truncated) == ([(1,), (2,), (3,)], True)
    assert not filled.query(Statement("UNWIND range(1, 3) AS x RETURN x"), limit=3).truncated


def test_nodes_relationships_and_paths_come_as_plain_values(filled: GraphStore) -> None:
    text = "MATCH p = (a:Entity {id: 'MESH:C1'})-[r:ASSOCIATED]->(b:Disease) RETURN a, r, p"
    [(node, relationship, path)] = rows(filled, text)
    assert node == {
        "id": "MESH:C1",
        "name": "name of c1",
        "category": "biolink:ChemicalEntity",
        "synonyms": ["c1's alias", 'a "quoted" one'],
        "n_documents": 1,
        "document_share": 0.25,
        "simulated": False,
        "_labels": ["Chemical", "Entity"],
    }
    ends = (relationship["_type"], relationship["_start"], relationship["_end"])
    assert ends == ("ASSOCIATED", "MESH:C1", "MESH:D1")
    assert relationship["publications"] == ["PMID:1", "PMID:22"]
    assert [n["id"] for n in path["_nodes"]] == ["MESH:C1", "MESH:D1"]
    assert path["_relationships"] == [relationship]


def test_a_relationship_alone_names_its_ends(filled: GraphStore) -> None:
    [(found,)] = rows(filled, "MATCH (:Chemical)-[r:ASSOCIATED]->(:Disease) RETURN collect(r)")
    assert [(r["_start"], r["_end"]) for r in found] == [("MESH:C1", "MESH:D1")]


def test_the_run_is_a_node_with_its_settings(filled: GraphStore) -> None:
    [(node,)] = rows(filled, "MATCH (run:PredictionRun {run_id: 'run-1'}) RETURN run")
    assert node == {
        "run_id": "run-1",
        "model_id": "model-1",
        "model_version": "0.1.0",
        "corpus_hash": "abc",
        "created_at": "2026-01-01T00:00:00Z",
        "uncertainty_kind": "mutual_information_nats",
        "calibrated": False,
        "simulated": False,
        "settings": '{"top": 5, "types": ["GENE"]}',
        "n_predictions": 5,
        "complete": True,
        "_labels": ["PredictionRun"],
    }


def test_a_statement_that_writes_is_refused(filled: GraphStore) -> None:
    with pytest.raises(QueryRefusedError, match="DETACH must not be used"):
        rows(filled, "MATCH (n) DETACH DELETE n")
    assert filled.counts().entities == 8


def test_a_statement_that_is_not_cypher_is_a_store_error(filled: GraphStore) -> None:
    with pytest.raises(StoreError, match="cannot be run"):
        rows(filled, "MATCH (n RETURN) WHERE")
    with pytest.raises(StoreError, match="cannot be run"):
        rows(filled, "MATCH (n) RETURN n.id AND")


def test_a_missing_parameter_is_a_store_error_that_names_it(filled: GraphStore) -> None:
    with pytest.raises(StoreError, match="id"):
        rows(filled, "MATCH (n:Entity {id: $id}) RETURN n")


def test_a_query_ends_with_its_time(filled: GraphStore) -> None:
    endless = "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN sum(x * y)"
    with pytest.raises(StoreError, match=r"must end within 0\.5 s"):
        filled.query(Statement(endless), timeout=0.5)


def test_an_unknown_label_is_a_warning(filled: GraphStore) -> None:
    result = filled.query(Statement("MATCH (n:Protein) RETURN n.id"))
    assert result.rows == []
    assert "Protein" in " ".join(result.warnings)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), {"run-1": 5, "run-2": 2}),
        (Selection(runs=("run-2",)), {"run-2": 2}),
        (Selection(min_score=0.625), {"run-1": 3, "run-2": 1}),
        (Selection(novel_only=True), {"run-1": 3, "run-2": 1}),
        (Selection(relations=("CHEMICAL-GENE",)), {"run-1": 1, "run-2": 1}),
        (Selection(relations=("CHEMICAL-GENE",), min_score=0.7, novel_only=True), {}),
        (Selection(around=("MESH:C3",)), {"run-2": 1}),
        (Selection(around=("MESH:C3", "MESH:D2")), {"run-1": 1, "run-2": 1}),
        (Selection(edge_types=(EdgeType.PREDICTED,), around=("MESH:D2",), hops=2), {"run-1": 3, "run-2": 1}),
        (Selection(edge_types=(EdgeType.ASSOCIATED,)), {}),
    ],
)
def test_a_selection_narrows_predictions(filled: GraphStore, selection: Selection, expected: dict[str, int]) -> None:
    found = [row["run_id"] for row in edge_rows(filled, EdgeType.PREDICTED, selection)]
    assert {run: found.count(run) for run in set(found)} == expected


def test_a_neighbourhood_has_the_entities_that_its_edges_join(filled: GraphStore) -> None:
    tables = read_tables(filled, Selection(edge_types=(EdgeType.ASSOCIATED,), around=("MESH:D1",)))
    assert sorted(tables.entities["id"].to_pylist()) == ["MESH:C1", "MESH:D1", "NCBIGene:1"]
    assert tables.edges[EdgeType.ASSOCIATED].num_rows == 2


def test_a_selection_that_makes_no_sense_is_refused(filled: GraphStore) -> None:
    with pytest.raises(InvalidInputError, match=r"must be in \[0, 1\], was: 2"):
        edge_rows(filled, EdgeType.PREDICTED, Selection(min_score=2))
    with pytest.raises(InvalidInputError, match="at least 1, was: 0"):
        edge_rows(filled, EdgeType.PREDICTED, Selection(hops=0))


def test_what_is_written_is_what_is_read(filled: GraphStore, world: Any) -> None:
    written = world.known("d1-g1", "g1-g2", "c1-g2", "c1-d1").to_pylist()
    assert edge_rows(filled, EdgeType.ASSOCIATED) == sorted(written, key=lambda r: str(sorted(r.items(), key=str)))
    read = [row for batch in filled.read_entities() for row in batch.to_pylist()]
    names = ("g1", "g2", "g3", "d1", "d2", "c1", "c2", "c3")
    assert sorted(read, key=lambda r: r["id"]) == sorted(world.entities(*names).to_pylist(), key=lambda r: r["id"])


def test_networkx_and_back_loses_nothing(filled: GraphStore) -> None:
    tables = read_tables(filled)
    graph = to_networkx(filled)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (8, 14)
    assert graph.nodes["NCBIGene:1"]["label"] == "Gene"
    assert len(graph["MESH:D1"]["NCBIGene:1"]) == 4
    back = from_networkx(graph)
    for table, restored in [(tables.entities, back.entities), *((tables.edges[t], back.edges[t]) for t in EdgeType)]:
        assert sorted(map(str, table.to_pylist())) == sorted(map(str, restored.to_pylist()))
        assert table.schema == restored.schema


def test_every_named_query_answers_as_it_says(filled: GraphStore) -> None:
    given = {"id": "NCBIGene:1", "disease": "MESH:D1", "first_run": "run-1", "second_run": "run-2"}
    answers = {}
    for query in NAMED_QUERIES.values():
        parameters: dict[str, Any] = {name: given[name] for name, value in query.defaults.items() if value is REQUIRED}
        if query.name == "uncertain-hubs":
            parameters["min_predictions"] = 3
        if query.name == "contradictions":
            parameters["max_score"] = 0.8
        answers[query.name] = filled.query(query.statement(parameters)).records()
    novel = [(r["subject"], r["object"], r["score"]) for r in answers["novel-edges"]]
    assert novel == [
        ("MESH:C3", "NCBIGene:3", 0.9375),
        ("MESH:D1", "NCBIGene:2", 0.75),
        ("MESH:C1", "NCBIGene:1", 0.625),
        ("MESH:D2", "NCBIGene:1", 0.5),
    ]
    assert [r["entity"] for r in answers["top-predictions"]] == ["MESH:D1", "MESH:C1", "MESH:D2", "MESH:D1"]
    assert answers["repurposing-paths"] == []
    assert [(r["subject"], r["score"]) for r in answers["contradictions"]] == [("MESH:C2", 0.25), ("MESH:D1", 0.75)]
    assert [r["entity"] for r in answers["uncertain-hubs"]] == ["MESH:D1", "NCBIGene:1"]
    assert [r["run"] for r in answers["newest-predictions"]] == ["run-2", "run-1", "run-1", "run-1", "run-1"]
    assert [(r["subject"], r["difference"]) for r in answers["disagreements"]] == [("MESH:D1", 0.75)]
    assert answers["degrees"][0] == {"entity": "MESH:D1", "name": "name of d1", "n_known": 2, "n_predicted": 4}


def test_repurposing_paths_lead_through_genes_and_leave_out_known_pairs(store: GraphStore, world: Any) -> None:
    base = BaseGraph(
        entities=[world.entities("g1", "g2", "d1", "c1", "c2", "c3")],
        known=[world.known("d1-g1", "c1-g1", "c2-g2", "c3-g1", "c3-d1")],
    )
    store.write_base(base)
    write_predictions(store, world.run("run-1"), [world.predictions(d1_g2=0.75, c1_g2=0.5)])
    found = store.query(NAMED_QUERIES["repurposing-paths"].statement({"disease": "MESH:D1"})).records()
    assert [(r["chemical"], r["n_genes"], r["best"]) for r in found] == [("MESH:C1", 2, 1.0), ("MESH:C2", 1, 0.75)]


def test_named_queries_say_which_parameters_they_take() -> None:
    with pytest.raises(InvalidInputError, match="top-predictions needs a value for: id"):
        NAMED_QUERIES["top-predictions"].statement()
    with pytest.raises(InvalidInputError, match="unknown: score"):
        NAMED_QUERIES["novel-edges"].statement({"score": 1})


def test_text_of_any_kind_survives(store: GraphStore, world: Any, tmp_path: Path) -> None:
    batch = world.entities("g1").to_pylist()
    strange = "β-amyloid \u2028 \"quotes\" 'and' \\back\\ `tick` \n\t{a: 1} 薬"
    batch[0] |= {"name": strange, "synonyms": [strange, ""]}
    store.write_base(BaseGraph(entities=[pa.RecordBatch.from_pylist(batch, schema=world.entities("g1").schema)]))
    assert rows(store, "MATCH (n:Entity {name: $name}) RETURN n.name, n.synonyms", name=strange) == [
        (strange, [strange, ""])
    ]


def test_what_follows_from_known_relations_and_general_terms_are_no_news(filled: GraphStore, world: Any) -> None:
    batch = world.predictions(d2_g2=0.75, c2_g1=0.75, d2_g3=0.875, no_news={"d2_g2": "near_known", "d2_g3": "general"})
    write_predictions(filled, world.run("run-3"), [batch])
    everything = Selection(edge_types=(EdgeType.PREDICTED,), runs=("run-3",))
    novel = Selection(edge_types=(EdgeType.PREDICTED,), runs=("run-3",), novel_only=True)
    flags = {
        r["subject"] + r["object"]: (r["near_known"], r["general"])
        for r in edge_rows(filled, EdgeType.PREDICTED, everything)
    }
    assert flags == {
        "MESH:D2NCBIGene:2": (True, False),
        "MESH:C2NCBIGene:1": (None, None),
        "MESH:D2NCBIGene:3": (False, True),
    }
    assert edge_rows(filled, EdgeType.PREDICTED, novel) == []
    query = NAMED_QUERIES["novel-edges"].statement({"min_score": 0.7})
    found = [(r["subject"], r["object"]) for r in filled.query(query).records()]
    assert ("MESH:C2", "NCBIGene:1") in found
    assert not {("MESH:D2", "NCBIGene:2"), ("MESH:D2", "NCBIGene:3")} & set(found)


def test_people_can_filter_by_depth_and_share_of_documents(filled: GraphStore) -> None:
    text = "MATCH (n:Entity) WHERE n.depth >= 3 AND n.document_share < 0.5 RETURN n.id AS id ORDER BY id"
    assert rows(filled, text) == [("MESH:D1",)]
    assert rows(filled, "MATCH (n:Gene) WHERE n.depth IS NULL RETURN count(n) AS n") == [(3,)]
