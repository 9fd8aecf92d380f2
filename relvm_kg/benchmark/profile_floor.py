"""The profile floors: a small classifier on [e(x), e(y), e(x)*e(y)] of vectors that linear algebra made of the text."""

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from relvm_kg.benchmark.classification import MEAN_OF_LABELS, classification_figures, score_split
from relvm_kg.benchmark.contender import TrainedContender, TrainingRecord
from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.settings import ProfileSettings
from relvm_kg.benchmark.triples import SYMMETRIC, FloatArray, IntArray, Triples, concatenated
from relvm_kg.encoding.split import Split
from relvm_kg.errors import InvalidInputError
from relvm_kg.progress import Progress
from relvm_kg.types import POSITIVE_RELATIONS, Relation


class PairNetwork(nn.Module):
    """Two ReLU layers on [e(x); e(y); e(x)*e(y)], with one output for each relation label."""

    def __init__(self, dimensions: int, settings: ProfileSettings) -> None:
        super().__init__()
        self.first = nn.Linear(3 * dimensions, settings.hidden)
        self.second = nn.Linear(settings.hidden, settings.hidden)
        self.output = nn.Linear(settings.hidden, len(Relation))
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, heads: Tensor, tails: Tensor) -> Tensor:
        """Logits of every label. *Shape:* (pairs, dimensions) twice to (pairs, labels)."""
        return self.upper(self.first(torch.cat([heads, tails, heads * tails], dim=1)))

    def against(self, fixed: Tensor, others: Tensor, fixed_is_head: bool) -> Tensor:
        """Logits of one entity with many: the first layer is folded into one matrix for the others.

        *Shape:* (dimensions) and (others, dimensions) to (others, labels)
        """
        of_head, of_tail, of_product = self.first.weight.chunk(3, dim=1)
        of_fixed, of_other = (of_head, of_tail) if fixed_is_head else (of_tail, of_head)
        return self.upper(F.linear(others, of_other + of_product * fixed, self.first.bias + of_fixed @ fixed))

    def upper(self, first: Tensor) -> Tensor:
        """From the first layer's sums to logits."""
        hidden = self.dropout(torch.relu(first))
        return self.output(self.dropout(torch.relu(self.second(hidden))))  # type: ignore[no-any-return]


class ProfileContender:
    """Scores pairs by their entities' vectors; a symmetric relation by the mean of both orders."""

    def __init__(self, name: str, vectors: Tensor, network: PairNetwork) -> None:
        self.name = name
        self.vectors = vectors
        self.network = network

    def score_tails(self, head: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """See `Contender.score_tails`."""
        return self._against(head, candidates, relation, fixed_is_head=True)

    def score_heads(self, tail: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """See `Contender.score_heads`."""
        return self._against(tail, candidates, relation, fixed_is_head=False)

    @torch.inference_mode()
    def score_pairs(self, heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        """See `Contender.score_pairs`."""
        self.network.eval()
        x, y = self.vectors[torch.from_numpy(heads)], self.vectors[torch.from_numpy(tails)]
        logits = self.network(x, y)
        if relation in SYMMETRIC:
            logits = (logits + self.network(y, x)) / 2
        return np.asarray(logits[:, relation.column].cpu().numpy())

    @torch.inference_mode()
    def _against(self, fixed: int, others: IntArray, relation: Relation, fixed_is_head: bool) -> FloatArray:
        self.network.eval()
        x, y = self.vectors[fixed], self.vectors[torch.from_numpy(others)]
        logits = self.network.against(x, y, fixed_is_head)
        if relation in SYMMETRIC:
            logits = (logits + self.network.against(x, y, not fixed_is_head)) / 2
        return np.asarray(logits[:, relation.column].cpu().numpy())


def profile_floor(
    name: str, vectors: Callable[[], FloatArray], settings: ProfileSettings
) -> Callable[[BenchmarkData, Progress], TrainedContender]:
    """A factory of a profile floor.

    Args:
        name: What the contender is called.
        vectors: Gives one row for each catalogue entity when training starts; rows are scaled to length sqrt(columns).
        settings: How to train.
    """
    return lambda data, progress: train_profile_floor(name, vectors(), data, settings, progress)


def train_profile_floor(
    name: str, vectors: FloatArray, data: BenchmarkData, settings: ProfileSettings, progress: Progress
) -> TrainedContender:
    """Train on known against unlabelled co-mentioned and random pairs; keep the epoch with the best validation figure.

    The figure is average precision on the validation pairs, the mean over the labels.

    Raises:
        InvalidInputError: if there is not one row for each entity.
    """
    if vectors.ndim != 2 or len(vectors) != data.n_entities:
        raise InvalidInputError(f"profiles must have {data.n_entities} rows, was: shape {vectors.shape}")
    started = perf_counter()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = PairNetwork(vectors.shape[1], settings).to(settings.device)
        contender = ProfileContender(name, _scaled(vectors).to(settings.device), network)
        best, epochs, stopped_by = _fit(contender, data, settings, progress)
    record = TrainingRecord(
        seconds=perf_counter() - started,
        n_parameters=sum(p.numel() for p in network.parameters()),
        epochs=epochs,
        best_validation=best,
        validation_figure="average precision, mean of labels",
        stopped_by=stopped_by,
        settings=asdict(settings),
    )
    return TrainedContender(contender, record)


def _scaled(vectors: FloatArray) -> Tensor:
    """Rows of length sqrt(columns), so that entries and products are of the order of 1; rows of zeros stay."""
    rows = torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32))
    return F.normalize(rows, dim=1) * math.sqrt(rows.shape[1])


def _fit(
    contender: ProfileContender, data: BenchmarkData, settings: ProfileSettings, progress: Progress
) -> tuple[float, int, str]:
    network, pairs = contender.network, _TrainingPairs.of(data)
    random = np.random.default_rng(settings.seed)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    best, best_epoch, best_state = -1.0, 0, copy.deepcopy(network.state_dict())
    with progress.task(f"training {contender.name}", settings.max_epochs, "epoch") as task:
        for epoch in range(1, settings.max_epochs + 1):
            drawn = pairs.draw(settings.random_negatives, random)
            loss = _epoch(contender, drawn, optimizer, settings.batch_size)
            figure = _validation_figure(contender, data)
            task.advance(loss=loss, validation=figure)
            if figure > best:
                best, best_epoch, best_state = figure, epoch, copy.deepcopy(network.state_dict())
            elif epoch - best_epoch >= settings.patience:
                break
    network.load_state_dict(best_state)
    return best, epoch, "validation" if epoch - best_epoch >= settings.patience else "epochs"


@dataclass(frozen=True, eq=False)
class _TrainingPairs:
    """Labelled and unlabelled training pairs, and what random negatives are drawn from."""

    positives: Triples
    negatives: Triples
    data: BenchmarkData
    known: IntArray
    """Keys of training and validation positives, and of known relations outside the splits: never drawn."""

    @classmethod
    def of(cls, data: BenchmarkData) -> "_TrainingPairs":
        return cls(
            positives=data.positives.part(Split.TRAIN).both_directions(),
            negatives=data.negatives.part(Split.TRAIN).both_directions(),
            data=data,
            known=data.training_partners.known.both_directions().keys(data.n_entities),
        )

    def draw(self, n_random: int, random: np.random.Generator) -> tuple[Triples, FloatArray]:
        """The pairs of one epoch with `n_random` new random negatives for each positive, and their labels."""
        parts = [self.positives, self.negatives]
        repeated = self.positives.rows(np.repeat(np.arange(len(self.positives)), n_random))
        for relation in POSITIVE_RELATIONS:
            n = int((repeated.relations == relation.column).sum())
            heads, tails = (random.choice(self.data.candidates[t], n) for t in relation.argument_types)
            parts.append(Triples(heads, np.full(n, relation.column, np.int64), tails))
        both = concatenated(*parts)
        keep = np.arange(len(both)) < len(self.positives) + len(self.negatives)
        keep |= ~np.isin(both.keys(self.data.n_entities), self.known) & (both.heads != both.tails)
        labels = (np.arange(len(both)) < len(self.positives)).astype(np.float32)
        return both.rows(keep), labels[keep]


def _epoch(
    contender: ProfileContender, drawn: tuple[Triples, FloatArray], optimizer: torch.optim.Optimizer, batch_size: int
) -> float:
    network, vectors = contender.network, contender.vectors
    network.train()
    pairs, labels = drawn
    columns = [torch.from_numpy(a) for a in (pairs.heads, pairs.tails, pairs.relations, labels)]
    total = 0.0
    order = torch.randperm(len(pairs))
    for rows in torch.split(order, batch_size):
        heads, tails, relations, wanted = (column[rows].to(vectors.device) for column in columns)
        logits = network(vectors[heads], vectors[tails]).gather(1, relations[:, None])[:, 0]
        loss = F.binary_cross_entropy_with_logits(logits, wanted)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.item() * len(rows)
    return total / max(len(order), 1)


def _validation_figure(contender: ProfileContender, data: BenchmarkData) -> float:
    figures = classification_figures(score_split(contender, data, Split.VALIDATION))
    return next((f.average_precision for f in figures if f.relation == MEAN_OF_LABELS), 0.0)
