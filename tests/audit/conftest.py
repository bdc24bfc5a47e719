"""Tables of predictions that several tests of the audit use."""

import numpy as np
import polars as pl
import pytest

from fairage.audit.settings import AuditSettings


@pytest.fixture
def predictions_frame(rng: np.random.Generator) -> pl.DataFrame:
    """Two hundred rows in which men are estimated worse than women."""
    n = 200
    ages = rng.uniform(5, 80, n).round(1)
    gender = rng.choice(["female", "male"], n)
    noise = rng.normal(0, np.where(gender == "male", 8.0, 2.0))
    return pl.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(n)],
            "age": ages,
            "prediction": (ages + noise).round(2),
            "gender": gender,
            "place": rng.choice(["a", "b", "c"], n, p=[0.7, 0.2, 0.1]),
        }
    )


@pytest.fixture
def quick() -> AuditSettings:
    return AuditSettings(replicates=100, permutations=100)
