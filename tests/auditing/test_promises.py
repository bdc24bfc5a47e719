"""Every case in which an earlier audit acquitted or accused falsely, with the right value.

Simulations are small and their seeds fixed; a share may miss its limit by three standard errors.
The coverage benchmark has the same cases with many more tables.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy import stats

from fairage.auditing.groups import Groups, Units, everyone, group_rows, groups_of
from fairage.auditing.inference import Inference, infer
from fairage.auditing.means import UnitSums, mean_limits
from fairage.auditing.measures import MEASURES, GroupErrors
from fairage.auditing.rates import quantile_limits, rate_of
from fairage.auditing.result_parts import ALL, DIFFER, MAE, MEAN_ERROR, TELL, WITHIN
from fairage.tables import AGE_GROUP

Law = Callable[[np.random.Generator, int], np.ndarray]
TABLES = 50


def slack(limit: float, tables: int) -> float:
    return 3 * math.sqrt(limit * (1 - limit) / tables)


def at_least(held: list[bool], limit: float) -> None:
    share = float(np.mean(held))
    assert share >= limit - slack(limit, len(held)), f"{share:.3f} of {len(held)}"


def at_most(said: list[bool], limit: float) -> None:
    share = float(np.mean(said))
    assert share <= limit + slack(limit, len(said)), f"{share:.3f} of {len(said)}"


def sized(*sizes: int) -> Groups:
    return groups_of([f"g{i:02d}" for i in range(len(sizes))], np.repeat(range(len(sizes)), sizes))


def tables(seed: int, count: int = TABLES) -> Iterator[np.random.Generator]:
    for number in range(count):
        yield np.random.default_rng([seed, number])


def mean_gap(means: list[float]) -> float:
    gaps = [abs(a - b) for i, a in enumerate(means) for b in means[:i]]
    return sum(gaps) / len(gaps)


def signed(rng: np.random.Generator, absolute: np.ndarray) -> np.ndarray:
    return absolute * rng.choice([-1.0, 1.0], len(absolute))


def differs(inference: Inference, attribute: str = "x") -> bool:
    return bool(inference.verdicts[attribute].differing)


@pytest.mark.parametrize("m", [1, 10, 30, 60])
def test_the_bias_of_groups_of_600_400_and_few_rows_is_held(m: int, light: Law) -> None:
    groups, held, average = sized(600, 400, m), [], []
    means = [4.0, 4.4, 5.0]
    true = mean_gap(means if m >= 30 else means[:2])
    for rng in tables(m):
        errors = signed(rng, np.array(means)[groups.codes] * light(rng, len(groups.codes)))
        other = groups_of(("f", "m"), rng.integers(0, 2, len(errors)))
        inference = infer(errors, {"x": groups, "y": other})
        own, both = inference.bias["x"], inference.average_bias
        assert both is not None
        held.append(own.low <= true <= own.high)
        average.append(both.low <= true / 2 <= both.high)
        assert (("x", "g02", m) in inference.verdict.left_out) == (m < 30)
    at_least(held, 0.93)
    at_least(average, 0.93)


def test_the_bias_of_twenty_groups_is_held(light: Law) -> None:
    means = np.linspace(2.98, 4.02, 20)
    groups, true, held = sized(*[100] * 20), mean_gap(means.tolist()), []
    for rng in tables(20, 25):
        own = infer(signed(rng, means[groups.codes] * light(rng, 2000)), {"x": groups}).bias["x"]
        held.append(own.low <= true <= own.high)
        assert own.corrected < own.value
    at_least(held, 0.93)


@pytest.mark.parametrize(("n", "count"), [(200, 40), (1000, 30), (5000, 15)])
def test_the_average_bias_of_three_attributes_is_held(n: int, count: int, light: Law) -> None:
    """A small group of 3 % takes part where it has 30 rows."""
    effects = np.array([1.0, 1.15]), np.array([1.0, 1.1, 1.3]), np.array([0.7, 1.0, 1.3, 1.8])
    shares = np.array([0.5, 0.5]), np.array([0.85, 0.12, 0.03]), np.array([0.2, 0.52, 0.2, 0.08])
    centre = [float(effect @ share) for effect, share in zip(effects, shares, strict=True)]
    held = []
    for rng in tables(n, count):
        codes = [rng.choice(len(share), n, p=share) for share in shares]
        scale = 4 * math.prod(e[c] for e, c in zip(effects, codes, strict=True))
        attributes = {
            f"x{i}": groups_of([f"g{j}" for j in range(len(share))], own)
            for i, (share, own) in enumerate(zip(shares, codes, strict=True))
        }
        inference = infer(signed(rng, scale * light(rng, n)), attributes)
        true = [
            mean_gap(list(4 * math.prod(centre) / centre[i] * effects[i][part]))
            for i, part in enumerate(inference.takes_part.values())
            if part.sum() > 1
        ]
        assert inference.average_bias is not None
        own = inference.average_bias
        held.append(own.low <= np.mean(true) <= own.high)
    at_least(held, 0.92)


@pytest.mark.parametrize(("n", "least"), [(10, 0.86), (30, 0.9)])
def test_the_mae_of_few_very_skewed_errors_is_held(n: int, least: float) -> None:
    true, held = math.exp(0.5), []
    for rng in tables(n, 800):
        low, high = mean_limits(UnitSums.of(np.exp(rng.standard_normal(n))), 0) or (0, 0)
        held.append(low <= true <= high)
    at_least(held, least)


@pytest.mark.parametrize("n", [10, 30, 60])
def test_the_p90_of_few_very_skewed_errors_is_held(n: int) -> None:
    true, held = math.exp(stats.norm.ppf(0.9)), []
    for rng in tables(n, 800):
        low, high = quantile_limits(np.sort(np.exp(rng.standard_normal(n))), 0.9)
        held.append((low is None or low <= true) and (high is None or true <= high))
    at_least(held, 0.95)


@pytest.mark.parametrize("n", [60, 120, 240])
def test_the_overall_mae_is_held_where_errors_grow_with_age(n: int) -> None:
    held = []
    for rng in tables(n, 200):
        errors = rng.normal(0, 1, n) * rng.uniform(5, 85, n) / 10
        means = infer(errors, {"x": everyone(n)}).means
        low, high = means.limits(int(means.columns(ALL, MAE)[0])) or (0, 0)
        held.append(low <= 4.5 * math.sqrt(2 / math.pi) <= high)
    at_least(held, 0.93)


@pytest.mark.parametrize(("sizes", "limit"), [((970, 30), 0.09), ((30, 970), 0.065)])
def test_unequal_spread_is_no_gap(
    sizes: tuple[int, int], limit: float, light: Law, heavy: Law
) -> None:
    said, groups = [], sized(*sizes)
    for rng in tables(970, 250):
        errors = 4 * np.concatenate([light(rng, sizes[0]), heavy(rng, sizes[1])])
        said.append(differs(infer(signed(rng, errors), {"x": groups})))
    at_most(said, limit)


def test_a_gap_of_few_rows_of_small_spread_is_found(light: Law, heavy: Law) -> None:
    said, groups = [], sized(30, 970)
    for rng in tables(30, 50):
        errors = np.concatenate([7 * light(rng, 30), 4 * heavy(rng, 970)])
        said.append(differs(infer(signed(rng, errors), {"x": groups})))
    assert np.mean(said) > 0.6


def test_mean_errors_of_unequal_spread_are_no_gap() -> None:
    said, groups = [], sized(900, 60)
    for rng in tables(12, 200):
        errors = np.concatenate([rng.normal(0, 2, 900), rng.normal(0, 4, 60)])
        gaps = infer(errors, {"x": groups}).gaps["x"]
        said.append(any(gap.differs for gap in gaps if gap.measure == MEAN_ERROR))
    at_most(said, 0.065)


def persons(rng: np.random.Generator, sizes: np.ndarray, law: Law) -> tuple[np.ndarray, Units]:
    """Persons of one expected error, each with an error of its own."""
    units = Units(np.repeat(np.arange(len(sizes)), sizes), len(sizes))
    base = 4 * (0.5 + rng.gamma(2, 0.25, len(sizes)))
    return signed(rng, base[units.codes] * law(rng, len(units.codes))), units


def test_a_mislabelled_row_does_not_change_the_unit(light: Law) -> None:
    said = []
    for rng in tables(33, 120):
        errors, units = persons(rng, np.full(90, 8), light)
        codes = units.codes % 3
        codes[0] = (codes[0] + 1) % 3
        inference = infer(
            errors, {"x": groups_of(("a", "b", "c"), codes)}, units=units, min_rows=20
        )
        said.append(differs(inference))
        assert inference.means.sizes[inference.means.columns("x", MAE)].tolist() == [30, 31, 30]
    at_most(said, 0.065)


def test_persons_of_two_and_of_twenty_rows_are_no_gap(light: Law) -> None:
    said = []
    for rng in tables(2, 120):
        errors, units = persons(rng, rng.choice([2, 20], 100), light)
        groups = groups_of(("a", "b"), units.codes % 2)
        said.append(differs(infer(errors, {"x": groups}, units=units)))
    at_most(said, 0.065)


def test_rates_of_twenty_persons_of_twenty_rows_are_held() -> None:
    held, units = [], np.repeat(np.arange(20), 20)
    for rng in tables(58, 500):
        hits = (rng.random(400) < rng.beta(0.5, 2, 20)[units]).astype(float)
        interval = rate_of(hits, units).interval(persons=True)
        held.append((interval.low or 0) <= 0.2 <= (interval.high or 0))
    at_least(held, 0.92)


def test_one_attribute_four_times_is_tested_once(light: Law) -> None:
    said, groups = [], sized(150, 100, 50)
    for rng in tables(17, 40):
        errors = signed(rng, 4 * light(rng, 300))
        inference = infer(errors, {f"x{i}": groups for i in range(4)})
        average = inference.average_bias
        assert average is not None
        said.append(bool(inference.verdict.differing))
        assert (average.low > 0) == any(own.low > 0 for own in inference.bias.values())
    at_most(said, 0.065)


def test_seven_equal_groups_have_one_story(light: Law) -> None:
    groups, said = sized(*[80] * 7), []
    for rng in tables(49, 60):
        inference = infer(signed(rng, 4 * light(rng, 560)), {"x": groups})
        verdict, gaps = inference.verdict, inference.gaps["x"]
        told_apart = sum(gap.differs for gap in gaps)
        said.append(told_apart > 0)
        assert len(gaps) == 2 * 21
        if verdict.kind == TELL:
            assert told_apart == 0
            assert inference.bias["x"].low == inference.mean_error_bias["x"].low == 0
        assert (verdict.kind == DIFFER) == (told_apart > 0 and (verdict.at_most or 0) > 1)
    at_most(said, 0.065)


def test_a_gap_of_one_of_55_yes_no_columns_is_found(light: Law) -> None:
    rng, n = np.random.default_rng(55), 2000
    codes = rng.integers(0, 2, (55, n))
    errors = signed(rng, (3.0 + 0.9 * codes[7]) * light(rng, n))
    attributes = {f"x{i:02d}": groups_of(("no", "yes"), own) for i, own in enumerate(codes)}
    inference = infer(errors, attributes)
    assert inference.verdict.kind == DIFFER
    assert inference.verdict.differing[0].attribute == "x07"
    assert 0.9 > inference.verdict.at_least > 0
    assert inference.bias["x07"].low > 0
    assert sum(bool(own.differing) for own in inference.verdicts.values()) == 1


def test_errors_that_are_all_equal_do_not_differ() -> None:
    groups = sized(37, 41, 90)
    inference = infer(np.full(168, 2.7), {"x": groups, AGE_GROUP: groups})
    assert inference.verdict.kind == WITHIN
    assert not inference.verdict.differing
    assert inference.bias["x"].value == pytest.approx(0, abs=1e-9)


def test_columns_of_one_value_do_not_lower_the_average(light: Law) -> None:
    rng = np.random.default_rng(3)
    errors = signed(rng, np.repeat([3.0, 6.0], 200) * light(rng, 400))
    constant = {f"c{i}": everyone(400) for i in range(5)}
    alone, more = (
        infer(errors, {"x": sized(200, 200)}),
        infer(errors, {"x": sized(200, 200), **constant}),
    )
    assert alone.average_bias is not None
    assert more.average_bias is not None
    assert more.average_bias.value == alone.average_bias.value > 2


def test_women_too_old_and_men_too_young_is_a_finding_at_equal_mae() -> None:
    rng = np.random.default_rng(4)
    absolute = rng.gamma(4, 1, 600)
    women = np.arange(600) % 2 == 0
    too_old = rng.random(600) < np.where(women, 0.75, 0.27)
    errors = np.where(too_old, absolute, -absolute)
    inference = infer(errors, {"gender": group_rows(np.where(women, "women", "men"))})
    gap = inference.verdict.differing[0]
    assert (gap.measure, gap.first, gap.second) == (MEAN_ERROR, "women", "men")
    assert gap.interval.value > 3
    assert inference.verdict.kind == DIFFER
    assert all(own.measure == MEAN_ERROR for own in inference.verdict.differing)


def test_without_a_gap_the_largest_possible_one_is_known(light: Law) -> None:
    rng = np.random.default_rng(5)
    groups = sized(3000, 3000)
    inference = infer(signed(rng, 4 * light(rng, 6000)), {"x": groups})
    assert inference.verdict.kind == WITHIN
    assert 0 < (inference.verdict.at_most or 0) < 1
    few = infer(signed(rng, 4 * light(rng, 120)), {"x": sized(60, 60)}).verdict
    assert few.kind == TELL
    assert few.at_most is not None
    assert few.at_most > 1
    assert few.rows_needed is not None
    assert few.rows_needed > 120


def test_equal_groups_are_not_given_a_bias_beyond_the_noise(light: Law) -> None:
    groups, excess, corrected = sized(60, 60, 60), [], []
    for rng in tables(7, 80):
        own = infer(signed(rng, 4 * light(rng, 180)), {"x": groups}).bias["x"]
        excess.append(own.value - own.floor.mean)
        corrected.append(own.corrected)
    assert abs(np.mean(excess)) < 0.08
    assert 0.3 < np.mean(np.array(corrected) == 0) < 0.7  # T is as often above its median at 0


def test_rmse_of_light_tails_is_held(light: Law) -> None:
    held = []
    for rng in tables(9, 400):
        interval = MEASURES["rmse"].measure(GroupErrors(rng.normal(0, 4, 60)))
        held.append((interval.low or 0) <= 4 <= (interval.high or 0))
    at_least(held, 0.93)
