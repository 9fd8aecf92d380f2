"""The training loop of the representation: it resumes to the same result, measures itself and keeps a trace.

Its rooms: `schedule` (when), `feed` (which batches), `step` (one step), `processes` (when there are several), `state`
(what is on disk), `trace` (what is written down).
"""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from relvm_kg.config import settings_to_mapping
from relvm_kg.errors import DamagedFileError, InvalidInputError
from relvm_kg.model.precision import precision_note
from relvm_kg.model.presets import EntityStart, ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.progress import Progress
from relvm_kg.training.data import IntArray, TrainingCorpus
from relvm_kg.training.feed import Feed
from relvm_kg.training.health import pair_share
from relvm_kg.training.optimiser import start_optimisers
from relvm_kg.training.processes import ALONE, Processes
from relvm_kg.training.schedule import Schedule
from relvm_kg.training.state import BEST, Best, Resumed, RunState
from relvm_kg.training.step import StepFigures, Stepper
from relvm_kg.training.trace import append_trace, cut_trace

TRACE_STEPS = 50
_SHOWN = ("loss", "kl", "pair_share", "sentences_per_second")

VALIDATION = "held_out_bound_per_token"
"""The figure of a probe that chooses the best weights: the bound in nats a token; higher is better."""

Probe = Callable[[Relvm], Mapping[str, float]]
"""Measures a model (in evaluation mode, without gradients) between two steps; its figures join the trace.

It draws from generators of its own, so that a resumed run finds the same figures at the same steps.
"""


class Trainer:
    """Trains one model in a folder that holds its state and trace."""

    def __init__(
        self,
        folder: Path,
        corpus: TrainingCorpus,
        model: ModelConfig,
        training: TrainingConfig,
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        """Start a run, or take it up where the folder's state left it.

        Raises:
            InvalidInputError: if the state belongs to other settings or another corpus.
            WorkspaceError: if the processes do not see the same state.
        """
        self.folder, self.corpus, self.config, self.device = folder, corpus, training, device
        if processes.count > 1 and model.posterior_scale:
            raise InvalidInputError("model.posterior_scale must be 0 for several processes; train with one")
        self.processes, self.rows = processes, _training_sample(corpus, training)
        self.schedule = Schedule(len(self.rows), training)
        profiles = None
        if model.entity_start is not EntityStart.RANDOM:
            profiles = torch.from_numpy(corpus.start_vectors(model))
        n_entities = len(corpus.types)
        self.model = Relvm.started(model, n_entities, len(corpus.vocabulary), training.seed, profiles).to(device)
        self.optimisers = start_optimisers(self.model, training)
        self._stepper = Stepper(self.model, corpus, self.schedule, self.optimisers, processes)
        settings = {"model": settings_to_mapping(model), "training": settings_to_mapping(training)}
        self.state = RunState(folder, {**settings, "corpus": folder_key(corpus)})
        self.resumed = self.state.restore(self.model, self.optimisers) or Resumed(step=0)
        self.step, self.best = self.resumed.step, self.resumed.best
        processes.agree(self.step, "number of steps done")
        processes.agree(
            sum(float(weight.detach().double().sum()) for weight in self.model.parameters()), "sum of weights"
        )

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.schedule.total_steps

    def run(self, progress: Progress, on_probe: Probe | None = None) -> None:
        """Train to the end, with checkpoints on the way.

        Args:
            progress: Where progress goes.
            on_probe: Called at the steps of `Schedule.probes_after`.
        """
        feed = Feed(self.corpus, self.rows, self.schedule, self.processes, self.device)
        if self.processes.is_first:
            self._open_folder(progress)
        last_save, rate, shown = time.monotonic(), _Rate(), dict[str, float]()
        with progress.task("train", self.schedule.total_steps, "step", self.step) as task:
            for ready in feed.after(self.step):
                figures = self._stepper.take(self.step, ready)
                self.step += 1
                rate.count(figures)
                if self.schedule.probes_after(self.step) or self.finished:
                    self._stepper.settle()
                if line := self._line(figures, on_probe):
                    append_trace(self.folder, line | rate.per_second())
                    rate, shown = _Rate(), {k: v for k, v in line.items() if k in _SHOWN}
                task.advance(1, **shown)
                if time.monotonic() - last_save > self.config.checkpoint_seconds or self.finished:
                    self.save()
                    last_save = time.monotonic()

    def _open_folder(self, progress: Progress) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for words in (*self.resumed.words, precision_note(self.device)):
            if words:
                progress.say(words)
        cut_trace(self.folder, self.step)
        if self._readable_best(progress) is None:
            self.best = None

    def save(self) -> None:
        """Write weights, optimisers and position; only the first process does."""
        if self.processes.is_first:
            self.state.save(self.model, self.optimisers, self.step, self.best)

    def take_best(self, progress: Progress) -> Best | None:
        """Put the weights that did best on held-out contexts into the model, once all steps are done.

        The last weights stay where no other did better, which is the rule: the learning rate has fallen to zero under
        them. An earlier step is better where the run has gone on past the point at which it began to learn its text
        by heart.

        Returns:
            Which weights the model now has; None where no probe measured the bound: then they are the last.
        """
        best = self._readable_best(progress)
        return best if best is None or best.step == self.step else self.state.best(self.model)

    def _readable_best(self, progress: Progress) -> Best | None:
        """The best weights on disk; None, with a word, if their file is damaged or gone."""
        try:
            best = self.state.best()
            reason = f"{self.folder / BEST} is gone"
        except DamagedFileError as error:
            best, reason = None, str(error)
        if best is None and self.best is not None:
            progress.say(f"{reason}; the best weights are now the best of the steps from {self.step} on")
        return best

    def _keep_best(self, line: dict[str, float]) -> None:
        """Save the weights if no probe found better ones before; the line of the trace says which are the best."""
        bound = line.get(VALIDATION)
        if bound is None or not math.isfinite(bound):
            return
        if self.best is None or bound >= self.best.bound_per_token:
            self.best = Best(self.step, bound)
            self.state.save_best(self.model, self.best)
        line["best_step"] = self.best.step

    def _line(self, figures: StepFigures, on_probe: Probe | None) -> dict[str, float]:
        """What the trace says of this step, nothing at most steps; the probe measures if it is its turn."""
        probes = self.schedule.probes_after(self.step)
        if not (probes or self.finished or self.step % TRACE_STEPS == 0):
            return {}
        of_batch = figures.as_mapping()
        if not self.processes.is_first:
            return {}
        weight, rate = self.schedule.kl_weight(self.step), self.schedule.learning_rate(self.step - 1)
        line = {"step": self.step, "kl_weight": weight, "learning_rate": rate, **of_batch}
        line["pair_share"] = self._pair_share()
        if probes and on_probe is not None:
            self.model.eval()
            with torch.no_grad():
                line |= on_probe(self.model)
            self._keep_best(line)
        return line

    def _pair_share(self) -> float:
        rows = self.rows[:: max(1, len(self.rows) // 200)]
        contexts = self.corpus.contexts
        return pair_share(self.model, contexts.heads[rows], contexts.tails[rows], seed=0, samples=16)


class _Rate:
    """Contexts and tokens a second since it was made."""

    def __init__(self) -> None:
        self.started, self.n_contexts, self.n_tokens = time.monotonic(), 0, 0

    def count(self, figures: StepFigures) -> None:
        self.n_contexts += figures.n_contexts
        self.n_tokens += figures.n_tokens

    def per_second(self) -> dict[str, float]:
        seconds = max(time.monotonic() - self.started, 1e-9)
        return {"sentences_per_second": self.n_contexts / seconds, "tokens_per_second": self.n_tokens / seconds}


def folder_key(corpus: TrainingCorpus) -> str:
    """Names the corpus that a state belongs to: its generation and the hash of its tokens."""
    return f"{corpus.folder.name} {corpus.contexts.store.manifest['sha256']['tokens.npy']}"


def _training_sample(corpus: TrainingCorpus, config: TrainingConfig) -> IntArray:
    rows = corpus.training_rows
    if not config.max_contexts or config.max_contexts >= len(rows):
        return rows
    chosen = np.random.default_rng(config.seed).choice(rows, size=config.max_contexts, replace=False)
    return np.sort(chosen)
