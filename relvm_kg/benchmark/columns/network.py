"""The classifier on a representation: two layers with a skip, one output a label, the same for every representation."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from relvm_kg.benchmark.columns.features import FamilyBlocks
from relvm_kg.benchmark.columns.pairs import FamilyPairs, Fit
from relvm_kg.benchmark.columns.settings import ClassifierSettings, Kind
from relvm_kg.benchmark.triples import FloatArray, IntArray
from relvm_kg.metrics import average_precision
from relvm_kg.types import Relation

START_DEVIATION = 0.02
"""Of vectors that are learned from labels: short ones, since what is random in them is learned by heart."""
_ROWS = 4_096
"""Vectors that are predicted at once."""


class TrainedPair(nn.Module):
    """[t(x); t(y); t(x)*t(y)] of entity vectors that the classifier learns from labels. *Shape:* (..., 2) of rows."""

    def __init__(self, n_entities: int, dimensions: int, hidden: int) -> None:
        super().__init__()
        self.table = nn.Embedding(n_entities, dimensions)
        nn.init.normal_(self.table.weight, std=START_DEVIATION)
        self.linear = nn.Linear(3 * dimensions, hidden, bias=False)

    def forward(self, rows: Tensor) -> Tensor:
        """Sums for the first layer. *Shape:* (..., hidden)"""
        x, y = self.table(rows[..., 0]), self.table(rows[..., 1])
        return self.linear(torch.cat([x, y, x * y], dim=-1))  # type: ignore[no-any-return]


class ColumnNetwork(nn.Module):
    """Two ReLU layers with a skip over blocks of features; one output for each relation label."""

    def __init__(self, inputs: Sequence[nn.Module], settings: ClassifierSettings) -> None:
        super().__init__()
        self.inputs = nn.ModuleList(inputs)
        self.bias = nn.Parameter(torch.zeros(settings.hidden))
        self.second = nn.Linear(settings.hidden, settings.hidden)
        self.output = nn.Linear(settings.hidden, len(Relation))
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, blocks: Sequence[Tensor], relations: Tensor) -> Tensor:
        """Log-odds of each pair's own label, for each draw; a block of one draw stands beside all draws of others.

        *Shape:* blocks (pairs, draws or 1, width), relations (pairs), to (pairs, draws)
        """
        sums = self.bias
        for block, layer in zip(blocks, self.inputs, strict=True):
            sums = sums + layer(block)
        hidden = self.dropout(torch.relu(sums))
        logits = self.output(hidden + self.dropout(torch.relu(self.second(hidden))))
        place = relations.view(-1, 1, 1).expand(-1, logits.shape[1], 1)
        return logits.gather(2, place)[..., 0]  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class NetworkInput:
    """What one network reads: the family's blocks, and the number of entities where a block holds their rows."""

    pairs: FamilyPairs
    features: FamilyBlocks
    n_entities: int = 0
    trained_dimensions: int = 64

    def layers(self, settings: ClassifierSettings) -> list[nn.Module]:
        """First layers, one a block: integers are rows of a table to be trained."""
        return [
            TrainedPair(self.n_entities, self.trained_dimensions, settings.hidden)
            if block.values.dtype == np.int64
            else nn.Linear(block.values.shape[-1], settings.hidden, bias=False)
            for block in self.features.blocks
        ]

    def gather(self, places: IntArray) -> list[Tensor]:
        """Blocks of some rows to train on."""
        return [torch.from_numpy(block.values[places]) for block in self.features.blocks]

    def evaluated(self, places: IntArray) -> list[Tensor]:
        """Blocks of some rows to predict from."""
        return [
            torch.from_numpy(block.evaluated(places) if block.evaluated else block.values[places])
            for block in self.features.blocks
        ]


def train_and_score(inputs: NetworkInput, fit: Fit, settings: ClassifierSettings) -> dict[Kind, FloatArray]:
    """Train on a fit's rows; score each column's rows with the epoch that is best on that column's stopping rows.

    Returns:
        Probabilities of the rows of `fit.reads`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = ColumnNetwork(inputs.layers(settings), settings)
        best = _train(network, inputs, fit, settings)
    scores = {}
    for kind, rows in fit.reads.items():
        network.load_state_dict(best[kind])
        scores[kind] = predict(network, inputs, rows, draws=True)
    return scores


def _train(
    network: ColumnNetwork, inputs: NetworkInput, fit: Fit, settings: ClassifierSettings
) -> dict[Kind, dict[str, Any]]:
    random = np.random.default_rng(settings.seed)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    figures = dict.fromkeys(fit.stops, -1.0)
    best = {kind: copy.deepcopy(network.state_dict()) for kind in fit.stops}
    last_better = 0
    for epoch in range(1, settings.max_epochs + 1):
        _epoch(network, inputs, fit.training, optimizer, (settings.batch_size, random))
        for kind, rows in fit.stops.items():
            figure = average_precision(inputs.pairs.positive[rows], predict(network, inputs, rows))
            if figure > figures[kind]:
                figures[kind], best[kind], last_better = figure, copy.deepcopy(network.state_dict()), epoch
        if epoch - last_better >= settings.patience:
            break
    return best


def _epoch(
    network: ColumnNetwork,
    inputs: NetworkInput,
    training: IntArray,
    optimizer: torch.optim.Optimizer,
    batches: tuple[int, np.random.Generator],
) -> None:
    """One pass over the training rows; symmetric pairs come in either order."""
    size, random = batches
    network.train()
    order = random.permutation(training)
    turned = random.random(len(order)) < 0.5
    places = np.where(turned, inputs.features.turned[order], order)
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        relations = torch.from_numpy(inputs.pairs.relations[rows])
        log_odds = network(inputs.gather(places[start : start + size]), relations)
        wanted = torch.from_numpy(inputs.pairs.positive[rows]).to(log_odds.dtype)
        # Shah and Fauqueur (2020), Eq. 20: the mean over draws of log p(r|z)
        loss = F.binary_cross_entropy_with_logits(log_odds, wanted[:, None].expand_as(log_odds))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@torch.no_grad()
def predict(network: ColumnNetwork, inputs: NetworkInput, rows: IntArray, draws: bool = False) -> FloatArray:
    """Mean probability over draws, and over both orders of symmetric pairs.

    Args:
        network: The classifier.
        inputs: Features.
        rows: Rows of the family.
        draws: Whether to draw anew, and more, where a representation is drawn; else the training draws are used.
    """
    network.eval()
    scores: npt.NDArray[np.float64] = np.zeros(len(rows))
    n_draws = max((block.values.shape[1] for block in inputs.features.blocks), default=1)
    size = max(1, _ROWS // (8 * n_draws if draws else n_draws))
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        places = [part, inputs.features.turned[part]]
        orders = places if (places[0] != places[1]).any() else places[:1]
        probabilities = []
        for own in orders:
            blocks = inputs.evaluated(own) if draws else inputs.gather(own)
            log_odds = network(blocks, torch.from_numpy(inputs.pairs.relations[part]))
            probabilities.append(torch.sigmoid(log_odds.double()).mean(1).numpy())
        scores[start : start + size] = np.mean(probabilities, axis=0)
    return scores
