"""Settings that several parts share."""

import os
from pathlib import Path

__all__ = ["cache_folder", "default_store"]


def cache_folder() -> Path:
    """Return the folder for what can be made again: `FAIRAGE_CACHE`, else `~/.cache/fairage`."""
    named = os.environ.get("FAIRAGE_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "fairage"


def default_store() -> Path:
    """Return the folder of the embedding store that commands use where none is given."""
    return cache_folder() / "embeddings"
