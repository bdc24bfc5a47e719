"""How many true ages a model's own intervals hold: counts by hand, what is promised, bad tables."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

import fairage
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.interval_coverage import Coverage
from fairage.exceptions import ConfigError, DataError

INF = math.inf


def table(**columns: Any) -> pl.DataFrame:
    """Return a table of these columns; estimates are the middle of the interval."""
    frame = pl.DataFrame(columns)
    if "prediction" not in frame.columns:
        frame = frame.with_columns(prediction=pl.lit(30.0))
    return frame


def coverage(frame: pl.DataFrame, **options: Any) -> Coverage:
    names = ("min_rows", "level", "rate_margin", "oldest")
    own = AuditSettings(**{name: options.pop(name) for name in names if name in options})
    found = fairage.audit(frame, settings=own, **options).coverage
    assert found is not None
    return found


def promised(hits: int, n: int, level: float = 0.9) -> pl.DataFrame:
    """Return a table of `n` rows of which the interval holds the true age in `hits`."""
    ages = [30.0] * hits + [50.0] * (n - hits)
    return table(age=ages, lower=[20.0] * n, upper=[40.0] * n, level=[level] * n)


def test_ends_belong_to_the_interval() -> None:
    own = coverage(table(age=[20.0, 40.0, 19.9, 40.1], lower=[20] * 4, upper=[40] * 4))
    assert own.overall.covered.value == 0.5
    assert (own.overall.covered.n, own.overall.open_ends, own.overall.without) == (4, 0, 0)


@pytest.mark.parametrize(("hits", "n"), [(0, 12), (9, 12), (88, 100), (12, 12)])
def test_limits_are_exact(hits: int, n: int) -> None:
    covered = coverage(promised(hits, n)).overall.covered
    exact = binomtest(hits, n).proportion_ci(0.95, "exact")
    assert (covered.low, covered.high) == pytest.approx((exact.low, exact.high))


def test_limits_of_groups_hold_together() -> None:
    frame = promised(70, 100).with_columns(gender=pl.Series(["f", "m"] * 50))
    own = coverage(frame)
    groups = [group for name in own for group in own[name].values() if group.takes_part]
    assert own.judged == len(groups) == 4
    for group in groups:
        n = group.covered.n
        hits = round(group.covered.value * n)
        exact = binomtest(hits, n).proportion_ci(1 - 0.05 / 4, "exact")
        assert (group.low, group.high) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(
    ("hits", "kind"),
    [
        (700, "falls short"),
        (980, "lies above"),
        (900, "within margin"),
        (865, "falls short"),
    ],
)
def test_what_is_promised_is_judged(hits: int, kind: str) -> None:
    assert coverage(promised(hits, 1000)).overall.kind == kind


def test_few_rows_cannot_tell() -> None:
    assert coverage(promised(34, 40)).overall.kind == "cannot tell"


def test_without_a_level_nothing_is_judged() -> None:
    own = coverage(promised(700, 1000).drop("level"))
    assert own.level is None
    assert own.overall.kind is None
    assert own.overall.covered.value == 0.7
    assert coverage(promised(700, 1000).drop("level"), level=0.9).overall.kind == "falls short"


def test_small_and_unknown_groups_are_listed_and_not_judged() -> None:
    frame = promised(90, 100).with_columns(
        gender=pl.Series(["f"] * 60 + ["m"] * 8 + [None] * 32, dtype=pl.String)
    )
    own = coverage(frame)["gender"]
    assert {name: group.takes_part for name, group in own.items()} == {
        "f": True,
        "m": False,
        "unknown": False,
    }
    assert own["m"].kind is None
    assert own["m"].covered.n == 8
    assert own["m"].covered.low is not None


def test_true_age_groups_and_attributes_have_their_own_coverage() -> None:
    ages = [10.0] * 40 + [50.0] * 60
    frame = table(
        age=ages,
        prediction=[30.0] * 100,
        lower=[5.0] * 100,
        upper=[45.0] * 100,
        sex=["a", "b"] * 50,
    )
    own = coverage(frame)
    assert own["age_group"]["young"].covered.value == 1.0
    assert own["age_group"]["senior"].covered.value == 0.0
    assert own["sex"]["a"].covered.value == 0.4


def test_open_ends_are_counted_and_hold_what_lies_beyond() -> None:
    frame = table(
        age=[90.0, 1.0, 30.0, 50.0],
        lower=[20.0, None, -INF, 10.0],
        upper=[None, 40.0, INF, 40.0],
    )
    overall = coverage(frame).overall
    assert overall.open_ends == 3
    assert overall.covered.value == 0.75
    assert (overall.mean_width.value, overall.mean_width.n) == (30.0, 1)
    assert overall.median_width.value == INF
    assert fairage.audit(frame).to_dict()["models"]["prediction"]["coverage"]["overall"][
        "median_width"
    ]["value"] is None  # fmt: skip


def test_estimates_without_an_interval_and_rows_without_an_estimate_have_no_part() -> None:
    frame = table(
        age=[30.0, 30.0, 30.0, 30.0],
        prediction=[30.0, 30.0, None, -1.0],
        lower=["20", None, "40", "ERR"],
        upper=["40", None, "20", "ERR"],
    )
    overall = coverage(frame).overall
    assert (overall.covered.n, overall.covered.value, overall.without) == (1, 1.0, 1)


def test_widths_by_hand() -> None:
    frame = table(age=[30.0] * 4, lower=[20.0] * 4, upper=[30.0, 32.0, 34.0, 44.0])
    overall = coverage(frame).overall
    assert (overall.mean_width.value, overall.median_width.value) == (15.0, 13.0)


def test_a_range_counts_only_where_all_or_none_of_it_lies_inside() -> None:
    #         inside    before    past      partly    partly    no end: past, partly
    ages = ["20-29", "10-14", "40-49", "10-29", "30-39", "70+", "31+"]
    frame = table(age=ages, lower=[15.0] * 7, upper=[32.0] * 7)
    overall = coverage(frame).overall
    assert overall.undecided == 3
    assert overall.covered.value == 0.25
    assert overall.covered.n == 7
    assert overall.covered.low == pytest.approx(binomtest(1, 7).proportion_ci(0.95).low)
    assert overall.covered.high == pytest.approx(binomtest(4, 7).proportion_ci(0.95).high)


def test_a_range_ends_before_its_upper_end() -> None:
    """[20, 30) has no age of 30: an interval from 30 holds none of it, one up to 30 all of it."""
    frame = table(age=["20-29", "20-29"], lower=[30.0, 20.0], upper=[40.0, 30.0])
    overall = coverage(frame).overall
    assert (overall.covered.value, overall.undecided) == (0.5, 0)


def test_persons_are_the_unit() -> None:
    frame = promised(60, 90).with_columns(identity=pl.Series([f"p{i // 3}" for i in range(90)]))
    overall = coverage(frame).overall
    assert overall.covered.n_persons == 30
    rows = coverage(frame, identity="").overall
    assert overall.low is not None
    assert rows.low is not None
    assert overall.low < rows.low
    assert overall.covered.value == rows.covered.value


def test_weights_count() -> None:
    frame = table(age=[30.0, 50.0], lower=[20.0] * 2, upper=[40.0, 30.0], w=[3.0, 1.0])
    overall = coverage(frame, weight="w").overall
    assert overall.covered.value == 0.75
    assert overall.mean_width.value == 17.5
    assert overall.median_width.value == 20.0


def test_models_side_by_side_have_columns_each() -> None:
    frame = pl.DataFrame(
        {
            "age": [30.0, 30.0],
            "pred_a": [30.0, 31.0],
            "pred_b": [32.0, 30.0],
            "pred_a_lower": [20.0, 20.0],
            "pred_a_upper": [40.0, 25.0],
            "pred_a_level": [0.8, 0.8],
            "lower": [0.0, 0.0],
            "upper": [99.0, 99.0],
        }
    )
    models = fairage.audit(frame).models
    own = models["pred_a"].coverage
    assert own is not None
    assert (own.level, own.overall.covered.value) == (0.8, 0.5)
    assert models["pred_b"].coverage is None


def test_models_of_a_long_table_may_have_levels_of_their_own() -> None:
    one = promised(40, 50, 0.8).with_columns(model=pl.lit("one"))
    two = promised(45, 50, 0.9).with_columns(model=pl.lit("two"))
    models = fairage.audit(pl.concat([one, two]), model="model").models
    found = {name: each.coverage for name, each in models.items()}
    assert {name: own.level for name, own in found.items() if own} == {"one": 0.8, "two": 0.9}


def test_columns_are_guessed_named_and_refused() -> None:
    frame = promised(9, 10).rename({"lower": "from_years", "upper": "to_years"})
    assert fairage.audit(frame, interval="").coverage is None
    assert fairage.audit(frame).coverage is None
    own = coverage(frame, interval=("from_years", "to_years"))
    assert own.overall.covered.value == 0.9
    assert own.level is None, "beside named columns the level is given as an option"
    columns = fairage.audit(promised(9, 10)).columns
    assert "interval 'lower' to 'upper' of level 'level'" in columns.describe()
    assert {"lower", "upper", "level"} <= set(columns.used)


def test_columns_that_hold_no_intervals_are_said_to() -> None:
    frame = table(age=[30.0, 31.0], lower=[None, None], upper=[20.0, None], prediction=[None, 30.0])
    result = fairage.audit(frame)
    assert result.coverage is None
    assert "no_intervals" in [note.name for note in result.notes]


def test_texts_called_lower_and_upper_are_no_intervals() -> None:
    frame = table(age=[30.0, 31.0], lower=["jeans", "skirt"], upper=["shirt", "coat"])
    result = fairage.audit(frame)
    assert result.coverage is None
    assert set(result.columns.unused) == {"lower", "upper"}


BAD = [
    ({"lower": [50.0, 20.0]}, {}, "intervals that begin before they end"),
    ({"lower": [INF, 20.0], "upper": [None, 40.0]}, {}, "intervals that begin before they end"),
    ({"lower": ["low", "20"]}, {}, "column 'lower': expected numbers"),
    ({"level": [90.0, 90.0]}, {}, "write 0.9 for 90 %"),
    ({"level": [0.0, 0.0]}, {}, "levels between 0 and 1"),
    ({"level": [0.8, 0.9]}, {}, "expected one level .* got 0.8, 0.9"),
    ({"level": [0.9, None]}, {}, "expected one level .* got 0.9 and none"),
    ({}, {"level": 0.8}, "expected the level 0.8 of --level, got 0.9, leave out --level"),
]


@pytest.mark.parametrize(("columns", "options", "message"), BAD)
def test_bad_intervals_are_clear_errors(
    columns: dict[str, list[Any]], options: dict[str, Any], message: str
) -> None:
    usual: dict[str, Any] = {
        "age": [30.0, 31.0],
        "lower": [20.0, 20.0],
        "upper": [40.0, 40.0],
        "level": [0.9, 0.9],
    }
    with pytest.raises(DataError, match=message):
        coverage(table(**(usual | columns)), **options)


@pytest.mark.parametrize("end", ["lower", "upper", "prediction_lower", "prediction_upper"])
def test_one_end_alone_is_an_error(end: str) -> None:
    frame = pl.DataFrame({"age": [30.0], "prediction": [31.0], end: [20.0]})
    missing = end.replace("lower", "X").replace("upper", "lower").replace("X", "upper")
    with pytest.raises(DataError, match=f"'{end}': expected the column '{missing}' beside it"):
        fairage.audit(frame)
    assert fairage.audit(frame, interval="").coverage is None


def test_wrong_options_are_clear_errors() -> None:
    with pytest.raises(ConfigError, match=r"expected level between 0 and 1, got 90, write 0\.9"):
        AuditSettings(level=90)
    with pytest.raises(ConfigError, match="expected columns of intervals beside level"):
        fairage.audit({"age": [1], "prediction": [2]}, settings=AuditSettings(level=0.9))
    with pytest.raises(ConfigError, match="expected both columns of an interval"):
        fairage.audit(promised(9, 10), interval="lower")
    two = promised(9, 10).with_columns(pred_b=pl.lit(30.0))
    with pytest.raises(ConfigError, match="expected one model beside the interval"):
        fairage.audit(two, prediction=["prediction", "pred_b"], interval=("lower", "upper"))


def test_a_comparison_does_not_read_intervals() -> None:
    frame = pl.DataFrame(
        {"image": list("abcd"), "age": [30.0] * 4, "prediction": [31.0, 32, 33, 34]}
    ).with_columns(lower=pl.lit(40.0), upper=pl.lit(20.0))
    assert fairage.compare(frame, frame).overall


def test_every_group_is_a_row_of_the_frame() -> None:
    frame = promised(70, 100).with_columns(gender=pl.Series(["f", "m"] * 50))
    result = fairage.audit(frame)
    rows = result.to_frame("coverage")
    covered = rows.filter(pl.col("measure") == "covered")
    assert covered["group"].to_list()[:3] == ["all", "f", "m"]
    own = result.coverage["gender"]["f"]
    row = covered.row(1, named=True)
    assert (row["value"], row["joint_low"], row["kind"]) == (own.covered.value, own.low, own.kind)
    assert fairage.audit(frame, interval="").to_frame("coverage").is_empty()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_coverage_is_that_of_a_slow_loop(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 40))
    years = st.integers(0, 100).map(float)
    ends = st.one_of(st.none(), years)
    ages = data.draw(st.lists(years, min_size=n, max_size=n))
    pairs = data.draw(st.lists(st.tuples(ends, ends), min_size=n, max_size=n))
    pairs = [(b, a) if a is not None and b is not None and a > b else (a, b) for a, b in pairs]
    frame = pl.DataFrame(
        {
            "age": ages,
            "prediction": [30.0] * n,
            "lower": pl.Series([a for a, _ in pairs], dtype=pl.Float64),
            "upper": pl.Series([b for _, b in pairs], dtype=pl.Float64),
        }
    )
    own = fairage.audit(frame, interval=("lower", "upper")).coverage
    rows = [(y, a, b) for y, (a, b) in zip(ages, pairs, strict=True) if (a, b) != (None, None)]
    if not rows:
        assert own is None
        return
    hits = [(a is None or a <= y) and (b is None or y <= b) for y, a, b in rows]
    assert own is not None
    assert own.overall.covered.value == pytest.approx(np.mean(hits))
    assert own.overall.covered.n == len(rows)
    assert own.overall.without == n - len(rows)
    assert own.overall.open_ends == sum(a is None or b is None for _, a, b in rows)
    assert own.overall.covered.low <= own.overall.covered.value <= own.overall.covered.high
    assert sum(group.covered.n for group in own["age_group"].values()) == len(rows)
