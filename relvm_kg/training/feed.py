"""The batches of a run, made ready in a thread while the step before computes."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from relvm_kg.encoding.batches import epoch_batches
from relvm_kg.encoding.vocabulary import PAD
from relvm_kg.model.relvm import ContextBatch
from relvm_kg.training.data import IntArray, TrainingCorpus, rows_of_epoch
from relvm_kg.training.processes import Processes
from relvm_kg.training.schedule import Schedule

AHEAD = 2


@dataclass(frozen=True)
class ReadyBatch:
    """A batch in the host's memory."""

    whole: ContextBatch
    """What all processes share; tensors on the host, where a GPU can fetch them without waiting."""
    places: Tensor
    """`ContextBatch.places` of this process's share: to find them on a GPU would hold the step up."""
    n_tokens: int
    """Predicted tokens of the whole batch."""

    def __len__(self) -> int:
        return len(self.whole.lengths)


@dataclass(frozen=True)
class Feed:
    """Where a run's batches come from."""

    corpus: TrainingCorpus
    rows: IntArray
    """Contexts of the run."""
    schedule: Schedule
    processes: Processes
    device: torch.device

    def after(self, step: int) -> Iterator[ReadyBatch]:
        """The batches of the steps from `step` (from 0) to the end of the run, a few of them made ahead."""
        batches = self._rows_after(step)
        with ThreadPoolExecutor(1, "feed") as thread:
            waiting: deque[Future[ReadyBatch]] = deque()
            for _ in range(step, self.schedule.total_steps):
                waiting.append(thread.submit(self._next, batches))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _rows_after(self, step: int) -> Iterator[IntArray]:
        config, lengths = self.schedule.config, self.corpus.contexts.store.lengths
        epoch, place = divmod(step, self.schedule.steps_per_epoch)
        while True:
            rows = rows_of_epoch(self.corpus, self.rows, config.pair_sampling, (config.seed, epoch))
            yield from epoch_batches(rows, lengths, config.batch_size, config.seed, epoch)[place:]
            epoch, place = epoch + 1, 0

    def _next(self, batches: Iterator[IntArray]) -> ReadyBatch:
        batch = self.corpus.contexts.batch(next(batches))
        own = batch.tokens[self.processes.share(len(batch)).rows, 1:]
        place: Callable[[Tensor], Tensor] = Tensor.pin_memory if self.device.type == "cuda" else _as_it_is
        tokens, lengths, heads, tails = (
            place(torch.from_numpy(array)) for array in (batch.tokens, batch.lengths, batch.heads, batch.tails)
        )
        return ReadyBatch(
            ContextBatch(tokens, lengths, heads, tails),
            place(torch.from_numpy(np.flatnonzero(own != PAD))),
            int(batch.lengths.sum()) - len(batch),
        )


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor
