"""What `fairage suite backbones` does with its options."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fairage.cli.run_options import Common
from fairage.exceptions import ConfigError
from fairage.tables import Faces, read_faces

if TYPE_CHECKING:
    from fairage.experiments.plan import SuiteOutcome

__all__ = ["run_backbones"]

RECIPE = "published/0-baseline"


def run_backbones(
    faces: Sequence[Path],
    extra_faces: Mapping[str, Faces],
    out: Path,
    common: Common,
    *,
    recipe: str | None,
    concatenated: bool,
) -> "SuiteOutcome":
    """Compare backbones on the faces tables of these files, each named after its file."""
    from fairage.experiments.backbones import BackbonesSettings, compare_backbones
    from fairage.experiments.recipe import read_recipe

    names = [path.stem for path in faces]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"expected faces tables of different names, got {twice} twice, rename")
    settings = BackbonesSettings(concatenated=concatenated, extra_faces=extra_faces, **common)
    tables = {name: read_faces(path) for name, path in zip(names, faces, strict=True)}
    return compare_backbones(read_recipe(recipe or RECIPE), tables, settings, out)
