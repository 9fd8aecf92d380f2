"""What is drawn is what the columns promise: cold is cold, never is never, and degree says nothing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relvm_kg.benchmark.columns.audit import audit_columns, check_columns
from relvm_kg.benchmark.columns.draw import draw_families
from relvm_kg.benchmark.columns.files import FILES, MANIFEST, load_columns, write_columns
from relvm_kg.benchmark.columns.pairs import FamilyPairs, fits
from relvm_kg.benchmark.columns.settings import VALIDATION_GROUP, ColumnSettings, Family, Kind, Stage
from relvm_kg.benchmark.columns.sources import PairSource, load_source, share_document
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError
from relvm_kg.pairs import pair_keys
from relvm_kg.workspace import Workspace, read_json, write_json

SETTINGS = ColumnSettings(co_mentioned_positives=120, never_positives=100)


def test_pairs_without_a_common_document_are_told_from_those_with_one(source: PairSource) -> None:
    documents = source.documents.toarray().astype(bool)
    heads, tails = np.divmod(np.arange(2500), 50)
    wanted = [bool((documents[h] & documents[t]).any()) for h, t in zip(heads.tolist(), tails.tolist(), strict=True)]
    assert share_document(source.documents, heads, tails).tolist() == wanted
    assert not share_document(source.documents, source.apart.heads, source.apart.tails).any()


@pytest.mark.parametrize("family", Family)
def test_each_test_pair_is_scored_once_at_random_and_once_cold(
    families: Mapping[Family, FamilyPairs], family: Family
) -> None:
    pairs = families[family]
    read: dict[Kind, list[int]] = {kind: [] for kind in Kind}
    for fit in fits(pairs, Stage.TEST):
        for kind, rows in fit.reads.items():
            read[kind] += rows.tolist()
    apart = np.flatnonzero(pairs.n_validation_entities == 0)
    assert len(apart)
    assert sorted(read[Kind.ONE_COLD] + read[Kind.BOTH_COLD]) == apart.tolist()
    assert len(apart)
    assert sorted(read[Kind.RANDOM]) == apart[pairs.splits[apart] == Split.TEST].tolist()


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("stage", Stage)
def test_a_cold_entity_has_no_labelled_pair_in_training(
    families: Mapping[Family, FamilyPairs], family: Family, stage: Stage
) -> None:
    pairs = families[family]
    for fit in fits(pairs, stage):
        trained = set(pairs.heads[fit.training].tolist()) | set(pairs.tails[fit.training].tolist())
        for kind, most in ((Kind.ONE_COLD, 1), (Kind.BOTH_COLD, 0)):
            for row in fit.reads.get(kind, np.zeros(0, np.int64)).tolist():
                assert (int(pairs.heads[row]) in trained) + (int(pairs.tails[row]) in trained) <= most


def test_validation_pairs_are_learned_in_no_cold_round(families: Mapping[Family, FamilyPairs]) -> None:
    for pairs in families.values():
        for fit in fits(pairs, Stage.TEST)[1:]:
            assert not pairs.n_validation_entities[fit.training].any()
            assert all(pairs.n_validation_entities[rows].all() for rows in fit.stops.values())


def test_shuffled_pairs_are_new_and_of_the_groups_that_known_pairs_have(
    families: Mapping[Family, FamilyPairs], source: PairSource
) -> None:
    pairs = families[Family.NEVER]
    drawn = pairs.take(~pairs.positive)
    assert len(drawn)
    assert not np.isin(drawn.keys, source.known_keys).any()
    assert not share_document(source.documents, drawn.heads, drawn.tails).any()
    assert cells(drawn) <= cells(pairs.take(pairs.positive))


def cells(pairs: FamilyPairs) -> set[tuple[int, ...]]:
    """Labels with the two groups, in their order or not."""
    columns = np.stack([pairs.relations, pairs.head_groups, pairs.tail_groups], axis=1).tolist()
    return {(relation, *sorted(groups)) for relation, *groups in columns}


def test_an_entity_stands_in_as_many_shuffled_pairs_as_in_the_known_pairs_they_are_made_of(
    families: Mapping[Family, FamilyPairs], source: PairSource
) -> None:
    pairs = families[Family.NEVER]
    drawn = pairs.take(~pairs.positive)
    others = source.apart.rows(~np.isin(pair_keys(source.apart.heads, source.apart.tails), pairs.keys[pairs.positive]))
    n = len(source.ids)
    most = np.bincount(np.concatenate([others.heads, others.tails]), minlength=n)
    found = np.bincount(np.concatenate([drawn.heads, drawn.tails]), minlength=n)
    assert (found <= most).all()


def test_unlabelled_pairs_stand_beside_known_ones_of_the_same_label_and_column(
    families: Mapping[Family, FamilyPairs], source: PairSource
) -> None:
    pairs = families[Family.CO_MENTIONED]
    assert not np.isin(pairs.keys[~pairs.positive], source.known_keys).any()
    for relation in np.unique(pairs.relations):
        for both in (False, True):
            own = (pairs.relations == relation) & (pairs.both == both)
            assert (own & ~pairs.positive).sum() <= 3 * (own & pairs.positive).sum()


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(
    simulated_workspace: Workspace, tmp_path: Path
) -> None:
    first = write_columns(simulated_workspace, tmp_path / "one", SETTINGS)
    assert write_columns(simulated_workspace, tmp_path / "two", SETTINGS) == first
    for name in (*FILES.values(), MANIFEST):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    other = write_columns(simulated_workspace, tmp_path / "three", replace(SETTINGS, seed=1))
    assert other["sha256"] != first["sha256"]


def test_what_was_written_comes_back(simulated_workspace: Workspace, tmp_path: Path) -> None:
    manifest = write_columns(simulated_workspace, tmp_path, SETTINGS)
    source = load_source(simulated_workspace)
    loaded = load_columns(tmp_path, list(source.ids))
    assert (loaded.sha256, loaded.corpus_hash) == (manifest["sha256"], source.corpus_hash)
    for family, pairs in draw_families(source, SETTINGS).items():
        for name, values in vars(pairs).items():
            found = getattr(loaded.families[family], name)
            assert found == values if name == "family" else found.tolist() == values.tolist()


def test_a_manifest_counts_the_columns(simulated_workspace: Workspace, tmp_path: Path) -> None:
    manifest = write_columns(simulated_workspace, tmp_path, SETTINGS)
    assert len(manifest["columns"]) == 12
    for column in manifest["columns"]:
        assert column["n"] == sum(label["n"] for label in column["labels"].values())
        assert column["n_positive"] == sum(label["n_positive"] for label in column["labels"].values())
    assert not any(manifest["audit"].values())


def test_changed_files_and_foreign_entities_are_refused(simulated_workspace: Workspace, tmp_path: Path) -> None:
    write_columns(simulated_workspace, tmp_path, SETTINGS)
    ids = list(load_source(simulated_workspace).ids)
    with pytest.raises(InvalidInputError, match="pairs must be of this corpus, was: "):
        load_columns(tmp_path, ids[:-40])
    path = tmp_path / FILES[Family.NEVER]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InvalidInputError, match=r"must be as manifest\.json says; write"):
        load_columns(tmp_path, ids)
    write_json(tmp_path / MANIFEST, {**read_json(tmp_path / MANIFEST), "format_version": 0})
    with pytest.raises(InvalidInputError, match="must have format_version 1, was: 0"):
        load_columns(tmp_path, ids)


def changed(families: Mapping[Family, FamilyPairs], family: Family, **columns: Any) -> dict[Family, FamilyPairs]:
    return {**families, family: replace(families[family], **columns)}


def test_the_audit_finds_a_pair_that_stands_twice(families: Mapping[Family, FamilyPairs], source: PairSource) -> None:
    pairs = families[Family.CO_MENTIONED]
    rows = np.append(np.arange(len(pairs)), 0)
    found = audit_columns({**families, Family.CO_MENTIONED: pairs.take(rows)}, source)
    assert found.duplicate_pairs == 1
    turned = np.where(np.arange(len(pairs) + 1) == len(pairs), 1, 0).astype(bool)
    twice = pairs.take(rows)
    undirected = replace(
        twice,
        heads=np.where(turned, twice.tails, twice.heads),
        tails=np.where(turned, twice.heads, twice.tails),
    )
    assert audit_columns({**families, Family.CO_MENTIONED: undirected}, source).duplicate_pairs == 1


def test_the_audit_finds_an_entity_in_two_groups(families: Mapping[Family, FamilyPairs], source: PairSource) -> None:
    pairs = families[Family.CO_MENTIONED]
    moved = changed(families, Family.CO_MENTIONED, head_groups=(pairs.head_groups + 1) % VALIDATION_GROUP)
    found = audit_columns(moved, source)
    assert found.cold_entities_in_training > 0
    with pytest.raises(InvalidInputError, match="cold entities in training"):
        check_columns(moved, source)


def test_the_audit_finds_a_mentioned_pair_among_those_never_mentioned(
    families: Mapping[Family, FamilyPairs], source: PairSource
) -> None:
    mentioned = families[Family.CO_MENTIONED].take(families[Family.CO_MENTIONED].positive)
    never = families[Family.NEVER]
    one = np.arange(len(never)) == int(np.flatnonzero(never.positive)[0])
    moved = changed(
        families,
        Family.NEVER,
        heads=np.where(one, mentioned.heads[0], never.heads),
        tails=np.where(one, mentioned.tails[0], never.tails),
    )
    found = audit_columns(moved, source)
    assert (found.never_pairs_in_a_document, found.pairs_in_both_families) == (1, 1)


def test_the_audit_finds_a_known_pair_among_the_unlabelled(
    families: Mapping[Family, FamilyPairs], source: PairSource
) -> None:
    positive = families[Family.CO_MENTIONED].positive
    one = np.arange(len(positive)) == int(np.flatnonzero(positive)[0])
    found = audit_columns(changed(families, Family.CO_MENTIONED, positive=positive & ~one), source)
    assert found.unlabelled_pairs_known == 1


def test_the_audit_finds_test_pairs_that_no_round_scores(
    families: Mapping[Family, FamilyPairs], source: PairSource
) -> None:
    rounds = families[Family.NEVER].rounds
    found = audit_columns(changed(families, Family.NEVER, rounds=np.full_like(rounds, -1)), source)
    assert found.tests_not_read == int((rounds >= 0).sum())
