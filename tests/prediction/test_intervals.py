"""Intervals and P(age >= a): equal to crepes, and they hold what they promise."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from crepes import ConformalPredictiveSystem
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairage.exceptions import ConfigError
from fairage.prediction import CalibrationRows, ConformalAges, out_of_fold, person_folds
from fairage.prediction.intervals import CELL_EDGES

quick = settings(max_examples=30)
RARE = 1e-6  # what a simulation may miss by chance
EXACT_LEVELS = (0.5, 0.75, 0.875)  # whose tails are exact in binary: crepes rounds the others


def world(rng: np.random.Generator, n: int) -> CalibrationRows:
    """Faces whose estimates shrink to the middle and spread more with age."""
    ages = rng.uniform(2, 70, n)
    estimates = 35 + 0.8 * (ages - 35) + rng.normal(0, 1 + 0.08 * ages)
    return CalibrationRows(np.clip(estimates, 0, 120), ages, ages)


def alike(estimate: float, ages: np.ndarray, identity: np.ndarray | None = None) -> CalibrationRows:
    return CalibrationRows(np.full(len(ages), estimate), ages, ages, identity=identity)


def bins(system: ConformalAges, estimates: np.ndarray) -> np.ndarray:
    return np.searchsorted([band.start for band in system.bands[1:]], estimates, side="right")


def reference(system: ConformalAges, rows: CalibrationRows) -> ConformalPredictiveSystem:
    estimates = rows.predictions
    return ConformalPredictiveSystem().fit(rows.low - estimates, bins=bins(system, estimates))


@pytest.mark.parametrize("level", EXACT_LEVELS)
def test_ends_are_those_of_crepes(rng: np.random.Generator, level: float) -> None:
    rows = world(rng, 800)
    system = ConformalAges.fit(rows)
    assert len(system.bands) > 3
    estimates = rng.uniform(0, 90, 300)
    expected = reference(system, rows).predict_int(
        estimates, bins=bins(system, estimates), confidence=level, y_min=0
    )
    low, high = system.interval(estimates, level)
    assert low == pytest.approx(np.maximum(expected[:, 0], 0))  # no age is below 0
    assert high == pytest.approx(expected[:, 1])


@pytest.mark.parametrize("age", [13.0, 18.0, 40.0])
def test_probabilities_are_those_of_crepes(rng: np.random.Generator, age: float) -> None:
    """crepes says P(age <= a) with the next face on the young side: ours is the rest.

    Ours is never less than at the upper end of a lower band.
    """
    rows = world(rng, 800)
    system = ConformalAges.fit(rows)
    crepes = reference(system, rows)

    def over(estimates: np.ndarray) -> np.ndarray:
        places = bins(system, estimates)
        return 1 - crepes.predict_p(estimates, y=age, bins=places, smoothing=False)

    estimates = np.sort(rng.uniform(0, 90, 300))
    ends = np.nextafter([band.stop for band in system.bands[:-1]], 0)
    least = np.concatenate([[0.0], np.maximum.accumulate(over(ends))])
    expected = np.maximum(over(estimates), least[bins(system, estimates)])
    assert system.p_over(estimates, age) == pytest.approx(expected)
    assert over(estimates) == pytest.approx(expected, abs=0.05), "the bands hardly disagree"


def test_an_age_of_18_is_over_18_and_one_of_17_is_not() -> None:
    """crepes counts ages of exactly a as not over it; here they are."""
    system = ConformalAges.fit(alike(20.0, np.repeat([17.0, 18.0, 19.0], [20, 50, 30])))
    assert system.p_over([20.0], 18).tolist() == [80 / 101]


def test_ranks_are_exact_where_floats_are_not() -> None:
    """(1 - 0.9) / 2 times 100 is a little less than 5 in floats."""
    system = ConformalAges.fit(alike(50.0, np.arange(1.0, 100.0)))
    low, high = system.interval([50.0], 0.9)
    assert (low.tolist(), high.tolist()) == ([5.0], [95.0])


def test_the_next_face_counts() -> None:
    system = ConformalAges.fit(alike(30.0, np.full(100, 30.0)))
    assert system.p_over([30.0, 60.0], 18).tolist() == [100 / 101, 100 / 101]
    assert system.p_over([17.9], 18).tolist() == [0.0]


def test_the_smaller_band_of_the_old_says_no_less_than_the_larger_one_below() -> None:
    estimates = np.repeat([32.0, 72.0], [400, 100])
    system = ConformalAges.fit(CalibrationRows(estimates, estimates, estimates))
    assert [band.units for band in system.bands] == [400, 100]
    assert system.p_over([32.0, 72.0], 18).tolist() == [400 / 401] * 2


@pytest.mark.parametrize(("n", "is_open"), [(18, True), (19, False)])
def test_an_end_that_the_faces_cannot_bound_is_open_and_counted(n: int, is_open: bool) -> None:
    system = ConformalAges.fit(alike(40.0, np.arange(30.0, 30.0 + n)))
    low, high = system.interval([40.0], 0.9)
    assert (low[0] == -math.inf, high[0] == math.inf) == (is_open, is_open)
    assert system.open_ends(0.9) == (int(is_open), int(is_open))
    table = system.table(0.9)
    assert np.isinf(table.low).all() == np.isinf(table.high).all() == is_open


def test_no_end_is_below_0() -> None:
    system = ConformalAges.fit(alike(3.0, np.tile(np.arange(10.0), 20)))
    low, high = system.interval([0.5, 3.0], 0.9)
    assert low.tolist() == [0.0, 0.0]
    assert (high > 0).all()


def test_without_an_estimate_there_is_no_interval() -> None:
    system = ConformalAges.fit(alike(30.0, np.full(100, 30.0)))
    assert np.isnan(np.array(system.interval([math.nan]))).all()
    assert np.isnan(system.p_over([math.nan], 18)).all()


def test_bands_are_cells_of_five_years_with_a_hundred_faces(rng: np.random.Generator) -> None:
    system = ConformalAges.fit(world(rng, 1500))
    starts, stops = ([getattr(b, end) for b in system.bands] for end in ("start", "stop"))
    assert (starts[0], stops[-1]) == (-math.inf, math.inf)
    assert starts[1:] == stops[:-1]
    assert set(starts[1:]) <= set(CELL_EDGES.tolist())
    assert min(band.units for band in system.bands) >= 100
    assert sum(band.faces for band in system.bands) == 1500


def test_bands_do_not_depend_on_true_ages(rng: np.random.Generator) -> None:
    rows = world(rng, 900)
    mixed = rng.permutation(rows.low)
    other = CalibrationRows(rows.predictions, mixed, mixed)
    assert [b.start for b in ConformalAges.fit(rows).bands] == [
        b.start for b in ConformalAges.fit(other).bands
    ]


def test_the_smallest_band_joins_its_smaller_neighbour() -> None:
    estimates = np.repeat([12.0, 17.0, 22.0, 27.0], [150, 60, 120, 200])
    system = ConformalAges.fit(CalibrationRows(estimates, estimates, estimates))
    assert [(b.start, b.faces) for b in system.bands] == [(-math.inf, 150), (15, 180), (25, 200)]


def test_few_faces_are_one_band() -> None:
    system = ConformalAges.fit(alike(30.0, np.arange(5.0)))
    assert [(b.start, b.stop, b.units) for b in system.bands] == [(-math.inf, math.inf, 5)]


def test_the_table_has_one_shape_and_gives_the_intervals(rng: np.random.Generator) -> None:
    for n in (30, 2000):
        system = ConformalAges.fit(world(rng, n))
        table = system.table(0.8)
        assert (table.edges.shape, table.low.shape, table.high.shape) == ((23,), (24,), (24,))
        estimates = np.array([-1.0, 0.0, 4.999, 5.0, 33.3, 115.0, 130.0])
        for ours, theirs in zip(
            table.interval(estimates), system.interval(estimates, 0.8), strict=True
        ):
            assert ours.tolist() == theirs.tolist()
        inner = np.array([12.0, 33.3, 70.0])
        ends = [system.bands[place].ends(0.8)[1] for place in bins(system, inner)]
        assert table.interval(inner)[1].tolist() == (inner + ends).tolist()


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0, math.nan])
def test_a_level_is_between_0_and_1(level: float) -> None:
    system = ConformalAges.fit(alike(30.0, np.arange(5.0)))
    with pytest.raises(ConfigError, match="expected a level between 0 and 1"):
        system.interval([30.0], level)


@pytest.mark.parametrize("age", [0.0, -3.0, 121.0, math.nan])
def test_an_age_is_above_0(age: float) -> None:
    system = ConformalAges.fit(alike(30.0, np.arange(5.0)))
    with pytest.raises(ConfigError, match="expected an age above 0, up to 120 years"):
        system.p_over([30.0], age)


@quick
@given(st.integers(0, 10_000), st.integers(5, 400))
def test_a_higher_level_holds_the_interval_of_a_lower_one(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    system, estimates = ConformalAges.fit(world(rng, n)), rng.uniform(0, 90, 50)
    lows, highs = zip(*(system.interval(estimates, q) for q in (0.5, 0.8, 0.9, 0.99)), strict=True)
    assert all((wide <= narrow).all() for narrow, wide in pairwise(lows))
    assert all((wide >= narrow).all() for narrow, wide in pairwise(highs))
    assert (np.array(lows) <= np.array(highs)).all()


@quick
@given(st.integers(0, 10_000), st.integers(1, 700))
def test_p_over_falls_with_the_age_and_rises_with_the_estimate(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    system, estimates = ConformalAges.fit(world(rng, n)), np.sort(rng.uniform(0, 90, 80))
    shares = np.array([system.p_over(estimates, age) for age in (1, 13, 18, 21, 40, 65, 120)])
    assert (np.diff(shares, axis=0) <= 0).all()
    assert (np.diff(shares, axis=1) >= 0).all()
    assert (shares >= 0).all()
    assert (shares < 1).all()


def test_a_face_of_a_range_counts_once_however_often_its_age_is_drawn() -> None:
    n = 18
    rows = CalibrationRows(np.full(n, 33.0), np.full(n, 30.0), np.full(n, 40.0))
    system = ConformalAges.fit(rows)
    assert (system.bands[0].units, len(system.bands[0].residuals)) == (n, 20 * n)
    assert system.open_ends(0.9) == (1, 1)  # 360 draws would bound both
    assert system.p_over([33.0], 30).tolist() == pytest.approx([n / (n + 1)])


def test_photographs_of_the_same_persons_say_no_more_than_one_of_each(
    rng: np.random.Generator,
) -> None:
    ages, many = rng.uniform(20, 50, 120), 5
    persons = np.array([f"p{i}" for i in range(120)])
    once = ConformalAges.fit(alike(33.0, ages, persons))
    often = ConformalAges.fit(alike(33.0, np.repeat(ages, many), np.repeat(persons, many)))
    for level in (0.5, 0.9, 0.99):
        assert np.array(often.interval([33.0], level)) == pytest.approx(
            np.array(once.interval([33.0], level))
        )
    assert often.p_over([33.0], 30) == pytest.approx(once.p_over([33.0], 30))
    assert (once.bands[0].units, often.bands[0].units, often.bands[0].faces) == (120, 120, 600)


def limits(n: int, least: float, most: float) -> tuple[float, float]:
    """Return how often something with a chance in `least..most` may happen in n tries."""
    return stats.binom.ppf(RARE, n, least), stats.binom.ppf(1 - RARE, n, most)


def test_intervals_hold_the_promised_share_in_every_band() -> None:
    """One new face a band and calibration set, so that the hits of a band are independent."""
    sets, level = 400, 0.9
    hits, tries = np.zeros(3), np.zeros(3)  # lowest band, those between, highest band
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        system = ConformalAges.fit(world(rng, 450))
        new = world(rng, 100)
        low, high = system.interval(new.predictions, level)
        held = (low <= new.low) & (new.low <= high)
        places = bins(system, new.predictions)
        last = len(system.bands) - 1
        for kind, inside in enumerate(
            (places == 0, (places > 0) & (places < last), places == last)
        ):
            first = np.flatnonzero(inside)[:1]
            hits[kind] += held[first].sum()
            tries[kind] += len(first)
    for hit, n in zip(hits.tolist(), tries.tolist(), strict=True):
        few, many = limits(int(n), level, level + 2 / 101)
        assert few <= hit <= many


def test_intervals_hold_each_end_by_itself() -> None:
    sets, hits = 500, np.zeros(2)
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        ages = 20 + rng.exponential(5, 120)  # errors lean to one side
        system = ConformalAges.fit(alike(25.0, np.minimum(ages, 120)))
        low, high = system.interval([25.0], 0.9)
        age = 20 + rng.exponential(5)
        hits += np.array([low[0] <= age, age <= high[0]])
    few, many = limits(sets, 0.95, 0.95 + 1 / 121)
    assert (few <= hits).all()
    assert (hits <= many).all()


def test_intervals_hold_for_new_persons_where_persons_have_many_faces() -> None:
    """Errors are the person's, who has 1 or 40 faces: faces alone would promise too much."""
    sets, held = 400, 0
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        sizes = np.where(rng.random(60) < 0.2, 40, 1)
        own = np.where(sizes == 40, rng.normal(0, 1, 60), rng.normal(0, 8, 60))
        persons = np.repeat(np.arange(60), sizes).astype(str)
        rows = alike(40.0, 40 + np.repeat(own, sizes), persons)
        low, high = ConformalAges.fit(rows).interval([40.0], 0.9)
        age = 40 + (rng.normal(0, 1) if rng.random() < 0.2 else rng.normal(0, 8))
        held += int(low[0] <= age <= high[0])
    assert held >= limits(sets, 0.9, 1)[0]


def test_intervals_hold_for_ages_known_as_ranges() -> None:
    sets, held = 400, 0
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        low = rng.choice([20.0, 30.0, 40.0], 101)
        ages = low + rng.uniform(0, 10, 101)
        estimates = np.clip(35 + rng.normal(0, 1, 101) + (ages - 35) * 0.1, 30.01, 39.99)
        rows = CalibrationRows(estimates[1:], low[1:], low[1:] + 10)
        ends = ConformalAges.fit(rows).interval(estimates[:1], 0.9)
        held += int(ends[0][0] <= ages[0] <= ends[1][0])
    few, many = limits(sets, 0.9, 0.9 + 2 / 101)
    assert few <= held <= many


def least_squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0])


def test_estimates_of_models_that_did_not_see_a_face_calibrate_the_model_of_all() -> None:
    """With 25 weights on 60 rows, residuals of the training rows themselves are too small."""
    sets, n, held = 300, 60, {"crossed": 0, "seen": 0}
    folds = person_folds(n, folds=10)
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        x = rng.normal(0, 1, (n + 1, 25))
        ages = 50 + x.sum(axis=1) + rng.normal(0, 3, n + 1)
        train, y = x[:n], ages[:n] - 50
        crossed = out_of_fold(folds, lambda a, b, x=train, y=y: x[b] @ least_squares(x[a], y[a]))
        weights = least_squares(train, y)
        for which, estimates in {"crossed": crossed, "seen": train @ weights}.items():
            rows = CalibrationRows(50 + estimates, ages[:n], ages[:n])
            low, high = ConformalAges.fit(rows).interval(50 + x[n:] @ weights, 0.9)
            held[which] += int(low[0] <= ages[n] <= high[0])
    few = limits(sets, 0.9, 1)[0]
    assert held["crossed"] >= few > held["seen"]


def test_coverage_is_counted_by_group(rng: np.random.Generator) -> None:
    rows, new = world(rng, 900), world(rng, 700)
    gender = rng.choice(["f", "m"], 700)
    faces = CalibrationRows(new.predictions, new.low, new.high, {"gender": gender})
    system = ConformalAges.fit(rows)
    low, high = system.interval(new.predictions, 0.8)
    held = (low <= new.low) & (new.low <= high)
    numbers = system.coverage(faces, 0.8)
    assert list(numbers.groups) == ["gender", "age_group"]
    parts = {
        "f": (numbers.groups["gender"]["f"], gender == "f"),
        "old": (numbers.groups["age_group"]["old"], new.low >= 60),
        "all": (numbers.overall, np.full(700, True)),
    }
    for own, inside in parts.values():
        expected = stats.binomtest(int(held[inside].sum()), int(inside.sum()))
        ends = expected.proportion_ci(0.95, method="exact")
        assert (own["covered"].value, own["covered"].n) == (held[inside].mean(), inside.sum())
        assert (own["covered"].low, own["covered"].high) == pytest.approx((ends.low, ends.high))
        assert own["width"].value == pytest.approx((high - low)[inside].mean())
        assert own["open"].value == 0


def test_coverage_counts_open_intervals_and_leaves_them_out_of_the_width() -> None:
    numbers = ConformalAges.fit(alike(40.0, np.arange(30.0, 40.0))).coverage(
        alike(40.0, np.arange(100.0))
    )
    assert numbers.overall["covered"].value == numbers.overall["open"].value == 1.0
    assert math.isnan(numbers.overall["width"].value)
    assert numbers.overall["width"].n == 0


@pytest.mark.real_data
def test_every_age_group_of_real_faces_is_held(real_data: Path) -> None:
    """Widths of absolute errors hold .97 of the young and .67 of the old."""
    frame = pl.read_csv(real_data / "data/predictions/appa_real_test_farl.csv")
    columns = {"pred_apparent_farl_exp008": "prediction", "apparent_age_avg": "age"}
    rows = CalibrationRows.from_frame(frame.drop_nulls([*columns]).rename(columns), [])
    shares = []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(rows))
        system = ConformalAges.fit(rows.rows(order[::2]))
        groups = system.coverage(rows.rows(order[1::2])).groups["age_group"]
        shares.append([numbers["covered"].value for numbers in groups.values()])
    means = np.mean(shares, axis=0)
    assert (means > 0.86).all()
    assert (means < 0.93).all()
