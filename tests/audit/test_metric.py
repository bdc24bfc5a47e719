"""The challenge's metric: published numbers, fairlearn's group errors, real predictions."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame

from fairage.age_groups import AgeGroups
from fairage.audit.gaps import bias, score
from fairage.audit.groups import group_means
from fairage.exceptions import DataError
from fairage.tables import AGE_GROUP


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
    assert bias(group_errors) == pytest.approx(expected, abs=1e-5)


def test_the_bias_of_two_groups_is_their_gap() -> None:
    assert bias([4.0, 7.5]) == 3.5
    assert bias([7.5, 4.0]) == 3.5


@pytest.mark.parametrize("group_errors", [[], [3.0]])
def test_fewer_than_two_groups_have_no_bias(group_errors: list[float]) -> None:
    assert bias(group_errors) == 0


def test_the_bias_is_pulled_by_one_far_group_among_many() -> None:
    assert bias([1.0, 1.0, 1.0, 7.0]) == pytest.approx(6 * 3 / 6)


def test_group_means_are_sorted_by_name_with_their_counts() -> None:
    found = group_means([1.0, 2.0, 6.0, 3.0], ["m", "f", "f", "unknown"])
    assert found.names == ("f", "m", "unknown")
    assert found.counts.tolist() == [2, 1, 1]
    assert found.means.tolist() == [4, 1, 3]


def test_the_average_bias_is_the_mean_over_attributes() -> None:
    labels = {"gender": ["f", "f", "m", "m"], "place": ["a", "b", "a", "b"]}
    found = score([10, 20, 30, 40], [11, 22, 33, 46], labels)
    assert found.mae == 3
    assert found.biases == {"gender": 3, "place": 2}
    assert found.average_bias == 2.5


def test_without_attributes_there_is_no_bias() -> None:
    assert score([10.0], [12.0], {}).average_bias == 0


def test_group_errors_equal_fairlearns(rng: np.random.Generator) -> None:
    ages, predictions = rng.uniform(0, 90, (2, 500))
    labels = rng.choice(["a", "b", "c"], 500, p=[0.8, 0.18, 0.02])
    found = score(ages, predictions, {"group": labels}).groups["group"]
    frame = MetricFrame(
        metrics=lambda truth, guess: np.abs(truth - guess).mean(),
        y_true=ages,
        y_pred=predictions,
        sensitive_features=pd.Series(labels, name="group"),
    )
    by_group = frame.by_group
    assert list(found.names) == list(by_group.index)
    np.testing.assert_allclose(found.means, by_group.to_numpy(dtype=float))


@pytest.mark.parametrize(
    ("ages", "predictions", "labels"),
    [
        ([1, 2], [1], ["a", "b"]),
        ([1, 2], [[1], [2]], ["a", "b"]),
        ([1, 2], [1, 2], ["a"]),
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


@pytest.mark.real_data
def test_farls_published_predictions_give_its_known_numbers(real_data: Path) -> None:
    table = pl.read_csv(
        real_data / "data" / "predictions" / "appa_real_test_farl.csv", infer_schema_length=None
    )
    rows = table.drop_nulls("pred_apparent_farl_exp008")
    assert table.height - rows.height == 1
    ages = rows["apparent_age_avg"].to_numpy()
    attributes = {name: rows[name].to_list() for name in ("gender", "expression", "ethnicity")}
    found = score(
        ages,
        rows["pred_apparent_farl_exp008"].to_numpy(),
        {**attributes, AGE_GROUP: AgeGroups().assign(ages)},
    )
    assert found.mae == pytest.approx(3.4325, abs=5e-5)
    assert {name: round(value, 3) for name, value in found.biases.items()} == {
        "gender": 0.079,
        "expression": 0.276,
        "ethnicity": 0.306,
        AGE_GROUP: 2.390,
    }
    assert found.average_bias == pytest.approx(0.763, abs=5e-4)
