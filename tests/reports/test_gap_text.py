import pytest

from fairage._text import MINUS
from fairage.auditing.result_parts import Gap, Interval, Verdict
from fairage.auditing.verdicts import pair_gap
from fairage.reports.gap_text import (
    apart,
    by_attributes,
    left_out_sentence,
    mae_words,
    margin_words,
    mean_error_words,
    rate_words,
    rows_words,
    share_words,
    size_at_least,
    size_at_most,
    verdict_words,
)


def gap(low: float | None, high: float | None, measure: str = "mae") -> Gap:
    value = ((low or 0.0) + (high or 1.0)) / 2
    return pair_gap("gender", ("male", "female"), measure, Interval(value, low, high, 500), 1.0)


def verdict(kind: str, **changes: object) -> Verdict:
    return Verdict("gender", kind, 1.0, **changes)  # type: ignore[arg-type]  # fields by name


def test_a_gap_is_at_least_so_large_only_where_its_limits_leave_0_out() -> None:
    assert apart(gap(0.01, 3.0)) == "at least 0.01 years apart"
    assert apart(gap(-0.01, 3.0)) == "at most 3.0 years apart"
    assert apart(gap(0.0, 3.0)) == "at most 3.0 years apart"
    assert "at least" not in apart(gap(None, 3.0))


def test_a_tiny_lower_limit_is_never_written_as_0() -> None:
    assert apart(gap(0.0004, 3.0)) == "at least 0.0004 years apart"
    assert size_at_least(0.0004, rate=True) == "0.04 points"


def test_limits_are_rounded_to_the_side_that_says_less() -> None:
    assert size_at_least(2.99) == "2.9 years"
    assert size_at_most(2.91) == "3.0 years"
    assert size_at_most(0.999) == "1.00 years"
    assert size_at_least(0.309, rate=True) == "30 points"
    assert size_at_most(0.301, rate=True) == "31 points"


def test_margins_have_their_unit() -> None:
    assert margin_words(verdict("differ")) == "1 year"
    assert margin_words(Verdict("gender", "differ", 0.5)) == "0.5 years"
    assert margin_words(Verdict("gender", "differ", 0.05), rate=True) == "5 points"


def test_cells_say_the_verdict() -> None:
    assert verdict_words(verdict("differ", at_least=2.97)) == "differ by at least 2.9 years"
    assert verdict_words(verdict("within margin", at_most=0.31)) == "no gap above 0.31 years"
    assert verdict_words(verdict("cannot tell", at_most=3.0)) == "cannot tell: up to 3.0 years"
    assert verdict_words(verdict("cannot tell")) == "cannot tell: nothing bounds the gaps"


def test_a_certain_gap_within_the_margin_is_named_in_the_cell() -> None:
    small = gap(0.2, 0.8)
    words = verdict_words(
        verdict("within margin", at_most=0.8, at_least=0.2, differing=(small,), widest=small)
    )
    assert words == "no gap above 0.80 years, one is at least 0.20 years"


@pytest.mark.parametrize("reason", ["fewer than two groups", "failures differ"])
def test_a_reason_is_given_where_rows_are_not_what_is_wanting(reason: str) -> None:
    words = verdict_words(verdict("cannot tell", reason=reason, at_most=0.3))
    assert words == f"cannot tell: {reason}"


def test_rows_are_named_only_where_they_help() -> None:
    assert "about 2,400 rows in all" in rows_words(verdict("cannot tell", rows_needed=2400))
    assert "rows under 18" in rows_words(verdict("cannot tell", rows_needed=9), "rows under 18")
    assert rows_words(verdict("cannot tell")) == ""


@pytest.mark.parametrize(
    ("up", "down", "words"),
    [
        ((0.5, 2.0), (-2.0, -0.5), "Female faces are estimated too old, male faces too young"),
        ((0.5, 2.0), (0.1, 0.4), "Female faces are estimated too old by more than male faces"),
        ((-0.4, -0.1), (-2.0, -0.5), "Male faces are estimated too young by more than female"),
        ((-0.1, 2.0), (-2.0, -0.5), "Female faces are estimated older than male faces, each"),
        ((0.5, 2.0), (-2.0, 0.0), "Female faces are estimated older than male faces, each"),
    ],
)
def test_too_old_and_too_young_need_the_groups_own_intervals(
    up: tuple[float, float], down: tuple[float, float], words: str
) -> None:
    numbers = [Interval(sum(ends) / 2, *ends, 90) for ends in (up, down)]
    assert mean_error_words("gender", ("female", "male"), numbers).startswith(words)


def test_mean_errors_stand_in_the_order_of_the_groups() -> None:
    both_young = [Interval(-0.2, -0.3, -0.1), Interval(-2.0, -3.0, -1.0)]
    text = mean_error_words("gender", ("female", "male"), both_young)
    assert text.startswith("Male")
    assert text.endswith(f"mean errors {MINUS}2.00 and {MINUS}0.20 years")


def test_maes_stand_in_the_order_of_the_groups() -> None:
    text = mae_words("skin", ("dark", "light"), [Interval(5.1), Interval(3.2)])
    assert text == "The MAE of dark faces is 5.10 years, that of light faces 3.20 years"


def test_rates_name_their_groups_and_small_ones_are_not_0() -> None:
    rates = [Interval(0.41), Interval(0.0)]
    assert rate_words("skin", ("dark", "light"), rates) == (
        "41\u202f% of dark faces and 0\u202f% of light faces"
    )
    assert share_words(0.0004) == "0.04\u202f%"
    assert share_words(0.00001) == "under 0.01\u202f%"


def test_long_lists_are_cut() -> None:
    assert by_attributes(["a", "b", "c", "d"], "or") == "a, b, c or d"
    assert by_attributes("abcde") == "a, b, c and 2 other attributes"
    many = tuple(("race", f"group{i}", i) for i in range(9))
    assert left_out_sentence([verdict("differ", left_out=many)]).endswith("and 4 other groups.")


def test_groups_that_take_no_part_are_named_once() -> None:
    left = verdict("differ", left_out=(("race", "other", 4), ("gender", "unknown", 1)))
    assert left_out_sentence([left, left]) == (
        "Not judged, being too small or unknown: race other (4 faces) and gender unknown (1 face)."
    )
    assert left_out_sentence([verdict("differ")]) == ""
