"""What stands where a value is missing."""

import numpy as np
import pytest

from fairage._demographics import is_missing
from fairage.auditing.cells import Sentinels, top_reasons


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nan",
        "NaN",
        "N/A",
        "NA",
        "NULL",
        "none",
        "-",
        "?",
        "unknown",
        "Unknown ",
        "<NA>",
        "Unspecified",
    ],
)
def test_usual_spellings_of_missing(text: str) -> None:
    assert is_missing(text)


@pytest.mark.parametrize("text", ["male", "0", "-1", "no face", "n", "nano"])
def test_other_texts_are_values(text: str) -> None:
    assert not is_missing(text)


def test_sentinels_are_compared_as_numbers_or_as_texts() -> None:
    sentinels = Sentinels.of(["999", " No Face", "-1.0", "0,5"])
    assert sentinels.numbers == (-1.0, 0.5, 999.0)
    assert sentinels.among(np.array([999.0, 99.0, -1.0, np.nan])).tolist() == [
        True,
        False,
        True,
        False,
    ]
    assert sentinels.has_text("no face ")
    assert not sentinels.has_text("face")


def test_without_sentinels_nothing_is_one() -> None:
    sentinels = Sentinels.of([])
    assert not sentinels.among(np.array([0.0, 999.0])).any()
    assert not sentinels.has_text("")


def test_reasons_past_twenty_are_others() -> None:
    counts = {f"reason {i:02}": 30 - i for i in range(25)}
    reasons = top_reasons(counts)
    assert len(reasons) == 21
    assert next(iter(reasons)) == "reason 00"
    assert reasons["other"] == 10 + 9 + 8 + 7 + 6
    assert sum(reasons.values()) == sum(counts.values())


def test_a_reason_called_other_is_counted_with_the_rest() -> None:
    counts = {"other": 100} | {f"reason {i:02}": 30 - i for i in range(20)}
    reasons = top_reasons(counts)
    assert reasons["other"] == 100 + 11
    assert sum(reasons.values()) == sum(counts.values())
