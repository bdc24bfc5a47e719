"""Rates with exact limits on persons, and the gaps between them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from fairage.auditing.groups import Units, groups_of
from fairage.auditing.rates import Rate, group_rates, rate_gaps, rate_of

quick = settings(max_examples=30)


def even(value: float, n: int) -> Rate:
    return Rate(value, n, n, float(n))


def test_rows_have_the_exact_limits(rng: np.random.Generator) -> None:
    hits = (rng.random(80) < 0.3).astype(float)
    interval = rate_of(hits).interval(persons=False)
    expected = stats.binomtest(int(hits.sum()), 80).proportion_ci(0.95, method="exact")
    assert interval.value == hits.mean()
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-4)
    assert (interval.n, interval.n_persons) == (80, None)


def test_no_rows_have_no_rate() -> None:
    rate = rate_of(np.zeros(0))
    interval = rate.interval(persons=True)
    assert math.isnan(interval.value)
    assert (interval.low, interval.high, interval.n, interval.n_persons) == (None, None, 0, 0)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_where_it_happened_never_or_always_persons_count(value: float) -> None:
    rate = rate_of(np.full(60, value), np.repeat(np.arange(20), 3))
    assert rate.effective == 20
    interval = rate.interval(persons=True)
    expected = stats.binomtest(int(20 * value), 20).proportion_ci(0.95, method="exact")
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-4)
    assert (interval.n, interval.n_persons) == (60, 20)


def test_unequal_persons_count_less_than_equal_ones() -> None:
    units = np.repeat(np.arange(20), [41, *[1] * 19])
    assert rate_of(np.zeros(60), units).effective == pytest.approx(60**2 / (41**2 + 19))


def test_the_effective_number_is_korns_and_graubards(rng: np.random.Generator) -> None:
    units = np.repeat(np.arange(30), rng.integers(1, 12, 30))
    own = rng.random(30) < 0.4
    hits = np.where(rng.random(len(units)) < 0.8, own[units], ~own[units]).astype(float)
    n, value = len(hits), hits.mean()
    residuals = np.bincount(units, hits - value)
    variance = (residuals**2).sum() / n**2 * 30 / 29
    ratio = stats.t.ppf(0.975, n - 1) / stats.t.ppf(0.975, 29)
    expected = value * (1 - value) / variance * ratio**2
    assert expected < n
    assert rate_of(hits, units).effective == pytest.approx(expected, rel=1e-5)


def test_equal_rows_of_a_person_count_as_about_one_row(rng: np.random.Generator) -> None:
    own = (rng.random(400) < 0.3).astype(float)
    repeated = rate_of(np.repeat(own, 5), np.repeat(np.arange(400), 5))
    assert repeated.effective == pytest.approx(400, rel=0.03)
    assert repeated.value == own.mean()


def test_more_rows_than_there_are_never_count() -> None:
    # each person has one hit and one miss: no spread between persons at all
    rate = rate_of(np.tile([1.0, 0.0], 40), np.repeat(np.arange(40), 2))
    assert 70 < rate.effective <= 80


def test_weights_make_a_weighted_share_of_fewer_rows(rng: np.random.Generator) -> None:
    hits, weights = (rng.random(90) < 0.5).astype(float), rng.uniform(0.1, 4, 90)
    rate = rate_of(hits, None, weights)
    assert rate.value == pytest.approx(np.average(hits, weights=weights))
    assert rate.effective <= weights.sum() ** 2 / (weights**2).sum() + 1e-9
    assert rate.size == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    even_weights = rate_of(hits, None, np.full(90, 0.3))
    assert even_weights.value == pytest.approx(hits.mean())
    assert even_weights.size == pytest.approx(90)


@quick
@given(
    rows=st.lists(
        st.tuples(st.booleans(), st.integers(0, 6), st.floats(0.1, 9)), min_size=1, max_size=40
    ),
    persons=st.booleans(),
    weighted=st.booleans(),
)
def test_the_limits_hold_the_rate(
    rows: list[tuple[bool, int, float]], persons: bool, weighted: bool
) -> None:
    hits, units, weights = map(np.array, zip(*rows, strict=True))
    rate = rate_of(hits.astype(float), units if persons else None, weights if weighted else None)
    interval = rate.interval(persons=persons)
    assert interval.low is not None
    assert interval.high is not None
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert 0 < rate.effective <= rate.n + 1e-9
    assert rate.units == (len(set(units.tolist())) if persons else len(rows))


@pytest.mark.parametrize("persons", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_rates_of_groups_are_those_of_their_rows(
    persons: bool, weighted: bool, rng: np.random.Generator
) -> None:
    hits = (rng.random(200) < 0.2).astype(float)
    groups = groups_of(("a", "b", "gone"), rng.integers(0, 2, 200))
    units = Units(rng.integers(0, 50, 200), 50) if persons else None
    weights = rng.uniform(0.5, 2, 200) if weighted else None
    rates = group_rates(hits, groups, units, weights)
    for group in range(2):
        rows = groups.codes == group
        assert rates[group] == rate_of(
            hits[rows],
            None if units is None else units.codes[rows],
            None if weights is None else weights[rows],
        )
    assert math.isnan(rates[2].value)
    assert rates[2].n == 0


def test_a_pairs_limits_are_newcombes() -> None:
    rates = {"x": {"a": even(0.3, 60), "b": even(0.1, 90)}}
    gap = rate_gaps("failures", rates, 0.05, persons=False)["x"][0]
    low, high = confint_proportions_2indep(18, 60, 9, 90, method="newcomb", compare="diff")
    assert (gap.first, gap.second, gap.measure) == ("a", "b", "failures")
    assert gap.interval.value == pytest.approx(0.2)
    assert (gap.interval.low, gap.interval.high) == pytest.approx((low, high), abs=1e-9)
    assert gap.interval.n == 150


def test_all_pairs_of_all_attributes_share_sidaks_level() -> None:
    three = {"a": even(0.3, 60), "b": even(0.1, 90), "c": even(0.2, 80)}
    rates = {"x": three, "y": {"a": even(0.3, 60), "b": even(0.1, 90)}}
    gaps = rate_gaps("failures", rates, 0.05, persons=False)
    alpha = 1 - 0.95 ** (1 / 4)
    low, high = confint_proportions_2indep(
        18, 60, 9, 90, method="newcomb", compare="diff", alpha=alpha
    )
    for gap in (gaps["y"][0], next(g for g in gaps["x"] if {g.first, g.second} == {"a", "b"})):
        assert (gap.interval.low, gap.interval.high) == pytest.approx((low, high), abs=1e-9)
    values = [gap.interval.value for gap in gaps["x"]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 3


def test_rates_that_never_happened_in_few_and_many_rows_do_not_differ() -> None:
    rates = {"x": {"few": even(0.0, 60), "many": even(0.02, 1000)}}
    assert not rate_gaps("failures", rates, 0.05, persons=False)["x"][0].differs


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (even(0.02, 9000), even(0.01, 9000), "within margin"),
        (even(0.4, 200), even(0.1, 200), "differ"),
        (even(0.2, 40), even(0.1, 40), "cannot tell"),
    ],
)
def test_a_pair_of_rates_is_judged_by_the_margin(one: Rate, other: Rate, kind: str) -> None:
    rates = {"x": {"a": one, "b": other}}
    assert rate_gaps("failures", rates, 0.05, persons=False)["x"][0].kind == kind


def test_persons_behind_two_rates_are_counted_once() -> None:
    hits, units = np.zeros(6), Units(np.array([0, 1, 2, 2, 3, 4]), 5)
    groups = groups_of(("a", "b"), np.array([0, 0, 0, 1, 1, 1]))
    own = dict(zip(groups.names, group_rates(hits, groups, units), strict=True))
    gap = rate_gaps("failures", {"x": own}, 0.05, persons=True)["x"][0]
    assert (gap.interval.n, gap.interval.n_persons) == (6, 5)
    plain = rate_gaps("failures", {"x": own}, 0.05, persons=False)["x"][0]
    assert plain.interval.n_persons is None


def test_one_group_has_no_gap() -> None:
    assert rate_gaps("failures", {"x": {"a": even(0.3, 60)}}, 0.05, persons=False) == {"x": ()}


def test_gaps_cover_the_difference_of_persons_rates() -> None:
    rng, missed = np.random.default_rng(4), 0
    units = Units(np.repeat(np.arange(80), 8), 80)
    groups = groups_of(("a", "b"), np.repeat([0, 1], 320))
    for _ in range(400):
        hits = (rng.random(640) < rng.beta(1, 4, 80)[units.codes]).astype(float)
        own = dict(zip(groups.names, group_rates(hits, groups, units), strict=True))
        gap = rate_gaps("failures", {"x": own}, 0.05, persons=True)["x"][0]
        missed += gap.differs
    assert missed <= 0.05 * 400 + 3 * math.sqrt(400 * 0.05 * 0.95)
