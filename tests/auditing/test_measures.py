"""The table of error measures: each value and interval, and measures of one's own."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_absolute_error, median_absolute_error, root_mean_squared_error

from fairage.auditing.auditor import audit
from fairage.auditing.means import UnitSums, mean_limits
from fairage.auditing.measures import MEASURES, GroupErrors, Measure, all_measures
from fairage.exceptions import ConfigError

quick = settings(max_examples=30)

EVERY = ("mae", "mean_error", "rmse", "median", "p90", *(f"within_{k}" for k in (1, 3, 5, 10)))


def test_the_measures_stand_in_their_order() -> None:
    assert tuple(MEASURES) == (*EVERY, "epsilon")
    for key, measure in MEASURES.items():
        assert measure.key == key
        assert measure.better == ("zero" if key == "mean_error" else measure.better)
        assert not measure.approximate
        assert measure.meaning


def test_group_measures_equal_fairlearns(rng: np.random.Generator) -> None:
    ages = rng.uniform(15, 80, 400)
    estimates, gender = ages + rng.normal(0, 5, 400), rng.choice(["f", "m", "x"], 400)
    metrics = {
        "mae": mean_absolute_error,
        "rmse": root_mean_squared_error,
        "median": median_absolute_error,
    }
    expected = MetricFrame(
        metrics=metrics, y_true=ages, y_pred=estimates, sensitive_features=gender
    ).by_group
    groups = audit(ages, estimates, {"gender": gender}).groups["gender"]
    for name, group in groups.items():
        for measure in metrics:
            assert group[measure].value == pytest.approx(expected.loc[name, measure])


def test_values_equal_numpys(rng: np.random.Generator) -> None:
    errors, stds = rng.normal(1, 5, 300), rng.uniform(1, 6, 300)
    group = GroupErrors(errors, stds=stds)
    absolute = np.abs(errors)
    expected = {
        "mae": absolute.mean(),
        "mean_error": errors.mean(),
        "rmse": np.sqrt(np.mean(errors**2)),
        "median": np.median(absolute),
        "p90": np.quantile(absolute, 0.9),
        **{f"within_{k}": np.mean(absolute <= k) for k in (1, 3, 5, 10)},
        "epsilon": np.mean(1 - np.exp(-(errors**2) / (2 * stds**2))),
    }
    for key, measure in MEASURES.items():
        interval = measure.measure(group)
        assert interval.value == pytest.approx(expected[key]), key
        assert (interval.n, interval.n_persons) == (300, None)


def test_weighted_values_are_weighted(rng: np.random.Generator) -> None:
    errors, weights = rng.normal(1, 5, 300), rng.uniform(0.2, 3, 300)
    group, absolute = GroupErrors(errors, weights=weights), np.abs(errors)
    order = np.argsort(absolute)
    below = np.cumsum(weights[order]) / weights.sum()
    expected = {
        "mae": np.average(absolute, weights=weights),
        "mean_error": np.average(errors, weights=weights),
        "rmse": np.sqrt(np.average(errors**2, weights=weights)),
        "median": absolute[order][np.searchsorted(below, 0.5)],
        "p90": absolute[order][np.searchsorted(below, 0.9)],
        "within_5": np.average(absolute <= 5, weights=weights),
    }
    for key, value in expected.items():
        assert MEASURES[key].measure(group).value == pytest.approx(value), key


@pytest.mark.parametrize("share", [0.1, 0.7])
def test_equal_weights_of_any_size_give_one_quantile(share: float) -> None:
    errors = np.arange(1.0, 11.0)
    values = {
        MEASURES["p90"].compute(GroupErrors(errors, weights=np.full(10, weight)))
        for weight in (share, 1.0, 3.3)
    }
    assert values == {9.0}


def test_rmse_limits_are_the_roots_of_those_of_the_mean_square(rng: np.random.Generator) -> None:
    errors = rng.normal(0, 5, 90)
    interval = MEASURES["rmse"].measure(GroupErrors(errors, seed=3))
    low, high = mean_limits(UnitSums.of(errors**2), 3) or (0.0, 0.0)
    assert (interval.low, interval.high) == pytest.approx((np.sqrt(low), np.sqrt(high)))


def test_rates_have_exact_limits(rng: np.random.Generator) -> None:
    errors = rng.normal(0, 5, 90)
    interval = MEASURES["within_3"].measure(GroupErrors(errors))
    hits = int((np.abs(errors) <= 3).sum())
    expected = stats.binomtest(hits, 90).proportion_ci(0.95, method="exact")
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-4)


def test_rows_without_a_raters_std_are_left_out_of_epsilon_alone() -> None:
    stds = np.array([2.0, np.nan, 2.0, 0.0])
    group = GroupErrors(np.array([1.0, 3.0, -1.0, 0.0]), units=np.array([0, 0, 1, 2]), stds=stds)
    epsilon = MEASURES["epsilon"].measure(group)
    assert (epsilon.n, epsilon.n_persons) == (2, 2)
    assert epsilon.value == pytest.approx(1 - np.exp(-1 / 8))
    assert MEASURES["mae"].measure(group).n == 4
    assert MEASURES["mae"].measure(group).n_persons == 3


def test_without_a_std_epsilon_has_no_number() -> None:
    for stds in (None, np.full(3, np.nan)):
        interval = MEASURES["epsilon"].measure(GroupErrors(np.ones(3), stds=stds))
        assert np.isnan(interval.value)
        assert (interval.low, interval.high, interval.n) == (None, None, 0)


def test_few_rows_leave_p90_open_above() -> None:
    interval = MEASURES["p90"].measure(GroupErrors(np.arange(1.0, 11.0)))
    assert interval.high is None
    assert interval.low is not None
    assert interval.low <= interval.value


def test_a_measure_of_ones_own_stands_beside_the_others(rng: np.random.Generator) -> None:
    gross = Measure.of(
        lambda errors: float(np.mean(np.abs(errors) > 10)), title="Gross errors", unit="share"
    )
    ages = rng.uniform(15, 80, 300)
    estimates = ages + rng.normal(0, 6, 300)
    result = audit(ages, estimates, {"gender": rng.choice(["f", "m"], 300)}, measures=[gross])
    interval = result.overall["gross_errors"]
    assert interval.value == pytest.approx(np.mean(np.abs(estimates - ages) > 10))
    assert interval.low is not None
    assert interval.low < interval.value < (interval.high or 0)
    assert "gross_errors" in result.groups["gender"]["f"]
    assert result.to_dict()["models"]["prediction"]["overall"]["gross_errors"]["n"] == 300
    assert gross.approximate
    assert all(gap.measure != "gross_errors" for gap in result.gaps["gender"])


@pytest.mark.parametrize("units", [None, 60])
def test_its_interval_is_about_that_of_the_built_in_one(
    units: int | None, rng: np.random.Generator
) -> None:
    errors = rng.normal(0, 5, 600)
    persons = None if units is None else np.arange(600) % units
    group = GroupErrors(errors, units=persons)
    own = Measure.of(lambda values: float(np.abs(values).mean()), title="My MAE").measure(group)
    built_in = MEASURES["mae"].measure(group)
    assert own.value == pytest.approx(built_in.value)
    assert own.low == pytest.approx(built_in.low, abs=0.12)
    assert own.high == pytest.approx(built_in.high, abs=0.12)
    assert own.n_persons == units


def test_one_unit_has_a_value_and_no_interval() -> None:
    own = Measure.of(lambda values: float(values.max()), title="Largest")
    for group in (GroupErrors(np.array([3.0])), GroupErrors(np.ones(4), units=np.zeros(4, int))):
        interval = own.measure(group)
        assert not np.isnan(interval.value)
        assert (interval.low, interval.high) == (None, None)


@pytest.mark.parametrize("title", ["", "  ", "MAE", "Within 5", "N", "takes part", "Mean age"])
def test_titles_that_are_taken_are_refused(title: str) -> None:
    with pytest.raises(ConfigError, match="expected a title that no measure has yet, got"):
        Measure.of(lambda values: 0.0, title=title)


def test_two_measures_of_one_title_are_refused() -> None:
    one = Measure.of(lambda values: 0.0, title="Own")
    with pytest.raises(ConfigError, match="twice"):
        all_measures((one, one))
    assert tuple(all_measures((one,))) == (*EVERY, "epsilon", "own")


@quick
@given(
    errors=st.lists(st.floats(-40, 40), min_size=1, max_size=40),
    mode=st.sampled_from(["rows", "persons", "weights"]),
)
def test_no_group_has_rmse_below_mae_or_p90_below_the_median(
    errors: list[float], mode: str
) -> None:
    places = np.arange(len(errors))
    group = GroupErrors(
        np.array(errors),
        units=places // 3 if mode == "persons" else None,
        weights=1.0 + places % 2 if mode == "weights" else None,
    )
    values = {key: MEASURES[key].compute(group) for key in EVERY}
    assert values["rmse"] >= values["mae"] - 1e-9
    assert values["p90"] >= values["median"]
    assert abs(values["mean_error"]) <= values["mae"] + 1e-9
    assert values["within_1"] <= values["within_3"] <= values["within_5"] <= values["within_10"]
