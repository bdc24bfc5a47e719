"""Whether these rows bear out a published MAE: no more digits than were written, no fewer."""

import pytest

from fairage.auditing.age_check import check_claim
from fairage.auditing.result_parts import Interval


def kind(claimed: float | str, value: float, half: float = 0.1) -> str:
    claim = check_claim(claimed, Interval(value, value - half, value + half, 1000))
    assert claim is not None
    return claim.kind


def test_without_a_claim_there_is_nothing_to_check() -> None:
    assert check_claim(None, Interval(3.0, 2.9, 3.1, 100)) is None


@pytest.mark.parametrize(
    ("claimed", "value"), [(3.4, 3.44), (3.43, 3.4325), ("3.430", 3.4304), (2.9999, 2.99993)]
)
def test_the_same_as_far_as_it_is_written_is_reproduced(claimed: float | str, value: float) -> None:
    assert kind(claimed, value) == "reproduced"
    assert kind(claimed, value, half=0.0) == "reproduced"


@pytest.mark.parametrize(
    ("claimed", "value"), [(2.9999, 3.04), (3.4, 3.46), ("3.40", 3.44), ("3.430", 3.4325)]
)
def test_what_rounds_to_another_number_is_not_reproduced_but_may_be_chance(
    claimed: float | str, value: float
) -> None:
    assert kind(claimed, value) == "within chance"


def test_a_whole_number_is_written_with_one_digit() -> None:
    assert kind(3.0, 3.04) == "reproduced"
    assert kind(3, 3.06) == "within chance"
    assert kind(3.0, 3.4) == "not reproduced"
    assert kind("3", 3.4) == "reproduced"


def test_a_claim_outside_of_the_interval_is_not_reproduced() -> None:
    claim = check_claim(3.26, Interval(3.4325, 3.29, 3.57, 1977))
    assert claim is not None
    assert claim.kind == "not reproduced"
    assert claim.claimed == 3.26
    assert claim.text == (
        "An MAE of 3.26 years was published; these 1,977 rows give 3.433 (3.290 to 3.570): larger "
        "than published, by more than chance. It is not reproduced."
    )
    smaller = check_claim(4.1, Interval(3.4325, 3.29, 3.57, 1977))
    assert smaller is not None
    assert "smaller than published" in smaller.text


def test_what_rounds_into_the_interval_may_be_chance() -> None:
    # 3.4 may stand for 3.4499, which lies in the interval
    assert kind(3.4, 3.5, half=0.06) == "within chance"
    assert kind("3.40", 3.5, half=0.06) == "not reproduced"


def test_the_sentence_shows_where_the_numbers_part() -> None:
    claim = check_claim(2.9999, Interval(3.04, 2.9, 3.2, 1000))
    assert claim is not None
    assert claim.text == (
        "An MAE of 2.9999 years was published; these 1,000 rows give 3.0400 (2.9000 to 3.2000): "
        "not the same, but other rows of the same kind could give it."
    )
    assert "not the same" not in getattr(check_claim(3.04, Interval(3.04, 2.9, 3.2)), "text", "")


def test_one_row_cannot_tell() -> None:
    claim = check_claim(3.0, Interval(5.0, None, None, 1))
    assert claim is not None
    assert claim.kind == "within chance"
    assert claim.text.endswith("this row gives 5.000: one row or person alone cannot tell.")


def test_the_claim_keeps_its_zero() -> None:
    for written, text in (("3.40", "3.40"), (3.4, "3.4"), (3.0, "3.0"), ("3", "3"), (0.5, "0.5")):
        claim = check_claim(written, Interval(3.4, 3.3, 3.5, 90))
        assert claim is not None
        assert claim.text.startswith(f"An MAE of {text} years was published")
