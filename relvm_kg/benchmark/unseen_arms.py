"""The two arms of the comparison: entities that training never saw, and the same entities trained in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from relvm_kg.benchmark.columns.entrants import Representation
from relvm_kg.benchmark.columns.features import Float32Array, PairFeatures, profile_features
from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.columns.relvm_features import PriorMean, entity_vectors
from relvm_kg.benchmark.columns.settings import ClassifierSettings, Kind
from relvm_kg.benchmark.triples import FloatArray, IntArray
from relvm_kg.benchmark.unseen_pairs import aliased, unseen_fit
from relvm_kg.benchmark.unseen_vectors import Shift, StepSettings, fitted_shift, stepped_vectors
from relvm_kg.encoding.batches import ContextRows
from relvm_kg.encoding.profiles import unit_rows
from relvm_kg.encoding.projection import EntityCounts, Projector
from relvm_kg.model.new_entities import with_new_entities
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.progress import Progress
from relvm_kg.training.data import TrainingCorpus, start_dimensions
from relvm_kg.training.device import Device, torch_device
from relvm_kg.training.loop import Trainer

TRAINED_IN = "trained in"
START, SHIFTED, STEPPED = "unseen: start", "unseen: start and map", "unseen: start and steps"
PROFILES, MEAN, MEAN_AND_VECTORS = "profiles", "z mean", "z mean and entity vectors"
Scores = Mapping[str, Mapping[str, FloatArray]]
"""Scores of the tested pairs, by representation and by where the left-out entities' vectors come from."""


def trained_model(
    corpus: TrainingCorpus, folder: Path, model: ModelConfig, training: TrainingConfig, progress: Progress
) -> Relvm:
    """A model trained to the end, or taken up where the folder's state left it."""
    trainer = Trainer(folder, corpus, model, training, torch_device(Device.CPU))
    if not trainer.finished:
        trainer.run(progress)
    return trainer.model.eval()


def seen_scores(corpus: TrainingCorpus, model: Relvm, pairs: FamilyPairs, settings: ClassifierSettings) -> Scores:
    """Scores with the entities trained in."""
    table = _profile_table(corpus, model.config)
    found = {}
    for name, features in _representations(model, table).items():
        found[name] = {TRAINED_IN: _scored(features, pairs, [], settings)[0]}
    return found


@dataclass(frozen=True, eq=False, kw_only=True)
class UnseenArm:
    """A model without some entities, and the vectors that they get from their sentences."""

    model: Relvm
    """With new rows: one for each entity and each way to its vector."""
    profiles: Float32Array
    """Profiles of all entities and, after them, of those left out, from their sentences."""
    aliases: Mapping[str, IntArray]
    """New row of each entity that was left out, for each way; its old row for all others. *Shape:* (entities)"""
    shift: Shift
    similarity: float
    """Mean cosine of trained vectors and their starts, entities weighted as in the map."""

    @classmethod
    def of(
        cls,
        corpus: TrainingCorpus,
        model: Relvm,
        left_out: "LeftOut",
        steps: StepSettings,
    ) -> "UnseenArm":
        """Project, move and train the vectors of the entities that were left out."""
        dimensions = start_dimensions(model.config)
        projector = Projector.load(corpus.folder)
        assert projector is not None
        start = _unit(projector.cut(*dimensions).start_vectors(left_out.counts))
        shift, similarity = _fitted(corpus, model, steps.seed)
        n, k = len(corpus.types), len(start)
        aliases = {}
        for place, way in enumerate((START, SHIFTED, STEPPED)):
            rows = np.arange(n)
            rows[left_out.entities] = n + place * k + np.arange(k)
            aliases[way] = rows
        contexts, own = _contexts(corpus, left_out, aliases[START])
        stepped = stepped_vectors(model, start, contexts, own, steps)
        vectors = torch.from_numpy(np.concatenate([start, _unit(shift.apply(start)), stepped]))
        return cls(
            model=with_new_entities(model, vectors),
            profiles=np.concatenate([_profile_table(corpus, model.config), start]),
            aliases=aliases,
            shift=shift,
            similarity=similarity,
        )

    def scores(self, pairs: FamilyPairs, settings: ClassifierSettings) -> Scores:
        """Scores of each representation with the vectors of each way; profiles have the start only."""
        found = {}
        for name, features in _representations(self.model, self.profiles).items():
            ways = [START] if name == PROFILES else list(self.aliases)
            scored = _scored(features, pairs, [self.aliases[way] for way in ways], settings)
            found[name] = dict(zip(ways, scored[1:], strict=True))
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class LeftOut:
    """The entities that were left out, and what their sentences hold."""

    entities: IntArray
    """Catalogue indices, rising."""
    counts: EntityCounts
    training_rows: IntArray
    """Contexts that training would have seen, had they not been left out."""


def _contexts(corpus: TrainingCorpus, left_out: LeftOut, alias: IntArray) -> tuple[ContextRows, IntArray]:
    """All contexts under the entities' new rows, and those that mention one of them."""
    heads, tails = corpus.contexts.heads, corpus.contexts.tails
    named = np.isin(heads, left_out.entities) | np.isin(tails, left_out.entities)
    rows = left_out.training_rows[named[left_out.training_rows]]
    return ContextRows(corpus.contexts.store, alias[heads], alias[tails]), rows


def _fitted(corpus: TrainingCorpus, model: Relvm, seed: int) -> tuple[Shift, float]:
    n_contexts = np.asarray(corpus.entities["n_training_contexts"]).astype(np.int64)
    rows = np.flatnonzero(corpus.has_text & (n_contexts > 0))
    start = _unit(corpus.start_vectors(model.config)[rows])
    with torch.no_grad():
        trained = _unit(model.entities.table.weight[torch.from_numpy(rows)].cpu().numpy())
    weights = n_contexts[rows] / n_contexts[rows].sum()
    return fitted_shift(start, trained, n_contexts[rows], seed), float(weights @ (start * trained).sum(axis=1))


def _unit(vectors: Float32Array) -> Float32Array:
    return unit_rows(vectors, vectors.shape[1])


def _profile_table(corpus: TrainingCorpus, model: ModelConfig) -> Float32Array:
    """The profiles that vectors start from, each row of length 1."""
    return _unit(corpus.start_vectors(model))


def _representations(model: Relvm, profiles: Float32Array) -> dict[str, tuple[PairFeatures, ...]]:
    mean, vectors = PriorMean(MEAN, model), entity_vectors("entity vectors", model)
    return {PROFILES: (profile_features(PROFILES, profiles),), MEAN: (mean,), MEAN_AND_VECTORS: (mean, vectors)}


def _scored(
    features: tuple[PairFeatures, ...], pairs: FamilyPairs, aliases: Sequence[IntArray], settings: ClassifierSettings
) -> list[FloatArray]:
    """Scores of the tested pairs under their entities' own rows, then under each alias."""
    tested = aliased(pairs, unseen_fit(pairs), aliases)
    scorer = Representation(name="unseen", key="", features=features).scorer(tested.pairs, settings)
    return np.split(scorer(tested.fit)[Kind.ONE_COLD], 1 + len(aliases))
