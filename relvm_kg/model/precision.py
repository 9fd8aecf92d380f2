"""The precision of training's matrix products: bfloat16 where the processor has it and gets it right."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from relvm_kg.model.objective import chunked_cross_entropy

Loss = Callable[[Tensor, Tensor, Tensor, Tensor, torch.dtype], tuple[Tensor, Tensor]]
LOSS_TOLERANCE = 0.02
"""Largest error of the loss, as a share of it; bfloat16 keeps eight bits, and a sound processor is off by 0.001."""
LEAST_COSINE = 0.99
"""Between the gradients; a sound processor reaches 0.9999."""


def training_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the processor multiplies it natively and a small trial comes out right, else float32."""
    return torch.bfloat16 if _has_bfloat16(device.type) and bfloat16_fault(device) is None else torch.float32


def precision_note(device: torch.device) -> str | None:
    """A word to the person who trains, where the processor offers bfloat16 and gets it wrong."""
    fault = bfloat16_fault(device) if _has_bfloat16(device.type) else None
    return fault and f"{fault}; training multiplies in float32, which is slower"


@cache
def bfloat16_fault(device: torch.device, loss: Loss = chunked_cross_entropy) -> str | None:
    """What is wrong with a small loss and its gradients in bfloat16, against float32; None if nothing is.

    Args:
        device: Where to compute.
        loss: What to compute.
    """
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(96, 64, generator=generator).to(device).requires_grad_()
    table = (0.3 * torch.randn(320, 64, generator=generator)).to(device).requires_grad_()
    targets = torch.randint(0, len(table), (len(states),), generator=generator).to(device)
    weights = torch.ones(len(states), device=device)
    totals, gradients = [], []
    with torch.enable_grad():
        for precision in (torch.float32, torch.bfloat16):
            total, _ = loss(states, table, targets, weights, precision)
            totals.append(float(total.detach()))
            gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(total, (states, table))]))
    error = abs(totals[1] - totals[0]) / abs(totals[0])
    cosine = float(torch.cosine_similarity(gradients[0], gradients[1], dim=0))
    if error <= LOSS_TOLERANCE and cosine >= LEAST_COSINE:
        return None
    return (
        f"bfloat16 on this {device.type} must give a loss within {LOSS_TOLERANCE:.0%} of float32's and gradients with "
        f"a cosine above {LEAST_COSINE}, was: {error:.1%} and {cosine:.3f}"
    )


def _has_bfloat16(kind: str) -> bool:
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())
