"""The comparison start to end: exact numbers, verdicts, failures, ranges, persons, output."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.bias_interval import bias
from fairage.auditing.changes import OVERALL
from fairage.auditing.comparison import compare
from fairage.auditing.comparison_result import COMPARISON_SCHEMA_VERSION, ComparisonResult
from fairage.exceptions import DataError
from fairage.reports.comparison_page import comparison_html
from fairage.reports.comparison_text import comparison_lines

N = 1000


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """A thousand faces; men's errors are twice those of women."""
    rng = np.random.default_rng(0)
    ages = rng.uniform(5, 80, N).round(1)
    gender = rng.choice(["female", "male"], N)
    noise = rng.normal(0, np.where(gender == "male", 6.0, 3.0))
    return pl.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(N)],
            "age": ages,
            "prediction": np.clip(ages + noise, 0, 120).round(2),
            "gender": gender,
            "race": rng.choice(["a", "b", "rare"], N, p=[0.6, 0.385, 0.015]),
        }
    )


@pytest.fixture(scope="module")
def better(table: pl.DataFrame) -> pl.DataFrame:
    """The same rows in another order, the men's errors a quarter, the women's nearly the same."""
    rng = np.random.default_rng(1)
    error = pl.col("prediction") - pl.col("age")
    male = pl.col("gender") == "male"
    changed = pl.when(male).then(pl.col("age") + error / 4).otherwise("prediction")
    jitter = pl.Series(rng.normal(0, 0.05, N))
    return table.with_columns((changed + jitter).clip(0, 120).alias("prediction"))[::-1]


@pytest.fixture(scope="module")
def result(table: pl.DataFrame, better: pl.DataFrame) -> ComparisonResult:
    return compare(table, better)


def errors_of(
    table: pl.DataFrame, other: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    joined = table.join(other.select("image", b="prediction"), on="image", maintain_order="left")
    ages = joined["age"].to_numpy()
    male = (joined["gender"] == "male").to_numpy()
    return (
        np.abs(joined["prediction"].to_numpy() - ages),
        np.abs(joined["b"].to_numpy() - ages),
        male,
    )


def test_numbers_are_those_of_the_two_tables(
    result: ComparisonResult, table: pl.DataFrame, better: pl.DataFrame
) -> None:
    one, other, male = errors_of(table, better)
    assert result.n == N
    assert result.overall["mae"].value == pytest.approx(other.mean() - one.mean())
    assert result.values["a"].overall["mae"] == pytest.approx(one.mean())
    men = result.groups["gender"]["male"]
    assert men["mae"].value == pytest.approx(other[male].mean() - one[male].mean())
    assert (men.a["mae"], men.b["mae"]) == pytest.approx((one[male].mean(), other[male].mean()))
    biases = [abs(e[male].mean() - e[~male].mean()) for e in (one, other)]
    assert result.bias["gender"].value == pytest.approx(biases[1] - biases[0])
    assert result.values["a"].bias["gender"] == pytest.approx(biases[0])
    assert result.values["b"].bias["gender"] == pytest.approx(biases[1])


def test_the_average_bias_is_the_mean_over_attributes(result: ComparisonResult) -> None:
    for side in ("a", "b"):
        values = result.values[side]
        assert values.average_bias == pytest.approx(np.mean(list(values.bias.values())))
    assert result.average_bias is not None
    change = np.mean([interval.value for interval in result.bias.values()])
    assert result.average_bias.value == pytest.approx(change)


def test_groups_that_take_no_part_count_in_no_bias(
    result: ComparisonResult, table: pl.DataFrame, better: pl.DataFrame
) -> None:
    assert not result.groups["race"]["rare"].takes_part
    assert result.verdicts["race"].left_out[0][:2] == ("race", "rare")
    one, other, _ = errors_of(table, better)
    race = table["race"].to_numpy()
    plain = [bias([errors[race == name].mean() for name in "ab"]) for errors in (one, other)]
    assert result.bias["race"].value == pytest.approx(plain[1] - plain[0])


def test_verdicts_say_who_is_better_and_for_whom(result: ComparisonResult) -> None:
    assert result.verdicts[OVERALL].kind == "better"
    gender = result.verdicts["gender"]
    assert gender.kind == "better"
    assert [change.group for change in gender.improved] == ["male"]
    assert not gender.worsened
    assert result.bias_kinds["gender"] == "fairer"


def test_turned_round_everything_is(
    result: ComparisonResult, table: pl.DataFrame, better: pl.DataFrame
) -> None:
    turned = compare(better, table)
    assert turned.overall["mae"].value == pytest.approx(-result.overall["mae"].value)
    assert turned.overall["mae"].low == pytest.approx(-result.overall["mae"].high, abs=1e-6)  # type: ignore[operator]  # both ends are there
    assert turned.verdicts["gender"].kind == "worse"
    assert turned.bias_kinds["gender"] == "less fair"


def test_levelling_says_that_the_men_gained(result: ComparisonResult) -> None:
    gender = result.levelling["gender"]
    assert gender.beyond_chance
    assert gender.share_up == pytest.approx(1, abs=0.02)
    assert [move.name for move in gender.improved] == ["male"]


def test_the_same_settings_give_the_same_numbers(
    result: ComparisonResult, table: pl.DataFrame, better: pl.DataFrame
) -> None:
    assert compare(table, better).to_dict() == result.to_dict()
    other = compare(table, better, settings=AuditSettings(seed=1))
    assert other.bias["race"].value == result.bias["race"].value
    assert other.bias["race"].low != result.bias["race"].low


def test_the_same_estimates_are_identical(table: pl.DataFrame) -> None:
    same = compare(table, table)
    assert same.identical
    assert {verdict.kind for verdict in same.verdicts.values()} == {"identical"}
    intervals = [*same.overall.values(), *same.bias.values(), same.average_bias]
    intervals += [i for own in same.groups.values() for g in own.values() for i in g.values()]
    for interval in intervals:
        assert interval is not None
        assert (interval.value, interval.low, interval.high) == (0.0, None, None)


def withheld(table: pl.DataFrame, share: float) -> pl.DataFrame:
    """Half the errors, but no estimate for some of the men."""
    hidden = (pl.col("gender") == "male") & pl.Series(np.random.default_rng(2).random(N) < share)
    halved = pl.col("age") + (pl.col("prediction") - pl.col("age")) / 2
    return table.with_columns(pl.when(hidden).then(None).otherwise(halved).alias("prediction"))


def test_who_withholds_faces_is_never_better(table: pl.DataFrame) -> None:
    result = compare(table, withheld(table, 0.4))
    assert result.overall["mae"].high < 0  # type: ignore[operator]  # both ends are there
    assert {verdict.kind for verdict in result.verdicts.values()} == {"cannot tell"}
    assert {verdict.reason for verdict in result.verdicts.values()} == {"failures differ"}
    assert set(result.bias_kinds.values()) | {result.average_bias_kind} == {"cannot tell"}
    assert result.failures.failing == {"b"}
    assert result.n == N - result.failures.reasons["b"]["missing"]


def test_who_withholds_nothing_may_be_better_than_who_does(table: pl.DataFrame) -> None:
    assert compare(withheld(table, 0.4), table).verdicts["gender"].kind == "cannot tell"
    hidden = withheld(table, 0.4)
    worse = hidden.with_columns(pl.col("prediction") + 9)
    assert compare(worse, table).verdicts["gender"].kind == "better"


def test_a_single_failure_changes_no_verdict(table: pl.DataFrame, better: pl.DataFrame) -> None:
    one = better.with_columns(
        pl.when(pl.col("image") == "7.jpg").then(None).otherwise("prediction").alias("prediction")
    )
    result = compare(table, one)
    assert result.n == N - 1
    assert result.verdicts["gender"].kind == "better"
    assert result.failures.overall.b.value == pytest.approx(1 / N)


def test_the_same_estimates_with_other_failures_are_not_identical(table: pl.DataFrame) -> None:
    hidden = table.with_columns(
        pl.when(pl.col("gender") == "male").then(None).otherwise("prediction").alias("prediction")
    )
    result = compare(table, hidden)
    assert not result.identical
    assert result.verdicts[OVERALL].kind == "identical"
    assert result.failures.failing == {"b"}


def test_a_group_that_is_withheld_altogether_is_left_out_and_spoils_nothing(
    table: pl.DataFrame, better: pl.DataFrame
) -> None:
    gone = better.with_columns(
        pl.when(pl.col("race") == "b").then(None).otherwise("prediction").alias("prediction")
    )
    three = table.with_columns(
        pl.when(pl.col("race") == "rare").then(pl.lit("a")).otherwise("race").alias("race")
    )
    three = three.with_columns(
        pl.when(pl.int_range(N) % 3 == 0).then(pl.lit("c")).otherwise("race").alias("race")
    )
    result = compare(three, gone)
    assert result.groups["race"]["b"].n == 0
    assert ("race", "b", 0) in result.verdicts["race"].left_out
    assert result.failures.failing == {"b"}
    limits = [end for own in result.bias.values() for end in (own.value, own.low, own.high)]
    assert np.isfinite(np.array(limits, dtype=float)).all()
    json.dumps(result.to_dict(), allow_nan=False)
    assert "nan" not in " ".join(comparison_lines(result))
    assert ">nan" not in comparison_html(result)


def test_models_without_a_common_face_are_an_error(table: pl.DataFrame) -> None:
    even = pl.int_range(N) % 2 == 0
    one = table.with_columns(pl.when(even).then("prediction").otherwise(None).alias("prediction"))
    other = table.with_columns(pl.when(even).then(None).otherwise("prediction").alias("prediction"))
    with pytest.raises(DataError, match="images that both models estimate, got none"):
        compare(one, other)


def test_ranges_count_with_their_middle_and_it_is_said_which(table: pl.DataFrame) -> None:
    low = (pl.col("prediction") // 10 * 10).cast(pl.Int64)
    ranges = table.with_columns(prediction=pl.format("{}-{}", low, low + 9))
    result = compare(table, ranges)
    middles = (table["prediction"] // 10 * 10 + 5 - table["age"]).abs().mean()
    assert result.values["b"].overall["mae"] == pytest.approx(middles)
    note = next(note.text for note in result.notes if note.name == "ranges")
    assert note.startswith("Ranges among the estimates of B count with their middle")


def test_without_ranges_nothing_is_said_of_them(result: ComparisonResult) -> None:
    assert "ranges" not in {note.name for note in result.notes}


def test_persons_and_weights_are_those_of_the_first_table(table: pl.DataFrame) -> None:
    rng = np.random.default_rng(3)
    own = table.with_columns(
        identity=pl.Series([f"p{i // 4}" for i in range(N)]), w=pl.Series(rng.uniform(1, 3, N))
    )
    other = table.with_columns(
        (pl.col("prediction") + pl.Series(rng.normal(0.5, 2, N))).clip(0, 120)
    )
    result = compare(own, other, weight="w")
    assert result.n_persons == 250
    assert result.overall["mae"].n_persons == 250
    joined = own.join(other.select("image", b="prediction"), on="image", maintain_order="left")
    errors = [(joined[name] - joined["age"]).abs().to_numpy() for name in ("prediction", "b")]
    expected = [np.average(error, weights=own["w"].to_numpy()) for error in errors]
    assert result.overall["mae"].value == pytest.approx(expected[1] - expected[0])


def test_few_rows_tell_nothing(table: pl.DataFrame, better: pl.DataFrame) -> None:
    few = compare(table.head(12), better.tail(12))
    assert {verdict.reason for verdict in few.verdicts.values()} == {"too few rows"}
    assert few.average_bias is None
    assert few.average_bias_kind is None


def test_margin_decides_what_is_within_it(table: pl.DataFrame) -> None:
    jitter = table.with_columns(pl.col("prediction") + 0.2)
    assert compare(table, jitter).verdicts[OVERALL].kind == "within margin"
    narrow = compare(table, jitter, settings=AuditSettings(margin=0.1)).verdicts[OVERALL]
    assert narrow.kind in ("shifted", "worse", "better")


def test_it_is_given_as_a_table_and_as_plain_values(result: ComparisonResult) -> None:
    values = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert values["schema_version"] == COMPARISON_SCHEMA_VERSION
    assert values["overall"]["mae"]["value"] == result.overall["mae"].value
    male = values["groups"]["gender"]["male"]
    assert male["mae"]["low"] == result.groups["gender"]["male"]["mae"].low
    assert male["takes_part"] is True
    assert values["verdicts"]["gender"]["kind"] == "better"
    frame = result.to_frame()
    row = frame.filter(attribute="gender", group="male", measure="mae").row(0, named=True)
    assert row["change"] == result.groups["gender"]["male"]["mae"].value
    assert row["b"] - row["a"] == pytest.approx(row["change"])
    assert frame.filter(measure="bias").height == len(result.bias) + 1
    assert frame.filter(measure="failures").height == 1 + sum(map(len, result.groups.values()))


def test_it_is_saved_by_suffix(result: ComparisonResult, tmp_path: Path) -> None:
    page = result.save(tmp_path / "compare.html").read_text(encoding="utf-8")
    assert "A and B compared" in page
    saved = json.loads(result.save(tmp_path / "compare.json").read_text(encoding="utf-8"))
    assert saved == json.loads(json.dumps(result.to_dict()))
    assert pl.read_csv(result.save(tmp_path / "compare.csv")).height == result.to_frame().height


def test_it_is_short_in_a_prompt_and_a_table_in_a_notebook(result: ComparisonResult) -> None:
    assert repr(result) == (
        f"<ComparisonResult of 'A' and 'B': 1,000 rows, "
        f"MAE {result.overall['mae'].value:+.2f} years, better>"
    )
    assert "<table>" in result._repr_html_()


def test_a_result_cannot_be_changed(result: ComparisonResult) -> None:
    with pytest.raises(AttributeError):
        result.n = 3  # type: ignore[misc]  # it is frozen
