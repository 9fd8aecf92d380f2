"""`predict` and `tag` on a Ray cluster of two nodes: the same rows as here, also where a node is lost."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from relvm_kg.entities.names_file import NameRow, write_names
from relvm_kg.errors import ClusterError
from relvm_kg.pipeline.cluster_work import score_on, tag_on
from relvm_kg.pipeline.predict import PredictRequest, Shard, predict_pairs
from relvm_kg.pipeline.ray_cluster import Worker, mapped
from relvm_kg.pipeline.session import Session
from relvm_kg.pipeline.tag import TagRequest, tag_files
from relvm_kg.progress import Silent
from relvm_kg.tagging.tagger import Tagger
from relvm_kg.training.device import Device
from relvm_kg.types import EntityType
from relvm_kg.workspace import Workspace

pytest.importorskip("ray", reason="Ray is not installed: pip install 'relvm-kg[ray]'")
pytestmark = pytest.mark.slow
REQUEST = PredictRequest(min_documents=1, top=3, samples=2)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head and one more node, a core each."""
    from ray.cluster_utils import Cluster

    two = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    two.add_node(num_cpus=1)
    two.wait_for_nodes(timeout=300)
    yield two
    two.shutdown()


def rows_of(workspace: Workspace, run_id: str) -> list[dict[str, Any]]:
    files = sorted((workspace.graph_dir / "predictions" / run_id).glob("part-*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return [{name: value for name, value in row.items() if name != "created_at"} for row in rows]


@pytest.fixture
def twins(trained_workspace: Workspace, tmp_path: Path) -> list[Workspace]:
    """Two copies of a workspace."""
    for name in ("here", "there"):
        shutil.copytree(trained_workspace.path, tmp_path / name)
    return [Workspace.open(tmp_path / name) for name in ("here", "there")]


def test_a_cluster_gives_the_rows_of_the_run_here_and_goes_on_where_it_stopped(
    cluster: Any, twins: list[Workspace]
) -> None:
    here, there = twins
    alone = predict_pairs(Session(here, device=Device.CPU), REQUEST, Silent())
    score = score_on(cluster.address, Device.CPU)
    half = predict_pairs(Session(there, device=Device.CPU), REQUEST, Silent(), shard=Shard(1, 2))
    whole = predict_pairs(Session(there, device=Device.CPU), REQUEST, Silent(), score=score)
    assert (half.run.complete, whole.run.complete) == (False, True)
    assert whole.n_scored == alone.n_scored - half.n_scored > 0
    run_id = alone.run.run.run_id
    assert rows_of(there, run_id) == rows_of(here, run_id)


def test_files_are_tagged_on_a_cluster_as_they_are_here(cluster: Any, tmp_path: Path) -> None:
    names = tmp_path / "names.parquet"
    write_names(names, [NameRow("NCBIGene:6506", EntityType.GENE, "SLC1A2")], [])
    for name in ("one", "two"):
        (tmp_path / f"{name}.jsonl").write_text(
            f'{{"pmid": "1", "title": "SLC1A2 {name}"}}\n{{broken\n', encoding="utf-8"
        )
    files = [str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl")]
    tagger = Tagger.load(names)
    here = tag_files(files, TagRequest(out=tmp_path / "here", tagger=tagger, jobs=1), Silent())
    request = TagRequest(out=tmp_path / "there", tagger=tagger)
    there = tag_files(files, request, Silent(), tag_on(cluster.address, names, None))
    assert [(f.source, f.mentions, f.rejected) for f in there.files] == [
        (f.source, f.mentions, f.rejected) for f in here.files
    ]
    for file in here.files:
        assert (tmp_path / "there" / file.tagged).read_bytes() == (tmp_path / "here" / file.tagged).read_bytes()
    again = tag_files(files, request, Silent(), tag_on(cluster.address, names, None))
    assert list(again.done_before) == files


def test_what_fails_on_a_cluster_is_told(cluster: Any) -> None:
    def failing() -> Worker:
        def work(item: str) -> bytes:
            raise ValueError(f"no {item} here")

        return work

    with pytest.raises(ClusterError, match="a worker of the Ray cluster failed: ValueError: no part here"):
        list(mapped(cluster.address, failing, ["part"]))


def test_an_address_where_no_cluster_answers_is_told() -> None:
    with pytest.raises(ClusterError, match=r"no Ray cluster answers at .127.0.0.1:1.: .*ray start --head"):
        list(mapped("127.0.0.1:1", where_it_runs(), ["part"]))


def test_without_work_no_cluster_is_asked() -> None:
    assert list(mapped("127.0.0.1:1", where_it_runs(), [])) == []


def test_the_items_of_a_lost_node_are_done_on_another(cluster: Any) -> None:
    items = [str(i) for i in range(10)]
    first = cluster.head_node.node_id
    second = next(node for node in cluster.list_all_nodes() if node.node_id != first)
    found: dict[str, str] = {}
    for item, node in mapped(cluster.address, where_it_runs(), items):
        found[item] = node.decode()
        if set(found.values()) == {first, second.node_id} and second in cluster.list_all_nodes():
            cluster.remove_node(second)
    assert set(found) == set(items)
    assert set(found.values()) == {first, second.node_id}


def where_it_runs() -> Callable[[], Worker]:
    """Workers that tell their node, after a moment."""

    def make() -> Worker:
        import time

        import ray

        node = str(ray.get_runtime_context().get_node_id())

        def work(item: str) -> bytes:
            time.sleep(1)
            return node.encode()

        return work

    return make
