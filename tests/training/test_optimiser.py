"""Row-lazy Adam takes dense Adam's steps, clipping sees sparse gradients, and both resume."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from relvm_kg.model.presets import EntityStart, ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.training.optimiser import LAZY_ROWS, RowLazyAdam, clip_gradients, start_optimisers

ROWS, WIDTH = 120, 6
MODEL = ModelConfig(hidden=4, latent=3, embedding=5, entity_start=EntityStart.RANDOM)


def visits(steps: int, often: int = 20) -> list[Tensor]:
    """Rows of each step: the first of the table often, most of the others seldom."""
    generator = torch.Generator().manual_seed(1)
    chance = 1.0 / torch.arange(1, ROWS + 1, dtype=torch.float32)
    return [torch.multinomial(chance, often, replacement=True, generator=generator) for _ in range(steps)]


def loss(table: nn.Embedding, rows: Tensor, step: int) -> Tensor:
    """Rows are drawn towards a goal that moves, so that gradients depend on weights and on the step."""
    noise = torch.randn(len(rows), WIDTH, generator=torch.Generator().manual_seed(step))
    value: Tensor = (table(rows) - 3.0 - noise).square().mean()
    return value


def train(table: nn.Embedding, optimiser: torch.optim.Optimizer, steps: range, rate: Callable[[int], float]) -> None:
    for step, rows in list(enumerate(visits(steps.stop)))[steps.start :]:
        if isinstance(optimiser, RowLazyAdam):
            optimiser.catch_up(torch.unique(rows))
        optimiser.param_groups[0]["lr"] = rate(step)
        optimiser.zero_grad()
        loss(table, rows, step).backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def start(sparse: bool) -> nn.Embedding:
    table = nn.Embedding(ROWS, WIDTH, sparse=sparse)
    nn.init.normal_(table.weight, generator=torch.Generator().manual_seed(0))
    return table


@pytest.mark.parametrize("rate", [lambda _: 0.01, lambda step: 0.01 * (1 - step / 400)], ids=["constant", "falling"])
def test_row_lazy_adam_takes_the_steps_of_dense_adam(rate: Callable[[int], float]) -> None:
    dense, lazy, fresh = start(sparse=False), start(sparse=True), start(sparse=False)
    train(dense, torch.optim.Adam(dense.parameters(), lr=0.01), range(400), rate)
    optimiser = RowLazyAdam(lazy.weight, lr=0.01)
    train(lazy, optimiser, range(400), rate)
    optimiser.settle()
    moved = (dense.weight - fresh.weight).norm(dim=1)
    away = (dense.weight - lazy.weight).norm(dim=1)
    assert moved.min() > 0
    assert (away / moved).max().item() < 0.01


def test_sparse_adam_of_torch_moves_rare_rows_much_less() -> None:
    dense, sparse, fresh = start(sparse=False), start(sparse=True), start(sparse=False)
    train(dense, torch.optim.Adam(dense.parameters(), lr=0.01), range(400), lambda _: 0.01)
    train(sparse, torch.optim.SparseAdam([sparse.weight], lr=0.01), range(400), lambda _: 0.01)
    rare = slice(ROWS // 2, ROWS)
    moved = [(table.weight - fresh.weight)[rare].norm() for table in (sparse, dense)]
    assert moved[0] < 0.7 * moved[1]


def test_rows_that_caught_up_are_what_dense_adam_reads() -> None:
    dense, lazy = start(sparse=False), start(sparse=True)
    train(dense, torch.optim.Adam(dense.parameters(), lr=0.01), range(100), lambda _: 0.01)
    optimiser = RowLazyAdam(lazy.weight, lr=0.01)
    train(lazy, optimiser, range(100), lambda _: 0.01)
    rows = torch.tensor([3, 50, 119])
    untouched = lazy.weight[60].clone()
    optimiser.catch_up(rows)
    torch.testing.assert_close(lazy.weight[rows], dense.weight[rows], rtol=0, atol=2e-3)
    assert torch.equal(lazy.weight[60], untouched)


def test_row_lazy_adam_resumes_to_the_bit_from_its_state() -> None:
    whole = start(sparse=True)
    train(whole, RowLazyAdam(whole.weight, lr=0.01), range(60), lambda _: 0.01)
    cut = start(sparse=True)
    before = RowLazyAdam(cut.weight, lr=0.01)
    train(cut, before, range(25), lambda _: 0.01)
    after = RowLazyAdam(cut.weight, lr=0.01)
    after.load_state_dict(copy.deepcopy(before.state_dict()))
    train(cut, after, range(25, 60), lambda _: 0.01)
    assert torch.equal(whole.weight, cut.weight)


def test_settling_twice_changes_nothing() -> None:
    table = start(sparse=True)
    optimiser = RowLazyAdam(table.weight, lr=0.01)
    optimiser.settle()
    train(table, optimiser, range(30), lambda _: 0.01)
    optimiser.settle()
    once = table.weight.detach().clone()
    optimiser.settle()
    assert torch.equal(table.weight, once)


def test_clipping_counts_dense_and_sparse_gradients_together() -> None:
    tables = [start(sparse) for sparse in (False, True)]
    linear = [nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 1)]
    linear[1].load_state_dict(linear[0].state_dict())
    rows = torch.tensor([4, 4, 9])
    for table, layer in zip(tables, linear, strict=True):
        layer(table(rows)).square().sum().backward()
    torch.nn.utils.clip_grad_norm_([*tables[0].parameters(), *linear[0].parameters()], 0.5)
    clip_gradients([*tables[1].parameters(), *linear[1].parameters()], 0.5)
    for a, b in zip([tables[0], linear[0]], [tables[1], linear[1]], strict=True):
        for wanted, found in zip(a.parameters(), b.parameters(), strict=True):
            assert wanted.grad is not None
            assert found.grad is not None
            torch.testing.assert_close(found.grad.to_dense(), wanted.grad)


def test_gradients_below_the_limit_stay() -> None:
    layer = nn.Linear(3, 1)
    layer(torch.ones(1, 3)).sum().backward()
    clip_gradients(layer.parameters(), 100.0)
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [[1.0, 1.0, 1.0]]


def test_only_a_large_entity_table_is_lazy_and_every_weight_is_trained_once() -> None:
    for n_entities, names in ((50, ["adam"]), (LAZY_ROWS, ["adam", "entities"])):
        model = Relvm.started(MODEL, n_entities, 20, seed=0)
        optimisers = start_optimisers(model, TrainingConfig())
        assert list(optimisers) == names
        held = [p for o in optimisers.values() for group in o.param_groups for p in group["params"]]
        assert sorted(map(id, held)) == sorted(id(p) for p in model.parameters() if p.requires_grad)
