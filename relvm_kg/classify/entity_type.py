"""The sentence classifier of entity types (Shah and Fauqueur 2020, section 4.1): gene, disease or chemical, by context.

A bidirectional LSTM reads the sentence; its two states at the mention, which is hidden behind `<ENT>`, lead to the
types. The forward state at the mention depends on the words before it only and the backward state on those after it,
so each direction reads one side.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from relvm_kg.classify.type_windows import Span, type_windows, window_ids
from relvm_kg.config import require, settings_from_mapping, settings_to_mapping
from relvm_kg.encoding.vocabulary import ENTITY, PAD, UNKNOWN, Vocabulary
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import file_sha256, read_json, write_json
from relvm_kg.model.checkpoint import load_weights, save_weights
from relvm_kg.types import EntityType

FORMAT_VERSION = 1
CONFIG, WEIGHTS, VOCABULARY = "config.json", "model.safetensors", "vocabulary.json"
_BATCH = 512

FloatArray = npt.NDArray[np.float32]


def _one_thread() -> None:
    torch.set_num_threads(1)


os.register_at_fork(after_in_child=_one_thread)  # PyTorch's threads do not survive a fork


@dataclass(frozen=True, kw_only=True)
class TypeModelConfig:
    """The shape of a type classifier."""

    window: int = 20
    """Tokens read on each side of the mention."""
    embedding: int = 64
    """Dimensions of a token's vector."""
    hidden: int = 64
    """Units of each direction of the LSTM."""
    dropout: float = 0.3
    """Share of the units left out in training, at the token vectors and before the output."""
    token_dropout: float = 0.1
    """Share of tokens read as unknown in training."""

    def __post_init__(self) -> None:
        for name in ("window", "embedding", "hidden"):
            require(getattr(self, name) >= 1, f"types.{name}", "be at least 1", getattr(self, name))
        for name in ("dropout", "token_dropout"):
            require(0 <= getattr(self, name) < 1, f"types.{name}", "be in [0, 1)", getattr(self, name))


@dataclass(frozen=True)
class SideBatch:
    """One side of some mentions, padded. *Shape:* tokens (mentions, length), lengths (mentions, on the CPU)."""

    tokens: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]], device: torch.device) -> "SideBatch":
        """Pad token ids to the longest."""
        lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
        tokens = np.full((len(sequences), int(lengths.max(initial=1))), PAD, dtype=np.int64)
        for row, sequence in enumerate(sequences):
            tokens[row, : len(sequence)] = sequence
        return cls(torch.from_numpy(tokens).to(device), torch.from_numpy(lengths))


class TypeNetwork(nn.Module):
    """Token vectors, one LSTM for each direction, and a layer from their states at the mention to the types."""

    def __init__(self, config: TypeModelConfig, n_vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(n_vocabulary, config.embedding, padding_idx=PAD)
        self.forward_lstm = nn.LSTM(config.embedding, config.hidden, batch_first=True)
        self.backward_lstm = nn.LSTM(config.embedding, config.hidden, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(2 * config.hidden, len(EntityType))
        with torch.no_grad():
            self.tokens.weight.mul_(0.3)

    def forward(
        self,
        left: Int[Tensor, "mentions before"],
        left_lengths: Int[Tensor, "mentions"],
        right: Int[Tensor, "mentions after"],
        right_lengths: Int[Tensor, "mentions"],
    ) -> Float[Tensor, "mentions types"]:
        """Logits of the types; both sides end at the mention, the right one is read backwards."""
        states = [
            self._state(self.forward_lstm, left, left_lengths),
            self._state(self.backward_lstm, right, right_lengths),
        ]
        logits: Tensor = self.output(self.dropout(torch.cat(states, 1)))
        return logits

    def _state(
        self, lstm: nn.LSTM, tokens: Int[Tensor, "mentions length"], lengths: Int[Tensor, "mentions"]
    ) -> Float[Tensor, "mentions hidden"]:
        if self.training and self.config.token_dropout:
            hidden = torch.rand(tokens.shape, device=tokens.device) < self.config.token_dropout
            tokens = torch.where(hidden & (tokens > ENTITY), torch.full_like(tokens, UNKNOWN), tokens)
        vectors = self.dropout(self.tokens(tokens))
        packed = nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        state: Tensor = lstm(packed)[1][0][0]
        return state


Sides = tuple[Sequence[int], Sequence[int]]
"""Ids of the left and of the right side, as `window_ids` gives them."""


def network_logits(network: TypeNetwork, sides: Sequence[Sides]) -> Tensor:
    """Logits of some mentions. *Shape:* (mentions, types)"""
    device = network.output.weight.device
    left, right = (SideBatch.of([side[i] for side in sides], device) for i in range(2))
    logits: Tensor = network(left.tokens, left.lengths, right.tokens, right.lengths)
    return logits


def sides_probabilities(network: TypeNetwork, sides: Sequence[Sides]) -> FloatArray:
    """Probabilities of the types, in batches of similar length. *Shape:* (mentions, types)"""
    result = np.empty((len(sides), len(EntityType)), dtype=np.float32)
    order = sorted(range(len(sides)), key=lambda row: len(sides[row][0]) + len(sides[row][1]))
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            logits = network_logits(network, [sides[row] for row in rows])
            result[rows] = torch.softmax(logits.float(), 1).cpu().numpy()
    return result


class EntityTypeModel:
    """A trained type classifier: a `TypeClassifier` for the tagger.

    It computes on the threads that PyTorch is set to. In a forked process that is one; there, a model on a CUDA device
    does not work.
    """

    def __init__(self, network: TypeNetwork, vocabulary: Vocabulary) -> None:
        self.network = network.eval()
        self.vocabulary = vocabulary

    @property
    def config(self) -> TypeModelConfig:
        """The shape of the network."""
        return self.network.config

    @cached_property
    def fingerprint(self) -> str:
        """Hash of weights, vocabulary and settings."""
        digest = hashlib.sha256(json.dumps(settings_to_mapping(self.config)).encode())
        digest.update("\n".join(self.vocabulary.tokens).encode())
        for name, values in sorted(self.network.state_dict().items()):
            digest.update(name.encode() + values.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def probabilities(self, sentences: Sequence[str], spans: Sequence[Span]) -> FloatArray:
        """The probability of each type for one mention in each sentence, the types equally frequent beforehand.

        Args:
            sentences: One for each mention.
            spans: Start and end of the mention in its sentence, in characters.

        Returns:
            Columns in the order of `EntityType`; rows sum to 1. *Shape:* (mentions, types)

        Raises:
            InvalidInputError: if there are not as many sentences as spans, or a span leaves its sentence.
        """
        return sides_probabilities(self.network, self.sides(sentences, spans))

    def sides(self, sentences: Sequence[str], spans: Sequence[Span]) -> list[Sides]:
        """Token ids around each mention."""
        ids = self.vocabulary.ids
        return [window_ids(window, ids) for window in type_windows(sentences, spans, self.config.window)]

    def save(self, folder: Path, notes: dict[str, Any]) -> None:
        """Write the parts of a bundle; `config.json` comes last and makes it whole.

        Args:
            folder: Where to; it exists.
            notes: What else `config.json` is to say: origin and figures.
        """
        save_weights(folder / WEIGHTS, self.network)
        self.vocabulary.save(folder / VOCABULARY)
        config = {
            "format_version": FORMAT_VERSION,
            "kind": "entity types",
            "types": [t.value for t in EntityType],
            "model": settings_to_mapping(self.config),
            "sha256": {name: file_sha256(folder / name) for name in (WEIGHTS, VOCABULARY)},
            **notes,
        }
        write_json(folder / CONFIG, config)

    @classmethod
    def load(cls, folder: Path, device: torch.device | None = None) -> "EntityTypeModel":
        """Load and check a bundle.

        Args:
            folder: The bundle.
            device: Where to compute; the CPU if not given.

        Raises:
            InvalidInputError: if it is none, is of another version, or a part is missing or was changed.
        """
        config = _checked_config(folder)
        for name, expected in config["sha256"].items():
            if not (folder / name).is_file():
                raise InvalidInputError(f"{folder / name} is missing; make the model again with relvm-kg train-types")
            if file_sha256(folder / name) != expected:
                raise InvalidInputError(
                    f"{folder / name} must be as {CONFIG} describes it, its bytes differ; make the model again with "
                    "relvm-kg train-types"
                )
        vocabulary = Vocabulary.load(folder / VOCABULARY)
        network = TypeNetwork(settings_from_mapping(TypeModelConfig, config["model"], "model."), len(vocabulary))
        load_weights(network, folder / WEIGHTS)
        return cls(network.to(device or torch.device("cpu")), vocabulary)


def _checked_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        raise InvalidInputError(f"{folder} must be a type model's folder, it has no {CONFIG}; see relvm-kg train-types")
    config = read_json(path)
    if not isinstance(config, dict) or config.get("kind") != "entity types":
        raise InvalidInputError(f"{path} must describe a type model; make one with relvm-kg train-types")
    if config.get("format_version") != FORMAT_VERSION:
        raise InvalidInputError(
            f"{path} must have format_version {FORMAT_VERSION}, was: {config.get('format_version')}"
        )
    if config.get("types") != [t.value for t in EntityType]:
        raise InvalidInputError(f"{path} must have types {[t.value for t in EntityType]}, was: {config.get('types')}")
    hashes = config.get("sha256")
    if (
        not isinstance(hashes, dict)
        or set(hashes) != {WEIGHTS, VOCABULARY}
        or not isinstance(config.get("model"), dict)
    ):
        raise InvalidInputError(f"{path} must give the sha256 of {WEIGHTS} and {VOCABULARY} and the model's settings")
    return config
