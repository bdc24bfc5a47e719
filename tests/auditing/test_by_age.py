"""Errors along age, and what part of a gap comes from who is older."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from fairage.auditing import by_age as module
from fairage.auditing.age_cells import cells_of_rows
from fairage.auditing.by_age import audit_by_age
from fairage.auditing.groups import Groups, Units, groups_of
from fairage.auditing.inference import infer
from fairage.auditing.result_parts import ALL, MAE, MEAN_ERROR, AdjustedGap, ByAge
from fairage.tables import AGE_GROUP

Everyone = dict[str, np.ndarray]


def two(*sizes: int) -> Groups:
    return groups_of(("a", "b", "c")[: len(sizes)], np.repeat(np.arange(len(sizes)), sizes))


def audited(ages: np.ndarray, errors: np.ndarray, groups: Groups, **options: object) -> ByAge:
    part = {"x": np.ones(len(groups), dtype=bool)}
    return audit_by_age(ages, errors, {"x": groups}, part, **options)  # type: ignore[arg-type]  # options by name


def pair(result: ByAge, measure: str = MAE) -> AdjustedGap:
    return next(gap for gap in result.adjusted["x"] if gap.measure == measure)


def slow_pair(
    ages: np.ndarray, values: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[float, float, list[int]]:
    """Crude and adjusted gap over the bands where both have five rows."""
    bands = [
        band
        for band in range(24)
        if min(((ages[rows] // 5) == band).sum() for rows in (first, second)) >= 5
    ]
    inside = np.isin(ages // 5, bands)
    crude = values[first & inside].mean() - values[second & inside].mean()
    pooled = (first | second) & inside
    adjusted = 0.0
    for band in bands:
        rows = (ages // 5) == band
        share = (pooled & rows).sum() / pooled.sum()
        adjusted += share * (values[first & rows].mean() - values[second & rows].mean())
    return float(crude), float(adjusted), bands


def test_bands_have_the_errors_of_their_rows(rng: np.random.Generator) -> None:
    ages, errors = rng.uniform(0, 40, 500), rng.normal(1, 4, 500)
    result = audited(ages, errors, two(300, 200))
    assert {band.group for band in result.bands["x"]} == {"a", "b"}
    for name, groups in ((ALL, np.zeros(500)), ("x", np.repeat([0, 1], [300, 200]))):
        for band in result.bands[name]:
            own = 0 if band.group == ALL else "ab".index(band.group)
            rows = (groups == own) & (ages >= band.low) & (ages < band.high)
            assert band.high - band.low == 5
            assert band.n == band.mae.n == rows.sum()
            assert band.mae.value == pytest.approx(np.abs(errors[rows]).mean())
            assert band.mean_error.value == pytest.approx(errors[rows].mean())
            assert band.mae.low is not None
            assert 0 <= band.mae.low <= band.mae.value <= (band.mae.high or 0)
    assert sum(band.n for band in result.bands[ALL]) == 500


def test_a_band_of_one_row_has_no_interval() -> None:
    result = audited(np.array([3.0, 12.0, 13.0]), np.array([1.0, 2.0, 3.0]), two(1, 2))
    lonely = next(band for band in result.bands["x"] if band.group == "a")
    assert (lonely.mae.low, lonely.mae.high) == (None, None)
    pairwise_band = next(band for band in result.bands["x"] if band.group == "b")
    expected = stats.t.interval(0.95, 1, 2.5, 0.5)
    assert pairwise_band.mean_error.low == pytest.approx(expected[0], rel=1e-4)


def test_the_limits_of_a_band_undo_halls_transformation(rng: np.random.Generator) -> None:
    values = rng.exponential(3, 25)
    powers = (values, values**2, values**3)
    cells = cells_of_rows((1, 1), np.zeros(25, dtype=int), None, powers, 0.0)
    low, high = (float(end[0, 0]) for end in cells.limits())
    spread, skew = values.std(ddof=1), stats.skew(values)
    for end, share in ((low, 0.975), (high, 0.025)):
        t = (values.mean() - end) / (spread / 5)
        a = skew / (3 * 5)
        bent = t + a * t**2 + a**2 * t**3 / 3 + a / 2
        assert bent == pytest.approx(stats.t.ppf(share, 24), rel=1e-3)
    assert high - values.mean() > values.mean() - low


def test_gaps_are_those_of_a_slow_loop(rng: np.random.Generator) -> None:
    ages = np.concatenate([rng.uniform(10, 60, 150), rng.uniform(25, 90, 120)])
    errors = rng.normal(0, 1 + ages / 20)
    result, first = audited(ages, errors, two(150, 120)), np.repeat([True, False], [150, 120])
    for measure, values in ((MAE, np.abs(errors)), (MEAN_ERROR, errors)):
        own = pair(result, measure)
        swap = own.first == "b"
        one, other = (~first, first) if swap else (first, ~first)
        crude, adjusted, bands = slow_pair(ages, values, one, other)
        assert own.crude.value == pytest.approx(crude)
        assert own.adjusted.value == pytest.approx(adjusted)
        assert own.explained.value == pytest.approx(crude - adjusted)
        assert own.bands == tuple((5.0 * band, 5.0 * band + 5) for band in bands)
        inside = np.isin(ages // 5, bands)
        assert own.share_used == pytest.approx((inside[one].mean(), inside[other].mean()))
        assert own.crude.n == inside.sum()


def test_one_band_has_welchs_limits(rng: np.random.Generator) -> None:
    ages, errors = np.full(90, 32.0), rng.normal(0, np.repeat([2.0, 6.0], [60, 30]))
    own = pair(audited(ages, errors, two(60, 30)), MEAN_ERROR)
    level = 0.95 ** (1 / 2)
    one, other = errors[:60], errors[60:]
    if own.first == "b":
        one, other = other, one
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(level)
    assert (own.crude.low, own.crude.high) == pytest.approx((expected.low, expected.high), rel=1e-4)
    assert own.adjusted == own.crude
    assert (own.explained.value, own.explained.low, own.explained.high) == (0, 0, 0)


@pytest.mark.parametrize("many", [False, True])
def test_sums_over_joint_cells_are_the_plain_ones(many: bool, rng: np.random.Generator) -> None:
    n = 4000 if many else 150
    ages, errors = rng.uniform(0, 80, n), rng.normal(0, 4, n)
    attributes = {
        "x": groups_of(("a", "b", "c"), rng.integers(0, 3, n)),
        "y": groups_of(("f", "m"), rng.integers(0, 2, n)),
        AGE_GROUP: groups_of(("young", "old"), (ages > 40).astype(int)),
    }
    part = {name: np.ones(len(own), dtype=bool) for name, own in attributes.items()}
    short = audit_by_age(ages, errors, attributes, part)
    plain = audit_by_age(ages, errors, attributes, part, weights=np.ones(n))
    assert set(short.adjusted) == {"x", "y"}
    for name in (ALL, "x", "y"):
        for one, other in zip(short.bands[name], plain.bands[name], strict=True):
            assert (one.group, one.low, one.n) == (other.group, other.low, other.n)
            for measure in ("mae", "mean_error"):
                ends = [
                    (own.value, own.low or 0, own.high or 0)
                    for own in (getattr(one, measure), getattr(other, measure))
                ]
                assert ends[0] == pytest.approx(ends[1], rel=1e-6, abs=1e-8, nan_ok=True)
    for name in ("x", "y"):
        for gap, own in zip(short.adjusted[name], plain.adjusted[name], strict=True):
            assert (gap.first, gap.second) == (own.first, own.second)
            for key in ("crude", "adjusted", "explained"):
                ends = [
                    (end.value, end.low or 0, end.high or 0)
                    for end in (getattr(gap, key), getattr(own, key))
                ]
                assert ends[0] == pytest.approx(ends[1], rel=1e-6, abs=1e-8, nan_ok=True)


def test_people_of_several_rows_have_wider_limits(
    rng: np.random.Generator, people: Callable[..., Units]
) -> None:
    ages = np.repeat(rng.uniform(20, 40, 80), 5)
    errors = np.repeat(rng.normal(0, 4, 80), 5) + np.tile(np.arange(5) / 100, 80)
    rows = pair(audited(ages, errors, two(200, 200)))
    known = pair(audited(ages, errors, two(200, 200), units=people(*[5] * 80)))
    for key in ("crude", "adjusted", "explained"):
        one, other = getattr(rows, key), getattr(known, key)
        assert other.value == pytest.approx(one.value)
        assert (other.high or 0) - (other.low or 0) > 1.8 * ((one.high or 0) - (one.low or 0))
        assert (other.n, other.n_persons) == (400, 80)


def test_few_persons_have_students_limits(
    rng: np.random.Generator, people: Callable[..., Units]
) -> None:
    errors = np.repeat(rng.normal(0, 4, 14), 5)
    result = audited(np.full(70, 30.0), errors, two(35, 35), units=people(*[5] * 14))
    own = pair(result, MEAN_ERROR)
    one, other = errors[:35:5], errors[35::5]
    error = np.hypot(stats.sem(one), stats.sem(other))
    reach = stats.t.ppf((1 + 0.95 ** (1 / 2)) / 2, 14 - 2) * error
    assert own.crude.value == pytest.approx(abs(one.mean() - other.mean()))
    assert (own.crude.high or 0) - own.crude.value == pytest.approx(reach, rel=1e-4)


def test_persons_in_both_groups_share_their_noise(rng: np.random.Generator) -> None:
    base = np.repeat(rng.normal(0, 5, 60), 2)
    errors, ages = base + rng.normal(0, 0.1, 120), np.full(120, 30.0)
    groups = groups_of(("a", "b"), np.tile([0, 1], 60))
    together = pair(
        audited(ages, errors, groups, units=Units(np.repeat(np.arange(60), 2), 60)), MEAN_ERROR
    )
    apart = pair(audited(ages, errors, groups), MEAN_ERROR)
    assert (together.crude.high or 0) - (together.crude.low or 0) < 0.3
    assert (apart.crude.high or 0) - (apart.crude.low or 0) > 2
    assert together.crude.n_persons == 60


def test_pairs_that_share_too_few_ages_are_not_usable(rng: np.random.Generator) -> None:
    ages = np.concatenate([rng.uniform(10, 30, 100), rng.uniform(25, 80, 100)])
    own = pair(audited(ages, rng.normal(0, 4, 200), two(100, 100)))
    assert not own.usable
    assert min(own.share_used) < 0.5
    never = pair(audited(np.repeat([12.0, 62.0], 50), rng.normal(0, 4, 100), two(50, 50)))
    assert not never.usable
    assert never.bands == ()
    assert np.isnan(never.adjusted.value)
    assert (never.adjusted.low, never.adjusted.high) == (None, None)
    same = pair(audited(rng.uniform(20, 60, 300), rng.normal(0, 4, 300), two(150, 150)))
    assert same.usable


def test_only_groups_that_take_part_are_adjusted_and_never_age_groups(
    rng: np.random.Generator,
) -> None:
    attributes = {"x": two(100, 100, 20), AGE_GROUP: two(110, 110)}
    part = {"x": np.array([True, True, False]), AGE_GROUP: np.ones(2, dtype=bool)}
    result = audit_by_age(rng.uniform(20, 60, 220), rng.normal(0, 4, 220), attributes, part)
    assert set(result.adjusted) == {"x"}
    assert AGE_GROUP not in result.bands
    assert len(result.adjusted["x"]) == 2
    assert "c" in {band.group for band in result.bands["x"]}


@pytest.mark.parametrize("mode", ["rows", "persons", "weights"])
def test_errors_that_are_all_equal_are_explained_by_nothing(
    mode: str, rng: np.random.Generator, people: Callable[..., Units]
) -> None:
    ages = rng.uniform(20, 60, 400)
    options: dict[str, object] = {
        "rows": {},
        "persons": {"units": people(*[4] * 100)},
        "weights": {"weights": rng.uniform(0.5, 2, 400)},
    }[mode]
    result = audited(ages, (ages + 2.7) - ages, two(150, 250), **options)
    for gap in result.adjusted["x"]:
        for own in (gap.crude, gap.adjusted, gap.explained):
            assert (own.value, own.low, own.high) == (0, 0, 0)


def test_of_very_many_pairs_the_surest_are_adjusted_and_limits_hold_for_all(
    rng: np.random.Generator,
) -> None:
    sizes = [40] * 14
    groups = groups_of([f"g{i:02d}" for i in range(14)], np.repeat(np.arange(14), sizes))
    ages, errors = rng.uniform(20, 60, 560), rng.normal(0, 4, 560)
    errors[groups.codes == 13] *= 4
    inference = infer(errors, {"x": groups})
    part = {"x": np.ones(14, dtype=bool)}
    result = audit_by_age(ages, errors, {"x": groups}, part, gaps=inference.gaps)
    pairs = [frozenset((gap.first, gap.second)) for gap in result.adjusted["x"]]
    assert len(pairs) == 2 * module.MOST_PAIRS
    sure = [gap for gap in inference.gaps["x"] if gap.differs]
    assert len(sure) > 10
    assert {frozenset((gap.first, gap.second)) for gap in sure} <= set(pairs)
    alone = audit_by_age(ages, errors, {"x": groups}, {"x": np.arange(14) >= 12})
    chosen = next(
        gap
        for gap in result.adjusted["x"]
        if {gap.first, gap.second} == {"g12", "g13"} and gap.measure == MAE
    )
    other = pair(alone)
    assert (chosen.crude.high or 0) > (other.crude.high or 0)


def test_a_gap_that_is_all_age_is_held_by_the_limits(rng: np.random.Generator) -> None:
    held, explained, tables = 0, 0, 200
    for _ in range(tables):
        ages = np.concatenate([rng.normal(35, 8, 80), rng.normal(47, 8, 80)])
        errors = rng.normal(0, 1, 160) * (ages // 5 - 3)
        own = pair(audited(ages, errors, two(80, 80)))
        low, high = own.adjusted.low or 0, own.adjusted.high or 0
        held += low <= 0 <= high
        explained += own.first == "b" and (own.explained.low or 0) > 0
    assert held >= 0.95 * tables - 3 * np.sqrt(tables * 0.95 * 0.05)
    assert explained > 0.15 * tables


def test_bands_are_in_order(rng: np.random.Generator) -> None:
    result = audited(rng.uniform(0, 100, 300), rng.normal(0, 4, 300), two(150, 150))
    lows = [band.low for band in result.bands[ALL]]
    assert all(one < other for one, other in pairwise(lows))
