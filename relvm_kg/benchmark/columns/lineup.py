"""The rows of the table: floors from counts and profiles, and the representations of a model."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from relvm_kg.benchmark.columns.entrants import (
    ComentionFigure,
    CountedLogistic,
    DegreeProduct,
    Entrant,
    LearnedEmbeddings,
    Representation,
)
from relvm_kg.benchmark.columns.features import Float32Array, PairFeatures, PairVectors, profile_features
from relvm_kg.benchmark.columns.label_features import RateAndCount
from relvm_kg.benchmark.columns.relvm_features import PriorDraws, PriorMean, entity_vectors, model_digest
from relvm_kg.benchmark.data import Comentions, read_comentions
from relvm_kg.encoding.profiles import load_profiles, unit_rows
from relvm_kg.model.relvm import Relvm


def load_floors(folder: Path) -> "Floors":
    """The floors of a corpus generation."""
    text, comention = load_profiles(folder)
    return Floors(text=text, comention=comention, comentions=read_comentions(folder, len(text)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Floors:
    """What a minute of linear algebra and counting gives, from training documents."""

    text: Float32Array
    """Text profile. *Shape:* (entities, 300)"""
    comention: Float32Array
    """Co-mention profile. *Shape:* (entities, 300)"""
    comentions: Comentions

    def counts(self) -> list[Entrant]:
        """Floors that no text has part in, but for the number of common sentences."""
        n, table = self.comentions.n_entities, self.comentions
        digest = array_digest(table.keys, table.n_sentences, table.npmi)
        return [
            DegreeProduct(n_entities=n),
            CountedLogistic(name="entity rate + count", key=f"rate {digest}", features=RateAndCount(table)),
            LearnedEmbeddings(),
            ComentionFigure(name="co-mention count", key=f"count {digest}", comentions=table, values=table.n_sentences),
            ComentionFigure(name="co-mention NPMI", key=f"npmi {digest}", comentions=table, values=table.npmi),
        ]

    def profiles(self) -> list[Entrant]:
        """The classifier on the profiles: each, and both beside one another."""
        text, comention = self._vectors()
        half = [unit_rows(profile, profile.shape[1] // 2) for profile in (self.text, self.comention)]
        both = profile_features("both profiles", *half)
        digest = array_digest(self.text, self.comention)
        return [
            _representation("text profile", f"text {digest}", text),
            _representation("co-mention profile", f"co-mention {digest}", comention),
            _representation("both profiles, 150 + 150", f"halves {digest}", both),
            _representation("both profiles, 300 + 300", f"both {digest}", text, comention),
        ]

    def stacked(self, name: str, model: Relvm) -> Entrant:
        """Both profiles, rate and count, and a model's z and entity vectors."""
        return Representation(
            name=f"{name}: all stacked",
            key=f"stacked {model_digest(model)} {array_digest(self.text, self.comention, self.comentions.keys)}",
            features=(*self._vectors(), PriorDraws("z", model), entity_vectors("entity vectors", model)),
            counted=(RateAndCount(self.comentions, with_sizes=True),),
        )

    def _vectors(self) -> tuple[PairVectors, PairVectors]:
        return (
            profile_features("text profile", unit_rows(self.text, self.text.shape[1])),
            profile_features("co-mention profile", unit_rows(self.comention, self.comention.shape[1])),
        )


def model_representations(name: str, model: Relvm) -> list[Entrant]:
    """What a classifier can read of a model: z, z's mean, entity vectors, and both together."""
    digest = model_digest(model)
    z, mean, vectors = PriorDraws("z", model), PriorMean("z mean", model), entity_vectors("entity vectors", model)
    parts: list[tuple[str, tuple[PairFeatures, ...]]] = [
        ("z", (z,)),
        ("z mean", (mean,)),
        ("entity vectors", (vectors,)),
        ("z mean + entity vectors", (mean, vectors)),
        ("z + entity vectors", (z, vectors)),
    ]
    return [_representation(f"{name}: {what}", f"{what} {digest}", *features) for what, features in parts]


def array_digest(*arrays: npt.NDArray[Any]) -> str:
    """SHA-256 of arrays' shapes and bytes."""
    digest = hashlib.sha256()
    for values in arrays:
        digest.update(f"{values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _representation(name: str, key: str, *features: PairFeatures) -> Representation:
    return Representation(name=name, key=key, features=features)
