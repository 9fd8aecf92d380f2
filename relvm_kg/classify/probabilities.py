"""Probabilities of pairs over common draws of z, and how uncertain they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from relvm_kg.classify.draws import Draws, draw_z
from relvm_kg.classify.factored import FactoredPairs, is_factorable
from relvm_kg.classify.labels import IntArray
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.model.relvm import Relvm

FloatArray = npt.NDArray[np.float32]

ROWS_AT_A_TIME = 32_768
"""Rows (pairs, orders and draws) of z that the plain path holds."""
ENOUGH_PARTNERS = 32
"""From this many pairs that share an entity on, folding it into the weights costs less than it saves."""


@dataclass(frozen=True)
class PairProbabilities:
    """Scores pairs with one model, one classifier and one set of draws."""

    model: Relvm
    classifier: PairClassifier
    draws: Draws
    """Common random numbers. *Shape:* (draws, latent)"""
    dtype: torch.dtype = torch.float32
    """Of the layers that every draw goes through."""

    @cached_property
    def _factored(self) -> FactoredPairs | None:
        if not is_factorable(self.model.prior):
            return None
        return FactoredPairs.of(self.model.entities, self.model.prior, self.classifier, self.draws, self.dtype)

    def of(self, heads: IntArray, tails: IntArray, columns: IntArray) -> tuple[FloatArray, FloatArray]:
        """Probability of the fitting label (mean over draws) and its uncertainty I(r; z) in nats.

        I(r; z) = H(mean of p) - mean of H(p), over the draws of z.

        Args:
            heads: Rows of the entity table.
            tails: Rows of the entity table.
            columns: The fitting label of each pair.

        Returns:
            *Shape:* (pairs), (pairs)
        """
        probabilities = np.empty(len(heads), dtype=np.float32)
        uncertainties = np.empty(len(heads), dtype=np.float32)
        for places, log_odds in self._log_odds(heads, tails, columns):
            p = torch.sigmoid(log_odds)
            mean = p.mean(1)
            spread = _entropy(mean) - _entropy(p).mean(1)
            probabilities[places] = mean.cpu().numpy()
            uncertainties[places] = spread.clamp_min(0).cpu().numpy()
        return probabilities, uncertainties

    def _log_odds(self, heads: IntArray, tails: IntArray, columns: IntArray) -> Iterator[tuple[IntArray, Tensor]]:
        """Places of some pairs with their log-odds, a column a draw and order, until all had their turn."""
        if self._factored is None:
            yield from self._plain(heads, tails, columns)
            return
        for group in _groups(heads, tails, columns):
            shared, other = (self._rows(side) for side in (group.shared, group.other))
            if group.alike:
                parts = self._factored.one_to_many(shared[0], other, group.column)
            else:
                parts = self._factored.pairs(shared, other, group.column)
            start = 0
            for part in parts:
                yield group.places[start : start + len(part)], part
                start += len(part)

    def _plain(self, heads: IntArray, tails: IntArray, columns: IntArray) -> Iterator[tuple[IntArray, Tensor]]:
        size = max(1, ROWS_AT_A_TIME // (2 * len(self.draws.u)))
        for start in range(0, len(heads), size):
            places = np.arange(start, min(start + size, len(heads)))
            x, y, c = (self._rows(side[places]) for side in (heads, tails, columns))
            yield places, self._plain_part(x, y, c)

    @torch.no_grad()
    def _plain_part(self, heads: Tensor, tails: Tensor, columns: Tensor) -> Tensor:
        log_odds: Tensor = self.classifier(draw_z(self.model, heads, tails, self.draws), columns)
        return log_odds

    def _rows(self, rows: IntArray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows)).to(self.model.device)


class _Group(NamedTuple):
    """Pairs of one label."""

    column: int
    places: IntArray
    """Among all pairs."""
    shared: IntArray
    """Rows of the side that has fewer entities."""
    other: IntArray
    alike: bool
    """Whether `shared` is one entity."""


def _groups(heads: IntArray, tails: IntArray, columns: IntArray) -> Iterator[_Group]:
    """Pairs by label and by the entity that enough of them share; those without such an entity together."""
    for column in np.unique(columns).tolist():
        places = np.flatnonzero(columns == column)
        (shared, n_heads), (other, n_tails) = ((side[places], len(np.unique(side[places]))) for side in (heads, tails))
        if n_tails < n_heads:
            shared, other = other, shared
        _, entity, counts = np.unique(shared, return_inverse=True, return_counts=True)
        alone = counts[entity] < ENOUGH_PARTNERS
        if alone.any():
            yield _Group(column, places[alone], shared[alone], other[alone], alike=False)
        for one in np.flatnonzero(counts >= ENOUGH_PARTNERS):
            own = entity == one
            yield _Group(column, places[own], shared[own], other[own], alike=True)


def _entropy(p: Tensor) -> Tensor:
    entropy: Tensor = torch.special.entr(p) + torch.special.entr(1 - p)
    return entropy


def pair_probabilities(
    model: Relvm, classifier: PairClassifier, heads: IntArray, tails: IntArray, columns: IntArray, draws: Draws
) -> tuple[FloatArray, FloatArray]:
    """Probabilities and uncertainties of pairs: see `PairProbabilities.of`."""
    return PairProbabilities(model, classifier, draws).of(heads, tails, columns)


def evaluation_draws(model: Relvm, samples: int, seed: int) -> Draws:
    """Draws that depend on the seed alone."""
    return Draws.sobol(samples, model.config.latent, seed).to(model.device)
