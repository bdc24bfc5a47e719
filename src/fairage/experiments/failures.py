"""Versions of which a training failed: they are left out of the tables, and told at last."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fairage.exceptions import FairageError
from fairage.experiments.plan import Plan
from fairage.experiments.workers import Done

__all__ = ["failures_of", "told_at_last", "without"]


def failures_of(plan: Plan, ended: Sequence[Done]) -> dict[str, FairageError]:
    """Return what is wrong with the first seed that failed of each version, by slug, in order."""
    failed = sorted((done for done in ended if done.error), key=lambda done: done.job.seed)
    found: dict[str, FairageError] = {}
    for version in plan.versions:
        slug = version.recipe.slug
        errors = (done.error for done in failed if done.job.recipe.slug == slug)
        error = next(errors, None)
        if error is not None:
            found[slug] = error
    return found


def without(plan: Plan, failed: Mapping[str, FairageError]) -> Plan:
    """Return the plan without versions that failed; where none is left, raise what is wrong."""
    left = [version for version in plan.versions if version.recipe.slug not in failed]
    if not left:
        raise next(iter(failed.values()))
    told = {
        slug: f"A training failed, which left out its version: {error}"
        for slug, error in failed.items()
    }
    return replace(plan, versions=left, left_out=plan.left_out | told)


def told_at_last(failed: Mapping[str, FairageError], report: Path) -> FairageError:
    """Return the one error that tells what is wrong with all versions that failed."""
    errors = list(failed.values())
    whole = f"the other versions are whole, their report is {str(report)!r}"
    return type(errors[0])(f"{'; '.join(map(str, errors))}; {whole}")
