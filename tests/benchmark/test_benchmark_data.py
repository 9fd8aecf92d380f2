"""Loading a workspace: what is a positive, a negative, a candidate and a filter."""

from typing import Any

import numpy as np
import pyarrow.parquet as pq

from relvm_kg.benchmark.data import TYPES, count_by_relation
from relvm_kg.benchmark.partners import Side
from relvm_kg.encoding.split import Split, pair_split
from relvm_kg.pairs import pair_keys
from relvm_kg.types import Relation


def unordered(triples: Any) -> set[tuple[int, int]]:
    return {(min(h, t), max(h, t)) for h, t in zip(triples.heads.tolist(), triples.tails.tolist(), strict=True)}


def test_every_pair_has_text_fits_its_label_and_is_co_mentioned(world: Any) -> None:
    data = world.data
    relations = pq.read_table(world.workspace.corpus_dir / "relations.parquet").to_pylist()
    co_mentioned = {(r["head"], r["tail"]) for r in relations if r["co_mentioned"]}
    with_text = set(np.concatenate(list(data.candidates.values())).tolist())
    positives = data.positives.triples
    assert len(positives) == sum(h in with_text and t in with_text for h, t in co_mentioned)
    for triples in (positives, data.negatives.triples):
        for h, r, t in zip(triples.heads.tolist(), triples.relations.tolist(), triples.tails.tolist(), strict=True):
            assert (TYPES[data.types[h]], TYPES[data.types[t]]) == tuple(Relation)[r].argument_types
            assert h in with_text
            assert t in with_text
            assert r != Relation.GENE_GENE.column or h < t


def test_negatives_are_co_mentioned_pairs_that_nothing_known_joins(world: Any) -> None:
    comentions = pq.read_table(world.workspace.corpus_dir / "comentions.parquet")
    seen = set(zip(comentions["first"].to_pylist(), comentions["second"].to_pylist(), strict=True))
    negatives = unordered(world.data.negatives.triples)
    assert negatives <= seen - unordered(world.data.known)
    assert len(negatives) == len(world.data.negatives.triples) > 500


def test_the_filter_holds_what_is_known_without_being_co_mentioned(world: Any) -> None:
    data = world.data
    assert data.account["known relations not co-mentioned (in the filter only)"] > 0
    for h, r, t in zip(
        *(c[:50].tolist() for c in (data.known.heads, data.known.relations, data.known.tails)), strict=True
    ):
        relation = tuple(Relation)[r]
        assert t in data.partners.of(h, relation, Side.TAIL)
        assert h in data.partners.of(t, relation, Side.HEAD)
        if relation is Relation.GENE_GENE:
            assert h in data.partners.of(t, relation, Side.TAIL)


def test_the_validation_filter_knows_no_test_pair(world: Any) -> None:
    data = world.data
    tests = data.positives.part(Split.TEST)
    for h, r, t in zip(tests.heads.tolist(), tests.relations.tolist(), tests.tails.tolist(), strict=True):
        assert t not in data.training_partners.of(h, tuple(Relation)[r], Side.TAIL)
    train = data.positives.part(Split.TRAIN)
    assert train.tails[0] in data.training_partners.of(
        int(train.heads[0]), tuple(Relation)[int(train.relations[0])], Side.TAIL
    )


def test_splits_follow_the_shared_hash_of_curies(world: Any) -> None:
    data = world.data
    for part in (data.positives, data.negatives):
        heads = [data.ids[i] for i in part.triples.heads]
        tails = [data.ids[i] for i in part.triples.tails]
        assert part.splits.tolist() == pair_split(tails, heads, seed=0).tolist()
    assert sum(count_by_relation(data.positives.triples).values()) == len(data.positives.triples)


def test_co_mention_counts_come_from_training_documents(world: Any) -> None:
    contexts = pq.read_table(world.workspace.corpus_dir / "contexts.parquet").to_pylist()
    data = world.data
    expected: dict[int, int] = {}
    for row in contexts:
        if not row["held_out"]:
            key = int(pair_keys(np.array([row["head"]]), np.array([row["tail"]]))[0])
            expected[key] = expected.get(key, 0) + 1
    table = data.comentions
    assert {int(k): int(n) for k, n in zip(table.keys, table.n_sentences, strict=True) if n} == expected
    assert table.look_up(table.n_sentences, [0], [0], absent=-1.0).tolist() == [-1.0]
