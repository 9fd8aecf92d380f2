"""Variants of the representation that the sweep compares, each a change of one or two settings of `default`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from relvm_kg.config import require, settings_to_mapping
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import (
    Bound,
    EntityStart,
    ModelConfig,
    Preset,
    Size,
    Softmax,
    TrainingConfig,
    model_config,
    training_config,
)

SWEEP_VERSION = 1
"""Part of a result's hash: raised whenever training or measurement change."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long each variant trains: the same for all, in contexts, so that a slow or busy machine changes nothing."""

    contexts: int = 150_000
    """A fixed sample of the training contexts; 0 takes all."""
    epochs: float = 2.0
    """Passes over them."""

    def __post_init__(self) -> None:
        require(self.contexts >= 0, "budget.contexts", "not be negative", self.contexts)
        require(self.epochs > 0, "budget.epochs", "be positive", self.epochs)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Settings under a name."""

    name: str
    model: ModelConfig
    training: TrainingConfig

    def with_budget(self, budget: Budget, seed: int) -> "Variant":
        """The same settings, trained for a budget from a seed."""
        training = replace(self.training, max_contexts=budget.contexts, epochs=budget.epochs, steps=0, seed=seed)
        return replace(self, training=training)

    def digest(self, corpus_hash: str) -> str:
        """Names the training of these settings on a corpus."""
        values = [SWEEP_VERSION, corpus_hash, settings_to_mapping(self.model), settings_to_mapping(self.training)]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


NO_FREE_BITS: Mapping[str, Any] = {"free_nats_per_unit": 0.0}


def _changed(name: str, model: Mapping[str, Any] | None = None, training: Mapping[str, Any] | None = None) -> Variant:
    start = model_config(Preset.DEFAULT, Size.X_SMALL), training_config(Preset.DEFAULT)
    return Variant(name=name, model=replace(start[0], **(model or {})), training=replace(start[1], **(training or {})))


def _paper() -> Variant:
    """The released architecture and loss, at the sweep's batch and learning rate, which a short run needs."""
    own, start = training_config(Preset.PAPER), training_config(Preset.DEFAULT)
    training = replace(start, bound=own.bound, type_share=own.type_share, gradient_limit=own.gradient_limit)
    training = replace(training, free_nats_per_unit=own.free_nats_per_unit)
    return Variant(name="paper", model=model_config(Preset.PAPER, Size.X_SMALL), training=training)


VARIANTS: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        _changed("default"),
        _paper(),
        _changed("rate-0.004", training={"learning_rate": 0.004}),
        _changed("start-random", {"entity_start": EntityStart.RANDOM}),
        _changed("start-text", {"entity_start": EntityStart.TEXT}),
        _changed("start-co-mention", {"entity_start": EntityStart.COMENTION}),
        _changed("no-residual", {"residual": False}),
        _changed("normalised", {"scale_entities": False}),
        _changed("wide-mean-start", {"wide_mean_start": True}),
        _changed("wide-deep-prior", {"prior_hidden": 512, "prior_layers": 3}),
        _changed("posterior-scale", {"posterior_scale": 0.5}, NO_FREE_BITS),
        _changed("no-free-bits", {"mixture": 0}, NO_FREE_BITS),
        _changed("no-free-bits-no-contrast", {"mixture": 0, "contrast": False}, NO_FREE_BITS),
        _changed("no-contrast", {"contrast": False}),
        _changed("free-bits-all-of-u", {"mixture": 0}, {"free_nats_per_unit": 0.02}),
        _changed("cyclical", training={"anneal_cycles": 4, "anneal": 0.5, **NO_FREE_BITS}),
        _changed("hierarchy", {"upper": 32}),
        _changed("u-dropout", training={"u_dropout": 0.5}),
        _changed("type-share-half", training={"type_share": 0.5}),
        _changed("per-token", training={"bound": Bound.PER_TOKEN}),
        _changed("pair-sampling", training={"pair_sampling": 0.5}),
        _changed("exact-softmax", training={"softmax": Softmax.EXACT}),
    )
}
"""All variants by name."""


def variants_of(names: tuple[str, ...]) -> list[Variant]:
    """Variants by name, all of them for no name.

    Raises:
        InvalidInputError: if a name is unknown.
    """
    for name in names:
        if name not in VARIANTS:
            raise InvalidInputError(f"a variant must be one of {', '.join(VARIANTS)}, was: {name!r}")
    return [VARIANTS[name] for name in names] or list(VARIANTS.values())
