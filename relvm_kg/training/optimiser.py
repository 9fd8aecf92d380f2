"""Optimisers: fused Adam, and for a large entity table an Adam whose step costs what its batch's rows cost.

`torch.optim.SparseAdam` would cost as little, but is another method: the moments of a row stand still while no batch
holds it, so that a rare entity moves about a tenth as far as under Adam. `RowLazyAdam` makes up for the steps that a
row has missed when the row comes next, and takes Adam's steps but for rounding.
"""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.optim import Optimizer

from relvm_kg.model.presets import TrainingConfig
from relvm_kg.model.relvm import Relvm

LAZY_ROWS = 4096
"""Entity tables with more rows are updated lazily on the CPU; a GPU updates all rows sooner than it finds some."""
REACH = 200
"""After so many steps without a gradient, a row's steps are below a billionth of its first."""
PIECE_ROWS = 8192


class RowLazyAdam(Optimizer):
    """Adam over one table whose gradients are sparse.

    A row without a gradient still moves under Adam, by its fading moments. Here it moves when it is next wanted:
    call `catch_up` before the rows are read, and `settle` before the whole table is.
    """

    def __init__(self, table: Tensor, lr: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> None:
        super().__init__([table], {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step for the rows that have a gradient."""
        table, group = self._table, self.param_groups[0]
        if table.grad is None:
            return
        gradient = table.grad.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
        self.catch_up(rows)
        state = self._memory
        state["step"] += 1
        step, (first, second) = int(state["step"]), group["betas"]
        mean = torch.lerp(state["exp_avg"][rows], values, 1 - first)
        square = (state["exp_avg_sq"][rows] * second).addcmul_(values, values, value=1 - second)
        correction = (1 - second**step) ** 0.5
        size = group["lr"] * correction / (1 - first**step)
        table.index_add_(0, rows, mean / square.sqrt().add_(group["eps"] * correction), alpha=-size)
        state["exp_avg"].index_copy_(0, rows, mean)
        state["exp_avg_sq"].index_copy_(0, rows, square)
        state["seen"][rows] = step
        state["rate"][rows] = group["lr"]
        state["last_rate"].fill_(group["lr"])

    @torch.no_grad()
    def catch_up(self, rows: Int[Tensor, "rows"]) -> None:
        """Take the steps that rows have missed.

        Args:
            rows: Each at most once.
        """
        state, group = self._memory, self.param_groups[0]
        seen = state["seen"][rows]
        behind = (seen > 0) & (seen < state["step"])
        rows, seen = rows[behind], seen[behind].double()
        if not len(rows):
            return
        idle = state["step"].double() - seen
        first, second = group["betas"]
        mean, square = state["exp_avg"][rows], state["exp_avg_sq"][rows]
        spread = square.sqrt().add_((group["eps"] * (1 - second ** (seen + 1)).sqrt()).float().unsqueeze(1))
        rates = state["rate"][rows], state["last_rate"]
        size = _missed_steps((seen, idle), rates, (first, second)).float()
        self._table.index_add_(0, rows, (mean / spread).mul_(-size.unsqueeze(1)))
        state["exp_avg"].index_copy_(0, rows, mean.mul_((first**idle).float().unsqueeze(1)))
        state["exp_avg_sq"].index_copy_(0, rows, square.mul_((second**idle).float().unsqueeze(1)))
        state["seen"][rows], state["rate"][rows] = state["step"], state["last_rate"]

    def settle(self) -> None:
        """Take the steps that any row has missed."""
        for start in range(0, len(self._table), PIECE_ROWS):
            end = min(start + PIECE_ROWS, len(self._table))
            self.catch_up(torch.arange(start, end, device=self._table.device))

    @property
    def _table(self) -> Tensor:
        table: Tensor = self.param_groups[0]["params"][0]
        return table

    @property
    def _memory(self) -> dict[str, Tensor]:
        """Moments of each row, the last step that they hold for (a whole number), and the rate at that step."""
        table = self._table
        state: dict[str, Tensor] = self.state[table]
        if not state:
            state["step"], state["last_rate"] = (torch.zeros((), device=table.device) for _ in range(2))
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(table), torch.zeros_like(table)
            state["seen"], state["rate"] = (torch.zeros(len(table), device=table.device) for _ in range(2))
        return state


def _missed_steps(
    times: tuple[Tensor, Tensor], rates: tuple[Tensor, Tensor], betas: tuple[float, float]
) -> Float[Tensor, "rows"]:
    """What Adam's steps without a gradient add up to: a multiple of mean / sqrt(square).

    Args:
        times: The last step with a gradient, and the steps since then. *Shape:* both (rows)
        rates: The learning rate at that step, *shape* (rows), and now; in a straight line between the two.
        betas: Adam's.
    """
    (seen, idle), (rate, last_rate), (first, second) = times, rates, betas
    after = torch.arange(1, min(REACH, int(idle.max())) + 1, device=seen.device, dtype=seen.dtype)
    at = seen.unsqueeze(1) + after
    sizes = (first / second**0.5) ** after * (1 - second**at).sqrt() / (1 - first**at)
    sizes *= after <= idle.unsqueeze(1)
    slope = (last_rate - rate) / idle
    total: Tensor = rate * sizes.sum(1) + slope * (sizes @ after)
    return total


def start_optimisers(model: Relvm, config: TrainingConfig) -> dict[str, Optimizer]:
    """The optimisers of a model by name; together they hold every trained weight once.

    The gradient of an entity table of more than `LAZY_ROWS` rows on the CPU is sparse from here on.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    table = model.entities.table
    table.sparse = len(table.weight) > LAZY_ROWS and model.device.type == "cpu"
    if not table.sparse:
        return {"adam": torch.optim.Adam(trained, lr=config.learning_rate, fused=True)}
    others = [p for p in trained if p is not table.weight]
    return {
        "adam": torch.optim.Adam(others, lr=config.learning_rate, fused=True),
        "entities": RowLazyAdam(table.weight, lr=config.learning_rate),
    }


@torch.no_grad()
def clip_gradients(parameters: Iterable[Tensor], limit: float) -> None:
    """Scale all gradients, dense and sparse, down to this norm together; like `torch.nn.utils.clip_grad_norm_`."""
    values = []
    for parameter in parameters:
        if parameter.grad is None:
            continue
        if parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
            values.append(parameter.grad.values())
        else:
            values.append(parameter.grad)
    if values:
        norms = torch.stack([torch.linalg.vector_norm(gradient) for gradient in values])
        torch._foreach_mul_(values, (limit / (torch.linalg.vector_norm(norms) + 1e-6)).clamp(max=1.0))
