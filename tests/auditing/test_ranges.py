"""Ages as people write them, and errors against ranges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.auditing.ranges import (
    distance_outside,
    farthest_error,
    inside,
    middle,
    nearest_error,
    parse_age,
    whole_years,
    width,
)

INF = math.inf
WHOLE = st.integers(0, 120)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("20-29", (20, 30)),
        ("20 - 29", (20, 30)),
        ("20\u201329", (20, 30)),
        ("20\u2014 29", (20, 30)),
        ("20\u221229", (20, 30)),
        ("20 to 29", (20, 30)),
        ("from 20 to 29", (20, 30)),
        ("between 20 and 29", (20, 30)),
        ("20-29 years", (20, 30)),
        ("20 to 29 years old", (20, 30)),
        ("Age 20-29", (20, 30)),
        ("22-30", (22, 31)),
        ("0-2", (0, 3)),
        ("20-20", (20, 21)),
        ("(25, 32)", (25, 33)),
        ("(25,32)", (25, 33)),
        ("[20, 29]", (20, 30)),
        ("[20, 30)", (20, 30)),
        ("(20, 30]", (20, 30)),
        ("(20.0, 30.0]", (20, 30)),
        ("[20.5, 29.5)", (20.5, 29.5)),
        ("(-0.001, 20.0]", (0, 20)),
        ("(-inf, 20]", (0, 20)),
        ("(60.0, inf]", (60, INF)),
        ("20.5-29.5", (20.5, 29.5)),
        ("20,5-29,5", (20.5, 29.5)),
        ("20-29.5", (20, 29.5)),
        ("70+", (70, INF)),
        ("70 +", (70, INF)),
        (">70", (70, INF)),
        (">=70", (70, INF)),
        ("\u226570", (70, INF)),
        ("more than 70", (70, INF)),
        ("over 70", (70, INF)),
        ("60 and over", (60, INF)),
        ("60 years and over", (60, INF)),
        ("70 or older", (70, INF)),
        ("<18", (0, 18)),
        ("under 18", (0, 18)),
        ("under-18", (0, 18)),
        ("younger than 18", (0, 18)),
        ("18 or younger", (0, 19)),
        ("18 and under", (0, 19)),
        ("up to 18", (0, 19)),
        ("<=18", (0, 19)),
        ("<= 18.5", (0, 18.5)),
        ('{"Low": 20, "High": 29}', (20, 30)),
        ("{'High': 29, 'Low': 20}", (20, 30)),
        ("31", (31, 31)),
        ("31.5", (31.5, 31.5)),
        ("31,5", (31.5, 31.5)),
        ("9.6 years", (9.6, 9.6)),
        ("31 y/o", (31, 31)),
        ("-1", (-1, -1)),
    ],
)
def test_a_text_has_these_ends(text: str, ends: tuple[float, float]) -> None:
    assert parse_age(text) == ends
    assert parse_age(text.upper()) == ends


@pytest.mark.parametrize(
    "text",
    ["", "old", "thirty", "1.2.3", "20-29-39", "e", "1,234.5", "1.234,5", "1 234", "-5-10",
     "20--29", "no face", "ERR", "year", "20s", "6-11 months", "{}"],
)  # fmt: skip
def test_other_texts_are_no_age(text: str) -> None:
    assert parse_age(text) is None


def test_ends_the_wrong_way_round_stay_so() -> None:
    assert parse_age("30-20") == (30, 20)
    assert parse_age("21-20") == (21, 20)


@pytest.mark.parametrize(
    ("text", "ends"),
    [("20-29", (20, 29)), ("[20, 30)", (20, 30)), ("(25, 32)", (25, 32)),
     ("18 or younger", (0, 19)), ("20.5-29.5", (20.5, 29.5)), ("70+", (70, INF)),
     ('{"Low": 20, "High": 29}', (20, 29))],
)  # fmt: skip
def test_open_range_ends_leave_the_last_year_out(text: str, ends: tuple[float, float]) -> None:
    assert parse_age(text, closed=False) == ends


def test_fairfaces_ranges_leave_no_gap() -> None:
    texts = ["0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70"]
    ends = [parse_age(text) for text in texts]
    assert None not in ends
    assert [pair[0] for pair in ends[1:]] == [pair[1] for pair in ends[:-1]]


@given(low=WHOLE, years=WHOLE, between=st.sampled_from(["-", " - ", "\u2013", " to ", ".."]))
def test_a_written_range_is_read_back(low: int, years: int, between: str) -> None:
    assert parse_age(f"{low}{between}{low + years}") == (low, low + years + 1)
    assert parse_age(f"[{low}, {low + years})") == (low, low + years)


@given(age=st.floats(0, 120, allow_nan=False))
def test_a_written_number_is_read_back(age: float) -> None:
    text = f"{age:.3f}"
    assert parse_age(text) == (float(text), float(text))
    assert parse_age(text.replace(".", ",")) == (float(text), float(text))


@given(text=st.text(max_size=14))
def test_any_text_is_an_age_or_none(text: str) -> None:
    ends = parse_age(text)
    assert ends is None or not any(map(math.isnan, ends))


def test_only_ranges_of_whole_years_count_their_last_year() -> None:
    assert whole_years(20, 29) == (20, 30)
    assert whole_years(20, 29.5) == (20, 29.5)
    assert whole_years(20.5, 29) == (20.5, 29)
    assert whole_years(29, 20) == (29, 20)


def test_middles() -> None:
    low, high = np.array([20.0, 31.0, 70.0, np.nan]), np.array([30.0, 31.0, INF, np.nan])
    np.testing.assert_array_equal(middle(low, high), [25, 31, np.nan, np.nan])


def test_errors_against_a_true_range() -> None:
    low, high = np.full(4, 20.0), np.full(4, 30.0)
    estimate = np.array([33.5, 25.0, 18.0, np.nan])
    np.testing.assert_array_equal(nearest_error(low, high, estimate), [3.5, 0, 2, np.nan])
    np.testing.assert_array_equal(farthest_error(low, high, estimate), [13.5, 5, 12, np.nan])


def test_errors_against_a_range_without_end() -> None:
    low, high = np.array([70.0, 70.0]), np.array([INF, INF])
    np.testing.assert_array_equal(nearest_error(low, high, np.array([60.0, 90.0])), [10, 0])
    np.testing.assert_array_equal(farthest_error(low, high, np.array([60.0, 90.0])), [INF, INF])


def test_a_number_has_one_error() -> None:
    age, estimate = np.array([30.0]), np.array([33.5])
    assert nearest_error(age, age, estimate) == farthest_error(age, age, estimate) == 3.5


def test_predicted_ranges() -> None:
    low = np.array([20.0, 20.0, 20.0, 31.0, np.nan])
    high = np.array([30.0, 30.0, 30.0, 31.0, np.nan])
    age = np.array([20.0, 30.0, 18.5, 31.0, 40.0])
    np.testing.assert_array_equal(inside(low, high, age), [1, 0, 0, 1, np.nan])
    np.testing.assert_array_equal(width(low, high), [10, 10, 10, 0, np.nan])
    np.testing.assert_array_equal(distance_outside(low, high, age), [0, 0, 1.5, 0, np.nan])


@given(
    low=st.floats(0, 100), years=st.floats(0, 20), estimate=st.floats(0, 120), share=st.floats(0, 1)
)
def test_every_age_of_a_range_has_an_error_between_the_two(low, years, estimate, share) -> None:
    age = np.array([low + share * years])
    ends = np.array([low]), np.array([low + years])
    error = np.abs(estimate - age)
    assert nearest_error(*ends, np.array([estimate])) <= error + 1e-9
    assert error <= farthest_error(*ends, np.array([estimate])) + 1e-9
