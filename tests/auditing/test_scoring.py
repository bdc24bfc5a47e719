"""The one score: published numbers, fairlearn's group errors, who takes part, real predictions."""

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given
from hypothesis import strategies as st

from fairage.age_groups import AgeGroups
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.auditor import audit
from fairage.auditing.groups import Units
from fairage.auditing.result_parts import MAE
from fairage.auditing.scoring import (
    average_bias,
    bias_column,
    metrics_of,
    score,
    score_errors,
)
from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE_GROUP


def half(n: int) -> list[str]:
    return ["f"] * n + ["m"] * n


def test_mae_mean_error_and_biases() -> None:
    labels = {"gender": ["f", "f", "m", "m"], "place": ["a", "b", "a", "b"]}
    result = score([10, 20, 30, 40], [11, 22, 33, 34], labels, min_rows=2)
    assert result.mae == 3
    assert result.mean_error == 0
    assert result.biases == {"gender": 3, "place": 2}
    assert result.average_bias == 2.5


@pytest.mark.parametrize(
    ("group_errors", "expected"),
    [
        ([9.999447, 8.002159, 12.888004, 20.867609], 6.914151),
        ([9.278401, 7.614077, 9.984631], 1.580370),
    ],
)
def test_the_kits_group_errors_give_the_kits_bias(
    group_errors: list[float], expected: float
) -> None:
    errors = np.repeat(group_errors, 2)
    labels = [str(i // 2) for i in range(len(errors))]
    result = score(np.zeros(len(errors)), errors, {"x": labels}, min_rows=2)
    assert result.biases["x"] == pytest.approx(expected, abs=1e-5)


@given(
    rows=st.lists(st.tuples(st.floats(-50, 50), st.sampled_from("abcd")), min_size=1, max_size=40),
    min_rows=st.integers(2, 8),
)
def test_the_bias_is_the_mean_gap_of_the_groups_that_are_large_enough(rows, min_rows) -> None:
    errors, labels = zip(*rows, strict=True)
    groups = {g: [abs(e) for e, own in rows if own == g] for g in set(labels)}
    means = [sum(own) / len(own) for own in groups.values() if len(own) >= min_rows]
    gaps = [abs(a - b) for a, b in combinations(means, 2)]
    result = score(np.zeros(len(rows)), errors, {"x": labels}, min_rows=min_rows)
    if not gaps:
        assert math.isnan(result.biases["x"])
        assert math.isnan(result.average_bias)
    else:
        assert result.biases["x"] == pytest.approx(np.mean(gaps), abs=1e-9)
        assert result.biases["x"] >= 0
    assert result.mae == pytest.approx(np.mean(np.abs(errors)), abs=1e-9)


def test_a_group_of_29_takes_no_part_and_one_of_30_does() -> None:
    def bias(n: int) -> float:
        labels = ["f"] * 40 + ["m"] * 40 + ["x"] * n
        errors = [1.0] * 40 + [2.0] * 40 + [9.0] * n
        return score(np.zeros(80 + n), errors, {"gender": labels}).biases["gender"]

    assert bias(29) == pytest.approx(1.0)
    assert bias(30) == pytest.approx((1 + 8 + 7) / 3)


def test_rows_of_small_groups_still_count_in_the_mae_and_other_attributes() -> None:
    labels = {"gender": [*half(30), "x"], "place": ["a"] * 30 + ["b"] * 31}
    errors = [1.0] * 60 + [63.0]
    result = score(np.zeros(61), errors, labels)
    assert result.mae == pytest.approx(123 / 61)
    assert result.biases["gender"] == pytest.approx(0.0)
    assert result.biases["place"] == pytest.approx(2.0)


@pytest.mark.parametrize("missing", ["unknown", "", "N/A", "nan", None, float("nan")])
def test_unknown_is_counted_and_takes_no_part(missing: object) -> None:
    labels = np.array([*half(30), *[missing] * 40], dtype=object)
    errors = [1.0] * 30 + [2.0] * 30 + [50.0] * 40
    result = score(np.zeros(100), errors, {"gender": labels})
    assert result.biases["gender"] == pytest.approx(1.0)
    groups = result.groups["gender"]
    assert dict(zip(groups.names, groups.counts.tolist(), strict=True))["unknown"] == 40


def test_constant_columns_do_not_lower_the_average() -> None:
    labels = {"gender": half(30)}
    errors = np.repeat([1.0, 3.0], 30)
    plain = score(np.zeros(60), errors, labels)
    more = score(np.zeros(60), errors, {**labels, "country": ["x"] * 60, "camera": ["y"] * 60})
    assert plain.average_bias == more.average_bias == pytest.approx(2.0)
    assert math.isnan(more.biases["country"])


def test_persons_are_what_counts_where_they_are_known() -> None:
    labels = {"gender": half(40)}
    errors = np.repeat([1.0, 2.0], 40)
    many = Units(np.arange(80), 80)
    few = Units(np.repeat(np.arange(20), 4), 20)
    assert score(np.zeros(80), errors, labels, units=many).biases["gender"] == pytest.approx(1.0)
    assert math.isnan(score(np.zeros(80), errors, labels, units=few).biases["gender"])
    ten = score(np.zeros(80), errors, labels, units=few, min_rows=10)
    assert ten.biases["gender"] == pytest.approx(1.0)


def test_errors_that_are_all_alike_have_no_bias() -> None:
    labels = [str(i % 4) for i in range(400)]
    result = score(np.zeros(400), np.full(400, 2.7), {"x": labels})
    assert result.biases["x"] == pytest.approx(0, abs=1e-12)
    assert result.biases["x"] >= 0


def test_without_attributes_there_is_no_bias() -> None:
    assert math.isnan(score([10.0], [12.0], {}).average_bias)
    assert math.isnan(average_bias([]))


def test_group_errors_equal_fairlearns(rng: np.random.Generator) -> None:
    ages, predictions = rng.uniform(0, 90, (2, 500))
    labels = rng.choice(["a", "b", "c"], 500, p=[0.8, 0.18, 0.02])
    groups = score(ages, predictions, {"group": labels}).groups["group"]
    frame = MetricFrame(
        metrics=lambda truth, guess: np.abs(truth - guess).mean(),
        y_true=ages,
        y_pred=predictions,
        sensitive_features=pd.Series(labels, name="group"),
    )
    assert list(groups.names) == list(frame.by_group.index)
    np.testing.assert_allclose(groups.errors, frame.by_group.to_numpy(dtype=float))


def test_the_score_is_that_of_the_audit(rng: np.random.Generator) -> None:
    n = 400
    table = pl.DataFrame(
        {
            "image": [str(i) for i in range(n)],
            "age": rng.uniform(1, 89, n).round(1),
            "prediction": rng.uniform(1, 89, n),
            "gender": rng.choice(["f", "m", "unknown"], n, p=[0.6, 0.3, 0.1]),
            "race": rng.choice(["a", "b", "c"], n, p=[0.6, 0.38, 0.02]),
        }
    )
    labels = {name: table[name].to_numpy() for name in ("gender", "race")}
    ages = table["age"].to_numpy()
    labels[AGE_GROUP] = AgeGroups().assign(ages)
    result = score(ages, table["prediction"].to_numpy(), labels)
    audited = audit(table, settings=AuditSettings()).model
    assert audited.overall[MAE].value == pytest.approx(result.mae)
    assert {n: i.value for n, i in audited.bias.items()} == pytest.approx(result.biases)
    assert audited.average_bias is not None
    assert audited.average_bias.value == pytest.approx(result.average_bias)


@pytest.mark.parametrize(
    ("ages", "predictions", "labels"),
    [
        ([1, 2], [1], ["a", "b"]),
        ([1, 2], [[1], [2]], ["a", "b"]),
        ([1, 2], [1, 2], ["a"]),
        ([1, 2], [1, 2], [["a"], ["b"]]),
        ([1, 2], 3, ["a", "b"]),
        (1, 2, "a"),
        ([], [], []),
    ],
)
def test_columns_of_different_lengths_or_none_are_an_error(
    ages: object, predictions: object, labels: object
) -> None:
    with pytest.raises(DataError, match="expected columns of one length"):
        score(ages, predictions, {"gender": labels})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "old"])
def test_what_is_no_number_is_an_error(value: object) -> None:
    with pytest.raises(DataError, match="expected predictions as"):
        score([10, 20], [10, value], {})


@pytest.mark.parametrize("min_rows", [1, 0, -3])
def test_fewer_than_two_rows_a_group_are_refused(min_rows: int) -> None:
    with pytest.raises(ConfigError, match="expected min_rows of 2 or more"):
        score([10], [10], {}, min_rows=min_rows)


def test_columns_of_scores_never_meet() -> None:
    assert bias_column(AGE_GROUP) == "age_bias"
    names = ["average", "gender", AGE_GROUP, "mae"]
    columns = list(metrics_of(score([1, 2], [1, 2], {name: ["a", "b"] for name in names})))
    assert len(columns) == len(set(columns)) == 6


def test_what_is_not_there_is_none_and_never_nan() -> None:
    result = score_errors(np.array([1.0, 2.0]), {})
    assert metrics_of(result) == {"mae": 1.5, "average_bias": None}


@pytest.mark.real_data
def test_farls_published_predictions_give_its_known_numbers(real_data: Path) -> None:
    table = pl.read_csv(
        real_data / "data" / "predictions" / "appa_real_test_farl.csv", infer_schema_length=None
    )
    rows = table.drop_nulls("pred_apparent_farl_exp008")
    assert table.height - rows.height == 1
    ages = rows["apparent_age_avg"].to_numpy()
    attributes = {name: rows[name].to_list() for name in ("gender", "expression", "ethnicity")}
    result = score(
        ages,
        rows["pred_apparent_farl_exp008"].to_numpy(),
        {**attributes, AGE_GROUP: AgeGroups().assign(ages)},
    )
    assert result.mae == pytest.approx(3.4325, abs=5e-5)
    assert {name: round(value, 3) for name, value in result.biases.items()} == {
        "gender": 0.079,
        "expression": 0.276,
        "ethnicity": 0.306,
        AGE_GROUP: 2.390,
    }
    assert result.average_bias == pytest.approx(0.763, abs=5e-4)
