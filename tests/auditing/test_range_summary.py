"""What ranges leave open: bounds of the MAE, and how predicted ranges hold the true age."""

import math

import numpy as np
import pytest

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.auditor import audit
from fairage.auditing.estimates import ModelRows
from fairage.auditing.groups import Units
from fairage.auditing.range_summary import summarise_ranges
from fairage.auditing.result_parts import Ranges
from fairage.auditing.rows import Rows

INF, NAN = math.inf, math.nan
Pairs = list[tuple[float, float]]


def middles(pairs: Pairs) -> np.ndarray:
    return np.array([NAN if math.isinf(high) else (low + high) / 2 for low, high in pairs])


def ends(pairs: Pairs, end: int) -> np.ndarray | None:
    if all(low == high for low, high in pairs if not math.isnan(low)):
        return None
    return np.array([pair[end] for pair in pairs], dtype=float)


def summary(
    true: Pairs,
    predicted: Pairs,
    *,
    units: Units | None = None,
    weights: np.ndarray | None = None,
    **options: object,
) -> Ranges | None:
    estimates = middles(predicted)
    failed = np.array([math.isnan(low) for low, _ in predicted])
    model = ModelRows(estimates, ends(predicted, 0), ends(predicted, 1), failed, {})
    rows = Rows(
        ages=middles(true),
        low=ends(true, 0),
        high=ends(true, 1),
        attributes={},
        models={},
        units=units,
        weights=weights,
        stds=None,
        images=None,
        numbers=np.arange(len(true)),
    )
    return summarise_ranges(rows, model, AuditSettings(**options))  # type: ignore[arg-type]  # options by name


def numbers(*values: float) -> Pairs:
    return [(value, value) for value in values]


def test_without_ranges_there_is_no_summary() -> None:
    assert summary(numbers(20, 30), numbers(21, 33)) is None


def test_true_ranges_bound_the_mae() -> None:
    result = summary([(20, 30), (20, 30), (40, 50), (33, 33)], numbers(25, 33, 36, 30))
    assert result is not None
    assert (result.true_ranges, result.predicted_ranges) == (3, 0)
    assert result.mae_least is not None
    assert result.mae_most is not None
    assert result.mae_least.value == pytest.approx((0 + 3 + 4 + 3) / 4)
    assert result.mae_most.value == pytest.approx((5 + 13 + 14 + 3) / 4)
    assert result.mae_least.n == result.mae_most.n == 4
    assert result.inside is not None
    assert (result.inside.value, result.inside.n) == (pytest.approx(1 / 3), 3)
    assert (result.width, result.outside) == (None, None)


def test_the_mid_points_mae_lies_between_the_bounds() -> None:
    rng = np.random.default_rng(2)
    low = rng.integers(0, 8, 200) * 10
    table = {
        "age": [f"{a}-{a + 9}" for a in low],
        "prediction": low + rng.uniform(-5, 20, 200).clip(-low, None),
        "gender": rng.choice(["f", "m"], 200),
    }
    result = audit(table)
    ranges = result.ranges
    assert ranges.mae_least.value < result.overall["mae"].value < ranges.mae_most.value
    assert ranges.mae_most.value - ranges.mae_least.value <= 10


def test_a_true_range_without_an_end_has_a_least_error_alone() -> None:
    result = summary([(70, INF), (20, 30)], numbers(60, 25))
    assert result is not None
    assert result.mae_least is not None
    assert result.mae_least.value == pytest.approx((10 + 0) / 2)
    assert result.mae_most is None
    assert result.open_ranges == 1


def test_predicted_ranges_have_a_share_inside_a_width_and_a_distance() -> None:
    true = numbers(20, 30, 45, 9, 50)
    result = summary(true, [(15, 25), (20, 30), (20, 40), (12, 13), (48, 48)])
    assert result is not None
    assert result.predicted_ranges == 4
    assert result.inside is not None
    assert (result.inside.value, result.inside.n) == (0.25, 4)  # 30 lies outside of [20, 30)
    assert result.width is not None
    assert (result.width.value, result.width.n) == (pytest.approx((10 + 10 + 20 + 1) / 4), 4)
    assert result.outside is not None
    assert (result.outside.value, result.outside.n) == (pytest.approx((0 + 0 + 5 + 3) / 4), 4)
    assert (result.mae_least, result.mae_most) == (None, None)


def test_nought_to_a_hundred_for_everybody_is_not_the_truth() -> None:
    rng = np.random.default_rng(1)
    ages = rng.uniform(10, 80, 200)
    table = {"age": ages, "prediction": ["0-100"] * 200, "gender": rng.choice(["f", "m"], 200)}
    result = audit(table)
    assert result.overall["mae"].value == pytest.approx(np.abs(50.5 - ages).mean())
    assert result.ranges.inside.value == 1
    assert result.ranges.width.value == 101
    assert result.ranges.outside.value == 0


def test_an_open_predicted_range_has_no_width() -> None:
    result = summary(numbers(60, 30, 80), [(70, INF), (25, 35), (70, INF)])
    assert result is not None
    assert result.open_ranges == 2
    assert result.width is not None
    assert (result.width.value, result.width.n) == (10, 1)
    assert result.inside is not None
    assert result.inside.value == pytest.approx(2 / 3)
    assert result.outside is not None
    assert result.outside.value == pytest.approx(10 / 3)


def test_rows_across_an_age_group_and_the_legal_age_are_counted() -> None:
    true = [(15, 25), (10, 18), (18, 20), (20, 40), (17, 19), (30, 30), (50, INF)]
    result = summary(true, numbers(*[20.0] * 7), legal_age=18)
    assert result is not None
    assert result.across_age_groups == 2  # 15-25 lies in young and adult, 50+ in senior and old
    assert result.across_legal_age == 2
    without = summary(true, numbers(*[20.0] * 7))
    assert without is not None
    assert without.across_legal_age is None


def test_rows_without_an_estimate_are_in_no_bound() -> None:
    result = summary([(20, 30), (40, 50)], [(25, 25), (NAN, NAN)])
    assert result is not None
    assert result.mae_least is not None
    assert result.mae_least.n == 1
    assert result.mae_least.low is None
    assert result.inside is not None
    assert result.inside.n == 1


def test_persons_and_weights_count() -> None:
    units = Units(np.array([0, 0, 1, 2]), 3)
    weights = np.array([3.0, 1.0, 1.0, 1.0])
    true = [(20, 30), (20, 30), (20, 30), (20, 30)]
    result = summary(true, numbers(33, 25, 35, 25), units=units, weights=weights)
    assert result is not None
    assert result.mae_least is not None
    assert result.mae_least.value == pytest.approx((9 + 5) / 6)
    assert (result.mae_least.n, result.mae_least.n_persons) == (4, 3)
    assert result.inside is not None
    assert result.inside.value == pytest.approx(2 / 6)
    assert result.inside.n_persons == 3


def test_an_error_never_depends_on_other_rows() -> None:
    alone = audit({"age": ["20-29"] * 30, "prediction": [33] * 30})
    mixed = audit({"age": ["20-29"] * 30 + ["60-64"] * 30, "prediction": [33] * 30 + [62] * 30})
    assert alone.overall["mae"].value == 8
    young = mixed.groups["age_group"]["adult"]
    assert young["mae"].value == 8
