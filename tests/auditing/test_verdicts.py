"""Simultaneous limits of gaps, and the three verdicts that follow from them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairage.auditing.groups import group_rows, groups_of
from fairage.auditing.noise import GroupMeans, estimate_means
from fairage.auditing.result_parts import ALL, DIFFER, TELL, WITHIN, Gap, Interval, Verdict
from fairage.auditing.verdicts import (
    at_once,
    joint_verdict,
    pair_gap,
    verdict_of,
    with_failures,
)

quick = settings(max_examples=30)

limits = st.tuples(st.floats(-3, 3), st.floats(0, 3))


def gap(low: float | None, high: float | None, name: str = "x") -> Gap:
    value = 0.0 if low is None or high is None else (low + high) / 2
    return pair_gap(name, ("a", "b"), "mae", Interval(value, low, high, 60), 1.0)


def verdict(*gaps: Gap, name: str = "x", rows: int = 100) -> Verdict:
    return verdict_of(name, gaps, 1.0, groups=["a", "b"], rows=rows)


def means_of(rng: np.random.Generator, n: int = 900, groups: int = 5) -> GroupMeans:
    labels = group_rows(rng.integers(0, groups, n).astype(str))
    return estimate_means({"mae": np.abs(rng.normal(0, 4, n))}, {"x": labels})


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (-0.9, 0.9, WITHIN),
        (-1.0, 1.0, WITHIN),
        (0.2, 0.9, WITHIN),
        (-0.5, 1.2, TELL),
        (0.0, 1.2, TELL),
        (0.1, 1.2, DIFFER),
        (-1.5, -0.1, DIFFER),
        (None, None, TELL),
    ],
)
def test_one_pair_is_judged_by_its_limits(low: float | None, high: float | None, kind: str) -> None:
    pair = gap(low, high)
    assert pair.kind == kind
    assert verdict(pair).kind == kind


def test_a_gap_within_the_margin_that_leaves_zero_out_is_still_named() -> None:
    judged = verdict(gap(0.2, 0.9))
    assert judged.kind == WITHIN
    assert judged.differing
    assert judged.at_least == 0.2
    assert judged.at_most == 0.9


def test_one_open_pair_forbids_within_and_one_sure_pair_is_enough_to_differ() -> None:
    assert verdict(gap(-0.2, 0.3), gap(-0.5, 1.4)).kind == TELL
    judged = verdict(gap(-0.2, 0.3), gap(-0.5, 1.4), gap(0.3, 2.4), gap(0.6, 1.1))
    assert judged.kind == DIFFER
    assert judged.at_least == 0.6
    assert judged.at_most == 2.4
    assert [pair.at_least for pair in judged.differing] == [0.6, 0.3]
    assert judged.widest is not None
    assert judged.widest.interval.high == 2.4


def test_without_a_pair_nothing_can_be_told() -> None:
    judged = verdict_of("x", (), 1.0, groups=["a"], left_out=[("x", "b", 4)], rows=90)
    assert (judged.kind, judged.reason) == (TELL, "fewer than two groups")
    assert judged.rows_needed is None
    assert judged.left_out == (("x", "b", 4),)


@quick
@given(pairs=st.lists(limits, min_size=1, max_size=6))
def test_verdict_and_pairs_never_contradict_each_other(pairs: list[tuple[float, float]]) -> None:
    gaps = [gap(low, low + width) for low, width in pairs]
    judged = verdict(*gaps)
    largest = max(max(abs(low), abs(low + width)) for low, width in pairs)
    assert judged.at_most == pytest.approx(largest)
    assert (judged.kind == WITHIN) == all(pair.kind == WITHIN for pair in gaps)
    assert (judged.kind == WITHIN) == (largest <= 1)
    if judged.kind == TELL:
        assert not any(pair.differs for pair in gaps)
        assert judged.rows_needed is not None
        assert judged.rows_needed > 100
    else:
        assert judged.rows_needed is None
    if judged.kind == DIFFER:
        assert any(pair.differs for pair in gaps)
        assert largest > 1
    assert judged.at_least <= judged.at_most


@quick
@given(
    middle=st.lists(st.floats(-2, 2), min_size=1, max_size=5),
    half=st.floats(0.3, 4),
    rows=st.integers(60, 5000),
)
def test_with_the_rows_it_takes_the_verdict_is_certain(
    middle: list[float], half: float, rows: int
) -> None:
    judged = verdict(*(gap(m - half, m + half) for m in middle), rows=rows)
    if judged.kind != TELL:
        return
    assert judged.rows_needed is not None
    exact = rows * (2 * half) ** 2
    assert exact <= judged.rows_needed <= 1.11 * exact + 1
    shrunk = half * np.sqrt(rows / judged.rows_needed)
    assert shrunk <= 0.5 + 1e-9
    assert verdict(*(gap(m - shrunk, m + shrunk) for m in middle), rows=rows).kind != TELL


def test_rows_do_not_help_where_a_limit_is_open() -> None:
    assert verdict(gap(None, None)).rows_needed is None
    assert verdict(gap(None, None), gap(-2.0, 3.0)).rows_needed is None
    assert verdict(gap(None, None)).at_most is None


def joint(*verdicts: Verdict) -> Verdict:
    named = {f"x{i}": replace(own, attribute=f"x{i}") for i, own in enumerate(verdicts)}
    return joint_verdict(named, 1.0, rows=100)


WITHIN_ONE = verdict(gap(-0.3, 0.4))
DIFFER_ONE = verdict(gap(0.3, 2.4))
TELL_ONE = verdict(gap(-2.0, 1.4), rows=50)
FEWER_ONE = verdict_of("x", (), 1.0, groups=["a"], left_out=[("x", "b", 4)], rows=90)


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ([WITHIN_ONE, WITHIN_ONE], WITHIN),
        ([WITHIN_ONE, TELL_ONE], TELL),
        ([WITHIN_ONE, DIFFER_ONE], DIFFER),
        ([TELL_ONE, DIFFER_ONE], DIFFER),
        ([WITHIN_ONE, FEWER_ONE], WITHIN),
        ([FEWER_ONE, FEWER_ONE], TELL),
        ([], TELL),
    ],
)
def test_the_headline_follows_from_the_attributes(parts: Sequence[Verdict], kind: str) -> None:
    judged = joint(*parts)
    assert judged.kind == kind
    assert judged.attribute == ALL
    limits = [part.at_most for part in parts if part.at_most is not None]
    assert judged.at_most == (max(limits) if limits else None)
    assert judged.at_least == max((part.at_least for part in parts), default=0)
    assert (judged.reason == "fewer than two groups") == (not limits)


def test_the_headline_names_the_groups_left_out_of_every_attribute() -> None:
    assert joint(WITHIN_ONE, FEWER_ONE).left_out == (("x", "b", 4),)
    assert joint(FEWER_ONE).left_out == (("x", "b", 4),)
    assert joint(WITHIN_ONE, TELL_ONE).groups == (("x", "a"), ("x", "b")) * 2


def test_the_headline_takes_the_rows_of_the_attribute_that_needs_most() -> None:
    other = verdict(gap(-4.0, 4.0), rows=50)
    judged = joint(TELL_ONE, other, WITHIN_ONE)
    assert judged.rows_needed == other.rows_needed == 3200
    assert joint(DIFFER_ONE, TELL_ONE).rows_needed is None


@pytest.mark.parametrize("uneven", [WITHIN_ONE, TELL_ONE, None])
def test_even_failures_change_no_verdict(uneven: Verdict | None) -> None:
    for own in (WITHIN_ONE, TELL_ONE, DIFFER_ONE, FEWER_ONE):
        assert with_failures(own, uneven) is own


@pytest.mark.parametrize("own", [WITHIN_ONE, TELL_ONE, FEWER_ONE])
def test_uneven_failures_leave_at_most_cannot_tell(own: Verdict) -> None:
    judged = with_failures(own, DIFFER_ONE)
    assert (judged.kind, judged.reason) == (TELL, "failures differ")
    assert judged.rows_needed is None
    assert judged.at_most == own.at_most
    assert judged.left_out == own.left_out
    together = joint(WITHIN_ONE, judged)
    assert (together.kind, together.reason) == (TELL, "failures differ")
    assert together.rows_needed is None
    assert joint(DIFFER_ONE, judged).reason == ""


def test_uneven_failures_do_not_hide_a_gap() -> None:
    assert with_failures(DIFFER_ONE, DIFFER_ONE) is DIFFER_ONE


def test_the_critical_value_is_that_of_a_slow_loop(rng: np.random.Generator) -> None:
    means = means_of(rng)
    columns = means.columns("x", "mae")
    largest = np.zeros(len(means.draws))
    for g in columns:
        for h in columns[:g]:
            a, b = means.ratios[:, g], means.ratios[:, h]
            variance = means.variance[g, g] * a**2 + means.variance[h, h] * b**2
            variance -= 2 * means.variance[g, h] * a * b
            distance = np.abs(means.draws[:, g] * a - means.draws[:, h] * b)
            largest = np.maximum(largest, distance / np.sqrt(variance))
    family = at_once(means, {("x", "mae"): columns})
    assert family.critical == pytest.approx(np.quantile(largest, 0.95))


def test_one_pair_has_the_usual_critical_value_and_more_pairs_less_than_bonferronis(
    rng: np.random.Generator,
) -> None:
    one = means_of(rng, 4000, 2)
    assert at_once(one, {("x", "mae"): np.arange(2)}).critical == pytest.approx(1.96, abs=0.1)
    many = means_of(rng, 6000, 10)
    bonferroni = float(stats.norm.ppf(1 - 0.025 / 45))
    critical = at_once(many, {("x", "mae"): np.arange(10)}).critical
    assert 2.7 < critical < bonferroni + 0.1
    tukey = float(stats.studentized_range.ppf(0.95, 10, np.inf)) / np.sqrt(2)
    assert critical == pytest.approx(tukey, abs=0.15)


def test_limits_are_the_gap_and_the_critical_value_times_its_error(
    rng: np.random.Generator,
) -> None:
    means = means_of(rng)
    family = at_once(means, {("x", "mae"): np.array([0, 2, 3])})
    pairs = family.limits("x", "mae")
    assert {frozenset(pair[:2]) for pair in pairs} == {
        frozenset(pair) for pair in ((0, 2), (0, 3), (2, 3))
    }
    for g, h, value, low, high in pairs:
        assert value == pytest.approx(means.means[g] - means.means[h])
        assert value >= 0
        error = np.sqrt(means.variance[g, g] + means.variance[h, h])
        assert high - value == pytest.approx(family.critical * error)
        assert value - low == pytest.approx(family.critical * error)
        assert type(low) is type(high) is float


def test_a_family_of_nothing_has_no_reach() -> None:
    groups = groups_of(("a", "b"), np.repeat([0, 1], 40))
    means = estimate_means({"mae": np.full(80, 2.7)}, {"x": groups})
    family = at_once(means, {("x", "mae"): np.arange(2)})
    assert family.critical == 0
    assert family.limits("x", "mae") == [(0, 1, 0.0, 0.0, 0.0)]
    assert at_once(means, {}).critical == 0
