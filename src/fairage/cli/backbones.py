"""What `fairage suite backbones` does with its options."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairage.config import default_store
from fairage.exceptions import ConfigError
from fairage.tables import read_faces

if TYPE_CHECKING:
    from fairage.experiments.versions import SuiteOutcome

__all__ = ["run_backbones"]

RECIPE = "published/0-baseline"


def run_backbones(
    faces: Sequence[Path],
    backbones: Sequence[str],
    out: Path,
    *,
    recipe: str | None,
    flip: bool,
    **options: Any,  # noqa: ANN401  # handed on to BackbonesSettings
) -> "SuiteOutcome":
    """Compare backbones on the faces tables of these files, each named after its file."""
    from fairage.embeddings import BackboneSpec
    from fairage.experiments.backbones import BackbonesSettings, compare_backbones
    from fairage.experiments.recipe import read_recipe

    if options["on_error"] not in ("fail", "skip"):
        raise ConfigError.unknown_name("--on-error", options["on_error"], ("fail", "skip"))
    names = [path.stem for path in faces]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"expected faces tables of different names, got {twice} twice, rename")
    settings = BackbonesSettings(
        backbones=tuple(BackboneSpec.parse(text, flip=flip) for text in backbones),
        store=options.pop("store") or default_store(),
        workers=options.pop("workers") or os.cpu_count() or 1,
        **options,
    )
    tables = {name: read_faces(path) for name, path in zip(names, faces, strict=True)}
    return compare_backbones(read_recipe(recipe or RECIPE), tables, settings, out)
