import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage._text import (
    LONGEST_NAME,
    MINUS,
    NOTHING,
    at_least,
    at_most,
    count,
    joined,
    number,
    percent,
    percent_at_most,
    shown,
    signed,
    visible,
    years,
)
from fairage.auditing.result_parts import Interval
from fairage.reports.format import (
    as_cell,
    as_percent_cell,
    as_signed_cell,
    attribute_words,
    cell_of,
    faces_of,
    group_order,
    span,
    with_span,
)

HOSTILE = ["a\x1b[31mb", "a\nb", "a\tb", "a\x00b", "a\x7fb", "a\u202eb", "a\u2028b", "a\ud800b"]
SMALL_SHARES = st.floats(0, 1, allow_subnormal=False)
LIMITS = st.floats(0, 1e6, allow_subnormal=False)


def value_of(text: str) -> float:
    return float(text.replace(",", "").replace(MINUS, "-"))


def test_numbers_have_a_real_minus_and_nothing_is_a_dash() -> None:
    assert number(-1.5) == f"{MINUS}1.50"
    assert number(-0.004) == "0.00"
    assert number(12345.678, 1) == "12,345.7"
    assert [number(value) for value in (None, math.nan, math.inf, -math.inf)] == [NOTHING] * 4
    assert len(number(1e300)) < 12


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0.00"), (0.004, "0.00"), (0.005001, "+0.01"), (-2, f"{MINUS}2.00")]
)
def test_a_sign_is_shown_only_with_a_digit(value: float, text: str) -> None:
    assert signed(value) == text


def test_signed_numbers_of_any_size_are_written() -> None:
    assert signed(1e15).startswith("+1.0e")
    assert signed(math.nan) == NOTHING


@given(LIMITS, st.integers(0, 3))
def test_a_lower_limit_is_never_rounded_up_and_an_upper_one_never_down(
    value: float, digits: int
) -> None:
    assert value_of(at_least(value, digits)) <= value + 1e-8
    assert value_of(at_most(value, digits)) >= value - 1e-8


@given(LIMITS.filter(lambda value: value > 0))
def test_a_limit_above_0_is_never_written_as_0(value: float) -> None:
    assert value_of(at_least(value)) > 0
    assert value_of(at_most(value)) > 0


def test_limits_of_whole_tenths_stay_as_they_are() -> None:
    assert [at_least(value) for value in (0.3, 0.7, 2.0)] == ["0.3", "0.7", "2.0"]
    assert [at_most(value) for value in (0.3, 0.7, 2.0)] == ["0.3", "0.7", "2.0"]
    assert at_most(0.1 + 0.2) == "0.3"
    assert at_least(0.29, 2) == "0.29"


@given(SMALL_SHARES)
def test_an_upper_limit_of_a_share_is_rounded_up(share: float) -> None:
    assert value_of(percent_at_most(share).removesuffix("\u202f%")) >= 100 * share - 1e-7


def test_nobody_has_no_percentage() -> None:
    assert percent(None) == NOTHING
    assert percent(math.nan) == NOTHING
    assert as_percent_cell(Interval(math.nan)) == (NOTHING, "")
    assert as_percent_cell(None) == (NOTHING, "")


def test_units_and_plurals() -> None:
    assert years(1, 0) == "1 year"
    assert years(1.0) == "1.00 years"
    assert count(1, "face") == "1 face"
    assert count(0, "face") == "0 faces"
    assert joined([]) == ""
    assert joined(["a", "b"]) == "a and b"


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_be_obeyed_is_shown_as_an_escape(name: str) -> None:
    text = visible(name)
    assert text.isprintable()
    assert text == name.encode("unicode_escape").decode()


def test_letters_of_every_script_stay_as_they_are() -> None:
    for name in ("Männlich", "アジア", "black/African", "<b>bold</b>", "[/b]", "a  b", "é"):
        assert visible(name) == name


def test_long_names_are_cut() -> None:
    assert len(visible("x" * 10_000)) == LONGEST_NAME
    assert visible("x" * LONGEST_NAME) == "x" * LONGEST_NAME


def test_texts_keep_their_lines_and_length() -> None:
    assert shown("a\nb\x1bc") == "a\nb\\x1bc"
    assert len(shown("x" * 500)) == 500


@pytest.mark.parametrize(
    ("attribute", "group", "words"),
    [
        ("gender", "male", "male faces"),
        ("Ethnicity", "East Asian", "East Asian faces"),
        ("race", "Latino_Hispanic", "Latino Hispanic faces"),
        ("skin_tone", "dark", "dark faces"),
        ("age_group", "old", "old faces"),
        ("age_group", "0-18", "faces aged 0-18"),
        ("gender", "1", "faces whose gender is 1"),
        ("gender", "m", "faces whose gender is m"),
        ("glasses", "True", "faces whose glasses is True"),
        ("income", "20 to 50", "faces whose income is 20 to 50"),
        ("race", "other", "faces whose race is other"),
        ("race", "unknown", "faces of unknown race"),
        ("gender", '"><script>', 'faces whose gender is "><script>'),
        ("all", "all", "all faces"),
    ],
)
def test_faces_of_a_group_read_well(attribute: str, group: str, words: str) -> None:
    assert faces_of(attribute, group) == words


def test_cells_name_both_groups() -> None:
    assert cell_of(("gender", "age_group"), ("male", "old")) == "gender male and age group old"
    assert attribute_words(" skin_tone ") == "skin tone"


def test_intervals_may_be_open_or_missing() -> None:
    assert span(Interval(2.0, None, 3.0)) == "at most 3.00"
    assert span(Interval(2.0, 1.0, math.inf)) == "at least 1.00"
    assert span(Interval(2.0)) == ""
    assert with_span(Interval(2.0)) == "2.00"
    assert with_span(Interval(-2.0, -3.0, 1.0), 1, sign=True) == f"{MINUS}2.0 ({MINUS}3.0 to +1.0)"
    assert as_cell(Interval(2.0)) == ("2.00", "")
    assert as_cell(None) == (NOTHING, "")
    assert as_signed_cell(None) == (NOTHING, "")
    assert as_signed_cell(Interval(1.0, -1.0, 3.0)) == ("+1.00", f"{MINUS}1.00 to +3.00")


@pytest.mark.parametrize(
    ("attribute", "names", "rising", "order"),
    [
        ("gender", ["unknown", "male", "female"], (), ["female", "male", "unknown"]),
        ("age_group", ["unknown", "young", "old"], (), ["young", "old", "unknown"]),
        (
            "age_group",
            ["elder", "unknown", "minor"],
            ("minor", "adult", "elder"),
            ["minor", "elder", "unknown"],
        ),
    ],
)
def test_groups_are_shown_in_order(
    attribute: str, names: list[str], rising: tuple[str, ...], order: list[str]
) -> None:
    assert [names[i] for i in group_order(attribute, names, rising)] == order
