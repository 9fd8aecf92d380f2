"""Settings as frozen dataclasses, to and from plain mappings; unknown keys are refused by their path."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, get_type_hints

from relvm_kg.errors import InvalidInputError

Settings = TypeVar("Settings")


def settings_to_mapping(settings: object) -> dict[str, Any]:
    """A frozen settings record as plain values, nested records as nested mappings."""
    if not is_dataclass(settings) or isinstance(settings, type):
        raise InvalidInputError(f"settings must be a dataclass instance, was: {type(settings).__name__}")
    mapping: dict[str, Any] = _plain(asdict(settings))
    return mapping


def _plain(value: Any) -> Any:
    """As JSON would give it back."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def settings_from_mapping(kind: type[Settings], values: Mapping[str, Any], path: str = "") -> Settings:
    """Read what `settings_to_mapping` wrote.

    Args:
        kind: The dataclass to make.
        values: Its fields.
        path: Where the mapping stands, for the error message.

    Raises:
        InvalidInputError: if a key is unknown or missing, or a value does not fit, with the key's path.
    """
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - known):
        raise InvalidInputError(f"unknown setting {path}{unknown[0]}; known are: {', '.join(sorted(known))}")
    converted: dict[str, Any] = {}
    for name, value in values.items():
        hint = hints[name]
        try:
            if isinstance(hint, type) and is_dataclass(hint):
                converted[name] = settings_from_mapping(hint, value, f"{path}{name}.")
            elif isinstance(hint, type) and issubclass(hint, Enum):
                converted[name] = hint(value)
            else:
                converted[name] = value
        except ValueError as error:
            raise InvalidInputError(f"setting {path}{name} does not fit: {error}") from error
    try:
        return kind(**converted)
    except TypeError as error:
        raise InvalidInputError(f"settings {path or kind.__name__} do not fit: {error}") from error


def require(condition: bool, path: str, rule: str, value: object) -> None:
    """Check one setting.

    Raises:
        InvalidInputError: `path must rule, was: value`.
    """
    if not condition:
        raise InvalidInputError(f"{path} must {rule}, was: {value}")
