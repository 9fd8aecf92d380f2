"""bfloat16 is used only where a trial of it comes out right."""

import torch
from torch import Tensor

from relvm_kg.model.objective import chunked_cross_entropy
from relvm_kg.model.precision import bfloat16_fault, precision_note, training_precision

CPU = torch.device("cpu")


def test_a_sound_processor_has_no_fault() -> None:
    assert bfloat16_fault(CPU) is None
    assert precision_note(CPU) is None
    assert training_precision(CPU) in (torch.float32, torch.bfloat16)


def test_a_loss_that_is_off_in_bfloat16_is_a_fault() -> None:
    def too_high(
        states: Tensor, table: Tensor, targets: Tensor, weights: Tensor, precision: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        total, losses = chunked_cross_entropy(states, table, targets, weights, precision)
        return total * (1.1 if precision is torch.bfloat16 else 1.0), losses

    assert "was: 10.0% and 1.000" in (bfloat16_fault(CPU, too_high) or "")


def test_gradients_that_are_off_in_bfloat16_are_a_fault() -> None:
    def turned(
        states: Tensor, table: Tensor, targets: Tensor, weights: Tensor, precision: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        total, losses = chunked_cross_entropy(states, table, targets, weights, precision)
        return (2 * total.detach() - total if precision is torch.bfloat16 else total), losses

    assert "and -1.000" in (bfloat16_fault(CPU, turned) or "")


def test_a_loss_that_is_not_a_number_is_a_fault() -> None:
    def nothing(
        states: Tensor, table: Tensor, targets: Tensor, weights: Tensor, precision: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        total, losses = chunked_cross_entropy(states, table, targets, weights)
        return (total * torch.nan if precision is torch.bfloat16 else total), losses

    assert bfloat16_fault(CPU, nothing) is not None
