"""Whether the files of a model folder from elsewhere are of one model, before any of it is used."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from relvm_kg.classify.mention import SETTINGS as MENTION_SETTINGS
from relvm_kg.classify.mention import WEIGHTS as MENTION_WEIGHTS
from relvm_kg.classify.mention import MentionClassifier, MentionReport, load_mention_classifier
from relvm_kg.classify.pair import SETTINGS as PAIR_SETTINGS
from relvm_kg.classify.pair import WEIGHTS as PAIR_WEIGHTS
from relvm_kg.classify.pair import PairReport
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.config import settings_from_mapping
from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.errors import InvalidInputError, RelvmKgError
from relvm_kg.model.checkpoint import CONFIG, FORMAT_VERSION, WEIGHTS, BundleConfig
from relvm_kg.model.projection_file import PROJECTION, load_projection
from relvm_kg.model.relvm import Relvm
from relvm_kg.pipeline.run_info import describe_run
from relvm_kg.scoring.scorer import RelvmScorer
from relvm_kg.workspace import WorkspaceManifest, read_json

_DAMAGE = (
    RelvmKgError,
    SafetensorError,
    pa.ArrowException,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What reading a file of another form than expected ends with."""


def check_model(folder: Path, run_id: str) -> None:
    """Load a model folder with care.

    The shapes that the configuration asks for are compared with the weights on disk before any memory is taken for
    them, so that a small file cannot ask for a large model.

    Raises:
        InvalidInputError: if a file is damaged or they do not fit one another.
    """
    try:
        _check(folder, run_id)
    except InvalidInputError:
        raise
    except _DAMAGE as error:
        raise InvalidInputError(f"the archive must hold a whole model, it does not load: {error}") from error


def _check(folder: Path, run_id: str) -> None:
    values = read_json(folder / CONFIG)
    if not isinstance(values, dict) or values.get("format_version") != FORMAT_VERSION:
        raise InvalidInputError(f"{CONFIG} of a model archive must have format_version {FORMAT_VERSION}")
    config = settings_from_mapping(BundleConfig, values)
    if config.run_id != run_id:
        raise InvalidInputError(f"{CONFIG} must be of run {run_id!r}, was of: {config.run_id!r}")
    n_rows = pq.read_metadata(folder / "entities.parquet").num_rows
    if n_rows != config.n_entities:
        raise InvalidInputError(f"entities.parquet must hold {config.n_entities} rows as {CONFIG} says, was: {n_rows}")
    _check_shapes(folder / WEIGHTS, lambda: Relvm(config.model, config.n_entities, config.n_vocabulary))
    pair = settings_from_mapping(PairReport, read_json(folder / PAIR_SETTINGS))
    _check_shapes(folder / PAIR_WEIGHTS, lambda: PairClassifier(config.model.latent, pair.config.hidden))
    if (folder / MENTION_SETTINGS).is_file():
        mention = settings_from_mapping(MentionReport, read_json(folder / MENTION_SETTINGS))
        _check_shapes(folder / MENTION_WEIGHTS, lambda: MentionClassifier(mention.model, mention.n_vocabulary))
        load_mention_classifier(folder)
    if (folder / PROJECTION).is_file():
        load_projection(folder, config.n_vocabulary, config.n_entities, config.model)
    RelvmScorer.load(folder, torch.device("cpu"))
    _check_names(folder)
    _check_report(folder)


def _check_shapes(path: Path, make: Callable[[], nn.Module]) -> None:
    """Whether a weights file holds the tensors of a module, which is made without memory."""
    with torch.device("meta"):
        module = make()
    wanted = {name: list(tensor.shape) for name, tensor in module.state_dict().items()}
    with safe_open(path, framework="pt") as file:
        found = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  no mapping
    if wanted != found:
        differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise InvalidInputError(
            f"{path.name} must hold the weights that its settings describe, differs in: {differing[0]}"
        )


def _check_names(folder: Path) -> None:
    """Whether the names are of entities that the model has."""
    catalogue = Catalogue.load(folder)
    if len(set(catalogue.ids)) != len(catalogue):
        raise InvalidInputError("entities.parquet must hold each id once")
    rows = pq.read_table(folder / "synonyms.parquet", columns=["entity"])["entity"].to_numpy()
    if len(rows) and (rows.min() < 0 or rows.max() >= len(catalogue)):
        raise InvalidInputError("synonyms.parquet must name rows of entities.parquet, names others")
    catalogue.by_text  # noqa: B018  reads every name


def _check_report(folder: Path) -> None:
    """Whether `info` can read the report, and a benchmark the figures that it takes from it."""
    report = read_json(folder / "report.json")
    describe_run(folder, WorkspaceManifest())
    float(report["pair_classifier"]["validation_average_precision"])
    int(report["n_parameters"])
    float(report["epochs"])
