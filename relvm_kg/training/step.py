"""One step of training: a batch, its bound, the gradients, the optimisers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.optim import Optimizer

from relvm_kg.model.contrast import others_of_type
from relvm_kg.model.generative import OneBiasLstm
from relvm_kg.model.objective import Loss
from relvm_kg.model.precision import training_precision
from relvm_kg.model.presets import Precision
from relvm_kg.model.relvm import ContextBatch, Relvm
from relvm_kg.model.sampled_softmax import Proposal
from relvm_kg.model.share import Share
from relvm_kg.training.data import TrainingCorpus
from relvm_kg.training.feed import ReadyBatch
from relvm_kg.training.optimiser import RowLazyAdam, clip_gradients
from relvm_kg.training.processes import ALONE, Processes
from relvm_kg.training.schedule import Schedule


@dataclass(frozen=True)
class StepFigures:
    """What a step saw; still on the device, so that the step waits for nothing."""

    loss: Tensor
    reconstruction: Tensor
    """log p(c|z) of all contexts together, in nats."""
    kl: Tensor
    """Sum over contexts, in nats."""
    n_contexts: int
    n_tokens: int
    """Predicted tokens; these counts are of the whole batch."""
    share: Share
    """Which of the contexts the two sums are over."""
    sampled_tokens: int = 0
    """Size of the sample that the softmax, and so `reconstruction`, is estimated from; 0 where it is exact."""

    def as_mapping(self) -> dict[str, float]:
        """Plain numbers of the whole batch; waits for the device and for the other processes."""
        sums = torch.stack([self.reconstruction, self.kl]) * float(self.share.counts)
        reconstruction, kl = self.share.add(sums).tolist()
        return {
            "loss": float(self.loss),
            "nats_per_token": -reconstruction / self.n_tokens,
            "kl": kl / self.n_contexts,
            "sampled_tokens": self.sampled_tokens,
        }


@dataclass(frozen=True)
class Stepper:
    """Takes the steps of one run."""

    model: Relvm
    corpus: TrainingCorpus
    schedule: Schedule
    optimisers: Mapping[str, Optimizer]
    processes: Processes = ALONE

    def __post_init__(self) -> None:
        """On a GPU the LSTMs compute in bfloat16 too; sums, normalisations and logarithms stay in float32."""
        for module in self.model.modules():
            if isinstance(module, OneBiasLstm) and self.model.device.type == "cuda":
                module.precision = self._precision

    @cached_property
    def _proposal(self) -> Proposal | None:
        """Draws the tokens of a sampled softmax; None where the softmax is exact."""
        config, counts = self.schedule.config, self.corpus.vocabulary.counts
        if not config.samples(len(counts)):
            return None
        return Proposal.of(counts, config.sampled_tokens, self.model.device)

    @cached_property
    def _types(self) -> Tensor:
        """Place of each entity's type in `EntityType`. *Shape:* (entities)"""
        return torch.from_numpy(self.corpus.types).to(self.model.device)

    @cached_property
    def _precision(self) -> torch.dtype:
        chosen = self.schedule.config.precision
        return training_precision(self.model.device) if chosen is Precision.AUTO else torch.float32

    def take(self, step: int, ready: ReadyBatch) -> StepFigures:
        """Step number `step` (from 0) on a batch; every draw follows from the run's seed and the step."""
        config, device = self.schedule.config, self.model.device
        generator = torch.Generator(device).manual_seed(config.seed * 1_000_003 + step)
        batch = self._with_types(self._with_others(ready.whole.to(device), generator), generator)
        self.model.train()
        for table in self._lazy:
            table.catch_up(_rows_read(batch))
        share = self.processes.share(len(ready))
        places = ready.places.to(device, non_blocking=True)
        terms = self.model.bound(replace(batch.cut(share), known_places=places), generator, self._loss(step))
        self._update(step, terms.loss)
        return StepFigures(
            loss=terms.loss.detach(),
            reconstruction=terms.reconstruction.sum(),
            kl=terms.kl.sum(),
            n_contexts=len(ready),
            n_tokens=ready.n_tokens,
            share=share,
            sampled_tokens=self._proposal.n_sampled if self._proposal else 0,
        )

    def _loss(self, step: int) -> Loss:
        config = self.schedule.config
        return Loss(
            kl_weight=self.schedule.kl_weight(step),
            free_nats=config.free_nats,
            free_nats_per_unit=config.free_nats_per_unit,
            u_dropout=config.u_dropout,
            contrast_weight=config.contrast_weight,
            token_dropout=config.token_dropout,
            average=config.bound,
            precision=self._precision,
            proposal=self._proposal,
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
        self.processes.sum_gradients(self.model.parameters())
        if limit := self.schedule.config.gradient_limit:
            clip_gradients(self.model.parameters(), limit)
        for optimiser in self.optimisers.values():
            optimiser.step()

    def _with_others(self, batch: ContextBatch, generator: torch.Generator) -> ContextBatch:
        """Join other heads and tails of the same types, for a model that learns to tell them apart."""
        if self.model.contrast is None:
            return batch
        n = self.schedule.config.contrast_negatives
        heads, tails = (others_of_type(rows, self._types[rows], n, generator) for rows in (batch.heads, batch.tails))
        return replace(batch, other_heads=heads, other_tails=tails)

    def _with_types(self, batch: ContextBatch, generator: torch.Generator) -> ContextBatch:
        """Replace the entities of a share of the contexts by their types."""
        share = self.schedule.config.type_share
        if not share:
            return batch
        swap = torch.rand(len(batch.heads), generator=generator, device=self.model.device) < share
        return batch.with_pairs(
            torch.where(swap, self.model.type_rows(self._types[batch.heads]), batch.heads),
            torch.where(swap, self.model.type_rows(self._types[batch.tails]), batch.tails),
        )


def _rows_read(batch: ContextBatch) -> Tensor:
    """The rows of the entity table that a batch reads, each once."""
    read = [batch.heads, batch.tails, batch.other_heads, batch.other_tails]
    rows: Tensor = torch.cat([rows.flatten() for rows in read if rows is not None]).unique()  # type: ignore[no-untyped-call]
    return rows
