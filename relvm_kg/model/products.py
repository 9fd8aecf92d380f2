"""Matrix products without gradients, by the fastest library at hand.

PyTorch sends float32 products on the CPU to the BLAS that it was built with. On processors of other makers than the
BLAS's own, oneDNN, which PyTorch uses for bfloat16, is about twice as fast in float32 too.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


class Products(StrEnum):
    """Which library multiplies matrices."""

    AUTO = "auto"
    """oneDNN on the CPU where this PyTorch has its operator, else what PyTorch chooses."""
    TORCH = "torch"
    """What PyTorch chooses."""


def linear(
    inputs: Float[Tensor, "*rows features"],
    weight: Float[Tensor, "units features"],
    bias: Float[Tensor, "units"] | None = None,
    *,
    relu: bool = False,
    products: Products = Products.AUTO,
) -> Float[Tensor, "*rows units"]:
    """`inputs @ weight.T + bias`, then perhaps a ReLU; not for training, since no gradient flows through it."""
    operator = _onednn_linear() if products is Products.AUTO and inputs.device.type == "cpu" else None
    if operator is None or not inputs.numel():
        result = F.linear(inputs, weight, bias)
        return result.relu_() if relu else result
    return operator(inputs, weight, bias, "relu" if relu else "none", [], "")


def multiply(left: Tensor, right: Tensor, buffer: Tensor, bias: Tensor | None = None) -> Tensor:
    """`left @ right + bias` without gradients; into the buffer where the library that multiplies can write there."""
    if left.dtype is torch.float32 and left.device.type == "cpu" and _onednn_linear() is not None:
        return linear(left, right.T, bias)
    return torch.mm(left, right, out=buffer) if bias is None else torch.addmm(bias, left, right, out=buffer)


@cache
def _onednn_linear() -> Callable[..., Tensor] | None:
    """PyTorch's own operator for a fused linear layer; None where this PyTorch has none, or where it does not work."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    operator: Callable[..., Tensor] | None = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if operator is None:
        return None
    generator = torch.Generator().manual_seed(0)
    inputs, weight, bias = (torch.randn(shape, generator=generator) for shape in ((3, 5), (4, 5), (4,)))
    try:
        found = operator(inputs, weight, bias, "relu", [], "")
    except RuntimeError:
        return None
    return operator if torch.allclose(found, F.linear(inputs, weight, bias).relu(), atol=1e-5) else None
