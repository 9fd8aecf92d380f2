"""What text calls diseases that vocabularies name otherwise, and several diseases in one phrase."""

from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def also_called() -> dict[str, tuple[str, ...]]:
    """Names beside those of the catalogue, by id (`words/diseases.tsv`).

    >>> "nephrotoxicity" in also_called()["MESH:D007674"]
    True
    """
    text = files("relvm_kg.tagging").joinpath("words/diseases.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {curie: tuple(names.split("|")) for curie, names in rows}
