"""The two arms of the comparison: entities that training never saw, and the same entities trained in."""

import math
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
from relvm_kg.benchmark.unseen_pairs import unseen_fit
from relvm_kg.encoding.profiles import unit_rows
from relvm_kg.encoding.projection import EntityCounts, Projector
from relvm_kg.errors import WorkspaceError
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.progress import Progress
from relvm_kg.training.data import TrainingCorpus, start_dimensions
from relvm_kg.training.device import Device, torch_device
from relvm_kg.training.loop import Trainer

PROFILES, MEAN, MEAN_AND_VECTORS = "profiles", "z mean", "z mean and entity vectors"


def trained_model(
    corpus: TrainingCorpus, folder: Path, model: ModelConfig, training: TrainingConfig, progress: Progress
) -> Relvm:
    """A model trained to the end, or taken up where the folder's state left it."""
    trainer = Trainer(folder, corpus, model, training, torch_device(Device.CPU))
    if not trainer.finished:
        trainer.run(progress)
    return trainer.model.eval()


@dataclass(frozen=True, eq=False)
class Arm:
    """What pairs are scored with."""

    model: Relvm
    profiles: Float32Array
    """The profiles that entity vectors start from, rows of length 1. *Shape:* (entities, embedding)"""

    @classmethod
    def trained_in(cls, corpus: TrainingCorpus, model: Relvm) -> "Arm":
        """All entities as training left them."""
        return cls(model, _unit(corpus.start_vectors(model.config)))

    @classmethod
    def unseen(cls, corpus: TrainingCorpus, model: Relvm, entities: IntArray, counts: EntityCounts) -> "Arm":
        """Some entities with vectors from their sentences alone; their rows of the model are overwritten.

        Args:
            corpus: Without them.
            model: Trained on it.
            entities: Catalogue indices.
            counts: What their sentences hold, in the corpus's vocabulary.

        Raises:
            WorkspaceError: if the corpus keeps nothing that gives new entities vectors.
        """
        projector = Projector.load(corpus.folder)
        if projector is None:
            raise WorkspaceError(f"{corpus.folder} must hold the weights of its profiles; build it again")
        start = _unit(projector.cut(*start_dimensions(model.config)).start_vectors(counts))
        with torch.no_grad():
            rows = torch.from_numpy(start * np.float32(math.sqrt(model.config.embedding)))
            model.entities.table.weight[torch.from_numpy(entities)] = rows.to(model.device)
        profiles = _unit(corpus.start_vectors(model.config))
        profiles[entities] = start
        return cls(model, profiles)

    def scores(self, pairs: FamilyPairs, settings: ClassifierSettings) -> dict[str, FloatArray]:
        """Scores of the tested pairs by each representation."""
        mean, vectors = PriorMean(MEAN, self.model), entity_vectors("entity vectors", self.model)
        features: dict[str, tuple[PairFeatures, ...]] = {
            PROFILES: (profile_features(PROFILES, self.profiles),),
            MEAN: (mean,),
            MEAN_AND_VECTORS: (mean, vectors),
        }
        found = {}
        for name, parts in features.items():
            score = Representation(name=name, key="", features=parts).scorer(pairs, settings)
            found[name] = score(unseen_fit(pairs))[Kind.ONE_COLD]
        return found


def similarity(corpus: TrainingCorpus, model: Relvm) -> float:
    """Mean cosine of trained vectors and the profiles that they started from, entities weighted by their contexts."""
    n_contexts = np.asarray(corpus.entities["n_training_contexts"]).astype(np.float64)
    rows = np.flatnonzero(corpus.has_text & (n_contexts > 0))
    with torch.no_grad():
        trained = _unit(model.entities.table.weight[torch.from_numpy(rows).to(model.device)].cpu().numpy())
    cosines = (_unit(corpus.start_vectors(model.config))[rows] * trained).sum(axis=1)
    return float(np.average(cosines, weights=n_contexts[rows]))


def _unit(vectors: Float32Array) -> Float32Array:
    return unit_rows(vectors, vectors.shape[1])
