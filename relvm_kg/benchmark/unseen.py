"""How well entities do that training never saw: beside the same entities trained in, and beside the profiles alone.

Entities are left out of training altogether, and get vectors from their own sentences afterwards. Their labelled pairs
are scored by classifiers that never saw a label of theirs, whichever way the vectors came about; so the difference is
what leaving their text out of training costs.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from relvm_kg.benchmark.bootstrap import average_precision_difference
from relvm_kg.benchmark.classification import PairTable
from relvm_kg.benchmark.columns.pairs import FamilyPairs
from relvm_kg.benchmark.columns.settings import ClassifierSettings, ColumnSettings, Kind
from relvm_kg.benchmark.columns.sources import load_source
from relvm_kg.benchmark.triples import FloatArray, IntArray
from relvm_kg.benchmark.unseen_arms import MEAN, MEAN_AND_VECTORS, PROFILES, Arm, similarity, trained_model
from relvm_kg.benchmark.unseen_pairs import can_be_scored, choose_entities, unseen_families, unseen_fit
from relvm_kg.benchmark.variants import Variant
from relvm_kg.config import require, settings_to_mapping
from relvm_kg.encoding.projection import EntityCounts
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import atomic_path, read_json, write_json
from relvm_kg.metrics import average_precision
from relvm_kg.model.presets import EntityStart
from relvm_kg.progress import Progress
from relvm_kg.training.data import load_corpus
from relvm_kg.workspace import Workspace

LeaveOut = Callable[[Workspace, Sequence[str], Path, Progress], tuple[Workspace, EntityCounts]]
"""Makes a workspace without some entities, and counts what their sentences hold (`relvm_kg.pipeline.leave_out`)."""
RESULT, SETTINGS = "unseen.json", "settings.json"
UNSEEN, TRAINED_IN = "unseen", "trained in"
Scores = Mapping[str, Mapping[str, FloatArray]]
"""Scores of the tested pairs, by arm and representation."""
N_RESAMPLES = 1000
SENTENCES = (1, 5, 10, 30, 100)
"""Where ranges of the number of sentences begin."""
VERSION = 1
"""Stands in the settings that results are kept under: raised when the same settings give other figures."""


@dataclass(frozen=True, kw_only=True)
class UnseenSettings:
    """What is left out, trained and scored."""

    variant: Variant
    """Settings of the representation, with its budget."""
    n_entities: int = 300
    """Entities that are left out."""
    seed: int = 0
    """Of their choice."""
    pairs: ColumnSettings = field(default_factory=ColumnSettings)
    """How many pairs are drawn."""
    classifier: ClassifierSettings = field(default_factory=ClassifierSettings)
    """The classifier on each representation."""

    def __post_init__(self) -> None:
        require(self.n_entities >= 1, "unseen.n_entities", "be at least 1", self.n_entities)
        if self.variant.model.entity_start is EntityStart.RANDOM:
            raise InvalidInputError(
                f"variant {self.variant.name!r} starts entity vectors at random, so that an entity without training "
                "has none; take one that starts them from profiles"
            )


def run_unseen(
    workspace: Workspace, folder: Path, settings: UnseenSettings, leave_out: LeaveOut, progress: Progress
) -> dict[str, Any]:
    """Train with and without some entities, and score their labelled pairs; an interrupted call goes on.

    Args:
        workspace: One with a corpus; it is only read.
        folder: Where corpus, runs, scores and the result (`unseen.json`) go.
        settings: What to do.
        leave_out: Makes the workspace without the entities.
        progress: Where progress goes.

    Returns:
        The result as JSON values.

    Raises:
        InvalidInputError: if the folder holds results of other settings, or there are too few entities.
    """
    stored = _check_folder(folder, workspace, settings)
    if (folder / RESULT).is_file():
        result: dict[str, Any] = read_json(folder / RESULT)
        return result
    source = load_source(workspace)
    entities = choose_entities(source, settings.n_entities, settings.seed)
    ids = [source.ids[row] for row in entities.tolist()]
    families = unseen_families(source, entities, settings.pairs)
    del source
    without, counts = leave_out(workspace, ids, folder / "without", progress)
    arms, moved = _arms((workspace, without), folder, settings, (entities, counts), progress)
    sentences = np.zeros(len(arms[UNSEEN].profiles), dtype=np.int64)
    sentences[entities] = counts.n_sentences
    result = {
        **stored,
        "simulated": workspace.manifest.simulated,
        "entities": dict(zip(ids, counts.n_sentences.tolist(), strict=True)),
        "similarity": moved,
        "families": {},
    }
    progress.say("scoring")
    for family, pairs in families.items():
        if not can_be_scored(pairs):
            progress.say(f"too few {family.value} pairs: left out")
            continue
        path = folder / f"scores-{family.name.lower()}.npz"
        if not path.is_file():
            _save(path, {way: arm.scores(pairs, settings.classifier) for way, arm in arms.items()})
        result["families"][family.value] = _figures(pairs, _load(path), sentences)
    write_json(folder / RESULT, result)
    return result


def _arms(
    workspaces: tuple[Workspace, Workspace],
    folder: Path,
    settings: UnseenSettings,
    left_out: tuple[IntArray, EntityCounts],
    progress: Progress,
) -> tuple[dict[str, Arm], float]:
    """Both arms, trained on the workspaces with and without the entities; and how near vectors stay to their start."""
    whole, corpus = (load_corpus(workspace.corpus_dir) for workspace in workspaces)
    model, training = settings.variant.model, settings.variant.training
    progress.say("training without the entities, then with them")
    unseen = trained_model(corpus, folder / "run-without", model, training, progress)
    seen = trained_model(whole, folder / "run-with", model, training, progress)
    moved = similarity(corpus, unseen)
    return {UNSEEN: Arm.unseen(corpus, unseen, *left_out), TRAINED_IN: Arm.trained_in(whole, seen)}, moved


def _check_folder(folder: Path, workspace: Workspace, settings: UnseenSettings) -> dict[str, Any]:
    """Write down what the folder is of, or compare."""
    stored: dict[str, Any] = {
        "version": VERSION,
        "corpus_hash": workspace.manifest.corpus_hash,
        "settings": {
            **{name: getattr(settings, name) for name in ("n_entities", "seed")},
            **{name: settings_to_mapping(getattr(settings, name)) for name in ("pairs", "classifier")},
            "variant": settings.variant.name,
            "model": settings_to_mapping(settings.variant.model),
            "training": settings_to_mapping(settings.variant.training),
        },
    }
    stored = json.loads(json.dumps(stored))
    path = folder / SETTINGS
    if path.is_file() and read_json(path) != stored:
        raise InvalidInputError(f"{folder} holds results of other settings or another corpus; name another folder")
    write_json(path, stored)
    return stored


def _save(path: Path, scores: Scores) -> None:
    arrays: dict[str, Any] = {
        f"{way}|{name}": values for way, found in scores.items() for name, values in found.items()
    }
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, **arrays)


def _load(path: Path) -> Scores:
    found: dict[str, dict[str, FloatArray]] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            way, name = key.split("|")
            found.setdefault(way, {})[name] = arrays[key]
    return found


def _figures(pairs: FamilyPairs, scores: Scores, sentences: IntArray) -> dict[str, Any]:
    """Area under precision-recall in both arms, and the differences that answer the question."""
    tested = pairs.take(unseen_fit(pairs).reads[Kind.ONE_COLD])

    def table(way: str, name: str) -> PairTable:
        return PairTable(tested.heads, tested.relations, tested.tails, tested.positive, scores[way][name])

    def difference(first: tuple[str, str], second: tuple[str, str]) -> dict[str, Any]:
        found = average_precision_difference(table(*first), table(*second), N_RESAMPLES, seed=0)
        return {"first": list(first), "second": list(second), **{k: round(v, 4) for k, v in found._asdict().items()}}

    compared = [((UNSEEN, name), (TRAINED_IN, name)) for name in scores[UNSEEN]]
    compared += [((UNSEEN, name), (UNSEEN, PROFILES)) for name in (MEAN, MEAN_AND_VECTORS)]
    return {
        "n": len(tested),
        "n_positive": int(tested.positive.sum()),
        "n_training": len(unseen_fit(pairs).training),
        "prevalence": round(float(tested.positive.mean()), 4),
        "average_precision": _areas(tested, scores, np.arange(len(tested))),
        "by_sentences": _by_sentences(tested, scores, sentences),
        "differences": [difference(*pair) for pair in compared],
    }


def _areas(tested: FamilyPairs, scores: Scores, rows: IntArray) -> dict[str, dict[str, float]]:
    return {
        way: {name: round(average_precision(tested.positive[rows], values[rows]), 4) for name, values in found.items()}
        for way, found in scores.items()
    }


def _by_sentences(tested: FamilyPairs, scores: Scores, sentences: IntArray) -> list[dict[str, Any]]:
    """The same areas by the number of sentences that the left-out entity's vector rests on."""
    own = np.maximum(sentences[tested.heads], sentences[tested.tails])
    found = []
    for low, high in pairwise((*SENTENCES, None)):
        assert low is not None
        rows = np.flatnonzero((own >= low) & (own < (np.inf if high is None else high)))
        if tested.positive[rows].any():
            figures = {"n": len(rows), "prevalence": round(float(tested.positive[rows].mean()), 4)}
            areas = _areas(tested, scores, rows)
            found.append({"from": low, "below": high, **figures, "average_precision": areas})
    return found
