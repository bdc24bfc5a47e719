"""Verdicts on changes follow from their limits alone."""

import pytest

from fairage.auditing.changes import (
    Change,
    ChangeVerdict,
    bias_kind,
    change_verdict,
    without_failing,
)
from fairage.auditing.result_parts import Interval

BOTH, ONLY_A, ONLY_B = frozenset("ab"), frozenset("a"), frozenset("b")


def change(low: float | None, high: float | None, measure: str = "mae", group: str = "f") -> Change:
    middle = 0.0 if low is None or high is None else (low + high) / 2
    return Change("gender", group, measure, Interval(middle, low, high, 100))


def verdict(*changes: Change, margin: float = 1.0) -> ChangeVerdict:
    return change_verdict("gender", changes, margin, rows=100)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ([change(-2.0, -0.1)], "better"),
        ([change(-2.0, 0.1)], "cannot tell"),
        ([change(0.1, 2.0)], "worse"),
        ([change(-0.1, 2.0)], "cannot tell"),
        ([change(-2.0, -0.1), change(0.1, 2.0, group="m")], "mixed"),
        ([change(-2.0, -0.1), change(-0.1, 2.0, group="m")], "better"),
        ([change(-0.99, -0.1)], "within margin"),
        ([change(-1.01, -0.1)], "better"),
        ([change(-0.5, 0.5), change(-0.5, 0.5, "mean_error")], "within margin"),
        ([change(-0.5, 0.5), change(-0.5, 1.5, "mean_error")], "cannot tell"),
        ([change(-0.5, 0.5), change(0.5, 1.5, "mean_error")], "shifted"),
        ([change(-2.0, -0.1), change(0.5, 1.5, "mean_error")], "better"),
        ([change(None, None)], "cannot tell"),
        ([change(-0.5, 0.5), change(None, None, group="m")], "cannot tell"),
        ([change(-2.0, -1.0), change(None, None, group="m")], "better"),
    ],
)
def test_kind(changes: list[Change], kind: str) -> None:
    assert verdict(*changes).kind == kind


def test_a_sure_change_within_the_margin_is_still_named() -> None:
    sure = verdict(change(-0.9, -0.1))
    assert sure.kind == "within margin"
    assert [each.group for each in sure.improved] == ["f"]


def test_identical_estimates_change_nothing_and_do_not_hide_the_others() -> None:
    same = Change("gender", "f", "mae", Interval(0.0, None, None, 50), identical=True)
    assert verdict(same).kind == "identical"
    assert verdict(same, change(-2.0, -0.1, group="m")).kind == "better"
    assert verdict(same, change(-0.2, 0.1, group="m")).kind == "within margin"


def test_without_a_group_that_takes_part_nobody_can_tell() -> None:
    empty = change_verdict("gender", [], 1.0, rows=9, left_out=[("gender", "f", 9)])
    assert (empty.kind, empty.reason, empty.rows_needed) == ("cannot tell", "too few rows", None)
    assert empty.left_out == (("gender", "f", 9),)


@pytest.mark.parametrize(
    ("half", "rows"), [(1.0, 400), (0.75, 230), (2.0, 1600), (0.5, None)]
)  # 100 rows x (2 half / margin)²; at half the margin it is within
def test_rows_that_it_would_take(half: float, rows: int | None) -> None:
    low, high = (-0.4, 2 * half - 0.4) if half > 0.5 else (-0.5, 0.5)
    assert verdict(change(low, high)).rows_needed == rows


def test_sure_verdicts_need_no_rows() -> None:
    assert verdict(change(-3.0, -0.1)).rows_needed is None


@pytest.mark.parametrize(
    ("changes", "failing", "kind"),
    [
        ([change(-2.0, -0.1)], ONLY_B, "cannot tell"),
        ([change(-2.0, -0.1)], ONLY_A, "better"),
        ([change(0.1, 2.0)], ONLY_B, "worse"),
        ([change(0.1, 2.0)], ONLY_A, "cannot tell"),
        ([change(0.1, 2.0)], BOTH, "cannot tell"),
        ([change(-0.5, 0.5)], ONLY_A, "cannot tell"),
        ([change(-0.5, 0.5)], ONLY_B, "cannot tell"),
        ([change(-0.5, 0.5)], frozenset(), "within margin"),
        ([change(-2.0, -0.1), change(0.1, 2.0, group="m")], ONLY_B, "worse"),
        ([change(-2.0, -0.1), change(0.1, 2.0, group="m")], ONLY_A, "better"),
        ([change(-2.0, -0.1), change(0.1, 2.0, group="m")], BOTH, "cannot tell"),
    ],
)
def test_who_leaves_out_faces_is_never_better(
    changes: list[Change], failing: frozenset[str], kind: str
) -> None:
    held_back = without_failing(verdict(*changes), failing)
    assert held_back.kind == kind
    if kind == "cannot tell":
        assert held_back.reason == "failures differ"
        assert held_back.rows_needed is None


@pytest.mark.parametrize(
    ("low", "high", "failing", "kind"),
    [
        (-2.0, -0.1, "", "fairer"),
        (-2.0, 0.1, "", "cannot tell"),
        (0.1, 2.0, "", "less fair"),
        (-0.5, -0.1, "", "within margin"),
        (-2.0, -0.1, "b", "cannot tell"),
        (-2.0, -0.1, "a", "fairer"),
        (0.1, 2.0, "a", "cannot tell"),
        (-0.5, 0.1, "a", "cannot tell"),
        (None, None, "", "cannot tell"),
    ],
)
def test_kind_of_a_bias_change(
    low: float | None, high: float | None, failing: str, kind: str
) -> None:
    assert bias_kind(Interval(0.0, low, high), 1.0, failing=frozenset(failing)) == kind


@pytest.mark.parametrize(
    ("low", "high", "least", "most"),
    [(-2.0, -0.5, 0.5, 2.0), (0.5, 2.0, 0.5, 2.0), (-0.5, 2.0, 0.0, 2.0), (None, None, 0.0, None)],
)
def test_size_of_a_change(
    low: float | None, high: float | None, least: float, most: float | None
) -> None:
    assert change(low, high).at_least == least
    assert change(low, high).at_most == most
