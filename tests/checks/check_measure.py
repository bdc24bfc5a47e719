"""What every member of MEASURES must hold."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.auditing.measures import MEASURES, GroupErrors

quick = settings(max_examples=30)

Row = tuple[float, float]  # error, standard deviation of the raters


def slow_mean(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def slow_quantile(rows: Sequence[Row], share: float) -> float:
    """The value at which a share of the rows is reached, a line drawn between two rows."""
    ordered = sorted(abs(error) for error, _ in rows)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def slow_within(years: int) -> Callable[[Sequence[Row]], float]:
    return lambda rows: slow_mean([float(abs(error) <= years) for error, _ in rows])


SLOW: dict[str, Callable[[Sequence[Row]], float]] = {
    "mae": lambda rows: slow_mean([abs(error) for error, _ in rows]),
    "mean_error": lambda rows: slow_mean([error for error, _ in rows]),
    "rmse": lambda rows: slow_mean([error * error for error, _ in rows]) ** 0.5,
    "median": lambda rows: slow_quantile(rows, 0.5),
    "p90": lambda rows: slow_quantile(rows, 0.9),
    "within_1": slow_within(1),
    "within_3": slow_within(3),
    "within_5": slow_within(5),
    "within_10": slow_within(10),
    "epsilon": lambda rows: slow_mean(
        [1 - float(np.exp(-(error**2) / (2 * std**2))) for error, std in rows]
    ),
}
PERFECT = {key: 1.0 if key.startswith("within") else 0.0 for key in SLOW}

every_measure = pytest.mark.parametrize("key", list(MEASURES))
row = st.tuples(st.floats(-60, 60), st.floats(0.5, 9))
tables = st.lists(row, min_size=1, max_size=40)


def group_of(
    rows: Sequence[Row],
    weights: Sequence[float] | None = None,
    units: Sequence[int] | None = None,
) -> GroupErrors:
    errors, stds = map(np.array, zip(*rows, strict=True))
    return GroupErrors(
        errors,
        None if units is None else np.array(units),
        None if weights is None else np.array(weights, dtype=float),
        stds,
    )


def test_every_measure_has_a_slow_loop() -> None:
    assert set(SLOW) == set(MEASURES)


@every_measure
@quick
@given(rows=tables)
def test_it_equals_a_slow_loop(key: str, rows: list[Row]) -> None:
    assert MEASURES[key].compute(group_of(rows)) == pytest.approx(SLOW[key](rows), abs=1e-9)


@every_measure
@quick
@given(rows=tables, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(key: str, rows: list[Row], shuffle) -> None:
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    one, other = (MEASURES[key].compute(group_of(own)) for own in (rows, shuffled))
    assert other == pytest.approx(one, abs=1e-9)


@every_measure
@quick
@given(rows=tables, factor=st.floats(0.1, 20))
def test_the_scale_of_weights_does_not_matter(key: str, rows: list[Row], factor: float) -> None:
    weights = [1.0 + i % 3 for i in range(len(rows))]
    scaled = [weight * factor for weight in weights]
    one, other = (MEASURES[key].compute(group_of(rows, own)) for own in (weights, scaled))
    assert other == pytest.approx(one, abs=1e-9)


@every_measure
@quick
@given(rows=tables, data=st.data())
def test_a_weight_of_two_is_the_row_twice(key: str, rows: list[Row], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(1, 3), min_size=len(rows), max_size=len(rows)))
    repeated = [own for own, weight in zip(rows, weights, strict=True) for _ in range(weight)]
    one = MEASURES[key].compute(group_of(rows, weights))
    other = MEASURES[key].compute(group_of(repeated, [1.0] * len(repeated)))
    assert one == pytest.approx(other, abs=1e-9)


@every_measure
@quick
@given(rows=tables)
def test_every_row_twice_changes_no_value_of_persons(key: str, rows: list[Row]) -> None:
    persons = list(range(len(rows)))
    once = MEASURES[key].compute(group_of(rows, [1.0] * len(rows), persons))
    twice = MEASURES[key].compute(group_of(rows * 2, [1.0] * (2 * len(rows)), persons * 2))
    assert twice == pytest.approx(once, abs=1e-9)


@every_measure
@quick
@given(rows=tables)
def test_a_perfect_prediction_scores_best(key: str, rows: list[Row]) -> None:
    interval = MEASURES[key].measure(group_of([(0.0, std) for _, std in rows]))
    assert interval.value == PERFECT[key]
    assert interval.low is None or interval.low <= interval.value
    assert interval.high is None or interval.high >= interval.value


@every_measure
def test_one_row_works(key: str) -> None:
    interval = MEASURES[key].measure(group_of([(5.0, 2.0)]))
    assert interval.value == pytest.approx(SLOW[key]([(5.0, 2.0)]))
    assert interval.n == 1
    assert interval.high is None or MEASURES[key].unit == "share"


@every_measure
def test_no_rows_have_no_number(key: str) -> None:
    interval = MEASURES[key].measure(GroupErrors(np.zeros(0), stds=np.zeros(0)))
    assert np.isnan(interval.value)
    assert (interval.low, interval.high, interval.n) == (None, None, 0)


@every_measure
@quick
@given(rows=tables, mode=st.sampled_from(["rows", "persons", "weights"]))
def test_the_interval_holds_the_number(key: str, rows: list[Row], mode: str) -> None:
    places = range(len(rows))
    group = group_of(
        rows,
        [1.0 + i % 3 for i in places] if mode == "weights" else None,
        [i // 2 for i in places] if mode == "persons" else None,
    )
    interval = MEASURES[key].measure(group)
    least = None if MEASURES[key].better == "zero" else 0.0
    if interval.low is not None:
        assert interval.low <= interval.value + 1e-9
        assert least is None or interval.low >= least
    if interval.high is not None:
        assert interval.value <= interval.high + 1e-9
        assert MEASURES[key].unit == "years" or interval.high <= 1
    assert interval.n == len(rows)


@every_measure
def test_more_rows_make_the_interval_narrower(key: str) -> None:
    rng = np.random.default_rng(3)

    def width(n: int) -> float:
        errors = rng.normal(1, 5, n)
        interval = MEASURES[key].measure(GroupErrors(errors, stds=np.full(n, 4.0)))
        assert interval.low is not None
        assert interval.high is not None
        return interval.high - interval.low

    assert 2.5 < width(150) / width(2400) < 6.5


@every_measure
def test_people_of_several_rows_make_the_interval_wider(key: str) -> None:
    errors = np.random.default_rng(3).normal(1, 5, 150)
    alone = GroupErrors(np.repeat(errors, 4), stds=np.full(600, 4.0))
    known = GroupErrors(
        np.repeat(errors, 4), units=np.repeat(np.arange(150), 4), stds=np.full(600, 4.0)
    )
    one, other = MEASURES[key].measure(alone), MEASURES[key].measure(known)
    assert one.value == pytest.approx(other.value)
    assert (other.high or 0) - (other.low or 0) > 1.4 * ((one.high or 0) - (one.low or 0))
    assert (other.n, other.n_persons) == (600, 150)
