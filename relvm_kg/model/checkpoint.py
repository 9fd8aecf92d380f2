"""A model as a folder: weights, configuration, vocabulary and entities travel together and are checked when loaded."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from relvm_kg.config import settings_from_mapping, settings_to_mapping
from relvm_kg.encoding.vocabulary import Vocabulary
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import ModelConfig, TrainingConfig
from relvm_kg.model.relvm import Relvm
from relvm_kg.model.tensor_files import load_tensors, save_tensors
from relvm_kg.types import EntityType
from relvm_kg.workspace import atomic_path, file_sha256, read_json, write_json

FORMAT_VERSION = 1
CONFIG, WEIGHTS, VOCABULARY, ENTITIES = "config.json", "model.safetensors", "vocabulary.json", "entities.parquet"


@dataclass(frozen=True, kw_only=True)
class BundleConfig:
    """What `config.json` of a model folder holds."""

    format_version: int = FORMAT_VERSION
    run_id: str
    preset: str
    created_at: str
    """ISO 8601, UTC."""
    program_version: str
    corpus_hash: str
    """Hash of the corpus generation that the model was trained on."""
    simulated: bool
    """Whether that corpus is simulated."""
    n_entities: int
    n_vocabulary: int
    vocabulary_sha256: str = ""
    """Of the file; empty where an earlier version wrote the model."""
    model: ModelConfig
    training: TrainingConfig


@dataclass(frozen=True)
class EntityTable:
    """The entities a model knows, in the order of its rows."""

    frame: pa.Table
    """Columns id, type, name, synonyms, n_documents, has_text and others of the catalogue."""

    def __len__(self) -> int:
        return int(self.frame.num_rows)

    @cached_property
    def ids(self) -> list[str]:
        """CURIEs."""
        return list(self.frame["id"].to_pylist())

    @cached_property
    def rows(self) -> dict[str, int]:
        """CURIE to row."""
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def types(self) -> npt.NDArray[np.int64]:
        """Place of each entity's type in `EntityType`."""
        places = {kind.value: place for place, kind in enumerate(EntityType)}
        return np.array([places[kind] for kind in self.frame["type"].to_pylist()], dtype=np.int64)

    @cached_property
    def has_text(self) -> npt.NDArray[np.bool_]:
        """Whether a sentence of the training documents mentions the entity."""
        return np.asarray(self.frame["has_text"].to_numpy(zero_copy_only=False), dtype=bool)


@dataclass(frozen=True)
class Bundle:
    """A trained model with all that is needed to use it."""

    folder: Path
    config: BundleConfig
    model: Relvm
    vocabulary: Vocabulary
    entities: EntityTable

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Bundle":
        """Load and check a model folder.

        Raises:
            InvalidInputError: if parts are missing or do not fit one another.
        """
        values = read_json(folder / CONFIG)
        if values.get("format_version") != FORMAT_VERSION:
            raise InvalidInputError(
                f"{folder / CONFIG} must have format_version {FORMAT_VERSION}, was: {values.get('format_version')}"
            )
        config = settings_from_mapping(BundleConfig, values)
        vocabulary = Vocabulary.load(folder / VOCABULARY)
        entities = EntityTable(pq.read_table(folder / ENTITIES))
        for what, wanted, found in (
            (VOCABULARY, config.n_vocabulary, len(vocabulary)),
            (ENTITIES, config.n_entities, len(entities)),
        ):
            if wanted != found:
                raise InvalidInputError(f"{folder / what} must hold {wanted} rows as {CONFIG} says, was: {found}")
        _check_vocabulary(folder, config.vocabulary_sha256)
        model = Relvm(config.model, config.n_entities, config.n_vocabulary)
        load_weights(model, folder / WEIGHTS)
        return cls(folder, config, model.to(device).eval(), vocabulary, entities)


def _check_vocabulary(folder: Path, wanted: str) -> None:
    found = file_sha256(folder / VOCABULARY)
    if wanted and found != wanted:
        raise InvalidInputError(
            f"{folder / VOCABULARY} must be the one that the model was trained with (SHA-256 {wanted}), was: {found}; "
            "unpack or train the model again"
        )


def save_bundle(folder: Path, config: BundleConfig, model: Relvm, vocabulary: Vocabulary, entities: pa.Table) -> None:
    """Write a model folder; `config.json` comes last and makes it whole."""
    save_weights(folder / WEIGHTS, model)
    vocabulary.save(folder / VOCABULARY)
    with atomic_path(folder / ENTITIES) as temporary:
        pq.write_table(entities, temporary)
    config = replace(config, vocabulary_sha256=file_sha256(folder / VOCABULARY))
    write_json(folder / CONFIG, settings_to_mapping(config))


def save_weights(path: Path, module: nn.Module) -> None:
    """Write a module's weights atomically."""
    save_tensors(path, module.state_dict(), {})


def load_weights(module: nn.Module, path: Path) -> None:
    """Fill a module with weights, every one of them, of the right shape.

    Raises:
        InvalidInputError: if names or shapes differ.
    """
    tensors, _ = load_tensors(path)
    try:
        module.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise InvalidInputError(f"{path} does not fit the model: {error}") from error
