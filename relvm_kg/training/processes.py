"""Several processes that train one model, as `torchrun` starts them.

Each computes its share of every batch (`relvm_kg.model.share`); their gradients are summed, so that all take the same
step, which is that of one process but for rounding. The sum is made here and not by DistributedDataParallel because the
gradient of a large entity table is sparse: only the rows that the batch holds travel.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from relvm_kg.errors import InvalidInputError, RelvmKgError, WorkspaceError
from relvm_kg.model.share import Share
from relvm_kg.training.device import Device, torch_device


@dataclass(frozen=True)
class Processes:
    """This process among those that train together."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files, measures and speaks for all."""
        return self.rank == 0

    def share(self, total: int) -> Share:
        """This process's part of a batch of `total` contexts."""
        return Share.of(total, self.rank, self.count)

    def sum_gradients(self, weights: Iterable[Tensor]) -> None:
        """Replace each gradient by the sum over all processes."""
        if self.count == 1:
            return
        weights = [weight for weight in weights if weight.grad is not None]
        dense = [weight.grad for weight in weights if weight.grad is not None and not weight.grad.is_sparse]
        flat = torch.cat([gradient.flatten() for gradient in dense])
        distributed.all_reduce(flat)
        for gradient, part in zip(dense, torch.split(flat, [gradient.numel() for gradient in dense]), strict=True):
            gradient.copy_(part.view_as(gradient))
        for weight in weights:
            if weight.grad is not None and weight.grad.is_sparse:
                weight.grad = self._sum_sparse(weight.grad)

    def _sum_sparse(self, gradient: Tensor) -> Tensor:
        gradient = gradient.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
        sizes = [int(size) for size in self._gather(torch.tensor([len(rows)], device=rows.device))]
        spare = max(sizes) - len(rows)
        all_rows = self._gather(torch.nn.functional.pad(rows, (0, spare)))
        all_values = self._gather(torch.nn.functional.pad(values, (0, 0, 0, spare)))
        return torch.sparse_coo_tensor(
            torch.cat([one[:size] for one, size in zip(all_rows, sizes, strict=True)]).unsqueeze(0),
            torch.cat([one[:size] for one, size in zip(all_values, sizes, strict=True)]),
            gradient.shape,
            check_invariants=False,
        ).coalesce()

    def agree(self, number: float, what: str) -> None:
        """Make sure that all processes hold the same number; waits for all of them.

        Raises:
            WorkspaceError: if they do not.
        """
        if self.count == 1:
            return
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        found = [float(one) for one in self._gather(torch.tensor([number], dtype=torch.float64, device=device))]
        if len(set(found)) > 1:
            raise WorkspaceError(
                f"all processes must have the same {what}, were: {found}; let them see one workspace, on a shared disk "
                "if they run on several machines"
            )

    def _gather(self, tensor: Tensor) -> list[Tensor]:
        parts = [torch.empty_like(tensor) for _ in range(self.count)]
        distributed.all_gather(parts, tensor.contiguous())
        return parts


ALONE = Processes()


def is_helper() -> bool:
    """Whether `torchrun` started this process to help another one, which alone writes files and speaks."""
    return _from_environment()[0] > 0


def _from_environment() -> tuple[int, int]:
    """Number of this process and of all, as `torchrun` tells them."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    return (int(os.environ.get("RANK", "0")), count) if count > 1 else (0, 1)


@contextmanager
def joined(choice: Device) -> Iterator[tuple[Processes, torch.device]]:
    """Join the processes that `torchrun` started; without it this process is alone.

    Yields:
        This process among them, and its device.

    Raises:
        InvalidInputError: if the device is not there, or there are more processes than GPUs on this machine.
        WorkspaceError: if another process ended.
    """
    rank, count = _from_environment()
    device = torch_device(choice)
    if count == 1:
        yield ALONE, device
        return
    if device.type == "cuda":
        place, n_devices = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if place >= n_devices:
            raise InvalidInputError(f"--nproc-per-node must be at most the {n_devices} GPUs of the machine")
        device = torch.device("cuda", place)
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(rank, count), device
    except RelvmKgError:
        raise
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or "gloo" in str(error):
            raise WorkspaceError("another process of this training ended; its message says why") from error
        raise
    distributed.destroy_process_group()
