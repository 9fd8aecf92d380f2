"""Work spread over processes: forked, so that they share what the caller has loaded, and answered in order."""

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from relvm_kg.errors import RelvmKgError

Given = TypeVar("Given")
Result = TypeVar("Result")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers(Generic[Given, Result]):
    """Processes that apply one function, forked when there is more than one job and more than one item."""

    def __init__(self, function: Callable[[Given], Result], jobs: int | None = None) -> None:
        """Remember what to do; `jobs` None takes all cores."""
        self.jobs = jobs or available_cores()
        self._function = function
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            gc.unfreeze()

    def run(self, items: Iterable[Given]) -> Iterator[Result]:
        """The function of each item, in their order; few items are under way at a time.

        Raises:
            RelvmKgError: if a worker process dies.
        """
        waiting = iter(items)
        ahead = list(islice(waiting, 2))
        waiting = chain(ahead, waiting)
        if self.jobs == 1 or (self._executor is None and len(ahead) < 2):
            yield from map(self._function, waiting)
            return
        under_way: deque[Future[Result]] = deque()
        try:
            for item in waiting:
                under_way.append(self._started().submit(_work, item))
                if len(under_way) > 2 * self.jobs:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        except BrokenProcessPool as error:
            raise RelvmKgError(
                "a worker process died, most often for lack of memory; run the same command again, with fewer --jobs: "
                "what was done before is kept"
            ) from error

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            gc.collect()
            gc.freeze()
            self._executor = ProcessPoolExecutor(
                self.jobs,
                mp_context=multiprocessing.get_context("fork"),
                initializer=_start_worker,
                initargs=(self._function,),
            )
        return self._executor


_worker: list[Callable[[Any], Any]] = []
"""In a worker process, what it does."""


def _start_worker(function: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.append(function)


def _end_with_parent() -> None:
    """Leave no worker (nor the workspace's lock, which it inherits) behind when the parent is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(item: Any) -> Any:
    return _worker[-1](item)
