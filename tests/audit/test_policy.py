"""Age assurance, against counting by hand."""

import numpy as np
import pytest

from fairage.audit.auditing import audit
from fairage.audit.settings import AuditSettings


@pytest.fixture
def table(rng: np.random.Generator) -> dict[str, np.ndarray]:
    n = 3000
    ages = rng.uniform(10, 40, n).round(1)
    gender = rng.choice(["f", "m"], n)
    wide = np.where(gender == "m", 5.0, 2.0)
    return {"age": ages, "prediction": (ages + rng.normal(0, wide)).round(1), "gender": gender}


def policy_of(table, **options):
    settings = AuditSettings(replicates=20, permutations=20, legal_age=18, **options)
    found = audit(table, settings=settings).models[0].policy
    assert found is not None
    return found


def test_rates_are_shares_of_those_under_and_of_legal_age(table) -> None:
    found = policy_of(table, challenge=25)
    young, passes = table["age"] < 18, table["prediction"] >= 25
    everyone = found.groups[0]
    assert (everyone.attribute, everyone.group) == ("all", "all")
    assert everyone.false_positive.value == pytest.approx(passes[young].mean())
    assert everyone.false_positive.n == young.sum()
    men = next(group for group in found.groups if group.group == "m")
    own = table["gender"] == "m"
    assert men.challenged.value == pytest.approx((~passes)[own & ~young].mean())
    assert men.false_positive.low <= men.false_positive.value <= men.false_positive.high


def test_without_a_challenge_the_threshold_is_the_legal_age(table) -> None:
    assert policy_of(table).threshold == 18


def test_the_threshold_reached_is_the_lowest_that_holds_for_the_worst_group(table) -> None:
    found = policy_of(table, wanted_rate=0.02)
    young = table["age"] < 18

    def worst(threshold: float) -> float:
        passes = table["prediction"] >= threshold
        return max(passes[young & (table["gender"] == g)].mean() for g in "fm")

    assert found.reached_at is not None
    assert worst(found.reached_at) <= 0.02 < worst(found.reached_at - 0.1)
    assert found.reached_by == ("gender", "m")
    grown = table["prediction"][~young]
    assert found.challenged_then.value == pytest.approx((grown < found.reached_at).mean())


def test_curves_equal_counting_at_each_threshold(table) -> None:
    found = policy_of(table)
    young = table["age"] < 18
    curve = next(curve for curve in found.curves if curve.group == "f")
    own = table["gender"] == "f"
    for threshold, wrong, asked in zip(
        found.thresholds, curve.false_positive, curve.challenged, strict=True
    ):
        passes = table["prediction"] >= threshold
        assert wrong == pytest.approx(passes[own & young].mean())
        assert asked == pytest.approx((~passes)[own & ~young].mean())


def test_curves_are_counted_at_the_thresholds_that_they_name() -> None:
    ages = np.repeat([10.0, 20.0], 140)
    table = {"age": ages, "prediction": np.tile(np.arange(140) / 4, 2)}  # quarters, as the age
    settings = AuditSettings(replicates=20, permutations=20, legal_age=17.25)
    found = audit(table, settings=settings).models[0].policy
    assert found is not None
    assert np.diff(found.thresholds) == pytest.approx(0.5)
    passes = table["prediction"][ages < 17.25][:, np.newaxis] >= np.array(found.thresholds)
    assert found.curves[0].false_positive == pytest.approx(passes.mean(axis=0))
    assert found.curves[0].challenged == pytest.approx(1 - passes.mean(axis=0))


def test_nobody_under_age_gives_no_rate_and_no_threshold(table) -> None:
    grown = table["age"] >= 18
    found = policy_of({name: column[grown] for name, column in table.items()})
    assert found.groups[0].false_positive.n == 0
    assert np.isnan(found.curves[0].false_positive).all()
    assert found.reached_at is None
    assert found.challenged_then is None


def test_no_legal_age_no_policy(table) -> None:
    settings = AuditSettings(replicates=20, permutations=20)
    assert audit(table, settings=settings).models[0].policy is None


def test_the_highest_legal_age_that_is_taken_works(table) -> None:
    settings = AuditSettings(replicates=20, permutations=20, legal_age=120)
    found = audit(table, settings=settings).models[0].policy
    assert found is not None
    assert found.threshold == 120
