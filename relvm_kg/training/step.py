"""One step of training: a batch, its bound, the gradients, the optimisers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.optim import Optimizer

from relvm_kg.model.contrast import others_of_type
from relvm_kg.model.objective import Loss
from relvm_kg.model.precision import training_precision
from relvm_kg.model.relvm import ContextBatch, Relvm
from relvm_kg.model.sampled_softmax import Proposal
from relvm_kg.training.data import IntArray, TrainingCorpus
from relvm_kg.training.optimiser import RowLazyAdam, clip_gradients
from relvm_kg.training.schedule import Schedule


@dataclass(frozen=True)
class StepFigures:
    """What a step saw; still on the device, so that the step waits for nothing."""

    loss: Tensor
    reconstruction: Tensor
    """log p(c|z) of all contexts together, in nats."""
    kl: Tensor
    """In nats a context."""
    n_tokens: int
    """Predicted tokens."""
    sampled_tokens: int = 0
    """Size of the sample that the softmax, and so `reconstruction`, is estimated from; 0 where it is exact."""

    def as_mapping(self) -> dict[str, float]:
        """Plain numbers; waits for the device."""
        return {
            "loss": float(self.loss),
            "nats_per_token": -float(self.reconstruction) / self.n_tokens,
            "kl": float(self.kl),
            "sampled_tokens": self.sampled_tokens,
        }


@dataclass(frozen=True)
class Stepper:
    """Takes the steps of one run."""

    model: Relvm
    corpus: TrainingCorpus
    schedule: Schedule
    optimisers: Mapping[str, Optimizer]

    @cached_property
    def _proposal(self) -> Proposal | None:
        """Draws the tokens of a sampled softmax; None where the softmax is exact."""
        config, counts = self.schedule.config, self.corpus.vocabulary.counts
        if not config.samples(len(counts)):
            return None
        return Proposal.of(counts, config.sampled_tokens, self.model.device)

    def take(self, step: int, rows: IntArray) -> StepFigures:
        """Step number `step` (from 0) on the given contexts; every draw follows from the run's seed and the step."""
        config, device = self.schedule.config, self.model.device
        generator = torch.Generator(device).manual_seed(config.seed * 1_000_003 + step)
        batch = self._with_others(ContextBatch.of(self.corpus.contexts.batch(rows), device), generator)
        batch = self._with_types(batch, generator)
        self.model.train()
        for table in self._lazy:
            table.catch_up(_rows_read(batch))
        loss = Loss(
            kl_weight=self.schedule.kl_weight(step),
            free_nats=config.free_nats,
            free_nats_per_unit=config.free_nats_per_unit,
            u_dropout=config.u_dropout,
            contrast_weight=config.contrast_weight,
            token_dropout=config.token_dropout,
            average=config.bound,
            precision=training_precision(device),
            proposal=self._proposal,
        )
        terms = self.model.bound(batch, generator, loss)
        self._update(step, terms.loss)
        return StepFigures(
            loss=terms.loss.detach(),
            reconstruction=terms.reconstruction.sum(),
            kl=terms.kl.mean(),
            n_tokens=int(self.corpus.contexts.store.lengths[rows].sum()) + len(rows),
            sampled_tokens=self._proposal.n_sampled if self._proposal else 0,
        )

    def settle(self) -> None:
        """Bring every weight up to the last step; rows of a large entity table else lag until a batch reads them.

        Call it before the model is measured or kept, at steps that do not depend on the clock: it rounds.
        """
        for table in self._lazy:
            table.settle()

    @property
    def _lazy(self) -> list[RowLazyAdam]:
        return [optimiser for optimiser in self.optimisers.values() if isinstance(optimiser, RowLazyAdam)]

    def _update(self, step: int, loss: Tensor) -> None:
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.schedule.learning_rate(step)
            optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if limit := self.schedule.config.gradient_limit:
            clip_gradients(self.model.parameters(), limit)
        for optimiser in self.optimisers.values():
            optimiser.step()

    def _with_others(self, batch: ContextBatch, generator: torch.Generator) -> ContextBatch:
        """Join other heads and tails of the same types, for a model that learns to tell them apart."""
        if self.model.contrast is None:
            return batch
        n, types = self.schedule.config.contrast_negatives, torch.from_numpy(self.corpus.types).to(self.model.device)
        heads, tails = (others_of_type(rows, types[rows], n, generator) for rows in (batch.heads, batch.tails))
        return replace(batch, other_heads=heads, other_tails=tails)

    def _with_types(self, batch: ContextBatch, generator: torch.Generator) -> ContextBatch:
        """Replace the entities of a share of the contexts by their types."""
        share = self.schedule.config.type_share
        if not share:
            return batch
        device = self.model.device
        types = torch.from_numpy(self.corpus.types).to(device)
        swap = torch.rand(len(batch.heads), generator=generator, device=device) < share
        return batch.with_pairs(
            torch.where(swap, self.model.type_rows(types[batch.heads]), batch.heads),
            torch.where(swap, self.model.type_rows(types[batch.tails]), batch.tails),
        )


def _rows_read(batch: ContextBatch) -> Tensor:
    """The rows of the entity table that a batch reads, each once."""
    read = [batch.heads, batch.tails, batch.other_heads, batch.other_tails]
    rows: Tensor = torch.cat([rows.flatten() for rows in read if rows is not None]).unique()  # type: ignore[no-untyped-call]
    return rows
