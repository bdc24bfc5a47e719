"""Suites small enough to look at: each version's groups err by what a test says."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from fairage.auditing.suite_runs import SuiteRuns, VersionRuns

__all__ = ["make_suite", "predictions_of"]

Errors = Mapping[str, float]


def make_suite(
    errors: Mapping[str, Errors],
    *,
    n: int = 400,
    seeds: int | Mapping[str, int] = 3,
    noise: float = 1.0,
    own: float = 0.2,
    luck: float = 0.02,
    published: Mapping[str, dict[str, float]] | None = None,
    **options: object,
) -> SuiteRuns:
    """Make a suite.

    Args:
        errors: The mean error in years of each group of gender, by version.
        n: Faces, of ages from 10 to 75.
        seeds: Trainings of every version, or of each.
        noise: Deviation over faces that all trainings share.
        own: Deviation over faces that each training has for itself.
        luck: Deviation over trainings.
        published: The study's numbers of versions.
        options: Of `SuiteRuns`.
    """
    versions = []
    for number, (name, own_errors) in enumerate(errors.items()):
        count = seeds if isinstance(seeds, int) else seeds[name]
        frames = tuple(
            predictions_of(
                own_errors, n, noise=noise, own=own, luck=luck, version=number, seed=seed
            )
            for seed in range(count)
        )
        experiment = "0" if name == "baseline" else "1"
        title, description = name, f"What {name} is."
        versions.append(
            VersionRuns(experiment, name, title, description, (published or {}).get(name), frames)
        )
    return SuiteRuns("A suite", tuple(versions), {"Faces": f"test {n}"}, **options)  # type: ignore[arg-type]  # options by name


def predictions_of(
    errors: Errors, n: int, *, noise: float, own: float, luck: float, version: int, seed: int
) -> pl.DataFrame:
    """Return the predictions of one training; faces and what they do to all are always the same."""
    shared, alone = np.random.default_rng(0), np.random.default_rng([version, seed, 1])
    faces = noise * (shared.permutation(n) / (n - 1) - 0.5) * np.sqrt(12)
    trained = own * alone.normal(size=n) + luck * alone.normal()
    gender = np.array(list(errors))[np.arange(n) % len(errors)]
    mean = np.array([errors[name] for name in gender])
    ages = np.linspace(10, 75, n).round(1)
    return pl.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(n)],
            "age": ages,
            "prediction": ages + np.maximum(mean + faces + trained, 0.0),
            "gender": gender,
            "seed": np.full(n, seed),
        }
    )
