"""The tagger that a command uses: which names, and whether a type classifier helps."""

from pathlib import Path

from relvm_kg.entities.names_file import default_names_path
from relvm_kg.errors import InvalidInputError
from relvm_kg.tagging.tagger import Tagger
from relvm_kg.tagging.types import TypeClassifier

TYPE_MODEL = "type-model"


def default_type_model_path() -> Path:
    """Where `train-types` puts a type classifier, and where others look for one."""
    return default_names_path().parent / TYPE_MODEL


def load_tagger(names: Path | None = None, type_model: Path | None = None) -> Tagger:
    """A tagger ready to work.

    Args:
        names: The names catalogue; None takes the default one.
        type_model: A type classifier's folder; None takes the default one if it is there, else a fixed rule decides.

    Raises:
        InvalidInputError: if there is no names catalogue, or a file is damaged.
    """
    folder = found_type_model(type_model)
    if folder is None:
        return load_dictionary_tagger(names)
    from relvm_kg.classify.entity_type import EntityTypeModel

    return load_dictionary_tagger(names, EntityTypeModel.load(folder))


def found_type_model(type_model: Path | None) -> Path | None:
    """The type classifier that a tagger has: the one named, else the default one if it is there."""
    folder = type_model or default_type_model_path()
    return None if type_model is None and not folder.is_dir() else folder


def load_dictionary_tagger(names: Path | None = None, type_classifier: TypeClassifier | None = None) -> Tagger:
    """A tagger of a names catalogue, without a type classifier unless one is given.

    Raises:
        InvalidInputError: if there is no names catalogue, or it is damaged.
    """
    path = names or default_names_path()
    if not path.is_file():
        raise InvalidInputError(
            f"the tagger needs a names catalogue, there is none at {path}; make one with `relvm-kg data get names` and "
            "`relvm-kg names build`, or name one with --names"
        )
    return Tagger.load(path, type_classifier=type_classifier)
