"""When things happen in a run: its number of steps, the KL weight, the learning rate, and the probes."""

import math
from dataclasses import dataclass

from relvm_kg.model.presets import TrainingConfig


@dataclass(frozen=True)
class Schedule:
    """How many steps a run takes, and what holds at each. All of it follows from the step, so none of it is saved."""

    n_rows: int
    config: TrainingConfig

    @property
    def steps_per_epoch(self) -> int:
        """Batches in a pass over the rows."""
        return math.ceil(self.n_rows / self.config.batch_size)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.config.steps or max(1, round(self.config.epochs * self.steps_per_epoch))

    def kl_weight(self, step: int) -> float:
        """From 0 to 1 over the annealing iterations of each cycle."""
        cycle = self.total_steps / self.config.anneal_cycles
        span = self.config.anneal * cycle if self.config.anneal < 1 else self.config.anneal
        place = step % cycle if step < self.total_steps else cycle
        return 1.0 if span <= 0 else min(1.0, place / span)

    def learning_rate(self, step: int) -> float:
        """Constant, then falling to zero over the last `decay` of the steps."""
        falling = self.config.decay * self.total_steps
        return self.config.learning_rate * (min(1.0, (self.total_steps - step) / falling) if falling else 1.0)

    def probes_after(self, step: int) -> bool:
        """Whether the model is measured on held-out contexts once `step` steps are done: evenly, and at the end."""
        if not self.config.probes:
            return False
        return step == self.total_steps or step % math.ceil(self.total_steps / self.config.probes) == 0
