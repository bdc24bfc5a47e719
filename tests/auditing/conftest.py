"""Tables, error laws and persons that several tests of the audit use."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.groups import Floats, Groups, Units, groups_of

Law = Callable[[np.random.Generator, int], Floats]


def half_normal(rng: np.random.Generator, n: int) -> Floats:
    """Absolute errors of mean 1, light tails."""
    return np.abs(rng.standard_normal(n)) / np.sqrt(2 / np.pi)


def lognormal(rng: np.random.Generator, n: int) -> Floats:
    """Absolute errors of mean 1, heavy tails."""
    return np.exp(0.6 * rng.standard_normal(n) - 0.18)


def signs(rng: np.random.Generator, n: int) -> Floats:
    return np.where(rng.random(n) < 0.5, -1.0, 1.0)


@pytest.fixture
def light() -> Law:
    return half_normal


@pytest.fixture
def heavy() -> Law:
    return lognormal


@pytest.fixture
def signed() -> Callable[[np.random.Generator, Floats], Floats]:
    """Gives absolute errors a sign, each way as often: the mean error is 0."""
    return lambda rng, absolute: absolute * signs(rng, len(absolute))


@pytest.fixture
def groups_sized() -> Callable[..., Groups]:
    """Groups a, b, c, ... of these sizes, one after the other."""

    def make(*sizes: int) -> Groups:
        names = [chr(ord("a") + i) if len(sizes) <= 26 else f"g{i:03d}" for i in range(len(sizes))]
        return groups_of(names, np.repeat(np.arange(len(sizes)), sizes))

    return make


@pytest.fixture
def people() -> Callable[..., Units]:
    """Persons of these numbers of rows, one after the other."""
    return lambda *sizes: Units(np.repeat(np.arange(len(sizes)), sizes), len(sizes))


@pytest.fixture
def predictions() -> pl.DataFrame:
    """Four hundred rows: men are estimated worse than women; one place has few rows."""
    rng = np.random.default_rng(5)
    n = 400
    ages = rng.uniform(5, 80, n).round(1)
    gender = rng.choice(["female", "male"], n)
    noise = rng.normal(0, np.where(gender == "male", 9.0, 2.0))
    return pl.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(n)],
            "age": ages,
            "prediction": np.clip(ages + noise, 0.0, 119.0).round(2),
            "gender": gender,
            "ethnicity": rng.choice(["a", "b", "c"], n, p=[0.7, 0.26, 0.04]),
        }
    )


@pytest.fixture
def small() -> AuditSettings:
    """Settings under which groups of ten rows take part."""
    return AuditSettings(min_rows=10)
