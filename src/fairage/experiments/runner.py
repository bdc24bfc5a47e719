"""One run: a recipe and a seed, trained on embedded faces, into a folder."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from fairage.auditing.scoring import MIN_ROWS
from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.derived import sole_expert
from fairage.experiments.fitting import fit
from fairage.experiments.recipe_model import Recipe
from fairage.experiments.run_folder import write_run

__all__ = ["remove_scratch", "run_version"]


def run_version(
    recipe: Recipe,
    data: EmbeddedFaces,
    *,
    seed: int,
    folder: Path,
    along: Sequence[tuple[Recipe, Path]] = (),
    min_rows: int = MIN_ROWS,
) -> None:
    """Train, predict the test split and write bundle, predictions, log and `run.json`.

    The folder appears whole or not at all, so that an interrupted run is simply run again. Stages
    that train the backbone then go on with the epoch that was not finished: their checkpoints lie
    in a hidden folder beside it, which is removed when the run is whole.

    Args:
        recipe: What is trained how.
        data: The faces.
        seed: Settles all random numbers.
        folder: Where the run is written.
        along: Experts alone that the recipe trains among its own, and where the run of each is
            written: the same one that it would be alone.
        min_rows: Faces (persons, where they are known) that a group must have to take part in the
            scores.
    """
    fitted = fit(recipe, data, seed=seed, scratch=_scratch(folder))
    for alone, place in along:
        attribute = sole_expert(alone)
        assert attribute is not None, "only experts are trained along"
        write_run(alone, fitted.expert(attribute), data, seed=seed, folder=place, min_rows=min_rows)
    write_run(recipe, fitted, data, seed=seed, folder=folder, min_rows=min_rows)
    remove_scratch(folder)


def remove_scratch(folder: Path) -> None:
    """Remove what a run keeps beside its folder until that is whole."""
    shutil.rmtree(_scratch(folder), ignore_errors=True)


def _scratch(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.finetuning")
