"""A group is written as attribute=group, whoever asks for its rows."""

import polars as pl
import pytest

from fairage.exceptions import ConfigError, DataError
from fairage.tables import UNKNOWN, members

FRAME = pl.DataFrame({"age": [70.0, 30.0, 80.0], "gender": ["female", "a=b", None]})


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("gender=female", [True, False, False]),
        ("gender=a=b", [False, True, False]),
        (f"gender={UNKNOWN}", [False, False, True]),
        ("age_group=old", [True, False, True]),
    ],
)
def test_the_rows_of_a_group(text: str, rows: list[bool]) -> None:
    assert members(FRAME, text).tolist() == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("old", "expected a group as attribute=group, got 'old'"),
        ("gender=femal", "Did you mean 'female'"),
        ("sex=female", "expected an attribute column"),
    ],
)
def test_a_wrong_group_is_named(text: str, message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        members(FRAME, text)
