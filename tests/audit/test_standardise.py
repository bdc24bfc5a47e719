"""Group errors at one age mix."""

import numpy as np
import pytest

from fairage.audit.auditing import audit
from fairage.audit.settings import AuditSettings


def table(rng: np.random.Generator, n: int = 4000) -> dict[str, np.ndarray]:
    """Errors that grow with age alone; the men are older."""
    gender = rng.choice(["f", "m"], n)
    ages = np.where(gender == "m", rng.uniform(30, 70, n), rng.uniform(20, 60, n))
    return {"age": ages, "prediction": ages + ages / 10 * rng.choice([-1, 1], n), "gender": gender}


def test_a_gap_that_comes_from_age_goes_away(
    rng: np.random.Generator, quick: AuditSettings
) -> None:
    found = audit(table(rng), settings=quick).models[0].attribute("gender")
    assert found.standardised is not None
    assert found.bias.value == pytest.approx(1.0, abs=0.1)
    assert found.standardised.bias.value < 0.1
    assert (found.standardised.bands[0], found.standardised.end) == (30, 60)  # ages of both
    assert found.standardised.covered == pytest.approx(0.75, abs=0.03)


def test_it_equals_the_weighted_mean_over_bands(
    rng: np.random.Generator, quick: AuditSettings
) -> None:
    rows = table(rng)
    found = audit(rows, settings=quick).models[0].attribute("gender").standardised
    assert found is not None
    assert sum(found.mix) == pytest.approx(1)
    errors = np.abs(rows["prediction"] - rows["age"])
    band = np.searchsorted(found.bands, rows["age"], side="right") - 1
    band[rows["age"] >= found.end] = -1
    for group, estimate in found.groups.items():
        own = rows["gender"] == group
        slow = sum(share * errors[own & (band == i)].mean() for i, share in enumerate(found.mix))
        assert estimate.value == pytest.approx(slow)
        assert estimate.low <= slow <= estimate.high


def test_groups_that_share_no_age_are_not_standardised(quick: AuditSettings) -> None:
    rows = {
        "age": np.repeat([20.0, 60.0], 50),
        "prediction": np.tile([30.0, 50.0], 50),
        "gender": np.repeat(["f", "m"], 50),
    }
    assert audit(rows, settings=quick).models[0].attribute("gender").standardised is None


def test_a_small_group_is_left_out_by_name(rng: np.random.Generator, quick: AuditSettings) -> None:
    rows = table(rng)
    rows["gender"][:10] = "x"
    found = audit(rows, settings=quick).models[0].attribute("gender").standardised
    assert found is not None
    assert found.left_out == ("x",)
    assert set(found.groups) == {"f", "m"}


def test_a_group_of_one_person_has_no_interval(
    rng: np.random.Generator, quick: AuditSettings
) -> None:
    rows = table(rng, 400)
    alone = rows["gender"] == "m"
    rows["person"] = np.where(alone, -1, np.arange(400))
    found = audit(rows, identity="person", settings=quick).models[0].attribute("gender")
    assert found.standardised is not None
    assert found.standardised.groups["m"].low is None
    assert found.standardised.groups["f"].low is not None
    assert found.standardised.bias.low is None
    assert found.standardised.gap.low is None
