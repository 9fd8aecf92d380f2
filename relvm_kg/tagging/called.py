"""What text calls diseases and chemicals that vocabularies name otherwise."""

from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def also_called() -> dict[str, tuple[str, ...]]:
    """Names beside those of the catalogue, by id, gathered from annotated documents.

    >>> "nephrotoxicity" in also_called()["MESH:D007674"]
    True
    """
    return _read("diseases") | _read("chemicals")


@lru_cache(maxsize=1)
def formulas() -> dict[str, tuple[str, ...]]:
    """How formulas write ions and salts, by id.

    >>> formulas()["MESH:D012964"]
    ('Na+', 'Na(+)')
    """
    return _read("ions")


def _read(name: str) -> dict[str, tuple[str, ...]]:
    """A table of ids and names that comes with the package."""
    text = files("relvm_kg.tagging").joinpath(f"words/{name}.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {curie: tuple(names.split("|")) for curie, names in rows}
