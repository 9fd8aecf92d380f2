"""The one door to Ray: the work of a command, done on the machines of a cluster.

Ray Data maps items over actors. Each actor makes its worker once, then does an item at a time; results come as they are
done. Where a machine is lost, Ray does its items again on another. Workers read and write folders that all machines
see under the same path.
"""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from relvm_kg.errors import ClusterError, RelvmKgError

_PATIENCE = 10.0
"""Seconds that a cluster may take to answer the knock at its door."""
Worker = Callable[[str], bytes]
"""What an actor makes once, and then asks for the result of each item."""


def mapped(
    address: str, make: Callable[[], Worker], items: Sequence[str], *, gpu: bool = False
) -> Iterator[tuple[str, bytes]]:
    """Items with their results, in the order in which they are done.

    Args:
        address: Of a running cluster, `HOST:PORT`; `auto` finds the one of this machine, `local` starts one.
        make: Makes a worker on each machine, where relvm-kg must be installed.
        items: What is to be done.
        gpu: Whether an actor has a GPU of its own, if the cluster has any; else it has one processor core.

    Raises:
        ClusterError: if Ray is not installed, the cluster does not answer, or a worker fails.
    """
    if not items:
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ClusterError("a cluster needs Ray, which is not installed; pip install 'relvm-kg[ray]'") from error
    with _connected(ray, address):
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0)) if gpu else 0
        n_actors = min(len(items), gpus or int(resources.get("CPU", 1))) or 1
        ray.data.DataContext.get_current().enable_progress_bars = False
        results = ray.data.from_items([{"item": item} for item in items], override_num_blocks=len(items)).map_batches(
            _Actor,
            fn_constructor_args=(make,),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=n_actors),
            num_cpus=0 if gpus else 1,
            num_gpus=1 if gpus else 0,
        )
        try:
            for row in results.iter_rows():
                if row["error"]:
                    raise ClusterError(f"a worker of the Ray cluster failed: {row['error']}")
                yield str(row["item"]), bytes(row["result"])
        except ray.exceptions.RayError as error:
            raise ClusterError(f"the Ray cluster failed: {_reason(error)}") from error


@contextlib.contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """A connection to a cluster, ended with the block unless the caller had one already."""
    if ray.is_initialized():
        yield
        return
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address!r}: {_reason(error)}; start one with: ray start --head"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Find out at once, instead of after minutes, that nobody listens at `HOST:PORT`."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _reason(error: BaseException) -> str:
    """The last line of what went wrong, which in Ray's words is the error's own."""
    return str(error).strip().splitlines()[-1]


class _Actor:
    """A worker among Ray's. What fails comes back as words, since Ray would bury them."""

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make
        self._worker: Worker | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        (item,) = batch["item"]
        try:
            self._worker = self._worker or self._make()
            return {"item": [item], "result": [self._worker(str(item))], "error": [""]}
        except Exception as error:
            words = str(error) if isinstance(error, RelvmKgError) else f"{type(error).__name__}: {error}"
            return {"item": [item], "result": [b""], "error": [words]}
