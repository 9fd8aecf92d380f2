"""Where the cache lies."""

import os
from pathlib import Path

import platformdirs

ENVIRONMENT_VARIABLE = "RELVM_KG_CACHE"


def cache_root(explicit: Path | None = None) -> Path:
    """The cache folder: named, else of the environment, else the user's own."""
    if explicit is not None:
        return explicit
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(named)
    return Path(platformdirs.user_cache_dir("relvm-kg"))


def data_folder(name: str, cache: Path | None = None) -> Path:
    """Where a data set lies, or would lie."""
    return cache_root(cache) / "data" / name
