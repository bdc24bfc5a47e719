"""Ages as people write them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.audit.bins import age_format, bin_distance

FAIRFACE = ["0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70"]


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("20-29", (20, 30)),
        ("20 - 29", (20, 30)),
        ("20\u201329", (20, 30)),
        ("20 to 29", (20, 30)),
        ("(25, 32)", (25, 33)),
        ("[20, 30)", (20, 30)),
        ("20.5-30.5", (20.5, 30.5)),
        ("70+", (70, 120)),
        (">70", (70, 120)),
        ("more than 70", (70, 120)),
        ("70 and over", (70, 120)),
        ("70 or older", (70, 120)),
        ("<18", (0, 18)),
        ("under 18", (0, 18)),
        ("23,5", (23.5, 23.5)),
        ("20-29 years", (20, 30)),
        ("9.6 years", (9.6, 9.6)),
        ("31 y/o", (31, 31)),
    ],
)
def test_a_text_has_these_edges(text: str, edges: tuple[float, float]) -> None:
    column = pl.Series([text])
    low, high = age_format(column).edges(column)
    assert (low[0], high[0]) == edges


def test_fairfaces_bins_leave_no_gap() -> None:
    column = pl.Series(FAIRFACE)
    low, high = age_format(column).edges(column)
    assert low[1:].tolist() == high[:-1].tolist()


@pytest.mark.parametrize("text", ["", " ", "NA", "nan", "null", "-", None])
def test_missing_ages_are_nan(text: str | None) -> None:
    column = pl.Series([text, "30"])
    found = age_format(column)
    assert found.wrong == ()
    assert np.isnan(found.edges(column)[0][0])


@pytest.mark.parametrize("text", ["old", "thirty", "30-20", "1.2.3", "20-29-39", "e"])
def test_other_texts_are_wrong(text: str) -> None:
    assert age_format(pl.Series([text])).wrong == (text,)


@given(texts=st.lists(st.text(max_size=12), max_size=8))
def test_any_text_is_an_age_missing_or_wrong(texts: list[str]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    found = age_format(column)
    low, high = found.edges(column)
    for text, start, end in zip(texts, low, high, strict=True):
        if text.strip() in found.wrong:
            assert np.isnan(start)
        else:
            assert np.isnan(start) or start <= end


@given(
    truth=st.tuples(st.floats(0, 100), st.floats(0, 20)),
    guess=st.tuples(st.floats(0, 100), st.floats(0, 20)),
)
def test_the_distance_of_two_bins_is_that_of_their_nearest_ages(truth, guess) -> None:
    ages = np.linspace(truth[0], truth[0] + truth[1], 50)
    guesses = np.linspace(guess[0], guess[0] + guess[1], 50)
    slow = np.abs(ages[:, np.newaxis] - guesses).min()
    edges = [(np.array([low]), np.array([low + width])) for low, width in (truth, guess)]
    found = bin_distance(edges[0], edges[1])[0]
    assert abs(found) == pytest.approx(slow, abs=1.0)
    assert abs(found) <= slow + 1e-9
    assert found <= 0 or guess[0] > truth[0]
