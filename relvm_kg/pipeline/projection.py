"""Vectors for entities that a run never saw: kept when it is trained, or made from its corpus when first needed."""

from pathlib import Path

from relvm_kg.encoding.projection import Projector
from relvm_kg.errors import NoTextError
from relvm_kg.model.checkpoint import Bundle
from relvm_kg.model.presets import EntityStart, ModelConfig
from relvm_kg.model.projection_file import PROJECTION, load_projection, save_projection
from relvm_kg.pipeline.profiles import corpus_projector
from relvm_kg.progress import Progress
from relvm_kg.training.data import start_dimensions


def keep_projection(run: Path, corpus: Path, model: ModelConfig) -> None:
    """Keep in a run what its corpus generation kept.

    A run that starts entity vectors at random has no use for it, and a generation of an earlier version kept nothing.
    """
    projector = Projector.load(corpus)
    if projector is not None and model.entity_start is not EntityStart.RANDOM:
        save_projection(run, projector.cut(*start_dimensions(model)))


def run_projector(bundle: Bundle, corpus: Path | None, progress: Progress) -> Projector:
    """What makes vectors like those that the run started from.

    Args:
        bundle: The run.
        corpus: The generation that it was trained on, None where that is gone: what a run of an earlier version did
            not keep is computed from it, and kept.
        progress: Where progress goes.

    Raises:
        NoTextError: if the run gives no vector to entities that it never saw.
        InvalidInputError: if what it kept is damaged.
    """
    config, model = bundle.config, bundle.config.model
    if model.entity_start is EntityStart.RANDOM:
        raise NoTextError(
            f"run {config.run_id!r} started its entity vectors at random, so that an entity that it never saw has "
            "none; train one that starts them from profiles (--preset default)"
        )
    if not (bundle.folder / PROJECTION).is_file():
        if corpus is None:
            raise NoTextError(
                f"run {config.run_id!r} kept nothing that gives a vector to an entity that it never saw, and the "
                "corpus that it was trained on is not here; train again with relvm-kg train"
            )
        made = corpus_projector(corpus, progress).cut(*start_dimensions(model))
        try:
            save_projection(bundle.folder, made)
        except OSError:
            progress.say(f"{bundle.folder / PROJECTION} cannot be written, so it is computed again next time")
            return made
    return load_projection(bundle.folder, config.n_vocabulary, config.n_entities, model)
