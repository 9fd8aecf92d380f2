"""The training loop of the representation: it resumes to the same result and keeps a trace."""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from relvm_kg.config import settings_to_mapping
from relvm_kg.encoding.batches import epoch_batches
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.checkpoint import load_tensors, save_tensors
from relvm_kg.model.objective import Loss, training_precision
from relvm_kg.model.presets import EntityStart, ModelConfig, TrainingConfig
from relvm_kg.model.relvm import ContextBatch, Relvm
from relvm_kg.progress import Progress
from relvm_kg.training.data import IntArray, TrainingCorpus
from relvm_kg.training.health import pair_share

STATE, TRACE = "state.safetensors", "trace.jsonl"
TRACE_STEPS = 50


@dataclass(frozen=True)
class Schedule:
    """How many steps a run takes, and the KL weight at each."""

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
        """From 0 to 1 over the annealing iterations."""
        span = self.config.anneal * self.total_steps if self.config.anneal < 1 else self.config.anneal
        return 1.0 if span <= 0 else min(1.0, step / span)

    def learning_rate(self, step: int) -> float:
        """Constant, then falling to zero over the last `decay` of the steps."""
        falling = self.config.decay * self.total_steps
        return self.config.learning_rate * (min(1.0, (self.total_steps - step) / falling) if falling else 1.0)


class Trainer:
    """Trains one model in a folder that holds its state and trace."""

    def __init__(
        self, folder: Path, corpus: TrainingCorpus, model: ModelConfig, training: TrainingConfig, device: torch.device
    ) -> None:
        """Start a run, or take it up where the folder's state left it.

        Raises:
            InvalidInputError: if the state belongs to other settings or another corpus.
        """
        self.folder, self.corpus, self.config, self.device = folder, corpus, training, device
        self.rows = _training_sample(corpus, training)
        self.schedule = Schedule(len(self.rows), training)
        self.step = 0
        profiles = None
        if model.entity_start is EntityStart.PROFILES:
            profiles = torch.from_numpy(corpus.start_vectors(model.embedding))
        n_entities = len(corpus.types)
        self.model = Relvm.started(model, n_entities, len(corpus.vocabulary), training.seed, profiles).to(device)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(trained, lr=training.learning_rate, fused=True)
        self._fingerprint = json.dumps(
            {
                "model": settings_to_mapping(model),
                "training": settings_to_mapping(training),
                "corpus": folder_key(corpus),
            }
        )
        if (folder / STATE).is_file():
            self._restore()

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.schedule.total_steps

    def run(self, progress: Progress) -> None:
        """Train to the end, with checkpoints on the way."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._cut_trace()
        total = self.schedule.total_steps
        last_save = last_trace = time.monotonic()
        n_contexts = n_tokens = 0
        shown: dict[str, float] = {}
        with progress.task("train", total, "step", self.step) as task:
            for batch_rows in self._remaining_batches():
                figures = self._train_step(batch_rows)
                self.step += 1
                n_contexts += len(batch_rows)
                n_tokens += int(figures.pop("tokens"))
                if self.step % TRACE_STEPS == 0 or self.step == total:
                    seconds = max(time.monotonic() - last_trace, 1e-9)
                    figures["pair_share"] = self._pair_share()
                    figures["sentences_per_second"] = n_contexts / seconds
                    figures["tokens_per_second"] = n_tokens / seconds
                    self._trace(figures)
                    last_trace, n_contexts, n_tokens = time.monotonic(), 0, 0
                shown |= {k: v for k, v in figures.items() if k in _SHOWN}
                task.advance(1, **shown)
                if time.monotonic() - last_save > self.config.checkpoint_seconds or self.step == total:
                    self.save()
                    last_save = time.monotonic()

    def _remaining_batches(self) -> Iterator[IntArray]:
        lengths = self.corpus.contexts.store.lengths
        per_epoch = self.schedule.steps_per_epoch
        while self.step < self.schedule.total_steps:
            epoch, place = divmod(self.step, per_epoch)
            batches = epoch_batches(self.rows, lengths, self.config.batch_size, self.config.seed, epoch)
            yield from batches[place : place + self.schedule.total_steps - self.step]

    def _train_step(self, rows: IntArray) -> dict[str, float]:
        generator = torch.Generator(self.device).manual_seed(self.config.seed * 1_000_003 + self.step)
        batch = self._with_types(ContextBatch.of(self.corpus.contexts.batch(rows), self.device), generator)
        self.model.train()
        loss = Loss(
            kl_weight=self.schedule.kl_weight(self.step),
            free_nats=self.config.free_nats,
            token_dropout=self.config.token_dropout,
            average=self.config.bound,
            precision=training_precision(self.device),
        )
        terms = self.model.bound(batch, generator, loss)
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.learning_rate(self.step)
        self.optimiser.zero_grad(set_to_none=True)
        terms.loss.backward()  # type: ignore[no-untyped-call]
        if self.config.gradient_limit:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_limit)
        self.optimiser.step()
        tokens = float(batch.lengths.sum()) - len(rows)
        return {
            "loss": float(terms.loss.detach()),
            "nats_per_token": -float(terms.reconstruction.sum()) / tokens,
            "kl": float(terms.kl.mean()),
            "tokens": tokens,
        }

    def _with_types(self, batch: ContextBatch, generator: torch.Generator) -> ContextBatch:
        """Replace the entities of a share of the contexts by their types."""
        if not self.config.type_share:
            return batch
        types = torch.from_numpy(self.corpus.types).to(self.device)
        swap = torch.rand(len(batch.heads), generator=generator, device=self.device) < self.config.type_share
        return batch.with_pairs(
            torch.where(swap, self.model.type_rows(types[batch.heads]), batch.heads),
            torch.where(swap, self.model.type_rows(types[batch.tails]), batch.tails),
        )

    def _pair_share(self) -> float:
        rows = self.rows[:: max(1, len(self.rows) // 200)]
        contexts = self.corpus.contexts
        return pair_share(self.model, contexts.heads[rows], contexts.tails[rows], seed=0, samples=16)

    def _trace(self, figures: dict[str, float]) -> None:
        line: dict[str, Any] = {"step": self.step, "kl_weight": self.schedule.kl_weight(self.step), **figures}
        with (self.folder / TRACE).open("a", encoding="utf-8") as handle:
            handle.write(json.dumps({k: round(v, 5) for k, v in line.items()}) + "\n")

    def _cut_trace(self) -> None:
        """Drop lines of steps that the restored state does not know of."""
        path = self.folder / TRACE
        if not path.is_file():
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= self.step]
        path.write_text("".join(kept), encoding="utf-8")

    def save(self) -> None:
        """Write weights, optimiser and position in one file."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        for index, values in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{k}": v for k, v in values.items()}
        save_tensors(self.folder / STATE, tensors, {"step": str(self.step), "fingerprint": self._fingerprint})

    def _restore(self) -> None:
        tensors, notes = load_tensors(self.folder / STATE)
        if notes.get("fingerprint") != self._fingerprint:
            raise InvalidInputError(
                f"{self.folder} holds an unfinished run of other settings or another corpus; "
                "use the same settings to finish it, or another run name"
            )
        self.model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        state = self.optimiser.state_dict()
        state["state"] = {}
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, index, name = key.split(".")
                state["state"].setdefault(int(index), {})[name] = value
        self.optimiser.load_state_dict(state)
        self.step = int(notes["step"])


_SHOWN = ("loss", "kl", "pair_share", "sentences_per_second")


def folder_key(corpus: TrainingCorpus) -> str:
    """Names the corpus that a state belongs to: its generation and the hash of its tokens."""
    return f"{corpus.folder.name} {corpus.contexts.store.manifest['sha256']['tokens.npy']}"


def _training_sample(corpus: TrainingCorpus, config: TrainingConfig) -> IntArray:
    rows = corpus.training_rows
    if not config.max_contexts or config.max_contexts >= len(rows):
        return rows
    chosen = np.random.default_rng(config.seed).choice(rows, size=config.max_contexts, replace=False)
    return np.sort(chosen)
