"""Runs of experts alone that an ensemble of the same experts does along the way."""

from collections.abc import Sequence
from dataclasses import replace

from fairage.experiments.derived import expert_recipe, sole_expert
from fairage.experiments.recipe_model import Recipe
from fairage.experiments.workers import Batch, Job

__all__ = ["done_along", "trains_along"]


def done_along(batches: Sequence[Batch]) -> list[Batch]:
    """Move jobs of experts into those of ensembles that train the same experts on the same faces.

    Args:
        batches: Runs that are still to do, of recipes that fit their faces.

    Returns:
        The same runs, each once; a batch of which nothing is left is left out.
    """
    taken: list[Job] = []
    found = [
        replace(batch, jobs=[_with_along(job, batch, batches, taken) for job in batch.jobs])
        for batch in batches
    ]
    left = [replace(batch, jobs=[job for job in batch.jobs if job not in taken]) for batch in found]
    return [batch for batch in left if batch.jobs]


def trains_along(ensemble: Recipe, recipe: Recipe) -> bool:
    """Return whether one of the ensemble's experts is just what the other recipe trains."""
    told, attribute = ensemble.experts, sole_expert(recipe)
    if told is None or attribute is None or (told.attributes and attribute not in told.attributes):
        return False
    if ensemble.stages or ensemble.after or max(ensemble.parts, ensemble.members) > 1:
        return False
    return expert_recipe(ensemble, told, attribute).fingerprint == recipe.fingerprint


def _with_along(job: Job, batch: Batch, batches: Sequence[Batch], taken: list[Job]) -> Job:
    """Return the job with those that it does along, which are added to what is taken."""
    along = [
        other
        for others in batches
        if others.data is batch.data
        for other in others.jobs
        if other.seed == job.seed and other not in taken
        if trains_along(job.recipe, other.recipe)
    ]
    taken += along
    return replace(job, along=tuple(along))
