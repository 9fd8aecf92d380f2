"""The choice of device."""

from enum import StrEnum

import torch

from relvm_kg.errors import InvalidInputError


class Device(StrEnum):
    """Where to compute; `auto` takes CUDA where there is one."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def torch_device(choice: Device) -> torch.device:
    """The device that a choice means on this machine.

    Raises:
        InvalidInputError: if CUDA is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if choice is Device.CUDA and not available:
        raise InvalidInputError(
            "--device cuda needs a CUDA device that PyTorch can see, there is none; use --device cpu"
        )
    return torch.device("cuda" if available and choice is not Device.CPU else "cpu")
