"""What every number of the metric must hold: MAE, the bias of an attribute, the average bias."""

import math
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.auditing.scoring import Score, score

MIN_ROWS = 2
Row = tuple[float, float, str, str]


def slow_mae(rows: list[Row]) -> float:
    total = 0.0
    for age, prediction, _, _ in rows:
        total += abs(age - prediction)
    return total / len(rows)


def slow_bias(rows: list[Row], attribute: int) -> float:
    names = {row[attribute] for row in rows}
    groups = [[row for row in rows if row[attribute] == name] for name in names]
    errors = [slow_mae(group) for group in groups if len(group) >= MIN_ROWS]
    gaps = [abs(one - other) for one, other in combinations(errors, 2)]
    return sum(gaps) / len(gaps) if gaps else math.nan


def slow_average(rows: list[Row]) -> float:
    biases = [bias for bias in (slow_bias(rows, 2), slow_bias(rows, 3)) if not math.isnan(bias)]
    return sum(biases) / len(biases) if biases else math.nan


METRICS: dict[str, tuple[Callable[[Score], float], Callable[[list[Row]], float]]] = {
    "mae": (lambda result: result.mae, slow_mae),
    "bias of two groups": (lambda result: result.biases["gender"], lambda rows: slow_bias(rows, 2)),
    "bias of many groups": (lambda result: result.biases["place"], lambda rows: slow_bias(rows, 3)),
    "average bias": (lambda result: result.average_bias, slow_average),
}
every_metric = pytest.mark.parametrize("name", list(METRICS))
years = st.floats(0, 120)
row = st.tuples(years, years, st.sampled_from("fm"), st.sampled_from("abcdefg"))
tables = st.lists(row, min_size=1, max_size=40)


def measure(name: str, rows: list[Row]) -> float:
    ages, predictions, gender, place = zip(*rows, strict=True)
    attributes = {"gender": gender, "place": place}
    return METRICS[name][0](score(ages, predictions, attributes, min_rows=MIN_ROWS))


@every_metric
@given(rows=tables)
def test_it_equals_a_slow_loop(name: str, rows: list[Row]) -> None:
    assert measure(name, rows) == pytest.approx(METRICS[name][1](rows), abs=1e-9, nan_ok=True)


@every_metric
@given(rows=tables)
def test_it_is_never_negative(name: str, rows: list[Row]) -> None:
    assert not measure(name, rows) < 0


@every_metric
@given(rows=tables, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(name: str, rows: list[Row], shuffle) -> None:
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    assert measure(name, shuffled) == pytest.approx(measure(name, rows), abs=1e-9, nan_ok=True)


@every_metric
@given(rows=tables)
def test_every_row_twice_changes_nothing(name: str, rows: list[Row]) -> None:
    rows = [*rows, *rows]  # so that every group takes part, before and after
    assert measure(name, rows * 2) == pytest.approx(measure(name, rows), abs=1e-9, nan_ok=True)


@every_metric
@given(rows=tables)
def test_the_names_of_the_groups_do_not_matter(name: str, rows: list[Row]) -> None:
    renamed = [(a, p, {"f": "z", "m": "y"}[g], f"group {ord('z') - ord(o)}") for a, p, g, o in rows]
    assert measure(name, renamed) == pytest.approx(measure(name, rows), abs=1e-9, nan_ok=True)


@every_metric
@given(rows=tables, factor=st.floats(0.01, 100))
def test_errors_times_a_factor_are_the_metric_times_it(
    name: str, rows: list[Row], factor: float
) -> None:
    scaled = [(a * factor, p * factor, g, o) for a, p, g, o in rows]
    expected = factor * measure(name, rows)
    assert measure(name, scaled) == pytest.approx(expected, abs=1e-7, nan_ok=True)


@every_metric
@given(rows=tables)
def test_a_perfect_prediction_scores_zero(name: str, rows: list[Row]) -> None:
    perfect = [(a, a, g, o) for a, _, g, o in rows]
    assert measure(name, perfect) == 0 or math.isnan(METRICS[name][1](rows))


@every_metric
def test_one_row_works(name: str) -> None:
    expected = 5.0 if name == "mae" else math.nan
    assert measure(name, [(30.0, 35.0, "f", "a")]) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", [name for name in METRICS if name != "mae"])
@given(error=st.floats(0, 50), groups=st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=20))
def test_groups_with_the_same_error_have_no_bias(
    name: str, error: float, groups: list[str]
) -> None:
    rows = [(0.0, error, "fm"[i % 2], group) for i, group in enumerate(groups)]
    rows = [*rows, *rows]
    if len(set(groups)) > 1:
        assert measure(name, rows) == pytest.approx(0, abs=1e-12)
