"""A small world with planted structure, written as a workspace's Parquet files."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relvm_kg.benchmark.data import BenchmarkData, load_benchmark_data
from relvm_kg.types import POSITIVE_RELATIONS, EntityType
from relvm_kg.workspace import Workspace, WorkspaceManifest, write_json

PREFIXES = {EntityType.GENE: "NCBIGene", EntityType.DISEASE: "MESH", EntityType.CHEMICAL: "CHEBI"}
N_CLUSTERS = 6


@dataclass(frozen=True)
class World:
    """Entities in clusters; pairs within a cluster are mostly related, pairs across clusters hardly ever."""

    workspace: Workspace
    clusters: npt.NDArray[np.int64]
    profiles: npt.NDArray[np.float32]
    data: BenchmarkData


def _entities(n: int, random: np.random.Generator) -> tuple[list[str], list[str]]:
    kinds = list(EntityType)
    drawn = [(kinds[int(random.integers(3))], i) for i in range(n)]
    ordered = sorted((f"{PREFIXES[kind]}:{'D' if kind is EntityType.DISEASE else ''}{i}", kind) for kind, i in drawn)
    return [i for i, _ in ordered], [kind.value for _, kind in ordered]


def _pairs(types: list[str], random: np.random.Generator, n: int) -> list[tuple[int, int, str]]:
    """Pairs in argument order with the label that fits them."""
    labels = {tuple(t.value for t in r.argument_types): r.value for r in POSITIVE_RELATIONS}
    drawn = set()
    for a, b in random.integers(0, len(types), (n, 2)).tolist():
        for head, tail in ((min(a, b), max(a, b)), (max(a, b), min(a, b))):
            label = labels.get((types[head], types[tail]))
            if a != b and label is not None:
                drawn.add((head, tail, label))
                break
    return sorted(drawn)


def write_world(path: Path, n_entities: int = 150, n_pairs: int = 6000, seed: int = 0) -> World:
    random = np.random.default_rng(seed)
    ids, types = _entities(n_entities, random)
    clusters = random.integers(0, N_CLUSTERS, n_entities)
    pairs = _pairs(types, random, n_pairs)
    same = np.array([clusters[h] == clusters[t] for h, t, _ in pairs])
    related = random.random(len(pairs)) < np.where(same, 0.9, 0.03)
    co_mentioned = random.random(len(pairs)) < 0.8
    with_text = random.random(n_entities) < 0.95
    folder = path / "corpus" / "g1"
    folder.mkdir(parents=True)
    count = np.where(with_text, random.integers(1, 30, n_entities), 0).astype(np.int32)
    pq.write_table(
        pa.table({"id": ids, "type": types, "n_training_sentences": count}),
        folder / "entities.parquet",
    )
    known = [p for p, r in zip(pairs, related, strict=True) if r]
    pq.write_table(
        pa.table(
            {
                "head": pa.array([h for h, _, _ in known], pa.int32()),
                "relation": [r for _, _, r in known],
                "tail": pa.array([t for _, t, _ in known], pa.int32()),
                "co_mentioned": co_mentioned[related],
                "simulated": [True] * len(known),
            }
        ),
        folder / "relations.parquet",
    )
    _write_comentions(folder, [p for p, c in zip(pairs, co_mentioned, strict=True) if c], random)
    manifest = asdict(WorkspaceManifest(generation="g1", corpus_hash=f"world-{seed}", simulated=True))
    write_json(path / "workspace.json", manifest)
    workspace = Workspace.open(path)
    noise = random.normal(size=(n_entities, 24)) * 0.5
    profiles = (noise + np.eye(N_CLUSTERS, 24)[clusters] * 3).astype(np.float32)
    return World(workspace, clusters, profiles, load_benchmark_data(workspace, seed=0))


def _write_comentions(folder: Path, pairs: list[tuple[int, int, str]], random: np.random.Generator) -> None:
    repeats = random.integers(1, 4, len(pairs))
    first = [min(h, t) for h, t, _ in pairs]
    second = [max(h, t) for h, t, _ in pairs]
    pq.write_table(
        pa.table(
            {
                "first": pa.array(first, pa.int32()),
                "second": pa.array(second, pa.int32()),
                "n_sentences": pa.array(repeats, pa.int32()),
                "npmi": pa.array(random.random(len(pairs)), pa.float32()),
            }
        ),
        folder / "comentions.parquet",
    )
    rows = np.arange(int(repeats.sum()))
    pq.write_table(
        pa.table(
            {
                "head": pa.array(np.repeat(second, repeats), pa.int32()),
                "tail": pa.array(np.repeat(first, repeats), pa.int32()),
                "sentence_row": pa.array(rows, pa.int32()),
                "held_out": rows % 20 == 0,
                "retracted": np.zeros(len(rows), dtype=bool),
            }
        ),
        folder / "contexts.parquet",
    )


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    return write_world
