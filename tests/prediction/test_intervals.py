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


def scaled_world(rng: np.random.Generator, n: int) -> CalibrationRows:
    """Faces some of whom are hard, with spreads that tell."""
    ages, spreads = rng.uniform(2, 70, n), rng.uniform(1, 9, n)
    estimates = 35 + 0.8 * (ages - 35) + spreads * rng.normal(0, 0.7, n)
    return CalibrationRows(np.clip(estimates, 0, 120), ages, ages, spreads=spreads)


def alike(estimate: float, ages: np.ndarray, identity: np.ndarray | None = None) -> CalibrationRows:
    return CalibrationRows(np.full(len(ages), estimate), ages, ages, identity=identity)


def bins(system: ConformalAges, estimates: np.ndarray) -> np.ndarray:
    return np.searchsorted([band.start for band in system.bands[1:]], estimates, side="right")


def reference(system: ConformalAges, rows: CalibrationRows) -> ConformalPredictiveSystem:
    estimates = rows.predictions
    return ConformalPredictiveSystem().fit(rows.low - estimates, bins=bins(system, estimates))


@pytest.mark.parametrize("level", EXACT_LEVELS)
def test_limits_are_those_of_crepes(rng: np.random.Generator, level: float) -> None:
    """Both cut off as much on both sides where that is a whole number of 160 faces.

    The bands lie so far apart that no face of one is held by the limits of another.
    """
    ages = np.concatenate(
        [rng.uniform(10 * place + 4, 10 * place + 6, 159) for place in range(1, 6)]
    )
    spreads = rng.uniform(0.2, 0.4, len(ages))
    estimates = ages + spreads * rng.gumbel(0, 1, len(ages)).clip(-2, 5)
    rows = CalibrationRows(estimates.clip(0, 120), ages, ages, spreads=spreads)
    table = ConformalAges.fit(rows).table(level)
    own = np.floor(ages / 10).astype(int)
    scaled = (ages - rows.predictions) / spreads
    expected = (
        ConformalPredictiveSystem()
        .fit(scaled, bins=own)
        .predict_int(np.zeros(5), bins=np.arange(1, 6), confidence=level)
    )
    assert table.starts.tolist() == [0, 20, 30, 40, 50]
    assert np.stack([table.low, table.high], axis=1) == pytest.approx(expected)


def test_ends_are_the_outermost_ages_at_which_an_error_is_no_surprise(
    rng: np.random.Generator,
) -> None:
    """Counted out for each age, from both limits of its band."""
    rows, level = scaled_world(rng, 700), 0.9
    system = ConformalAges.fit(rows)
    table = system.table(level)
    assert len(table.starts) > 3
    grid = np.arange(0, 120, 0.02)
    own = np.searchsorted(table.starts, grid, side="right") - 1
    for estimate, spread in ((8.0, 2.0), (31.0, 3.0), (50.0, 9.0)):
        score = (grid - estimate) / spread
        expected = grid[score >= table.low[own]].min(), grid[score <= table.high[own]].max()
        low, high = system.interval([estimate], [spread], level=level)
        assert (low[0], high[0]) == (
            pytest.approx(expected[0], abs=0.03),
            pytest.approx(expected[1], abs=0.03),
        )


def test_as_many_calibration_faces_of_each_band_are_outside_as_may_be(
    rng: np.random.Generator,
) -> None:
    """Those that a limit of another band leaves in do not count against their own band."""
    rows, level = scaled_world(rng, 900), 0.9
    system = ConformalAges.fit(rows)
    low, high = system.interval(rows.predictions, rows.spreads, level=level)
    starts = [band.start for band in system.age_bands[1:]]
    places = np.searchsorted(starts, rows.low, side="right")
    assert len(starts) > 3
    for place, band in enumerate(system.age_bands):
        inside = places == place
        outside = (1 - level) * (band.units + 1) + 1e-9
        below = (rows.low < low)[inside].sum()
        above = (rows.low > high)[inside].sum()
        assert below == outside // 2 - 1
        assert above == (outside - outside // 2) // 1 - 1


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
    """(1 - 0.9) times 100 is a little less than 10 in floats."""
    (band,) = ConformalAges.fit(alike(50.0, np.arange(1.0, 100.0))).bands
    assert (band.lower(0.9), band.upper(0.9)) == (-45, 45)


def test_the_next_face_counts() -> None:
    system = ConformalAges.fit(alike(30.0, np.full(100, 30.0)))
    assert system.p_over([30.0, 60.0], 18).tolist() == [100 / 101, 100 / 101]
    assert system.p_over([17.9], 18).tolist() == [0.0]


def test_the_smaller_band_of_the_old_says_no_less_than_the_larger_one_below() -> None:
    estimates = np.repeat([32.0, 72.0], [400, 100])
    system = ConformalAges.fit(CalibrationRows(estimates, estimates, estimates))
    assert [band.units for band in system.bands] == [400, 100]
    assert system.p_over([32.0, 72.0], 18).tolist() == [400 / 401] * 2


@pytest.mark.parametrize(
    ("n", "expected"), [(8, (0, math.inf)), (9, (0, 38)), (18, (0, 47)), (19, (30, 48))]
)
def test_what_too_few_faces_cannot_bound_is_open_and_counted(
    n: int, expected: tuple[float, float]
) -> None:
    system = ConformalAges.fit(alike(40.0, np.arange(30.0, 30.0 + n)))
    low, high = system.interval([40.0], level=0.9)
    assert (low[0], high[0]) == expected
    assert system.too_small(0.9) == (n < 19)


def test_where_no_age_fits_both_ends_are_the_estimate() -> None:
    """The young are seen as much younger than they are, the old as much older."""
    ages = np.repeat([25.0, 35.0], 150)
    rows = CalibrationRows(np.where(ages < 30, ages - 20, ages + 20), ages, ages)
    low, high = ConformalAges.fit(rows).interval([5.0, 30.0, 55.0])
    assert low.tolist() == [25, 30, 35]
    assert high.tolist() == [25, 30, 35]


def test_no_end_is_below_0() -> None:
    system = ConformalAges.fit(alike(3.0, np.tile(np.arange(10.0), 20)))
    low, high = system.interval([0.5, 3.0], level=0.9)
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


def test_the_table_gives_the_intervals(rng: np.random.Generator) -> None:
    for n in (30, 2000):
        system = ConformalAges.fit(scaled_world(rng, n))
        table = system.table(0.8)
        estimates, spreads = np.array([0.0, 4.999, 33.3, 115.0]), np.array([1.0, 2.0, 5.0, 9.0])
        for ours, theirs in zip(
            table.interval(estimates, spreads),
            system.interval(estimates, spreads, level=0.8),
            strict=True,
        ):
            assert ours.tolist() == theirs.tolist()


def test_a_face_that_is_hard_has_a_wider_interval(rng: np.random.Generator) -> None:
    system = ConformalAges.fit(scaled_world(rng, 2000))
    low, high = system.interval(np.full(5, 35.0), np.array([1.0, 2.0, 4.0, 6.0, 9.0]))
    assert (np.diff(high - low) > 0).all()


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0, math.nan])
def test_a_level_is_between_0_and_1(level: float) -> None:
    system = ConformalAges.fit(alike(30.0, np.arange(5.0)))
    with pytest.raises(ConfigError, match="expected a level between 0 and 1"):
        system.interval([30.0], level=level)


@pytest.mark.parametrize("age", [0.0, -3.0, 121.0, math.nan])
def test_an_age_is_above_0(age: float) -> None:
    system = ConformalAges.fit(alike(30.0, np.arange(5.0)))
    with pytest.raises(ConfigError, match="expected an age above 0, up to 120 years"):
        system.p_over([30.0], age)


@quick
@given(st.integers(0, 10_000), st.integers(5, 400))
def test_intervals_are_wider_at_a_higher_level(seed: int, n: int) -> None:
    """On the whole: of a single face an end may move inwards, see methods/intervals.md."""
    rng = np.random.default_rng(seed)
    system, estimates = ConformalAges.fit(world(rng, n)), rng.uniform(0, 90, 50)
    levels = (0.5, 0.8, 0.9, 0.99)
    ends = [system.interval(estimates, level=q) for q in levels]
    assert all((low <= high).all() for low, high in ends)
    widths = [np.minimum(high, 120) - low for low, high in ends]
    assert all(wide.mean() >= narrow.mean() for narrow, wide in pairwise(widths))


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
    assert system.age_bands[0].units == pytest.approx(n)
    assert system.too_small(0.9) == 1  # 360 draws would bound both
    assert system.p_over([33.0], 30).tolist() == pytest.approx([n / (n + 1)])


def test_photographs_of_the_same_persons_say_no_more_than_one_of_each(
    rng: np.random.Generator,
) -> None:
    ages, many = rng.uniform(20, 50, 120), 5
    persons = np.array([f"p{i}" for i in range(120)])
    once = ConformalAges.fit(alike(33.0, ages, persons))
    often = ConformalAges.fit(alike(33.0, np.repeat(ages, many), np.repeat(persons, many)))
    for level in (0.5, 0.9, 0.99):
        assert np.array(often.interval([33.0], level=level)) == pytest.approx(
            np.array(once.interval([33.0], level=level))
        )
    assert often.p_over([33.0], 30) == pytest.approx(once.p_over([33.0], 30))
    assert (once.bands[0].units, often.bands[0].units, often.bands[0].faces) == (120, 120, 600)


def limits(n: int, least: float, most: float) -> tuple[float, float]:
    """Return how often something with a chance in `least..most` may happen in n tries."""
    return stats.binom.ppf(RARE, n, least), stats.binom.ppf(1 - RARE, n, most)


def test_intervals_hold_the_promised_share_of_every_true_age() -> None:
    """One new face a band and calibration set, so that the hits of a band are independent.

    The new faces are of another mix of ages: more of them are old.
    """
    sets, level = 400, 0.9
    hits, tries = np.zeros(3), np.zeros(3)  # lowest band, those between, highest band
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        system = ConformalAges.fit(scaled_world(rng, 450))
        new = scaled_world(rng, 100)
        new = new.rows(np.argsort(-new.low * rng.random(100))[:50])
        low, high = system.interval(new.predictions, new.spreads, level=level)
        held = (low <= new.low) & (new.low <= high)
        starts = [band.start for band in system.age_bands[1:]]
        places, last = np.searchsorted(starts, new.low, side="right"), len(starts)
        for kind, inside in enumerate(
            (places == 0, (places > 0) & (places < last), places == last)
        ):
            first = np.flatnonzero(inside)[:1]
            hits[kind] += held[first].sum()
            tries[kind] += len(first)
    for hit, n in zip(hits.tolist(), tries.tolist(), strict=True):
        few, many = limits(int(n), level, level + 0.05)  # ages of other bands lie between
        assert few <= hit <= many


def test_limits_hold_the_promised_share_where_errors_lean_to_one_side() -> None:
    sets, held = 500, 0
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        (band,) = ConformalAges.fit(alike(25.0, 20 + rng.exponential(5, 120))).bands
        low, high = band.lower(0.9), band.upper(0.9)
        held += int(low <= rng.exponential(5) - 5 <= high)
    few, many = limits(sets, 0.9, 0.9 + 1 / 121)
    assert few <= held <= many


def test_intervals_hold_for_new_persons_where_persons_have_many_faces() -> None:
    """Errors are the person's, who has 1 or 40 faces: faces alone would promise too much."""
    sets, held = 400, 0
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        sizes = np.where(rng.random(60) < 0.2, 40, 1)
        own = np.where(sizes == 40, rng.normal(0, 1, 60), rng.normal(0, 8, 60))
        persons = np.repeat(np.arange(60), sizes).astype(str)
        rows = alike(40.0, 40 + np.repeat(own, sizes), persons)
        low, high = ConformalAges.fit(rows).interval([40.0], level=0.9)
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
        ends = ConformalAges.fit(rows).interval(estimates[:1], level=0.9)
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
            low, high = ConformalAges.fit(rows).interval(50 + x[n:] @ weights, level=0.9)
            held[which] += int(low[0] <= ages[n] <= high[0])
    few = limits(sets, 0.9, 1)[0]
    assert held["crossed"] >= few > held["seen"]


def test_coverage_is_counted_by_group(rng: np.random.Generator) -> None:
    rows, new = world(rng, 900), world(rng, 700)
    gender = rng.choice(["f", "m"], 700)
    faces = CalibrationRows(new.predictions, new.low, new.high, {"gender": gender})
    system = ConformalAges.fit(rows)
    low, high = system.interval(new.predictions, level=0.8)
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
    numbers = ConformalAges.fit(alike(40.0, np.arange(30.0, 38.0))).coverage(
        alike(40.0, np.arange(100.0))
    )
    assert numbers.overall["covered"].value == numbers.overall["open"].value == 1.0
    assert math.isnan(numbers.overall["width"].value)
    assert numbers.overall["width"].n == 0


@pytest.mark.real_data
def test_every_age_group_of_real_faces_is_held(real_data: Path) -> None:
    """One width for all holds .97 of the young and .67 of the old."""
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
    assert (means < 0.94).all()
