"""A batch that several processes share: each computes some of its contexts, all together get the result of one."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """The rows of a batch that this process computes.

    Random numbers are drawn for the whole batch and cut to the share, so that each context meets the same ones however
    many processes there are. Sums over the batch that the loss bends (free nats, say) are made over all processes.
    """

    start: int
    stop: int
    total: int
    """Rows of the whole batch."""
    counts: bool = True
    """Whether the rows weigh anything; a batch smaller than the number of processes gives some of them a row for
    nothing."""
    n_processes: int = 1
    """How many processes share the batch."""

    @classmethod
    def of(cls, total: int, rank: int, count: int) -> "Share":
        """The share of process number `rank` of `count`; shares differ by one row at most."""
        start, stop = (total * place // count for place in (rank, rank + 1))
        counts = stop > start
        return cls(*((start, stop) if counts else (0, 1)), total, counts, count)

    @property
    def rows(self) -> slice:
        """The share's rows of the whole batch."""
        return slice(self.start, self.stop)

    @property
    def row_weight(self) -> float:
        """What each row adds to a mean over the whole batch."""
        return self.counts / self.total

    def normal(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Draws from N(0, 1). *Shape:* (rows of the share, *shape)"""
        return torch.randn(self.total, *shape, generator=generator, device=generator.device)[self.rows]

    def uniform(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Draws from 0 to 1. *Shape:* (rows of the share, *shape)"""
        return torch.rand(self.total, *shape, generator=generator, device=generator.device)[self.rows]

    def add(self, part: Tensor) -> Tensor:
        """The sum of `part` over all processes. Its gradient is that of the own part: those of all processes add up."""
        if self.n_processes == 1:
            return part
        others = part.detach().clone()
        torch.distributed.all_reduce(others)
        return part + (others - part.detach())
