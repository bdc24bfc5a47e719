"""Comparisons of made-up models, whose errors in each group are chosen, for tests of sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.comparison import compare
from fairage.auditing.comparison_result import ComparisonResult


@dataclass(frozen=True)
class Model:
    """What a model does to each group.

    Args:
        off: How many years it is off, by group, half of the faces upwards, half downwards.
        shift: How many years all of its estimates of a group are moved, by group.
        missing: Share of a group's faces without an estimate, by group.
        spread: Years by which each error varies beside that.
    """

    off: Mapping[str, float]
    shift: Mapping[str, float] | float = 0.0
    missing: Mapping[str, float] | float = 0.0
    spread: float = 0.5


def compared(
    a: Model,
    b: Model,
    *,
    n: int = 400,
    seed: int = 0,
    shared: float = 0.9,
    sizes: Sequence[float] | None = None,
    settings: AuditSettings | None = None,
    names: tuple[str, str] = ("one", "two"),
) -> ComparisonResult:
    """Return the comparison of two models on the same `n` faces; all are 30 years old.

    Args:
        a: The first.
        b: The second.
        n: Faces.
        seed: Start of the random numbers.
        shared: Share of the variation of errors that both models have in common.
        sizes: Share of each group; equal ones where nothing is given.
        settings: Options of the comparison.
        names: What the models are called.
    """
    rng = np.random.default_rng(seed)
    groups = list(a.off)
    if sizes is None:
        gender = np.array(groups)[np.arange(n) % len(groups)]
    else:
        counts = [round(share * n) for share in sizes]
        gender = np.repeat(groups, counts)
    n = len(gender)
    signs = np.where(np.arange(n) // len(groups) % 2 == 0, 1.0, -1.0)
    common = rng.standard_normal(n)
    tables = []
    for model in (a, b):
        own = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal(n)
        errors = signs * np.array([model.off[name] for name in gender]) + model.spread * own
        errors += _by_group(model.shift, gender)
        hidden = rng.random(n) < _by_group(model.missing, gender)
        tables.append(
            pl.DataFrame(
                {
                    "image": [f"{i}.jpg" for i in range(n)],
                    "age": np.full(n, 30.0),
                    "prediction": [
                        None if hide else 30 + e for hide, e in zip(hidden, errors, strict=True)
                    ],
                    "gender": gender,
                },
                schema_overrides={"prediction": pl.Float64},
            )
        )
    result = compare(*tables, attributes=["gender"], settings=settings)
    return replace(result, a=names[0], b=names[1])


def _by_group(values: Mapping[str, float] | float, gender: np.ndarray) -> np.ndarray:
    if isinstance(values, Mapping):
        return np.array([values.get(name, 0.0) for name in gender])
    return np.full(len(gender), float(values))
